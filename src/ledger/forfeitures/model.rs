//! The loss of rebates that nobody can pay: the rules, and what is announced; no I/O, no clock, no HTTP.

use crate::{
    ledger::accounting::{PaymentThreshold, Rebate, RebateReason, RebateState},
    platform::values::{CalendarDate, Currency, Id, Money, Timestamp, text_enum},
    schema::forfeitures,
};
use diesel::prelude::*;
use std::collections::BTreeMap;

/// The days for which a rebate may be held for the partner's profiles.
pub const HELD_DAYS: i32 = 180;
/// The days between the notice and the loss.
pub const NOTICE_DAYS: i32 = 30;

text_enum! {
    /// The rule by which rebates are lost.
    pub enum ForfeitureCause {
        /// The rebates waited for the partner's profiles for over 180 days.
        HeldTooLong = "held_too_long",
        /// The payable sum was below the payment threshold when the program year had ended.
        BelowThreshold = "below_threshold",
    }
}

text_enum! {
    /// The state of a forfeiture.
    pub enum ForfeitureState {
        /// The partner is told, and can avert the loss.
        Announced = "announced",
        /// The rebates are payable, paid or held for another reason: nothing is lost.
        Averted = "averted",
        /// The rebates are lost.
        Forfeited = "forfeited",
    }
}

/// What a forfeiture is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForfeitureKey {
    /// The enrollment of the rebates.
    pub enrollment_id: Id,
    /// The currency of the rebates.
    pub currency: Currency,
    /// The rule.
    pub cause: ForfeitureCause,
    /// The day from which the rule counts: the day the hold began, or the last day of the program year.
    pub counts_from: CalendarDate,
}

/// Rebates of an enrollment in one currency that are lost on a day, unless the partner averts the loss.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = forfeitures, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Forfeiture {
    /// UUID of version 7.
    pub id: Id,
    /// The partner of the enrollment.
    pub partner_id: Id,
    /// The enrollment of the rebates.
    pub enrollment_id: Id,
    /// The currency of the rebates.
    pub currency: Currency,
    /// The rule by which the rebates are lost.
    pub cause: ForfeitureCause,
    /// The day from which the rule counts: the day the hold began, or the last day of the program year.
    pub counts_from: CalendarDate,
    /// The amount that was announced, or that is lost, in minor units.
    pub amount: i64,
    /// The state of the forfeiture.
    pub state: ForfeitureState,
    /// The day the partner was told.
    pub announced_on: CalendarDate,
    /// The first day on which the rebates are lost.
    pub forfeits_on: CalendarDate,
    /// The day the rebates were lost, or the loss was averted.
    pub ended_on: Option<CalendarDate>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record.
    pub revision: i64,
}

impl Forfeiture {
    /// What the forfeiture is about.
    #[must_use]
    pub fn key(&self) -> ForfeitureKey {
        ForfeitureKey {
            enrollment_id: self.enrollment_id,
            currency: self.currency,
            cause: self.cause,
            counts_from: self.counts_from,
        }
    }

    /// The amount that was announced, or that is lost.
    #[must_use]
    pub fn money(&self) -> Money {
        Money { minor: self.amount, currency: self.currency }
    }
}

/// Rebates that a rule is about to take, or takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What the forfeiture is about.
    pub key: ForfeitureKey,
    /// The partner of the enrollment.
    pub partner_id: Id,
    /// The rebates; those below zero lessen the loss.
    pub rebates: Vec<Rebate>,
    /// Whether the rebates could be lost today: the rule's time is over, and nothing can come to them any more.
    pub is_ripe: bool,
}

impl Candidate {
    /// The amount in minor units, above zero.
    #[must_use]
    pub fn amount(&self) -> i64 {
        self.rebates.iter().map(|rebate| rebate.amount().minor).sum()
    }

    /// The first day on which the rebates are lost, where the partner is told today.
    #[must_use]
    pub fn forfeits_on(&self, today: CalendarDate) -> CalendarDate {
        let by_rule = match self.key.cause {
            ForfeitureCause::HeldTooLong => self.key.counts_from.plus_days(HELD_DAYS + 1),
            ForfeitureCause::BelowThreshold => self.key.counts_from.plus_days(1),
        };
        by_rule.max(today.plus_days(NOTICE_DAYS))
    }
}

/// What an enrollment is about to lose in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpcomingLoss {
    /// The amount of every announced forfeiture.
    pub amount: Money,
    /// The first day on which something is lost.
    pub from: CalendarDate,
    /// The rule of the first loss.
    pub cause: ForfeitureCause,
}

impl UpcomingLoss {
    /// The loss of an enrollment in a currency, of those that are announced; none where nothing is announced.
    #[must_use]
    pub fn of(announced: &[Forfeiture], enrollment: Id, currency: Currency) -> Option<Self> {
        let own = || announced.iter().filter(|it| (it.enrollment_id, it.currency) == (enrollment, currency));
        let first = own().min_by_key(|it| it.forfeits_on)?;
        let minor = own().map(|it| it.amount).sum();
        Some(Self { amount: Money { minor, currency }, from: first.forfeits_on, cause: first.cause })
    }
}

/// The end of the program year of an enrollment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YearEnd {
    /// The last day of the program year.
    pub last_day: CalendarDate,
    /// Whether the last month of the program year is closed.
    pub is_closed: bool,
}

/// The rebates of some enrollments that a rule takes, or takes within the days of the notice. `rebates` are those that accrue
/// or wait to be paid.
#[must_use]
pub fn candidates(
    rebates: &[Rebate],
    today: CalendarDate,
    year_end: impl Fn(Id) -> Option<YearEnd>,
    threshold: impl Fn(Id, Currency) -> Option<PaymentThreshold>,
) -> Vec<Candidate> {
    let mut beside: BTreeMap<(Id, Currency), Beside> = BTreeMap::new();
    for rebate in rebates {
        let of_enrollment = beside.entry((rebate.enrollment_id, rebate.currency)).or_default();
        of_enrollment.is_held_by_hand |= rebate.state_reason.is_some_and(RebateReason::is_by_hand);
        of_enrollment.accrues |= rebate.state == RebateState::Accruing;
    }
    let mut found: BTreeMap<ForfeitureKey, Candidate> = BTreeMap::new();
    for rebate in rebates {
        let of_enrollment = beside.get(&(rebate.enrollment_id, rebate.currency)).copied().unwrap_or_default();
        let Some((cause, counts_from, is_ripe)) = rule(rebate, of_enrollment, today, &year_end) else {
            continue;
        };
        let (enrollment_id, currency) = (rebate.enrollment_id, rebate.currency);
        let key = ForfeitureKey { enrollment_id, currency, cause, counts_from };
        let none = || Candidate { key, partner_id: rebate.partner_id, rebates: Vec::new(), is_ripe };
        found.entry(key).or_insert_with(none).rebates.push(rebate.clone());
    }
    let is_lost = |candidate: &Candidate| {
        let (key, amount) = (candidate.key, candidate.amount());
        amount > 0
            && match key.cause {
                ForfeitureCause::HeldTooLong => true,
                ForfeitureCause::BelowThreshold => {
                    let threshold = threshold(key.enrollment_id, key.currency);
                    threshold.and_then(PaymentThreshold::known).is_some_and(|least| amount < least.minor)
                }
            }
    };
    found.into_values().filter(is_lost).collect()
}

/// What stands beside a rebate: the rebates of its enrollment in its currency.
#[derive(Clone, Copy, Debug, Default)]
struct Beside {
    /// Whether one is held by hand: it may be released, and then counts towards the threshold.
    is_held_by_hand: bool,
    /// Whether one still grows.
    accrues: bool,
}

/// The rule that may take a rebate, the day from which the rule counts, and whether the rule's time is over.
fn rule(
    rebate: &Rebate,
    beside: Beside,
    today: CalendarDate,
    year_end: impl Fn(Id) -> Option<YearEnd>,
) -> Option<(ForfeitureCause, CalendarDate, bool)> {
    match rebate.state {
        RebateState::OnHold => {
            let since = rebate
                .state_since
                .filter(|_| rebate.state_reason.is_some_and(RebateReason::is_the_partners_turn))?;
            let held = since.days_until(today);
            let near = held > HELD_DAYS - NOTICE_DAYS;
            near.then_some((ForfeitureCause::HeldTooLong, since, held > HELD_DAYS))
        }
        RebateState::Payable => {
            let YearEnd { last_day, is_closed } = year_end(rebate.enrollment_id)?;
            if today.days_until(last_day) > NOTICE_DAYS || beside.is_held_by_hand {
                return None;
            }
            let is_ripe = is_closed && last_day < today && !beside.accrues;
            Some((ForfeitureCause::BelowThreshold, last_day, is_ripe))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
