//! What payments ask of rebates, and what they do to them, in the database.

use super::{
    Rebate, RebateState,
    payment_moves::RebateOutcome,
    store::{AT_ONCE, waits},
};
use crate::{
    access::Tx,
    network::partners::ids_with_record,
    platform::{
        Result,
        db::MultiBackend,
        http::unindexed,
        values::{Currency, Id, Month},
    },
    schema::rebates,
};
use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{BigInt, Bool},
};

/// The rebates that a payment run looks at: those of closed months up to one that wait to be paid, in one currency or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingRange {
    /// The last month.
    pub until: Month,
    /// The currency; none for all.
    pub currency: Option<Currency>,
}

fn within(range: WaitingRange) -> rebates::BoxedQuery<'static, MultiBackend> {
    let query = rebates::table
        .filter(sql::<Bool>(&waits()))
        .filter(unindexed!(rebates::posted_in).le(range.until))
        .into_boxed();
    match range.currency {
        Some(currency) => query.filter(rebates::currency.eq(currency)),
        None => query,
    }
}

/// Up to `most` partners with a rebate in a range, after a partner, in the order of their ids.
pub fn partners_within(
    tx: &mut Tx<'_>,
    range: WaitingRange,
    after: Option<Id>,
    most: i64,
) -> Result<Vec<Id>> {
    let waiting = || {
        rebates::table.filter(sql::<Bool>(&waits())).filter(unindexed!(rebates::posted_in).le(range.until))
    };
    Ok(match range.currency {
        Some(currency) => {
            let waiting = waiting().filter(rebates::currency.eq(currency));
            ids_with_record!(waiting, rebates::partner_id, after, most).load(tx.conn)?
        }
        None => ids_with_record!(waiting(), rebates::partner_id, after, most).load(tx.conn)?,
    })
}

/// The number of partners with a rebate in a range.
pub fn count_within(tx: &mut Tx<'_>, range: WaitingRange) -> Result<i64> {
    let partners = sql::<BigInt>("COUNT(DISTINCT rebates.partner_id)");
    Ok(within(range).select(partners).get_result(tx.conn)?)
}

/// The number of these partners with a rebate in a range.
pub fn count_among(tx: &mut Tx<'_>, range: WaitingRange, partners: &[Id]) -> Result<i64> {
    let count = sql::<BigInt>("COUNT(DISTINCT rebates.partner_id)");
    let query = within(range).filter(rebates::partner_id.eq_any(partners.to_vec()));
    Ok(query.select(count).get_result(tx.conn)?)
}

/// The rebates of these partners in a range: by partner and currency, then by enrollment, the oldest first.
pub fn rebates_within(tx: &mut Tx<'_>, range: WaitingRange, partners: &[Id]) -> Result<Vec<Rebate>> {
    let order = (rebates::partner_id, rebates::currency, rebates::enrollment_id, rebates::posted_in);
    let query = within(range).filter(rebates::partner_id.eq_any(partners.to_vec())).order(order);
    Ok(query.select(Rebate::as_select()).load(tx.conn)?)
}

/// The partners among these with a rebate that still grows.
pub fn partners_accruing(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Id>> {
    let query = rebates::table
        .filter(rebates::partner_id.eq_any(partners.to_vec()))
        .filter(unindexed!(rebates::state).eq(RebateState::Accruing));
    Ok(query.select(rebates::partner_id).distinct().load(tx.conn)?)
}

/// The rebates of these partners that accrue or wait to be paid.
pub fn unpaid(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Rebate>> {
    let states = vec![RebateState::Accruing, RebateState::Payable, RebateState::OnHold];
    let query = rebates::table
        .filter(rebates::partner_id.eq_any(partners.to_vec()))
        .filter(unindexed!(rebates::state).eq_any(states))
        .order((rebates::partner_id, rebates::id));
    Ok(query.select(Rebate::as_select()).load(tx.conn)?)
}

/// The rebates of these partners with these ids.
pub fn rebates_named(tx: &mut Tx<'_>, partners: &[Id], ids: &[Id]) -> Result<Vec<Rebate>> {
    let mut found = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        let query = rebates::table
            .filter(rebates::partner_id.eq_any(partners.to_vec()))
            .filter(unindexed!(rebates::id).eq_any(ids.to_vec()));
        found.extend(query.select(Rebate::as_select()).load(tx.conn)?);
    }
    Ok(found)
}

/// Puts rebates into a state. One statement for each ten thousand rebates.
pub(super) fn put(tx: &mut Tx<'_>, rebates: &[&Rebate], to: &RebateOutcome) -> Result<()> {
    let mut partners: Vec<Id> = rebates.iter().map(|rebate| rebate.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    for some in rebates.chunks(AT_ONCE) {
        // By both columns of the key each partner would be sought with each rebate.
        let these = rebates::table
            .filter(rebates::partner_id.eq_any(partners.clone()))
            .filter(unindexed!(rebates::id).eq_any(some.iter().map(|rebate| rebate.id).collect::<Vec<_>>()));
        diesel::update(these)
            .set((
                rebates::state.eq(to.state),
                rebates::state_reason.eq(to.reason),
                rebates::state_comment.eq(to.comment.clone()),
                rebates::state_since.eq(to.reason.map(|_| tx.today())),
                rebates::updated_at.eq(tx.now),
                rebates::revision.eq(rebates::revision + 1),
            ))
            .execute(tx.conn)?;
    }
    Ok(())
}
