//! The rules that look at sales.

use super::{
    facts::Sale,
    model::{Account, Case, Ruling},
    rules::reach,
    view::EligibilityEvidence,
    words::EligibilityCode as Code,
};
use crate::{
    platform::values::{CalendarDate, Money},
    sales::transactions::TransactionKind,
    text,
};
use std::cmp::Reverse;

/// How many sales a check names at most: enough to start from, where a year of sales would flood it.
const MOST: usize = 20;

/// At least one purchase on or before the day that is not wholly refunded by it.
pub(super) fn first_transaction(case: Case<'_>) -> Ruling {
    let refunds = Refunds::of(case.facts.sales);
    let kept_on = |day| {
        let purchases = case.facts.sales.iter().filter(|sale| sale.kind == TransactionKind::Purchase);
        let begun = purchases.filter(move |sale| sale.occurred_on <= day);
        begun.map(|sale| (sale, refunds.whole_on(sale))).filter(move |(_, end)| day < *end)
    };
    let first = kept_on(case.as_of).map(|(sale, _)| sale).min_by_key(|sale| (sale.occurred_on, sale.id));
    let Some(first) = first else {
        let account = || {
            let day = case.as_of;
            Account::of(text!(
                "No purchase up to {day} that is not wholly refunded.",
                "{day} までに、全額返品されていない購入がありません。"
            ))
            .mended_by(text!(
                "Complete a first sale; it counts from its day on: POST /v1/transactions",
                "最初の販売を行い、報告してください。販売日から有効になります：POST /v1/transactions"
            ))
        };
        return Ruling::unmet(Code::FirstTransactionMissing, case.tell(account));
    };
    let until = reach(case.as_of, |day| kept_on(day).map(|(_, end)| end).max().unwrap_or(day));
    let account = || {
        let (amount, day) = (first.amount, first.occurred_on);
        Account::of(text!(
            "The purchase of {amount} on {day} counts.",
            "{day} の {amount} の購入により満たされています。"
        ))
        .resting_on([first.into()])
    };
    Ruling::met(until, case.tell(account))
}

/// The refunds, by the purchase they take back, then by day.
struct Refunds<'a>(Vec<&'a Sale>);

impl<'a> Refunds<'a> {
    fn of(sales: &'a [Sale]) -> Self {
        let mut refunds: Vec<&Sale> =
            sales.iter().filter(|sale| sale.kind == TransactionKind::Refund).collect();
        refunds.sort_unstable_by_key(|sale| (sale.original_id, sale.occurred_on));
        Self(refunds)
    }

    /// The day from which nothing of the purchase is left; [`CalendarDate::MAX`] where something stays.
    fn whole_on(&self, purchase: &Sale) -> CalendarDate {
        let first = self.0.partition_point(|refund| refund.original_id < Some(purchase.id));
        let mut left = i128::from(purchase.amount.minor);
        self.0
            .iter()
            .skip(first)
            .take_while(|refund| refund.original_id == Some(purchase.id))
            .find(|refund| {
                left += i128::from(refund.amount.minor);
                left <= 0
            })
            .map_or(CalendarDate::MAX, |last| last.occurred_on)
    }
}

/// Purchases minus refunds of the window that ends on the day reach the amount. Sales in another currency than the amount's
/// are left out: the engine knows no exchange rates. Where `kept`, a partner that is enrolled on the day, or was on the
/// eve of it, keeps the rule.
pub(super) fn trailing_revenue(case: Case<'_>, days: u32, needed: Money, kept: bool) -> Ruling {
    let day = case.as_of;
    let window = Window { sales: case.facts.sales, days: i32::try_from(days).unwrap_or(i32::MAX), needed };
    let kept_until = |day: CalendarDate| {
        let enrolled = case.facts.enrolled.iter().filter(|_| kept);
        let keeping = enrolled.filter(|days| days.from <= day && day <= days.to.plus_days(1));
        keeping.map(|days| days.to.plus_days(2)).max()
    };
    let until = || {
        reach(day, |day| {
            let total = window.total_on(day);
            let reached = (i128::from(needed.minor) <= total).then(|| window.falls_short_on(day, total));
            kept_until(day).max(reached).unwrap_or(day)
        })
    };
    if kept_until(day).is_some() {
        let account = || {
            Account::of(text!(
                "An enrolled partner keeps the revenue it was enrolled with.",
                "参加中のパートナーには、参加時の売上が引き続き適用されます。"
            ))
        };
        return Ruling::met(until(), case.tell(account));
    }
    let total = window.total_on(day);
    if i128::from(needed.minor) <= total {
        let account = || {
            let reached = window.shown(total);
            Account::of(text!(
                "{reached} in the {days} days to {day} reach the {needed} asked.",
                "{day} までの {days} 日間の売上 {reached} は、基準額 {needed} に達しています。"
            ))
            .resting_on(window.evidence(day))
        };
        return Ruling::met(until(), case.tell(account));
    }
    let account = || {
        let reached = window.shown(total);
        let missing = Money { minor: needed.minor.saturating_sub(reached.minor), ..needed };
        let message = text!(
            "{reached} of {needed} reached in the {days} days to {day}; {missing} missing.",
            "{day} までの {days} 日間の売上は {reached} で、基準額 {needed} に {missing} 不足しています。"
        );
        Account::of(message)
            .mended_by(text!(
                "Reach {missing} more within {days} days: POST /v1/transactions",
                "{days} 日以内に、さらに {missing} の売上を達成してください：POST /v1/transactions"
            ))
            .resting_on(window.evidence(day))
    };
    Ruling::unmet(Code::RevenueThresholdNotMet, case.tell(account))
}

/// The sales of a trailing window.
#[derive(Clone, Copy)]
struct Window<'a> {
    sales: &'a [Sale],
    days: i32,
    needed: Money,
}

impl<'a> Window<'a> {
    /// The sales in the currency asked for that lie in the window ending on a day.
    fn on(self, day: CalendarDate) -> impl Iterator<Item = &'a Sale> {
        let before = day.plus_days(-self.days);
        self.after(before).filter(move |sale| sale.occurred_on <= day)
    }

    fn after(self, before: CalendarDate) -> impl Iterator<Item = &'a Sale> {
        let Self { sales, needed, .. } = self;
        sales.iter().filter(move |s| s.amount.currency == needed.currency && before < s.occurred_on)
    }

    /// A total as an amount, as far as one can be written.
    fn shown(self, total: i128) -> Money {
        let bound = i128::from(i64::MAX);
        Money { minor: i64::try_from(total.clamp(-bound, bound)).unwrap_or_default(), ..self.needed }
    }

    /// The latest sales of the window.
    fn evidence(self, day: CalendarDate) -> Vec<EligibilityEvidence> {
        let mut sales: Vec<&Sale> = self.on(day).collect();
        sales.sort_unstable_by_key(|sale| (Reverse(sale.occurred_on), sale.id));
        sales.into_iter().take(MOST).map(EligibilityEvidence::from).collect()
    }

    fn total_on(self, day: CalendarDate) -> i128 {
        self.on(day).map(|sale| i128::from(sale.amount.minor)).sum()
    }

    /// Follows the total from a day on: a sale enters on its day and leaves when the window has passed it.
    fn falls_short_on(self, day: CalendarDate, total: i128) -> CalendarDate {
        let mut moves: Vec<(CalendarDate, i128)> = Vec::new();
        for sale in self.after(day.plus_days(-self.days)) {
            let minor = i128::from(sale.amount.minor);
            if day < sale.occurred_on {
                moves.push((sale.occurred_on, minor));
            }
            moves.push((sale.occurred_on.plus_days(self.days), -minor));
        }
        moves.sort_unstable();
        let mut total = total;
        for of_one_day in moves.chunk_by(|a, b| a.0 == b.0) {
            total += of_one_day.iter().map(|(_, minor)| minor).sum::<i128>();
            if let (true, Some((short_on, _))) = (total < i128::from(self.needed.minor), of_one_day.first()) {
                return *short_on;
            }
        }
        CalendarDate::MAX
    }
}
