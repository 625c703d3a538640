//! How the service is run: background work people follow, health, a demo, the checks of the records.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`jobs`] | the daily refresh: by the clock, on one instance, resumed after a crash |
//! | [`health`] | health and metrics |
//! | [`demo`] | a believable programme to try everything on |
//! | [`verify`] | whether the records still are what the service wrote |

pub mod jobs;

pub mod health;

pub mod demo;

pub mod verify;
