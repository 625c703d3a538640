//! An earning as it is shown, with its trace.

use super::{
    model::{EarningRow, Grain},
    store,
};
use crate::{
    access::Tx,
    earnings::engine::CalculationStep,
    participation::programs::Lever,
    platform::{
        Result,
        http::page_of,
        values::{Currency, Id, Money, Month, Rate, Timestamp},
    },
    sales::transactions::backlog::CalculationCause,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one lever gives. It is never changed: what comes later is another earning.
#[derive(Serialize, ToSchema)]
#[schema(as = Earning)]
pub struct EarningView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    pub(super) id: Id,
    /// The enrollment it was earned by.
    enrollment_id: Id,
    /// Its partner.
    partner_id: Id,
    /// The program's code.
    #[schema(max_length = 64, examples("csp-direct-bill"))]
    program: String,
    /// The program version whose lever it is.
    #[schema(minimum = 1)]
    version: i32,
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    lever: String,
    /// What it comes from.
    grain: Grain,
    /// The sale it comes from; null where it comes from several.
    transaction_id: Option<Id>,
    /// The purchase that sale is, or takes back.
    purchase_id: Option<Id>,
    /// The customer; null where it comes from several.
    #[schema(max_length = 128, examples("C-20881"))]
    customer_id: Option<String>,
    /// The month it applies to.
    earned_in: Month,
    /// The month it is paid with; later where that one was closed.
    posted_in: Month,
    /// What was earned on: by how much the base has moved.
    base: Money,
    /// The amount before it was rounded and capped, in the same currency.
    #[schema(max_length = 60, examples("987.6536"))]
    unrounded: String,
    /// The amount; negative where a refund takes back.
    amount: Money,
    /// The part that is rebate.
    rebate: Money,
    /// The part that is co-op.
    coop: Money,
    /// How the amount came about.
    #[schema(max_items = 40)]
    trace: Vec<TraceStep>,
    /// Why it was posted: what came, or changed.
    cause: CalculationCause,
    /// The sale or the refund that it goes back to; null where something else changed.
    cause_transaction_id: Option<Id>,
    /// When it was calculated.
    as_of: Timestamp,
}

/// One step of a calculation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum TraceStep {
    /// What the lever earns on: the net amount, refunds taken off.
    #[schema(title = "BaseStep")]
    Base {
        /// The amount.
        amount: Money,
    },
    /// A part of the volume at its tier's rate, or all of it at the lever's.
    #[schema(title = "SliceStep")]
    Slice {
        /// The part.
        volume: Money,
        /// The rate.
        rate: Rate,
        /// What the part gives, unrounded, in the currency of the earning.
        #[schema(max_length = 60, examples("987.6536"))]
        gives: String,
    },
    /// What earlier months of the tier period were given.
    #[schema(title = "EarlierMonthsStep")]
    EarlierMonths {
        /// The amount.
        amount: Money,
    },
    /// What a new customer or a competency gives, whatever was billed.
    #[schema(title = "FixedStep")]
    Fixed {
        /// The amount.
        amount: Money,
        /// How many of them.
        #[schema(minimum = 0, maximum = 1_000_000_000_i64)]
        times: i64,
    },
    /// What a month is compared with.
    #[schema(title = "BaselineStep")]
    Baseline {
        /// The amount.
        amount: Money,
    },
    /// The sum, rounded once.
    #[schema(title = "RoundedStep")]
    Rounded {
        /// The amount.
        amount: Money,
    },
    /// What a cap left of it.
    #[schema(title = "CapStep")]
    Cap {
        /// What was left under the cap.
        balance: Money,
        /// What is cut off.
        cut: Money,
    },
    /// What earlier transactions of the same purchase gave.
    #[schema(title = "PostedStep")]
    Posted {
        /// The amount.
        amount: Money,
    },
    /// What the same origin had posted already: this earning corrects it.
    #[schema(title = "CorrectionStep")]
    Correction {
        /// The amount.
        of: Money,
    },
    /// The split.
    #[schema(title = "SplitStep")]
    Split {
        /// The rebate's rate.
        rate: Rate,
        /// The part that is rebate.
        rebate: Money,
        /// The part that is co-op.
        coop: Money,
    },
}

page_of!(
    /// One page of earnings.
    pub EarningPage of EarningView
);

/// Steps as they are shown.
#[must_use]
pub fn trace_view(steps: Vec<CalculationStep>, currency: Currency) -> Vec<TraceStep> {
    use CalculationStep as Step;
    let shown = |step| match step {
        Step::Base { amount } => TraceStep::Base { amount },
        Step::Slice { volume, rate, gives } => TraceStep::Slice { volume, rate, gives: gives.text(currency) },
        Step::EarlierMonths { amount } => TraceStep::EarlierMonths { amount },
        Step::Fixed { amount, times } => TraceStep::Fixed { amount, times },
        Step::Baseline { amount } => TraceStep::Baseline { amount },
        Step::Rounded { amount } => TraceStep::Rounded { amount },
        Step::Cap { balance, cut } => TraceStep::Cap { balance, cut },
        Step::Posted { amount } => TraceStep::Posted { amount },
        Step::Correction { of } => TraceStep::Correction { of },
        Step::Split { rate, rebate, coop } => TraceStep::Split { rate, rebate, coop },
    };
    steps.into_iter().map(shown).collect()
}

/// Earnings with their traces. Two statements for any number.
pub(super) fn show(tx: &mut Tx<'_>, found: Vec<EarningRow>) -> Result<Vec<EarningView>> {
    let mut enrolled: Vec<Id> = found.iter().map(|row| row.enrollment_id).collect();
    enrolled.sort_unstable();
    enrolled.dedup();
    let terms = store::terms_of(tx, &enrolled)?;
    let view = |row: EarningRow| {
        let money = |minor| Money { minor, currency: row.currency };
        let known = terms.get(&(row.enrollment_id, row.version));
        let trace = known.and_then(|(_, version)| {
            let lever: &Lever = version.levers.0.iter().find(|lever| lever.code() == row.lever)?;
            Some(trace_view(row.traced(version, lever).steps(), row.currency))
        });
        EarningView {
            program: known.map(|(code, _)| code.clone()).unwrap_or_default(),
            trace: trace.unwrap_or_default(),
            base: money(row.base),
            amount: money(row.amount),
            rebate: money(row.rebate),
            coop: money(row.coop),
            id: row.id,
            enrollment_id: row.enrollment_id,
            partner_id: row.partner_id,
            version: row.version,
            lever: row.lever,
            grain: row.grain,
            transaction_id: row.transaction_id,
            purchase_id: row.purchase_id,
            customer_id: row.customer_id,
            earned_in: row.earned_in,
            posted_in: row.posted_in,
            unrounded: row.unrounded,
            cause: row.cause,
            cause_transaction_id: row.cause_id,
            as_of: row.calculated_at,
        }
    };
    Ok(found.into_iter().map(view).collect())
}
