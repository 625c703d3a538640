//! The two databases behind one connection type, and the only place that names either.
//!
//! - [`Db::read`]: a snapshot. SQLite: `BEGIN` in WAL; PostgreSQL: repeatable read, read only.
//! - [`Db::write`]: a serialisable unit. SQLite: one writer thread that commits many units at once;
//!   PostgreSQL: `SERIALIZABLE`, repeated when it loses a race.

mod connection;
mod errors;
mod migrate;
mod pool;
pub mod types;
mod writer;

pub use connection::{Conn, MultiBackend, MultiRawValue, Target};
pub use pool::Db;

pub(crate) use connection::{insert_many, native, upsert_many};
