//! The throttle on guessing passwords: each failure beyond the first few makes the next attempt wait.
//!
//! Failures are counted twice: for a name at one address, and for a name at all addresses from which its user has not
//! signed in of late. At an address of the user only the failures of that address count, so that nobody can lock a user
//! out from elsewhere. A name without a user is throttled like any other name. Names are stored as digests.

use crate::{
    access::{RequestOrigin, Tx, opaque},
    identity::users::id_of_email,
    platform::{
        Error, Result, codes,
        db::{Conn, native},
        http::network_of,
        values::{Id, Timestamp},
    },
    schema::{known_addresses, sign_in_throttles},
    text,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use diesel::{dsl::case_when, prelude::*};

/// The failures of a name at one address that cost no wait.
const FREE_HERE: i64 = 5;
/// The failures of a name at addresses of others that cost no wait.
const FREE_ELSEWHERE: i64 = 20;
/// The first wait; each further failure doubles the wait.
const FIRST_WAIT_SECONDS: i64 = 15;
/// The longest wait.
const LONGEST_WAIT_SECONDS: i64 = 15 * 60;
/// How long failures count: a day after the last failure.
const FORGOTTEN_SECONDS: i64 = 24 * 3600;
/// How long an address is the user's own: 30 days after the last sign-in.
const OWN_SECONDS: i64 = 30 * 24 * 3600;

/// A count of failures, for a name at one address or for a name at all addresses of others.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sign_in_throttles, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Throttle {
    digest: Vec<u8>,
    failures: i64,
    failed_at: Timestamp,
    blocked_until: Option<Timestamp>,
}

/// The key that sign-in attempts are counted by: a name at an address.
#[derive(Clone, Debug)]
pub(super) struct AttemptKey {
    name: String,
    network: String,
    /// The digest of the name at this address.
    here: Vec<u8>,
    /// The digest of the name, for all addresses of others.
    elsewhere: Vec<u8>,
}

/// Whether a user has signed in from an address before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The user signs in for the first time.
    Never,
    /// The user has signed in from other addresses only.
    Elsewhere,
    /// The user has signed in from this address.
    Here,
}

impl AttemptKey {
    pub(super) fn new(name: &str, from: &RequestOrigin) -> Self {
        let network = network_of(from.address).to_string();
        Self {
            here: opaque::digest(&format!("{name}\n{network}")),
            elsewhere: opaque::digest(name),
            name: name.to_owned(),
            network,
        }
    }

    /// The digest that the audit trail shows in place of a name without a user.
    pub(super) fn name_digest(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.elsewhere)
    }

    /// Refuses an attempt that has to wait after failures.
    pub(super) fn refuse_early(&self, tx: &mut Tx<'_>) -> Result<()> {
        let now = tx.now;
        let longest = now.plus_seconds(LONGEST_WAIT_SECONDS);
        let own = self.is_own(tx)?;
        let counted = self.throttles(tx)?.into_iter().filter(|throttle| self.counts(throttle, own));
        let Some(until) =
            // A wait longer than the longest was begun by a clock that was ahead.
            counted.filter_map(|throttle| throttle.blocked_until).filter(|until| *until > now && *until <= longest).max()
        else {
            return Ok(());
        };
        Err(too_early(until, now))
    }

    /// Counts a failure.
    pub(super) fn count_failure(&self, tx: &mut Tx<'_>) -> Result<()> {
        let own = self.is_own(tx)?;
        let mut counted = vec![(&self.here, FREE_HERE)];
        if !own {
            counted.push((&self.elsewhere, FREE_ELSEWHERE));
        }
        counted.into_iter().try_for_each(|(digest, free)| count(tx.conn, digest, free, tx.now))
    }

    /// Notes a sign-in: forgets the failures at this address, and remembers the address as the user's own.
    pub(super) fn note_sign_in(&self, tx: &mut Tx<'_>, user: Id) -> Result<Seen> {
        diesel::delete(sign_in_throttles::table.find(&self.here)).execute(tx.conn)?;
        let again = diesel::update(known_addresses::table.find((user, &self.network)))
            .set(known_addresses::last_seen_at.eq(tx.now))
            .execute(tx.conn)?;
        if again > 0 {
            return Ok(Seen::Here);
        }
        let before: i64 =
            known_addresses::table.filter(known_addresses::user_id.eq(user)).count().get_result(tx.conn)?;
        diesel::insert_into(known_addresses::table)
            .values((
                known_addresses::user_id.eq(user),
                known_addresses::address.eq(&self.network),
                known_addresses::first_seen_at.eq(tx.now),
                known_addresses::last_seen_at.eq(tx.now),
            ))
            .execute(tx.conn)?;
        Ok(if before == 0 { Seen::Never } else { Seen::Elsewhere })
    }

    /// Whether the user of the name has signed in from this address of late. The query goes by the name, so that the same
    /// statement runs where there is no such user.
    fn is_own(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let since = tx.now.plus_seconds(-OWN_SECONDS);
        let own = known_addresses::table
            .filter(known_addresses::user_id.eq_any(id_of_email(&self.name)))
            .filter(known_addresses::address.eq(&self.network))
            .filter(known_addresses::last_seen_at.gt(since));
        Ok(own.count().get_result::<i64>(tx.conn)? > 0)
    }

    fn throttles(&self, tx: &mut Tx<'_>) -> Result<Vec<Throttle>> {
        let either =
            sign_in_throttles::digest.eq(&self.here).or(sign_in_throttles::digest.eq(&self.elsewhere));
        let remembered = sign_in_throttles::failed_at.gt(tx.now.plus_seconds(-FORGOTTEN_SECONDS));
        let query = sign_in_throttles::table.filter(either).filter(remembered);
        Ok(query.select(Throttle::as_select()).load(tx.conn)?)
    }

    fn counts(&self, throttle: &Throttle, own: bool) -> bool {
        !own || throttle.digest == self.here
    }
}

/// Counts a failure, or a guess, and notes how long the next attempt waits.
fn count(conn: &mut Conn, digest: &[u8], free: i64, now: Timestamp) -> Result<()> {
    let first = Throttle { digest: digest.to_vec(), failures: 1, failed_at: now, blocked_until: None };
    let remembered = sign_in_throttles::failed_at.gt(now.plus_seconds(-FORGOTTEN_SECONDS));
    // The database counts, so that failures at the same moment count each.
    let counted = case_when(remembered, sign_in_throttles::failures + 1).otherwise(1_i64);
    let failures: i64 = native!(conn, conn => diesel::insert_into(sign_in_throttles::table)
        .values(&first)
        .on_conflict(sign_in_throttles::digest)
        .do_update()
        .set((sign_in_throttles::failures.eq(counted), sign_in_throttles::failed_at.eq(now)))
        .returning(sign_in_throttles::failures)
        .get_result(conn)?);
    let blocked_until = wait(failures, free).map(|seconds| now.plus_seconds(seconds));
    diesel::update(sign_in_throttles::table.find(digest))
        .set(sign_in_throttles::blocked_until.eq(blocked_until))
        .execute(conn)?;
    Ok(())
}

fn too_early(until: Timestamp, now: Timestamp) -> Error {
    let seconds = until.as_seconds() - now.as_seconds() + 1;
    let detail = text!(
        "too many failed attempts; wait {seconds} s",
        "失敗した試行が多すぎます。{seconds} 秒お待ちください。"
    );
    Error { retry_after: u32::try_from(seconds).ok(), ..Error::new(&codes::TOO_MANY_REQUESTS, detail) }
}

/// The digest that guesses of a signed-in user are counted by.
fn guesses_of(user: Id) -> Vec<u8> {
    opaque::digest(&format!("guesses of {user}"))
}

/// Counts a guess of a signed-in user at the user's own password or code; refuses a guess that has to wait. Guesses from
/// all addresses and sessions count together: a thief who guesses holds the token already.
pub fn count_guess(conn: &mut Conn, user: Id, now: Timestamp) -> Result<()> {
    let digest = guesses_of(user);
    let counted = sign_in_throttles::table.find(&digest).select(sign_in_throttles::blocked_until);
    let blocked_until = counted.get_result::<Option<Timestamp>>(conn).optional()?.flatten();
    let longest = now.plus_seconds(LONGEST_WAIT_SECONDS);
    match blocked_until.filter(|until| *until > now && *until <= longest) {
        Some(until) => Err(too_early(until, now)),
        None => count(conn, &digest, FREE_HERE, now),
    }
}

/// Forgets the guesses of a user who has sent what was right.
pub fn forget_guesses(conn: &mut Conn, user: Id) -> Result<()> {
    diesel::delete(sign_in_throttles::table.find(guesses_of(user))).execute(conn)?;
    Ok(())
}

/// Removes counts whose last failure is a day old; returns the number of removed counts.
pub(super) fn sweep(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let forgotten = sign_in_throttles::failed_at.le(now.plus_seconds(-FORGOTTEN_SECONDS));
    Ok(diesel::delete(sign_in_throttles::table.filter(forgotten)).execute(conn)?)
}

/// The seconds that the next attempt waits after a number of failures; none within the free failures.
fn wait(failures: i64, free: i64) -> Option<i64> {
    let beyond = u32::try_from(failures - free).ok().filter(|beyond| *beyond > 0)?;
    // Ten doublings are more than the longest wait.
    Some((FIRST_WAIT_SECONDS << (beyond - 1).min(10)).min(LONGEST_WAIT_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_fifteen_seconds_to_fifteen_minutes() {
        let waits: Vec<_> = [1, 5, 6, 7, 8, 11, 12, 13, 1_000_000].map(|n| wait(n, 5)).into();
        let expected = [None, None, Some(15), Some(30), Some(60), Some(480), Some(900), Some(900), Some(900)];
        assert_eq!(waits, expected);
    }

    #[test]
    fn a_household_is_one_address() {
        let network = |text: &str| network_of(text.parse().unwrap()).to_string();
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:2::9"), network("2001:db8:1:3::9"));
    }
}
