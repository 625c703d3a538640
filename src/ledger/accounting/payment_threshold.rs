//! The payment threshold, asked here and nowhere else: whether the payable rebates of an enrollment reach the threshold,
//! at the rate of the payment month.

use super::{
    RebateReason, fx_rates,
    store::{self, PayableRebate},
};
use crate::{
    access::Tx,
    participation::{enrollments, programs::PaymentTerms},
    platform::{
        Result, amounts,
        values::{Currency, ExchangeRates, Id, Leftover, Money, Month},
    },
};
use std::collections::HashMap;

/// The payment threshold of an enrollment in the currency of its rebates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentThreshold {
    /// The least amount that is paid.
    Known(Money),
    /// The payment month has no rate that converts the threshold of the program version.
    RateMissing,
}

impl PaymentThreshold {
    /// The threshold in the rebates' currency.
    #[must_use]
    pub fn known(self) -> Option<Money> {
        match self {
            Self::Known(threshold) => Some(threshold),
            Self::RateMissing => None,
        }
    }
}

/// The wait of payable rebates for the next payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentWait {
    /// The payable sum is below the threshold.
    Below {
        /// The amount missing to the threshold.
        missing: Money,
    },
    /// Nobody can tell: the payment month has no rate for the threshold.
    RateMissing,
}

impl PaymentWait {
    /// The reason that the rebates show.
    #[must_use]
    pub fn reason(self) -> RebateReason {
        match self {
            Self::Below { .. } => RebateReason::BelowPaymentThreshold,
            Self::RateMissing => RebateReason::PaymentRateMissing,
        }
    }

    /// The amount missing to the threshold, where the threshold is known.
    #[must_use]
    pub fn missing(self) -> Option<Money> {
        match self {
            Self::Below { missing } => Some(missing),
            Self::RateMissing => None,
        }
    }
}

/// The payable rebates of an enrollment in one currency, beside the payment threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentStanding {
    /// The sum of the payable rebates of all months, rebates below zero included; none where no rebate is payable.
    pub payable: Option<Money>,
    /// The payment threshold.
    pub threshold: PaymentThreshold,
}

impl PaymentStanding {
    /// The wait of the payable rebates; none where no rebate is payable, or the payable sum meets or exceeds the
    /// threshold.
    #[must_use]
    pub fn wait(self) -> Option<PaymentWait> {
        let payable = self.payable?;
        match self.threshold {
            PaymentThreshold::RateMissing => Some(PaymentWait::RateMissing),
            PaymentThreshold::Known(threshold) if payable.minor < threshold.minor => {
                let minor = threshold.minor.saturating_sub(payable.minor);
                Some(PaymentWait::Below { missing: Money { minor, ..threshold } })
            }
            PaymentThreshold::Known(_) => None,
        }
    }
}

/// The thresholds of enrollments, at the rates of one payment month.
pub struct PaymentThresholds {
    /// By enrollment, in the currency of the program version.
    least: HashMap<Id, Money>,
    month: Month,
    rates: ExchangeRates,
}

impl PaymentThresholds {
    /// The thresholds of these enrollments for a payment in a month.
    pub fn load(tx: &mut Tx<'_>, enrolled: &[Id], month: Month) -> Result<Self> {
        let least = |terms: PaymentTerms| Money { minor: terms.payment_threshold, currency: terms.currency };
        let terms = enrollments::payment_terms_of(tx, enrolled)?;
        let rates = fx_rates::rates(tx, month.period())?;
        Ok(Self { least: terms.into_iter().map(|(id, terms)| (id, least(terms))).collect(), month, rates })
    }

    /// The threshold of one of the enrollments in a currency; none of an enrollment that is not among them.
    #[must_use]
    pub fn of(&self, enrollment: Id, currency: Currency) -> Option<PaymentThreshold> {
        let least = *self.least.get(&enrollment)?;
        // Nothing is nothing in every currency.
        let converted = if least.minor == 0 {
            Some(0)
        } else {
            self.rates.convert(self.month, least, currency, Leftover::Up)
        };
        let known = |minor| PaymentThreshold::Known(threshold_of(minor, currency));
        Some(converted.map_or(PaymentThreshold::RateMissing, known))
    }
}

/// A threshold of so many minor units. A threshold that no amount can hold is met by none.
pub(super) fn threshold_of(minor: i128, currency: Currency) -> Money {
    Money { minor: i64::try_from(minor).unwrap_or(i64::MAX), currency }
}

/// The payable sums and the thresholds of enrollments.
pub struct PaymentStandings {
    payable: HashMap<(Id, Currency), i64>,
    /// For the month in which the payable rebates are paid.
    thresholds: PaymentThresholds,
}

impl PaymentStandings {
    /// The standing of one of the enrollments in a currency; none of an enrollment that is not among them.
    #[must_use]
    pub fn of(&self, enrollment: Id, currency: Currency) -> Option<PaymentStanding> {
        let threshold = self.thresholds.of(enrollment, currency)?;
        let payable = self.payable.get(&(enrollment, currency)).copied();
        Some(PaymentStanding { payable: payable.map(|minor| Money { minor, currency }), threshold })
    }
}

/// The payable sums and the thresholds of these enrollments, which belong to these partners. A constant number of
/// statements, however many there are.
pub fn payment_standings(tx: &mut Tx<'_>, partners: &[Id], enrolled: &[Id]) -> Result<PaymentStandings> {
    let mut payable: HashMap<(Id, Currency), i64> = HashMap::new();
    for PayableRebate { enrollment_id, currency, minor } in store::payable(tx, partners)? {
        amounts::add(payable.entry((enrollment_id, currency)).or_default(), minor)?;
    }
    let month = store::months(tx)?.payment_month(tx.today());
    Ok(PaymentStandings { payable, thresholds: PaymentThresholds::load(tx, enrolled, month)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(minor: i64) -> Money {
        Money { minor, currency: Currency::USD }
    }

    #[test]
    fn a_payable_sum_meets_the_threshold_or_waits() {
        let wait = |payable: Option<i64>, threshold| {
            PaymentStanding { payable: payable.map(dollars), threshold }.wait()
        };
        let threshold = PaymentThreshold::Known(dollars(20_000));
        let below = |missing| Some(PaymentWait::Below { missing: dollars(missing) });
        assert_eq!(wait(Some(20_000), threshold), None);
        assert_eq!(wait(Some(19_999), threshold), below(1));
        assert_eq!(wait(Some(0), threshold), below(20_000));
        assert_eq!(wait(Some(-12_000), threshold), below(32_000));
        assert_eq!(wait(None, threshold), None);
        assert_eq!(wait(Some(50_000), PaymentThreshold::RateMissing), Some(PaymentWait::RateMissing));
        assert_eq!(wait(None, PaymentThreshold::RateMissing), None);
    }
}
