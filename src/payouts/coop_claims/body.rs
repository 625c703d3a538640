//! What the partner's people send of a claim.

use super::{
    model::Claim,
    service::{ClaimWords, ExpenseWords},
    view::CoopExpenseSource,
};
use crate::platform::{
    http::double_option,
    values::{CalendarDate, Id, Money},
};
use serde::Deserialize;
use utoipa::ToSchema;

/// An expense to claim.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "description": "Room and catering", "on": "2019-04-12",
    "source": {"type": "invoice", "supplier": "Nagoya Congress Center", "number": "NCC-2019-0412"},
    "net": {"amount": "1200.00", "currency": "USD"}, "tax": {"amount": "96.00", "currency": "USD"}, "recovers_tax": true
}))]
pub struct CoopExpenseCreate {
    /// The expense on record that this one replaces; left out of a new one.
    #[serde(default)]
    id: Option<Id>,
    /// The subject in your own words.
    #[schema(min_length = 1, max_length = 500, pattern = r"^\S(.|\n)*$")]
    description: String,
    /// The day of the invoice or of the own service.
    on: CalendarDate,
    /// Who has issued the document.
    source: CoopExpenseSource,
    /// The amount without tax, above zero.
    net: Money,
    /// The tax, in the same currency.
    tax: Money,
    /// Whether you recover the tax, which is not paid back then.
    recovers_tax: bool,
}

impl From<CoopExpenseCreate> for ExpenseWords {
    fn from(told: CoopExpenseCreate) -> Self {
        let CoopExpenseCreate { id, description, on, source, net, tax, recovers_tax } = told;
        Self { id, description, on, source: source.into(), net, tax, recovers_tax }
    }
}

/// A claim to write; a draft until it is submitted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "fund_id": "01936f2e-4b00-7000-8000-000000000001", "activity": "customer-seminar",
    "activity_from": "2019-04-12", "activity_to": "2019-04-12", "description": "Seminar on cloud backup in Nagoya",
    "metric": 42,
    "expenses": [{
        "description": "Room and catering", "on": "2019-04-12",
        "source": {"type": "invoice", "supplier": "Nagoya Congress Center", "number": "NCC-2019-0412"},
        "net": {"amount": "1200.00", "currency": "USD"}, "tax": {"amount": "96.00", "currency": "USD"},
        "recovers_tax": true
    }]
}))]
pub struct CoopClaimCreate {
    /// The fund.
    pub(super) fund_id: Id,
    /// The code of the activity, from `GET /v1/coop-activities`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    activity: String,
    /// The first day of the activity.
    activity_from: CalendarDate,
    /// The last day of the activity.
    activity_to: CalendarDate,
    /// The activity in your own words.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^\S(.|\n)*$")]
    description: String,
    /// The address of a page that proves the activity.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000, pattern = "^https?://\\S+$")]
    web_address: Option<String>,
    /// The number that the activity is asked for.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64)]
    metric: Option<i64>,
    /// The people whose cost is claimed, where the limit counts them.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1000)]
    people: Option<i32>,
    /// The expenses; they can be added later.
    #[serde(default)]
    #[schema(max_items = 50)]
    expenses: Vec<CoopExpenseCreate>,
}

impl CoopClaimCreate {
    pub(super) fn words(&self) -> ClaimWords {
        let new = self.clone();
        ClaimWords {
            activity: new.activity,
            activity_from: new.activity_from,
            activity_to: new.activity_to,
            description: new.description,
            web_address: new.web_address,
            metric: new.metric,
            people: new.people,
            expenses: new.expenses.into_iter().map(ExpenseWords::from).collect(),
        }
    }
}

/// A change of a draft: the members given replace those on record, expenses as a whole.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"description": "Seminar on cloud backup in Nagoya, with a demonstration", "metric": 45}))]
pub struct CoopClaimUpdate {
    /// The code of the activity.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", nullable = false)]
    activity: Option<String>,
    /// The first day of the activity.
    #[schema(nullable = false)]
    activity_from: Option<CalendarDate>,
    /// The last day of the activity.
    #[schema(nullable = false)]
    activity_to: Option<CalendarDate>,
    /// The activity in your own words.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^\S(.|\n)*$", nullable = false)]
    description: Option<String>,
    /// The address of a page that proves the activity; null removes it.
    #[serde(default, deserialize_with = "double_option::deserialize")]
    #[schema(min_length = 1, max_length = 2000, pattern = "^https?://\\S+$", value_type = Option<String>)]
    web_address: Option<Option<String>>,
    /// The number that the activity is asked for; null removes it.
    #[serde(default, deserialize_with = "double_option::deserialize")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_i64, value_type = Option<i64>)]
    metric: Option<Option<i64>>,
    /// The people whose cost is claimed; null removes them.
    #[serde(default, deserialize_with = "double_option::deserialize")]
    #[schema(minimum = 1, maximum = 1000, value_type = Option<i32>)]
    people: Option<Option<i32>>,
    /// The expenses. One with the `id` of an expense on record replaces that expense.
    #[schema(max_items = 50, nullable = false)]
    expenses: Option<Vec<CoopExpenseCreate>>,
}

impl CoopClaimUpdate {
    pub(super) fn applied_to(&self, claim: &Claim) -> ClaimWords {
        let (change, words) = (self.clone(), ClaimWords::from(claim));
        let expenses =
            |told: Vec<CoopExpenseCreate>| told.into_iter().map(ExpenseWords::from).collect::<Vec<_>>();
        ClaimWords {
            activity: change.activity.unwrap_or(words.activity),
            activity_from: change.activity_from.unwrap_or(words.activity_from),
            activity_to: change.activity_to.unwrap_or(words.activity_to),
            description: change.description.unwrap_or(words.description),
            web_address: change.web_address.unwrap_or(words.web_address),
            metric: change.metric.unwrap_or(words.metric),
            people: change.people.unwrap_or(words.people),
            expenses: change.expenses.map_or(words.expenses, expenses),
        }
    }
}

/// Words beside a step; they can be left out.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "Everything that belongs to the event"}))]
pub struct CoopClaimComment {
    /// In your own words, for the history of the claim.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    pub(super) comment: Option<String>,
}

/// The reason of a dispute.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "The invoice was attached to the second expense"}))]
pub struct CoopClaimDispute {
    /// In your own words.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    pub(super) reason: String,
}
