//! The disputes in the database.

use super::{
    api::DisputeFilter,
    model::{Dispute, DisputeState, DisputeSubject},
};
use crate::{
    access::{PartnerKey, Scope, Tx},
    network::partners::{in_scope, is_narrow},
    platform::{
        Error, Result,
        db::MultiBackend,
        http::{PageRequest, keyset, matches_value, unindexed},
        values::Id,
    },
    schema::disputes,
    slice::Measure,
};
use diesel::{dsl::exists, prelude::*, select};

fn visible(scope: Scope) -> disputes::BoxedQuery<'static, MultiBackend> {
    in_scope!(disputes::table.into_boxed(), disputes::partner_id, scope)
}

fn matching(tx: &mut Tx<'_>, filter: &DisputeFilter) -> Result<disputes::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let scope = tx.scope();
    let mut query = visible(scope);
    if let Some(id) = partner {
        query = query.filter(disputes::partner_id.eq(id));
    }
    let narrow = is_narrow(scope, [partner]);
    if let Some(state) = filter.state {
        query = matches_value!(query, disputes::state, state, narrow);
    }
    if let Some(subject) = filter.subject {
        query = query.filter(unindexed!(disputes::subject).eq(subject));
    }
    if let Some(id) = filter.subject_id {
        query = matches_value!(query, disputes::subject_id, id, narrow || filter.state.is_some());
    }
    if let Some(day) = filter.due_until {
        query = query.filter(disputes::due_on.le(day).assume_not_null());
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<DisputeFilter>) -> Result<Vec<Dispute>> {
    let query = matching(tx, &page.filter)?.select(Dispute::as_select());
    Ok(keyset!(query, page, disputes, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &DisputeFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// A dispute that the unit may see.
pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<Dispute> {
    let query = visible(tx.scope()).filter(disputes::id.eq(id)).select(Dispute::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("dispute", "異議"))
}

/// The dispute of a record.
pub(super) fn of_record(
    tx: &mut Tx<'_>,
    partner: Id,
    subject: DisputeSubject,
    record: Id,
) -> Result<Option<Id>> {
    let query = disputes::table
        .filter(disputes::partner_id.eq(partner))
        .filter(disputes::subject.eq(subject))
        .filter(disputes::subject_id.eq(record));
    Ok(query.select(disputes::id).get_result(tx.conn).optional()?)
}

/// Whether a dispute holds a rebate.
pub(super) fn holds(tx: &mut Tx<'_>, partner: Id, rebate: Id) -> Result<bool> {
    let holding = disputes::table
        .filter(disputes::partner_id.eq(partner))
        .filter(disputes::held_rebate_id.eq(rebate).assume_not_null());
    Ok(select(exists(holding)).get_result(tx.conn)?)
}

pub(super) fn refers_to(tx: &mut Tx<'_>, partner: Id) -> Result<bool> {
    Ok(select(exists(disputes::table.filter(disputes::partner_id.eq(partner)))).get_result(tx.conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, dispute: &Dispute) -> Result<()> {
    diesel::insert_into(disputes::table).values(dispute).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, dispute: &Dispute) -> Result<()> {
    let key = (dispute.partner_id, dispute.id);
    diesel::update(disputes::table.find(key)).set(dispute).execute(tx.conn)?;
    Ok(())
}

/// The numbers of disputes for monitors.
pub(super) fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let in_state = |state: DisputeState| disputes::table.filter(disputes::state.eq(state));
    let open: i64 = in_state(DisputeState::Open).count().get_result(tx.conn)?;
    let escalated: i64 = in_state(DisputeState::Escalated).count().get_result(tx.conn)?;
    let late = |state| in_state(state).filter(disputes::due_on.lt(tx.today()).assume_not_null());
    let (late_open, late_escalated) = (late(DisputeState::Open), late(DisputeState::Escalated));
    let late: i64 =
        late_open.count().get_result::<i64>(tx.conn)? + late_escalated.count().get_result::<i64>(tx.conn)?;
    Ok(vec![
        Measure::of("disputes_to_answer", "Disputes that wait for an answer", open + escalated),
        Measure::of("disputes_overdue", "Disputes whose answer is late", late),
    ])
}
