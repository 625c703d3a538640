//! Co-op funds in the database.

use super::{CoopFund, CoopFundState, api::CoopFundFilter};
use crate::{
    access::{PartnerKey, Scope, Tx},
    ledger::accounting::store::AT_ONCE,
    network::partners::{in_scope, is_narrow},
    participation::enrollments::in_program,
    platform::{
        Error, Result,
        db::{MultiBackend, insert_many, upsert_many},
        http::{PageRequest, keyset, matches_value, unindexed},
        values::{Id, Month},
    },
    schema::coop_funds,
};
use diesel::{dsl::sql, prelude::*, sql_types::Bool, upsert::excluded};

/// The most funds that are read at once.
const PAGE: i64 = 1000;

fn visible(scope: Scope) -> coop_funds::BoxedQuery<'static, MultiBackend> {
    in_scope!(coop_funds::table.into_boxed(), coop_funds::partner_id, scope)
}

fn matching(
    tx: &mut Tx<'_>,
    filter: &CoopFundFilter,
) -> Result<coop_funds::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let scope = tx.scope();
    let narrow = is_narrow(scope, [partner, filter.enrollment_id]);
    let mut query = visible(scope);
    if let Some(id) = partner {
        query = query.filter(coop_funds::partner_id.eq(id));
    }
    if let Some(id) = filter.enrollment_id {
        query = query.filter(coop_funds::enrollment_id.eq(id));
    }
    let mut query = in_program!(query, coop_funds, &filter.program);
    if let Some(state) = filter.state {
        query = matches_value!(query, coop_funds::state, state, narrow || filter.half_year.is_some());
    }
    if let Some(currency) = filter.currency {
        query = query.filter(coop_funds::currency.eq(currency));
    }
    if let Some(month) = filter.half_year {
        return Ok(matches_value!(query, coop_funds::half_year, month, narrow));
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<CoopFundFilter>) -> Result<Vec<CoopFund>> {
    let query = matching(tx, &page.filter)?.select(CoopFund::as_select());
    Ok(keyset!(query, page, coop_funds, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &CoopFundFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// A fund that the unit may see.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<CoopFund> {
    let query = visible(tx.scope()).filter(coop_funds::id.eq(id)).select(CoopFund::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("co-op fund", "Co-op 資金"))
}

/// A fund that the unit may see, with its partner locked.
pub fn to_change(tx: &mut Tx<'_>, id: Id) -> Result<CoopFund> {
    let fund = get(tx, id)?;
    if tx.lock_partner(fund.partner_id)?.may_be_stale() { get(tx, id) } else { Ok(fund) }
}

/// The funds with these ids, which belong to these partners.
pub(super) fn many(tx: &mut Tx<'_>, partners: &[Id], ids: &[Id]) -> Result<Vec<CoopFund>> {
    let mut found = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        let query = coop_funds::table
            .filter(coop_funds::partner_id.eq_any(partners.to_vec()))
            .filter(unindexed!(coop_funds::id).eq_any(some.to_vec()));
        found.extend(query.select(CoopFund::as_select()).load(tx.conn)?);
    }
    Ok(found)
}

/// The funds of a partner's enrollments from some half-years.
pub(super) fn of_enrollments(
    tx: &mut Tx<'_>,
    partner: Id,
    enrollments: &[Id],
    half_years: &[Month],
) -> Result<Vec<CoopFund>> {
    let query = coop_funds::table
        .filter(coop_funds::partner_id.eq(partner))
        .filter(coop_funds::enrollment_id.eq_any(enrollments.to_vec()))
        .filter(coop_funds::half_year.eq_any(half_years.to_vec()));
    Ok(query.select(CoopFund::as_select()).load(tx.conn)?)
}

/// The funds of partners that are looked at together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FundRange {
    /// Those that still grow or from which activities are claimed.
    Open,
    /// All.
    All,
}

/// The funds of these partners, the oldest half-year first.
pub fn of_partners(tx: &mut Tx<'_>, partners: &[Id], range: FundRange) -> Result<Vec<CoopFund>> {
    let query = coop_funds::table
        .filter(coop_funds::partner_id.eq_any(partners.to_vec()))
        .into_boxed::<MultiBackend>();
    let query = match range {
        FundRange::Open => query.filter(sql::<Bool>(&is_open())),
        FundRange::All => query,
    };
    let order =
        (coop_funds::partner_id, coop_funds::half_year, coop_funds::enrollment_id, coop_funds::currency);
    Ok(query.order(order).select(CoopFund::as_select()).load(tx.conn)?)
}

/// The condition "open", spelled as the partial index has it: with bound parameters the index is not used.
fn is_open() -> String {
    format!("state IN ('{}', '{}')", CoopFundState::Estimated, CoopFundState::Claimable)
}

/// Writes funds: new ones, and the next revisions of those on record.
pub(super) fn put(tx: &mut Tx<'_>, new: &[CoopFund], changed: &[CoopFund]) -> Result<()> {
    use crate::schema::coop_funds as f;
    insert_many!(tx.conn, f::table, new);
    upsert_many!(
        tx.conn,
        f::table,
        changed,
        (f::partner_id, f::id),
        (
            (f::state.eq(excluded(f::state)), f::earned.eq(excluded(f::earned))),
            (f::converted.eq(excluded(f::converted)), f::claimable.eq(excluded(f::claimable))),
            (f::planned.eq(excluded(f::planned)), f::committed.eq(excluded(f::committed))),
            (f::paid.eq(excluded(f::paid)), f::forfeited.eq(excluded(f::forfeited))),
            (f::remaining.eq(excluded(f::remaining)), f::converted_in.eq(excluded(f::converted_in))),
            (f::reminded_days.eq(excluded(f::reminded_days)), f::as_of.eq(excluded(f::as_of))),
            (f::updated_at.eq(excluded(f::updated_at)), f::revision.eq(excluded(f::revision))),
            (f::plan_id.eq(excluded(f::plan_id)), f::planned_for.eq(excluded(f::planned_for))),
        )
    );
    Ok(())
}

/// The first fund whose amounts for planned activities are not its planned part; the funds are read page by page.
pub fn first_misplanned(tx: &mut Tx<'_>) -> Result<Option<Id>> {
    let mut after: Option<Id> = None;
    loop {
        let mut query = coop_funds::table.filter(coop_funds::planned.ne(0)).into_boxed::<MultiBackend>();
        if let Some(after) = after {
            query = query.filter(coop_funds::id.gt(after));
        }
        let query = query.order(coop_funds::id).limit(PAGE).select(CoopFund::as_select());
        let page: Vec<CoopFund> = query.load(tx.conn)?;
        let planned = |fund: &CoopFund| fund.planned_for.0.iter().map(|one| one.amount).sum::<i64>();
        if let Some(fund) = page.iter().find(|fund| planned(fund) != fund.planned) {
            return Ok(Some(fund.id));
        }
        let Some(last) = page.last() else { return Ok(None) };
        after = Some(last.id);
    }
}

/// Notes that the admins of these funds' partners were reminded so many days before the end.
pub fn note_reminders(tx: &mut Tx<'_>, funds: &[&CoopFund], days: i32) -> Result<()> {
    let mut partners: Vec<Id> = funds.iter().map(|fund| fund.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    let ids: Vec<Id> = funds.iter().map(|fund| fund.id).collect();
    let these = coop_funds::table
        .filter(coop_funds::partner_id.eq_any(partners))
        .filter(unindexed!(coop_funds::id).eq_any(ids));
    diesel::update(these)
        .set((
            coop_funds::reminded_days.eq(Some(days)),
            coop_funds::updated_at.eq(tx.now),
            coop_funds::revision.eq(coop_funds::revision + 1),
        ))
        .execute(tx.conn)?;
    Ok(())
}
