//! What the other side is told of a dispute.

use super::model::{Dispute, Verdict};
use crate::{
    access::Tx,
    identity::users,
    network::partners,
    notifications::{About, Message},
    platform::Result,
};

/// Tells the operators what the partner has done, in the partner's words.
pub(super) fn tell_operators(tx: &mut Tx<'_>, dispute: &Dispute, words: &str) -> Result<()> {
    let partner = partners::get(tx, dispute.partner_id)?;
    let message = Message::DisputeMoved {
        partner: partner.legal_name.clone(),
        state: dispute.state.to_string(),
        figure: dispute.money(dispute.figure),
        expected: dispute.money(dispute.expected),
        words: words.to_owned(),
        due_on: dispute.due_on,
        dispute: dispute.id,
    };
    users::notify_operators(tx, &partner, About::new("dispute", dispute.id), &message)
}

/// Asks the partner's incentive admins.
pub(super) fn tell_question(tx: &mut Tx<'_>, dispute: &Dispute, question: &str) -> Result<()> {
    let partner = partners::get(tx, dispute.partner_id)?;
    let message = Message::DisputeQuestion {
        partner: partner.legal_name.clone(),
        question: question.to_owned(),
        dispute: dispute.id,
    };
    users::notify_admins(tx, &partner, About::new("dispute", dispute.id), &message)
}

/// Tells the partner's incentive admins the answer.
pub(super) fn tell_answer(tx: &mut Tx<'_>, dispute: &Dispute, verdict: Verdict, reason: &str) -> Result<()> {
    let partner = partners::get(tx, dispute.partner_id)?;
    let granted = dispute.answers.0.last().and_then(|answer| answer.granted);
    let message = Message::DisputeAnswered {
        partner: partner.legal_name.clone(),
        state: dispute.state.to_string(),
        expected: dispute.money(dispute.expected),
        granted: granted.filter(|_| verdict == Verdict::Upheld).map(|minor| dispute.money(minor)),
        reason: reason.to_owned(),
        dispute: dispute.id,
    };
    users::notify_admins(tx, &partner, About::new("dispute", dispute.id), &message)
}
