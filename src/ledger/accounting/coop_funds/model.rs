//! The co-op fund, its half-year and its parts; no I/O, no clock, no HTTP.

use crate::{
    ledger::accounting::{LedgerAccount, RebateKey},
    participation::enrollments::EnrollmentKey,
    platform::{
        db::types::Json,
        values::{CalendarDate, Currency, Id, Money, Month, Period, Timestamp, text_enum},
    },
    schema::coop_funds,
};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

text_enum! {
    /// The state of a co-op fund.
    pub enum CoopFundState {
        /// The half-year is not closed: the fund still grows.
        Estimated = "estimated",
        /// The half-year is closed, and the fund reached the threshold: activities are claimed from the fund.
        Claimable = "claimable",
        /// The half-year is closed, and the fund stayed below the threshold: the fund became rebate.
        Converted = "converted",
        /// The time for claims is over; the rest was forfeited.
        Ended = "ended",
    }
}

/// A half of a program year: July to December, or January to June.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HalfYear(Month);

impl HalfYear {
    /// The half-year that a month lies in.
    #[must_use]
    pub fn of(month: Month) -> Self {
        let number = i32::from(month.first_day().month());
        Self(month.plus(-((number - 1) % 6)))
    }

    /// The first month.
    #[must_use]
    pub const fn first_month(self) -> Month {
        self.0
    }

    /// The last month.
    #[must_use]
    pub fn last_month(self) -> Month {
        self.0.plus(5)
    }

    /// The days on which activities may take place that the fund of the half-year pays: the following half-year.
    #[must_use]
    pub fn usage(self) -> Period {
        Period { from: self.0.plus(6).first_day(), to: self.0.plus(11).last_day() }
    }

    /// The days on which claims are submitted: from the 16th of the second month of the usage to the 15th of the second month
    /// after it.
    #[must_use]
    pub fn claims(self) -> Period {
        Period {
            from: self.0.plus(7).first_day().plus_days(15),
            to: self.0.plus(13).first_day().plus_days(14),
        }
    }
}

/// A part of a fund. Each is an account of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FundPart {
    /// The part nobody has asked for.
    Remaining,
    /// The part set aside for an approved plan.
    Planned,
    /// The part of claims under way and of approved claims that are not paid yet.
    Committed,
    /// The part that was paid.
    Paid,
    /// The part that was lost.
    Forfeited,
    /// The part that became rebate.
    Converted,
}

impl FundPart {
    /// The account of the part.
    #[must_use]
    pub const fn account(self) -> LedgerAccount {
        match self {
            Self::Remaining => LedgerAccount::CoopAvailable,
            Self::Planned => LedgerAccount::CoopPlanned,
            Self::Committed => LedgerAccount::CoopCommitted,
            Self::Paid => LedgerAccount::CoopPaid,
            Self::Forfeited => LedgerAccount::CoopForfeited,
            Self::Converted => LedgerAccount::CoopConverted,
        }
    }
}

/// The amount that a fund has set aside for the planned activities of one code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedFor {
    /// The code of the activity.
    pub activity: String,
    /// The amount in minor units, above zero.
    pub amount: i64,
}

/// What an enrollment has for marketing from one half-year, in one currency. Amounts are in minor units:
/// `earned = converted + claimable`, and `claimable = planned + committed + paid + forfeited + remaining`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = coop_funds, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct CoopFund {
    /// UUID of version 7.
    pub id: Id,
    /// The partner of the enrollment.
    pub partner_id: Id,
    /// The enrollment that earned the fund.
    pub enrollment_id: Id,
    /// The first month of the half-year.
    pub half_year: Month,
    /// The last month of the half-year.
    pub last_month: Month,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The state of the fund.
    pub state: CoopFundState,
    /// The sum of the earnings' co-op parts that were posted in the half-year.
    pub earned: i64,
    /// The part that became rebate.
    pub converted: i64,
    /// The part that did not become rebate.
    pub claimable: i64,
    /// The part set aside for an approved plan.
    pub planned: i64,
    /// The part of claims that are not paid yet.
    pub committed: i64,
    /// The part that was paid.
    pub paid: i64,
    /// The part that was lost.
    pub forfeited: i64,
    /// The part nobody has asked for.
    pub remaining: i64,
    /// The month of the rebate that the fund became part of.
    pub converted_in: Option<Month>,
    /// The days before the end of the time for claims of the last reminder.
    pub reminded_days: Option<i32>,
    /// When the fund last grew.
    pub as_of: Timestamp,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
    /// The approved plan; none without one.
    pub plan_id: Option<Id>,
    /// What is set aside for each activity of the plan: together `planned`.
    pub planned_for: Json<Vec<PlannedFor>>,
}

impl CoopFund {
    /// The amount set aside for an activity, in minor units.
    #[must_use]
    pub fn planned_for(&self, activity: &str) -> i64 {
        self.planned_for.0.iter().find(|one| one.activity == activity).map_or(0, |one| one.amount)
    }

    /// The fund with more, or less, of its planned part for an activity. The part itself moves with a
    /// [`FundMove`](super::FundMove).
    #[must_use]
    pub fn planning(&self, activity: &str, by: i64) -> Self {
        let amount = self.planned_for(activity).saturating_add(by);
        let mut planned = self.planned_for.0.clone();
        planned.retain(|one| one.activity != activity);
        if amount != 0 {
            planned.push(PlannedFor { activity: activity.to_owned(), amount });
            planned.sort_by(|one, other| one.activity.cmp(&other.activity));
        }
        Self { planned_for: Json(planned), ..self.clone() }
    }

    /// The fund without a plan.
    #[must_use]
    pub fn without_plan(&self) -> Self {
        Self { plan_id: None, planned_for: Json(Vec::new()), ..self.clone() }
    }

    /// The half-year.
    #[must_use]
    pub fn half(&self) -> HalfYear {
        HalfYear::of(self.half_year)
    }

    /// An amount in the currency of the fund.
    #[must_use]
    pub fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }

    /// The key of the ledger's accounts under the fund: what moves within a fund moves in the last month of its half-year.
    #[must_use]
    pub fn account_key(&self) -> RebateKey {
        let enrollment = EnrollmentKey { partner_id: self.partner_id, id: self.enrollment_id };
        RebateKey { enrollment, posted_in: self.last_month, currency: self.currency }
    }

    /// Whether a claim can be submitted on a day.
    #[must_use]
    pub fn takes_claims_on(&self, day: CalendarDate) -> bool {
        self.state == CoopFundState::Claimable && self.half().claims().contains(day)
    }

    /// The part of an amount that is given back: the time for claims decides whether somebody may still ask for it.
    #[must_use]
    pub const fn given_back_to(&self) -> FundPart {
        match self.state {
            CoopFundState::Ended => FundPart::Forfeited,
            CoopFundState::Estimated | CoopFundState::Claimable | CoopFundState::Converted => {
                FundPart::Remaining
            }
        }
    }

    /// The fund with more earned; none where an amount leaves its range.
    #[must_use]
    pub fn grown(&self, by: i64) -> Option<Self> {
        Some(Self {
            earned: self.earned.checked_add(by)?,
            claimable: self.claimable.checked_add(by)?,
            remaining: self.remaining.checked_add(by)?,
            ..self.clone()
        })
    }

    /// The fund after an amount has gone from one part to another; none where the part does not hold the amount. A fund below
    /// zero becomes rebate with its sign.
    #[must_use]
    pub fn moved(&self, amount: i64, from: FundPart, to: FundPart) -> Option<Self> {
        let mut after = self.clone();
        let left = after.part(from).checked_sub(amount)?;
        if to != FundPart::Converted && (amount < 0 || left < 0) {
            return None;
        }
        *after.part(from) = left;
        *after.part(to) = after.part(to).checked_add(amount)?;
        after.claimable = after.earned - after.converted;
        Some(after)
    }

    const fn part(&mut self, part: FundPart) -> &mut i64 {
        match part {
            FundPart::Remaining => &mut self.remaining,
            FundPart::Planned => &mut self.planned,
            FundPart::Committed => &mut self.committed,
            FundPart::Paid => &mut self.paid,
            FundPart::Forfeited => &mut self.forfeited,
            FundPart::Converted => &mut self.converted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_windows_of_half_years_are_those_worked_by_hand() {
        // Half-year of the postings, usage from and to, claims from and to; two leap years among them.
        let table = [
            ("2018-07", "2018-12", "2019-01-01", "2019-06-30", "2019-02-16", "2019-08-15"),
            ("2018-12", "2018-12", "2019-01-01", "2019-06-30", "2019-02-16", "2019-08-15"),
            ("2019-01", "2019-06", "2019-07-01", "2019-12-31", "2019-08-16", "2020-02-15"),
            ("2019-06", "2019-06", "2019-07-01", "2019-12-31", "2019-08-16", "2020-02-15"),
            ("2019-09", "2019-12", "2020-01-01", "2020-06-30", "2020-02-16", "2020-08-15"),
            ("2023-08", "2023-12", "2024-01-01", "2024-06-30", "2024-02-16", "2024-08-15"),
            ("2024-02", "2024-06", "2024-07-01", "2024-12-31", "2024-08-16", "2025-02-15"),
            ("2027-04", "2027-06", "2027-07-01", "2027-12-31", "2027-08-16", "2028-02-15"),
        ];
        for (month, last, used_from, used_to, claimed_from, claimed_to) in table {
            let half = HalfYear::of(month.parse().unwrap());
            let days = |period: Period| (period.from.to_string(), period.to.to_string());
            assert_eq!(half.last_month().to_string(), last, "{month}");
            assert_eq!(half.first_month().plus(5), half.last_month(), "{month}");
            assert_eq!(days(half.usage()), (used_from.into(), used_to.into()), "{month}");
            assert_eq!(days(half.claims()), (claimed_from.into(), claimed_to.into()), "{month}");
        }
    }

    fn fund(earned: i64) -> CoopFund {
        let (id, at) = (Id(uuid::Uuid::from_u128(1)), Timestamp::from_micros(0));
        let month: Month = "2018-07".parse().unwrap();
        CoopFund {
            id,
            partner_id: id,
            enrollment_id: id,
            half_year: month,
            last_month: month.plus(5),
            currency: Currency::USD,
            state: CoopFundState::Estimated,
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

    const PARTS: [FundPart; 6] = [
        FundPart::Remaining,
        FundPart::Planned,
        FundPart::Committed,
        FundPart::Paid,
        FundPart::Forfeited,
        FundPart::Converted,
    ];

    proptest! {
        #[test]
        fn the_parts_add_up_after_every_step(
            earned in -5000_i64..9000,
            steps in prop::collection::vec((0_usize..6, 0_usize..6, -500_i64..3000), 0..30),
        ) {
            let mut now = fund(earned);
            for (from, to, amount) in steps {
                if from != to && let Some(after) = now.moved(amount, PARTS[from], PARTS[to]) {
                    now = after;
                }
                let claimable = now.planned + now.committed + now.paid + now.forfeited + now.remaining;
                prop_assert_eq!(now.earned, now.converted + now.claimable);
                prop_assert_eq!(now.claimable, claimable);
                prop_assert!(now.planned >= 0 || now.converted != 0);
            }
        }
    }

    #[test]
    fn no_part_gives_more_than_it_holds() {
        let fund = fund(100);
        assert_eq!(fund.moved(101, FundPart::Remaining, FundPart::Committed), None);
        assert_eq!(fund.moved(-1, FundPart::Remaining, FundPart::Committed), None);
        let committed = fund.moved(100, FundPart::Remaining, FundPart::Committed).unwrap();
        assert_eq!((committed.remaining, committed.committed), (0, 100));
        assert_eq!(committed.moved(1, FundPart::Remaining, FundPart::Forfeited), None);
        let below = self::fund(-40).moved(-40, FundPart::Remaining, FundPart::Converted).unwrap();
        assert_eq!((below.converted, below.claimable, below.remaining), (-40, 0, 0));
    }
}
