//! What stories stand on: a database of their own, a running service, people who ask it things,
//! and a check of every answer against the contract.

mod client;
mod contract;
mod database;
mod postgres;
mod world;

pub use client::{Answer, Client};
pub use database::{Backend, Database};
pub use world::World;

/// Whether the environment sets a flag such as `CI=true` or `REQUIRE_POSTGRES=1`.
fn flag(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value == "1" || value == "true")
}
