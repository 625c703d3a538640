//! Payment runs on the wire.

use super::{
    model::{PaymentRun, PaymentRunState, RunTotal},
    prepare::RunPreview,
};
use crate::{
    ledger::accounting::WaitingRange,
    network::partners::Transition,
    platform::values::{Currency, Id, Month, Timestamp},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A run that gathers what is payable up to a closed month into payments.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentRun)]
pub struct PaymentRunView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The closed month: the run pays what was posted up to the month.
    month: Month,
    /// The currency; null for all.
    currency: Option<Currency>,
    /// The month of payment, whose exchange rates convert the payment thresholds.
    paid_in: Month,
    /// The failed or returned payment that the run's only payment replaces; null of a run over everything payable.
    reissues: Option<Id>,
    /// The state of the run.
    state: PaymentRunState,
    /// Partners that were looked at.
    #[schema(minimum = 0)]
    done: i64,
    /// Partners with something that waits to be paid.
    #[schema(minimum = 0)]
    total: i64,
    /// The totals of the partners that were looked at, by currency.
    #[schema(max_items = 200)]
    totals: Vec<RunTotal>,
    /// The user or API client who made the run; null for the service itself.
    created_by: Option<Id>,
    /// The user or API client who approved or cancelled the run; null before.
    decided_by: Option<Id>,
    /// When the run was approved or cancelled.
    decided_at: Option<Timestamp>,
    /// The reason of the decision in the decider's words.
    #[schema(max_length = 1000, examples("Compared with the books"))]
    decision_comment: Option<String>,
    /// The sub-resources that can be posted to now; the approval by another person than who made the run.
    #[schema(max_items = 3, examples(json!(["approval", "cancellation"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

impl From<PaymentRun> for PaymentRunView {
    fn from(run: PaymentRun) -> Self {
        Self {
            allowed_transitions: run.state.allowed().iter().copied().map(Transition).collect(),
            id: run.id,
            month: run.month,
            currency: run.currency,
            paid_in: run.paid_in,
            reissues: run.reissues,
            state: run.state,
            done: run.done,
            total: run.total,
            totals: run.totals.0,
            created_by: run.created_by,
            decided_by: run.decided_by,
            decided_at: run.decided_at,
            decision_comment: run.decision_comment,
            created_at: run.created_at,
            updated_at: run.updated_at,
            revision: run.revision,
        }
    }
}

/// What a run would be: its totals, and nothing stored.
#[derive(Serialize, ToSchema)]
pub struct PaymentRunPreview {
    /// The closed month: the run pays what was posted up to the month.
    month: Month,
    /// The currency; null for all.
    currency: Option<Currency>,
    /// The month of payment, whose exchange rates convert the payment thresholds.
    paid_in: Month,
    /// Partners with something that waits to be paid.
    #[schema(minimum = 0)]
    total: i64,
    /// The totals by currency, as the run would have them.
    #[schema(max_items = 200)]
    totals: Vec<RunTotal>,
}

impl From<RunPreview> for PaymentRunPreview {
    fn from(preview: RunPreview) -> Self {
        let RunPreview { range: WaitingRange { until: month, currency }, paid_in, partners, totals } =
            preview;
        Self { month, currency, paid_in, total: partners, totals }
    }
}
