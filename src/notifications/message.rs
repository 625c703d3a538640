//! The messages to people: one variant for each kind, with the facts its text needs.

use super::NotificationKind as Kind;
use crate::platform::values::{CalendarDate, Id, Money, Month, Text, Timestamp};

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
        /// The id of the enrollment.
        enrollment: Id,
    },
    /// An enrollment waits for the partner's profiles.
    EnrollmentActionRequired {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// The id of the partner.
        partner_id: Id,
    },
    /// An enrollment has changed its state otherwise.
    EnrollmentStateChanged {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// The program year of the enrollment, named by the year it ends in.
        program_year: i32,
        /// The new state, as its wire value.
        state: String,
        /// The id of the enrollment.
        enrollment: Id,
    },
    /// A rule is about to be no longer met, or is met by grace only.
    EligibilityAtRisk {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// A sentence for each rule that is about to lapse.
        lapsing: Vec<Text>,
        /// The last day on which the first of these rules is met.
        lapses_on: CalendarDate,
        /// Whether a rule is met by grace already.
        in_grace: bool,
        /// The id of the enrollment.
        enrollment: Id,
    },
    /// A rule is no longer met.
    EligibilityLost {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// A sentence for each rule that is not met.
        missing: Vec<Text>,
        /// The id of the evaluation that found the rules not met.
        evaluation: Id,
    },
    /// The partner's people who may use the service.
    UserList {
        /// The partner's name.
        partner: String,
        /// The id of the partner.
        partner_id: Id,
        /// The people who may use the service.
        users: Vec<ListedUser>,
    },
    /// A first password, or the password of a reset.
    TemporaryPassword {
        /// The password, which stands in the mail alone.
        password: String,
        /// When the password expires.
        expires_at: Timestamp,
    },
    /// The token by which a user who has forgotten the password sets a new one.
    PasswordReset {
        /// The token, which stands in the mail alone.
        token: String,
        /// When the token expires.
        expires_at: Timestamp,
    },
    /// The password was changed.
    PasswordChanged {
        /// The instant of the change.
        at: Timestamp,
    },
    /// The user signed in from a new address.
    NewSignIn {
        /// The instant of the sign-in.
        at: Timestamp,
        /// The network address.
        address: String,
        /// The program, by its `User-Agent` field.
        user_agent: Option<String>,
    },
    /// Money goes to another bank account of the partner.
    BankAccountChanged {
        /// The partner's name.
        partner: String,
        /// The id of the partner.
        partner_id: Id,
        /// The end of the new account's number.
        account: String,
        /// The instant of the change.
        at: Timestamp,
        /// The last day on which money waits; none where money does not wait.
        waits_until: Option<CalendarDate>,
    },
    /// A payment is on its way.
    PaymentSent {
        /// The partner's name.
        partner: String,
        /// The amount after tax.
        amount: Money,
        /// The reference on the bank statement.
        reference: String,
        /// The day the payment was sent.
        on: CalendarDate,
    },
    /// The statement of a closed month is there.
    StatementReady {
        /// The partner's name.
        partner: String,
        /// The id of the partner.
        partner_id: Id,
        /// The closed month.
        month: Month,
    },
}

/// A user in the list of a partner's people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The user's name, as shown to people.
    pub name: String,
    /// The user's e-mail address.
    pub email: String,
    /// The user's role, as its wire value.
    pub role: String,
}

impl Message {
    /// The secret that stands in the mail alone; none of most messages.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::TemporaryPassword { password: secret, .. } | Self::PasswordReset { token: secret, .. } => {
                Some(secret)
            }
            _ => None,
        }
    }

    /// The kind of the notification.
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
            Self::PasswordReset { .. } => Kind::PasswordReset,
            Self::PasswordChanged { .. } => Kind::PasswordChanged,
            Self::NewSignIn { .. } => Kind::NewSignIn,
            Self::BankAccountChanged { .. } => Kind::BankAccountChanged,
            Self::PaymentSent { .. } => Kind::PaymentSent,
            Self::StatementReady { .. } => Kind::StatementReady,
        }
    }
}
