//! What a notification is; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Id, Timestamp, text_enum},
    schema::{deliveries, notifications},
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
    /// What has become of a mail.
    pub enum DeliveryState {
        /// It is on its way, or waits for its next try.
        Queued = "queued",
        /// The mail server has taken it.
        Sent = "sent",
        /// The mail server refused it for good, or too often.
        Failed = "failed",
        /// The service has no mail server: it is read here alone.
        Kept = "kept",
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

/// The mail that carries a notification.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = deliveries)]
pub struct Delivery {
    /// What it carries.
    pub notification_id: Id,
    /// To which address.
    pub recipient: String,
    /// What the mail is known by, the same at every try: `<notification@domain>`.
    pub message_id: String,
    /// The message as an HTML document, without what is secret.
    pub html: String,
    /// What is secret in it, sealed; it goes with the last try.
    pub secret: Option<Vec<u8>>,
    /// What has become of it.
    pub state: DeliveryState,
    /// Tries so far.
    pub attempts: i64,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// When the mail server took it.
    pub sent_at: Option<Timestamp>,
    /// What the mail server said at the last try that failed.
    pub last_error: Option<String>,
}

/// How many tries a mail has.
const TRIES: i64 = 20;
/// For how long a mail is tried: three days, in seconds.
const TRIED_SECONDS: i64 = 3 * 24 * 3600;

impl Delivery {
    /// Counts what becomes of it; the entity tag.
    #[must_use]
    pub fn revision(&self) -> i64 {
        1 + 2 * self.attempts + i64::from(self.state != DeliveryState::Queued)
    }

    /// In how many seconds to try again after a failure: half a minute, doubling up to an hour, and up to a quarter
    /// more by chance (0 to 255), so that those who failed together do not come back together; none after the last
    /// try.
    #[must_use]
    pub fn retry_in(&self, written: Timestamp, now: Timestamp, chance: u8) -> Option<i64> {
        if self.attempts >= TRIES || now >= written.plus_seconds(TRIED_SECONDS) {
            return None;
        }
        let doublings = u32::try_from(self.attempts - 1).unwrap_or(0).min(7);
        let seconds = (30 << doublings).min(3600);
        Some(seconds + seconds * i64::from(chance) / 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_tried_less_and_less_often_and_not_for_ever() {
        let written = Timestamp::from_micros(0);
        let after = |attempts, seconds, chance| {
            let delivery = Delivery {
                notification_id: Id(uuid::Uuid::nil()),
                recipient: String::new(),
                message_id: String::new(),
                html: String::new(),
                secret: None,
                state: DeliveryState::Queued,
                attempts,
                due_at: written,
                sent_at: None,
                last_error: None,
            };
            delivery.retry_in(written, written.plus_seconds(seconds), chance)
        };
        let waits: Vec<_> = (1..=9).filter_map(|attempts| after(attempts, 0, 0)).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!((after(1, 0, 255), after(8, 0, 255)), (Some(37), Some(4496)));
        assert_eq!((after(19, 0, 0), after(20, 0, 0)), (Some(3600), None));
        assert_eq!((after(2, 3 * 24 * 3600 - 1, 0), after(2, 3 * 24 * 3600, 0)), (Some(60), None));
    }
}
