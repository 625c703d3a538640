//! The way of approved claims through payments, and the holds of operators.

use super::{
    model::{Claim, ClaimEvent, Extent},
    notices,
    steps::{Step, not_allowed, save, step},
    store,
};
use crate::{
    access::Tx,
    ledger::accounting::{
        PaymentStep,
        coop_funds::{self, FundPayment},
    },
    platform::{Result, values::Id},
};

/// A claim and its step on the way through a payment.
#[derive(Clone, Debug)]
pub struct ClaimMove {
    /// The claim before the step.
    pub claim: Claim,
    /// The payment.
    pub payment_id: Id,
    /// The step.
    pub step: PaymentStep,
}

/// Moves claims, and the committed parts of their funds, by their steps. A claim that is given back waits for the next payment run;
/// with words of an operator in `held`, the operator holds the claim, and the partner is told. A constant number of statements,
/// however many there are, and some more for each notice. The unit shares the books and holds the locks of the partners, and
/// records the audit event of the payments.
pub fn move_claims(tx: &mut Tx<'_>, moves: &[ClaimMove], held: Option<&str>) -> Result<()> {
    let of_fund = |one: &ClaimMove| FundPayment {
        partner_id: one.claim.partner_id,
        fund_id: one.claim.fund_id,
        payment_id: one.payment_id,
        amount: one.claim.approved.unwrap_or_default(),
        step: one.step,
    };
    coop_funds::move_payments(tx, &moves.iter().map(of_fund).collect::<Vec<_>>())?;
    let changed: Vec<Claim> = moves.iter().map(|one| after(tx, one, held)).collect();
    store::update_paid(tx, &changed)?;
    for claim in changed.iter().filter(|claim| claim.held_because.is_some()) {
        notices::tell_hold(tx, claim)?;
    }
    Ok(())
}

fn after(tx: &Tx<'_>, one: &ClaimMove, held: Option<&str>) -> Claim {
    let ClaimMove { claim, payment_id, step: moved } = one;
    let next = Claim { updated_at: tx.now, revision: claim.revision + 1, ..claim.clone() };
    let given_back = Claim { payment_id: None, held_because: held.map(str::to_owned), ..next.clone() };
    let (mut after, noted) = match moved {
        PaymentStep::Take => return Claim { payment_id: Some(*payment_id), ..next },
        PaymentStep::Release => return given_back,
        PaymentStep::Settle(_) => {
            let state = claim.state.after(ClaimEvent::Payment).unwrap_or(claim.state);
            (Claim { state, committed: 0, ..next }, "payment")
        }
        PaymentStep::Return(_) => {
            let event = ClaimEvent::Return(Extent::of(&claim.expenses.0));
            let state = claim.state.after(event).unwrap_or(claim.state);
            (Claim { state, committed: claim.approved.unwrap_or_default(), ..given_back }, "payment-return")
        }
    };
    after.history.0.push(step(tx, Step { amount: claim.approved, ..Step::named(noted) }));
    after
}

/// Holds an approved claim back from payment.
pub fn hold(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Claim> {
    let before = waiting(tx, id, "hold")?;
    let after = Claim { held_because: Some(reason.to_owned()), ..before.clone() };
    let after = save(tx, &before, after, Some(Step { words: Some(reason), ..Step::named("hold") }))?;
    notices::tell_hold(tx, &after)?;
    Ok(after)
}

/// Lets the payment of a claim go on that was held.
pub(super) fn release(tx: &mut Tx<'_>, id: Id, reason: &str) -> Result<Claim> {
    let before = waiting(tx, id, "release")?;
    let after = Claim { held_because: None, ..before.clone() };
    save(tx, &before, after, Some(Step { words: Some(reason), ..Step::named("release") }))
}

/// The claim with its partner locked, where the sub-resource can be posted to.
fn waiting(tx: &mut Tx<'_>, id: Id, name: &'static str) -> Result<Claim> {
    let claim = store::to_change(tx, id)?;
    if claim.allowed().contains(&name) { Ok(claim) } else { Err(not_allowed(&claim, name)) }
}
