//! The step that is due for a fund; no I/O, no clock, no HTTP.

use crate::{
    ledger::accounting::{
        Months,
        coop_funds::{CoopFund, CoopFundState},
    },
    platform::values::{CalendarDate, Money},
};

/// The days before the end of the time for claims on which partners are reminded.
const REMINDERS: [i32; 3] = [60, 30, 7];

/// The step that is due for a fund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FundStep {
    /// The half-year is closed, and the fund is below the threshold: the fund becomes rebate.
    Convert,
    /// The half-year is closed, and the fund reaches the threshold: activities can be claimed.
    Open,
    /// The time for claims ends within so many days, and something is left.
    Remind(i32),
    /// The time for claims is over.
    End,
}

impl FundStep {
    /// The step that is due on a day; none where nothing is. Without the threshold, which waits for its rate, the half-year of
    /// the fund stays as it is.
    pub fn of(
        fund: &CoopFund,
        threshold: Option<Money>,
        months: Months,
        today: CalendarDate,
    ) -> Option<Self> {
        match fund.state {
            CoopFundState::Estimated if months.is_open(fund.last_month) => None,
            CoopFundState::Estimated if fund.earned < threshold?.minor.max(0) => Some(Self::Convert),
            CoopFundState::Estimated => Some(Self::Open),
            CoopFundState::Claimable => {
                let left = today.days_until(fund.half().claims().to);
                if left < 0 {
                    return Some(Self::End);
                }
                let stage = REMINDERS.into_iter().rev().find(|days| left <= *days)?;
                let is_told = fund.reminded_days.is_some_and(|days| days <= stage);
                (!is_told && fund.remaining + fund.planned > 0).then_some(Self::Remind(stage))
            }
            CoopFundState::Converted | CoopFundState::Ended => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{
        db::types::Json,
        values::{Currency, Id, Timestamp},
    };

    fn fund(state: CoopFundState, earned: i64) -> CoopFund {
        let (id, at) = (Id(uuid::Uuid::from_u128(1)), Timestamp::from_micros(0));
        CoopFund {
            id,
            partner_id: id,
            enrollment_id: id,
            half_year: "2018-07".parse().unwrap(),
            last_month: "2018-12".parse().unwrap(),
            currency: Currency::USD,
            state,
            earned,
            converted: 0,
            claimable: earned,
            planned: 0,
            committed: 0,
            paid: 0,
            forfeited: 0,
            remaining: earned,
            converted_in: None,
            reminded_days: None,
            as_of: at,
            created_at: at,
            updated_at: at,
            revision: 1,
            plan_id: None,
            planned_for: Json(Vec::new()),
        }
    }

    fn dollars(minor: i64) -> Money {
        Money { minor, currency: Currency::USD }
    }

    #[test]
    fn p4_the_threshold_decides_once_the_last_month_is_closed() {
        let closed = |month: &str| Months { last_closed: Some(month.parse().unwrap()) };
        let step = |earned, threshold, month| {
            let fund = fund(CoopFundState::Estimated, earned);
            FundStep::of(&fund, threshold, closed(month), "2019-01-04".parse().unwrap())
        };
        let least = Some(dollars(1_000_000));
        assert_eq!(step(999_999, least, "2018-11"), None);
        assert_eq!(step(999_999, least, "2018-12"), Some(FundStep::Convert));
        assert_eq!(step(1_000_000, least, "2018-12"), Some(FundStep::Open));
        assert_eq!(step(1_000_000, None, "2018-12"), None, "the threshold waits for its rate");
        assert_eq!(step(-1, Some(dollars(0)), "2018-12"), Some(FundStep::Convert), "refunds lower a rebate");
        assert_eq!(step(0, Some(dollars(0)), "2018-12"), Some(FundStep::Open));
    }

    #[test]
    fn partners_are_reminded_60_30_and_7_days_before_the_15th_of_august() {
        let months = Months { last_closed: Some("2018-12".parse().unwrap()) };
        let step = |day: &str, reminded_days: Option<i32>, remaining: i64| {
            let fund = CoopFund { reminded_days, ..fund(CoopFundState::Claimable, remaining) };
            FundStep::of(&fund, Some(dollars(0)), months, day.parse().unwrap())
        };
        let table = [
            ("2019-06-15", None, None),
            ("2019-06-16", None, Some(FundStep::Remind(60))),
            ("2019-06-17", Some(60), None),
            ("2019-07-16", Some(60), Some(FundStep::Remind(30))),
            ("2019-08-07", Some(30), None),
            ("2019-08-08", Some(30), Some(FundStep::Remind(7))),
            ("2019-08-08", None, Some(FundStep::Remind(7))),
            ("2019-08-15", Some(7), None),
            ("2019-08-16", Some(7), Some(FundStep::End)),
        ];
        for (day, told, due) in table {
            assert_eq!(step(day, told, 100), due, "{day}");
        }
        assert_eq!(step("2019-08-08", None, 0), None, "nothing is about to be lost");
    }
}
