//! Commands on rebates and months: post, close a month, hold and release a rebate.

use super::{
    LedgerAccount, Months, Rebate, RebateKey, RebatePosting, RebateReason, RebateState, Transfer,
    TransferCause, coop_funds, falling_due, hold_notices, rebate_view::RebateView, store,
};
use crate::{
    access::{Guard, Tx},
    audit,
    network::{
        partners::TRANSITION_NOT_ALLOWED,
        profiles::{self, Standing},
    },
    platform::{
        Error, Result, amounts,
        values::{Id, Month},
    },
    sales::{
        imports,
        transactions::backlog::{self, Whom},
    },
    text,
};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

/// The most keys whose rebates one statement reads.
const AT_ONCE: usize = 1000;

crate::problem_codes! {
    MONTH_CLOSED = "month_closed" 409 ["The month is closed", "この月は締め済みです"],
        ["A closed month never changes and is never opened again; what comes late is posted in the first open month.", "締め済みの月は変更されず、再度開くこともできません。後から判明した分は、最初の未締め月に計上されます。"];
    MONTH_NOT_OVER = "month_not_over" 409 ["The month is not over yet", "この月はまだ終了していません"],
        ["A month is closed after its last day.", "月の締めは、その月の末日を過ぎてから行います。"];
    MONTH_NOT_NEXT = "month_not_next" 409 ["Another month is closed first", "先に締めるべき月があります"],
        ["Months close one after the other; `next` is the one whose turn it is.", "月は古い順に締めます。次に締める月は `next` に示されます。"];
    CALCULATION_NEEDED = "calculation_needed" 409 ["There is something left to calculate", "未計算のものが残っています"],
        ["`waiting` partners have sales or facts the calculation has not looked at. Start `POST /v1/calculation-runs`, then close.", "`waiting` 社のパートナーに、未計算の販売または変更があります。`POST /v1/calculation-runs` を実行してから締めてください。"];
}

/// Adds postings to rebates of open months and to co-op funds, and writes the transfers under them: the programme's expense
/// against accrued rebates and against available co-op funds, and converted co-op funds against accrued rebates. `cause_id` is
/// the record behind `cause`.
pub fn post_to_rebates(
    tx: &mut Tx<'_>,
    postings: &[RebatePosting],
    cause: TransferCause,
    cause_id: Option<Id>,
) -> Result<()> {
    let mut sums: BTreeMap<RebateKey, RebatePosting> = BTreeMap::new();
    for posting in postings {
        let empty = RebatePosting { earned: 0, adjusted: 0, coop: 0, converted: 0, ..*posting };
        let sum = sums.entry(posting.key()).or_insert(empty);
        amounts::add(&mut sum.earned, posting.earned)?;
        amounts::add(&mut sum.adjusted, posting.adjusted)?;
        amounts::add(&mut sum.coop, posting.coop)?;
        amounts::add(&mut sum.converted, posting.converted)?;
    }
    coop_funds::grow(tx, sums.iter())?;
    let mut known = known(tx, &sums)?;
    let (mut new, mut transfers) = (Vec::new(), Vec::new());
    for (key, sum) in sums {
        match known.remove(&key) {
            Some(rebate) => store::update(tx, &with_posting(tx, rebate, &sum)?)?,
            None => new.push(new_rebate(tx, &sum)?),
        }
        let (expense, accrued) = (LedgerAccount::ProgrammeExpense, LedgerAccount::RebateAccrued);
        let amounts = [
            (amounts::plus(sum.earned, sum.adjusted)?, TransferAccounts { debit: expense, credit: accrued }),
            (sum.coop, TransferAccounts { debit: expense, credit: LedgerAccount::CoopAvailable }),
            (sum.converted, TransferAccounts { debit: LedgerAccount::CoopConverted, credit: accrued }),
        ];
        for (amount, accounts) in amounts.into_iter().filter(|(amount, _)| *amount != 0) {
            transfers.push(Transfer { cause_id, ..transfer(tx, key, amount, accounts, cause) });
        }
    }
    store::insert(tx, &new)?;
    store::insert_transfers(tx, &transfers)
}

/// The rebates on record of these keys. One statement for a thousand enrollments.
fn known(tx: &mut Tx<'_>, sums: &BTreeMap<RebateKey, RebatePosting>) -> Result<HashMap<RebateKey, Rebate>> {
    let keys: Vec<RebateKey> = sums.keys().copied().collect();
    let mut months: Vec<Month> = keys.iter().map(|key| key.posted_in).collect();
    months.sort_unstable();
    months.dedup();
    let mut known = HashMap::new();
    for some in keys.chunks(AT_ONCE) {
        let mut partners: Vec<Id> = some.iter().map(|key| key.enrollment.partner_id).collect();
        partners.dedup();
        let mut enrollments: Vec<Id> = some.iter().map(|key| key.enrollment.id).collect();
        enrollments.dedup();
        let rebates = store::of_enrollments(tx, &partners, &enrollments, &months)?;
        known.extend(rebates.into_iter().map(|rebate| (rebate.key(), rebate)));
    }
    Ok(known)
}

fn with_posting(tx: &Tx<'_>, rebate: Rebate, sum: &RebatePosting) -> Result<Rebate> {
    storable(Rebate {
        earned: amounts::plus(rebate.earned, sum.earned)?,
        adjusted: amounts::plus(rebate.adjusted, sum.adjusted)?,
        coop: amounts::plus(rebate.coop, sum.coop)?,
        converted: amounts::plus(rebate.converted, sum.converted)?,
        as_of: tx.now,
        updated_at: tx.now,
        revision: rebate.revision + 1,
        ..rebate
    })
}

/// The rebate, where the amount owed by its parts can be stored.
fn storable(rebate: Rebate) -> Result<Rebate> {
    amounts::plus(amounts::plus(rebate.earned, rebate.adjusted)?, rebate.converted)?;
    Ok(rebate)
}

fn new_rebate(tx: &Tx<'_>, sum: &RebatePosting) -> Result<Rebate> {
    storable(Rebate {
        id: tx.new_id(),
        enrollment_id: sum.enrollment_id,
        partner_id: sum.partner_id,
        posted_in: sum.posted_in,
        currency: sum.currency,
        earned: sum.earned,
        adjusted: sum.adjusted,
        coop: sum.coop,
        converted: sum.converted,
        state: RebateState::Accruing,
        state_reason: None,
        state_comment: None,
        state_since: None,
        as_of: tx.now,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    })
}

/// The two accounts of a transfer of a positive amount.
#[derive(Clone, Copy)]
pub(super) struct TransferAccounts {
    pub debit: LedgerAccount,
    pub credit: LedgerAccount,
}

/// A transfer between two accounts of a rebate; a negative amount goes the other way round.
pub(super) fn transfer(
    tx: &Tx<'_>,
    key: RebateKey,
    amount: i64,
    accounts: TransferAccounts,
    cause: TransferCause,
) -> Transfer {
    let TransferAccounts { debit, credit } = accounts;
    let (debit, credit) = if amount > 0 { (debit, credit) } else { (credit, debit) };
    Transfer {
        id: tx.new_id(),
        partner_id: key.enrollment.partner_id,
        enrollment_id: key.enrollment.id,
        month: key.posted_in,
        currency: key.currency,
        debit,
        credit,
        amount: amount.abs(),
        cause,
        cause_id: None,
        posted_at: tx.now,
    }
}

/// Closes a month: the month never changes again, and its rebates are payable or wait for profiles. Partners who have to mend a
/// profile first are told.
///
/// The unit crosses partners. The unit takes the books, so that nobody posts meanwhile, and locks every partner that
/// has a rebate of the month: the partner's profiles decide whether the rebate is payable.
pub fn close(tx: &mut Tx<'_>, month: Month, reason: Option<&str>) -> Result<()> {
    tx.take(Guard::Books)?;
    refuse_closure(tx, month)?;
    let owed = store::partners_of_month(tx, month)?;
    tx.lock_partners(&owed)?;
    store::close(tx, month, reason)?;
    let rebates = store::of_month(tx, month)?;
    let mut transfers = Vec::new();
    for rebate in &rebates {
        let amount = rebate.amount().minor;
        if amount != 0 {
            let accounts = TransferAccounts {
                debit: LedgerAccount::RebateAccrued,
                credit: LedgerAccount::RebatePayable,
            };
            transfers.push(transfer(tx, rebate.key(), amount, accounts, TransferCause::Closure));
        }
    }
    falling_due::fall_due(tx, month, &rebates)?;
    store::insert_transfers(tx, &transfers)?;
    let id = tx.new_id();
    let summary = json!({"month": month, "rebates": rebates.len()});
    audit::Event::on("accounting_month", id).after(&summary).because(reason).record(tx)
}

/// Refuses to close a month that is closed or not over, that has a month before to close first, or with something left to
/// calculate.
pub fn refuse_closure(tx: &mut Tx<'_>, month: Month) -> Result<()> {
    let Months { last_closed } = store::months(tx)?;
    if last_closed.is_some_and(|closed| month <= closed) {
        return Err(Error::new(&MONTH_CLOSED, text!("{month} is closed", "{month} は締め済みです。")));
    }
    if month.last_day() >= tx.today() {
        let detail = text!("{month} ends on {}", "{month} は {} に終了します。", month.last_day());
        return Err(Error::new(&MONTH_NOT_OVER, detail));
    }
    let next = match last_closed {
        Some(closed) => closed.plus(1),
        None => store::first_posted(tx)?.map_or(month, |first| first.min(month)),
    };
    if month != next {
        let detail = text!("{next} is closed before {month}", "{month} より先に {next} を締めてください。");
        return Err(Error::new(&MONTH_NOT_NEXT, detail).with("next", next));
    }
    if imports::is_publishing(tx)? {
        return Err(Error::new(
            &CALCULATION_NEEDED,
            text!(
                "an import is being published; close again when it has ended",
                "インポートの反映中です。終了後に再度締めてください。"
            ),
        ));
    }
    let waiting = backlog::length(tx, Whom::All)?;
    if waiting > 0 {
        let detail =
            text!("{waiting} partners wait for the calculation", "{waiting} 社のパートナーが計算待ちです。");
        return Err(Error::new(&CALCULATION_NEEDED, detail).with("waiting", waiting));
    }
    Ok(())
}

pub(super) fn standings(tx: &mut Tx<'_>, rebates: &[Rebate]) -> Result<BTreeMap<Id, Standing>> {
    let mut partners: Vec<Id> = rebates.iter().map(|rebate| rebate.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    let mut all = BTreeMap::new();
    for partners in partners.chunks(1000) {
        all.extend(profiles::standings(tx, partners, tx.today())?);
    }
    Ok(all)
}

/// A rebate of a closed month in the state that the partner's profiles allow.
pub(super) fn of_closed_month(tx: &Tx<'_>, rebate: Rebate, standing: Standing) -> Rebate {
    let reason = RebateReason::of(standing);
    let state = RebateState::of_closed_month(reason);
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

/// An unpaid rebate of a closed month that does not follow its partner's profiles yet.
struct RebateAstray {
    rebate: Rebate,
    /// The standing of the partner's profiles.
    standing: Standing,
}

/// The partners' unpaid rebates of closed months that are in another state than the profiles allow; rebates that are held
/// by hand follow no profiles.
fn astray(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<RebateAstray>> {
    let mut waiting = store::waiting(tx, partners)?;
    waiting.retain(|rebate| !rebate.state_reason.is_some_and(RebateReason::is_by_hand));
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let standings = standings(tx, &waiting)?;
    let astray = waiting.into_iter().map(|rebate| {
        let standing = standings.get(&rebate.partner_id).copied().unwrap_or(Standing::Missing);
        RebateAstray { rebate, standing }
    });
    Ok(astray.filter(|it| it.rebate.state_reason != RebateReason::of(it.standing)).collect())
}

/// The partners, of these, with a rebate that [`follow_profiles`] would move: a profile has expired by today, or the wait
/// after a change of the bank account is over.
pub fn behind_profiles(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Id>> {
    let mut behind: Vec<Id> = astray(tx, partners)?.iter().map(|it| it.rebate.partner_id).collect();
    behind.sort_unstable();
    behind.dedup();
    Ok(behind)
}

/// Moves the partners' unpaid rebates of closed months to the state that the profiles allow; rebates that are held by hand
/// stay.
pub fn follow_profiles(tx: &mut Tx<'_>, partners: &[Id]) -> Result<()> {
    let mut held = Vec::new();
    for RebateAstray { rebate, standing } in astray(tx, partners)? {
        let after = of_closed_month(tx, rebate.clone(), standing);
        save(tx, &rebate, &after, None)?;
        held.push(after);
    }
    held.retain(|rebate| rebate.state_reason.is_some_and(RebateReason::is_the_partners_turn));
    hold_notices::tell(tx, &held)
}

/// Keeps a rebate from being paid, by an operator's decision.
pub fn hold(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Rebate> {
    let before = to_change(tx, id, "hold")?;
    let after = held(tx, &before, RebateReason::HeldByOperator, Some(reason))?;
    hold_notices::tell(tx, std::slice::from_ref(&after))?;
    Ok(after)
}

/// Ends an operator's hold; month and profiles decide the state of the rebate again.
pub fn release(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Rebate> {
    let before = to_change(tx, id, "release")?;
    released(tx, &before, Some(reason))
}

/// Keeps a rebate of a partner that the unit has locked from being paid while the partner disputes it as too high. False
/// where nothing is left to hold: the rebate is in payment, paid or lost, or held by hand already.
pub fn hold_disputed(tx: &mut Tx<'_>, id: Id) -> Result<bool> {
    let before = store::get(tx, id)?;
    let waits = matches!(before.state, RebateState::Accruing | RebateState::Payable | RebateState::OnHold);
    if !waits || before.state_reason.is_some_and(RebateReason::is_by_hand) {
        return Ok(before.state_reason == Some(RebateReason::Disputed));
    }
    held(tx, &before, RebateReason::Disputed, None)?;
    Ok(true)
}

/// Ends the hold of a rebate that was disputed, of a partner that the unit has locked; what an operator holds stays.
pub fn release_disputed(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    let before = store::get(tx, id)?;
    if before.state_reason == Some(RebateReason::Disputed) {
        released(tx, &before, None)?;
    }
    Ok(())
}

fn held(tx: &mut Tx<'_>, before: &Rebate, reason: RebateReason, words: Option<&str>) -> Result<Rebate> {
    let after = Rebate {
        state: RebateState::OnHold,
        state_reason: Some(reason),
        state_comment: words.map(str::to_owned),
        state_since: Some(tx.today()),
        updated_at: tx.now,
        revision: before.revision + 1,
        ..before.clone()
    };
    save(tx, before, &after, words)?;
    Ok(after)
}

fn released(tx: &mut Tx<'_>, before: &Rebate, words: Option<&str>) -> Result<Rebate> {
    let open = store::months(tx)?.is_open(before.posted_in);
    let standing = profiles::standing(tx, before.partner_id, tx.today())?;
    let bare = Rebate { state: RebateState::Accruing, state_since: None, ..before.clone() };
    let mut after = of_closed_month(tx, bare, standing);
    if open {
        after = Rebate { state: RebateState::Accruing, state_reason: None, state_since: None, ..after };
    }
    save(tx, before, &after, words)?;
    Ok(after)
}

/// The rebate with its partner locked, where the rebate allows the transition.
fn to_change(tx: &mut Tx<'_>, id: Id, transition: &'static str) -> Result<Rebate> {
    let mut rebate = store::get(tx, id)?;
    if tx.lock_partner(rebate.partner_id)?.may_be_stale() {
        rebate = store::get(tx, id)?;
    }
    let allowed = rebate.allowed();
    if allowed.contains(&transition) {
        return Ok(rebate);
    }
    let can = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
    let detail = text!(
        "a rebate that is {} allows no {transition}; it allows: {can}",
        "リベートの状態が {} のため、{transition} は行えません。実行できる操作は次のとおりです：{can}",
        rebate.state
    );
    Err(Error::new(&TRANSITION_NOT_ALLOWED, detail).with("from", rebate.state).with("allowed", allowed))
}

fn save(tx: &mut Tx<'_>, before: &Rebate, after: &Rebate, reason: Option<&str>) -> Result<()> {
    store::update(tx, after)?;
    audit::Event::on("rebate", after.id)
        .of_partner(after.partner_id)
        .before(&RebateView::plain(before.clone()))
        .after(&RebateView::plain(after.clone()))
        .because(reason)
        .record(tx)
}
