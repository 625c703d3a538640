//! What an adjustment is; no I/O, no clock, no HTTP.

use crate::{
    platform::values::{Currency, Id, Money, Month, Timestamp, text_enum},
    schema::adjustments,
};
use diesel::prelude::*;

text_enum! {
    /// Where an adjustment stands.
    pub enum AdjustmentState {
        /// Another person has to decide.
        Proposed = "proposed",
        /// It is part of a rebate.
        Approved = "approved",
        /// It was turned down, for good.
        Rejected = "rejected",
    }
}

text_enum! {
    /// What an adjustment corrects.
    pub enum AdjustmentReason {
        /// Sales were reported wrongly, and no refund or further purchase can mend it.
        SalesCorrection = "sales_correction",
        /// Something was calculated by a wrong rate, tier, cap or exchange rate.
        CalculationCorrection = "calculation_correction",
        /// A partner's objection was upheld.
        Dispute = "dispute",
        /// A favor that no rule asks for.
        Goodwill = "goodwill",
        /// Something was earned against the programme's rules.
        Compliance = "compliance",
        /// What was owed before the service took over.
        Migration = "migration",
    }
}

/// A correction of what is owed, by hand.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = adjustments, treat_none_as_null = true)]
pub struct Adjustment {
    /// Identifier.
    pub id: Id,
    /// The enrollment.
    pub enrollment_id: Id,
    /// Its partner.
    pub partner_id: Id,
    /// What is added, or taken off, in minor units.
    #[diesel(column_name = amount)]
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
    /// The month it applies to.
    pub earned_in: Month,
    /// The month it is paid with; known once it is approved.
    pub posted_in: Option<Month>,
    /// What it corrects.
    pub reason_code: AdjustmentReason,
    /// Why, in the words of who proposed it.
    pub comment: String,
    /// Where it stands.
    pub state: AdjustmentState,
    /// Who proposed it; none for the service itself.
    pub proposed_by: Option<Id>,
    /// Who decided.
    pub decided_by: Option<Id>,
    /// Why, in the words of who decided.
    pub decision_comment: Option<String>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub revision: i64,
}

/// What somebody proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAdjustment {
    /// The enrollment.
    pub enrollment_id: Id,
    /// What is added, or taken off.
    pub amount: Money,
    /// The month it applies to.
    pub earned_in: Month,
    /// What it corrects.
    pub reason_code: AdjustmentReason,
    /// Why.
    pub comment: String,
}

impl Adjustment {
    /// What is added, or taken off.
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
