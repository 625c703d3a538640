//! Funds that grow with what is posted, and amounts that go from one part of a fund to another. Each step is one balanced
//! transfer, in the unit that changes the fund.

use super::{CoopFund, CoopFundState, FundPart, HalfYear, store};
use crate::{
    access::Tx,
    ledger::accounting::{
        RebateKey, RebatePosting, Transfer, TransferCause, post_to_rebates,
        service::{TransferAccounts, transfer},
        store as ledger,
    },
    participation::enrollments::EnrollmentKey,
    platform::{
        Error, Result, codes,
        db::types::Json,
        values::{Currency, Id, Money, Month},
    },
    text,
};
use std::collections::{BTreeMap, HashMap};

crate::problem_codes! {
    COOP_FUND_EXHAUSTED = "coop_fund_exhausted" 409 ["The fund does not hold the amount", "資金の残高が不足しています"],
        ["`remaining` is what is left of the fund, and `missing` what lacks. Ask for less, or recall another claim.", "`remaining` は資金の残高、`missing` は不足額です。申請額を減らすか、他の申請を取り下げてください。"];
}

/// The natural key of a fund.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct FundKey {
    enrollment: EnrollmentKey,
    half_year: Month,
    currency: Currency,
}

impl FundKey {
    fn of(key: RebateKey) -> Self {
        let half_year = HalfYear::of(key.posted_in).first_month();
        Self { enrollment: key.enrollment, half_year, currency: key.currency }
    }
}

/// Adds co-op that was posted to rebates to the funds of the half-years. One statement for each partner, and those that
/// write.
pub(in crate::ledger::accounting) fn grow<'a>(
    tx: &mut Tx<'_>,
    posted: impl Iterator<Item = (&'a RebateKey, &'a RebatePosting)>,
) -> Result<()> {
    let mut sums: BTreeMap<FundKey, i64> = BTreeMap::new();
    for (key, posting) in posted.filter(|(_, posting)| posting.coop != 0) {
        *sums.entry(FundKey::of(*key)).or_default() += posting.coop;
    }
    let mut known = known(tx, &sums)?;
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for (key, by) in sums {
        match known.remove(&key) {
            Some(fund) => {
                let grown = fund.grown(by).ok_or_else(out_of_range)?;
                changed.push(CoopFund { as_of: tx.now, ..next(tx, grown) });
            }
            None => new.push(empty(tx, key).grown(by).ok_or_else(out_of_range)?),
        }
    }
    store::put(tx, &new, &changed)
}

fn known(tx: &mut Tx<'_>, sums: &BTreeMap<FundKey, i64>) -> Result<HashMap<FundKey, CoopFund>> {
    let keys: Vec<FundKey> = sums.keys().copied().collect();
    let mut half_years: Vec<Month> = keys.iter().map(|key| key.half_year).collect();
    half_years.sort_unstable();
    half_years.dedup();
    let mut known = HashMap::new();
    for of_partner in keys.chunk_by(|one, other| one.enrollment.partner_id == other.enrollment.partner_id) {
        let Some(FundKey { enrollment, .. }) = of_partner.first() else { continue };
        let mut ids: Vec<Id> = of_partner.iter().map(|key| key.enrollment.id).collect();
        ids.dedup();
        for fund in store::of_enrollments(tx, enrollment.partner_id, &ids, &half_years)? {
            known.insert(FundKey::of(fund.account_key()), fund);
        }
    }
    Ok(known)
}

fn empty(tx: &Tx<'_>, key: FundKey) -> CoopFund {
    CoopFund {
        id: tx.new_id(),
        partner_id: key.enrollment.partner_id,
        enrollment_id: key.enrollment.id,
        half_year: key.half_year,
        last_month: HalfYear::of(key.half_year).last_month(),
        currency: key.currency,
        state: CoopFundState::Estimated,
        earned: 0,
        converted: 0,
        claimable: 0,
        planned: 0,
        committed: 0,
        paid: 0,
        forfeited: 0,
        remaining: 0,
        converted_in: None,
        reminded_days: None,
        as_of: tx.now,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
        plan_id: None,
        planned_for: Json(Vec::new()),
    }
}

pub(super) fn next(tx: &Tx<'_>, fund: CoopFund) -> CoopFund {
    CoopFund { updated_at: tx.now, revision: fund.revision + 1, ..fund }
}

pub(super) fn out_of_range() -> Error {
    let detail =
        text!("a co-op fund leaves the range of amounts", "Co-op 資金の金額が扱える範囲を超えています。");
    Error::new(&codes::AMOUNT_OUT_OF_RANGE, detail)
}

/// An amount that goes from one part of a fund to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartMove {
    /// The part that gives.
    pub from: FundPart,
    /// The part that takes.
    pub to: FundPart,
    /// The amount in minor units.
    pub amount: i64,
}

/// What happens to a fund by one event.
#[derive(Clone, Debug)]
pub struct FundMove {
    /// The fund before, with the amounts for its planned activities as they are afterwards.
    pub fund: CoopFund,
    /// The amounts that go from one part to another, in their order.
    pub parts: Vec<PartMove>,
    /// The event.
    pub cause: TransferCause,
    /// The record behind the event.
    pub cause_id: Id,
}

/// Moves amounts within funds, each of which is named once; returns the funds afterwards. The unit holds the locks of the
/// partners, and records the audit event. A constant number of statements, however many there are.
pub fn move_funds(tx: &mut Tx<'_>, moves: &[FundMove]) -> Result<Vec<CoopFund>> {
    let (mut changed, mut transfers) = (Vec::new(), Vec::new());
    for one in moves {
        let mut after = one.fund.clone();
        for part in one.parts.iter().filter(|part| part.amount != 0) {
            let taken = after.moved(part.amount, part.from, part.to);
            after = taken.ok_or_else(|| exhausted(&after, part.amount))?;
            transfers.push(transfer_of(tx, one, *part));
        }
        changed.push(next(tx, after));
    }
    store::put(tx, &[], &changed)?;
    ledger::insert_transfers(tx, &transfers)?;
    Ok(changed)
}

fn transfer_of(tx: &Tx<'_>, one: &FundMove, part: PartMove) -> Transfer {
    let accounts = TransferAccounts { debit: part.from.account(), credit: part.to.account() };
    let plain = transfer(tx, one.fund.account_key(), part.amount, accounts, one.cause);
    Transfer { cause_id: Some(one.cause_id), ..plain }
}

fn exhausted(fund: &CoopFund, amount: i64) -> Error {
    let (remaining, asked) = (fund.money(fund.remaining), fund.money(amount));
    let missing = Money { minor: amount.saturating_sub(fund.remaining), ..asked };
    let detail = text!(
        "the fund has {remaining} left, and {asked} are asked for",
        "資金の残高は {remaining} ですが、{asked} が必要です。"
    );
    Error::new(&COOP_FUND_EXHAUSTED, detail).with("remaining", remaining).with("missing", missing)
}

/// Puts funds that reached their thresholds into a state.
pub fn settle(tx: &mut Tx<'_>, funds: Vec<CoopFund>, state: CoopFundState) -> Result<Vec<CoopFund>> {
    let changed: Vec<CoopFund> = funds.into_iter().map(|fund| next(tx, CoopFund { state, ..fund })).collect();
    store::put(tx, &[], &changed)?;
    Ok(changed)
}

/// Makes whole funds part of the rebates of the first open month. The unit shares the books, holds the locks of the partners,
/// and records the audit events. A fund below zero lowers the rebate.
pub fn convert(tx: &mut Tx<'_>, funds: &[CoopFund]) -> Result<Vec<CoopFund>> {
    let months = ledger::months(tx)?;
    let (mut changed, mut transfers, mut postings) = (Vec::new(), Vec::new(), Vec::new());
    for fund in funds {
        let posted_in = months.posting_for(fund.last_month);
        let (from, to, cause) = (FundPart::Remaining, FundPart::Converted, TransferCause::Conversion);
        let part = PartMove { from, to, amount: fund.remaining };
        let whole = FundMove { fund: fund.clone(), parts: vec![part], cause, cause_id: fund.id };
        let after = fund.moved(fund.remaining, from, to).ok_or_else(out_of_range)?;
        if fund.remaining != 0 {
            transfers.push(transfer_of(tx, &whole, part));
            postings.push(RebatePosting {
                enrollment_id: fund.enrollment_id,
                partner_id: fund.partner_id,
                posted_in,
                currency: fund.currency,
                earned: 0,
                adjusted: 0,
                coop: 0,
                converted: fund.remaining,
            });
        }
        let state = CoopFundState::Converted;
        changed.push(next(tx, CoopFund { state, converted_in: Some(posted_in), ..after }));
    }
    store::put(tx, &[], &changed)?;
    ledger::insert_transfers(tx, &transfers)?;
    post_to_rebates(tx, &postings, TransferCause::Conversion, None)?;
    Ok(changed)
}
