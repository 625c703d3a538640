//! The address of the database, and opening a connection with its settings.

use super::{
    address::ServerAddress,
    connection::{Conn, USUAL},
    errors::Fault,
};
use diesel::{
    Connection, ConnectionError, ConnectionResult, PgConnection, SqliteConnection,
    connection::SimpleConnection,
};
use std::{
    path::PathBuf,
    str::FromStr,
    time::{Duration, Instant},
};

/// The address of the database: `sqlite://path` or `postgres://...`.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// The database file of SQLite.
    Sqlite(PathBuf),
    /// The URL of the PostgreSQL server, or of several servers of which one takes writes, with its password: shown by `Display` alone, which leaves secrets out.
    Postgres(String),
}

impl FromStr for Target {
    type Err = String;

    /// Reads an address. An error never holds a piece of the address, which may be one of the password.
    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => {
                ServerAddress::of(url).map(|_| Self::Postgres(url.to_owned()))
            }
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => {
                Err("write sqlite://PATH for the embedded database or postgres://USER@HOST/NAME for a server"
                    .into())
            }
        }
    }
}

impl std::fmt::Display for Target {
    /// The address without user name, password and other parameters.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => match ServerAddress::of(url) {
                Ok(address) => f.write_str(&address.shown()),
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// What a connection to PostgreSQL is opened with where the URL says nothing else. A host that vanishes without a word is
/// noticed within eleven seconds, and a server that only reads is no server to connect to.
const DEFAULTS: [(&str, &str); 6] = [
    ("connect_timeout", "3"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "8000"),
    ("target_session_attrs", "read-write"),
];

/// How long the file of SQLite is waited for while other instances make it.
const MADE_WITHIN: Duration = Duration::from_secs(60);

/// The URL with every one of [`DEFAULTS`] that the URL does not set.
fn with_defaults(url: &str) -> String {
    let address = ServerAddress::of(url).ok();
    let mut complete = url.to_owned();
    for (name, value) in DEFAULTS {
        if address.as_ref().is_none_or(|address| !address.says(name)) {
            complete.push(if complete.contains('?') { '&' } else { '?' });
            complete.extend([name, "=", value]);
        }
    }
    complete
}

impl Target {
    /// Whether some way to the server leaves this machine, so that rows would cross a network.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.asks_the_server(|address| address.is_remote(&|name| std::env::var_os(name)))
    }

    /// Whether a connection that is not encrypted is given up: `sslmode` is `require` or stricter.
    #[must_use]
    pub fn insists_on_tls(&self) -> bool {
        self.asks_the_server(|address| address.insists_on_tls(&|name| std::env::var_os(name)))
    }

    fn asks_the_server(&self, question: impl FnOnce(&ServerAddress) -> bool) -> bool {
        let Self::Postgres(url) = self else { return false };
        ServerAddress::of(url).is_ok_and(|address| question(&address))
    }

    /// Whether the URL itself limits how long a statement may take.
    pub(super) fn limits_statements(&self) -> bool {
        matches!(self, Self::Postgres(url) if url.contains("statement_timeout"))
    }

    /// Opens a connection, ready for use. A server that does not answer is given up after some seconds: nobody else could
    /// connect meanwhile.
    pub fn open(&self) -> ConnectionResult<Conn> {
        let mut conn = self.open_to_look()?;
        if let Conn::Sqlite(sqlite) = &mut conn {
            as_write_ahead_log(sqlite)
                // With `FULL` a commit that was answered survives a power cut, not only a crash.
                .and_then(|()| {
                    sqlite.batch_execute(
                        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = FAST; \
                         PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY;",
                    )
                })
                .and_then(|()| sqlite.batch_execute(USUAL))
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
        }
        Ok(conn)
    }

    /// Opens a connection that has changed nothing of the database, not even the journal of its file.
    pub(super) fn open_to_look(&self) -> ConnectionResult<Conn> {
        match self {
            Self::Postgres(url) => {
                PgConnection::establish(&with_defaults(url)).map(Conn::Postgres).map_err(|error| {
                    let said = error.to_string();
                    let said = ServerAddress::of(url).map_or(said.clone(), |address| address.scrubbed(&said));
                    ConnectionError::BadConnection(said)
                })
            }
            Self::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
                conn.batch_execute("PRAGMA busy_timeout = 5000")
                    .map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(Conn::Sqlite(conn))
            }
        }
    }
}

/// Makes a file of SQLite keep a write-ahead log. SQLite does not wait by itself for another instance that does so, or
/// that makes the tables.
fn as_write_ahead_log(conn: &mut SqliteConnection) -> diesel::QueryResult<()> {
    let begun = Instant::now();
    loop {
        match conn.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if Fault::of(&error) == Fault::Busy && begun.elapsed() < MADE_WITHIN => {
                std::thread::sleep(Duration::from_millis(20));
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_schemes_are_taken() {
        assert_eq!("sqlite://data/a.db".parse(), Ok(Target::Sqlite("data/a.db".into())));
        assert!(matches!("postgresql://u@h/d".parse(), Ok(Target::Postgres(_))));
        for url in ["mysql://h/d", "data/a.db", "sqlite://", "", "file.db"] {
            assert!(url.parse::<Target>().is_err(), "{url}");
        }
    }

    #[test]
    fn a_connection_has_deadlines_and_a_server_that_writes_unless_the_url_says_otherwise() {
        let given: Vec<_> = DEFAULTS.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(with_defaults("postgres://h/d"), format!("postgres://h/d?{}", given.join("&")));
        assert_eq!(
            with_defaults("postgres:///d?host=/run"),
            format!("postgres:///d?host=/run&{}", given.join("&"))
        );
        let own = with_defaults("postgres://a,b/d?connect_timeout=60&target_session_attrs=any");
        assert_eq!((own.matches("connect_timeout").count(), own.matches("session_attrs").count()), (1, 1));
        assert!(own.contains("tcp_user_timeout=8000"), "{own}");
        // A password is no parameter.
        assert!(with_defaults("postgres://u:connect_timeout@h/d").contains("?connect_timeout=3"));
    }

    #[test]
    fn a_password_is_never_printed() {
        for url in ["postgres://u:s3cr3t@h/d", "postgres://h/d?password=s3cr3t", "host=h password=s3cr3t"] {
            let said = match url.parse::<Target>() {
                Ok(target) => format!("{target} {target:?}"),
                Err(fault) => fault,
            };
            assert!(!said.contains("s3cr3t"), "{said}");
        }
    }
}
