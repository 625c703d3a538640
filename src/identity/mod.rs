//! Who may sign in: people, with what beside a password; machines; the gate a partner opens before its people see data.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`users`] | people, their roles and passwords |
//! | [`second_factors`] | authenticator apps and recovery codes |
//! | [`api_clients`] | machines |
//! | [`sessions`] | signing in, renewing, signing out |
//! | [`setup`] | the list of a partner's users, and its completion |

pub mod users;

pub mod second_factors;

pub mod api_clients;

pub mod sessions;

pub mod setup;
