//! The binary as people start it, and the README they start it by.

#![cfg(test)]

mod calculating;
mod importing;
mod mail;
mod readme;
mod running;
#[path = "../support/smtp.rs"]
#[expect(dead_code, unreachable_pub, reason = "it offers more to the stories")]
mod smtp;
mod starting;

/// Whether the environment sets a flag such as `CI=true`.
fn flag(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value == "1" || value == "true")
}
