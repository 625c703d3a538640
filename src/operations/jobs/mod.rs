//! Jobs: long work that begins by the clock or when an operator asks, goes on after a crash where it stopped, and
//! changes nothing when it is repeated.
//!
//! The **daily refresh** walks over all partners, step by step, in batches. What is due is found without holding
//! anybody up; what is found is written in one short unit, together with how far the run has come. So a crash loses
//! nothing and repeats nothing.
//!
//! One instance works at a time: it holds a lease in the database, renews it with every batch, and another one takes
//! over when it has run out. A step more is a [`Step`] more, and its two functions in `steps`.

pub mod api;
mod model;
mod runner;
mod service;
mod steps;
mod store;

pub use model::{JobName, JobRun, RunState, Step};
pub use runner::Runner;
pub use service::CODES;
