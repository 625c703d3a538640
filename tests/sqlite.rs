//! Every story, on SQLite.

#![cfg(test)]

#[path = "suite/mod.rs"]
mod suite;
#[path = "support/mod.rs"]
#[expect(unreachable_pub, reason = "`pub` is what the modules of support offer to the stories")]
mod support;

const BACKEND: support::Backend = support::Backend::Sqlite;
