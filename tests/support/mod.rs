//! The support of the stories: a database for each story, a running service, clients who call the service, and a check of
//! every answer against the contract.

mod client;
mod contract;
mod database;
mod issuer;
mod ports;
pub mod postgres;
pub mod proof_files;
mod s3;
pub mod secrets;
#[expect(dead_code, reason = "it offers more to the process tests")]
mod smtp;
pub mod statements;
mod world;

pub use client::{Answer, Ask, Client};
pub use database::{Backend, Database, PASSWORD, person};
pub use issuer::Issuer;
pub use ports::free_port;
pub use s3::Bucket;
pub use smtp::{MailServer, wait_for};
pub use world::World;

/// The settings of the private cluster: fast, because no data outlives a test run.
const SERVER_SETTINGS: &[&str] = &[
    "-cshared_buffers=64MB",
    "-cfsync=off",
    "-csynchronous_commit=off",
    "-cfull_page_writes=off",
    "-cautovacuum=off",
    "-cjit=off",
    "-cwal_level=minimal",
    "-cmax_wal_senders=0",
    "-cmax_wal_size=4GB",
];

/// Whether the environment sets a flag such as `CI=true` or `REQUIRE_POSTGRES=1`.
fn flag(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value == "1" || value == "true")
}
