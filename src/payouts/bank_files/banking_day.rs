//! Days on which banks execute payments.

use crate::platform::values::{CalendarDate, Currency};

/// Whether banks execute payments in the currency on the day: for euro the days of TARGET, the payment system of the
/// European Central Bank; for other currencies the days from Monday to Friday, since public holidays are known to the bank
/// alone.
///
/// ```
/// use partner_incentives::{payouts::bank_files::is_banking_day, platform::values::{CalendarDate, Currency}};
///
/// let (euro, yen): (Currency, Currency) = ("EUR".parse()?, "JPY".parse()?);
/// let good_friday: CalendarDate = "2027-03-26".parse()?;
/// assert!(!is_banking_day(good_friday, euro));
/// assert!(is_banking_day(good_friday, yen));
/// # Ok::<(), partner_incentives::platform::values::Unparsable>(())
/// ```
#[must_use]
pub fn is_banking_day(day: CalendarDate, currency: Currency) -> bool {
    !is_weekend(day) && (currency.as_str() != "EUR" || !is_target_holiday(day))
}

/// The day itself where it is a banking day, else the next one.
#[must_use]
pub fn banking_day_from(day: CalendarDate, currency: Currency) -> CalendarDate {
    // TARGET is closed for four days in a row at the most, at Easter.
    let days = (0..7).map(|days| day.plus_days(days));
    days.into_iter().find(|day| is_banking_day(*day, currency)).unwrap_or(day)
}

fn is_weekend(day: CalendarDate) -> bool {
    // The calendar begins on a Monday, 1900-01-01.
    CalendarDate::MIN.days_until(day).rem_euclid(7) >= 5
}

fn is_target_holiday(day: CalendarDate) -> bool {
    let fixed = matches!((day.month(), day.day()), (1 | 5, 1) | (12, 25 | 26));
    let from_easter = easter(day.year()).map(|easter| easter.days_until(day));
    fixed || matches!(from_easter, Some(-2 | 1))
}

/// Easter Sunday of the Gregorian calendar, after Meeus, Jones and Butcher.
fn easter(year: i16) -> Option<CalendarDate> {
    let year = i32::from(year);
    let (golden, century, of_century) = (year % 19, year / 100, year % 100);
    let correction = (century + 8) / 25;
    let moon = (19 * golden + century - century / 4 - (century - correction + 1) / 3 + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - moon - of_century % 4) % 7;
    let late = (golden + 11 * moon + 22 * weekday) / 451;
    let days = moon + weekday - 7 * late + 114;
    let (month, day) = (days / 31, days % 31 + 1);
    CalendarDate::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    #[test]
    fn easter_is_where_the_almanac_has_it() {
        let sundays = [
            "1943-04-25",
            "1961-04-02",
            "2000-04-23",
            "2008-03-23",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2027-03-28",
            "2028-04-16",
            "2029-04-01",
            "2030-04-21",
            "2038-04-25",
            "2049-04-18",
            "2285-03-22",
        ];
        for sunday in sundays {
            assert_eq!(easter(day(sunday).year()), Some(day(sunday)));
        }
    }

    #[test]
    fn target_is_closed_on_its_holidays_and_weekends() {
        let euro: Currency = "EUR".parse().unwrap();
        let yen: Currency = "JPY".parse().unwrap();
        let closed = [
            "2026-01-01",
            "2026-04-03",
            "2026-04-06",
            "2026-05-01",
            "2026-12-25",
            "2028-12-26",
            "2027-01-01",
            "2027-03-26",
            "2027-03-29",
        ];
        for holiday in closed {
            assert!(!is_banking_day(day(holiday), euro), "{holiday}");
            assert!(is_banking_day(day(holiday), yen), "{holiday}");
        }
        for weekend in ["2026-11-28", "2026-11-29", "2026-12-26", "1900-01-06", "9999-12-25"] {
            assert!(!is_banking_day(day(weekend), euro) && !is_banking_day(day(weekend), yen), "{weekend}");
        }
        // Ascension, Whit Monday and New Year's Eve are working days.
        for open in ["2026-05-14", "2026-05-25", "2026-12-24", "2026-12-31", "2026-11-30"] {
            assert!(is_banking_day(day(open), euro), "{open}");
        }
        let closed =
            (0..365).filter(|days| !is_banking_day(day("2026-01-01").plus_days(*days), euro)).count();
        assert_eq!(closed, 104 + 5);
        assert_eq!(banking_day_from(day("2026-04-03"), euro), day("2026-04-07"));
        assert_eq!(banking_day_from(day("2026-11-30"), euro), day("2026-11-30"));
    }
}
