//! The stories. Each is a sentence, has a world of its own, and runs on both databases.

mod accounts;
mod agreements;
mod api_clients;
mod authority;
mod competencies;
mod conventions;
mod demo;
mod eligibility;
mod enrollments;
mod enrollments_over_time;
mod harness;
mod notifications;
mod oauth;
mod outside_identity;
mod partners;
mod plans;
mod profiles;
mod programs;
mod records;
mod schema;
mod sessions;
mod sign_in;
mod transactions;
mod units;
mod users;
