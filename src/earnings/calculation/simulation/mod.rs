//! Simulation: what a month would earn with hypothetical sales, or by a draft; nothing of it is kept.
//!
//! | file | holds |
//! |---|---|
//! | `simulation_api` | the question |
//! | `hypothetical` | the hypothetical sales of the question; one that could never be on record is refused |
//! | `scene` | the computation, which is that of a run |
//! | `view`, `lever_view` | the answer: what would be posted, and where the levers would stand |

mod hypothetical;
mod lever_view;
mod scene;
pub mod simulation_api;
mod view;

pub use scene::CODES;
