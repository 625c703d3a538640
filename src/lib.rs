//! draft
pub mod platform;
#[allow(missing_docs)]
pub mod schema;
pub mod partners;
pub mod agreements;
pub mod competencies;
pub mod programs;
pub mod eligibility;
