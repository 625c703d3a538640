//! The plans in the database.

use super::{
    api::CoopPlanFilter,
    model::{Plan, PlanState},
};
use crate::{
    access::{PartnerKey, Scope, Tx},
    network::partners::{in_scope, is_narrow},
    participation::enrollments::in_program,
    platform::{
        Error, Result,
        db::{MultiBackend, upsert_many},
        http::{PageRequest, keyset, matches_value, unindexed},
        values::Id,
    },
    schema::coop_plans,
    slice::Measure,
};
use diesel::{
    dsl::{exists, sql},
    prelude::*,
    select,
    sql_types::Bool,
    upsert::excluded,
};

/// The most plans that one statement names.
const AT_ONCE: usize = 1000;

fn visible(scope: Scope) -> coop_plans::BoxedQuery<'static, MultiBackend> {
    in_scope!(coop_plans::table.into_boxed(), coop_plans::partner_id, scope)
}

fn matching(
    tx: &mut Tx<'_>,
    filter: &CoopPlanFilter,
) -> Result<coop_plans::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let scope = tx.scope();
    let mut query = visible(scope);
    if let Some(id) = partner {
        query = query.filter(coop_plans::partner_id.eq(id));
    }
    let mut query = in_program!(query, coop_plans, &filter.program);
    let narrow = is_narrow(scope, [partner]);
    if let Some(id) = filter.fund_id {
        query = matches_value!(query, coop_plans::fund_id, id, narrow);
    }
    if let Some(state) = filter.state {
        query = matches_value!(query, coop_plans::state, state, narrow || filter.fund_id.is_some());
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<CoopPlanFilter>) -> Result<Vec<Plan>> {
    let query = matching(tx, &page.filter)?.select(Plan::as_select());
    Ok(keyset!(query, page, coop_plans, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &CoopPlanFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// A plan that the unit may see.
pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<Plan> {
    let query = visible(tx.scope()).filter(coop_plans::id.eq(id)).select(Plan::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("co-op plan", "Co-op 計画"))
}

/// A plan that the unit may see, with its partner locked.
pub(super) fn to_change(tx: &mut Tx<'_>, id: Id) -> Result<Plan> {
    let plan = get(tx, id)?;
    if tx.lock_partner(plan.partner_id)?.may_be_stale() { get(tx, id) } else { Ok(plan) }
}

/// The plans of these funds, which belong to these partners, that are not over.
pub(super) fn live(tx: &mut Tx<'_>, partners: &[Id], funds: &[Id]) -> Result<Vec<Plan>> {
    let mut found = Vec::new();
    for some in funds.chunks(AT_ONCE) {
        let query = coop_plans::table
            .filter(coop_plans::partner_id.eq_any(partners.to_vec()))
            .filter(unindexed!(coop_plans::fund_id).eq_any(some.to_vec()))
            .filter(sql::<Bool>(&is_live()));
        found.extend(query.select(Plan::as_select()).load(tx.conn)?);
    }
    Ok(found)
}

/// The condition "live", spelled as the partial index has it: with bound parameters the index is not used.
fn is_live() -> String {
    let live = PlanState::ALL.iter().filter(|state| state.is_live()).map(|state| format!("'{state}'"));
    format!("state IN ({})", live.collect::<Vec<_>>().join(", "))
}

pub(super) fn insert(tx: &mut Tx<'_>, plan: &Plan) -> Result<()> {
    diesel::insert_into(coop_plans::table).values(plan).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, plan: &Plan) -> Result<()> {
    let key = (plan.partner_id, plan.id);
    diesel::update(coop_plans::table.find(key)).set(plan).execute(tx.conn)?;
    Ok(())
}

/// Writes the next revisions of plans whose funds are over.
pub(super) fn update_ended(tx: &mut Tx<'_>, plans: &[Plan]) -> Result<()> {
    use crate::schema::coop_plans as p;
    upsert_many!(
        tx.conn,
        p::table,
        plans,
        (p::partner_id, p::id),
        (
            p::state.eq(excluded(p::state)),
            p::updated_at.eq(excluded(p::updated_at)),
            p::revision.eq(excluded(p::revision)),
        )
    );
    Ok(())
}

pub(super) fn refers_to(tx: &mut Tx<'_>, partner: Id) -> Result<bool> {
    Ok(select(exists(coop_plans::table.filter(coop_plans::partner_id.eq(partner)))).get_result(tx.conn)?)
}

/// The numbers of plans for monitors.
pub(super) fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let waiting = coop_plans::table.filter(coop_plans::state.eq(PlanState::Submitted));
    let waiting: i64 = waiting.count().get_result(tx.conn)?;
    Ok(vec![Measure::of("coop_plans_to_approve", "Co-op plans that wait for an operator", waiting)])
}
