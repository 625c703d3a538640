//! The rules that look at sales.

use super::{
    model::{Case, Gap, Ground, Sale, Turnover},
    rules::{Ruling, reach},
};
use crate::{
    platform::values::{CalendarDate, Money},
    sales::transactions::TransactionKind,
};

/// At least one purchase on or before the day that is not wholly refunded by it.
pub(super) fn first_transaction(case: Case<'_>) -> Ruling<'_> {
    let refunds = Refunds::of(case.facts.sales);
    let kept_on = |day| {
        let purchases = case.facts.sales.iter().filter(|sale| sale.kind == TransactionKind::Purchase);
        let begun = purchases.filter(move |sale| sale.occurred_on <= day);
        begun.map(|sale| (sale, refunds.whole_on(sale))).filter(move |(_, end)| day < *end)
    };
    match kept_on(case.as_of).min_by_key(|(sale, _)| (sale.occurred_on, sale.id)) {
        Some((first, _)) => {
            let until = reach(case.as_of, |day| kept_on(day).map(|(_, end)| end).max().unwrap_or(day));
            Ruling::met(Ground::Purchase(first), until)
        }
        None => Ruling::unmet(Gap::NoPurchase),
    }
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

/// Purchases minus refunds of the window that ends on the day reach the amount. Sales in another currency
/// than the amount's are left out: the engine knows no exchange rates.
pub(super) fn trailing_revenue(case: Case<'_>, days: u32, needed: Money, kept: bool) -> Ruling<'_> {
    if kept {
        return Ruling::met(Ground::RevenueKept, CalendarDate::MAX);
    }
    let window = Window { sales: case.facts.sales, days: i32::try_from(days).unwrap_or(i32::MAX), needed };
    let reached = window.total_on(case.as_of);
    let bound = i128::from(i64::MAX);
    let minor = i64::try_from(reached.clamp(-bound, bound)).unwrap_or_default();
    let turnover = Turnover { days, reached: Money { minor, ..needed }, needed };
    if reached < i128::from(needed.minor) {
        return Ruling::unmet(Gap::Revenue(turnover));
    }
    Ruling::met(Ground::Revenue(turnover), window.falls_short_on(case.as_of, reached))
}

/// The sales of a trailing window.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) sales: &'a [Sale],
    pub(super) days: i32,
    pub(super) needed: Money,
}

impl<'a> Window<'a> {
    /// The sales in the currency asked for that lie in the window ending on a day.
    pub(super) fn on(self, day: CalendarDate) -> impl Iterator<Item = &'a Sale> {
        let before = day.plus_days(-self.days);
        self.after(before).filter(move |sale| sale.occurred_on <= day)
    }

    fn after(self, before: CalendarDate) -> impl Iterator<Item = &'a Sale> {
        let Self { sales, needed, .. } = self;
        sales.iter().filter(move |s| s.amount.currency == needed.currency && before < s.occurred_on)
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
