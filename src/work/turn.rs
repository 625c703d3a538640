//! A turn at a job: the lease that keeps others away from the job, and what is kept of how a run went.

use super::{
    End, JobName, Record,
    model::{LEASE_SECONDS, wait_after},
    store,
};
use crate::{
    access::{AppState, Tx},
    platform::{
        Error, Result, codes, cut,
        values::{Id, Timestamp},
    },
};
use std::{
    hash::{BuildHasher, RandomState},
    sync::mpsc::{RecvTimeoutError, channel},
    time::{Duration, Instant},
};

/// How often a lease is renewed while its holder works: twice before it would run out.
const RENEWAL: Duration = Duration::from_secs(LEASE_SECONDS.unsigned_abs() / 3);
/// How often a unit is tried that the database cannot do just now.
const TRIES: i64 = 5;
/// The wait after the first failure of a unit, and of a run; in milliseconds.
const UNIT_WAIT: i64 = 200;
const RUN_WAIT: i64 = 1000;

/// The right to be the only one at a job. A process that dies without ending its turn is replaced when the lease has
/// run out.
pub struct Turn {
    app: AppState,
    lease: Lease,
}

/// What a unit of work proves its turn by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    name: JobName,
    holder: Id,
}

impl Lease {
    /// Refuses a unit whose turn is over: another instance has taken the job for abandoned.
    pub fn check(self, tx: &mut Tx<'_>) -> Result<()> {
        if store::is_held(tx.conn, self.name, self.holder)? { Ok(()) } else { Err(self.lost()) }
    }

    fn lost(self) -> Error {
        Error::new(&codes::CONFLICT, format!("another instance has taken over {}", self.name))
    }
}

impl Turn {
    /// Takes a turn at a job; none while somebody else has one.
    pub fn take(app: &AppState, name: JobName) -> Result<Option<Self>> {
        Self::take_if(app, name, |_, _| Ok(true))
    }

    /// Takes a turn where, with the lease held, the job turns out to be due.
    pub(super) fn take_if<F>(app: &AppState, name: JobName, is_due: F) -> Result<Option<Self>>
    where
        F: Fn(&mut Tx<'_>, &Record) -> Result<bool> + Send + 'static,
    {
        #[expect(clippy::disallowed_methods, reason = "a turn is told from others, and told to nobody")]
        let lease = Lease { name, holder: Id(uuid::Uuid::new_v4()) };
        let taken = app.write_in_turn(move |tx| {
            if !store::take(tx.conn, name, lease.holder, tx.now)? {
                return Ok(false);
            }
            let record = store::record(tx.conn, name)?;
            if is_due(tx, &record)? {
                store::begin(tx.conn, name, tx.now)?;
                return Ok(true);
            }
            store::release(tx.conn, name, lease.holder)?;
            Ok(false)
        })?;
        Ok(taken.then(|| Self { app: app.clone(), lease }))
    }

    /// Takes a turn as soon as it is free: waits until a holder that shows no sign of life is replaced, and for one that
    /// is alive no longer than `patience`.
    pub fn wait_for(app: &AppState, name: JobName, patience: Duration) -> Result<Option<Self>> {
        let start = Instant::now();
        let look = || app.query_as_system(|tx| store::record(tx.conn, name));
        let first = look()?;
        loop {
            if let Some(turn) = Self::take(app, name)? {
                return Ok(Some(turn));
            }
            let seen = look()?;
            let is_alive = (seen.holder, seen.leased_until) != (first.holder, first.leased_until);
            let longest = patience + RENEWAL * 4;
            if start.elapsed() >= patience && is_alive || start.elapsed() >= longest {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(20 + u64::from(chance()) / 4));
        }
    }

    /// The application state.
    #[must_use]
    pub fn app(&self) -> &AppState {
        &self.app
    }

    /// What each unit checks.
    #[must_use]
    pub fn lease(&self) -> Lease {
        self.lease
    }

    /// Whether the service is about to stop: what is under way is finished, and nothing more is begun.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.app.closing().has_begun()
    }

    /// Does the work, however long it takes: the lease is renewed meanwhile.
    pub fn renewed<T>(&self, work: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            let (over, waits) = channel::<()>();
            scope.spawn(move || {
                while waits.recv_timeout(RENEWAL) == Err(RecvTimeoutError::Timeout) {
                    if let Err(error) = self.renew() {
                        log::warn!("the lease of {} was not renewed: {error}", self.lease.name);
                    }
                }
            });
            let done = work();
            drop(over);
            done
        })
    }

    /// Renews the lease; fails where another instance has taken over.
    pub fn renew(&self) -> Result<()> {
        let lease = self.lease;
        self.app.write_in_turn(move |tx| {
            let held = store::renew(tx.conn, lease.name, lease.holder, tx.now)?;
            if held { Ok(()) } else { Err(lease.lost()) }
        })
    }

    /// Gives the job back, keeps how the run went, and hands on what it gave.
    pub fn close<T>(self, done: Result<T>, how: impl FnOnce(&T) -> End) -> Result<T> {
        let outcome = match &done {
            Ok(given) => Outcome::Ended(how(given)),
            Err(error) => Outcome::Failed(in_short(error)),
        };
        let (lease, kept, chance) = (self.lease, outcome.clone(), chance());
        let before = self.app.write_in_turn(move |tx| {
            let before = store::record(tx.conn, lease.name)?;
            let after = kept.after(before.clone(), tx.now, chance);
            let held = store::end(tx.conn, lease.holder, &after)?;
            Ok(held.then_some(before))
        });
        match before {
            Ok(before) => tell(lease.name, before.as_ref(), &outcome, done.as_ref().err()),
            // The lease runs out by itself.
            Err(error) => log::warn!("{} could not be given back: {error}", lease.name),
        }
        done
    }
}

/// How a run went, as it is kept.
#[derive(Clone)]
enum Outcome {
    Ended(End),
    Failed(String),
}

impl Outcome {
    fn after(&self, before: Record, now: Timestamp, chance: u8) -> Record {
        let failures = before.failures + 1;
        let ended = Record { finished_at: Some(now), retry_at: None, ..before };
        match self {
            Self::Ended(End::Done) => Record { failures: 0, error: None, succeeded_at: Some(now), ..ended },
            Self::Ended(End::Interrupted) => ended,
            Self::Ended(End::Troubled(reason)) => {
                Record { failures, error: Some(cut(reason, 1000).to_owned()), ..ended }
            }
            Self::Failed(reason) => {
                let wait = wait_after(failures, RUN_WAIT, chance);
                let retry_at = Some(now.plus_seconds((wait + 999) / 1000));
                Record { failures, error: Some(reason.clone()), retry_at, ..ended }
            }
        }
    }
}

/// A failure is logged once, not with every try.
fn tell(name: JobName, before: Option<&Record>, outcome: &Outcome, fault: Option<&Error>) {
    let Some(before) = before else {
        log::warn!("{name} was taken over by another instance");
        return;
    };
    let level = if before.failures == 0 { log::Level::Warn } else { log::Level::Debug };
    match (outcome, fault) {
        (_, Some(fault)) => log::log!(level, "{name} failed and will be tried again: {fault}"),
        (Outcome::Ended(End::Troubled(reason)), _) => log::log!(level, "{name} met trouble: {reason}"),
        (Outcome::Ended(End::Done), _) if before.failures > 0 => log::info!("{name} works again"),
        _ => {}
    }
}

/// What people may read of a fault. The log has the rest: what a driver says may hold more.
#[must_use]
pub fn in_short(error: &Error) -> String {
    cut(&format!("{}: {}", error.code.code, error.detail), 1000).to_owned()
}

/// Whether a fault passes by itself: the database is busy or away.
#[must_use]
pub fn passes(error: &Error) -> bool {
    *error.code == codes::UNAVAILABLE
}

/// Runs a unit, and runs it again after a wait where the database could not do it just then.
pub fn retry<T>(unit: impl Fn() -> Result<T>) -> Result<T> {
    let mut tries = 1;
    loop {
        match unit() {
            Err(error) if passes(&error) && tries < TRIES => {
                let wait = wait_after(tries, UNIT_WAIT, chance());
                std::thread::sleep(Duration::from_millis(wait.unsigned_abs()));
                tries += 1;
            }
            done => return done,
        }
    }
}

/// Chance, another one each time.
fn chance() -> u8 {
    RandomState::new().hash_one(()).to_le_bytes()[0]
}
