//! The stories. Each is a sentence, has a world of its own, and runs on both databases.

mod harness;
mod schema;
mod units;
mod partners;
mod agreements;
mod competencies;
