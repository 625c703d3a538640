//! The claims in the database.

use super::{
    api::CoopClaimFilter,
    assessment::ProofFact,
    model::{Claim, ClaimState},
    risk::Mark,
};
use crate::{
    access::{PartnerKey, Scope, Tx},
    ledger::accounting::{WaitingRange, coop_funds::CoopFund},
    network::partners::{in_scope, is_narrow},
    participation::{enrollments::in_program, programs::CoopProofKind},
    platform::{
        Error, Result, codes,
        db::{MultiBackend, insert_many, upsert_many},
        http::{PageRequest, keyset, matches_value, unindexed},
        values::{CalendarDate, Id, Period, Timestamp},
    },
    schema::{coop_claim_marks, coop_claims, coop_proofs},
    slice::Measure,
    text,
};
use diesel::{
    dsl::{exists, sql},
    prelude::*,
    select,
    sql_types::Bool,
    upsert::excluded,
};
use std::collections::HashMap;

/// The most marks of other claims that are compared.
const MOST_MARKS: i64 = 1000;
/// The most claims of a partner that the summary names.
const MOST_UNDER_WAY: i64 = 200;
/// The most claims that one statement names.
const AT_ONCE: usize = 1000;

fn visible(scope: Scope) -> coop_claims::BoxedQuery<'static, MultiBackend> {
    in_scope!(coop_claims::table.into_boxed(), coop_claims::partner_id, scope)
}

fn matching(
    tx: &mut Tx<'_>,
    filter: &CoopClaimFilter,
) -> Result<coop_claims::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let scope = tx.scope();
    let mut query = visible(scope);
    if let Some(id) = partner {
        query = query.filter(coop_claims::partner_id.eq(id));
    }
    let mut query = in_program!(query, coop_claims, &filter.program);
    let narrow = is_narrow(scope, [partner]);
    if let Some(id) = filter.fund_id {
        query = matches_value!(query, coop_claims::fund_id, id, narrow);
    }
    let narrow = narrow || filter.fund_id.is_some();
    if let Some(state) = filter.state {
        query = matches_value!(query, coop_claims::state, state, narrow);
    }
    if let Some(is_risky) = filter.risky {
        // Whoever could ask for risks would know them.
        if scope != Scope::All {
            let detail = text!("`risky` is for programme staff", "`risky` はプログラム担当者専用です。");
            return Err(Error::new(&codes::UNKNOWN_PARAMETER, detail));
        }
        query = query.filter(coop_claims::is_risky.eq(is_risky));
    }
    if let Some(day) = filter.review_due_until {
        query = query.filter(coop_claims::review_due_on.le(day).assume_not_null());
    }
    if filter.to_review == Some(true) {
        query = query.filter(coop_claims::review_due_on.is_not_null());
    }
    Ok(query)
}

/// A page of claims: those to review the oldest first, others the newest first.
pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<CoopClaimFilter>) -> Result<Vec<Claim>> {
    let query = matching(tx, &page.filter)?.select(Claim::as_select());
    if page.filter.to_review == Some(true) {
        return Ok(keyset!(query, page, coop_claims, oldest).load(tx.conn)?);
    }
    Ok(keyset!(query, page, coop_claims, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &CoopClaimFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// The claims of a partner that somebody may have to act on, or whose money is to come; the oldest first.
pub(super) fn under_way(tx: &mut Tx<'_>, partner: Id) -> Result<Vec<Claim>> {
    let is_over = [ClaimState::RejectedFinal, ClaimState::Paid, ClaimState::Expired, ClaimState::Cancelled];
    let query = coop_claims::table
        .filter(coop_claims::partner_id.eq(partner))
        .filter(coop_claims::state.ne_all(is_over))
        .order(coop_claims::id)
        .limit(MOST_UNDER_WAY);
    Ok(query.select(Claim::as_select()).load(tx.conn)?)
}

/// A claim that the unit may see.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<Claim> {
    let query = visible(tx.scope()).filter(coop_claims::id.eq(id)).select(Claim::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("co-op claim", "Co-op 申請"))
}

/// A claim that the unit may see, with its partner locked.
pub fn to_change(tx: &mut Tx<'_>, id: Id) -> Result<Claim> {
    let claim = get(tx, id)?;
    if tx.lock_partner(claim.partner_id)?.may_be_stale() { get(tx, id) } else { Ok(claim) }
}

/// The part of a fund that its claims use for each activity, without one claim: what they have committed, and what was paid.
pub fn used(tx: &mut Tx<'_>, fund: &CoopFund, without: Option<Id>) -> Result<HashMap<String, i64>> {
    let query = coop_claims::table
        .filter(coop_claims::partner_id.eq(fund.partner_id))
        .filter(coop_claims::fund_id.eq(fund.id))
        .select((
            coop_claims::id,
            coop_claims::activity,
            coop_claims::state,
            coop_claims::committed,
            coop_claims::approved,
        ));
    let claims: Vec<(Id, String, ClaimState, i64, Option<i64>)> = query.load(tx.conn)?;
    let mut used = HashMap::new();
    for (_, activity, state, committed, approved) in
        claims.into_iter().filter(|(id, ..)| Some(*id) != without)
    {
        *used.entry(activity).or_default() += match state {
            ClaimState::Paid => approved.unwrap_or_default(),
            _ => committed,
        };
    }
    Ok(used)
}

/// The proofs of a claim.
pub(super) fn proofs(tx: &mut Tx<'_>, claim: &Claim) -> Result<Vec<ProofFact>> {
    let query = coop_proofs::table
        .filter(coop_proofs::partner_id.eq(claim.partner_id))
        .filter(coop_proofs::claim_id.eq(claim.id))
        .order(coop_proofs::id)
        .select((coop_proofs::kind, coop_proofs::expense_id, coop_proofs::sha256));
    let found: Vec<(CoopProofKind, Option<Id>, String)> = query.load(tx.conn)?;
    let fact = |(kind, expense_id, sha256)| ProofFact { kind, expense_id, sha256 };
    Ok(found.into_iter().map(fact).collect())
}

/// The marks of other claims that have a value of these marks.
pub(super) fn same_marks(tx: &mut Tx<'_>, claim: Id, marks: &[Mark]) -> Result<Vec<Mark>> {
    let values: Vec<String> = marks.iter().map(|mark| mark.value.clone()).collect();
    let mut kinds: Vec<_> = marks.iter().map(|mark| mark.kind).collect();
    kinds.dedup();
    let query = coop_claim_marks::table
        .filter(coop_claim_marks::kind.eq_any(kinds))
        .filter(coop_claim_marks::value.eq_any(values))
        .filter(unindexed!(coop_claim_marks::claim_id).ne(claim));
    Ok(query.limit(MOST_MARKS).select(Mark::as_select()).load(tx.conn)?)
}

/// Writes the marks of a claim in place of those there were.
pub(super) fn put_marks(tx: &mut Tx<'_>, claim: Id, marks: &[Mark]) -> Result<()> {
    let own = coop_claim_marks::table.filter(coop_claim_marks::claim_id.eq(claim));
    diesel::delete(own).execute(tx.conn)?;
    insert_many!(tx.conn, coop_claim_marks::table, marks);
    Ok(())
}

/// The claims that a partner has submitted since an instant.
pub(super) fn submitted_on(tx: &mut Tx<'_>, partner: Id, day: CalendarDate) -> Result<i64> {
    let query = coop_claims::table
        .filter(coop_claims::partner_id.eq(partner))
        .filter(coop_claims::submitted_at.ge(day.midnight()).assume_not_null())
        .filter(coop_claims::submitted_at.lt(day.plus_days(1).midnight()).assume_not_null());
    Ok(query.count().get_result(tx.conn)?)
}

/// The claims of these partners whose last day to be submitted is over.
pub(super) fn overdue(tx: &mut Tx<'_>, partners: &[Id], today: CalendarDate) -> Result<Vec<Claim>> {
    let query = coop_claims::table
        .filter(coop_claims::partner_id.eq_any(partners.to_vec()))
        .filter(coop_claims::due_on.is_not_null())
        .filter(coop_claims::due_on.lt(today).assume_not_null());
    Ok(query.order((coop_claims::partner_id, coop_claims::id)).select(Claim::as_select()).load(tx.conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, claim: &Claim) -> Result<()> {
    diesel::insert_into(coop_claims::table).values(claim).execute(tx.conn)?;
    Ok(())
}

/// Writes the next revisions of claims that payments have moved.
pub(super) fn update_paid(tx: &mut Tx<'_>, claims: &[Claim]) -> Result<()> {
    use crate::schema::coop_claims as c;
    upsert_many!(
        tx.conn,
        c::table,
        claims,
        (c::partner_id, c::id),
        (
            c::state.eq(excluded(c::state)),
            c::committed.eq(excluded(c::committed)),
            c::payment_id.eq(excluded(c::payment_id)),
            c::held_because.eq(excluded(c::held_because)),
            c::history.eq(excluded(c::history)),
            c::updated_at.eq(excluded(c::updated_at)),
            c::revision.eq(excluded(c::revision)),
        )
    );
    Ok(())
}

/// The claims with these ids, which belong to these partners.
pub fn named(tx: &mut Tx<'_>, partners: &[Id], ids: &[Id]) -> Result<Vec<Claim>> {
    let mut found = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        let query = coop_claims::table
            .filter(coop_claims::partner_id.eq_any(partners.to_vec()))
            .filter(unindexed!(coop_claims::id).eq_any(some.to_vec()));
        found.extend(query.select(Claim::as_select()).load(tx.conn)?);
    }
    Ok(found)
}

/// The claims that wait to be paid, approved up to the end of a month, in one currency or all.
fn payable(range: WaitingRange) -> coop_claims::BoxedQuery<'static, MultiBackend> {
    let end = range.until.plus(1).first_day().midnight();
    let query = coop_claims::table
        .filter(sql::<Bool>(&waits_for_payment()))
        .filter(unindexed!(coop_claims::decided_at).lt(end).assume_not_null())
        .into_boxed();
    match range.currency {
        Some(currency) => query.filter(coop_claims::currency.eq(currency)),
        None => query,
    }
}

/// The condition "waits for payment", spelled as the partial index has it: with bound parameters the index is not used.
fn waits_for_payment() -> String {
    let [whole, part] = [ClaimState::Approved, ClaimState::PartiallyApproved];
    format!("payment_id IS NULL AND state IN ('{whole}', '{part}')")
}

/// Up to `most` partners with a claim that waits to be paid, after a partner, in the order of their ids.
pub fn partners_payable(
    tx: &mut Tx<'_>,
    range: WaitingRange,
    after: Option<Id>,
    most: i64,
) -> Result<Vec<Id>> {
    let mut query = payable(range).select(coop_claims::partner_id).distinct();
    if let Some(after) = after {
        query = query.filter(coop_claims::partner_id.gt(after));
    }
    Ok(query.order(coop_claims::partner_id).limit(most).load(tx.conn)?)
}

/// The claims of these partners that wait to be paid: by partner and currency, then by enrollment, the first approved first.
pub fn payable_of(tx: &mut Tx<'_>, range: WaitingRange, partners: &[Id]) -> Result<Vec<Claim>> {
    let order = (
        coop_claims::partner_id,
        coop_claims::currency,
        coop_claims::enrollment_id,
        coop_claims::decided_at,
        coop_claims::id,
    );
    let query = payable(range).filter(coop_claims::partner_id.eq_any(partners.to_vec())).order(order);
    Ok(query.select(Claim::as_select()).load(tx.conn)?)
}

/// The claims of a program that were paid on these days, in the order of their ids. A paid claim does not change before its payment
/// comes back, so that its last change is its payment.
pub fn paid_in(tx: &mut Tx<'_>, program: Id, days: Period) -> Result<Vec<Id>> {
    let query = coop_claims::table
        .filter(sql::<Bool>(&format!("state = '{}'", ClaimState::Paid)))
        .filter(coop_claims::updated_at.ge(days.from.midnight()))
        .filter(coop_claims::updated_at.lt(days.to.plus_days(1).midnight()))
        .into_boxed();
    let query = in_program!(query, coop_claims, &Some(ProgramKey::Id(program)));
    Ok(query.order(coop_claims::id).select(coop_claims::id).load(tx.conn)?)
}

/// The instant of the first payment among the claims of a program that are paid; none where no claim is.
pub fn first_paid(tx: &mut Tx<'_>, program: Id) -> Result<Option<Timestamp>> {
    let query =
        coop_claims::table.filter(sql::<Bool>(&format!("state = '{}'", ClaimState::Paid))).into_boxed();
    let query = in_program!(query, coop_claims, &Some(ProgramKey::Id(program)));
    let first = query.order(coop_claims::updated_at).select(coop_claims::updated_at).first(tx.conn);
    Ok(first.optional()?)
}

pub(super) fn update(tx: &mut Tx<'_>, claim: &Claim) -> Result<()> {
    let key = (claim.partner_id, claim.id);
    diesel::update(coop_claims::table.find(key)).set(claim).execute(tx.conn)?;
    Ok(())
}

pub(super) fn refers_to(tx: &mut Tx<'_>, partner: Id) -> Result<bool> {
    Ok(select(exists(coop_claims::table.filter(coop_claims::partner_id.eq(partner)))).get_result(tx.conn)?)
}

/// The numbers of claims for monitors.
pub(super) fn measures(tx: &mut Tx<'_>) -> Result<Vec<Measure>> {
    let waiting = || coop_claims::table.filter(coop_claims::review_due_on.is_not_null());
    let all: i64 = waiting().count().get_result(tx.conn)?;
    let late = waiting().filter(coop_claims::review_due_on.lt(tx.today()).assume_not_null());
    let late: i64 = late.count().get_result(tx.conn)?;
    Ok(vec![
        Measure::of("coop_claims_to_review", "Co-op claims that wait for a reviewer", all),
        Measure::of("coop_claims_overdue", "Co-op claims whose review is late", late),
    ])
}
