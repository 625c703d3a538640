//! Which sales the calculation has not taken in yet, which it judges again, and what is known of purchases.

use super::model::Whose;
use crate::{
    access::Tx,
    earnings::engine::{Reason, Sale},
    platform::{
        Result,
        values::{CalendarDate, Id, Money},
    },
    sales::transactions::{self, SalesOfYear, Sold},
    schema::{earnings, ineligible_records},
};
use diesel::prelude::*;
use std::collections::HashMap;

/// How many ids a statement names at most.
const AT_ONCE: usize = 1000;

/// A sale, and the day of the purchase it is or takes back.
pub(super) type Dated = (Sale, CalendarDate);

fn dated(sold: Sold) -> Dated {
    let on = sold.purchase_on.unwrap_or(sold.occurred_on);
    let sale = Sale {
        id: sold.id,
        refund_of: sold.refund_of,
        occurred_on: sold.occurred_on,
        amount: Money { minor: sold.minor, currency: sold.currency },
        // A refund takes back from whoever bought, under whatever number it is reported.
        customer: sold.purchase_customer_id.unwrap_or(sold.customer_id),
        country: sold.customer_country,
        public_sector: sold.customer_public_sector,
        customer_is_partner: sold.customer_is_partner,
        product: sold.product,
        product_family: sold.product_family,
        bought_before_on: sold.bought_before_on,
    };
    (sale, on)
}

/// The first sales of the year that have not been taken in, from a day on: purchases by day with the refunds of the
/// year, then the refunds that came later.
pub(super) fn new(
    tx: &mut Tx<'_>,
    year: &SalesOfYear,
    from: CalendarDate,
    limit: usize,
) -> Result<Vec<Dated>> {
    Ok(transactions::uncounted(tx, year, from, limit)?.into_iter().map(dated).collect())
}

/// The first of them that lie within the days of the year, purchase and refund.
pub(super) fn new_within(tx: &mut Tx<'_>, year: &SalesOfYear, limit: usize) -> Result<Vec<Dated>> {
    let found = transactions::uncounted_within(tx, year, year.days.from, limit)?;
    Ok(found.into_iter().map(dated).collect())
}

/// The first of what was sold in the days of the year, whoever has counted it.
pub(super) fn sold(tx: &mut Tx<'_>, year: &SalesOfYear, limit: usize) -> Result<Vec<Dated>> {
    Ok(transactions::sold(tx, year, limit)?.into_iter().map(dated).collect())
}

/// These sales of a partner.
pub(super) fn of_ids(tx: &mut Tx<'_>, partner: Id, ids: &[Id], asks_before: bool) -> Result<Vec<Dated>> {
    Ok(transactions::sold_as(tx, partner, ids, asks_before)?.into_iter().map(dated).collect())
}

/// What the books hold of purchases, by lever.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The refunds taken in, by purchase.
    pub refunded: HashMap<Id, i64>,
    /// What is posted, by purchase and lever.
    pub posted: HashMap<(Id, String), i64>,
    /// What caps cut off.
    pub cut: HashMap<(Id, String), i64>,
    /// Why the purchase itself does not earn.
    pub barred: HashMap<(Id, String), Reason>,
}

/// What the books of an enrollment hold of these purchases.
pub(super) fn past(tx: &mut Tx<'_>, whose: Whose, purchases: &[Id]) -> Result<Past> {
    let mut past = Past::default();
    for ids in purchases.chunks(AT_ONCE) {
        let some: Vec<Option<Id>> = ids.iter().copied().map(Some).collect();
        let counted = transactions::counted_refunds(tx, whose.counting(&[whose.enrollment_id]), ids)?;
        past.refunded.extend(counted);
        let posted = earnings::table
            .filter(earnings::partner_id.eq(whose.partner_id))
            .filter(earnings::purchase_id.eq_any(some.clone()).assume_not_null())
            .filter(earnings::enrollment_id.eq(whose.enrollment_id))
            .select((earnings::purchase_id.assume_not_null(), earnings::lever, earnings::amount));
        for (purchase, lever, minor) in posted.load::<(Id, String, i64)>(tx.conn)? {
            *past.posted.entry((purchase, lever)).or_default() += minor;
        }
        let records = ineligible_records::table
            .filter(ineligible_records::partner_id.eq(whose.partner_id))
            .filter(ineligible_records::purchase_id.eq_any(some).assume_not_null())
            .filter(ineligible_records::enrollment_id.eq(whose.enrollment_id))
            .filter(ineligible_records::cured_at.is_null())
            .select((
                ineligible_records::purchase_id.assume_not_null(),
                ineligible_records::transaction_id.assume_not_null(),
                ineligible_records::lever,
                ineligible_records::code,
                ineligible_records::capped,
            ));
        for (purchase, sale, lever, code, capped) in
            records.load::<(Id, Id, String, String, Option<i64>)>(tx.conn)?
        {
            let reason = Reason::of(&code);
            if let Some(minor) = capped {
                *past.cut.entry((purchase, lever)).or_default() += minor;
            } else if sale == purchase && reason.bars() {
                past.barred.insert((purchase, lever), reason);
            }
        }
    }
    Ok(past)
}
