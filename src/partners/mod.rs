//! Partners: who sells, enrolls and is paid.

pub mod model;

pub use model::{Partner, PartnerStatus, PartnerType};
