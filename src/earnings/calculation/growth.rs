//! Growth: what months are compared with. It is posted when everything that was reported is taken in, once for a partner
//! in a run, from sums the database makes; nobody goes through the sales of the years before.

use super::{
    curable::{self, OpenRecord, Waiting},
    model::Whose,
};
use crate::{
    access::Tx,
    earnings::engine::{Books, Facts, Outcome, Terms},
    participation::programs::{GrowthBaseline, Lever, LeverFilter, ProgramVersion},
    platform::{
        Result,
        values::{CalendarDate, Currency, Id, Money, Month, Period},
    },
    schema::transactions,
};
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool},
};
use std::collections::BTreeMap;

diesel::alias!(transactions as taken_back: TakenBack);

/// Whether a version has a lever that pays growth.
pub(super) fn grows(version: &ProgramVersion) -> bool {
    version.levers.0.iter().any(|lever| matches!(lever, Lever::Growth { .. }))
}

/// Notes in opened books which of their months hold sales that wait for a rate. Gives the records of the months that
/// wait because of what they are compared with.
pub(super) fn open(tx: &mut Tx<'_>, whose: Whose, books: &mut Books) -> Result<Vec<OpenRecord>> {
    for Waiting { version, lever, month, currency } in
        curable::waiting(tx, whose.enrollments(&[whose.enrollment_id]))?
    {
        if version == whose.version {
            books.note_waiting(&lever, month, currency);
        }
    }
    curable::months(tx, whose)
}

/// Posts what the months in the books have grown by. Two statements for each lever that looks back.
pub(super) fn post(
    tx: &mut Tx<'_>,
    partner: Id,
    version: &ProgramVersion,
    facts: &Facts,
    books: &mut Books,
) -> Result<Vec<Outcome>> {
    let mut facts = facts.clone();
    for lever in version.levers.0.iter().filter(|lever| books.has_months(lever)) {
        let Some(back) = looks_back(lever) else { continue };
        let from = version.effective_from;
        let days = Period { from: from.plus_months(-back).first_of_month(), to: from.plus_days(-1) };
        for ((month, currency), minor) in sold(tx, partner, days, lever.applies_to())? {
            let sums = facts.history.entry((lever.code().to_owned(), month)).or_default();
            sums.push(Money { minor, currency });
        }
    }
    Ok(books.post_growth(&Terms::from(version), &facts))
}

/// How many months back a lever compares, where it does.
fn looks_back(lever: &Lever) -> Option<i32> {
    match lever {
        Lever::Growth { baseline: GrowthBaseline::SameMonthLastYear {}, .. } => Some(12),
        Lever::Growth { baseline: GrowthBaseline::TrailingAverage { months }, .. } => {
            i32::try_from(*months).ok()
        }
        _ => None,
    }
}

/// Sums by day and currency of the sales a lever earns on; a refund is judged by its purchase.
macro_rules! by_day {
    ($query:expr, $filter:expr, $sum:literal) => {{
        let LeverFilter { products, product_families, customers } = $filter;
        let any = |list: bool| list.into_sql::<Bool>();
        let sold_to_partner =
            "EXISTS (SELECT 1 FROM partner_numbers n WHERE n.mpn_id = transactions.customer_id)";
        let (countries, listed) = (customers.countries.is_none(), customers.countries.clone());
        $query
            .filter(any(customers.public_sector).or(transactions::customer_public_sector.eq(false)))
            .filter(any(customers.partners).or(sql::<Bool>("NOT ").sql(sold_to_partner)))
            .filter(any(countries).or(transactions::customer_country.eq_any(listed.unwrap_or_default())))
            .filter(
                any(products.is_none())
                    .or(transactions::product.eq_any(products.clone().unwrap_or_default())),
            )
            .filter(
                any(product_families.is_none())
                    .or(transactions::product_family.eq_any(product_families.clone().unwrap_or_default())),
            )
            .group_by((transactions::occurred_on, transactions::currency))
            .select((transactions::occurred_on, transactions::currency, sql::<BigInt>($sum)))
    }};
}

/// What a partner sold between two days that passes a filter, less what was taken back of it at any time: by month and
/// currency, in minor units.
fn sold(
    tx: &mut Tx<'_>,
    partner: Id,
    days: Period,
    filter: &LeverFilter,
) -> Result<BTreeMap<(Month, Currency), i64>> {
    type Row = (CalendarDate, Currency, i64);
    let bought = transactions::table
        .filter(transactions::partner_id.eq(partner))
        .filter(transactions::occurred_on.between(days.from, days.to))
        .filter(transactions::kind.eq("purchase"));
    let bought = by_day!(bought, filter, "CAST(SUM(transactions.amount) AS BIGINT)");
    let mut rows: Vec<Row> = bought.load(tx.conn)?;
    let of = taken_back
        .field(transactions::original_transaction_id)
        .eq(transactions::id.nullable())
        .and(taken_back.field(transactions::partner_id).eq(transactions::partner_id));
    let refunds = transactions::table
        .inner_join(taken_back.on(of))
        .filter(transactions::partner_id.eq(partner))
        .filter(transactions::occurred_on.between(days.from, days.to));
    let refunds = by_day!(refunds, filter, "CAST(SUM(taken_back.amount) AS BIGINT)");
    rows.extend(refunds.load::<Row>(tx.conn)?);
    let mut sums = BTreeMap::new();
    for (day, currency, minor) in rows {
        *sums.entry((Month::of(day), currency)).or_default() += minor;
    }
    sums.retain(|_, minor| *minor != 0);
    Ok(sums)
}
