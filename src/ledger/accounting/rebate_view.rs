//! Rebates on the wire, each with the reason it is not paid yet.

use super::{PaymentStanding, PaymentWait, Rebate, RebateReason, RebateState, payment_standings, store};
use crate::{
    access::Tx,
    network::partners::Transition,
    participation::enrollments::EnrollmentKeys,
    platform::{
        Result,
        http::page_of,
        values::{CalendarDate, Currency, Id, Money, Month, Timestamp},
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
    /// The amount owed: earned and adjusted.
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
    pub const fn detail(self) -> &'static str {
        match self {
            Self::ProfileMissing => {
                "It is payable once the payout and tax profiles are submitted and approved."
            }
            Self::ProfilePending => {
                "It is payable once an operator has approved the payout and tax profiles."
            }
            Self::ProfileActionRequired => {
                "It is payable once the profile that was refused or expired is mended."
            }
            Self::HeldByOperator => "An operator holds it, and will release it.",
            Self::BelowPaymentThreshold => {
                "What is payable is carried forward until it reaches the program's payment threshold."
            }
            Self::PaymentRateMissing => {
                "What is payable waits for the exchange rate of the payment month, the first open month: the program's payment threshold is in another currency."
            }
        }
    }
}

impl RebateView {
    /// The rebate's own record; the payment threshold, which depends on other records, is left out.
    pub(super) fn plain(rebate: Rebate) -> Self {
        Self::of(rebate, None)
    }

    /// The enrollment that earned the rebate.
    #[must_use]
    pub fn enrollment_id(&self) -> Id {
        self.enrollment_id
    }

    /// The currency of the rebate.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.amount.currency
    }

    fn of(rebate: Rebate, wait: Option<PaymentWait>) -> Self {
        let money = |minor| Money { minor, currency: rebate.currency };
        let reason = rebate.state_reason.or(wait.map(PaymentWait::reason));
        let state_reason = reason.map(|code| RebateWait {
            code,
            detail: code.detail(),
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

    /// The entity tag. The wait for the threshold follows other records, so the revision of the rebate alone does not
    /// tell one view from another.
    pub(super) fn etag(&self) -> String {
        match &self.state_reason {
            Some(RebateWait { missing: Some(missing), .. }) => {
                format!("\"{}.{}\"", self.revision, missing.minor)
            }
            Some(RebateWait { code, .. }) => format!("\"{}.{code}\"", self.revision),
            None => format!("\"{}\"", self.revision),
        }
    }
}

/// The rebates that these enrollments are paid with a month, by enrollment and currency.
pub fn rebate_views(
    tx: &mut Tx<'_>,
    enrollments: EnrollmentKeys<'_>,
    month: Month,
) -> Result<Vec<RebateView>> {
    let mut found = store::of_enrollments(tx, enrollments, &[month])?;
    found.sort_unstable_by_key(|rebate| (rebate.enrollment_id, rebate.currency));
    views(tx, found)
}

/// Rebates with the reasons they are not paid yet. Payable rebates cost four more statements, however many there are.
pub(super) fn views(tx: &mut Tx<'_>, found: Vec<Rebate>) -> Result<Vec<RebateView>> {
    let payable = |rebate: &&Rebate| rebate.state == RebateState::Payable;
    let mut enrolled: Vec<Id> = found.iter().filter(payable).map(|rebate| rebate.enrollment_id).collect();
    enrolled.sort_unstable();
    enrolled.dedup();
    if enrolled.is_empty() {
        return Ok(found.into_iter().map(RebateView::plain).collect());
    }
    let mut partners: Vec<Id> = found.iter().filter(payable).map(|rebate| rebate.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    let standings = payment_standings(tx, &partners, &enrolled)?;
    let view = |rebate: Rebate| {
        let standing = standings.of(rebate.enrollment_id, rebate.currency).filter(|_| payable(&&rebate));
        let wait = standing.and_then(PaymentStanding::wait);
        RebateView::of(rebate, wait)
    };
    Ok(found.into_iter().map(view).collect())
}
