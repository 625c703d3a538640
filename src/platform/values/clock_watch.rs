//! Watches the machine's clock for jumps, beside a clock that never jumps.

use super::Timestamp;
use std::time::Duration;

/// The machine's clock at one moment, beside the time for which the process has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The instant that the machine's clock shows.
    pub shown: Timestamp,
    /// The time since the process began, by the monotonic clock.
    pub running: Duration,
}

/// A jump of the machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockJump {
    /// The seconds by which the clock was put forward; negative where the clock was put back.
    pub seconds: i64,
}

/// The watch over the machine's clock. A clock that was put forward or back is not trusted until the clock has run
/// evenly for some minutes: a clock that is 40 days ahead for a minute must not begin the work of another day.
///
/// A machine that slept looks the same: its clock has moved, and the process has not run.
#[derive(Clone, Debug)]
pub struct ClockWatch {
    last: ClockReading,
    /// The time for which the process had run when the clock jumped last.
    jumped: Option<Duration>,
}

impl ClockWatch {
    /// The seconds by which the clock may run ahead or behind between two readings. Summer time is no jump: instants
    /// are in UTC.
    pub const TOLERANCE: i64 = 3600;
    /// The time for which the clock must run evenly after a jump.
    pub const EVEN_FOR: Duration = Duration::from_secs(300);

    /// A watch that trusts the clock of its first reading.
    #[must_use]
    pub const fn since(first: ClockReading) -> Self {
        Self { last: first, jumped: None }
    }

    /// Takes in the next reading; returns the jump since the reading before.
    pub fn observe(&mut self, reading: ClockReading) -> Option<ClockJump> {
        let shown = reading.shown.as_micros().saturating_sub(self.last.shown.as_micros());
        let passed = reading.running.saturating_sub(self.last.running).as_micros();
        let seconds = shown.saturating_sub(i64::try_from(passed).unwrap_or(i64::MAX)) / 1_000_000;
        self.last = reading;
        if seconds.saturating_abs() <= Self::TOLERANCE {
            return None;
        }
        self.jumped = Some(reading.running);
        Some(ClockJump { seconds })
    }

    /// The time until the clock is trusted again; none while the clock is trusted.
    #[must_use]
    pub fn distrusted_for(&self) -> Option<Duration> {
        let until = self.jumped?.saturating_add(Self::EVEN_FOR);
        Some(until.saturating_sub(self.last.running)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;

    /// A reading after so many seconds of the process, of a clock that is ahead by so many seconds.
    fn reading(running: u64, ahead: i64) -> ClockReading {
        let began: Timestamp = "2026-07-01T02:00:00Z".parse().unwrap();
        let shown = began.plus_seconds(i64::try_from(running).unwrap() + ahead);
        ClockReading { shown, running: Duration::from_secs(running) }
    }

    fn left(watch: &ClockWatch) -> Option<u64> {
        watch.distrusted_for().map(|left| left.as_secs())
    }

    #[test]
    fn a_clock_that_is_ahead_for_a_minute_is_not_trusted_until_long_after() {
        let mut watch = ClockWatch::since(reading(0, 0));
        assert_eq!((watch.observe(reading(10, 0)), left(&watch)), (None, None));
        assert_eq!(watch.observe(reading(20, 40 * DAY)), Some(ClockJump { seconds: 40 * DAY }));
        assert_eq!(left(&watch), Some(300));
        assert_eq!((watch.observe(reading(79, 40 * DAY)), left(&watch)), (None, Some(241)));
        assert_eq!(watch.observe(reading(80, 0)), Some(ClockJump { seconds: -40 * DAY }));
        assert_eq!(left(&watch), Some(300));
        assert_eq!((watch.observe(reading(379, 0)), left(&watch)), (None, Some(1)));
        assert_eq!((watch.observe(reading(380, 0)), left(&watch)), (None, None));
    }

    #[test]
    fn a_clock_that_stays_where_it_was_put_is_trusted_again() {
        for moved in [2 * DAY, -2 * DAY] {
            let mut watch = ClockWatch::since(reading(0, 0));
            assert!(watch.observe(reading(1, moved)).is_some());
            assert_eq!((watch.observe(reading(301, moved)), left(&watch)), (None, None));
        }
    }

    #[test]
    fn a_clock_that_is_set_right_by_less_than_an_hour_is_trusted() {
        let mut watch = ClockWatch::since(reading(0, 0));
        for (running, ahead) in [(1, 3600), (2, 0), (3, -3600), (90_000, -3600)] {
            assert_eq!((watch.observe(reading(running, ahead)), left(&watch)), (None, None));
        }
        assert_eq!(watch.observe(reading(90_001, 1)), Some(ClockJump { seconds: 3601 }));
    }
}
