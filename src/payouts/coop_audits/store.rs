//! The audits and the draws in the database.

use super::{
    api::CoopAuditFilter,
    model::{CoopAudit, CoopAuditState, CoopDraw},
};
use crate::{
    access::{PartnerKey, Scope, Tx},
    network::partners::{in_scope, is_narrow},
    participation::programs::{ProgramKey, id_of_code},
    platform::{
        Error, Result,
        db::MultiBackend,
        http::{PageRequest, keyset, matches_value, unindexed},
        values::{Id, Month},
    },
    schema::{coop_audit_draws, coop_audits},
    slice::Measure,
};
use diesel::{
    dsl::{exists, not},
    prelude::*,
    select,
};

/// The most claims that one statement names.
const AT_ONCE: usize = 1000;

fn visible(scope: Scope) -> coop_audits::BoxedQuery<'static, MultiBackend> {
    in_scope!(coop_audits::table.into_boxed(), coop_audits::partner_id, scope)
}

fn matching(
    tx: &mut Tx<'_>,
    filter: &CoopAuditFilter,
) -> Result<coop_audits::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let scope = tx.scope();
    let mut query = visible(scope);
    if let Some(id) = partner {
        query = query.filter(coop_audits::partner_id.eq(id));
    }
    let narrow = is_narrow(scope, [partner]);
    if let Some(id) = filter.claim_id {
        query = matches_value!(query, coop_audits::claim_id, id, narrow);
    }
    let narrow = narrow || filter.claim_id.is_some();
    if let Some(state) = filter.state {
        query = matches_value!(query, coop_audits::state, state, narrow);
    }
    let narrow = narrow || filter.state.is_some();
    if let Some(month) = filter.month {
        query = matches_value!(query, coop_audits::month, month, narrow);
    }
    query = match &filter.program {
        Some(ProgramKey::Id(id)) => query.filter(coop_audits::program_id.eq(*id)),
        Some(ProgramKey::Code(code)) => {
            query.filter(coop_audits::program_id.eq_any(id_of_code(code.clone())))
        }
        None => query,
    };
    if let Some(is_overdue) = filter.overdue {
        let is_open = unindexed!(coop_audits::state).eq(CoopAuditState::Requested);
        let is_late = unindexed!(coop_audits::due_on).lt(tx.today());
        query = if is_overdue {
            query.filter(is_open.and(is_late))
        } else {
            query.filter(not(is_open.and(is_late)))
        };
    }
    Ok(query)
}

/// A page of audits, the newest first.
pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<CoopAuditFilter>) -> Result<Vec<CoopAudit>> {
    let query = matching(tx, &page.filter)?.select(CoopAudit::as_select());
    Ok(keyset!(query, page, coop_audits, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &CoopAuditFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// An audit that the unit may see.
pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<CoopAudit> {
    let query = visible(tx.scope()).filter(coop_audits::id.eq(id)).select(CoopAudit::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("co-op audit", "Co-op 監査"))
}

/// The audit whose recovery an adjustment makes.
pub(super) fn of_adjustment(tx: &mut Tx<'_>, adjustment: Id) -> Result<Option<CoopAudit>> {
    let query = coop_audits::table
        .filter(coop_audits::adjustment_id.eq(adjustment).assume_not_null())
        .select(CoopAudit::as_select());
    Ok(query.get_result(tx.conn).optional()?)
}

/// The audit of a claim.
pub fn of_claim(tx: &mut Tx<'_>, claim: Id) -> Result<Option<CoopAudit>> {
    let query = coop_audits::table.filter(coop_audits::claim_id.eq(claim)).select(CoopAudit::as_select());
    Ok(query.get_result(tx.conn).optional()?)
}

/// Those of the claims that have an audit.
pub(super) fn audited(tx: &mut Tx<'_>, claims: &[Id]) -> Result<Vec<AuditedClaim>> {
    let mut found = Vec::new();
    for some in claims.chunks(AT_ONCE) {
        let query = coop_audits::table.filter(coop_audits::claim_id.eq_any(some.to_vec()));
        found.extend(query.select(AuditedClaim::as_select()).load(tx.conn)?);
    }
    Ok(found)
}

/// A claim that has an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = coop_audits)]
pub(super) struct AuditedClaim {
    /// The claim.
    pub claim_id: Id,
    /// The month of the sample.
    pub month: Month,
}

/// The claims that a program's sample of a month has led to audits of.
pub(super) fn audited_of(tx: &mut Tx<'_>, program: Id, month: Month) -> Result<Vec<Id>> {
    let query = coop_audits::table
        .filter(coop_audits::month.eq(month))
        .filter(unindexed!(coop_audits::program_id).eq(program));
    Ok(query.select(coop_audits::claim_id).load(tx.conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, audit: &CoopAudit) -> Result<()> {
    diesel::insert_into(coop_audits::table).values(audit).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, audit: &CoopAudit) -> Result<()> {
    let key = (audit.partner_id, audit.id);
    diesel::update(coop_audits::table.find(key)).set(audit).execute(tx.conn)?;
    Ok(())
}

pub(super) fn refers_to(tx: &mut Tx<'_>, partner: Id) -> Result<bool> {
    Ok(select(exists(coop_audits::table.filter(coop_audits::partner_id.eq(partner)))).get_result(tx.conn)?)
}

/// The draw of a program and a month.
pub(super) fn draw(tx: &mut Tx<'_>, program: Id, month: Month) -> Result<Option<CoopDraw>> {
    let query = coop_audit_draws::table.find((program, month)).select(CoopDraw::as_select());
    Ok(query.get_result(tx.conn).optional()?)
}

/// The last month that was drawn of a program.
pub(super) fn last_drawn(tx: &mut Tx<'_>, program: Id) -> Result<Option<Month>> {
    let query = coop_audit_draws::table
        .filter(coop_audit_draws::program_id.eq(program))
        .order(coop_audit_draws::month.desc())
        .select(coop_audit_draws::month);
    Ok(query.first(tx.conn).optional()?)
}

/// The draws with a claim whose audit is not begun, the oldest month first.
pub(super) fn open_draws(tx: &mut Tx<'_>) -> Result<Vec<CoopDraw>> {
    let query = coop_audit_draws::table
        .filter(coop_audit_draws::completed_at.is_null())
        .order((coop_audit_draws::month, coop_audit_draws::program_id));
    Ok(query.select(CoopDraw::as_select()).load(tx.conn)?)
}

/// Every draw.
pub(super) fn draws(tx: &mut Tx<'_>) -> Result<Vec<CoopDraw>> {
    let order = (coop_audit_draws::program_id, coop_audit_draws::month);
    Ok(coop_audit_draws::table.order(order).select(CoopDraw::as_select()).load(tx.conn)?)
}

pub(super) fn insert_draw(tx: &mut Tx<'_>, draw: &CoopDraw) -> Result<()> {
    diesel::insert_into(coop_audit_draws::table).values(draw).execute(tx.conn)?;
    Ok(())
}

/// Notes that every audit of a draw is begun.
pub(super) fn complete(tx: &mut Tx<'_>, draw: &CoopDraw) -> Result<()> {
    diesel::update(coop_audit_draws::table.find((draw.program_id, draw.month)))
        .set(coop_audit_draws::completed_at.eq(draw.completed_at))
        .execute(tx.conn)?;
    Ok(())
}

/// The numbers of audits for monitors.
pub(super) fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let open = || coop_audits::table.filter(coop_audits::state.eq(CoopAuditState::Requested));
    let all: i64 = open().count().get_result(tx.conn)?;
    let late: i64 = open().filter(coop_audits::due_on.lt(tx.today())).count().get_result(tx.conn)?;
    Ok(vec![
        Measure::of("coop_audits_open", "Audits of paid co-op claims that wait for originals", all),
        Measure::of("coop_audits_overdue", "Audits of paid co-op claims whose originals are late", late),
    ])
}
