//! Brakes on guessing passwords: each failure beyond the first few makes the next attempt wait.
//!
//! Failures are counted twice: for a name from one address, and for a name from wherever its user has not signed in of
//! late. An address the user comes from answers for its own failures alone, so nobody can lock a user out from
//! elsewhere. A name that nobody has is braked like any other. Names are kept as digests.

use crate::{
    access::{RequestOrigin, Tx, opaque},
    identity::users::id_of_email,
    platform::{
        Error, Result, codes,
        db::{Conn, native},
        http::network_of,
        values::{Id, Timestamp},
    },
    schema::{known_addresses, sign_in_brakes},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use diesel::{dsl::case_when, prelude::*};

/// Failures of a name from one address that cost no wait.
const FREE_HERE: i64 = 5;
/// Failures of a name from addresses its user does not come from that cost no wait.
const FREE_ELSEWHERE: i64 = 20;
/// The first wait; each further failure doubles it.
const FIRST_WAIT_SECONDS: i64 = 15;
/// The longest wait.
const LONGEST_WAIT_SECONDS: i64 = 15 * 60;
/// Failures are forgotten a day after the last one.
const FORGOTTEN_SECONDS: i64 = 24 * 3600;
/// An address is the user's own for 30 days after a sign-in from it.
const OWN_SECONDS: i64 = 30 * 24 * 3600;

/// Failures that are counted together.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sign_in_brakes, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Brake {
    digest: Vec<u8>,
    failures: i64,
    failed_at: Timestamp,
    blocked_until: Option<Timestamp>,
}

/// A name at an address.
#[derive(Clone, Debug)]
pub(super) struct Door {
    name: String,
    network: String,
    here: Vec<u8>,
    elsewhere: Vec<u8>,
}

/// Whether the user has come from an address before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The user has never signed in from anywhere.
    Never,
    /// From elsewhere only.
    Elsewhere,
    /// From there.
    Here,
}

impl Door {
    pub(super) fn new(name: &str, from: &RequestOrigin) -> Self {
        let network = network_of(from.address).to_string();
        Self {
            here: opaque::digest(&format!("{name}\n{network}")),
            elsewhere: opaque::digest(name),
            name: name.to_owned(),
            network,
        }
    }

    /// What stands for a name nobody has in the audit trail: a digest, never the name itself.
    pub(super) fn name_digest(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.elsewhere)
    }

    /// Refuses an attempt as long as a brake is on.
    pub(super) fn pass(&self, tx: &mut Tx<'_>) -> Result<()> {
        let now = tx.now;
        let own = self.is_own(tx)?;
        let waits = self.brakes(tx)?.into_iter().filter(|brake| self.counts(brake, own));
        let Some(until) = waits.filter_map(|brake| brake.blocked_until).max().filter(|until| *until > now)
        else {
            return Ok(());
        };
        let seconds = until.as_seconds() - now.as_seconds() + 1;
        let detail = format!("too many failed sign-ins; wait {seconds} s");
        Err(Error {
            retry_after: u32::try_from(seconds).ok(),
            ..Error::new(&codes::TOO_MANY_REQUESTS, detail)
        })
    }

    /// Counts a failure.
    pub(super) fn fail(&self, tx: &mut Tx<'_>) -> Result<()> {
        let own = self.is_own(tx)?;
        let mut counted = vec![(&self.here, FREE_HERE)];
        if !own {
            counted.push((&self.elsewhere, FREE_ELSEWHERE));
        }
        for (digest, free) in counted {
            let first = Brake { digest: digest.clone(), failures: 1, failed_at: tx.now, blocked_until: None };
            let remembered = sign_in_brakes::failed_at.gt(tx.now.plus_seconds(-FORGOTTEN_SECONDS));
            // Counted by the database: failures at the same moment count each.
            let counted = case_when(remembered, sign_in_brakes::failures + 1).otherwise(1_i64);
            let failures: i64 = native!(tx.conn, conn => diesel::insert_into(sign_in_brakes::table)
                .values(&first)
                .on_conflict(sign_in_brakes::digest)
                .do_update()
                .set((sign_in_brakes::failures.eq(counted), sign_in_brakes::failed_at.eq(tx.now)))
                .returning(sign_in_brakes::failures)
                .get_result(conn)?);
            let blocked_until = wait(failures, free).map(|seconds| tx.now.plus_seconds(seconds));
            diesel::update(sign_in_brakes::table.find(digest))
                .set(sign_in_brakes::blocked_until.eq(blocked_until))
                .execute(tx.conn)?;
        }
        Ok(())
    }

    /// Forgets the failures from here, and remembers that the user comes from here.
    pub(super) fn open(&self, tx: &mut Tx<'_>, user: Id) -> Result<Seen> {
        diesel::delete(sign_in_brakes::table.find(&self.here)).execute(tx.conn)?;
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

    /// Whether a user of that name has signed in from here of late. Asked by name, so that it is the same statement
    /// where there is no such user.
    fn is_own(&self, tx: &mut Tx<'_>) -> Result<bool> {
        let since = tx.now.plus_seconds(-OWN_SECONDS);
        let own = known_addresses::table
            .filter(known_addresses::user_id.eq_any(id_of_email(&self.name)))
            .filter(known_addresses::address.eq(&self.network))
            .filter(known_addresses::last_seen_at.gt(since));
        Ok(own.count().get_result::<i64>(tx.conn)? > 0)
    }

    fn brakes(&self, tx: &mut Tx<'_>) -> Result<Vec<Brake>> {
        let either = sign_in_brakes::digest.eq(&self.here).or(sign_in_brakes::digest.eq(&self.elsewhere));
        let remembered = sign_in_brakes::failed_at.gt(tx.now.plus_seconds(-FORGOTTEN_SECONDS));
        let query = sign_in_brakes::table.filter(either).filter(remembered);
        Ok(query.select(Brake::as_select()).load(tx.conn)?)
    }

    fn counts(&self, brake: &Brake, own: bool) -> bool {
        !own || brake.digest == self.here
    }
}

/// Forgets failures that are a day old.
pub(super) fn sweep(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let forgotten = sign_in_brakes::failed_at.le(now.plus_seconds(-FORGOTTEN_SECONDS));
    Ok(diesel::delete(sign_in_brakes::table.filter(forgotten)).execute(conn)?)
}

/// How long the next attempt waits after so many failures.
fn wait(failures: i64, free: i64) -> Option<i64> {
    let beyond = u32::try_from(failures - free).ok().filter(|beyond| *beyond > 0)?;
    // Ten doublings are far past the longest wait.
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
