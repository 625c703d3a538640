//! Eligibility: whether a partner meets a program version's requirements on a day, and why.
//!
//! A pure function, [`evaluate`]: facts and terms in, verdict out. It knows no database, no clock and no
//! HTTP, so the same facts and the same date give the same verdict whenever it is asked: on a request, in
//! a simulation, in the daily refresh, or for the day of a transaction long past.
//!
//! | file | holds |
//! |---|---|
//! | `model` | what goes in ([`Facts`], [`Terms`]) and what comes out ([`Verdict`], [`Check`], [`Finding`]) |
//! | `words` | the closed sets of words: rules, codes, statuses |
//! | `rules` | [`evaluate`], one function per requirement, and how a lapse is found |
//! | `agreement_rule`, `competency_rule`, `sales_rules` | the requirements that look at records |
//! | `outlook` | what is about to end a partner's eligibility |
//! | `wording`, `evidence` | what a finding says, what to do about it, and the records it rests on |
//! | `view` | a check as it is stored and sent |
//!
//! Around it, what asks it about partners on record:
//!
//! | file | holds |
//! |---|---|
//! | `facts` | gathers facts about many partners by a constant number of queries |
//! | `evaluation`, `store` | [`Assessment`], and [`Evaluation`]: an assessment on record |
//! | `service` | [`assess`], [`assess_all`], [`judge_all`], [`record`] |
//! | `api` | asking and reading over HTTP |
//! | `simulation_api`, `simulation` | asking about what is not on record |
//!
//! A verdict borrows from its facts and renders its texts only when asked, so the daily refresh judges
//! every partner without building a single sentence.
//!
//! Adding a rule: a variant of [`crate::participation::programs::Requirement`]; its word and codes in `words`; a function
//! in `rules` that returns the finding and the first day it no longer holds; its sentences in `wording`.

mod agreement_rule;
pub mod api;
mod competency_rule;
mod evaluation;
mod evidence;
mod facts;
pub mod model;
mod outlook;
mod report;
mod rules;
mod sales_rules;
mod service;
mod simulation;
pub mod simulation_api;
mod store;
mod view;
mod wording;
mod words;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod worked_examples;

use crate::slice::{Slice, Tag};
pub use evaluation::{Assessment, Evaluation};
pub use model::{
    AgreementFault, Asked, Check, CompetencyFault, Facts, Finding, Gap, Ground, Held, OptOut, Sale, Terms,
    Turnover, Verdict,
};
pub use outlook::Outlook;
pub use rules::evaluate;
pub use service::{UnmetDay, assess, assess_all, judge_all, record, unmet_on};
pub use store::find as find_evaluation;
pub use view::{EligibilityCheck, EligibilityEvidence};
pub use words::{
    CheckStatus, CheckWarning, EligibilityCode, EligibilityOutcome, EligibilityRule, EvidenceKind,
};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        api::routes(config);
        simulation_api::routes(config);
    },
    tag: Some(Tag {
        name: "eligibility",
        description: "Whether a partner meets what a program asks, on any day, and why.",
    }),
    refers_to_partner: Some(|tx, partner| Ok(store::any_of_partner(tx, partner)?.then_some("evaluation"))),
    ..Slice::named("participation::eligibility")
};
