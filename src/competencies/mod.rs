//! Competencies: the catalogue, and what each partner has attained.

pub mod model;

pub use model::{Attainment, Competency, Level};
