//! Claims on co-op funds: the partner's people write what an activity has cost and submit, and reviewers decide.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the claim, its expenses, its state table and its history |
//! | `assessment` | what a claim would be paid: conversion, limits, proofs that lack, faults |
//! | `risk` | what makes a claim look twice at |
//! | `terms` | the facts that both follow from |
//! | `draw` | the part of the fund that a claim draws, from the plan first |
//! | `steps` | what every step of a claim has in common: the state table, the fund, the history |
//! | `service` | what the partner's people do, and the end of their time |
//! | `review` | what reviewers do |
//! | `paying` | the way of approved claims through payments, and the holds of operators |
//! | `under_way` | the claims that somebody has to act on, for the partner's summary |
//! | `notices` | what the partner is told |
//! | `proofs` | the rows of the files that prove claims |

pub mod api;
mod assessment;
mod assessment_view;
mod body;
mod draw;
mod model;
mod notices;
mod paying;
pub mod proofs;
mod review;
mod review_api;
mod risk;
mod service;
mod steps;
mod store;
mod terms;
mod under_way;
mod view;

use crate::slice::{Slice, Tag};
pub use assessment::{in_fund, most_of};
pub use model::{Claim, ClaimEvent, ClaimState, CutReason, ExpenseSource};
pub use paying::{ClaimMove, hold, move_claims};
pub use proofs::{Proof, ProofMedia};
pub use review::{DecisionLine, approve, ask, reject, take};
pub use service::{
    CODES, ClaimWords, ExpenseWords, cancel, dispute, draft, expire, overdue, refuse_unwritten, submit,
};
pub use steps::{Step, note};
pub use store::{first_paid, get, named, paid_in, partners_payable, payable_of, to_change, used};
pub use terms::activity_name;
pub use view::CoopClaimView;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        api::routes(config);
        review_api::routes(config);
    },
    tag: Some(Tag {
        name: "coop-claims",
        description: "Claims on co-op funds: written and submitted by partners, decided by reviewers.",
    }),
    codes: &[CODES],
    measures: Some(store::measures),
    open_claims: Some(under_way::of_partner),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx, partner)?.then_some("co-op claim"))),
    ..Slice::named("payouts::coop_claims")
};
