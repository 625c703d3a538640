//! A time of the day.

use super::{CalendarDate, Timestamp, Unparsable};
use std::{fmt, str::FromStr};

/// A time of the day at which something happens every day, in UTC and whole minutes; or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daily(Option<i64>);

impl Daily {
    /// No time of any day; written as an empty text.
    pub const NEVER: Self = Self(None);

    /// The instant of this time on a day; none for never.
    #[must_use]
    pub fn on(self, day: CalendarDate) -> Option<Timestamp> {
        self.0.map(|minutes| day.midnight().plus_seconds(minutes * 60))
    }

    /// The instant of this time today, where the instant has come.
    #[must_use]
    pub fn reached(self, now: Timestamp) -> Option<Timestamp> {
        self.on(now.date()).filter(|at| *at <= now)
    }

    /// The next instant of this time after `now`.
    #[must_use]
    pub fn after(self, now: Timestamp) -> Option<Timestamp> {
        let (today, tomorrow) = (self.on(now.date()), self.on(now.date().plus_days(1)));
        today.filter(|at| now < *at).or(tomorrow)
    }
}

impl FromStr for Daily {
    type Err = Unparsable;

    fn from_str(text: &str) -> Result<Self, Unparsable> {
        if text.is_empty() {
            return Ok(Self::NEVER);
        }
        let number = |part: &str, below: i64| {
            let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<i64>().ok().filter(|number| digits && *number < below)
        };
        text.split_once(':')
            .and_then(|(hours, minutes)| Some(number(hours, 24)? * 60 + number(minutes, 60)?))
            .map(|minutes| Self(Some(minutes)))
            .ok_or_else(|| Unparsable(format!("{text:?} is not a time of the day in UTC such as 02:00")))
    }
}

impl fmt::Display for Daily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |minutes| write!(f, "{:02}:{:02}", minutes / 60, minutes % 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_today_or_tomorrow() {
        let daily: Daily = "02:30".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (before, then, later) =
            (at("2026-07-01T02:29:59Z"), at("2026-07-01T02:30:00Z"), at("2026-07-01T02:30:01Z"));
        assert_eq!((daily.reached(before), daily.after(before)), (None, Some(then)));
        assert_eq!((daily.reached(then), daily.reached(later)), (Some(then), Some(then)));
        assert_eq!(daily.after(then), Some(at("2026-07-02T02:30:00Z")));
        assert_eq!((Daily::NEVER.reached(later), Daily::NEVER.after(later)), (None, None));
    }

    #[test]
    fn only_hours_and_minutes_are_taken() {
        for text in ["00:00", "02:00", "23:59", ""] {
            assert_eq!(text.parse::<Daily>().unwrap().to_string(), text);
        }
        for text in ["2:00", "24:00", "02:60", "02:00:00", "+2:00", "noon", "02.00"] {
            assert!(text.parse::<Daily>().is_err(), "{text}");
        }
    }
}
