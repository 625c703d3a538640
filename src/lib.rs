//! draft
pub mod platform;
#[allow(missing_docs)]
pub mod schema;
pub mod access;
pub mod audit;
pub mod partners;
pub mod agreements;
pub mod competencies;
pub mod programs;
