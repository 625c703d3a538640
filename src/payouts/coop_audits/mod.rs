//! Audits of paid co-op claims: each month a sample of a program's claims that were paid asks for the originals of their documents.
//! What is not proved is recovered by an adjustment.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the audit with its state table, and the draw of a month |
//! | `sample` | which claims are drawn; pure, so that anybody can draw again |
//! | `draw` | the monthly draw, from the sample to its audits, and its proof |
//! | `service` | what operators decide, and the way back where another person turns a recovery down |
//! | `notices` | what the partner is told |

pub mod api;
mod draw;
mod model;
mod notices;
mod sample;
mod service;
mod store;
mod view;

use crate::{
    slice::{Slice, Tag, VerifyCheck},
    work::{JobName, Schedule, Work},
};
pub use draw::draw_due;
pub use model::{CoopAudit, CoopAuditEvent, CoopAuditState, CoopDraw};
pub use sample::sample;
pub use service::{CODES, pass, recover};
pub use store::of_claim;
pub use view::CoopAuditView;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "coop-audits",
        description: "Paid co-op claims whose originals are asked for: a sample of each month, and what came of it.",
    }),
    codes: &[CODES],
    work: &[Work {
        name: JobName::CoopAudits,
        schedule: |_| Schedule::Every(86_400),
        queue: None,
        run: draw::draw,
    }],
    checks: &[VerifyCheck { name: "co-op audits", run: |tx, _| draw::verify(tx) }],
    measures: Some(store::measures),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx, partner)?.then_some("co-op audit"))),
    follow_up: Some(service::follow_up),
    ..Slice::named("payouts::coop_audits")
};
