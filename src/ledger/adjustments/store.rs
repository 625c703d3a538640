//! The adjustments in the database.

use super::{Adjustment, AdjustmentState, api::AdjustmentFilter};
use crate::{
    access::{PartnerKey, Scope, Tx},
    network::partners::{in_scope, is_narrow},
    participation::enrollments::{in_program, of_enrollment},
    platform::{
        Error, Result,
        db::MultiBackend,
        http::{PageRequest, keyset, matches_value, unindexed},
        values::{Id, Month},
    },
    schema::adjustments,
};
use diesel::prelude::*;

/// The adjustments that the unit may see: a partner's people see approved ones only.
fn visible(scope: Scope) -> adjustments::BoxedQuery<'static, MultiBackend> {
    let query = in_scope!(adjustments::table.into_boxed(), adjustments::partner_id, scope);
    match scope {
        Scope::All => query,
        Scope::Partner(_) => query.filter(unindexed!(adjustments::state).eq(AdjustmentState::Approved)),
    }
}

fn matching(
    tx: &mut Tx<'_>,
    filter: &AdjustmentFilter,
) -> Result<adjustments::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let scope = tx.scope();
    let mut query = in_program!(visible(scope), adjustments, &filter.program);
    if let Some(id) = partner {
        query = query.filter(adjustments::partner_id.eq(id));
    }
    if let Some(id) = filter.enrollment_id {
        query = of_enrollment!(tx, query, adjustments, id);
    }
    if let Some(state) = filter.state {
        let narrow = is_narrow(scope, [partner, filter.enrollment_id]);
        query = matches_value!(query, adjustments::state, state, narrow);
    }
    if let Some(currency) = filter.currency {
        query = query.filter(adjustments::currency.eq(currency));
    }
    if let Some(month) = filter.earned_in {
        query = query.filter(adjustments::earned_in.eq(month));
    }
    if let Some(from) = filter.from {
        query = query.filter(adjustments::posted_in.ge(from).assume_not_null());
    }
    if let Some(to) = filter.to {
        query = query.filter(adjustments::posted_in.le(to).assume_not_null());
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<AdjustmentFilter>) -> Result<Vec<Adjustment>> {
    let query = matching(tx, &page.filter)?.select(Adjustment::as_select());
    Ok(keyset!(query, page, adjustments, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &AdjustmentFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<Adjustment> {
    let query = visible(tx.scope()).filter(adjustments::id.eq(id)).select(Adjustment::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("adjustment", "個別調整"))
}

/// The approved adjustments that these partners are paid with a month, oldest first.
pub fn posted_in(tx: &mut Tx<'_>, partners: &[Id], month: Month) -> Result<Vec<Adjustment>> {
    let query = adjustments::table
        .filter(adjustments::partner_id.eq_any(partners.to_vec()))
        .filter(adjustments::posted_in.eq(month).assume_not_null())
        .order(adjustments::id);
    Ok(query.select(Adjustment::as_select()).load(tx.conn)?)
}

/// The approved adjustments that a partner is paid with the months between two, oldest first.
pub fn posted_between(tx: &mut Tx<'_>, partner: Id, (from, to): (Month, Month)) -> Result<Vec<Adjustment>> {
    let query = adjustments::table
        .filter(adjustments::partner_id.eq(partner))
        .filter(adjustments::posted_in.assume_not_null().between(from, to))
        .order(adjustments::id);
    Ok(query.select(Adjustment::as_select()).load(tx.conn)?)
}

/// The number of proposed adjustments that nobody has decided on.
pub fn count_proposed(tx: &mut Tx<'_>) -> Result<i64> {
    let query = adjustments::table.filter(adjustments::state.eq(AdjustmentState::Proposed));
    Ok(query.count().get_result(tx.conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, adjustment: &Adjustment) -> Result<()> {
    diesel::insert_into(adjustments::table).values(adjustment).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, adjustment: &Adjustment) -> Result<()> {
    let key = (adjustment.partner_id, adjustment.id);
    diesel::update(adjustments::table.find(key)).set(adjustment).execute(tx.conn)?;
    Ok(())
}
