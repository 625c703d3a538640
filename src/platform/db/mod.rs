//! The two databases behind one connection type; no other module names a database.
//!
//! - [`Db::read`]: a snapshot. SQLite: `BEGIN` in WAL; PostgreSQL: repeatable read, read only.
//! - [`Db::write`]: a unit, all or nothing. SQLite: one writer thread that commits many units at once, each alone with
//!   the database; PostgreSQL: `READ COMMITTED`, so that a unit which first locks the rows it relies on sees every change
//!   that was committed before the lock. Units that lock one row wait for each other, units that lock different rows
//!   never meet. After a deadlock or a lost connection a unit runs again where nothing of the unit can be durable.
//! - A unit that leaves a [`Witness`] is looked up where `COMMIT` was not answered: no caller reads "nothing was changed"
//!   while the row of the unit is there. SQLite takes no further unit before the look.
//! - A thread asks in the background whether the database answers and takes writes. While it does not, units are refused at
//!   once, and [`Db::readiness`] says why.

mod address;
mod bytes;
mod connection;
mod copy;
mod errors;
mod handle;
mod health;
mod load;
mod migrate;
mod pool;
mod target;
pub mod types;
mod unit;
mod watch;
mod writer;

pub use bytes::BytesColumn;
pub use connection::{Conn, MultiBackend, MultiRawValue};
pub use errors::is_unnamed;
pub use handle::Db;
pub use load::Load;
pub use target::Target;
pub use unit::{Done, Witness};

pub(crate) use connection::{insert_many, lock_rows, native, upsert_many};
