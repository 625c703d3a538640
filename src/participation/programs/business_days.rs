//! The business days of a program: not Saturday, not Sunday, and none of the listed holidays. No I/O, no clock, no HTTP.

use crate::platform::values::CalendarDate;

/// The longest way to a business day that is looked at, in days.
const FARTHEST: i32 = 3650;

/// The last of so many business days after a day; the day itself where there are none.
///
/// ```
/// use partner_incentives::{participation::programs::business_days_after, platform::values::CalendarDate};
///
/// let friday: CalendarDate = "2026-07-03".parse()?;
/// let monday: CalendarDate = "2026-07-06".parse()?;
/// assert_eq!(business_days_after(friday, 1, &[]), monday);
/// assert_eq!(business_days_after(friday, 1, &[monday]), "2026-07-07".parse()?);
/// # Ok::<(), partner_incentives::platform::values::Unparsable>(())
/// ```
#[must_use]
pub fn business_days_after(day: CalendarDate, number: u8, holidays: &[CalendarDate]) -> CalendarDate {
    // The first business day after the day before is the day itself, where it is one.
    let is_weekday = |day: CalendarDate| day.plus_days(-1).plus_business_days(1) == day;
    let is_business_day = |day: &CalendarDate| is_weekday(*day) && !holidays.contains(day);
    (1..FARTHEST).map(|n| day.plus_days(n)).filter(is_business_day).take(number.into()).last().unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn business_days_are_those_worked_by_hand() {
        let day = |text: &str| text.parse::<CalendarDate>().unwrap();
        // Christmas and New Year, and a holiday on a Sunday, which counts once.
        let holidays = ["2018-12-25", "2018-12-26", "2019-01-01", "2019-01-06"].map(day);
        let table = [
            ("2018-12-24", 0, "2018-12-24"),
            ("2018-12-24", 1, "2018-12-27"),
            ("2018-12-21", 1, "2018-12-24"),
            ("2018-12-21", 5, "2019-01-02"),
            ("2018-12-21", 14, "2019-01-15"),
            ("2019-01-04", 1, "2019-01-07"),
            ("2019-01-05", 1, "2019-01-07"),
            // A leap day is a business day where it is no weekend.
            ("2024-02-28", 1, "2024-02-29"),
            ("2020-02-28", 1, "2020-03-02"),
        ];
        for (from, number, to) in table {
            assert_eq!(business_days_after(day(from), number, &holidays), day(to), "{number} after {from}");
        }
    }
}
