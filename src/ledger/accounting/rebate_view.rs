//! A rebate as it is shown.

use super::{Rebate, RebateReason, RebateState, fx_rates, store};
use crate::{
    access::Tx,
    network::partners::Transition,
    participation::{
        enrollments::{self, EnrollmentKeys},
        programs::PaymentTerms,
    },
    platform::{
        Result,
        http::page_of,
        values::{CalendarDate, Currency, Id, Leftover, Money, Month, Timestamp},
    },
};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

/// The payable of one enrollment for one month it was posted in, in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = Rebate)]
pub struct RebateView {
    /// Identifier.
    id: Id,
    /// The enrollment it was earned by.
    enrollment_id: Id,
    /// Its partner.
    partner_id: Id,
    /// The month it is paid with.
    posted_in: Month,
    /// The sum of its earnings' rebate parts.
    earned: Money,
    /// The sum of its approved adjustments.
    adjusted: Money,
    /// What is owed: earned and adjusted.
    amount: Money,
    /// The sum of its earnings' co-op parts, which are claimed and not paid with it.
    coop: Money,
    /// Where it stands.
    state: RebateState,
    /// What it waits for; null where it waits for nothing.
    state_reason: Option<RebateWait>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 5, examples(json!(["hold"])))]
    allowed_transitions: Vec<Transition>,
    /// When its figures were computed.
    as_of: Timestamp,
    /// When the record was made.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// What a rebate waits for.
#[derive(Serialize, ToSchema)]
pub struct RebateWait {
    /// Stable code.
    code: RebateReason,
    /// What would release it.
    #[schema(max_length = 300, examples("It is paid once the payout and tax profiles are approved."))]
    detail: &'static str,
    /// What is missing to the threshold; only where the amount is below it.
    missing: Option<Money>,
    /// What the operator said who holds it.
    #[schema(max_length = 1000, examples("Sales figures are being clarified"))]
    comment: Option<String>,
    /// Since when it waits.
    since: Option<CalendarDate>,
}

page_of!(
    /// One page of rebates.
    pub RebatePage of RebateView
);

impl RebateReason {
    /// What would release it.
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
        }
    }
}

impl RebateView {
    /// The record alone, without what depends on others.
    pub(super) fn plain(rebate: Rebate) -> Self {
        Self::of(rebate, None)
    }

    fn of(rebate: Rebate, missing: Option<Money>) -> Self {
        let money = |minor| Money { minor, currency: rebate.currency };
        let below = missing.map(|_| RebateReason::BelowPaymentThreshold);
        let state_reason = rebate.state_reason.or(below).map(|code| RebateWait {
            code,
            detail: code.detail(),
            missing,
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

    /// What is missing to the threshold, and what can be done, follow other records: the revision alone does not tell
    /// one view from another.
    pub(super) fn etag(&self) -> String {
        let missing = self.state_reason.as_ref().and_then(|wait| wait.missing);
        format!("\"{}.{}\"", self.revision, missing.map_or(0, |money| money.minor))
    }
}

/// The rebates of some enrollments for one month, each with whose it is and in which currency, and what they wait for.
pub fn rebates_of(
    tx: &mut Tx<'_>,
    enrollments: EnrollmentKeys<'_>,
    month: Month,
) -> Result<Vec<(Id, Currency, RebateView)>> {
    let mut found = store::of_enrollments(tx, enrollments, &[month])?;
    found.sort_unstable_by_key(|rebate| (rebate.enrollment_id, rebate.currency));
    let views = show(tx, found)?;
    Ok(views.into_iter().map(|view| (view.enrollment_id, view.amount.currency, view)).collect())
}

/// Rebates with what they wait for. Three more statements for any number, and those only where some are payable.
pub(super) fn show(tx: &mut Tx<'_>, found: Vec<Rebate>) -> Result<Vec<RebateView>> {
    let payable = |rebate: &&Rebate| rebate.state == RebateState::Payable;
    let mut enrolled: Vec<Id> = found.iter().filter(payable).map(|rebate| rebate.enrollment_id).collect();
    enrolled.sort_unstable();
    enrolled.dedup();
    if enrolled.is_empty() {
        return Ok(found.into_iter().map(RebateView::plain).collect());
    }
    let mut sums: HashMap<(Id, Currency), i64> = HashMap::new();
    let mut partners: Vec<Id> = found.iter().filter(payable).map(|rebate| rebate.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    for (enrollment, currency, minor) in store::payable(tx, &partners)? {
        *sums.entry((enrollment, currency)).or_default() += minor;
    }
    let thresholds = thresholds(tx, &enrolled)?;
    let months = found.iter().filter(payable).map(|rebate| rebate.posted_in);
    let (first, last) = months.fold((None, None), |(first, last): (Option<Month>, Option<Month>), month| {
        (Some(first.map_or(month, |m| m.min(month))), last.max(Some(month)))
    });
    let span = (first.map_or(tx.today(), Month::first_day), last.map_or(tx.today(), Month::last_day));
    let rates = fx_rates::rates(tx, span)?;
    let view = |rebate: Rebate| {
        let missing =
            thresholds.get(&rebate.enrollment_id).filter(|_| payable(&&rebate)).and_then(|threshold| {
                let threshold = rates.convert(rebate.posted_in, *threshold, rebate.currency, Leftover::Up)?;
                let sum = sums.get(&(rebate.enrollment_id, rebate.currency)).copied().unwrap_or_default();
                (sum < threshold.minor).then_some(Money { minor: threshold.minor - sum, ..threshold })
            });
        RebateView::of(rebate, missing)
    };
    Ok(found.into_iter().map(view).collect())
}

/// The least that is paid to each enrollment; those of a list may be of many partners.
fn thresholds(tx: &mut Tx<'_>, enrolled: &[Id]) -> Result<HashMap<Id, Money>> {
    let least = |terms: PaymentTerms| Money { minor: terms.payment_threshold, currency: terms.currency };
    let found = enrollments::payment_terms_of(tx, enrolled)?;
    Ok(found.into_iter().map(|(id, terms)| (id, least(terms))).collect())
}
