//! Payouts: what is owed becomes money on partners' accounts.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`bank_files`] | payment files for banks, checked and written; status reports and statements of banks, read |
//! | [`withholding`] | the rates of withheld tax, with the days they hold on |
//! | [`payer_accounts`] | the accounts that payments leave from |
//! | [`payments`] | payments with their lines, from their making to their arrival or return |
//! | [`payment_runs`] | runs that gather what is payable into payments; one person makes a run, another approves it |

pub mod bank_files;

pub mod withholding;

pub mod payer_accounts;

pub mod payments;

pub mod payment_runs;
