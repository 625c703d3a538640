//! The address of the database, and opening a connection with its settings.

use super::connection::{Conn, USUAL};
use diesel::{Connection, PgConnection, SqliteConnection, connection::SimpleConnection};
use std::{path::PathBuf, str::FromStr};

/// The address of the database: `sqlite://path` or `postgres://...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The database file of SQLite.
    Sqlite(PathBuf),
    /// The URL of the PostgreSQL server, or of several servers of which one takes writes.
    Postgres(String),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url.to_owned())),
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => {
                Err("write sqlite://PATH for the embedded database or postgres://USER@HOST/NAME for a server"
                    .into())
            }
        }
    }
}

impl std::fmt::Display for Target {
    /// The address without user name and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => match url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')) {
                Some((_, host)) => write!(f, "postgres://{host}"),
                None => f.write_str(url),
            },
        }
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

/// The parameters of a URL, as name and value.
fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|parameter| parameter.split_once('='))
}

/// The URL with every one of [`DEFAULTS`] that the URL does not set.
fn with_defaults(url: &str) -> String {
    let mut complete = url.to_owned();
    for (name, value) in DEFAULTS {
        if parameters(url).all(|(given, _)| given != name) {
            complete.push(if complete.contains('?') { '&' } else { '?' });
            complete.extend([name, "=", value]);
        }
    }
    complete
}

/// Whether a host of a URL is another machine.
fn is_elsewhere(host: &str) -> bool {
    let name = host
        .strip_prefix('[')
        .map_or_else(|| host.split(':').next().unwrap_or(""), |v6| v6.split(']').next().unwrap_or(""));
    !(name.is_empty()
        || name == "localhost"
        || name == "::1"
        || name.starts_with("127.")
        || name.starts_with("%2F")
        || name.starts_with('/'))
}

impl Target {
    /// Whether a server runs on another machine, so that rows would cross a network in plain text.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        let Self::Postgres(url) = self else { return false };
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?']).next().unwrap_or("");
        let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
        let named = parameters(url).filter(|(name, _)| matches!(*name, "host" | "hostaddr"));
        let mut hosts = named.map(|(_, hosts)| hosts).chain([hosts]).flat_map(|hosts| hosts.split(','));
        hosts.any(is_elsewhere)
    }

    /// Whether the URL itself limits how long a statement may take.
    pub(super) fn limits_statements(&self) -> bool {
        matches!(self, Self::Postgres(url) if url.contains("statement_timeout"))
    }

    /// Opens a connection, ready for use. A server that does not answer is given up after some seconds.
    pub fn open(&self) -> diesel::ConnectionResult<Conn> {
        match self {
            Self::Postgres(url) => PgConnection::establish(&with_defaults(url)).map(Conn::Postgres),
            Self::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy())?;
                // With `FULL` a commit that was answered survives a power cut, not only a crash.
                conn.batch_execute(
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY;",
                )
                .and_then(|()| conn.batch_execute(USUAL))
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                Ok(Conn::Sqlite(conn))
            }
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
    fn a_remote_server_is_told_from_a_local_one() {
        let remote = |url: &str| url.parse::<Target>().unwrap().is_remote();
        for url in [
            "postgres://u:p@db.example.com/x",
            "postgres://db.example.com:5432/x",
            "postgres://u@10.0.0.7/x",
            "postgres://[2001:db8::1]:5432/x",
            "postgres://localhost,db.example.com/x",
            "postgres:///x?host=db.example.com",
        ] {
            assert!(remote(url), "{url}");
        }
        for url in [
            "postgres:///x",
            "postgres://u@localhost:5433/x",
            "postgres://127.0.0.1/x",
            "postgres://127.0.0.1:1,127.0.0.1:2/x",
            "postgres://[::1]/x",
            "postgres:///x?host=/run/postgresql",
        ] {
            assert!(!remote(url), "{url}");
        }
    }
}
