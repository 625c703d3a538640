//! The adjustment; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Currency, Id, Money, Month, Timestamp, text_enum},
    schema::adjustments,
};
use diesel::prelude::*;

text_enum! {
    /// The state of an adjustment.
    pub enum AdjustmentState {
        /// Another person has to decide.
        Proposed = "proposed",
        /// The adjustment is part of a rebate.
        Approved = "approved",
        /// The adjustment was turned down, for good.
        Rejected = "rejected",
    }
}

text_enum! {
    /// The fault that an adjustment corrects.
    pub enum AdjustmentReason {
        /// Sales were reported wrongly, and no refund or further purchase can mend it.
        SalesCorrection = "sales_correction",
        /// Earnings were calculated by a wrong rate, tier, cap or exchange rate.
        CalculationCorrection = "calculation_correction",
        /// A partner's objection was upheld.
        Dispute = "dispute",
        /// A favor that no rule asks for.
        Goodwill = "goodwill",
        /// Earnings break the programme's rules.
        Compliance = "compliance",
        /// An amount was owed before the service took over.
        Migration = "migration",
    }
}

/// A correction by hand of the amount owed to an enrollment.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = adjustments, treat_none_as_null = true)]
pub struct Adjustment {
    /// UUID of version 7.
    pub id: Id,
    /// The enrollment whose rebate is corrected.
    pub enrollment_id: Id,
    /// The partner of the enrollment.
    pub partner_id: Id,
    /// The amount in minor units; negative where the rebate gets smaller.
    #[diesel(column_name = amount)]
    pub minor: i64,
    /// The currency of the amount.
    pub currency: Currency,
    /// The month that the adjustment applies to.
    pub earned_in: Month,
    /// The month that the adjustment is paid with; none before the approval.
    pub posted_in: Option<Month>,
    /// The fault that the adjustment corrects.
    pub reason_code: AdjustmentReason,
    /// The reason in the words of the proposer.
    pub comment: String,
    /// The state of the adjustment.
    pub state: AdjustmentState,
    /// The user or API client who proposed the adjustment; none for the service itself.
    pub proposed_by: Option<Id>,
    /// The user or API client who decided on the adjustment.
    pub decided_by: Option<Id>,
    /// The reason of the decision in the decider's words.
    pub decision_comment: Option<String>,
    /// When the decision was made.
    pub decided_at: Option<Timestamp>,
    /// The dispute that the adjustment settles.
    pub dispute_id: Option<Id>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

/// An adjustment to propose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAdjustment {
    /// The enrollment whose rebate is corrected.
    pub enrollment_id: Id,
    /// The amount; negative where the rebate gets smaller.
    pub amount: Money,
    /// The month that the adjustment applies to.
    pub earned_in: Month,
    /// The fault that the adjustment corrects.
    pub reason_code: AdjustmentReason,
    /// The reason in the proposer's words.
    pub comment: String,
    /// The dispute that the adjustment settles.
    pub dispute_id: Option<Id>,
}

impl Adjustment {
    /// The amount; negative where the rebate gets smaller.
    #[must_use]
    pub fn amount(&self) -> Money {
        Money { minor: self.minor, currency: self.currency }
    }

    /// The sub-resources that can be posted to now.
    #[must_use]
    pub fn allowed(&self) -> &'static [&'static str] {
        match self.state {
            AdjustmentState::Proposed => &["approval", "rejection"],
            AdjustmentState::Approved | AdjustmentState::Rejected => &[],
        }
    }
}
