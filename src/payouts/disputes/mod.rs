//! Disputes: a partner objects to a figure, names the one it expects, and an operator answers with a second calculation.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the dispute, its state table and its clock |
//! | `subject` | the disputed record and its second calculation |
//! | `service` | what partner and operators do |
//! | `notices` | what the other side is told |

pub mod api;
mod model;
mod notices;
mod service;
mod store;
mod subject;
mod view;

use crate::slice::{Slice, Tag};
pub use model::{Dispute, DisputeEvent, DisputeState, DisputeSubject};
pub use service::{CODES, Objection, raise};
pub use view::DisputeView;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "disputes",
        description: "What partners object to: a figure on record, the one they expect, and the answer.",
    }),
    codes: &[CODES],
    measures: Some(store::measures),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx, partner)?.then_some("dispute"))),
    follow_up: Some(service::follow_up),
    ..Slice::named("payouts::disputes")
};
