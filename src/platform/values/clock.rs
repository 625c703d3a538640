//! The sources of time and ids: both are injected, so that a test can expect literal instants and ids.

use super::{ClockJump, ClockReading, ClockWatch, Id, Timestamp};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::{ContextV7, Uuid};

/// The source of "now", and whether the source is to be trusted with work that goes by the date.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// The machine's clock, watched for jumps.
    Watched(Arc<WatchedClock>),
    /// A clock that shows one instant until [`Clock::set`] moves it; microseconds since 1970.
    Set(Arc<AtomicI64>),
}

/// The machine's clock under a [`ClockWatch`].
#[derive(Debug)]
pub struct WatchedClock {
    began: Instant,
    watch: Mutex<ClockWatch>,
}

impl Default for Clock {
    /// The machine's clock, watched from now on.
    fn default() -> Self {
        Self::watched_since(Self::System.now())
    }
}

impl Clock {
    /// The machine's clock under a watch whose first reading showed the given instant.
    #[must_use]
    pub fn watched_since(shown: Timestamp) -> Self {
        let watch = ClockWatch::since(ClockReading { shown, running: Duration::ZERO });
        Self::Watched(Arc::new(WatchedClock { began: Instant::now(), watch: Mutex::new(watch) }))
    }

    /// The time for which no work that goes by the date may begin, because the clock has jumped; none while the clock
    /// is trusted. A clock that stands is always trusted: who moves such a clock means the new instant.
    #[must_use]
    pub fn distrusted_for(&self) -> Option<Duration> {
        match self {
            Self::System | Self::Set(_) => None,
            Self::Watched(watched) => {
                let mut watch = watched.watch.lock().unwrap_or_else(PoisonError::into_inner);
                let reading = ClockReading { shown: self.now(), running: watched.began.elapsed() };
                if let Some(ClockJump { seconds }) = watch.observe(reading) {
                    let minutes = ClockWatch::EVEN_FOR.as_secs() / 60;
                    log::warn!(
                        "the machine's clock jumped by {seconds} seconds; no background work begins until the clock \
                         has run evenly for {minutes} minutes"
                    );
                }
                watch.distrusted_for()
            }
        }
    }

    /// A clock that stands at the given instant.
    #[must_use]
    pub fn standing_at(instant: Timestamp) -> Self {
        Self::Set(Arc::new(AtomicI64::new(instant.as_micros())))
    }

    /// Moves a standing clock; the machine's clock is left alone.
    pub fn set(&self, instant: Timestamp) {
        if let Self::Set(micros) = self {
            micros.store(instant.as_micros(), Ordering::SeqCst);
        }
    }

    /// The current instant.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System | Self::Watched(_) => jiff::Timestamp::now().into(),
            Self::Set(micros) => Timestamp::from_micros(micros.load(Ordering::SeqCst)),
        }
    }
}

/// The source of new ids.
#[derive(Clone, Debug)]
pub enum Ids {
    /// UUIDs of version 7: the instant, a counter that keeps the order within a millisecond, randomness.
    Random(Arc<Mutex<ContextV7>>),
    /// UUIDs of version 7 that count up from one, the same in every run.
    Counting(Arc<AtomicU64>),
}

impl Ids {
    /// Ids for production.
    #[must_use]
    pub fn random() -> Self {
        Self::Random(Arc::new(Mutex::new(ContextV7::new())))
    }

    /// Ids that repeat from run to run.
    #[must_use]
    pub fn counting() -> Self {
        Self::Counting(Arc::new(AtomicU64::new(1)))
    }

    /// A new id, later than every id made before in this process.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Id {
        let micros = u64::try_from(now.as_micros()).unwrap_or(0);
        match self {
            Self::Random(context) => {
                let context = context.lock().unwrap_or_else(PoisonError::into_inner);
                let nanos = u32::try_from(micros % 1_000_000 * 1000).unwrap_or(0);
                Id(Uuid::new_v7(uuid::Timestamp::from_unix(&*context, micros / 1_000_000, nanos)))
            }
            Self::Counting(counter) => {
                let count = counter.fetch_add(1, Ordering::SeqCst);
                let mut random = [0; 10];
                random
                    .iter_mut()
                    .rev()
                    .zip(count.to_be_bytes().iter().rev())
                    .for_each(|(to, from)| *to = *from);
                Id(uuid::Builder::from_unix_timestamp_millis(micros / 1000, &random).into_uuid())
            }
        }
    }
}
