//! The two databases behind one connection type, and the only place that names either.
//!
//! - [`Db::read`]: a snapshot. SQLite: `BEGIN` in WAL; PostgreSQL: repeatable read, read only.
//! - [`Db::write`]: a unit, all or nothing. SQLite: one writer thread that commits many units at once, each alone with
//!   the database; PostgreSQL: `READ COMMITTED`, so that a unit which first locks the rows it relies on sees all that
//!   was committed before it got them. Units of one partner wait for each other at its row, units of different ones
//!   never meet. Deadlocks and lost connections are run again where nothing of the unit can be durable.
//! - A unit that leaves a [`Witness`] is looked for where `COMMIT` was not answered: nobody is told that nothing was
//!   changed over a row that stands.

mod connection;
mod errors;
mod migrate;
mod pool;
pub mod types;
mod writer;

pub use connection::{Conn, MultiBackend, MultiRawValue, Target};
pub use pool::{Db, Done, Witness};

pub(crate) use connection::{insert_many, lock_rows, native, upsert_many};
