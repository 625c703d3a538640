//! The evaluations in the database.

use super::{Evaluation, api::EvaluationFilter, evaluation::OnRecord};
use crate::{
    access::{PartnerKey, Scope, Tx},
    network::partners::in_scope,
    participation::programs::{ProgramKey, codes_of, id_of_code},
    platform::{
        Result,
        db::MultiBackend,
        http::{PageRequest, keyset},
        values::Id,
    },
    schema::evaluations,
};
use diesel::prelude::*;

fn visible(scope: Scope) -> evaluations::BoxedQuery<'static, MultiBackend> {
    let all = evaluations::table.into_boxed();
    in_scope!(all, evaluations::partner_id, scope)
}

fn matching(
    tx: &mut Tx<'_>,
    filter: &EvaluationFilter,
) -> Result<evaluations::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let mut query = visible(tx.scope());
    if let Some(id) = partner {
        query = query.filter(evaluations::partner_id.eq(id));
    }
    match &filter.program {
        Some(ProgramKey::Id(id)) => query = query.filter(evaluations::program_id.eq(*id)),
        Some(ProgramKey::Code(code)) => {
            query = query.filter(evaluations::program_id.eq_any(id_of_code(code.clone())));
        }
        None => {}
    }
    if let Some(outcome) = filter.outcome {
        query = query.filter(evaluations::outcome.eq(outcome));
    }
    if let Some(from) = filter.from {
        query = query.filter(evaluations::as_of.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(evaluations::as_of.le(to));
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<EvaluationFilter>) -> Result<Vec<OnRecord>> {
    let query = matching(tx, &page.filter)?.select(Evaluation::as_select());
    let evaluations = keyset!(query, page, evaluations, newest).load(tx.conn)?;
    with_codes(tx, evaluations)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &EvaluationFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// The evaluation and the code of its program, where the unit may see it.
pub fn find(tx: &mut Tx<'_>, id: Id) -> Result<Option<OnRecord>> {
    let query = visible(tx.scope()).filter(evaluations::id.eq(id)).select(Evaluation::as_select());
    let found = query.load(tx.conn)?;
    Ok(with_codes(tx, found)?.into_iter().next())
}

pub(super) fn insert(tx: &mut Tx<'_>, evaluation: &Evaluation) -> Result<()> {
    diesel::insert_into(evaluations::table).values(evaluation).execute(tx.conn)?;
    Ok(())
}

/// Each with the code of its program.
fn with_codes(tx: &mut Tx<'_>, evaluations: Vec<Evaluation>) -> Result<Vec<OnRecord>> {
    let mut ids: Vec<Id> = evaluations.iter().map(|evaluation| evaluation.program_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let codes = codes_of(tx, ids)?;
    let named = |evaluation: Evaluation| {
        let program = codes.get(&evaluation.program_id).cloned().unwrap_or_default();
        OnRecord { evaluation, program }
    };
    Ok(evaluations.into_iter().map(named).collect())
}

/// Whether one refers to a partner.
pub(super) fn any_of_partner(tx: &mut Tx<'_>, partner: Id) -> Result<bool> {
    let these = evaluations::table.filter(evaluations::partner_id.eq(partner));
    Ok(diesel::select(diesel::dsl::exists(these)).get_result(tx.conn)?)
}
