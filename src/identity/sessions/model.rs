//! The session; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Id, Timestamp},
    schema::sessions,
};
use diesel::prelude::*;

/// How long a session lasts at most, however often the session is renewed: 30 days.
const LONGEST_SECONDS: i64 = 30 * 24 * 3600;

/// A sign-in with its renewals.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub struct Session {
    /// UUID of version 7; the `sid` of the session's access tokens.
    pub id: Id,
    /// The user.
    pub user_id: Id,
    /// The network address of the sign-in.
    pub address: String,
    /// The program of the sign-in, by its `User-Agent` field.
    pub user_agent: Option<String>,
    /// The user's `token_epoch` at the sign-in; a later epoch of the user ends the session.
    pub epoch: i64,
    /// When the session began.
    pub created_at: Timestamp,
    /// When the session was last renewed.
    pub last_used_at: Timestamp,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
    /// When the session was ended; none of a session that goes on, or was never ended by anybody.
    pub ended_at: Option<Timestamp>,
    /// Why the session was ended, such as `signed_out`.
    pub ended_because: Option<String>,
}

impl Session {
    /// How long a session lasts without being renewed: 7 days.
    pub const IDLE_SECONDS: i64 = 7 * 24 * 3600;

    /// The instant until which the session can be renewed.
    #[must_use]
    pub fn renewable_until(&self) -> Timestamp {
        self.last_used_at.plus_seconds(Self::IDLE_SECONDS).min(self.expires_at)
    }

    /// Whether the session can be renewed now, by a user with the token epoch `epoch`.
    #[must_use]
    pub fn is_live(&self, epoch: i64, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.epoch == epoch && now < self.renewable_until()
    }

    /// The end of a session that begins now.
    #[must_use]
    pub fn latest_end(now: Timestamp) -> Timestamp {
        now.plus_seconds(LONGEST_SECONDS)
    }

    /// The instant before which a session must not have been renewed last, to be idle for too long now.
    #[must_use]
    pub fn idle_before(now: Timestamp) -> Timestamp {
        now.plus_seconds(-Self::IDLE_SECONDS)
    }
}
