//! Ineligible records that stand and that something may mend; which of them it can by now. Those that wait for a rate
//! that is not published are summed, never gone through.

use super::model::Whose;
use crate::{
    access::Tx,
    earnings::engine::Reason,
    participation::{enrollments::EnrollmentKeys, programs::ProgramVersion},
    platform::{
        Result,
        db::{native, types::Guid},
        values::{CalendarDate, Currency, ExchangeRates, Id, Month},
    },
    sales::transactions::backlog::{self, Since},
    schema::{ineligible_months, ineligible_records},
};
use diesel::{
    dsl::sql,
    prelude::*,
    sql_query,
    sql_types::{Bool, Date},
};
use std::collections::BTreeSet;

/// An ineligible record that stands and can be mended.
#[derive(Clone, Debug, Queryable)]
pub(super) struct OpenRecord {
    pub id: Id,
    pub partner_id: Id,
    pub enrollment_id: Id,
    pub version: i32,
    pub lever: String,
    /// None where it is about a month.
    pub transaction_id: Option<Id>,
    pub earned_in: Month,
    pub code: String,
}

// As the partial indexes say it.
const BY_DAYS: &str = "cured_at IS NULL AND code <> 'exchange_rate_missing'";
const BY_RATES: &str = "code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NOT NULL";
const MONTHS: &str = "code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NULL";

/// A partner with sales that wait for a rate.
#[derive(QueryableByName)]
struct Waiter {
    #[diesel(sql_type = Guid)]
    partner_id: Id,
    #[diesel(sql_type = Date)]
    first: Month,
}

/// The partners that wait for rates of a month, each with the first day that waits: because of sales of that month, or
/// because of a later month that is compared with that one.
pub(super) fn waiting_for_rates(tx: &mut Tx<'_>, month: Month) -> Result<Vec<backlog::Waiting>> {
    let query = format!(
        "SELECT partner_id, MIN(earned_in) AS first FROM ( \
            SELECT DISTINCT partner_id, earned_in FROM ineligible_records WHERE {BY_RATES} AND earned_in = $1 \
            UNION ALL SELECT partner_id, earned_in FROM ineligible_records WHERE {MONTHS} AND earned_in > $1 \
        ) waiting GROUP BY partner_id"
    );
    let found: Vec<Waiter> = native!(tx.conn, conn => sql_query(query).bind::<Date, _>(month).load(conn)?);
    let waiting = |waiter: Waiter| backlog::Waiting {
        partner_id: waiter.partner_id,
        since: Since::Day(waiter.first.first_day()),
    };
    Ok(found.into_iter().map(waiting).collect())
}

/// The columns of a record.
macro_rules! columns {
    () => {
        (
            ineligible_records::id,
            ineligible_records::partner_id,
            ineligible_records::enrollment_id,
            ineligible_records::version,
            ineligible_records::lever,
            ineligible_records::transaction_id,
            ineligible_records::earned_in,
            ineligible_records::code,
        )
    };
}

/// The days of the purchases behind records that stand and that days can mend.
pub(super) fn days(tx: &mut Tx<'_>, enrollments: EnrollmentKeys<'_>) -> Result<Vec<CalendarDate>> {
    let query = ineligible_records::table
        .filter(ineligible_records::partner_id.eq(enrollments.partner_id))
        .filter(ineligible_records::enrollment_id.eq_any(enrollments.ids.to_vec()))
        .filter(ineligible_records::curable.eq(true))
        .filter(sql::<Bool>(BY_DAYS))
        .select(ineligible_records::bought_on)
        .distinct()
        .order(ineligible_records::bought_on);
    Ok(query.load::<Option<CalendarDate>>(tx.conn)?.into_iter().flatten().collect())
}

/// The first records that days now good mend.
pub(super) fn on_days(
    tx: &mut Tx<'_>,
    enrollments: EnrollmentKeys<'_>,
    good: &[CalendarDate],
    limit: i64,
) -> Result<Vec<OpenRecord>> {
    let good: Vec<Option<CalendarDate>> = good.iter().copied().map(Some).collect();
    if good.is_empty() {
        return Ok(Vec::new());
    }
    let query = ineligible_records::table
        .filter(ineligible_records::partner_id.eq(enrollments.partner_id))
        .filter(ineligible_records::enrollment_id.eq_any(enrollments.ids.to_vec()))
        .filter(ineligible_records::curable.eq(true))
        .filter(ineligible_records::bought_on.eq_any(good).assume_not_null())
        .filter(sql::<Bool>(BY_DAYS))
        .order((ineligible_records::bought_on, ineligible_records::transaction_id))
        .limit(limit)
        .select(columns!());
    Ok(query.load(tx.conn)?)
}

/// Sales of a month that wait, in some books, for the rate of a currency to that of their version.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub(super) struct Waiting {
    pub version: i32,
    pub lever: String,
    pub month: Month,
    pub currency: Currency,
}

/// What waits for a rate in the books of these enrollments: as many rows as levers, months and currencies.
pub(super) fn waiting(tx: &mut Tx<'_>, enrollments: EnrollmentKeys<'_>) -> Result<Vec<Waiting>> {
    let by = (
        ineligible_months::version,
        ineligible_months::lever,
        ineligible_months::earned_in,
        ineligible_months::currency,
    );
    let query = ineligible_months::table
        .filter(ineligible_months::partner_id.eq(enrollments.partner_id))
        .filter(ineligible_months::enrollment_id.eq_any(enrollments.ids.to_vec()))
        .filter(ineligible_months::code.eq(Reason::ExchangeRateMissing.code()))
        .group_by(by)
        .having(sql::<Bool>("SUM(records) > SUM(cured)"))
        .select(by);
    Ok(query.load(tx.conn)?)
}

/// The first records of a partner's enrollments that rates published by now mend: a statement for each month and
/// currency whose rate has come.
pub(super) fn with_rates(
    tx: &mut Tx<'_>,
    enrollments: EnrollmentKeys<'_>,
    versions: &[ProgramVersion],
    rates: &ExchangeRates,
    limit: i64,
) -> Result<Vec<OpenRecord>> {
    let mut come = BTreeSet::new();
    for Waiting { version, month, currency, .. } in waiting(tx, enrollments)? {
        let to = versions.iter().find(|it| it.version == version).map(|it| it.currency);
        // What waits in the version's own currency is a month, not a sale.
        if to.is_some_and(|to| to != currency && rates.knows(month, currency, to)) {
            come.insert((month, currency, version));
        }
    }
    let mut found: Vec<OpenRecord> = Vec::new();
    for (month, currency, version) in come {
        let left = limit - i64::try_from(found.len()).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
        let query = ineligible_records::table
            .filter(ineligible_records::partner_id.eq(enrollments.partner_id))
            .filter(ineligible_records::earned_in.eq(month))
            .filter(ineligible_records::currency.eq(currency).assume_not_null())
            .filter(ineligible_records::version.eq(version))
            .filter(ineligible_records::enrollment_id.eq_any(enrollments.ids.to_vec()))
            .filter(sql::<Bool>(BY_RATES))
            .order((ineligible_records::bought_on, ineligible_records::transaction_id))
            .limit(left)
            .select(columns!());
        found.extend(query.load::<OpenRecord>(tx.conn)?);
    }
    Ok(found)
}

/// The months of some books that wait for the rate of a month they are compared with.
pub(super) fn months(tx: &mut Tx<'_>, whose: Whose) -> Result<Vec<OpenRecord>> {
    let query = ineligible_records::table
        .filter(ineligible_records::partner_id.eq(whose.partner_id))
        .filter(ineligible_records::enrollment_id.eq(whose.enrollment_id))
        .filter(ineligible_records::version.eq(whose.version))
        .filter(sql::<Bool>(MONTHS))
        .select(columns!());
    Ok(query.load(tx.conn)?)
}
