//! The kind of each message, and its secret.

use super::Message;
use crate::notifications::NotificationKind as Kind;

impl Message {
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
            Self::UserNameChanged { .. } => Kind::UserNameChanged,
            Self::NewSignIn { .. } => Kind::NewSignIn,
            Self::BankAccountChanged { .. } => Kind::BankAccountChanged,
            Self::PaymentSent { .. } => Kind::PaymentSent,
            Self::PaymentSettled { .. } => Kind::PaymentSettled,
            Self::PaymentFailed { .. } => Kind::PaymentFailed,
            Self::RebateHeld { .. } => Kind::RebateHeld,
            Self::ForfeitureAnnounced { .. } => Kind::ForfeitureAnnounced,
            Self::RebateForfeited { .. } => Kind::RebateForfeited,
            Self::DisputeMoved { .. } => Kind::DisputeMoved,
            Self::DisputeQuestion { .. } => Kind::DisputeQuestion,
            Self::DisputeAnswered { .. } => Kind::DisputeAnswered,
            Self::CoopFundClosed { .. } => Kind::CoopFundClosed,
            Self::CoopFundExpiring { .. } => Kind::CoopFundExpiring,
            Self::CoopFundForfeited { .. } => Kind::CoopFundForfeited,
            Self::CoopPlanDecided { .. } => Kind::CoopPlanDecided,
            Self::CoopClaimDecided { .. } => Kind::CoopClaimDecided,
            Self::CoopClaimQuestion { .. } => Kind::CoopClaimQuestion,
            Self::CoopClaimExpired { .. } => Kind::CoopClaimExpired,
            Self::CoopClaimHeld { .. } => Kind::CoopClaimHeld,
            Self::CoopAuditRequested { .. } => Kind::CoopAuditRequested,
            Self::CoopAuditDecided { .. } => Kind::CoopAuditDecided,
            Self::StatementReady { .. } => Kind::StatementReady,
        }
    }
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
}
