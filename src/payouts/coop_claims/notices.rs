//! What the partner's incentive admins are told of a claim.

use super::model::Claim;
use crate::{
    access::Tx,
    identity::users,
    network::partners,
    notifications::{About, Message},
    platform::{Result, values::Text},
};

/// Tells a decision.
pub(super) fn tell_decision(
    tx: &mut Tx<'_>,
    claim: &Claim,
    activity: Text,
    reason: Option<&str>,
) -> Result<()> {
    tell(tx, claim, |partner| Message::CoopClaimDecided {
        partner,
        state: claim.state.to_string(),
        activity,
        approved: claim.approved.map(|minor| claim.money(minor)),
        reason: reason.map(str::to_owned),
        claim: claim.id,
    })
}

/// Asks something.
pub(super) fn tell_question(tx: &mut Tx<'_>, claim: &Claim, activity: Text, question: &str) -> Result<()> {
    let Some(due_on) = claim.due_on else { return Ok(()) };
    tell(tx, claim, |partner| Message::CoopClaimQuestion {
        partner,
        activity,
        question: question.to_owned(),
        due_on,
        claim: claim.id,
    })
}

/// Tells that the time of a claim is over, and what the fund has back.
pub(super) fn tell_expiry(tx: &mut Tx<'_>, claim: &Claim, activity: Text, given_back: i64) -> Result<()> {
    tell(tx, claim, |partner| Message::CoopClaimExpired {
        partner,
        activity,
        given_back: claim.money(given_back),
        claim: claim.id,
    })
}

/// Tells that an operator holds an approved claim back from payment.
pub(super) fn tell_hold(tx: &mut Tx<'_>, claim: &Claim) -> Result<()> {
    let Some(reason) = &claim.held_because else { return Ok(()) };
    tell(tx, claim, |partner| Message::CoopClaimHeld {
        partner,
        amount: claim.money(claim.approved.unwrap_or_default()),
        reason: reason.clone(),
        claim: claim.id,
    })
}

fn tell(tx: &mut Tx<'_>, claim: &Claim, message: impl FnOnce(String) -> Message) -> Result<()> {
    let partner = partners::get(tx, claim.partner_id)?;
    let message = message(partner.legal_name.clone());
    users::notify_admins(tx, &partner, About::new("coop_claim", claim.id), &message)
}
