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
//! | [`partners`] | who sells, enrolls and is paid; headquarters |
//! | [`users`], [`second_factors`], [`api_clients`] | who may sign in: people, with what beside a password; machines |
//! | [`sessions`] | signing in |
//! | [`setup`] | the gate a partner opens: who its people are, then its data |
//! | [`agreements`], [`competencies`] | the papers a partner signs; what it has attained |
//! | [`transactions`] | what a partner sold |
//! | [`imports`] | files of transactions |
//! | [`programs`] | incentive programs and their versions: requirements, levers and money terms as data |
//! | [`eligibility`] | the engine: a pure function from facts and requirements to a reasoned verdict |
//! | [`earnings`] | a pure function from sales, facts and levers to earnings with their trace |
//! | [`profiles`] | how a partner is paid and taxed |
//! | [`enrollments`] | a partner's part in a program for a year: the state table |
//! | [`accounting`] | what is owed: rebates, months that close, the double-entry ledger |
//! | [`adjustments`] | what people correct by hand: one proposes, another decides |
//! | [`calculation`] | posts what sales earn, by [`earnings`], to the books |
//! | [`statements`] | where a partner stands, and its statement of each month |
//! | [`jobs`] | the daily refresh: by the clock, on one instance, resumed after a crash |
//! | [`health`] | health and metrics |
//! | [`demo`] | a believable programme to try everything on |
//! | [`verify`] | whether the records still are what the service wrote: a list of checks |
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
//!   [`calculation::follow_up`] looks at what rests on it.
//!
//! ## Walkthroughs
//!
//! **A request.** `POST /v1/enrollments` meets [`platform::http::edge`] (request id, limits, problem documents),
//! then `request_enrollment` in `enrollments/api.rs`. Its first argument, `Caller<RequestEnrollment>`, checks token,
//! quota and role; its second, `Body<EnrollmentRequest>`, checks the body against the contract. `caller.write`
//! opens the unit, looks at the user again, answers a repeated idempotency key from the store, and calls
//! `service::request`, which gathers facts, asks the engine, and writes the enrollment with its history, audit event,
//! evaluation and notices. The unit commits; only then the answer leaves.
//!
//! **A new eligibility rule.** A variant of [`programs::Requirement`] with its parameters; its word and codes in
//! `eligibility/words.rs`; a function in `eligibility/rules.rs` that says whether it is met and until when; its
//! sentences in `eligibility/wording.rs`; a test; the contract regenerated. Nothing else knows the rules.
//!
//! **From a sale to a rebate.** Recording a sale puts its partner into [`transactions::backlog`], in the same unit. A
//! run of the [`calculation`] takes partners from there: it gathers the sales not counted yet, the enrollment's windows
//! of earning and the days on which the rules held, opens [`earnings::Books`] where they stood, posts, and keeps
//! earnings, ineligible records, state, rebates and ledger in one unit. What it posts goes by `earned_in`, the month of
//! the purchase, and `posted_in`, the first month still open. What months have grown by is posted with a partner's last
//! sale of the run, and again where what they are compared with has moved. [`accounting`] closes months, one after the
//! other.
//!
//! **A new lever, or a new term of one.** A variant or a field of [`programs::Lever`] with its faults; what it gives in
//! `earnings/scale.rs` or `earnings/settle.rs`, with a step of the trace where people would ask; a worked example; the
//! contract regenerated. Storage and runs know no lever.

pub mod platform;
#[expect(missing_docs, reason = "the columns are explained on the structs that load them")]
pub mod schema;

pub mod config;

pub mod access;

pub mod audit;
pub mod notifications;

pub mod partners;
pub mod users;

pub mod second_factors;

pub mod api_clients;
pub mod sessions;
pub mod setup;

pub mod agreements;
pub mod competencies;
pub mod transactions;

pub mod imports;

pub mod programs;

pub mod eligibility;

pub mod earnings;

pub mod profiles;

pub mod enrollments;

pub mod accounting;
pub mod adjustments;
pub mod calculation;
pub mod statements;

pub mod jobs;

pub mod health;

pub mod demo;

pub mod verify;

pub mod logging;

pub mod app;
