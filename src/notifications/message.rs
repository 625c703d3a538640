//! What people are told: one variant per kind, with what its text needs.

use super::NotificationKind as Kind;
use crate::platform::values::{CalendarDate, Id, Money, Timestamp};

/// A message, before it is put into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A partner is invited to enroll.
    EnrollmentInvited {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// The last day to accept.
        until: CalendarDate,
        /// The enrollment.
        enrollment: Id,
    },
    /// An enrollment waits for the partner's profiles.
    EnrollmentActionRequired {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// The partner.
        partner_id: Id,
    },
    /// An enrollment has changed its state otherwise.
    EnrollmentStateChanged {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// The state now.
        state: String,
        /// The enrollment.
        enrollment: Id,
    },
    /// A rule is about to be no longer met, or is met by grace only.
    EligibilityAtRisk {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// What is about to lapse, a sentence each.
        lapsing: Vec<String>,
        /// The last day it is met.
        lapses_on: CalendarDate,
        /// Whether it is met by grace already.
        in_grace: bool,
        /// The enrollment.
        enrollment: Id,
    },
    /// A rule is no longer met.
    EligibilityLost {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// What is missing, a sentence each.
        missing: Vec<String>,
        /// The evaluation that says so.
        evaluation: Id,
    },
    /// Who of the partner's people may use the service.
    UserList {
        /// The partner's name.
        partner: String,
        /// The partner.
        partner_id: Id,
        /// The people: name, address, role.
        users: Vec<(String, String, String)>,
    },
    /// A first password, or one after a reset.
    TemporaryPassword {
        /// The password; it stands in the mail alone.
        password: String,
        /// When it stops opening anything.
        expires_at: Timestamp,
    },
    /// The password was changed.
    PasswordChanged {
        /// When.
        at: Timestamp,
    },
    /// Somebody signed in from an address not seen before.
    NewSignIn {
        /// When.
        at: Timestamp,
        /// From which network address.
        address: String,
        /// With what, as it calls itself.
        user_agent: Option<String>,
    },
    /// A payment is on its way.
    PaymentSent {
        /// The partner's name.
        partner: String,
        /// How much, after tax.
        amount: Money,
        /// What the bank statement shows.
        reference: String,
        /// When it was sent.
        on: CalendarDate,
    },
}

impl Message {
    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::EnrollmentInvited { .. } => Kind::EnrollmentInvited,
            Self::EnrollmentActionRequired { .. } => Kind::EnrollmentActionRequired,
            Self::EnrollmentStateChanged { .. } => Kind::EnrollmentStateChanged,
            Self::EligibilityAtRisk { .. } => Kind::EligibilityAtRisk,
            Self::EligibilityLost { .. } => Kind::EligibilityLost,
            Self::UserList { .. } => Kind::UserList,
            Self::TemporaryPassword { .. } => Kind::TemporaryPassword,
            Self::PasswordChanged { .. } => Kind::PasswordChanged,
            Self::NewSignIn { .. } => Kind::NewSignIn,
            Self::PaymentSent { .. } => Kind::PaymentSent,
        }
    }
}
