//! The slowest pace at which a file may come or go: whoever is slower holds what others wait for.

use std::time::{Duration, Instant};

/// The limits of a pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How long a file may lie still beyond what the bytes allow.
    pub grace: Duration,
    /// The bytes a second that move at least, while the service is waiting for the other side.
    pub bytes_per_second: u64,
}

/// A file on its way. Only the time counts in which the service waits for the other side.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pace: Pace,
    bytes: u64,
    waited: Duration,
}

impl Progress {
    /// A file that begins.
    #[must_use]
    pub fn at(pace: Pace) -> Self {
        Self { pace, bytes: 0, waited: Duration::ZERO }
    }

    /// Counts bytes that have moved, after a wait since `since`.
    pub fn moved(&mut self, bytes: usize, since: Instant) {
        self.waited += since.elapsed();
        self.bytes += bytes as u64;
    }

    /// How long the other side may still take.
    #[must_use]
    pub fn left(&self) -> Duration {
        let earned = self.bytes.saturating_mul(1000) / self.pace.bytes_per_second.max(1);
        // The wait for one piece is limited too: a fast beginning buys no long pause.
        let allowed = self.pace.grace + Duration::from_millis(earned);
        allowed.saturating_sub(self.waited).min(self.pace.grace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_moves_may_take_any_time_and_one_that_trickles_may_not() {
        let seconds = Duration::from_secs;
        let mut steady = Progress::at(Pace { grace: seconds(10), bytes_per_second: 1000 });
        let mut slow = steady;
        for _ in 0..100 {
            steady.moved(2000, Instant::now().checked_sub(seconds(1)).unwrap());
        }
        assert_eq!(steady.left(), seconds(10));
        for _ in 0..10 {
            slow.moved(1, Instant::now().checked_sub(seconds(1)).unwrap());
        }
        assert!(slow.left() < Duration::from_millis(11), "{:?}", slow.left());
    }
}
