//! Payouts: what is owed becomes money on partners' accounts.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`bank_files`] | payment files for banks, checked and written; status reports and statements of banks, read |

pub mod bank_files;
