//! The connections to the database: as many as the settings allow, tested before use, and none while nobody answers.

use super::{
    Conn, Load, Target,
    health::{Health, Trouble},
};
use crate::platform::{Error, Result};
use diesel::{
    Connection,
    connection::{CacheSize, TransactionManager},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

type Transactions = <Conn as Connection>::TransactionManager;

/// How long a unit waits for a connection that another unit gives back.
const WAIT: Duration = Duration::from_secs(3);
/// The most units that wait for a connection.
const QUEUE: usize = 512;
/// How long an idle connection is trusted: a test before each use would cost a round trip.
const TRUSTED: Duration = Duration::from_secs(1);

/// The connections to one database.
pub(super) struct Pool {
    target: Target,
    most: u32,
    health: Arc<Health>,
    state: Mutex<State>,
    /// The most units that wait for a connection; further units are refused at once.
    queue: usize,
    /// Whether a pooler in between gives each transaction another connection of the server.
    pub(super) is_pooled: bool,
}

#[derive(Default)]
struct State {
    idle: Vec<Pooled>,
    /// The connections of this era, idle or in use.
    open: u32,
    /// The units that wait for a connection, in the order in which they came.
    waiting: VecDeque<Arc<Condvar>>,
    /// Counts how often all connections were written off: a connection of an earlier era does not come back.
    era: u64,
    /// When all connections were written off the last time.
    era_began: Option<Instant>,
}

struct Pooled {
    conn: Conn,
    tested_at: Instant,
}

/// What becomes of a connection after its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    Closed,
    /// Closed, and all idle connections with it, which are probably as dead.
    ClosedWithOthers,
}

/// The place of a connection in use; the place is free for another connection when this value is dropped.
struct Place<'a> {
    pool: &'a Pool,
    era: u64,
    back: Option<Pooled>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        if state.era == self.era {
            match self.back.take() {
                Some(pooled) => state.idle.push(pooled),
                None => state.open -= 1,
            }
        }
        state.wake_first();
    }
}

impl State {
    fn wake_first(&self) {
        if let Some(first) = self.waiting.front() {
            first.notify_one();
        }
    }

    fn wake_all(&self) {
        for waiting in &self.waiting {
            waiting.notify_one();
        }
    }

    fn leave(&mut self, own: &Arc<Condvar>) {
        self.waiting.retain(|waiting| !Arc::ptr_eq(waiting, own));
        self.wake_first();
    }
}

impl Pool {
    pub(super) fn new(target: Target, most: u32, health: Arc<Health>, is_pooled: bool) -> Self {
        Self { target, most, health, state: Mutex::default(), queue: QUEUE, is_pooled }
    }

    /// Works with a connection. Waits for an answer of the database no longer than `patience` where nobody answers.
    pub(super) fn with<T>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut Conn) -> (Result<T>, Fate),
    ) -> Result<T> {
        let (mut pooled, mut place) = self.take(patience)?;
        let (done, fate) = work(&mut pooled.conn);
        let is_open = !matches!(
            Transactions::transaction_manager_status_mut(&mut pooled.conn).transaction_depth(),
            Ok(None)
        );
        if fate == Fate::ClosedWithOthers {
            self.close_idle();
        }
        if fate == Fate::Kept && !is_open {
            place.back = Some(pooled);
        }
        done
    }

    /// Closes the idle connections.
    pub(super) fn close_idle(&self) {
        let mut state = self.state();
        let idle = std::mem::take(&mut state.idle);
        state.open -= u32::try_from(idle.len()).unwrap_or(state.open).min(state.open);
        state.wake_all();
        drop(state);
    }

    /// Writes off all connections, also those in use: their server may never answer.
    pub(super) fn begin_era(&self) {
        let mut state = self.state();
        let idle = std::mem::take(&mut state.idle);
        (state.open, state.era, state.era_began) = (0, state.era + 1, Some(Instant::now()));
        state.wake_all();
        drop((state, idle));
    }

    /// When the connection was written off that a unit works with since `begun`; none where it was not.
    pub(super) fn written_off_since(&self, begun: Instant) -> Option<Instant> {
        self.state().era_began.filter(|era_began| *era_began > begun)
    }

    /// Wakes the units that wait, after the health of the database has changed.
    pub(super) fn wake(&self) {
        self.state().wake_all();
    }

    /// How many connections work, how many are open, and how many may be open.
    pub(super) fn load(&self, queued: Option<usize>) -> Load {
        let state = self.state();
        let idle = u32::try_from(state.idle.len()).unwrap_or(state.open);
        Load { in_use: state.open.saturating_sub(idle), open: state.open, most: self.most, queued }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, patience: Duration) -> Result<(Pooled, Place<'_>)> {
        if let Some(mut taken) = self.take_idle()
            && is_fit(&mut taken.0)
        {
            return Ok(taken);
        }
        let own = Arc::new(Condvar::new());
        let taken = self.take_in_turn(&own, patience);
        self.state().leave(&own);
        taken
    }

    /// Takes an idle connection where nobody waits.
    fn take_idle(&self) -> Option<(Pooled, Place<'_>)> {
        if self.health.away().is_some() {
            return None;
        }
        let mut state = self.state();
        let pooled = if state.waiting.is_empty() { state.idle.pop()? } else { return None };
        Some((pooled, Place { pool: self, era: state.era, back: None }))
    }

    /// Takes a connection as the first of those who wait: nobody waits while others who came later are served.
    fn take_in_turn(&self, own: &Arc<Condvar>, patience: Duration) -> Result<(Pooled, Place<'_>)> {
        let begun = Instant::now();
        let mut may_connect = true;
        let mut state = self.state();
        loop {
            let away = self.health.away();
            if let Some(trouble) = away
                && begun.elapsed() >= patience
            {
                return Err(trouble.error());
            }
            let is_first = state.waiting.front().is_none_or(|first| Arc::ptr_eq(first, own));
            let may_take = away.is_none() && is_first;
            if may_take && let Some(mut pooled) = state.idle.pop() {
                let place = Place { pool: self, era: state.era, back: None };
                drop(state);
                if is_fit(&mut pooled) {
                    return Ok((pooled, place));
                }
                // The connections that were idle with this one are probably as dead.
                self.close_idle();
                drop(place);
                state = self.state();
                continue;
            }
            if may_take && may_connect && state.open < self.most {
                state.open += 1;
                let place = Place { pool: self, era: state.era, back: None };
                // Others may connect meanwhile.
                state.leave(own);
                drop(state);
                match self.connect() {
                    Ok(conn) => return Ok((Pooled { conn, tested_at: Instant::now() }, place)),
                    Err(error) => {
                        drop(place);
                        state = self.state();
                        may_connect = false;
                        if state.open == 0 {
                            self.health.goes_away(Trouble::Away);
                            log::warn!("the database cannot be reached: {error}");
                            continue;
                        }
                        // Others are connected: the server may be full, or away; whoever asks finds out.
                        self.health.ring();
                    }
                }
            }
            let left = WAIT.max(patience).saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(Error::unavailable("all connections to the database are in use"));
            }
            if !state.waiting.iter().any(|waiting| Arc::ptr_eq(waiting, own)) {
                if state.waiting.len() >= self.queue {
                    return Err(Error::unavailable("too many units wait for a connection to the database"));
                }
                state.waiting.push_back(Arc::clone(own));
            }
            let pause = left.min(Duration::from_millis(250));
            state = own.wait_timeout(state, pause).map_or_else(|e| e.into_inner().0, |(state, _)| state);
            may_connect |= away.is_some() && self.health.away().is_none();
        }
    }

    fn connect(&self) -> diesel::ConnectionResult<Conn> {
        let mut conn = self.target.open()?;
        if self.is_pooled {
            conn.set_prepared_statement_cache_size(CacheSize::Disabled);
        }
        Ok(conn)
    }
}

fn is_fit(pooled: &mut Pooled) -> bool {
    if pooled.conn.is_sqlite() || pooled.tested_at.elapsed() <= TRUSTED {
        return true;
    }
    pooled.tested_at = Instant::now();
    pooled.conn.takes_writes().is_ok_and(|takes_writes| takes_writes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::mpsc::channel, thread::scope};

    #[test]
    fn a_unit_more_than_may_wait_for_a_connection_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let target = Target::Sqlite(folder.path().join("test.db"));
        let mut pool = Pool::new(target, 1, Arc::default(), false);
        assert_eq!(pool.queue, QUEUE);
        pool.queue = 3;
        let pool = &pool;
        let nothing = |_: &mut Conn| (Ok(()), Fate::Kept);
        let (begun, limit) = (Instant::now(), Duration::from_secs(60));
        let refused = loop {
            // One unit has the connection, and three wait for it.
            let (let_go, waits) = channel::<()>();
            let told = scope(|threads| {
                let hold = move |_: &mut Conn| {
                    let _ = waits.recv();
                    (Ok(()), Fate::Kept)
                };
                threads.spawn(move || pool.with(Duration::ZERO, hold));
                while pool.state().open == 0 {
                    assert!(begun.elapsed() < limit, "nobody has the connection");
                    std::thread::yield_now();
                }
                for _ in 0..3 {
                    threads.spawn(move || pool.with(Duration::ZERO, nothing));
                }
                let mut waiting = 0;
                while waiting < 3 && begun.elapsed() < limit {
                    std::thread::yield_now();
                    waiting = waiting.max(pool.state().waiting.len());
                }
                assert_eq!(waiting, 3);
                let told = pool.with(Duration::ZERO, nothing).unwrap_err().to_string();
                drop(let_go);
                told
            });
            // On a slow machine one of the three may have given up meanwhile.
            if !told.contains("in use") || begun.elapsed() > limit {
                break told;
            }
        };
        assert!(refused.contains("too many units wait"), "{refused}");
        pool.with(Duration::ZERO, nothing).unwrap();
    }
}
