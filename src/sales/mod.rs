//! What partners sold, one by one and in files.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`transactions`] | purchases and refunds; which partners wait for a calculation |
//! | [`imports`] | files of transactions |

pub mod transactions;

pub mod imports;
