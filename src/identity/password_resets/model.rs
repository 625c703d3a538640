//! What is kept of a reset; no I/O, no clock, no HTTP.

use crate::{
    identity::users::{User, UserStatus},
    platform::values::{Id, Timestamp},
    schema::{password_reset_requests, password_resets},
};
use diesel::prelude::*;

/// How long a token is good: half an hour.
pub const GOOD_SECONDS: i64 = 30 * 60;
/// How long a mailed token stands alone: the user gets no other mail for five minutes.
const ALONE_SECONDS: i64 = 5 * 60;

/// Somebody's request, until it is answered; of a user, or of nobody.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = password_reset_requests)]
pub struct ResetRequest {
    /// UUID of version 7.
    pub id: Id,
    /// The user name that was sent, folded.
    pub email: String,
    /// When it was asked.
    pub requested_at: Timestamp,
}

/// The token of a user, stored by its digest; the newest takes the place of an earlier one.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = password_resets)]
pub struct PasswordReset {
    /// The user who may set a new password.
    pub user_id: Id,
    /// The digest of the token.
    pub digest: Vec<u8>,
    /// When the token was mailed.
    pub mailed_at: Timestamp,
    /// The instant from which the token is good no more.
    pub expires_at: Timestamp,
}

impl PasswordReset {
    /// Whether the token may still be used.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.mailed_at <= now && now < self.expires_at
    }

    /// Whether the token was mailed so shortly before that the user gets no other mail.
    #[must_use]
    pub fn stands_alone(&self, now: Timestamp) -> bool {
        self.mailed_at <= now && now < self.mailed_at.plus_seconds(ALONE_SECONDS)
    }
}

/// Why a user sets no new password by mail; none of a user who may.
#[must_use]
pub fn barred(user: &User) -> Option<&'static str> {
    if user.status == UserStatus::Disabled {
        return Some("disabled");
    }
    user.issuer.is_some().then_some("signs_in_elsewhere")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_half_an_hour_and_alone_for_five_minutes() {
        let mailed_at = Timestamp::from_micros(0);
        let reset = PasswordReset {
            user_id: Id(uuid::Uuid::nil()),
            digest: Vec::new(),
            mailed_at,
            expires_at: mailed_at.plus_seconds(GOOD_SECONDS),
        };
        let good = [-1, 0, 1799, 1800].map(|seconds| reset.is_good(mailed_at.plus_seconds(seconds)));
        assert_eq!(good, [false, true, true, false]);
        let alone = [-1, 0, 299, 300].map(|seconds| reset.stands_alone(mailed_at.plus_seconds(seconds)));
        assert_eq!(alone, [false, true, true, false]);
    }
}
