//! How money is posted, months are closed, and rebates held and released.

use super::{
    Account, Cause, Entry, Months, Rebate, RebateReason, RebateState, Transfer, rebate_view::RebateView,
    store,
};
use crate::{
    access::{Guard, Tx},
    audit,
    network::{
        partners::TRANSITION_NOT_ALLOWED,
        profiles::{self, Standing},
    },
    participation::enrollments::{EnrollmentKey, EnrollmentKeys},
    platform::{
        Error, Result,
        values::{Currency, Id, Month},
    },
    sales::{imports, transactions::backlog::{self, Whom}},
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};

crate::problem_codes! {
    MONTH_CLOSED = "month_closed" 409 "The month is closed",
        "A closed month never changes and is never opened again; what comes late is posted in the first open month.";
    MONTH_NOT_OVER = "month_not_over" 409 "The month is not over yet",
        "A month is closed after its last day.";
    MONTH_NOT_NEXT = "month_not_next" 409 "Another month is closed first",
        "Months close one after the other; `next` is the one whose turn it is.";
    CALCULATION_NEEDED = "calculation_needed" 409 "There is something left to calculate",
        "`waiting` partners have sales or facts the calculation has not looked at. Start `POST /v1/calculation-runs`, then close.";
}

/// Adds to rebates and writes the ledger under them: the programme's expense against what is accrued and against
/// co-op. The months named are open.
pub fn post(tx: &mut Tx<'_>, entries: &[Entry], cause: Cause, cause_id: Option<Id>) -> Result<()> {
    let mut sums: BTreeMap<Purse, Entry> = BTreeMap::new();
    for entry in entries {
        let key = (entry.enrollment(), entry.posted_in, entry.currency);
        let empty = Entry { earned: 0, adjusted: 0, coop: 0, ..*entry };
        let sum = sums.entry(key).or_insert(empty);
        sum.earned += entry.earned;
        sum.adjusted += entry.adjusted;
        sum.coop += entry.coop;
    }
    let mut known = known(tx, &sums)?;
    let (mut new, mut transfers) = (Vec::new(), Vec::new());
    for (key, sum) in sums {
        match known.remove(&key) {
            Some(rebate) => store::update(tx, &grown(tx, rebate, &sum))?,
            None => new.push(fresh(tx, &sum)),
        }
        let accounts =
            [(sum.earned + sum.adjusted, Account::RebateAccrued), (sum.coop, Account::CoopAvailable)];
        for (amount, account) in accounts.into_iter().filter(|(amount, _)| *amount != 0) {
            transfers.push(moved(tx, key, amount, (Account::ProgrammeExpense, account), (cause, cause_id)));
        }
    }
    store::insert(tx, &new)?;
    store::transfer(tx, &transfers)
}

/// Where money lies: an enrollment's month and currency.
type Purse = (EnrollmentKey, Month, Currency);

/// The rebates there are of what is posted. A statement for each partner; a unit posts to one.
fn known(tx: &mut Tx<'_>, sums: &BTreeMap<Purse, Entry>) -> Result<HashMap<Purse, Rebate>> {
    let keys: Vec<&Purse> = sums.keys().collect();
    let mut months: Vec<Month> = keys.iter().map(|(_, month, _)| *month).collect();
    months.sort_unstable();
    months.dedup();
    let mut known = HashMap::new();
    for of_partner in keys.chunk_by(|one, other| one.0.partner_id == other.0.partner_id) {
        let Some((EnrollmentKey { partner_id, .. }, ..)) = of_partner.first() else { continue };
        let mut ids: Vec<Id> = of_partner.iter().map(|(enrollment, ..)| enrollment.id).collect();
        ids.dedup();
        let enrollments = EnrollmentKeys { partner_id: *partner_id, ids: &ids };
        let rebates = store::of_enrollments(tx, enrollments, &months)?;
        known.extend(rebates.into_iter().map(|rebate| (purse(&rebate), rebate)));
    }
    Ok(known)
}

fn purse(rebate: &Rebate) -> Purse {
    let enrollment = EnrollmentKey { partner_id: rebate.partner_id, id: rebate.enrollment_id };
    (enrollment, rebate.posted_in, rebate.currency)
}

fn grown(tx: &Tx<'_>, rebate: Rebate, sum: &Entry) -> Rebate {
    Rebate {
        earned: rebate.earned + sum.earned,
        adjusted: rebate.adjusted + sum.adjusted,
        coop: rebate.coop + sum.coop,
        as_of: tx.now,
        updated_at: tx.now,
        revision: rebate.revision + 1,
        ..rebate
    }
}

fn fresh(tx: &Tx<'_>, sum: &Entry) -> Rebate {
    Rebate {
        id: tx.new_id(),
        enrollment_id: sum.enrollment_id,
        partner_id: sum.partner_id,
        posted_in: sum.posted_in,
        currency: sum.currency,
        earned: sum.earned,
        adjusted: sum.adjusted,
        coop: sum.coop,
        state: RebateState::Accruing,
        state_reason: None,
        state_comment: None,
        state_since: None,
        as_of: tx.now,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    }
}

/// A transfer that debits the first account and credits the second; the other way round for a negative amount.
fn moved(
    tx: &Tx<'_>,
    (enrollment, month, currency): Purse,
    amount: i64,
    (first, second): (Account, Account),
    (cause, cause_id): (Cause, Option<Id>),
) -> Transfer {
    let (debit, credit) = if amount > 0 { (first, second) } else { (second, first) };
    let (id, posted_at) = (tx.new_id(), tx.now);
    Transfer {
        id,
        partner_id: enrollment.partner_id,
        enrollment_id: enrollment.id,
        month,
        currency,
        debit,
        credit,
        amount: amount.abs(),
        cause,
        cause_id,
        posted_at,
    }
}

/// Closes a month: it never changes again, and what it holds is payable, or waits for profiles.
///
/// The unit crosses partners: it takes the books, so that nobody posts meanwhile, and holds every partner that has a
/// rebate of the month, whose profiles say whether the rebate is payable.
pub fn close(tx: &mut Tx<'_>, month: Month, reason: Option<&str>) -> Result<()> {
    tx.take(Guard::Books)?;
    may_close(tx, month)?;
    let owed = store::partners_of_month(tx, month)?;
    tx.lock_partners(&owed)?;
    store::close(tx, month, reason)?;
    let rebates = store::of_month(tx, month)?;
    let standings = standings(tx, &rebates)?;
    let (mut transfers, mut due) = (Vec::new(), BTreeMap::<Standing, BTreeSet<Id>>::new());
    for rebate in &rebates {
        let amount = rebate.amount().minor;
        if amount != 0 {
            let accounts = (Account::RebateAccrued, Account::RebatePayable);
            transfers.push(moved(tx, purse(rebate), amount, accounts, (Cause::Closure, None)));
        }
        if rebate.state == RebateState::Accruing {
            let standing = standings.get(&rebate.partner_id).copied().unwrap_or(Standing::Missing);
            due.entry(standing).or_default().insert(rebate.partner_id);
        }
    }
    for (standing, partners) in due {
        let reason = RebateReason::of(standing);
        let partners: Vec<Id> = partners.into_iter().collect();
        store::fall_due(tx, (month, &partners), state_of(reason), reason)?;
    }
    store::transfer(tx, &transfers)?;
    let id = tx.new_id();
    let summary = json!({"month": month, "rebates": rebates.len()});
    audit::Event::on("accounting_month", id).after(&summary).because(reason).record(tx)
}

fn may_close(tx: &mut Tx<'_>, month: Month) -> Result<()> {
    let Months { last_closed } = store::months(tx)?;
    if last_closed.is_some_and(|closed| month <= closed) {
        return Err(Error::new(&MONTH_CLOSED, format!("{month} is closed")));
    }
    if month.last_day() >= tx.today() {
        let detail = format!("{month} ends on {}", month.last_day());
        return Err(Error::new(&MONTH_NOT_OVER, detail));
    }
    let next = match last_closed {
        Some(closed) => closed.plus(1),
        None => store::first_posted(tx)?.map_or(month, |first| first.min(month)),
    };
    if month != next {
        let detail = format!("{next} is closed before {month}");
        return Err(Error::new(&MONTH_NOT_NEXT, detail).with("next", next));
    }
    if imports::is_publishing(tx)? {
        return Err(Error::new(
            &CALCULATION_NEEDED,
            "an import is being published; close again when it has ended",
        ));
    }
    let waiting = backlog::length(tx, Whom::All)?;
    if waiting > 0 {
        let detail = format!("{waiting} partners wait for the calculation");
        return Err(Error::new(&CALCULATION_NEEDED, detail).with("waiting", waiting));
    }
    Ok(())
}

fn standings(tx: &mut Tx<'_>, rebates: &[Rebate]) -> Result<BTreeMap<Id, Standing>> {
    let mut partners: Vec<Id> = rebates.iter().map(|rebate| rebate.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    let mut all = BTreeMap::new();
    for partners in partners.chunks(1000) {
        all.extend(profiles::standings(tx, partners, tx.today())?);
    }
    Ok(all)
}

/// Where a rebate of a closed month stands that waits for this, or for nothing.
const fn state_of(reason: Option<RebateReason>) -> RebateState {
    if reason.is_some() { RebateState::OnHold } else { RebateState::Payable }
}

/// A rebate of a closed month as its partner's profiles let it stand.
fn due(tx: &Tx<'_>, rebate: Rebate, standing: Standing) -> Rebate {
    let reason = RebateReason::of(standing);
    let state = state_of(reason);
    let since = if rebate.state == state { rebate.state_since } else { None };
    Rebate {
        state,
        state_reason: reason,
        state_comment: None,
        state_since: reason.map(|_| since.unwrap_or(tx.today())),
        updated_at: tx.now,
        revision: rebate.revision + 1,
        ..rebate
    }
}

/// Lets what waits for profiles follow them, and what is payable.
pub fn follow_profiles(tx: &mut Tx<'_>, partners: &[Id]) -> Result<()> {
    let waiting = store::waiting(tx, partners)?;
    if waiting.is_empty() {
        return Ok(());
    }
    let standings = standings(tx, &waiting)?;
    for rebate in waiting {
        let standing = standings.get(&rebate.partner_id).copied().unwrap_or(Standing::Missing);
        let by_hand = rebate.state_reason == Some(RebateReason::HeldByOperator);
        if !by_hand && rebate.state_reason != RebateReason::of(standing) {
            let after = due(tx, rebate.clone(), standing);
            change(tx, &rebate, &after, None)?;
        }
    }
    Ok(())
}

/// An operator holds a rebate.
pub fn hold(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Rebate> {
    let before = allowed(tx, id, "hold")?;
    let after = Rebate {
        state: RebateState::OnHold,
        state_reason: Some(RebateReason::HeldByOperator),
        state_comment: Some(reason.to_owned()),
        state_since: Some(tx.today()),
        updated_at: tx.now,
        revision: before.revision + 1,
        ..before.clone()
    };
    change(tx, &before, &after, Some(reason))?;
    Ok(after)
}

/// An operator lets it go.
pub fn release(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Rebate> {
    let before = allowed(tx, id, "release")?;
    let open = store::months(tx)?.last_closed.is_none_or(|closed| before.posted_in > closed);
    let standing = profiles::standing(tx, before.partner_id, tx.today())?;
    let bare = Rebate { state: RebateState::Accruing, state_since: None, ..before.clone() };
    let mut after = due(tx, bare, standing);
    if open {
        after = Rebate { state: RebateState::Accruing, state_reason: None, state_since: None, ..after };
    }
    change(tx, &before, &after, Some(reason))?;
    Ok(after)
}

fn allowed(tx: &mut Tx<'_>, id: Id, transition: &'static str) -> Result<Rebate> {
    let mut rebate = store::get(tx, id)?;
    if tx.lock_partner(rebate.partner_id)? {
        rebate = store::get(tx, id)?;
    }
    let allowed = rebate.allowed();
    if allowed.contains(&transition) {
        return Ok(rebate);
    }
    let can = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
    let detail = format!("a rebate that is {} allows no {transition}; it allows: {can}", rebate.state);
    Err(Error::new(&TRANSITION_NOT_ALLOWED, detail).with("from", rebate.state).with("allowed", allowed))
}

fn change(tx: &mut Tx<'_>, before: &Rebate, after: &Rebate, reason: Option<&str>) -> Result<()> {
    store::update(tx, after)?;
    audit::Event::on("rebate", after.id)
        .of_partner(after.partner_id)
        .before(&RebateView::plain(before.clone()))
        .after(&RebateView::plain(after.clone()))
        .because(reason)
        .record(tx)
}
