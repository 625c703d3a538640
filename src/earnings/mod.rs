//! What sales give: the pure engine, the calculation that posts its results, and the statements that show them.
//!
//! Each slice may use those before it.
//!
//! | slice | holds |
//! |---|---|
//! | [`engine`] | a pure function from sales, facts and levers to earnings with their trace |
//! | [`calculation`] | posts what sales earn to the books |
//! | [`statements`] | where a partner stands, and its statement of each month |
//! | [`closing`] | closes months, with a preview and a report |

pub mod engine;

pub mod calculation;

pub mod statements;

pub mod closing;
