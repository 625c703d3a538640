//! The files that go to banks and come from them, held against the schemas of ISO 20022 and against another writer, without a
//! server or a database. `PROPTEST_CASES=2000 cargo test --test bank_files` tries more.

#![cfg(test)]

mod another_writer;
mod faults;
mod generated;
mod golden;
mod hostile;
mod profiles;
mod reports;
mod samples;
mod schema;
mod statements;
