//! What the partner's incentive admins are told of an audit.

use super::model::CoopAudit;
use crate::{
    access::Tx,
    identity::users,
    network::partners,
    notifications::{About, Message},
    payouts::coop_claims::{self, Claim},
    platform::{Result, values::Text},
};

/// Asks for the originals.
pub(super) fn tell_request(tx: &mut Tx<'_>, audit: &CoopAudit, claim: &Claim) -> Result<()> {
    tell(tx, audit, claim, |partner, activity| Message::CoopAuditRequested {
        partner,
        activity,
        paid: audit.money(audit.paid),
        due_on: audit.due_on,
        claim: audit.claim_id,
        audit: audit.id,
    })
}

/// Tells what was decided.
pub(super) fn tell_decision(tx: &mut Tx<'_>, audit: &CoopAudit, claim: &Claim) -> Result<()> {
    tell(tx, audit, claim, |partner, activity| Message::CoopAuditDecided {
        partner,
        activity,
        paid: audit.money(audit.paid),
        recovered: audit.recovered.map(|minor| audit.money(minor)),
        reason: audit.comment.clone(),
        audit: audit.id,
    })
}

fn tell(
    tx: &mut Tx<'_>,
    audit: &CoopAudit,
    claim: &Claim,
    message: impl FnOnce(String, Text) -> Message,
) -> Result<()> {
    let partner = partners::get(tx, audit.partner_id)?;
    let activity = coop_claims::activity_name(tx, claim)?;
    let message = message(partner.legal_name.clone(), activity);
    users::notify_admins(tx, &partner, About::new("coop_audit", audit.id), &message)
}
