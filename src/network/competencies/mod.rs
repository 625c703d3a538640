//! Competencies: the catalogue, and what each partner has attained of it.
//!
//! A partner has one record per competency: what it attained last. It is replaced when the competency is renewed,
//! raised or corrected, and keeps its end when it is revoked; the audit trail holds what it was before.

pub mod api;
mod catalogue;
pub mod model;
mod service;
mod store;
mod wire;

use crate::slice::{Slice, Tag};
pub use catalogue::install;
pub use model::{Attainment, Competency, Level, NewAttainment, is_code};
pub use service::{CODES, put};
pub use store::{attained_by, catalogue_codes, known_codes, refers_to};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "competencies",
        description: "The catalogue of competencies, and what each partner has attained of it.",
    }),
    codes: &[CODES],
    install: Some(install),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx.conn, partner)?.then_some("attainment"))),
    ..Slice::named("network::competencies")
};
