//! Purchases with their refunds, as the calculation counts them.

use super::{OutOfRange, Reason};
use crate::{
    participation::programs::LeverFilter,
    platform::values::{CalendarDate, Country, Currency, Id},
};

/// A purchase with all refunds of it that are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The transaction.
    pub id: Id,
    /// The day of the purchase, on which its refunds count too.
    pub on: CalendarDate,
    /// The customer's number at the seller.
    pub customer: String,
    /// The customer's country.
    pub country: Country,
    /// Whether the customer belongs to the public sector.
    pub public_sector: bool,
    /// Whether the customer is a partner itself.
    pub customer_is_partner: bool,
    /// The product's code (SKU).
    pub product: String,
    /// The code of the product's family.
    pub product_family: String,
    /// The currency of the purchase and its refunds.
    pub currency: Currency,
    /// The amount bought, in minor units; above zero.
    pub amount: i64,
    /// The refunds, in the order of their dates, sources and external ids.
    pub refunds: Vec<Refund>,
}

/// A refund of a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The transaction.
    pub id: Id,
    /// The amount taken back, in minor units; below zero.
    pub amount: i64,
}

/// A purchase, or a refund of it, with what was left of the purchase after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct AfterRefund {
    /// The transaction.
    pub transaction: Id,
    /// Minor units left of the purchase.
    pub net: i64,
}

impl Purchase {
    /// Minor units left of the purchase after all of its refunds.
    pub fn net(&self) -> Result<i64, OutOfRange> {
        let mut net = self.amount;
        for refund in &self.refunds {
            net = net.checked_add(refund.amount).ok_or(OutOfRange)?;
        }
        Ok(net)
    }

    /// Whether the purchase passes a lever's filter.
    #[must_use]
    pub fn passes(&self, filter: &LeverFilter) -> bool {
        self.barred_by(filter).is_none()
    }

    /// The part of a lever's filter that the purchase does not pass.
    pub(super) fn barred_by(&self, filter: &LeverFilter) -> Option<Reason> {
        let lacks = |list: &Option<Vec<String>>, value: &String| {
            list.as_ref().is_some_and(|list| !list.contains(value))
        };
        let customers = &filter.customers;
        if self.customer_is_partner && !customers.partners {
            Some(Reason::CustomerIsPartner)
        } else if self.public_sector && !customers.public_sector {
            Some(Reason::CustomerPublicSector)
        } else if customers.countries.as_ref().is_some_and(|list| !list.contains(&self.country)) {
            Some(Reason::CustomerCountry)
        } else if lacks(&filter.products, &self.product)
            || lacks(&filter.product_families, &self.product_family)
        {
            Some(Reason::ProductNotEligible)
        } else {
            None
        }
    }

    /// The purchase, then each of its refunds.
    pub(super) fn stages(&self) -> impl Iterator<Item = AfterRefund> {
        let first = AfterRefund { transaction: self.id, net: self.amount };
        let refunds = self.refunds.iter().scan(self.amount, |net, refund| {
            *net = net.saturating_add(refund.amount);
            Some(AfterRefund { transaction: refund.id, net: *net })
        });
        std::iter::once(first).chain(refunds)
    }
}
