//! Proofs of co-op claims: files that the partner's people send while they write a claim. What a file is, is told by its bytes;
//! what would act on the machine of whoever opens it is refused, and nobody's browser shows it.
//!
//! The bytes lie in the store of objects, written before their row; `coop_claims` owns the rows. Several databases may share a
//! store: what is swept is told by the rows of `loose` alone.
//!
//! | file | holds |
//! |---|---|
//! | `content` | what a file is, by its bytes |
//! | `loose` | objects that no proof has |
//! | `name` | names that are safe on every machine |
//! | `receiving` | a file from its first byte to its row |
//! | `service` | downloads, removals, and the end of loose objects |

pub mod api;
mod content;
mod loose;
mod name;
mod receiving;
mod service;
mod view;

use crate::{
    slice::Slice,
    work::{JobName, Schedule, Work},
};
pub use receiving::{CODES, NewProof, receive};
pub use service::verify;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    codes: &[CODES],
    work: &[Work {
        name: JobName::CoopProofSweep,
        schedule: |_| Schedule::Every(86_400),
        queue: None,
        run: service::sweep,
    }],
    ..Slice::named("payouts::coop_proofs")
};
