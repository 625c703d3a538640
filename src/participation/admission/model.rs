//! How near the end of a partner's eligibility is; no I/O, no clock, no HTTP.

use crate::{
    participation::eligibility::Outlook,
    platform::values::{CalendarDate, text_enum},
};

text_enum! {
    /// How near the end of a partner's eligibility is, where it is told.
    pub enum Stage {
        /// A rule lapses within a month.
        Month = "30_days",
        /// Within a week.
        Week = "7_days",
        /// Tomorrow.
        Day = "1_day",
        /// The rules are met by grace only.
        Grace = "grace",
        /// And that ends within a week.
        GraceWeek = "grace_7_days",
        /// Tomorrow.
        GraceDay = "grace_1_day",
    }
}

impl Stage {
    /// How many days before its end the first reminder is sent.
    pub const EARLIEST: i32 = 30;

    /// Where an outlook stands on a day; none where it is too early to tell.
    #[must_use]
    pub fn on(today: CalendarDate, outlook: &Outlook) -> Option<Self> {
        let firm = today.days_until(outlook.firm_until);
        if firm > 0 {
            return Some(match firm {
                1 => Self::Day,
                2..=7 => Self::Week,
                8..=Self::EARLIEST => Self::Month,
                _ => return None,
            });
        }
        Some(match today.days_until(outlook.last_day) {
            ..=0 => Self::GraceDay,
            1..=6 => Self::GraceWeek,
            _ => Self::Grace,
        })
    }

    /// Whether the rules are met by grace only.
    #[must_use]
    pub const fn in_grace(self) -> bool {
        matches!(self, Self::Grace | Self::GraceWeek | Self::GraceDay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stages_before_and_in_grace() {
        let day = |text: &str| text.parse().unwrap();
        let outlook =
            Outlook { firm_until: day("2019-09-02"), last_day: day("2019-10-01"), lapsing: Vec::new() };
        let stages = [
            ("2019-08-02", None),
            ("2019-08-03", Some(Stage::Month)),
            ("2019-08-25", Some(Stage::Month)),
            ("2019-08-26", Some(Stage::Week)),
            ("2019-08-31", Some(Stage::Week)),
            ("2019-09-01", Some(Stage::Day)),
            ("2019-09-02", Some(Stage::Grace)),
            ("2019-09-24", Some(Stage::Grace)),
            ("2019-09-25", Some(Stage::GraceWeek)),
            ("2019-09-30", Some(Stage::GraceWeek)),
            ("2019-10-01", Some(Stage::GraceDay)),
        ];
        for (today, stage) in stages {
            assert_eq!(Stage::on(day(today), &outlook), stage, "{today}");
        }
    }
}
