//! Agreements: the papers a partner signs. Three kinds, one shape, one table; shown as three resources.

pub mod model;

pub use model::{Agreement, AgreementStatus, Kind, MembershipLevel};
