//! What the payments of a group are together: how many, how much, and a mark by which the same payments are known again.

use super::model::Payment;
use crate::platform::values::Currency;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The most digits a control sum can have.
const MOST: i128 = 999_999_999_999_999_999;

/// The total of some payments, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Total {
    count: u64,
    /// In minor units.
    sum: i128,
    seen: DefaultHasher,
}

impl Total {
    pub(super) fn add(&mut self, payment: &Payment) {
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(i128::from(payment.amount.minor));
        payment.hash(&mut self.seen);
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The sum in a currency, as a decimal number.
    pub(super) fn sum(&self, currency: Currency) -> String {
        decimal(self.sum, currency.digits())
    }

    /// Whether both are the same payments in the same order.
    pub(super) fn is_of_the_payments_of(&self, other: &Self) -> bool {
        self.count == other.count && self.sum == other.sum && self.seen.finish() == other.seen.finish()
    }

    /// The sum of several totals, whatever their currencies; none where it has more digits than a file can say.
    pub(super) fn control_sum<'t>(
        totals: impl Iterator<Item = (&'t Self, Currency)> + Clone,
    ) -> Option<String> {
        let digits = totals.clone().map(|(_, currency)| currency.digits()).max().unwrap_or_default();
        let scaled = totals.map(|(total, currency)| {
            total.sum.checked_mul(10_i128.checked_pow(digits.checked_sub(currency.digits())?)?)
        });
        let sum = scaled.reduce(|sum, next| sum?.checked_add(next?)).unwrap_or(Some(0))?;
        (-MOST..=MOST).contains(&sum).then(|| decimal(sum, digits))
    }
}

fn decimal(minor: i128, digits: u32) -> String {
    let digits = digits as usize;
    let sign = if minor < 0 { "-" } else { "" };
    let units = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = units.split_at(units.len() - digits);
    let point = if digits > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{fraction}")
}
