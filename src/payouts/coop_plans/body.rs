//! What people send of a plan.

use super::{model::PlannedActivity, view::CoopPlannedActivity};
use crate::platform::values::Id;
use serde::Deserialize;
use utoipa::ToSchema;

/// A plan to write; a draft until it is submitted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "fund_id": "01936f2e-4b00-7000-8000-000000000001",
    "activities": [{
        "activity": "customer-seminar", "from": "2019-04-12", "to": "2019-04-12",
        "description": "Seminar on cloud backup in Nagoya", "budget": {"amount": "1200.00", "currency": "USD"}
    }]
}))]
pub struct CoopPlanCreate {
    /// The fund.
    pub(super) fund_id: Id,
    /// The activities; they can be added later.
    #[serde(default)]
    #[schema(max_items = 50)]
    activities: Vec<CoopPlannedActivity>,
}

impl CoopPlanCreate {
    pub(super) fn activities(&self) -> Vec<PlannedActivity> {
        planned(&self.activities)
    }
}

/// A change of a plan: the activities replace those on record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "activities": [{
        "activity": "customer-seminar", "from": "2019-04-12", "to": "2019-04-12",
        "description": "Seminar on cloud backup in Nagoya, with a demonstration",
        "budget": {"amount": "1500.00", "currency": "USD"}
    }]
}))]
pub struct CoopPlanUpdate {
    /// The activities.
    #[schema(max_items = 50, nullable = false)]
    activities: Option<Vec<CoopPlannedActivity>>,
}

impl CoopPlanUpdate {
    pub(super) fn activities(&self) -> Option<Vec<PlannedActivity>> {
        self.activities.as_deref().map(planned)
    }
}

fn planned(told: &[CoopPlannedActivity]) -> Vec<PlannedActivity> {
    told.iter().cloned().map(PlannedActivity::from).collect()
}

/// Words beside a step; they can be left out.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "The seminar fits the campaign of the spring"}))]
pub struct CoopPlanComment {
    /// In your own words, which the other side reads.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    pub(super) comment: Option<String>,
}
