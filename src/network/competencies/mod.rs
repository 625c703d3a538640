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

pub use catalogue::install;
pub use model::{Attainment, Competency, Level, NewAttainment, is_code};
pub use service::{CODES, put};
pub use store::{attained_by, catalogue_codes, known_codes, refers_to};
