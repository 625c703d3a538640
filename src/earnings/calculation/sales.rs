//! Which sales the calculation has not taken in yet, which it judges again, and what is known of purchases.

use super::model::Whose;
use crate::{
    access::Tx,
    earnings::engine::{Reason, Sale},
    participation::enrollments::EnrollmentKeys,
    platform::{
        Result,
        db::{native, types::Json},
        values::{CalendarDate, Country, Currency, Id, Money, Period},
    },
    schema::{counted_sales, earnings, ineligible_records, transaction_records, transactions},
};
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Bool, Date, Integer, Nullable},
};
use std::collections::{BTreeMap, HashMap};

/// How many ids a statement names at most.
const AT_ONCE: usize = 1000;

diesel::alias!(transaction_records as bought: Bought);

/// A sale, and the day of the purchase it is or takes back.
pub(super) type Dated = (Sale, CalendarDate);

type Columns = (
    Id,
    Option<Id>,
    CalendarDate,
    i64,
    Currency,
    String,
    Country,
    bool,
    String,
    String,
    bool,
    Option<CalendarDate>,
    Option<CalendarDate>,
    Option<String>,
);

/// Sales with what the levers ask about them: natively, since they are many.
macro_rules! sales {
    ($tx:expr, $asks_before:expr, $query:ident => $rest:expr) => {{
        let is_partner = sql::<Bool>("EXISTS (SELECT 1 FROM partner_numbers n WHERE n.mpn_id = transactions.customer_id)");
        let before = sql::<Nullable<Date>>(if $asks_before { BOUGHT_BEFORE } else { "CAST(NULL AS date)" });
        let purchase = bought
            .field(transaction_records::id)
            .nullable()
            .eq(transactions::original_transaction_id)
            .and(bought.field(transaction_records::partner_id).eq(transactions::partner_id));
        let $query = transactions::table.left_join(bought.on(purchase)).select((
            transactions::id,
            transactions::original_transaction_id,
            transactions::occurred_on,
            transactions::amount,
            transactions::currency,
            transactions::customer_id,
            transactions::customer_country,
            transactions::customer_public_sector,
            transactions::product,
            transactions::product_family,
            is_partner,
            before,
            bought.field(transaction_records::occurred_on).nullable(),
            bought.field(transaction_records::customer_id).nullable(),
        ));
        let rows: Vec<Columns> = native!($tx.conn, conn => $rest.load(conn)?);
        rows.into_iter().map(sale).collect::<Vec<Dated>>()
    }};
}

const BOUGHT_BEFORE: &str = "(SELECT b.occurred_on FROM transactions b WHERE b.partner_id = transactions.partner_id \
    AND b.customer_id = transactions.customer_id AND b.kind = 'purchase' \
    AND (b.occurred_on, b.id) < (transactions.occurred_on, transactions.id) \
    ORDER BY b.occurred_on DESC, b.id DESC LIMIT 1)";

fn sale(row: Columns) -> Dated {
    let (id, refund_of, occurred_on, minor, currency, customer, country, public_sector, product, family, ..) =
        &row;
    let sale = Sale {
        id: *id,
        refund_of: *refund_of,
        occurred_on: *occurred_on,
        amount: Money { minor: *minor, currency: *currency },
        // A refund takes back from whoever bought, under whatever number it is reported.
        customer: row.13.as_ref().unwrap_or(customer).clone(),
        country: *country,
        public_sector: *public_sector,
        customer_is_partner: row.10,
        product: product.clone(),
        product_family: family.clone(),
        bought_before_on: row.11,
    };
    let on = row.12.unwrap_or(sale.occurred_on);
    (sale, on)
}

/// Whose sales of a year: of which partner, program and program year, and the days of its versions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Year {
    pub partner_id: Id,
    pub program_id: Id,
    pub named: i32,
    pub days: Period,
    /// Whether a lever asks when the customer bought before.
    pub asks_before: bool,
}

/// Whether a sale has not been taken in by an enrollment of the year.
macro_rules! not_counted {
    ($year:expr) => {
        sql::<Bool>(
            "NOT EXISTS (SELECT 1 FROM enrollments e JOIN counted_sales c ON c.partner_id = e.partner_id \
             AND c.enrollment_id = e.id AND c.transaction_id = transactions.id WHERE e.partner_id = transactions.partner_id AND e.program_id = ",
        )
        .bind::<crate::platform::db::types::Guid, _>($year.program_id)
        .sql(" AND e.program_year = ")
        .bind::<Integer, _>($year.named)
        .sql(")")
    };
}

/// The first sales of the year that have not been taken in, from a day on: purchases by day with the refunds of the
/// year, then the refunds that came later.
pub(super) fn new(tx: &mut Tx<'_>, year: &Year, from: CalendarDate, limit: usize) -> Result<Vec<Dated>> {
    let Period { from: first, to } = year.days;
    let mut found = new_within(tx, year, from, limit)?;
    let left = limit - found.len();
    if left > 0 {
        found.extend(sales!(tx, year.asks_before, query => query
            .filter(transactions::partner_id.eq(year.partner_id))
            .filter(transactions::kind.eq("refund"))
            .filter(transactions::occurred_on.gt(to))
            .filter(bought.field(transaction_records::occurred_on).nullable().between(first, to).assume_not_null())
            .filter(not_counted!(year))
            .order((transactions::occurred_on, transactions::id))
            .limit(most(left))));
    }
    Ok(found)
}

/// The first of them that lie within the days of the year, purchase and refund.
pub(super) fn new_within(
    tx: &mut Tx<'_>,
    year: &Year,
    from: CalendarDate,
    limit: usize,
) -> Result<Vec<Dated>> {
    let Period { from: first, to } = year.days;
    let of_year = || bought.field(transaction_records::occurred_on).nullable().is_null();
    let in_year =
        || of_year().or(bought.field(transaction_records::occurred_on).nullable().between(first, to));
    Ok(sales!(tx, year.asks_before, query => query
        .filter(transactions::partner_id.eq(year.partner_id))
        .filter(transactions::occurred_on.between(first.max(from), to))
        .filter(in_year().assume_not_null())
        .filter(not_counted!(year))
        .order((transactions::occurred_on, transactions::kind, transactions::id))
        .limit(most(limit))))
}

/// The first of what was sold in a stretch of time, whoever has counted it.
pub(super) fn sold(
    tx: &mut Tx<'_>,
    partner: Id,
    days: Period,
    asks_before: bool,
    limit: usize,
) -> Result<Vec<Dated>> {
    Ok(sales!(tx, asks_before, query => query
        .filter(transactions::partner_id.eq(partner))
        .filter(transactions::occurred_on.between(days.from, days.to))
        .order((transactions::occurred_on, transactions::id))
        .limit(most(limit))))
}

fn most(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// These sales of a partner.
pub(super) fn of_ids(tx: &mut Tx<'_>, partner: Id, ids: &[Id], asks_before: bool) -> Result<Vec<Dated>> {
    let mut found = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        found.extend(sales!(tx, asks_before, query => query
            .filter(transactions::partner_id.eq(partner))
            .filter(transactions::id.eq_any(ids.to_vec()))));
    }
    Ok(found)
}

/// What lay below a purchase in its tier period when it came, by lever.
pub(super) type Offsets = BTreeMap<String, i64>;

/// By which enrollment each of these sales was counted, with the offsets kept; the newest where several did.
pub(super) fn counted(
    tx: &mut Tx<'_>,
    enrollments: EnrollmentKeys<'_>,
    ids: &[Id],
) -> Result<HashMap<Id, (Id, Offsets)>> {
    type Row = (Id, Id, Option<Json<Offsets>>);
    let mut found = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let query = counted_sales::table
            .filter(counted_sales::partner_id.eq(enrollments.partner_id))
            .filter(counted_sales::enrollment_id.eq_any(enrollments.ids.to_vec()))
            .filter(counted_sales::transaction_id.eq_any(ids.to_vec()))
            .order(counted_sales::enrollment_id)
            .select((counted_sales::transaction_id, counted_sales::enrollment_id, counted_sales::offsets));
        for (id, enrollment, offsets) in query.load::<Row>(tx.conn)? {
            found.insert(id, (enrollment, offsets.map(|offsets| offsets.0).unwrap_or_default()));
        }
    }
    Ok(found)
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
        let counted = transactions::id
            .eq(counted_sales::transaction_id)
            .and(transactions::partner_id.eq(counted_sales::partner_id));
        let refunds = counted_sales::table
            .inner_join(transactions::table.on(counted))
            .filter(counted_sales::partner_id.eq(whose.partner_id))
            .filter(counted_sales::enrollment_id.eq(whose.enrollment_id))
            .filter(transactions::original_transaction_id.eq_any(some.clone()).assume_not_null())
            .select((transactions::original_transaction_id.assume_not_null(), transactions::amount));
        for (purchase, minor) in refunds.load::<(Id, i64)>(tx.conn)? {
            *past.refunded.entry(purchase).or_default() += minor;
        }
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
