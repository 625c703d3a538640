//! The load of the database, for monitors.

/// How much of the way to the database is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Connections that work.
    pub in_use: u32,
    /// Connections that are open.
    pub open: u32,
    /// The most connections that may be open.
    pub most: u32,
    /// Units that wait for SQLite's writer; none on PostgreSQL.
    pub queued: Option<usize>,
}
