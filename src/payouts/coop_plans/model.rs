//! The plan and its states; no I/O, no clock, no HTTP.

use crate::{
    ledger::accounting::coop_funds::PlannedFor,
    platform::{
        db::types::Json,
        values::{CalendarDate, Currency, Id, Money, Timestamp, text_enum},
    },
    schema::coop_plans,
};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

text_enum! {
    /// The state of a co-op plan.
    pub enum PlanState {
        /// The partner's people write the plan.
        Draft = "draft",
        /// The plan waits for an operator.
        Submitted = "submitted",
        /// The budgets are set aside in the fund.
        Approved = "approved",
        /// An operator has said no; the partner's people change the plan and submit the plan again.
        Rejected = "rejected",
        /// The partner has withdrawn the plan; what was set aside and not claimed is in the fund again.
        Cancelled = "cancelled",
        /// The fund of the plan is over.
        Ended = "ended",
    }
}

/// What happens to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanEvent {
    /// The partner submits the plan.
    Submission,
    /// An operator approves the plan.
    Approval,
    /// An operator rejects the plan.
    Rejection,
    /// The partner withdraws the plan.
    Cancellation,
    /// The fund of the plan is over.
    End,
}

impl PlanEvent {
    /// Every event that people bring about, with the name of its sub-resource.
    pub const TOLD: [(Self, &'static str); 4] = [
        (Self::Submission, "submission"),
        (Self::Approval, "approval"),
        (Self::Rejection, "rejection"),
        (Self::Cancellation, "cancellation"),
    ];
}

impl PlanState {
    /// The state after an event; none where the state does not allow the event.
    #[must_use]
    pub const fn after(self, event: PlanEvent) -> Option<Self> {
        use PlanEvent as Event;
        match (self, event) {
            (Self::Draft | Self::Rejected, Event::Submission) => Some(Self::Submitted),
            (Self::Submitted, Event::Approval) => Some(Self::Approved),
            (Self::Submitted, Event::Rejection) => Some(Self::Rejected),
            (Self::Draft | Self::Submitted | Self::Rejected | Self::Approved, Event::Cancellation) => {
                Some(Self::Cancelled)
            }
            (Self::Draft | Self::Submitted | Self::Rejected | Self::Approved, Event::End) => {
                Some(Self::Ended)
            }
            _ => None,
        }
    }

    /// Whether the partner's people may change the plan.
    #[must_use]
    pub const fn is_written(self) -> bool {
        matches!(self, Self::Draft | Self::Rejected)
    }

    /// Whether the fund has no room for another plan beside this one.
    #[must_use]
    pub const fn is_live(self) -> bool {
        self.after(PlanEvent::End).is_some()
    }
}

/// An activity that a partner plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedActivity {
    /// The code in the catalogue of the enrollment's program version.
    pub activity: String,
    /// The first day.
    pub from: CalendarDate,
    /// The last day.
    pub to: CalendarDate,
    /// The activity in the partner's words.
    pub description: String,
    /// The people whose cost is planned, where the limit counts them.
    pub people: Option<i32>,
    /// What the activity is to cost the fund.
    pub budget: Money,
}

/// The marketing plan of a partner for one co-op fund.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = coop_plans, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Plan {
    /// UUID of version 7.
    pub id: Id,
    /// The partner that plans.
    pub partner_id: Id,
    /// The fund.
    pub fund_id: Id,
    /// The enrollment of the fund.
    pub enrollment_id: Id,
    /// The currency of the fund.
    pub currency: Currency,
    /// The state.
    pub state: PlanState,
    /// The activities.
    pub activities: Json<Vec<PlannedActivity>>,
    /// The sum of the budgets in minor units.
    pub budget: i64,
    /// When the plan was last submitted.
    pub submitted_at: Option<Timestamp>,
    /// When the last decision was made.
    pub decided_at: Option<Timestamp>,
    /// The operator or API client who decided.
    pub decided_by: Option<Id>,
    /// The words of the last decision, or of the cancellation.
    pub reason: Option<String>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// The user or API client who made the draft.
    pub created_by: Option<Id>,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

impl Plan {
    /// An amount in the currency of the plan.
    #[must_use]
    pub const fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }

    /// The sub-resources that can be posted to now.
    #[must_use]
    pub fn allowed(&self) -> Vec<&'static str> {
        let allows = |(event, _): &(PlanEvent, &'static str)| self.state.after(*event).is_some();
        PlanEvent::TOLD.into_iter().filter(allows).map(|(_, name)| name).collect()
    }

    /// The budgets by the code of the activity.
    #[must_use]
    pub fn budgets(&self) -> Vec<PlannedFor> {
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for planned in &self.activities.0 {
            *sums.entry(planned.activity.as_str()).or_default() += planned.budget.minor;
        }
        let planned = |(activity, amount): (&str, i64)| PlannedFor { activity: activity.to_owned(), amount };
        sums.into_iter().map(planned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn the_states_of_a_plan_are_those_of_the_table() {
        let mut table = String::new();
        for state in PlanState::ALL {
            for (event, name) in PlanEvent::TOLD.into_iter().chain([(PlanEvent::End, "end of the fund")]) {
                if let Some(after) = state.after(event) {
                    writeln!(table, "{state} -- {name} --> {after}").unwrap();
                }
            }
        }
        insta::assert_snapshot!(table);
    }
}
