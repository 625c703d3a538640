//! The identities that may sign in: people with their second factors, machines, and the set-up a partner completes before
//! its people see incentive data.
//!
//! Each slice may use the slices before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`users`] | people, their roles and passwords |
//! | [`second_factors`] | authenticator apps and recovery codes |
//! | [`api_clients`] | machines |
//! | [`sessions`] | signing in, renewing, signing out |
//! | [`password_resets`] | a new password for whoever has forgotten the old one |
//! | [`setup`] | the list of a partner's users, and its completion |

pub mod users;

pub mod second_factors;

pub mod api_clients;

pub mod sessions;

pub mod password_resets;

pub mod setup;
