//! draft
pub mod platform;
#[expect(missing_docs, reason = "the columns are explained on the structs that load them")]
pub mod schema;
pub mod config;
pub mod access;
pub mod audit;
pub mod partners;
pub mod users;
pub mod sessions;
pub mod agreements;
pub mod competencies;
pub mod transactions;
pub mod programs;
pub mod eligibility;
pub mod profiles;
pub mod notifications;
pub mod enrollments;
pub mod health;
pub mod logging;
pub mod app;
