//! The two databases behind one connection type; no other module names a database.
//!
//! - [`Db::read`]: a snapshot. SQLite: `BEGIN` in WAL; PostgreSQL: repeatable read, read only.
//! - [`Db::write`]: a unit, all or nothing. SQLite: one writer thread that commits many units at once, each alone with
//!   the database; PostgreSQL: `READ COMMITTED`, so that a unit which first locks the rows it relies on sees every change
//!   that was committed before the lock. Units that lock one row wait for each other, units that lock different rows
//!   never meet. After a deadlock or a lost connection a unit runs again where nothing of the unit can be durable.
//! - A unit that leaves a [`Witness`] is looked up where `COMMIT` was not answered: no caller reads "nothing was changed"
//!   while the row of the unit is there.

mod address;
mod bytes;
mod connection;
mod connector;
mod copy;
mod errors;
mod load;
mod migrate;
mod pool;
pub mod types;
mod writer;

pub use bytes::BytesColumn;
pub use connection::{Conn, MultiBackend, MultiRawValue, Target};
pub use load::Load;
pub use pool::{Db, Done, Witness};

pub(crate) use connection::{insert_many, lock_rows, native, upsert_many};
