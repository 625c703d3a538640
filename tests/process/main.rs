//! The binary as people start it, and the documents they start it by.

#![cfg(test)]

mod calculating;
mod claimants;
mod claiming;
mod disks;
mod documents;
mod files;
mod importing;
mod logging;
mod mail;
mod many_proofs;
mod operator;
mod outages;
mod paying;
mod pooler;
#[path = "../support/ports.rs"]
#[expect(unreachable_pub, reason = "the stories use it too")]
mod ports;
mod postgres;
mod promises;
#[path = "../support/proof_files.rs"]
#[expect(dead_code, unreachable_pub, reason = "it offers more to the stories")]
mod proof_files;
mod restarts;
mod running;
#[path = "../support/smtp.rs"]
#[expect(dead_code, unreachable_pub, reason = "it offers more to the stories")]
mod smtp;
mod starting;
mod telling;
mod walks;

/// Whether the environment sets a flag such as `CI=true`.
fn flag(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value == "1" || value == "true")
}
