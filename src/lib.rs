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
//! | [`work`] | background work: one engine, a lease for each job, schedules and queues, retry, drain |
//! | [`mod@slice`] | what a slice hands over to the composition root, in one declaration |
//! | [`audit`] | who did what, when and why; the chain that shows what was changed or removed |
//! | [`notifications`] | what people are told, and the mails that carry it |
//! | [`network`] | who takes part: partners, the papers they sign, the competencies they attain, how they are paid and taxed. |
//! | [`identity`] | who may sign in: people, with what beside a password; machines; the gate a partner opens before its people see data. |
//! | [`sales`] | what partners sold, one by one and in files. |
//! | [`participation`] | what partners take part in: programs and their rules, who meets them, who is enrolled. |
//! | [`ledger`] | what is owed: the books every amount stands in. |
//! | [`earnings`] | what sales give: the pure engine, the calculation that posts its results, and the statements that show them. |
//! | [`payouts`] | what is owed becomes money on partners' accounts. |
//! | [`operations`] | how the service is run: background work people follow, health, a demo, the checks of the records. |
//! | [`app`] | the composition root: the only list of slices |
//!
//! The eight modules from [`network`] to [`operations`] are the floors: each holds slices, in the order in which they may use
//! each other, those above first. [`audit`] and [`notifications`] are slices below every floor.
//!
//! | floor | slice | holds |
//! |---|---|---|
//! | `network` | `partners` | the locations that sell and their headquarters |
//! | | `agreements` | MPN, distributor and reseller agreements: one slice, three resources |
//! | | `competencies` | the catalogue, and what partners attained |
//! | | `profiles` | payout and tax profiles, sealed |
//! | `identity` | `users`, `second_factors`, `api_clients` | people and machines that may sign in |
//! | | `sessions` | sign-in, tokens, rotation of keys, throttles |
//! | | `password_resets` | a new password for whoever has forgotten the old one, by a token that is mailed |
//! | | `setup` | the gate: a partner's people are listed, mailed, and set up |
//! | `sales` | `transactions` | purchases and refunds, and the [backlog](sales::transactions::backlog) of the calculation |
//! | | `imports` | files of transactions, CSV and NDJSON |
//! | `participation` | `programs` | programs, versions, requirements and levers as data |
//! | | `enrollments` | an enrollment, its state table and history |
//! | | `eligibility` | the pure rules, their evidence, words and remedies |
//! | | `admission` | who is let in and moved: requests, invitations, reminders, roll-over |
//! | `ledger` | `accounting` | exchange rates, months, rebates, co-op funds, the double entry |
//! | | `adjustments` | amounts that people propose and another approves |
//! | | `forfeitures` | rebates that nobody can pay are lost, after a notice |
//! | `earnings` | [`earnings::engine`] | the law: what sales give, pure |
//! | | `calculation` | posting, runs, recalculation, simulation, the lists of earnings |
//! | | `statements` | a partner's statement and summary; the statements of closed months, stored |
//! | | `closing` | closes months: the preview, the report, the statements |
//! | `payouts` | [`bank_files`](payouts::bank_files) | payment files for banks, and what banks say; pure |
//! | | [`withholding`](payouts::withholding) | the rates of withheld tax, with the days they hold on |
//! | | [`payer_accounts`](payouts::payer_accounts) | the accounts that payments leave from |
//! | | [`coop_plans`](payouts::coop_plans) | marketing plans for co-op funds: written by partners, approved by operators |
//! | | [`coop_audits`](payouts::coop_audits) | the paid claims of each month whose originals are asked for, by a sample that anybody can draw again |
//! | | [`half_years`](payouts::half_years) | what becomes of co-op funds at the end of a half-year, and of the time for claims |
//! | | [`payments`](payouts::payments) | payments with their lines, from their making to their arrival or return |
//! | | [`payment_runs`](payouts::payment_runs) | runs that gather what is payable into payments, with maker and checker |
//! | | [`sealed_files`](payouts::sealed_files) | the bytes of files for banks and from banks, sealed |
//! | | [`payment_files`](payouts::payment_files) | files for banks: checked, made once, downloaded, sent |
//! | | [`bank_reports`](payouts::bank_reports) | status reports and statements of banks, applied to payments; what a person looks at |
//! | | [`disputes`](payouts::disputes) | what partners object to, with the answers and their second calculation |
//! | `operations` | `jobs`, `health`, `demo`, `verify` | the daily refresh, readiness, the demo, proof of the records |
//!
//! A slice is a folder: `model.rs` what a thing is (no I/O, no clock, no HTTP), `store.rs` its rows, `service.rs`
//! commands that touch more than one thing, `api.rs` routes, wire types and handlers, `mod.rs` its public face. It
//! declares itself once, as `SLICE` in `mod.rs`: routes, codes, tag, background work, what a new database needs, what is
//! swept, what `verify` checks, what refers to a partner, which columns hold secrets, what monitors are shown.
//!
//! ## Invariants (checked by `tests/architecture.rs`)
//!
//! - `platform` holds no business word.
//! - `model.rs` does no I/O and cannot learn the time.
//! - Only `platform::db` names a database; only `api.rs`, `access::{caller, public}`, `platform::http`, `slice` and `app` name actix.
//! - Every slice that answers requests is in the list of `app`, with all of its routes.
//! - Slices form a list, in the order of this file: each may use those above it, none below.
//! - Application state is opaque: only [`access::Caller`] and [`access::Public`] open it, so a handler that
//!   names neither cannot reach the database. The policy stands in the handler's signature, first.
//! - Every write is one unit with its audit event: a unit that writes none is refused, and so is an event about a partner
//!   whose lock the unit does not hold.
//! - A column of secrets is declared in [`slice::Slice::sealed`]; each secret is sealed for its row.
//! - A table has one owner, named in [`schema`]; other slices ask the owner's public face. Every table is keyed by its
//!   partner or named as shared, and every statement on a table of partners names the partner.
//! - A change of a fact about a partner calls [`access::Tx::facts_changed`]; before the commit
//!   the follow-up of each slice, [`slice::Slice::follow_up`], looks at what rests on it.
//! - Nobody spawns work of its own: what no request waits for is [`work::Work`], done inside a [`work::Turn`].
//!
//! ## Units, and what guards them
//!
//! A unit is all or nothing: on SQLite one writer runs units one after the other, on PostgreSQL a unit is `READ COMMITTED`
//! and first locks the rows it relies on, so that each of its statements sees all that was committed before. A unit is
//! one partner's: [`access::Tx::lock_partner`] comes before the partner's records are read, units of one partner wait for
//! each other, and units of different partners never meet. Beyond one partner a rule stands in a constraint or in a row
//! that is locked. Locks are taken in this order, so that nobody waits in a circle: the job and its run, guards and programs,
//! then partners (headquarters before locations, each by id), then rows of people. Deadlocks that come about all the same are
//! resolved by the database, and the unit runs again.
//!
//! | rule | guarded by |
//! |---|---|
//! | agreements of a kind never overlap, refunds never exceed their purchase, caps and totals, one open enrollment, transitions, one decision on a profile or an adjustment | the partner's lock |
//! | a location rests on what its headquarters holds | a unit that changes a headquarters locks its locations too |
//! | headquarters are never nested | both partners' locks |
//! | a partner that is named as provider or headquarters is not deleted | a key-share lock on the named partner ([`network::partners::keep`]) |
//! | MPN ids, agreement numbers, transaction numbers, codes and addresses are unique | unique keys of shared tables; a second run of the unit refuses by the rule's own code |
//! | versions of a program never overlap, nobody enrolls while its program changes | the program's row: locked by who changes it, shared by who enrolls |
//! | nothing is posted into a month that closes, every sale is calculated with the rates there are | [`access::Guard::Books`]: shared by who posts, taken by closing and by publishing rates |
//! | what a month owes follows the profiles | closing locks every partner that has a rebate of the month |
//! | a closed month's statement is the one of its closing | the unit that closes stores all statements, and holds the books |
//! | whoever asks for a run is looked at by the run that is answered | the run's row: locked by each of its units and by whoever asks |
//! | nobody is forgotten by the calculation | the backlog's row: taken out before the partner is read, put in again by whoever changes a fact |
//! | rates of withheld tax follow each other without gap and overlap | the row of the rate that is ended, and a unique key of rates without an end |
//! | somebody is left to run the programme | [`access::Guard::Operators`] |
//! | one payment run of a month and currency is open | [`access::Guard::PaymentRuns`], and a unique index |
//! | no rebate is in two live payments | its partner's lock, and a unique index over live lines |
//! | a record is disputed once | its partner's lock, and a unique index |
//! | a claim has at most 20 proofs, and each comes while the claim is written | its partner's lock; the file is put before its row, and swept where no row came |
//! | a fund has one plan, and sets aside what the plan's claims have not used | its partner's lock, and a unique index over live plans |
//! | the claims of a month are drawn once, and a claim has one audit | the key of the draw, written whole by the unit that draws; the partner's lock, and a unique key |
//! | documents of payments are numbered without a gap | the series' row, locked until the numbers stand on payments |
//! | a file for a bank holds what was checked, and a payment stands in one file | the run's row, and the locks of all partners of the file |
//! | a line of a bank's report is applied once | a unique index over the report's bytes; the report's row, which each of its units locks and in which the unit notes how far it came |
//! | one key signs, a refresh token or a one-time code is good for once, failed sign-ins are counted each | [`access::Guard::SigningKeys`]; the token's, the user's and the throttle's row |
//! | a request with an idempotency key is done once | the key's primary key, written in the unit itself |
//! | one instance is at a job | the job's row: a lease ([`work::Turn`]), kept until the end of each unit |
//! | events form one chain | the lease of sealing, and the row of the chain's head |
//!
//! Units that cross partners: closing a month, publishing rates, a portion of an import, a portion of the calculation, a
//! portion of a payment run and its approval, cancellation and dispatch, the making, first download, dispatch and withdrawal of
//! a payment file, the first report of a file, a portion of a bank's report, a batch of the daily refresh, a change of a
//! headquarters or of a program (follow-up of everybody enrolled), a scene of the demo. Each locks its partners together, in
//! the order above.
//!
//! Where the answer to `COMMIT` was lost, the unit's first audit event tells on another connection whether the unit is
//! durable ([`platform::db::Witness`]); only where nobody can be asked the answer is `outcome_unknown`.
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
//! `participation/eligibility/words.rs`; a function in `participation/eligibility/rules.rs` that says whether the rule is met, until
//! when, and why; where the rule asks for something new, what is known of it in `participation/eligibility/facts.rs`; a test; the
//! contract regenerated. Nothing else knows the rules.
//!
//! **From a sale to a rebate.** Recording a sale puts its partner into [`sales::transactions::backlog`] with the day of the
//! purchase, in the same unit; so does every other fact, with its own first day. A run of the [`earnings::calculation`] takes
//! partners from there, and computes each anew **from the month of the first change on**. It loads whole months: every purchase
//! with all refunds known, in the order of dates, sources and external ids; the days on which a rule was not met; the exchange
//! rates; and the standing that the months before pass on, which is the volume of each lever, the use of each cap and the
//! customers that are known. [`earnings::engine::Year::month`], the law, gives a target for every lever and origin: a
//! transaction, a customer's month or a month. What is posted is the target less what the same origin has posted; an origin
//! that has not moved is left alone, so that a repeat posts nothing. There is no second way to compute: a sale that comes in
//! order begins a month that has no postings, a late sale or refund begins an earlier one, and [`operations::verify`] and a
//! recalculation begin the year. Each posting names its cause. It is earned in the month of the purchase and posted in that
//! month while it is open, else in the first open one; [`ledger::accounting`] closes months, one after the other. A partner
//! whose computation fails is put aside with a code, and the run goes on.
//!
//! **A new lever, or a new term of one.** A variant or a field of [`participation::programs::Lever`] and its
//! [`Method`](participation::programs::Method); what it does, in `earnings/engine/method.rs`, where the compiler asks for an arm
//! in each function; its words in `earnings/statements/words.rs`; a worked example; the contract regenerated. Storage, runs and
//! `verify` know no lever. A lever that earns on facts no lever has asked for yet has them gathered in
//! `earnings/calculation/posting/year.rs`.

pub mod platform;
#[expect(missing_docs, reason = "the columns are explained on the structs that load them")]
pub mod schema;

pub mod config;

pub mod access;

pub mod work;

pub mod slice;

pub mod audit;
pub mod notifications;

pub mod network;

pub mod identity;

pub mod sales;

pub mod participation;

pub mod ledger;

pub mod earnings;

pub mod payouts;

pub mod operations;

pub mod logging;

pub mod app;
