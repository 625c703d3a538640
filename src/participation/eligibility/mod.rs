//! Eligibility: whether a partner meets a program version's requirements on a day, and why.
//!
//! A pure function, [`evaluate`]: facts and terms in, verdict out. The engine knows no database, no clock and no
//! HTTP, so the same facts and the same date give the same verdict whenever the question is asked: on a request, in
//! a simulation, in the daily refresh, or for the day of a transaction long past. Each day is judged by the version in
//! effect on that day and by the facts as they stand on record for that day.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the question ([`ProgramTerms`]) and the answer ([`Verdict`], [`Check`]) |
//! | `facts`, `held` | what is known of a partner ([`Facts`]), gathered for many by a constant number of queries |
//! | `words` | the closed sets of words: rules, codes, statuses |
//! | `rules` | [`evaluate`], the list of rules, and the short ones |
//! | `agreement_rule`, `competency_rule`, `sales_rules` | the rules that look at records |
//! | `any_of_rule` | the rule of alternatives |
//! | `outlook` | what is about to end a partner's eligibility |
//! | `wording`, `evidence` | parts of sentences, and references to the records a check rests on |
//! | `view` | a check as it is stored, in every language, and as it is sent, in one |
//! | `evaluation`, `store` | [`Assessment`], and [`Evaluation`]: an assessment on record |
//! | `service` | [`assess`], [`assess_all`], [`judge_all`], [`days_of_each`], [`unmet_on`], [`record`] |
//! | `api` | asking and reading over HTTP |
//! | `simulation_api`, `simulation` | asking about what is not on record |
//!
//! A verdict borrows from its facts. A rule is put into words when a check is told, so the daily refresh judges
//! every partner without building a single sentence.
//!
//! A new rule is a variant of [`crate::participation::programs::Requirement`], its word and codes in `words`, and a
//! function in `rules` that says whether the rule holds, until when, and why.

mod agreement_rule;
mod any_of_rule;
pub mod api;
mod competency_rule;
mod evaluation;
mod evidence;
mod facts;
mod held;
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
pub(crate) mod samples;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_by_day;
#[cfg(test)]
mod worked_examples;
#[cfg(test)]
mod worlds;

use crate::slice::{Slice, Tag};
pub use evaluation::{Assessment, Evaluation};
pub use facts::{Facts, OptOut, Sale};
pub use held::{Dated, Held, Holding, Lent};
pub use model::{Check, FormerProgramStanding, ProgramStanding, ProgramTerms, Verdict, VersionTerms};
pub use outlook::Outlook;
pub use rules::evaluate;
pub use service::{Days, UnmetDay, assess, assess_all, days_of_each, judge_all, record, unmet_on};
pub use store::find as find_evaluation;
pub use view::{EligibilityCheck, EligibilityCheckView, EligibilityEvidence};
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
