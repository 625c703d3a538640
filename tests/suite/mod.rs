//! The stories. Each is a sentence, has a world of its own, and runs on both databases.

mod agreements;
mod authority;
mod calculation;
mod competencies;
mod conventions;
mod demo;
mod eligibility;
mod enrollments;
mod enrollments_over_time;
mod harness;
mod notifications;
mod partners;
mod plans;
mod profiles;
mod programs;
mod records;
mod schema;
mod sessions;
mod transactions;
mod units;
mod users;
