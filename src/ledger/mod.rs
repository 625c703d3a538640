//! The books: the amounts owed to enrollments, and every transfer behind them.
//!
//! Each slice may use the slices before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`accounting`] | rebates, accounting months, exchange rates, the double-entry ledger |
//! | [`adjustments`] | corrections by hand: one person proposes, another decides |
//! | [`forfeitures`] | rebates that nobody can pay are lost, after a notice |

pub mod accounting;

pub mod adjustments;

pub mod forfeitures;
