//! The one place where errors of the database driver become errors of the service.
//!
//! A server names its faults by SQLSTATE; the driver hands over the commonest faults as kinds and the others as text.

use crate::platform::{Error, codes};
use diesel::result::{DatabaseErrorKind as Kind, Error as Diesel};

/// A fault of the database, by its meaning for the unit that met the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another unit worked on the same rows (40001, 40P01): the unit is rolled back, and may run again.
    LostRace,
    /// A row with the same unique value exists already, perhaps only just committed: a second run can see that row.
    Twin,
    /// A foreign key: another row refers to the row, or the row refers to a missing row.
    Reference,
    /// The connection is gone, or its server is about to stop.
    LostConnection,
    /// The server only reads: a standby, or a server that was demoted to a standby (25006, 0A000).
    ReadOnly,
    /// The server has no time, no room or no lock for the unit.
    Busy,
    /// Anything else is a mistake of this service.
    Mistake,
}

impl Fault {
    pub(super) fn of(error: &Diesel) -> Self {
        match error {
            Diesel::DatabaseError(kind, info) => Self::classified(*kind, info.message()),
            Diesel::RollbackErrorOnCommit { commit_error, .. } => Self::of(commit_error),
            Diesel::BrokenTransactionManager | Diesel::AlreadyInTransaction => Self::LostConnection,
            _ => Self::Mistake,
        }
    }

    fn classified(kind: Kind, message: &str) -> Self {
        let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
        match kind {
            Kind::UniqueViolation => Self::Twin,
            Kind::ForeignKeyViolation => Self::Reference,
            Kind::SerializationFailure => Self::LostRace,
            Kind::ReadOnlyTransaction => Self::ReadOnly,
            Kind::UnableToSendCommand | Kind::ClosedConnection => Self::LostConnection,
            _ if says(LOST_RACE) => Self::LostRace,
            _ if says(READ_ONLY) => Self::ReadOnly,
            _ if says(LOST_CONNECTION) => Self::LostConnection,
            _ if says(BUSY) => Self::Busy,
            _ => Self::Mistake,
        }
    }

    /// The fault of the database that an error of the service was made from; none where another cause is behind.
    pub(super) fn behind(error: &Error) -> Option<Self> {
        Some(Self::of(error.source.as_ref()?.downcast_ref::<Diesel>()?))
    }

    /// Whether the unit may be durable although the database answered its `COMMIT` with this fault.
    pub(super) fn leaves_commit_unknown(self) -> bool {
        !matches!(self, Self::LostRace | Self::Twin | Self::Reference)
    }
}

const LOST_RACE: &[&str] =
    &["could not serialize", "deadlock detected", "restart transaction", "Restart read required"];
const READ_ONLY: &[&str] = &["read-only transaction", "hot standby", "during recovery", "cannot execute"];
const LOST_CONNECTION: &[&str] = &[
    "terminating connection",
    "server closed the connection",
    "connection to server",
    "no connection to the server",
    "could not receive data from server",
    "could not send data to server",
    "could not commit transaction for shard",
    "connection to the remote node",
];
const BUSY: &[&str] = &[
    "database is locked",
    "canceling statement due to",
    "the database system is",
    "database or disk is full",
    "disk I/O error",
    "too many clients",
    "remaining connection slots",
    "out of shared memory",
    "No space left on device",
];

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        if matches!(error, Diesel::NotFound) {
            return Self::not_found("record");
        }
        let conflict = |error: Diesel, detail: &'static str| Self {
            source: Some(Box::new(error)),
            ..Self::new(&codes::CONFLICT, detail)
        };
        match Fault::of(&error) {
            Fault::Twin => conflict(error, "a record with the same unique value exists already"),
            Fault::Reference => {
                conflict(error, "another record still refers to this one, or one it names does not exist")
            }
            Fault::LostRace | Fault::LostConnection | Fault::ReadOnly | Fault::Busy => {
                Self::unavailable(error)
            }
            Fault::Mistake => Self::internal(error),
        }
    }
}

impl From<r2d2::Error> for Error {
    fn from(error: r2d2::Error) -> Self {
        Self::unavailable(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: Kind, message: &str) -> Fault {
        Fault::of(&Diesel::DatabaseError(kind, Box::new(message.to_owned())))
    }

    #[test]
    fn a_fault_is_told_by_its_kind_or_by_the_server_s_words() {
        for (message, expected) in [
            ("could not serialize access due to concurrent update", Fault::LostRace),
            ("deadlock detected", Fault::LostRace),
            (
                "could not commit transaction for shard 102008 on at least one active node",
                Fault::LostConnection,
            ),
            ("cannot use serializable mode in a hot standby", Fault::ReadOnly),
            ("cannot execute INSERT in a read-only transaction", Fault::ReadOnly),
            ("cannot set transaction read-write mode during recovery", Fault::ReadOnly),
            ("terminating connection due to administrator command", Fault::LostConnection),
            ("the database system is shutting down", Fault::Busy),
            ("canceling statement due to lock timeout", Fault::Busy),
            ("database or disk is full", Fault::Busy),
            ("column \"x\" does not exist", Fault::Mistake),
        ] {
            assert_eq!(fault(Kind::Unknown, message), expected, "{message}");
        }
        assert_eq!(fault(Kind::SerializationFailure, ""), Fault::LostRace);
        assert_eq!(fault(Kind::ReadOnlyTransaction, ""), Fault::ReadOnly);
        assert_eq!(fault(Kind::ClosedConnection, ""), Fault::LostConnection);
        assert_eq!(Fault::of(&Diesel::BrokenTransactionManager), Fault::LostConnection);
    }

    #[test]
    fn a_passing_fault_is_never_a_mistake_of_the_service() {
        for fault in [Kind::SerializationFailure, Kind::ReadOnlyTransaction, Kind::ClosedConnection] {
            let error = Error::from(Diesel::DatabaseError(fault, Box::new(String::new())));
            assert_eq!(error.code, &codes::UNAVAILABLE);
        }
    }
}
