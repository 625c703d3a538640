//! A turn at a job: the lease that keeps other instances away from the job, and the stored result of the run.

use super::{
    End, JobName, JobRecord,
    model::{LEASE_SECONDS, wait_after},
    store,
};
use crate::{
    access::{AppState, Tx},
    platform::{
        Error, Result, codes, cut, db,
        values::{Id, Timestamp},
    },
    text,
};
use std::{
    hash::{BuildHasher, RandomState},
    sync::mpsc::{RecvTimeoutError, channel},
    time::{Duration, Instant},
};

/// The time between two renewals of a lease: a third of its duration.
const RENEWAL: Duration = Duration::from_secs(LEASE_SECONDS.unsigned_abs() / 3);
/// The most runs of a unit that the database cannot do.
const TRIES: i64 = 5;
/// The wait after the first failure of a unit, in milliseconds.
const UNIT_WAIT: i64 = 200;
/// The wait after the first failure of a run, in milliseconds.
const RUN_WAIT: i64 = 1000;

/// The right to work on a job alone. When a process dies during its turn, another instance takes over once the lease has
/// run out.
pub struct Turn {
    app: AppState,
    lease: Lease,
}

/// The lease of a turn, which each unit of the work checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    name: JobName,
    holder: Id,
}

impl Lease {
    /// Refuses a unit whose turn is over, because another instance has taken over the job, and a unit whose instant comes
    /// from a clock that has jumped: the work ends, and goes on when the clock is trusted again.
    pub fn check(self, tx: &mut Tx<'_>) -> Result<()> {
        if !tx.clock_is_trusted() {
            return Err(Error::unavailable("the machine's clock has jumped"));
        }
        if store::is_held(tx.conn, self.name, self.holder)? { Ok(()) } else { Err(self.lost()) }
    }

    fn lost(self) -> Error {
        Error::new(
            &codes::CONFLICT,
            text!(
                "another instance has taken over {}",
                "{} は別のインスタンスに引き継がれました。",
                self.name
            ),
        )
    }
}

impl Turn {
    /// Takes a turn at a job; none while another turn works on the job.
    pub fn take(app: &AppState, name: JobName) -> Result<Option<Self>> {
        Self::take_if(app, name, |_, _| Ok(true))
    }

    /// Takes a turn at a job that is due; `is_due` is asked while the lease is held.
    pub(super) fn take_if<F>(app: &AppState, name: JobName, is_due: F) -> Result<Option<Self>>
    where
        F: Fn(&mut Tx<'_>, &JobRecord) -> Result<bool> + Send + 'static,
    {
        #[expect(
            clippy::disallowed_methods,
            reason = "the id only tells turns apart, and nobody reads the id"
        )]
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

    /// Takes a turn as soon as the job is free. Waits for a holder that renews its lease no longer than `patience`, and
    /// for a holder that shows no sign of life until the lease has run out.
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

    /// The application state, for the units of the work.
    #[must_use]
    pub fn app(&self) -> &AppState {
        &self.app
    }

    /// The lease, which each unit of the work checks.
    #[must_use]
    pub fn lease(&self) -> Lease {
        self.lease
    }

    /// Whether the service is about to stop, or the clock has jumped: the work ends its current unit, and begins no
    /// other.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.app.closing().has_begun() || self.app.clock().distrusted_for().is_some()
    }

    /// Does the work on this thread, while another thread renews the lease.
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

    /// Whether an error of a unit may pass with time, so that the work is gone on with later. A fault that the driver does
    /// not name, on a database that renews the lease meanwhile, lies in the unit.
    #[must_use]
    pub fn may_pass(&self, error: &Error) -> bool {
        passes(error) && !(db::is_unnamed(error) && self.renew().is_ok())
    }

    /// Renews the lease; fails where another instance has taken over.
    pub fn renew(&self) -> Result<()> {
        let lease = self.lease;
        self.app.write_in_turn(move |tx| {
            let held = store::renew(tx.conn, lease.name, lease.holder, tx.now)?;
            if held { Ok(()) } else { Err(lease.lost()) }
        })
    }

    /// Gives the job back, stores the result of the run, and returns `done` as it was.
    pub fn close<T>(self, done: Result<T>, how: impl FnOnce(&T) -> End) -> Result<T> {
        let result = match &done {
            Ok(value) => RunResult::Ended(how(value)),
            Err(error) => RunResult::Failed(in_short(error)),
        };
        let (lease, stored, chance) = (self.lease, result.clone(), chance());
        let before = self.app.write_in_turn(move |tx| {
            let before = store::record(tx.conn, lease.name)?;
            let after = stored.after(before.clone(), tx.now, chance);
            let held = store::end(tx.conn, lease.holder, &after)?;
            Ok(held.then_some(before))
        });
        match before {
            Ok(before) => log_result(lease.name, before.as_ref(), &result, done.as_ref().err()),
            // The lease runs out by itself.
            Err(error) => log::warn!("{} could not be given back: {error}", lease.name),
        }
        done
    }
}

/// The result of a run, as stored.
#[derive(Clone)]
enum RunResult {
    Ended(End),
    Failed(String),
}

impl RunResult {
    fn after(&self, before: JobRecord, now: Timestamp, chance: u8) -> JobRecord {
        let failures = before.failures + 1;
        let ended = JobRecord { finished_at: Some(now), retry_at: None, ..before };
        match self {
            Self::Ended(End::Done) => {
                JobRecord { failures: 0, error: None, succeeded_at: Some(now), ..ended }
            }
            Self::Ended(End::Interrupted) => ended,
            Self::Ended(End::Troubled(reason)) => {
                JobRecord { failures, error: Some(cut(reason, 1000).to_owned()), ..ended }
            }
            Self::Failed(reason) => {
                let wait = wait_after(failures, RUN_WAIT, chance);
                let retry_at = Some(now.plus_seconds((wait + 999) / 1000));
                JobRecord { failures, error: Some(reason.clone()), retry_at, ..ended }
            }
        }
    }
}

/// Logs the result of a run; a failure that goes on is logged as a warning once.
fn log_result(name: JobName, before: Option<&JobRecord>, result: &RunResult, fault: Option<&Error>) {
    let Some(before) = before else {
        log::warn!("{name} was taken over by another instance");
        return;
    };
    let level = if before.failures == 0 { log::Level::Warn } else { log::Level::Debug };
    match (result, fault) {
        (_, Some(fault)) => log::log!(level, "{name} failed and will be tried again: {fault}"),
        (RunResult::Ended(End::Troubled(reason)), _) => log::log!(level, "{name} met trouble: {reason}"),
        (RunResult::Ended(End::Done), _) if before.failures > 0 => log::info!("{name} works again"),
        _ => {}
    }
}

/// The text of an error for operators, at most 1,000 characters; the log alone has the source, which may hold secrets.
#[must_use]
pub fn in_short(error: &Error) -> String {
    cut(&format!("{}: {}", error.code.code, error.sentence()), 1000).to_owned()
}

/// Whether an error is temporary: the database is busy or away.
#[must_use]
pub fn passes(error: &Error) -> bool {
    *error.code == codes::UNAVAILABLE
}

/// Runs a unit, and again after a wait where the error is temporary.
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

/// A random byte.
fn chance() -> u8 {
    RandomState::new().hash_one(()).to_le_bytes()[0]
}
