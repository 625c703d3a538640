//! # Partner Incentives
//!
//! The service that runs a vendor's partner incentive programme: partners sign agreements, earn competencies,
//! become eligible, enroll, and earn rebates and co-op funds.
//!
//! ## The map
//!
//! | module | holds |
//! |---|---|
//! | [`platform`] | how we serve; knows no business word: errors, the two databases, HTTP conventions, values |
//! | [`schema`] | the tables, for both databases |
//! | [`config`] | typed settings |
//! | [`access`] | who asks and what they may do: roles, the policy table, tokens, the unit |
//! | [`audit`] | who did what, when and why; the chain that shows what was changed or removed |
//! | [`notifications`] | what people are told, and the mails that carry it |
//! | [`network`] | who takes part: partners, the papers they sign, the competencies they attain, how they are paid and taxed. |
//! | [`identity`] | who may sign in: people, with what beside a password; machines; the gate a partner opens before its people see data. |
//! | [`sales`] | what partners sold, one by one and in files. |
//! | [`participation`] | what partners take part in: programs and their rules, who meets them, who is enrolled. |
//! | [`ledger`] | what is owed: the books every amount stands in. |
//! | [`earnings`] | what sales give: the pure engine, the calculation that posts its results, and the statements that show them. |
//! | [`operations`] | how the service is run: background work people follow, health, a demo, the checks of the records. |
//! | [`app`] | the composition root: the only list of slices |
//!
//! A slice is a folder: `model.rs` what a thing is (no I/O, no clock, no HTTP), `store.rs` its rows, `service.rs`
//! commands that touch more than one thing, `api.rs` routes, wire types and handlers, `mod.rs` its public face.
//!
//! ## Invariants (checked by `tests/architecture.rs`)
//!
//! - `platform` holds no business word.
//! - `model.rs` does no I/O and cannot learn the time.
//! - Only `platform::db` names a database; only `api.rs`, `access::caller`, `platform::http` and `app` name actix.
//! - Slices form a list, in the order of this file: each may use those above it, none below.
//! - Application state is opaque: only [`access::Caller`] and [`access::Public`] open it, so a handler that
//!   names neither cannot reach the database. The policy stands in the handler's signature, first.
//! - Every write is one serialisable unit with its audit event: a unit that writes none is refused.
//! - A change of a fact about a partner calls [`access::Tx::facts_changed`]; before the commit
//!   [`earnings::calculation::follow_up`] looks at what rests on it.
//!
//! ## Walkthroughs
//!
//! **A request.** `POST /v1/enrollments` meets [`platform::http::edge`] (request id, limits, problem documents),
//! then `request_enrollment` in `participation/admission/api.rs`. Its first argument, `Caller<RequestEnrollment>`, checks token,
//! quota and role; its second, `Body<EnrollmentRequest>`, checks the body against the contract. `caller.write`
//! opens the unit, looks at the user again, answers a repeated idempotency key from the store, and calls
//! `service::request`, which gathers facts, asks the engine, and writes the enrollment with its history, audit event,
//! evaluation and notices. The unit commits; only then the answer leaves.
//!
//! **A new eligibility rule.** A variant of [`participation::programs::Requirement`] with its parameters; its word and codes in
//! `participation/eligibility/words.rs`; a function in `participation/eligibility/rules.rs` that says whether it is met and until when; its
//! sentences in `participation/eligibility/wording.rs`; a test; the contract regenerated. Nothing else knows the rules.
//!
//! **From a sale to a rebate.** Recording a sale puts its partner into [`sales::transactions::backlog`], in the same unit. A
//! run of the [`earnings::calculation`] takes partners from there: it gathers the sales not counted yet, the enrollment's windows
//! of earning and the days on which the rules held, opens [`earnings::engine::Books`] where they stood, posts, and keeps
//! earnings, ineligible records, state, rebates and ledger in one unit. What it posts goes by `earned_in`, the month of
//! the purchase, and `posted_in`, the first month still open. What months have grown by is posted with a partner's last
//! sale of the run, and again where what they are compared with has moved. [`ledger::accounting`] closes months, one after the
//! other.
//!
//! **A new lever, or a new term of one.** A variant or a field of [`participation::programs::Lever`] with its faults; what it gives in
//! `earnings/engine/scale.rs` or `earnings/engine/settle.rs`, with a step of the trace where people would ask; a worked example; the
//! contract regenerated. Storage and runs know no lever.

pub mod platform;
#[expect(missing_docs, reason = "the columns are explained on the structs that load them")]
pub mod schema;

pub mod config;

pub mod access;

pub mod audit;
pub mod notifications;

pub mod network;

pub mod identity;

pub mod sales;

pub mod participation;

pub mod ledger;

pub mod earnings;

pub mod operations;

pub mod logging;

pub mod app;
