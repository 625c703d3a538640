//! The health of the database, as known without asking: kept by a thread that asks in the background, read by every unit
//! before the unit waits for a connection, and by the readiness check.

use crate::platform::{Error, Result, values::Words};
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The reason for which the database does not do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No server that takes writes can be reached.
    Away,
    /// A server was asked, and does not answer.
    Silent,
    /// The disk has no room, or the database refuses to write for another reason.
    NoWrites,
    /// Nobody knows yet whether the last commit is durable.
    Doubt,
}

impl Trouble {
    fn sentence(self) -> Words<'static> {
        match self {
            Self::Away => Words::new(
                "no database that takes writes can be reached",
                "書き込み可能なデータベースに接続できません。",
            ),
            Self::Silent => Words::new("the database does not answer", "データベースが応答しません。"),
            Self::NoWrites => Words::new(
                "the database takes no writes: its disk may be full",
                "データベースに書き込めません。ディスクの空き容量が不足している可能性があります。",
            ),
            Self::Doubt => Words::new(
                "the last commit was not confirmed; whether it is durable is being looked up",
                "直前の変更の確定を確認できていないため、確認しています。",
            ),
        }
    }

    pub(super) fn error(self) -> Error {
        Error { detail: self.sentence().into(), ..Error::unavailable(self.sentence().en) }
    }
}

#[derive(Default)]
pub(super) struct Health {
    known: Mutex<Known>,
    rung: Condvar,
}

#[derive(Default)]
struct Known {
    /// The reason for which no unit can run, and since when.
    away: Option<(Trouble, Instant)>,
    writes: Writes,
    in_doubt: bool,
    bell: bool,
    ended: bool,
}

/// What is known of the writes of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Writes {
    #[default]
    Work,
    /// A unit could not write; the thread that asks will try.
    Suspected,
    Fail,
}

/// Why a wait of the asking thread is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    ToAsk,
    ToEnd,
}

impl Health {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reason for which no unit can run now.
    pub(super) fn away(&self) -> Option<Trouble> {
        self.known().away.map(|(trouble, _)| trouble)
    }

    /// Since when no unit can run.
    pub(super) fn away_since(&self) -> Option<Instant> {
        self.known().away.map(|(_, since)| since)
    }

    /// Whether the service can do its work with the database.
    pub(super) fn readiness(&self) -> Result<()> {
        let known = self.known();
        let trouble = match &*known {
            Known { away: Some((trouble, _)), .. } => *trouble,
            Known { in_doubt: true, .. } => Trouble::Doubt,
            Known { writes: Writes::Fail, .. } => Trouble::NoWrites,
            _ => return Ok(()),
        };
        Err(trouble.error())
    }

    /// Notes that no unit can run; whether that is news.
    pub(super) fn goes_away(&self, trouble: Trouble) -> bool {
        let mut known = self.known();
        let is_news = known.away.is_none();
        let since = known.away.map_or_else(Instant::now, |(_, since)| since);
        known.away = Some((trouble, since));
        known.bell = true;
        self.rung.notify_all();
        is_news
    }

    /// Notes that the database answers; gives the trouble that is over.
    pub(super) fn answers(&self) -> Option<Trouble> {
        self.known().away.take().map(|(trouble, _)| trouble)
    }

    /// Notes that a unit could not write, so that the asking thread tries to.
    pub(super) fn suspect_writes(&self) {
        let mut known = self.known();
        if known.writes == Writes::Work {
            known.writes = Writes::Suspected;
        }
        known.bell = true;
        self.rung.notify_all();
    }

    /// Whether the asking thread has to try to write.
    pub(super) fn doubts_writes(&self) -> bool {
        self.known().writes != Writes::Work
    }

    /// Notes whether the database has taken a write; whether that is news.
    pub(super) fn writes(&self, work: bool) -> bool {
        let writes = if work { Writes::Work } else { Writes::Fail };
        let before = std::mem::replace(&mut self.known().writes, writes);
        before != writes && (before == Writes::Fail || writes == Writes::Fail)
    }

    /// Notes whether nobody knows whether the last commit is durable.
    pub(super) fn doubts_commit(&self, in_doubt: bool) {
        self.known().in_doubt = in_doubt;
    }

    /// Makes the asking thread ask at once.
    pub(super) fn ring(&self) {
        self.known().bell = true;
        self.rung.notify_all();
    }

    /// Ends the asking thread.
    pub(super) fn end(&self) {
        self.known().ended = true;
        self.rung.notify_all();
    }

    /// Waits until the bell rings: a second while all is well, a quarter of a second in trouble.
    pub(super) fn wait(&self) -> Woken {
        let mut known = self.known();
        let is_well = known.away.is_none() && known.writes == Writes::Work;
        let pause = Duration::from_millis(if is_well { 1000 } else { 250 });
        if !known.bell && !known.ended {
            known =
                self.rung.wait_timeout(known, pause).map_or_else(|e| e.into_inner().0, |(known, _)| known);
        }
        known.bell = false;
        if known.ended { Woken::ToEnd } else { Woken::ToAsk }
    }
}
