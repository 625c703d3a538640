//! The notification and the mail that delivers it; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Id, Locale, Timestamp, text_enum},
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
        /// The list of the partner's people who may use the service.
        UserList = "user_list",
        /// A first password, or the password of a reset.
        TemporaryPassword = "temporary_password",
        /// The token by which a user who has forgotten the password sets a new one.
        PasswordReset = "password_reset",
        /// The password was changed.
        PasswordChanged = "password_changed",
        /// The user name was changed.
        UserNameChanged = "user_name_changed",
        /// The user signed in from a new address.
        NewSignIn = "new_sign_in",
        /// Money goes to another bank account of the partner.
        BankAccountChanged = "bank_account_changed",
        /// A payment is on its way.
        PaymentSent = "payment_sent",
        /// A payment has arrived.
        PaymentSettled = "payment_settled",
        /// A payment has not arrived, or came back.
        PaymentFailed = "payment_failed",
        /// Rebates are on hold.
        RebateHeld = "rebate_held",
        /// Rebates are about to be lost.
        ForfeitureAnnounced = "forfeiture_announced",
        /// Rebates are lost.
        RebateForfeited = "rebate_forfeited",
        /// A partner has raised a dispute, replied to a question about it, escalated it or taken it back.
        DisputeMoved = "dispute_moved",
        /// An operator asks a partner something about its dispute.
        DisputeQuestion = "dispute_question",
        /// A dispute is answered.
        DisputeAnswered = "dispute_answered",
        /// A half-year is closed: its co-op fund can be claimed, or became rebate.
        CoopFundClosed = "coop_fund_closed",
        /// The time to claim from a co-op fund is about to end.
        CoopFundExpiring = "coop_fund_expiring",
        /// The rest of a co-op fund was lost.
        CoopFundForfeited = "coop_fund_forfeited",
        /// A co-op plan is approved or rejected.
        CoopPlanDecided = "coop_plan_decided",
        /// A co-op claim is decided.
        CoopClaimDecided = "coop_claim_decided",
        /// A reviewer asks a partner something about a co-op claim.
        CoopClaimQuestion = "coop_claim_question",
        /// The time of a co-op claim is over.
        CoopClaimExpired = "coop_claim_expired",
        /// An operator holds an approved co-op claim back from payment.
        CoopClaimHeld = "coop_claim_held",
        /// The originals of a paid co-op claim are asked for.
        CoopAuditRequested = "coop_audit_requested",
        /// An operator has looked at the originals of a paid co-op claim, or recovers what was paid.
        CoopAuditDecided = "coop_audit_decided",
        /// The statement of a closed month is there.
        StatementReady = "statement_ready",
    }
}

text_enum! {
    /// What has become of a mail.
    pub enum DeliveryState {
        /// The mail waits for its next attempt.
        Queued = "queued",
        /// The mail server has taken the mail.
        Sent = "sent",
        /// The mail server has refused the mail for good, or too often.
        Failed = "failed",
        /// The service has no mail server: the notification is read over the API alone.
        Kept = "kept",
    }
}

/// A user who receives a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The id of the user.
    pub user_id: Id,
    /// The user's e-mail address.
    pub email: String,
    /// The user's name, as shown to people.
    pub name: String,
    /// The language of the notification.
    pub locale: Locale,
}

/// A message to one user, in words; never changed.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = notifications, treat_none_as_default_value = false)]
pub struct Notification {
    /// UUID of version 7.
    pub id: Id,
    /// The recipient.
    pub user_id: Id,
    /// The partner concerned; none of a notification about no partner.
    pub partner_id: Option<Id>,
    /// The kind of the message.
    pub kind: NotificationKind,
    /// The kind of the record concerned, such as `enrollment`.
    pub resource_type: String,
    /// The record concerned.
    pub resource_id: Id,
    /// The subject of the message in one line, at most 200 characters.
    pub subject: String,
    /// The text of the message without its secret, at most 20,000 characters.
    pub body: String,
    /// When the notification was written.
    pub created_at: Timestamp,
}

/// The mail that delivers a notification.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = deliveries, treat_none_as_default_value = false)]
pub struct MailDelivery {
    /// The notification of the mail.
    pub notification_id: Id,
    /// The e-mail address of the recipient.
    pub recipient: String,
    /// The mail's `Message-ID`, the same at every attempt: `<notification@domain>`.
    pub message_id: String,
    /// The message as an HTML document without its secret.
    pub html: String,
    /// The secret of the message, sealed; deleted after the last attempt.
    pub secret: Option<Vec<u8>>,
    /// How far the mail has come.
    pub state: DeliveryState,
    /// The number of attempts so far.
    pub attempts: i64,
    /// When the next attempt is due.
    pub due_at: Timestamp,
    /// When the mail server took the mail.
    pub sent_at: Option<Timestamp>,
    /// The answer of the mail server to the last failed attempt.
    pub last_error: Option<String>,
}

/// The most attempts to send a mail.
const TRIES: i64 = 20;
/// How long attempts to send a mail go on: three days, in seconds.
const TRIED_SECONDS: i64 = 3 * 24 * 3600;

impl MailDelivery {
    /// Counts the changes of the mail, for the entity tag.
    #[must_use]
    pub fn revision(&self) -> i64 {
        1 + 2 * self.attempts + i64::from(self.state != DeliveryState::Queued)
    }

    /// The seconds until the next attempt after a failure: half a minute, doubling up to an hour, and up to a quarter more
    /// by `chance` (0 to 255), so that mails that failed together are not sent again together; none after the last
    /// attempt.
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
            let delivery = MailDelivery {
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
