//! Programs and their yearly, immutable versions: requirements, levers and money terms as data.

mod model;
mod requirement;
pub mod rule_sets;

pub use model::ProgramStatus;
pub use requirement::{Requirement, validate_requirements};
