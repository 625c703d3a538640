//! The one place where errors of the database driver become errors of the service.
//!
//! The driver tells the commonest faults of PostgreSQL by kinds, which it takes from their SQLSTATE, and all others by
//! texts in the language of the server, which nobody reads here. An unnamed fault whose place in the statement the server
//! points at is a mistake of this service; any other may pass (a deadlock, a lock or a statement that took too long, no
//! room), so that the unit runs again, and is refused for now where that does not help. SQLite speaks one language, and is
//! part of this binary: its whole sentences are its codes.

use crate::{
    platform::{Error, codes, values::Text},
    text,
};
use diesel::result::{DatabaseErrorKind as Kind, Error as Diesel};

/// A fault of the database, by its meaning for the unit that met the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another unit worked on the same rows (40001): the unit is rolled back, and may run again.
    LostRace,
    /// A row with the same unique value exists already, perhaps only just committed: a second run can see that row.
    Twin,
    /// A foreign key: another row refers to the row, or the row refers to a missing row.
    Reference,
    /// The connection is gone, or its server is about to stop.
    LostConnection,
    /// The database only reads (25006): a standby, a server that was demoted to a standby, or a file that may not be
    /// written.
    ReadOnly,
    /// Another process has locked SQLite's file.
    Busy,
    /// SQLite has taken the transaction back before its commit.
    TakenBack,
    /// The disk of SQLite has no room, or does not do what it is told.
    Disk,
    /// PostgreSQL could not do the statement, for a reason that the driver does not name.
    Unnamed,
    /// Anything else is a mistake of this service.
    Mistake,
}

/// The sentences of SQLite for faults that pass (`sqlite3_errstr`).
const SENTENCES: [(&str, Fault); 9] = [
    ("cannot commit - no transaction is active", Fault::TakenBack),
    ("database is locked", Fault::Busy),
    ("database table is locked", Fault::Busy),
    ("locking protocol", Fault::Busy),
    ("database or disk is full", Fault::Disk),
    ("disk I/O error", Fault::Disk),
    ("unable to open database file", Fault::Disk),
    ("out of memory", Fault::Disk),
    ("attempt to write a readonly database", Fault::ReadOnly),
];

impl Fault {
    /// The fault of either database, as far as its kind tells.
    pub(super) fn of(error: &Diesel) -> Self {
        match error {
            Diesel::DatabaseError(kind, info) => match kind {
                Kind::UniqueViolation => Self::Twin,
                Kind::ForeignKeyViolation => Self::Reference,
                Kind::SerializationFailure => Self::LostRace,
                Kind::ReadOnlyTransaction => Self::ReadOnly,
                Kind::UnableToSendCommand | Kind::ClosedConnection => Self::LostConnection,
                Kind::Unknown => SENTENCES
                    .iter()
                    .find(|(sentence, _)| *sentence == info.message())
                    .map_or(Self::Mistake, |(_, fault)| *fault),
                _ => Self::Mistake,
            },
            Diesel::RollbackErrorOnCommit { commit_error, .. } => Self::of(commit_error),
            Diesel::BrokenTransactionManager | Diesel::AlreadyInTransaction => Self::LostConnection,
            _ => Self::Mistake,
        }
    }

    /// The fault of PostgreSQL.
    pub(super) fn of_server(error: &Diesel) -> Self {
        match error {
            Diesel::DatabaseError(Kind::Unknown, info) if info.statement_position().is_none() => {
                Self::Unnamed
            }
            Diesel::RollbackErrorOnCommit { commit_error, .. } => Self::of_server(commit_error),
            _ => Self::of(error),
        }
    }

    /// The fault of SQLite that an error of the service was made from; none where another cause is behind.
    pub(super) fn behind(error: &Error) -> Option<Self> {
        Some(Self::of(diesel_behind(error)?))
    }

    /// The fault of PostgreSQL that an error of the service was made from; none where another cause is behind.
    pub(super) fn of_server_behind(error: &Error) -> Option<Self> {
        Some(Self::of_server(diesel_behind(error)?))
    }

    /// Whether the unit may be durable although the database answered its `COMMIT` with this fault.
    pub(super) fn leaves_commit_unknown(self) -> bool {
        !matches!(self, Self::LostRace | Self::Twin | Self::Reference)
    }

    /// Whether the fault may keep every unit from writing.
    pub(super) fn may_stop_writing(self) -> bool {
        matches!(self, Self::ReadOnly | Self::Disk | Self::Unnamed)
    }
}

/// Whether the server could not do a statement and the driver does not name why: the statement's own data may be the
/// cause, as of a number out of range, or the server's bad day.
#[must_use]
pub fn is_unnamed(error: &Error) -> bool {
    Fault::of_server_behind(error) == Some(Fault::Unnamed)
}

fn diesel_behind(error: &Error) -> Option<&Diesel> {
    error.source.as_ref()?.downcast_ref()
}

/// The error of a unit on PostgreSQL: an unnamed fault, of which an error was made that knew no database, may pass.
pub(super) fn of_server(error: Error) -> Error {
    match error.source {
        Some(source)
            if error.code == &codes::INTERNAL
                && source.downcast_ref().is_some_and(|diesel| Fault::of_server(diesel) == Fault::Unnamed) =>
        {
            Error::unavailable(source)
        }
        source => Error { source, ..error },
    }
}

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        if matches!(error, Diesel::NotFound) {
            return Self::not_found("record", "データ");
        }
        let conflict = |error: Diesel, detail: Text| Self {
            source: Some(Box::new(error)),
            ..Self::new(&codes::CONFLICT, detail)
        };
        match Fault::of(&error) {
            Fault::Twin => conflict(
                error,
                text!(
                    "a record with the same unique value exists already",
                    "一意であるべき値が同じデータがすでに存在します。"
                ),
            ),
            Fault::Reference => conflict(
                error,
                text!(
                    "another record still refers to this one, or one it names does not exist",
                    "このデータを参照しているものがあるか、参照先のデータが存在しません。"
                ),
            ),
            Fault::Mistake => Self::internal(error),
            _ => Self::unavailable(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: Kind, message: &str) -> Diesel {
        Diesel::DatabaseError(kind, Box::new(message.to_owned()))
    }

    #[test]
    fn a_fault_of_the_server_is_told_without_reading_its_words() {
        for (kind, expected) in [
            (Kind::UniqueViolation, Fault::Twin),
            (Kind::ForeignKeyViolation, Fault::Reference),
            (Kind::SerializationFailure, Fault::LostRace),
            (Kind::ReadOnlyTransaction, Fault::ReadOnly),
            (Kind::ClosedConnection, Fault::LostConnection),
            (Kind::UnableToSendCommand, Fault::LostConnection),
            (Kind::CheckViolation, Fault::Mistake),
            (Kind::NotNullViolation, Fault::Mistake),
            (Kind::Unknown, Fault::Unnamed),
        ] {
            for words in ["", "Verklemmung entdeckt", "database or disk is full", "ERROR"] {
                assert_eq!(Fault::of_server(&error(kind, words)), expected, "{kind:?}: {words}");
            }
        }
        assert_eq!(Fault::of_server(&Diesel::BrokenTransactionManager), Fault::LostConnection);
        let refused = of_server(error(Kind::Unknown, "auf dem Gerät ist kein Speicherplatz mehr").into());
        assert_eq!((refused.code, refused.retry_after), (&codes::UNAVAILABLE, Some(1)));
        let mistake = of_server(error(Kind::CheckViolation, "").into());
        assert_eq!(mistake.code, &codes::INTERNAL);
    }

    #[test]
    fn sqlite_is_known_by_whole_sentences() {
        for (sentence, expected) in SENTENCES {
            assert_eq!(Fault::of(&error(Kind::Unknown, sentence)), expected);
            assert_eq!(Error::from(error(Kind::Unknown, sentence)).code, &codes::UNAVAILABLE);
            assert_eq!(Fault::of(&error(Kind::Unknown, &format!("near {sentence}"))), Fault::Mistake);
        }
    }

    #[test]
    fn a_passing_fault_is_never_a_mistake_of_the_service() {
        for fault in [Kind::SerializationFailure, Kind::ReadOnlyTransaction, Kind::ClosedConnection] {
            assert_eq!(Error::from(error(fault, "")).code, &codes::UNAVAILABLE);
        }
    }
}
