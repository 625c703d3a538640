//! Payouts: what is owed becomes money on partners' accounts.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`bank_files`] | payment files for banks, checked and written |

pub mod bank_files;
