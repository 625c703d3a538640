//! Programs and their yearly, immutable versions: requirements, levers and money terms as data.

mod requirement;

pub use requirement::Requirement;
