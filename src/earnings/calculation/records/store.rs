//! Earnings and ineligible records in the database, as they are listed.

use super::{
    earnings_api::EarningFilter,
    ineligible_api::IneligibleFilter,
    model::{EarningRow, IneligibleRow},
};
use crate::{
    access::{PartnerKey, Scope, Tx},
    network::partners::{in_scope, is_narrow},
    participation::{
        enrollments::{self, EnrollmentKeys, in_program, of_enrollment, of_one},
        programs::{self, ProgramVersion},
    },
    platform::{
        Error, Result,
        db::{MultiBackend, native, types::Guid},
        http::{PageRequest, keyset, matches_value, unindexed},
        values::{Currency, Id, Month},
    },
    sales::transactions::{
        backlog::{CalculationCause, Since, Waiting},
        seller_of,
    },
    schema::{earnings, ineligible_records},
};
use diesel::{
    dsl::sql,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Date},
};
use std::collections::HashMap;

/// Restricts a boxed query to what comes of a purchase. A statement of its own looks up the seller, who leads to the index.
macro_rules! of_purchase {
    ($tx:expr, $query:expr, $table:ident, $id:expr) => {{
        let seller = seller_of($tx, $id)?;
        of_one!($query.filter($table::purchase_id.eq($id).assume_not_null()), $table, seller)
    }};
}

/// The filters that earnings and ineligible records share.
macro_rules! shared {
    ($tx:expr, $query:expr, $table:ident, $filter:expr) => {{
        let partner = PartnerKey::asked_for($filter.partner_id.as_ref(), $tx)?;
        let narrow = is_narrow($tx.scope(), [partner, $filter.enrollment_id, $filter.purchase_id]);
        let mut query = in_program!($query, $table, &$filter.program);
        if let Some(id) = partner {
            query = query.filter($table::partner_id.eq(id));
        }
        if let Some(id) = $filter.enrollment_id {
            query = of_enrollment!($tx, query, $table, id);
        }
        if let Some(lever) = &$filter.lever {
            query = query.filter($table::lever.eq(lever.clone()));
        }
        if let Some(id) = $filter.purchase_id {
            query = of_purchase!($tx, query, $table, id);
        }
        if let Some(customer) = &$filter.customer_id {
            query = query.filter($table::customer_id.eq(customer.clone()).assume_not_null());
        }
        if let Some(month) = $filter.earned_in {
            query = matches_value!(query, $table::earned_in, month, narrow);
        }
        query
    }};
}

fn visible(scope: Scope) -> earnings::BoxedQuery<'static, MultiBackend> {
    in_scope!(earnings::table.into_boxed(), earnings::partner_id, scope)
}

fn matching(tx: &mut Tx<'_>, filter: &EarningFilter) -> Result<earnings::BoxedQuery<'static, MultiBackend>> {
    let mut query = shared!(tx, visible(tx.scope()), earnings, filter);
    if let Some(currency) = filter.currency {
        query = query.filter(earnings::currency.eq(currency));
    }
    if let Some(from) = filter.from {
        query = query.filter(earnings::posted_in.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(earnings::posted_in.le(to));
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<EarningFilter>) -> Result<Vec<EarningRow>> {
    let query = matching(tx, &page.filter)?.select(EarningRow::as_select());
    Ok(keyset!(query, page, earnings, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &EarningFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// An earning that the unit may see.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<EarningRow> {
    let query = visible(tx.scope()).filter(earnings::id.eq(id)).select(EarningRow::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("earning", "獲得額"))
}

/// What is posted to some enrollments for some months, by currency: the amount, its rebate part and its co-op part.
pub(in crate::earnings::calculation) fn posted(
    tx: &mut Tx<'_>,
    enrolled: EnrollmentKeys<'_>,
    months: impl IntoIterator<Item = Month>,
) -> Result<Vec<(Currency, [i64; 3])>> {
    let months: Vec<Month> = months.into_iter().collect();
    let query = earnings::table
        .filter(earnings::partner_id.eq(enrolled.partner_id))
        .filter(earnings::enrollment_id.eq_any(enrolled.ids.to_vec()))
        .filter(unindexed!(earnings::earned_in).eq_any(months))
        .group_by(earnings::currency)
        .select((
            earnings::currency,
            sql::<BigInt>("CAST(SUM(amount) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(rebate) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(coop) AS BIGINT)"),
        ));
    let sums: Vec<(Currency, i64, i64, i64)> = query.load(tx.conn)?;
    Ok(sums.into_iter().map(|(currency, amount, rebate, coop)| (currency, [amount, rebate, coop])).collect())
}

fn visible_records(scope: Scope) -> ineligible_records::BoxedQuery<'static, MultiBackend> {
    in_scope!(ineligible_records::table.into_boxed(), ineligible_records::partner_id, scope)
}

fn matching_records(
    tx: &mut Tx<'_>,
    filter: &IneligibleFilter,
) -> Result<ineligible_records::BoxedQuery<'static, MultiBackend>> {
    let mut query = shared!(tx, visible_records(tx.scope()), ineligible_records, filter);
    if let Some(code) = &filter.code {
        query = query.filter(ineligible_records::code.eq(code.clone()));
    }
    if let Some(curable) = filter.curable {
        query = query.filter(ineligible_records::curable.eq(curable));
    }
    match filter.cured {
        Some(true) => query = query.filter(ineligible_records::cured_at.is_not_null()),
        Some(false) => query = query.filter(ineligible_records::cured_at.is_null()),
        None => {}
    }
    if let Some(from) = filter.from {
        query = query.filter(unindexed!(ineligible_records::earned_in).ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(unindexed!(ineligible_records::earned_in).le(to));
    }
    Ok(query)
}

pub(super) fn list_records(
    tx: &mut Tx<'_>,
    page: &PageRequest<IneligibleFilter>,
) -> Result<Vec<IneligibleRow>> {
    let query = matching_records(tx, &page.filter)?.select(IneligibleRow::as_select());
    Ok(keyset!(query, page, ineligible_records, newest).load(tx.conn)?)
}

pub(super) fn count_records(tx: &mut Tx<'_>, filter: &IneligibleFilter) -> Result<i64> {
    Ok(matching_records(tx, filter)?.count().get_result(tx.conn)?)
}

/// An ineligible record that the unit may see.
pub fn get_record(tx: &mut Tx<'_>, id: Id) -> Result<IneligibleRow> {
    let query = visible_records(tx.scope()).filter(ineligible_records::id.eq(id));
    let found = query.select(IneligibleRow::as_select()).get_result(tx.conn);
    found.optional()?.ok_or(Error::not_found("ineligible record", "対象外の記録"))
}

/// Of each enrollment its program, and of that program every published version: two statements. The enrollments of a
/// list may be of many partners.
pub fn terms_of(tx: &mut Tx<'_>, enrolled: &[Id]) -> Result<HashMap<(Id, i32), (String, ProgramVersion)>> {
    let of = enrollments::programs_of(tx, enrolled)?;
    let mut ids: Vec<Id> = of.iter().map(|(_, program)| program.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let versions = programs::published_versions(tx, ids)?;
    let mut terms = HashMap::new();
    for (enrollment, program) in of {
        for version in versions.iter().filter(|version| version.program_id == program.id) {
            terms.insert((enrollment, version.version), (program.code.clone(), version.clone()));
        }
    }
    Ok(terms)
}

/// The records of sales, and of months, that wait for an exchange rate; as the partial indexes say it.
const SALES: &str = "code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NOT NULL";
const MONTHS: &str = "code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NULL";

/// The partners that rates of a month concern, each with the first day that waits: because of sales of that month, or because
/// of a later month that is compared with that one.
pub(in crate::earnings::calculation) fn waiting_for_rates(
    tx: &mut Tx<'_>,
    month: Month,
) -> Result<Vec<Waiting>> {
    #[derive(QueryableByName)]
    struct Waiter {
        #[diesel(sql_type = Guid)]
        partner_id: Id,
        #[diesel(sql_type = Date)]
        first: Month,
    }
    let query = format!(
        "SELECT partner_id, MIN(earned_in) AS first FROM ( \
            SELECT DISTINCT partner_id, earned_in FROM ineligible_records WHERE {SALES} AND earned_in = $1 \
            UNION ALL SELECT partner_id, earned_in FROM ineligible_records WHERE {MONTHS} AND earned_in >= $1 \
        ) waiting GROUP BY partner_id"
    );
    let found: Vec<Waiter> = native!(tx.conn, conn => sql_query(query).bind::<Date, _>(month).load(conn)?);
    let waiting = |waiter: Waiter| Waiting {
        partner_id: waiter.partner_id,
        since: Since::Day(waiter.first.first_day()),
        cause: CalculationCause::Rate,
    };
    Ok(found.into_iter().map(waiting).collect())
}
