//! Sealing events, and verifying sealed events.
//!
//! Events are sealed soon after their commit, not inside their unit: a chain inside the units would make every writer
//! wait for every other.

use super::{Seal, store};
use crate::{
    access::{AppState, Tx},
    platform::{Error, Result, db::Conn},
    slice::VerifyFinding,
    work::{End, JobName, Queue, Schedule, Turn, Work},
};
use std::time::{Duration, Instant};

/// The most events that one unit seals: few enough that other writers hardly wait.
const BATCH: i64 = 500;
/// The events that `verify` loads at a time.
const PAGE: i64 = 1000;
/// Seconds after which an event must have been sealed; the running service takes one or two.
const PATIENCE: i64 = 300;
/// How long a command waits for an instance that seals.
const WAIT: Duration = Duration::from_secs(10);

/// The sealing of waiting events. Sealing goes on while the service stops, because no other job seals the last events.
pub const WORK: Work = Work {
    name: JobName::AuditSealing,
    schedule: |_| Schedule::Never,
    queue: Some(Queue { waits: |tx| store::any_unsealed(tx.conn), every: 1 }),
    run: |turn| seal_in(turn).map(|_| End::Done),
};

/// Seals the waiting events on this thread; returns the number of sealed events. Instances take turns.
pub fn seal(app: &AppState) -> Result<usize> {
    if !app.query_as_system(|tx| store::any_unsealed(tx.conn))? {
        return Ok(0);
    }
    let turn = Turn::wait_for(app, JobName::AuditSealing, WAIT)?;
    let turn = turn.ok_or_else(|| Error::internal("another instance has been sealing for too long"))?;
    let sealed = turn.renewed(|| seal_in(&turn));
    turn.close(sealed, |_| End::Done)
}

fn seal_in(turn: &Turn) -> Result<usize> {
    let lease = turn.lease();
    let mut sealed = 0;
    while turn.app().query_as_system(|tx| store::any_unsealed(tx.conn))? {
        sealed += turn.app().write_in_turn(move |tx| {
            lease.check(tx)?;
            seal_batch(tx.conn)
        })?;
    }
    Ok(sealed)
}

/// Seals the first waiting events, inside a unit of a turn; returns the number of sealed events.
pub fn seal_batch(conn: &mut Conn) -> Result<usize> {
    let head = store::take_head(conn)?;
    let mut last = head;
    let mut seals = Vec::new();
    for event in store::unsealed(conn, BATCH)? {
        last = last.over(&event)?;
        seals.push((event.id, last));
    }
    if last != head {
        store::set_seals(conn, &seals)?;
        store::move_head(conn, last)?;
    }
    Ok(seals.len())
}

/// The result of verifying the chain.
#[derive(Debug, PartialEq, Eq)]
pub enum ChainVerdict {
    /// All events are there as they were sealed; with the last seal, which operators note outside of the database.
    Sound(Seal),
    /// The first difference, in words for people.
    Broken(String),
}

/// The check of `verify`; logs the progress every two seconds.
pub(super) fn check_chain(tx: &mut Tx<'_>, noted: Option<&str>) -> Result<VerifyFinding> {
    let noted = noted.map(str::parse::<Seal>).transpose().map_err(Error::internal)?;
    let mut reported_at = Instant::now();
    let progress = |done: i64, total: i64| {
        if reported_at.elapsed() > Duration::from_secs(2) {
            reported_at = Instant::now();
            log::info!("audit chain: {done} of {total} events");
        }
    };
    Ok(match verify(tx, noted, progress)? {
        ChainVerdict::Sound(head) => VerifyFinding::Sound(format!("{} events, head {head}", head.sequence)),
        ChainVerdict::Broken(difference) => VerifyFinding::Broken(difference),
    })
}

/// Verifies the chain from its start, in one snapshot and in constant memory. A seal that was `noted` earlier must be
/// part of the chain: only such a seal shows a chain that was cut and written anew.
pub fn verify(
    tx: &mut Tx<'_>,
    noted: Option<Seal>,
    mut progress: impl FnMut(i64, i64),
) -> Result<ChainVerdict> {
    let head = store::head(tx.conn)?;
    let end = head.map_or(0, |head| head.sequence);
    let mut last = Seal::START;
    let mut meets_note = noted.is_none_or(|noted| noted == last);
    loop {
        let page = store::sealed_after(tx.conn, last.sequence, PAGE)?;
        if page.is_empty() {
            break;
        }
        for event in &page {
            let due = last.over(event)?;
            if let Some(difference) = last.difference(event, due) {
                return Ok(ChainVerdict::Broken(difference));
            }
            last = due;
            meets_note |= noted == Some(last);
        }
        progress(last.sequence, end);
    }
    let difference = match difference_at_the_end(last, head, noted.filter(|_| !meets_note)) {
        None => forgotten(tx)?,
        difference => difference,
    };
    Ok(difference.map_or(ChainVerdict::Sound(last), ChainVerdict::Broken))
}

/// How the head, or a noted seal that is not part of the chain, differs from the end of the chain.
fn difference_at_the_end(last: Seal, head: Option<Seal>, unmet: Option<Seal>) -> Option<String> {
    let end = last.sequence;
    Some(match (head, unmet) {
        (None, _) if last != Seal::START => format!("the chain has no head, and ends at {last}"),
        (Some(head), _) if head.sequence > end => format!(
            "sequence {} is missing: the chain ends at {end}, its head is at {}",
            end + 1,
            head.sequence
        ),
        (Some(head), _) if head != last => format!("the head is {head}, and the chain ends at {last}"),
        (_, Some(noted)) if noted.sequence > end => {
            format!("sequence {} was noted, and the chain ends at {end}", noted.sequence)
        }
        (_, Some(noted)) => format!(
            "sequence {} has another hash than the one noted: the chain was written anew up to there",
            noted.sequence
        ),
        _ => return None,
    })
}

/// The difference of events that have waited too long for their seal; none where there are no such events.
fn forgotten(tx: &mut Tx<'_>) -> Result<Option<String>> {
    let (count, first) = store::unsealed_before(tx.conn, tx.now.plus_seconds(-PATIENCE))?;
    Ok(first.map(|id| format!("{count} events are not sealed and should be; the first is {id}")))
}
