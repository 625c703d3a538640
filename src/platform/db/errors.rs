//! Driver errors become the service's errors here, once.

use crate::platform::{Error, codes};
use diesel::result::{DatabaseErrorKind as Kind, Error as Diesel};

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        match &error {
            Diesel::NotFound => Self::not_found("record"),
            Diesel::DatabaseError(Kind::UniqueViolation, _) => Self {
                source: Some(Box::new(error)),
                ..Self::new(&codes::CONFLICT, "a record with the same unique value exists already")
            },
            Diesel::DatabaseError(Kind::ForeignKeyViolation, _) => Self {
                source: Some(Box::new(error)),
                ..Self::new(
                    &codes::CONFLICT,
                    "another record still refers to this one, or one it names does not exist",
                )
            },
            Diesel::DatabaseError(kind, info) if is_passing(*kind, info.message()) => {
                Self::unavailable(error)
            }
            Diesel::BrokenTransactionManager | Diesel::AlreadyInTransaction => Self::unavailable(error),
            _ => Self::internal(error),
        }
    }
}

impl From<r2d2::Error> for Error {
    fn from(error: r2d2::Error) -> Self {
        Self::unavailable(error)
    }
}

fn is_passing(kind: Kind, message: &str) -> bool {
    matches!(kind, Kind::SerializationFailure | Kind::UnableToSendCommand | Kind::ClosedConnection)
        || [
            "database is locked",
            "deadlock detected",
            "canceling statement due to",
            "terminating connection",
            "the database system is",
            "server closed the connection",
            "connection to server",
            "could not serialize",
            "database or disk is full",
            "disk I/O error",
            "no connection to the server",
            "cannot execute",
        ]
        .iter()
        .any(|text| message.contains(text))
}

/// Whether a unit lost against another one and would see that one's result if it ran again.
pub(super) fn lost_a_race(error: &Error) -> bool {
    let Some(Diesel::DatabaseError(kind, info)) =
        error.source.as_ref().and_then(|e| e.downcast_ref::<Diesel>())
    else {
        return false;
    };
    matches!(kind, Kind::SerializationFailure | Kind::UniqueViolation)
        || info.message().contains("deadlock detected")
        || info.message().contains("could not serialize")
}
