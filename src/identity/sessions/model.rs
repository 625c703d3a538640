//! What a session is; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Id, Timestamp},
    schema::sessions,
};
use diesel::prelude::*;

/// How long a session lives, however often it is renewed: 30 days.
const LONGEST_SECONDS: i64 = 30 * 24 * 3600;

/// A sign-in and everything renewed from it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub struct Session {
    /// Identifier; the `sid` of its access tokens.
    pub id: Id,
    /// Whose.
    pub user_id: Id,
    /// The network address of the sign-in.
    pub address: String,
    /// With what, as it called itself.
    pub user_agent: Option<String>,
    /// The user's `token_epoch` at the sign-in: what moves it on ends the session.
    pub epoch: i64,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last renewed.
    pub last_used_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When it was ended.
    pub ended_at: Option<Timestamp>,
    /// What ended it.
    pub ended_because: Option<String>,
}

impl Session {
    /// How long it lives without being renewed: 7 days.
    pub const IDLE_SECONDS: i64 = 7 * 24 * 3600;

    /// Until when it can be renewed.
    #[must_use]
    pub fn renewable_until(&self) -> Timestamp {
        self.last_used_at.plus_seconds(Self::IDLE_SECONDS).min(self.expires_at)
    }

    /// Whether it can be renewed now by a user of that epoch.
    #[must_use]
    pub fn is_live(&self, epoch: i64, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.epoch == epoch && now < self.renewable_until()
    }

    /// The end of a session that begins now.
    #[must_use]
    pub fn latest_end(now: Timestamp) -> Timestamp {
        now.plus_seconds(LONGEST_SECONDS)
    }

    /// A session last renewed before this has been idle for too long.
    #[must_use]
    pub fn idle_before(now: Timestamp) -> Timestamp {
        now.plus_seconds(-Self::IDLE_SECONDS)
    }
}
