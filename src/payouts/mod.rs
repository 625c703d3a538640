//! Payouts: what is owed becomes money on partners' accounts.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`bank_files`] | payment files for banks, checked and written; status reports and statements of banks, read |
//! | [`withholding`] | the rates of withheld tax, with the days they hold on |
//! | [`payer_accounts`] | the accounts that payments leave from |

pub mod bank_files;

pub mod withholding;

pub mod payer_accounts;
