//! What a notification is; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Id, Timestamp, text_enum},
    schema::notifications,
};
use diesel::prelude::*;

text_enum! {
    /// What a notification is about.
    pub enum NotificationKind {
        /// The partner is invited to enroll in a program.
        EnrollmentInvited = "enrollment_invited",
        /// An enrollment waits for the partner: a profile is missing, refused or expired.
        EnrollmentActionRequired = "enrollment_action_required",
        /// An enrollment has changed its state otherwise.
        EnrollmentStateChanged = "enrollment_state_changed",
        /// A rule is no longer met, and the enrollment stopped earning.
        EligibilityLost = "eligibility_lost",
        /// A rule is about to be no longer met, or is met by grace only.
        EligibilityAtRisk = "eligibility_at_risk",
        /// Who of the partner's people may use the service.
        UserList = "user_list",
        /// A first password, or one after a reset.
        TemporaryPassword = "temporary_password",
        /// The password was changed.
        PasswordChanged = "password_changed",
        /// Somebody signed in from an address not seen before.
        NewSignIn = "new_sign_in",
        /// A payment is on its way.
        PaymentSent = "payment_sent",
    }
}

text_enum! {
    /// In which language a user is written to.
    #[derive(Default)]
    pub enum Locale {
        /// English.
        #[default]
        En = "en",
        /// Japanese.
        Ja = "ja",
    }
}

/// Somebody who is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The user.
    pub user_id: Id,
    /// E-mail address.
    pub email: String,
    /// Name shown to people.
    pub name: String,
    /// In which language.
    pub locale: Locale,
}

/// A message to one user. It is never changed.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = notifications)]
pub struct Notification {
    /// Identifier.
    pub id: Id,
    /// To whom.
    pub user_id: Id,
    /// The partner it is about; none where it is about no partner.
    pub partner_id: Option<Id>,
    /// What it is about.
    pub kind: NotificationKind,
    /// Kind of the record it is about.
    pub resource_type: String,
    /// The record it is about.
    pub resource_id: Id,
    /// One line.
    pub subject: String,
    /// The message.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
}
