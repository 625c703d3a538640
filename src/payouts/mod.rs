//! Payouts: what is owed becomes money on partners' accounts.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`bank_files`] | payment files for banks, checked and written; status reports and statements of banks, read |
//! | [`withholding`] | the rates of withheld tax, with the days they hold on |
//! | [`payer_accounts`] | the accounts that payments leave from |
//! | [`coop_claims`] | claims on co-op funds: written by partners, decided by reviewers |
//! | [`coop_proofs`] | the files that prove claims: received, checked, given back |
//! | [`coop_plans`] | marketing plans for co-op funds: written by partners, approved by operators |
//! | [`coop_audits`] | the paid claims of each month whose originals are asked for, by a sample that anybody can draw again |
//! | [`half_years`] | what becomes of co-op funds at the end of a half-year, and of the time for claims |
//! | [`payments`] | payments with their lines, from their making to their arrival or return |
//! | [`payment_runs`] | runs that gather what is payable into payments; one person makes a run, another approves it |
//! | [`sealed_files`] | the bytes of files for banks and from banks, sealed |
//! | [`payment_files`] | files for banks: made once, downloaded, sent |
//! | [`bank_reports`] | what banks say: status reports and statements, applied to payments |
//! | [`disputes`] | what partners object to, and the answers |

pub mod bank_files;

pub mod withholding;

pub mod payer_accounts;

pub mod coop_claims;

pub mod coop_proofs;

pub mod coop_plans;

pub mod coop_audits;

pub mod half_years;

pub mod payments;

pub mod payment_runs;

pub mod sealed_files;

pub mod payment_files;

pub mod bank_reports;

pub mod disputes;
