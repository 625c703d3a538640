//! Competencies: the catalogue, and the attainments of each partner.
//!
//! A partner has one attainment per competency, the last one. A renewal, a higher level and a correction replace the
//! attainment; a revocation ends it. The audit trail holds the earlier records.

pub mod api;
mod catalogue;
pub mod model;
mod service;
mod store;
mod wire;

use crate::slice::{Slice, Tag};
pub use catalogue::install;
pub use model::{Attainment, Competency, Level, NewAttainment, is_code};
pub use service::{CODES, record_attainment};
pub use store::{attained_by, catalogue_codes, known_codes, refers_to};

/// The declaration of this slice.
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
