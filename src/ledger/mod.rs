//! What is owed: the books every amount stands in.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`accounting`] | rebates, accounting months, exchange rates, the double-entry ledger |
//! | [`adjustments`] | what people correct by hand: one proposes, another decides |

pub mod accounting;

pub mod adjustments;
