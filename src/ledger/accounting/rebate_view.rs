//! Rebates on the wire, each with the reason it is not paid yet.

use super::{PaymentStanding, PaymentWait, Rebate, RebateReason, RebateState, payment_standings};
use crate::{
    access::Tx,
    network::partners::Transition,
    platform::{
        Result,
        http::page_of,
        values::{CalendarDate, Id, Locale, Money, Month, Timestamp, Words},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// The amount owed to one enrollment with one month, in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = Rebate)]
pub struct RebateView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The enrollment that earned the rebate.
    enrollment_id: Id,
    /// The partner of the enrollment.
    partner_id: Id,
    /// The month that the rebate is paid with.
    posted_in: Month,
    /// The sum of the earnings' rebate parts.
    earned: Money,
    /// The sum of the approved adjustments.
    adjusted: Money,
    /// Co-op funds of a half-year that stayed below their threshold, and became rebate.
    converted: Money,
    /// The amount owed: earned, adjusted and converted.
    amount: Money,
    /// The sum of the earnings' co-op parts, which are claimed, not paid with the rebate.
    coop: Money,
    /// The state of the rebate.
    state: RebateState,
    /// The reason the rebate is not paid for now; null where there is none.
    state_reason: Option<RebateWait>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 5, examples(json!(["hold"])))]
    allowed_transitions: Vec<Transition>,
    /// When the amounts were last posted to.
    as_of: Timestamp,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// The reason a rebate is not paid for now.
#[derive(Serialize, ToSchema)]
pub struct RebateWait {
    /// Stable code.
    code: RebateReason,
    /// The reason in words, with the step that ends the wait.
    #[schema(max_length = 300, examples("It is paid once the payout and tax profiles are approved."))]
    detail: &'static str,
    /// The amount missing to the payment threshold; only where the payable sum is below the threshold.
    missing: Option<Money>,
    /// The words of the operator who holds the rebate.
    #[schema(max_length = 1000, examples("Sales figures are being clarified"))]
    comment: Option<String>,
    /// The day the hold began.
    since: Option<CalendarDate>,
}

page_of!(
    /// One page of rebates.
    pub RebatePage of RebateView
);

impl RebateReason {
    /// The reason in words, with the step that ends the wait.
    #[must_use]
    pub const fn detail(self, language: Locale) -> &'static str {
        language.of(match self {
            Self::ProfileMissing => Words::new(
                "It is payable once the payout and tax profiles are submitted and approved.",
                "支払先情報と税務情報が提出され、承認されると支払対象となります。",
            ),
            Self::ProfilePending => Words::new(
                "It is payable once an operator has approved the payout and tax profiles.",
                "運営担当者が支払先情報と税務情報を承認すると支払対象となります。",
            ),
            Self::ProfileActionRequired => Words::new(
                "It is payable once the profile that was refused or expired is mended.",
                "却下または期限切れとなった情報が修正されると支払対象となります。",
            ),
            Self::CoolingOff => Words::new(
                "The bank account was changed lately. It is payable once the cooling-off period, shown on the payout profile, is over or ended by an operator.",
                "振込先口座が最近変更されました。支払先情報に表示される待機期間の終了後、または運営担当者による解除後に支払対象となります。",
            ),
            Self::HeldByOperator => Words::new(
                "An operator holds it, and will release it.",
                "運営担当者が保留しており、解除されるまで支払われません。",
            ),
            Self::Disputed => Words::new(
                "The partner disputes it as too high. It is payable once the dispute is answered or withdrawn.",
                "金額が過大であるとの異議が申し立てられています。異議への回答または取り下げ後に支払対象となります。",
            ),
            Self::BelowPaymentThreshold => Words::new(
                "What is payable is carried forward until it reaches the program's payment threshold.",
                "支払対象額がプログラムの最低支払額に達するまで繰り越されます。",
            ),
            Self::PaymentRateMissing => Words::new(
                "What is payable waits for the exchange rate of the payment month, the first open month: the program's payment threshold is in another currency.",
                "プログラムの最低支払額が別の通貨のため、支払月（最初の未締め月）の為替レートの公表を待っています。",
            ),
        })
    }
}

impl RebateView {
    /// The rebate's own record, for the audit trail, which is kept in English; the payment threshold, which depends on other
    /// records, is left out.
    pub(super) fn plain(rebate: Rebate) -> Self {
        Self::of(WaitingRebate { rebate, wait: None }, Locale::En)
    }

    fn of(waiting: WaitingRebate, language: Locale) -> Self {
        let reason = waiting.reason();
        let WaitingRebate { rebate, wait } = waiting;
        let money = |minor| Money { minor, currency: rebate.currency };
        let state_reason = reason.map(|code| RebateWait {
            code,
            detail: code.detail(language),
            missing: wait.and_then(PaymentWait::missing),
            comment: rebate.state_comment.clone(),
            since: rebate.state_since,
        });
        Self {
            allowed_transitions: rebate.allowed().iter().copied().map(Transition).collect(),
            id: rebate.id,
            enrollment_id: rebate.enrollment_id,
            partner_id: rebate.partner_id,
            posted_in: rebate.posted_in,
            earned: money(rebate.earned),
            adjusted: money(rebate.adjusted),
            converted: money(rebate.converted),
            amount: rebate.amount(),
            coop: money(rebate.coop),
            state: rebate.state,
            state_reason,
            as_of: rebate.as_of,
            created_at: rebate.created_at,
            updated_at: rebate.updated_at,
            revision: rebate.revision,
        }
    }
}

/// A rebate with its wait for the payment threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingRebate {
    /// The rebate.
    pub rebate: Rebate,
    /// The wait of a payable rebate; none where the payable sum reaches the threshold, and of a rebate in another state.
    pub wait: Option<PaymentWait>,
}

impl WaitingRebate {
    /// The reason the rebate is not paid for now.
    #[must_use]
    pub fn reason(&self) -> Option<RebateReason> {
        self.rebate.state_reason.or(self.wait.map(PaymentWait::reason))
    }
}

/// Rebates with the reasons they are not paid yet. Payable rebates cost four more statements, however many there are.
pub(super) fn views(tx: &mut Tx<'_>, found: Vec<Rebate>) -> Result<Vec<RebateView>> {
    let language = tx.language;
    let payable = |rebate: &&Rebate| rebate.state == RebateState::Payable;
    let mut enrolled: Vec<Id> = found.iter().filter(payable).map(|rebate| rebate.enrollment_id).collect();
    enrolled.sort_unstable();
    enrolled.dedup();
    if enrolled.is_empty() {
        let plain = |rebate| RebateView::of(WaitingRebate { rebate, wait: None }, language);
        return Ok(found.into_iter().map(plain).collect());
    }
    let mut partners: Vec<Id> = found.iter().filter(payable).map(|rebate| rebate.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    let standings = payment_standings(tx, &partners, &enrolled)?;
    let view = |rebate: Rebate| {
        let standing = standings.of(rebate.enrollment_id, rebate.currency).filter(|_| payable(&&rebate));
        RebateView::of(WaitingRebate { rebate, wait: standing.and_then(PaymentStanding::wait) }, language)
    };
    Ok(found.into_iter().map(view).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_said_in_each_language() {
        for reason in RebateReason::ALL {
            let [english, japanese] = [Locale::En, Locale::Ja].map(|locale| reason.detail(locale));
            assert!(english.is_ascii() && !japanese.is_ascii(), "{english} {japanese}");
        }
    }
}
