//! Marketing plans for co-op funds: the partner's people write which activities a fund is to pay, and an operator's approval sets
//! the budgets aside for the claims of these activities.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the plan, its activities and its state table |
//! | `assessment` | the limits of a plan, and what keeps a plan from being submitted |
//! | `service` | the steps of a plan, and its end with the fund |
//! | `store` | the rows |
//! | `body`, `view`, `api` | plans on the wire |

pub mod api;
mod assessment;
mod body;
mod model;
mod service;
mod store;
mod view;

use crate::slice::{Slice, Tag};
pub use model::{Plan, PlanEvent, PlanState, PlannedActivity};
pub use service::{approve, cancel, draft, end, submit};
pub use view::CoopPlanView;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "coop-plans",
        description: "Marketing plans for co-op funds: written and submitted by partners, approved by operators.",
    }),
    codes: &[service::CODES],
    measures: Some(store::measures),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx, partner)?.then_some("co-op plan"))),
    ..Slice::named("payouts::coop_plans")
};
