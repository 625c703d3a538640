//! Rebates, months, rates and the ledger in the database.

use super::{LedgerAccount, Months, Rebate, RebateReason, RebateState, Transfer, rebates_api::RebateFilter};
use crate::{
    access::{PartnerKey, Scope, Tx},
    network::partners::{in_scope, is_narrow},
    participation::enrollments::{EnrollmentKey, EnrollmentKeys, in_program, of_enrollment},
    platform::{
        Error, Result,
        db::{MultiBackend, insert_many},
        http::{PageRequest, keyset, matches_value, unindexed},
        values::{Currency, Id, Month, Timestamp},
    },
    schema::{closed_months, ledger_transfers, rebates},
};
use diesel::{
    dsl::{max, min, sql},
    prelude::*,
    sql_types::Bool,
};

/// The most partners or records that one statement names.
pub(super) const AT_ONCE: usize = 10_000;

fn visible(scope: Scope) -> rebates::BoxedQuery<'static, MultiBackend> {
    in_scope!(rebates::table.into_boxed(), rebates::partner_id, scope)
}

fn matching(tx: &mut Tx<'_>, filter: &RebateFilter) -> Result<rebates::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let scope = tx.scope();
    // The rebates of one month are found by its index; rebates of several months are walked, the newest first.
    let one_month = filter.from.filter(|from| filter.to == Some(*from));
    let narrow = is_narrow(scope, [partner, filter.enrollment_id]);
    let mut query = visible(scope);
    if let Some(id) = partner {
        query = query.filter(rebates::partner_id.eq(id));
    }
    if let Some(id) = filter.enrollment_id {
        query = of_enrollment!(tx, query, rebates, id);
    }
    let mut query = in_program!(query, rebates, &filter.program);
    if let Some(state) = filter.state {
        query = matches_value!(query, rebates::state, state, narrow || one_month.is_some());
    }
    if let Some(currency) = filter.currency {
        query = query.filter(rebates::currency.eq(currency));
    }
    if let Some(month) = one_month {
        return Ok(matches_value!(query, rebates::posted_in, month, narrow));
    }
    if let Some(from) = filter.from {
        query = query.filter(unindexed!(rebates::posted_in).ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(unindexed!(rebates::posted_in).le(to));
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<RebateFilter>) -> Result<Vec<Rebate>> {
    let query = matching(tx, &page.filter)?.select(Rebate::as_select());
    Ok(keyset!(query, page, rebates, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &RebateFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// A rebate that the unit may see.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<Rebate> {
    let query = visible(tx.scope()).filter(rebates::id.eq(id)).select(Rebate::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("rebate", "リベート"))
}

/// The rebate of an enrollment for a month and currency.
pub fn rebate_of(
    tx: &mut Tx<'_>,
    enrollment: EnrollmentKey,
    posted_in: Month,
    currency: Currency,
) -> Result<Option<Rebate>> {
    let query = rebates::table
        .filter(rebates::partner_id.eq(enrollment.partner_id))
        .filter(rebates::enrollment_id.eq(enrollment.id))
        .filter(rebates::posted_in.eq(posted_in))
        .filter(rebates::currency.eq(currency));
    Ok(query.select(Rebate::as_select()).get_result(tx.conn).optional()?)
}

/// The rebates of these enrollments of these partners that were posted in one of these months. With many partners SQLite would look
/// for each of them with each enrollment, so that the partner alone leads.
pub(super) fn of_enrollments(
    tx: &mut Tx<'_>,
    partners: &[Id],
    enrollments: &[Id],
    months: &[Month],
) -> Result<Vec<Rebate>> {
    if let [partner] = partners {
        let query = rebates::table
            .filter(rebates::partner_id.eq(*partner))
            .filter(rebates::enrollment_id.eq_any(enrollments.to_vec()))
            .filter(rebates::posted_in.eq_any(months.to_vec()));
        return Ok(query.select(Rebate::as_select()).load(tx.conn)?);
    }
    let query = rebates::table
        .filter(rebates::partner_id.eq_any(partners.to_vec()))
        .filter(unindexed!(rebates::enrollment_id).eq_any(enrollments.to_vec()))
        .filter(unindexed!(rebates::posted_in).eq_any(months.to_vec()));
    Ok(query.select(Rebate::as_select()).load(tx.conn)?)
}

/// Every rebate of these enrollments: one for each month and currency.
pub fn rebates_of_all_months(tx: &mut Tx<'_>, enrollments: EnrollmentKeys<'_>) -> Result<Vec<Rebate>> {
    let query = rebates::table
        .filter(rebates::partner_id.eq(enrollments.partner_id))
        .filter(rebates::enrollment_id.eq_any(enrollments.ids.to_vec()));
    Ok(query.order((rebates::posted_in, rebates::currency)).select(Rebate::as_select()).load(tx.conn)?)
}

/// The partners that have a rebate of a month.
pub(super) fn partners_of_month(tx: &mut Tx<'_>, month: Month) -> Result<Vec<Id>> {
    let query = rebates::table.filter(rebates::posted_in.eq(month)).select(rebates::partner_id).distinct();
    Ok(query.load(tx.conn)?)
}

/// The rebates of a month, whatever their state.
pub(super) fn of_month(tx: &mut Tx<'_>, month: Month) -> Result<Vec<Rebate>> {
    let query = rebates::table.filter(rebates::posted_in.eq(month)).order(rebates::id);
    Ok(query.select(Rebate::as_select()).load(tx.conn)?)
}

/// The condition "waits to be paid", spelled as the partial index has it: with bound parameters the index is not used.
pub(super) fn waits() -> String {
    format!("state IN ('{}', '{}')", RebateState::Payable, RebateState::OnHold)
}

/// The condition "payments have moved the rebate", spelled as the partial index has it.
fn is_settled() -> String {
    let [accruing, payable, on_hold] = [RebateState::Accruing, RebateState::Payable, RebateState::OnHold];
    format!("state NOT IN ('{accruing}', '{payable}', '{on_hold}')")
}

/// The enrollments of a partner with a rebate that waits to be paid.
pub fn enrollments_waiting(tx: &mut Tx<'_>, partner: Id) -> Result<Vec<Id>> {
    let query = rebates::table.filter(rebates::partner_id.eq(partner)).filter(sql::<Bool>(&waits()));
    Ok(query.select(rebates::enrollment_id).distinct().load(tx.conn)?)
}

/// The currencies of an enrollment's rebates.
pub fn currencies_of(tx: &mut Tx<'_>, enrollment: EnrollmentKey) -> Result<Vec<Currency>> {
    let query = rebates::table
        .filter(rebates::partner_id.eq(enrollment.partner_id))
        .filter(rebates::enrollment_id.eq(enrollment.id));
    Ok(query.select(rebates::currency).distinct().load(tx.conn)?)
}

/// The rebates of closed months that wait to be paid, of these partners.
pub(super) fn waiting(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Rebate>> {
    let query = rebates::table
        .filter(rebates::partner_id.eq_any(partners.to_vec()))
        .filter(sql::<Bool>(&waits()))
        .order(rebates::id)
        .select(Rebate::as_select());
    Ok(query.load(tx.conn)?)
}

/// The amount of a payable rebate.
#[derive(Clone, Copy, Debug, Queryable)]
pub(super) struct PayableRebate {
    pub enrollment_id: Id,
    pub currency: Currency,
    /// In minor units.
    pub minor: i64,
}

/// The payable rebates of these partners.
pub(super) fn payable(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<PayableRebate>> {
    let query = rebates::table
        .filter(rebates::partner_id.eq_any(partners.to_vec()))
        .filter(sql::<Bool>(&waits()))
        .filter(unindexed!(rebates::state).eq(RebateState::Payable))
        .select((
            rebates::enrollment_id,
            rebates::currency,
            rebates::earned + rebates::adjusted + rebates::converted,
        ));
    Ok(query.load(tx.conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, rebates: &[Rebate]) -> Result<()> {
    insert_many!(tx.conn, rebates::table, rebates);
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, rebate: &Rebate) -> Result<()> {
    diesel::update(rebates::table.find((rebate.partner_id, rebate.id))).set(rebate).execute(tx.conn)?;
    Ok(())
}

/// Makes the accruing rebates of a month payable, or holds them from today on for a reason. One statement for each ten
/// thousand partners.
pub(super) fn fall_due(
    tx: &mut Tx<'_>,
    month: Month,
    partners: &[Id],
    reason: Option<RebateReason>,
) -> Result<()> {
    let (state, since) = (RebateState::of_closed_month(reason), reason.map(|_| tx.today()));
    for partners in partners.chunks(AT_ONCE) {
        let accrued = rebates::table
            .filter(rebates::posted_in.eq(month))
            .filter(rebates::partner_id.eq_any(partners.to_vec()))
            .filter(unindexed!(rebates::state).eq(RebateState::Accruing));
        diesel::update(accrued)
            .set((
                rebates::state.eq(state),
                rebates::state_reason.eq(reason),
                rebates::state_comment.eq(None::<String>),
                rebates::state_since.eq(since),
                rebates::updated_at.eq(tx.now),
                rebates::revision.eq(rebates::revision + 1),
            ))
            .execute(tx.conn)?;
    }
    Ok(())
}

pub(super) fn insert_transfers(tx: &mut Tx<'_>, transfers: &[Transfer]) -> Result<()> {
    insert_many!(tx.conn, ledger_transfers::table, transfers);
    Ok(())
}

/// The closed months.
pub fn months(tx: &mut Tx<'_>) -> Result<Months> {
    let last_closed = closed_months::table.select(max(closed_months::month)).get_result(tx.conn)?;
    Ok(Months { last_closed })
}

/// The first month that has a rebate.
pub fn first_posted(tx: &mut Tx<'_>) -> Result<Option<Month>> {
    Ok(rebates::table.select(min(rebates::posted_in)).get_result(tx.conn)?)
}

/// The record of a closed month.
#[derive(Clone, Debug, Queryable)]
pub struct ClosedMonth {
    /// The month.
    pub month: Month,
    /// When the month was closed.
    pub closed_at: Timestamp,
    /// The user or API client who closed the month; none for the service itself.
    pub closed_by: Option<Id>,
    /// The reason in the closer's words.
    pub reason: Option<String>,
}

/// The closed months, the newest first.
pub fn closed_months(tx: &mut Tx<'_>) -> Result<Vec<ClosedMonth>> {
    Ok(closed_months::table.order(closed_months::month.desc()).load(tx.conn)?)
}

/// When a month was closed; none while the month is open.
pub fn closed_at(tx: &mut Tx<'_>, month: Month) -> Result<Option<Timestamp>> {
    Ok(closed_months::table.find(month).select(closed_months::closed_at).get_result(tx.conn).optional()?)
}

/// A transfer to or from what is owed to an enrollment.
#[derive(Clone, Copy, Debug, Queryable)]
pub(super) struct OwedTransfer {
    pub enrollment_id: Id,
    pub currency: Currency,
    pub month: Month,
    pub debit: LedgerAccount,
    pub credit: LedgerAccount,
    /// In minor units, above zero.
    pub amount: i64,
    pub posted_at: Timestamp,
}

/// The transfers to and from the owed rebates of the months up to `until` that were posted up to the instant `at`, or
/// ever where `at` is none.
pub(super) fn owed_transfers(
    tx: &mut Tx<'_>,
    partners: &[Id],
    enrolled: &[Id],
    until: Month,
    at: Option<Timestamp>,
) -> Result<Vec<OwedTransfer>> {
    let owed = LedgerAccount::OWED.to_vec();
    let mut query = ledger_transfers::table
        .filter(ledger_transfers::partner_id.eq_any(partners.to_vec()))
        .filter(ledger_transfers::enrollment_id.eq_any(enrolled.to_vec()))
        .filter(ledger_transfers::month.le(until))
        .filter(ledger_transfers::debit.eq_any(owed.clone()).or(ledger_transfers::credit.eq_any(owed)))
        .into_boxed();
    if let Some(at) = at {
        query = query.filter(ledger_transfers::posted_at.le(at));
    }
    let query = query.select((
        ledger_transfers::enrollment_id,
        ledger_transfers::currency,
        ledger_transfers::month,
        ledger_transfers::debit,
        ledger_transfers::credit,
        ledger_transfers::amount,
        ledger_transfers::posted_at,
    ));
    Ok(query.load(tx.conn)?)
}

/// A transfer to or from what was paid.
#[derive(Clone, Copy, Debug, Queryable)]
pub(super) struct PaidTransfer {
    pub enrollment_id: Id,
    pub currency: Currency,
    pub credit: LedgerAccount,
    /// In minor units, above zero.
    pub amount: i64,
    pub cause_id: Option<Id>,
    pub posted_at: Timestamp,
}

/// The transfers to and from what was paid to these enrollments that were posted after an instant, up to another or ever.
pub(super) fn paid_transfers(
    tx: &mut Tx<'_>,
    partners: &[Id],
    enrolled: &[Id],
    (since, until): (Timestamp, Option<Timestamp>),
) -> Result<Vec<PaidTransfer>> {
    let paid = LedgerAccount::RebatePaid;
    let mut query = ledger_transfers::table
        .filter(ledger_transfers::partner_id.eq_any(partners.to_vec()))
        .filter(ledger_transfers::enrollment_id.eq_any(enrolled.to_vec()))
        .filter(ledger_transfers::debit.eq(paid).or(ledger_transfers::credit.eq(paid)))
        .filter(ledger_transfers::posted_at.gt(since))
        .into_boxed();
    if let Some(until) = until {
        query = query.filter(ledger_transfers::posted_at.le(until));
    }
    let query = query.select((
        ledger_transfers::enrollment_id,
        ledger_transfers::currency,
        ledger_transfers::credit,
        ledger_transfers::amount,
        ledger_transfers::cause_id,
        ledger_transfers::posted_at,
    ));
    Ok(query.load(tx.conn)?)
}

/// The rebates of a month, and those of the months before that wait to be paid, of these enrollments.
pub(super) fn owed_with(
    tx: &mut Tx<'_>,
    partners: &[Id],
    enrolled: &[Id],
    month: Month,
) -> Result<Vec<Rebate>> {
    let query = rebates::table
        .filter(rebates::partner_id.eq_any(partners.to_vec()))
        .filter(rebates::enrollment_id.eq_any(enrolled.to_vec()))
        .filter(rebates::posted_in.le(month))
        .filter(unindexed!(rebates::posted_in).eq(month).or(sql::<Bool>(&waits())))
        .order((rebates::enrollment_id, rebates::posted_in, rebates::currency));
    Ok(query.select(Rebate::as_select()).load(tx.conn)?)
}

/// The partners with a rebate of a month, or with a rebate of a month before that waits to be paid, is in payment, or was paid
/// or lost since the month before was closed: a statement of the month carries all of these.
pub fn partners_owed_with(tx: &mut Tx<'_>, month: Month) -> Result<Vec<Id>> {
    let before = || rebates::table.filter(rebates::posted_in.lt(month));
    let waiting = before().filter(sql::<Bool>(&waits())).select(rebates::partner_id).distinct();
    let mut found: Vec<Id> = waiting.load(tx.conn)?;
    let in_payment = before().filter(rebates::state.eq(RebateState::InPayment));
    found.extend(in_payment.select(rebates::partner_id).distinct().load::<Id>(tx.conn)?);
    if let Some(since) = closed_at(tx, month.plus(-1))? {
        let settled = before().filter(sql::<Bool>(&is_settled())).filter(rebates::updated_at.gt(since));
        found.extend(settled.select(rebates::partner_id).distinct().load::<Id>(tx.conn)?);
    }
    found.extend(partners_of_month(tx, month)?);
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

pub(super) fn close(tx: &mut Tx<'_>, month: Month, reason: Option<&str>) -> Result<()> {
    diesel::insert_into(closed_months::table)
        .values((
            closed_months::month.eq(month),
            closed_months::closed_at.eq(tx.now),
            closed_months::closed_by.eq(tx.actor.id()),
            closed_months::reason.eq(reason.map(str::to_owned)),
        ))
        .execute(tx.conn)?;
    Ok(())
}
