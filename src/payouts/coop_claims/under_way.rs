//! The claims of a partner that are under way, each with who acts next.

use super::{
    model::{Claim, ClaimState},
    store,
};
use crate::{
    access::{OpenClaim, Tx},
    platform::{
        Result,
        values::{CalendarDate, Id, Text},
    },
    text,
};

/// The claims of a partner that are under way, the oldest first.
pub(super) fn of_partner(tx: &mut Tx<'_>, partner: Id) -> Result<Vec<OpenClaim>> {
    let today = tx.today();
    let found = store::under_way(tx, partner)?;
    Ok(found.iter().filter_map(|claim| open(claim, today)).collect())
}

/// A claim that is under way; none of a rejection that can be disputed no longer.
fn open(claim: &Claim, today: CalendarDate) -> Option<OpenClaim> {
    let due_on = match claim.state {
        ClaimState::Rejected => Some(claim.disputed_until().filter(|until| *until >= today)?),
        _ => claim.due_on,
    };
    Some(OpenClaim {
        id: claim.id,
        fund_id: claim.fund_id,
        enrollment_id: claim.enrollment_id,
        description: claim.description.clone(),
        state: claim.state.as_str(),
        committed: claim.money(claim.committed),
        due_on,
        review_due_on: claim.review_due_on,
        next: next(claim),
    })
}

/// Who acts next, and how.
fn next(claim: &Claim) -> Text {
    match claim.state {
        ClaimState::Draft => text!(
            "Complete the claim, and submit the claim by the due date",
            "申請を完成させ、期限までに提出してください。"
        ),
        ClaimState::ActionRequired => text!(
            "Answer the reviewer's question in the history, and submit the claim again by the due date",
            "履歴にある担当者の質問に回答し、期限までに再提出してください。"
        ),
        ClaimState::Rejected => text!(
            "Nothing, or dispute the rejection by the due date",
            "対応は不要です。異議がある場合は期限までに申し立ててください。"
        ),
        _ if claim.waits_for_payment() && claim.held_because.is_some() => text!(
            "An operator holds the claim back from payment, for the reason in the claim",
            "担当者が支払いを保留しています。理由は申請に示されています。"
        ),
        _ if claim.waits_for_payment() => text!(
            "The payment run over the month of the approval pays the claim",
            "承認月を対象とする支払処理で支払われます。"
        ),
        _ if claim.state.is_approved() => {
            text!("The payment is under way", "支払い手続き中です。")
        }
        _ => text!("A reviewer decides", "担当者が審査します。"),
    }
}
