//! Sealing events, and finding out whether they still are what was sealed.
//!
//! Events are sealed soon after their commit, not inside their unit: there, every writer would wait for every other.

use super::{Seal, store};
use crate::{
    access::Tx,
    platform::{
        Result,
        db::{Conn, Db},
    },
};

/// Events sealed by one unit: few enough that other writers hardly wait.
const BATCH: i64 = 500;
/// Events looked at together; what `verify` holds in memory.
const PAGE: i64 = 1000;
/// Seconds after which an event must have been sealed; the running service takes one or two.
const PATIENCE: i64 = 300;

/// Seals what waits for it; returns how many events that were. Several instances take turns.
pub fn seal(db: &Db) -> Result<usize> {
    let mut sealed = 0;
    while db.query(store::any_unsealed)? {
        sealed += db.write(seal_batch)?;
    }
    Ok(sealed)
}

fn seal_batch(conn: &mut Conn) -> Result<usize> {
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

/// What the chain says of the events.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All are there as they were sealed. The last seal is to be noted elsewhere.
    Sound(Seal),
    /// The first difference, for people.
    Broken(String),
}

/// Walks the chain from its start, in one snapshot and in constant memory. A seal that was `noted` earlier must be
/// part of it: that alone finds a chain that was cut and written anew.
pub fn verify(tx: &mut Tx<'_>, noted: Option<Seal>, mut progress: impl FnMut(i64, i64)) -> Result<Verdict> {
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
                return Ok(Verdict::Broken(difference));
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
    Ok(difference.map_or(Verdict::Sound(last), Verdict::Broken))
}

/// How the head, and a seal that was noted and not met, differ from where the chain ends.
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

/// Events that should have been sealed long ago.
fn forgotten(tx: &mut Tx<'_>) -> Result<Option<String>> {
    let (count, first) = store::unsealed_before(tx.conn, tx.now.plus_seconds(-PATIENCE))?;
    Ok(first.map(|id| format!("{count} events are not sealed and should be; the first is {id}")))
}
