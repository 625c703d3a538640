//! draft
pub mod platform;
