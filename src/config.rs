//! Typed settings: each is a flag and an environment variable with a default. A test checks that the README
//! lists them all.

mod hidden;
mod keys;
mod store;
mod trust;
mod values;
mod web_address;

pub use trust::Trust;
pub use web_address::web_address_of;

use crate::platform::{
    Error, Result,
    db::Target,
    http::Pace,
    objects::StoreAddress,
    values::{Clock, Daily, Ids, text_enum},
};
use clap::{Args, ValueEnum};
use hidden::Hidden;
use ipnet::IpNet;
use lettre::message::Mailbox;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use url::Url;
use web_address::web_address;

/// The limits on requests and on stored errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a minute of one user, and of one address that has not signed in.
    pub requests_per_minute: u32,
    /// Sign-in attempts a minute for one user name from one address; five times as many from the address in all.
    pub sign_ins_per_minute: u32,
    /// The most errors of one import that are stored.
    pub import_errors_kept: u32,
    /// The bytes of the disk of an SQLite database that an import leaves free.
    pub disk_reserve_bytes: u64,
    /// Connections kept to the database.
    pub database_connections: u32,
}

/// The settings of all accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// Whether operators need a second factor.
    pub operators_need_second_factor: bool,
    /// Memory of one password hash, in KiB.
    pub password_memory_kib: u32,
    /// Passes of one password hash over its memory.
    pub password_passes: u32,
}

/// The times of day at which background work begins, and the days after which something happens by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedules {
    /// When the daily refresh begins, in UTC.
    pub daily_refresh_at: Daily,
    /// Days after which the signing key is replaced; 0 never does.
    pub key_rotation_days: u16,
    /// Business days for which money waits after a change of the bank account; 0 for none.
    pub cooling_off_days: u8,
}

/// The settings of mail.
#[derive(Clone)]
pub struct Mail {
    /// The address that links in mails begin with; no slash at the end.
    pub public_url: String,
    /// The sender of mails.
    pub from: Mailbox,
    /// The way of mails to their readers.
    pub route: MailRoute,
}

/// The way of mails to their readers.
#[derive(Clone)]
pub enum MailRoute {
    /// Mails are not sent; people read notices at `/v1/notifications`.
    None,
    /// Mails are written to the log with their secrets, for the demo alone.
    Log,
    /// Mails go to an SMTP server.
    Smtp {
        /// The server's URL, with user and password.
        url: Url,
        /// The file of the certificates that are trusted beside those of the machine, as PEM.
        ca_file: Option<PathBuf>,
    },
}

text_enum! {
    /// The kind of a database.
    pub enum DatabaseKind {
        /// Real records.
        Production = "production",
        /// The demo's made-up records, whose passwords everybody knows.
        Sandbox = "sandbox",
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people where the output is a terminal, else JSON.
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
    Human,
}

const DEFAULT_CONTACT: &str = "mailto:security@programme.example";
const DEFAULT_DATABASE: &str = "sqlite://data/partner-incentives.db";

/// The settings of the service.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting")]
#[derive(Clone, Args)]
pub struct Settings {
    /// Database: `sqlite://PATH`, or `postgres://USER@HOST/NAME`.
    #[arg(long, env = "DATABASE_URL", default_value = DEFAULT_DATABASE, value_parser = Hidden::<Target>::new(), global = true, hide_env_values = true)]
    pub database_url: Target,

    /// Connections kept to the database.
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000), global = true)]
    pub database_connections: u32,

    /// Lets rows cross the network to a remote PostgreSQL without TLS.
    #[arg(long, env = "ALLOW_PLAINTEXT_DATABASE", default_value_t = false, global = true)]
    pub allow_plaintext_database: bool,

    /// Key that encrypts secrets in the database: 32 bytes in base64; several, separated by commas, while one is
    /// being replaced: the first encrypts. Every instance on a database needs the same.
    #[arg(long, env = "ENCRYPTION_KEY", hide_env_values = true, global = true)]
    pub encryption_key: Option<String>,

    /// File with that key, made where there is none; beside an SQLite database, else `data/partner-incentives.key`.
    #[arg(long, env = "ENCRYPTION_KEY_FILE", global = true)]
    pub encryption_key_file: Option<PathBuf>,

    /// Whether operators must sign in with a second factor.
    #[arg(long, env = "OPERATORS_NEED_SECOND_FACTOR", default_value_t = false, global = true)]
    pub operators_need_second_factor: bool,

    /// Days after which the key that signs access tokens is replaced; 0 replaces it by command only.
    #[arg(long, env = "KEY_ROTATION_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(0..=365), global = true)]
    pub key_rotation_days: u16,
    /// Outside issuer (OpenID Connect) whose identity tokens sign in the users that name it; none by default.
    #[arg(long, env = "OIDC_ISSUER", value_parser = trust::issuer, requires = "oidc_audience", global = true)]
    pub oidc_issuer: Option<String>,

    /// Our client id at that issuer.
    #[arg(long, env = "OIDC_AUDIENCE", requires = "oidc_issuer", global = true)]
    pub oidc_audience: Option<String>,

    /// Memory of one password hash in KiB; hashes on record grow at their user's next sign-in.
    #[arg(long, env = "PASSWORD_MEMORY_KIB", default_value_t = 19_456, value_parser = clap::value_parser!(u32).range(7168..=1_048_576), global = true)]
    pub password_memory_kib: u32,

    /// Passes of one password hash over its memory.
    #[arg(long, env = "PASSWORD_PASSES", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100), global = true)]
    pub password_passes: u32,

    /// Address to listen on.
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: SocketAddr,

    /// Another address that shows `/metrics`, and nothing else; `LISTEN` then answers 404 there.
    #[arg(long, env = "METRICS_LISTEN", global = true)]
    pub metrics_listen: Option<SocketAddr>,

    /// Threads that serve requests; 0 takes one per core.
    #[arg(long, env = "WORKERS", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=256), global = true)]
    pub workers: u16,

    /// Requests a minute of one user, and of one address that has not signed in.
    #[arg(long, env = "REQUESTS_PER_MINUTE", default_value_t = 1200, value_parser = clap::value_parser!(u32).range(1..), global = true)]
    pub requests_per_minute: u32,

    /// Sign-in attempts a minute for one user name from one address; five times as many from the address in all.
    #[arg(long, env = "SIGN_INS_PER_MINUTE", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..), global = true)]
    pub sign_ins_per_minute: u32,

    /// Origins whose pages may call the service from a browser, separated by commas; none by default.
    #[arg(long, env = "ALLOWED_ORIGINS", value_parser = values::origin, value_delimiter = ',', global = true)]
    pub allowed_origins: Vec<String>,

    /// Networks of proxies in front, separated by commas; their `X-Forwarded-For` says where a request comes from.
    #[arg(long, env = "TRUSTED_PROXIES", value_parser = values::network, value_delimiter = ',', global = true)]
    pub trusted_proxies: Vec<IpNet>,

    /// Tells browsers to insist on HTTPS; for a service behind a proxy that has TLS.
    #[arg(long, env = "BEHIND_HTTPS", default_value_t = false, global = true)]
    pub behind_https: bool,

    /// Whom to tell about a weakness of the service, as a URI; shown in `/.well-known/security.txt`.
    #[arg(long, env = "SECURITY_CONTACT", default_value = DEFAULT_CONTACT, value_parser = values::contact, global = true)]
    pub security_contact: String,

    /// When the daily refresh begins, in UTC, as in `02:00`; empty: only when it is asked for.
    #[arg(long, env = "DAILY_REFRESH_AT", default_value = "02:00", global = true)]
    pub daily_refresh_at: Daily,

    /// Business days, Monday to Friday, for which money waits after a partner has changed its bank account; 0 for none.
    #[arg(long, env = "COOLING_OFF_DAYS", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=30), global = true)]
    pub cooling_off_days: u8,

    /// Where people reach the service, the same for every instance, below a proxy with the path that the proxy takes
    /// away: links begin with it, and it is the `iss` of tokens. Without it, the address that the service listens on.
    #[arg(long, env = "PUBLIC_URL", value_parser = web_address, global = true)]
    pub public_url: Option<String>,

    /// Server that takes mails: `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS, which only a server on loopback may lack),
    /// or `smtps://`; without one, mails go nowhere and are read at `/v1/notifications`.
    #[arg(long, env = "SMTP_URL", value_parser = Hidden::<Url>::new(), hide_env_values = true, global = true)]
    pub smtp_url: Option<Url>,

    /// File with certificates, as PEM, that the SMTP server's may be signed with, beside those the machine trusts.
    #[arg(long, env = "SMTP_CA_FILE", global = true)]
    pub smtp_ca_file: Option<PathBuf>,

    /// Who writes mails, as in `Partner Incentives <incentives@vendor.example>`; needed with `SMTP_URL`.
    #[arg(long, env = "MAIL_FROM", value_parser = values::mailbox, global = true)]
    pub mail_from: Option<Mailbox>,

    /// Seconds a request body may take to arrive; a file, coming or going, may lie still so long.
    #[arg(long, env = "BODY_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600), global = true)]
    pub body_seconds: u64,

    /// Bytes a second at which a file comes or goes at least, while the service waits for the other side.
    #[arg(long, env = "MINIMUM_BYTES_PER_SECOND", default_value_t = 65_536, value_parser = clap::value_parser!(u64).range(1..), global = true)]
    pub minimum_bytes_per_second: u64,

    /// Bytes the file of an import may have.
    #[arg(long, env = "IMPORT_BYTES", default_value_t = 10_737_418_240, global = true)]
    pub import_bytes: u64,

    /// Errors kept of one import; beyond it rows are counted only.
    #[arg(long, env = "IMPORT_ERRORS_KEPT", default_value_t = 10_000, global = true)]
    pub import_errors_kept: u32,

    /// Bytes an import leaves free on the disk of an SQLite database; with less, imports are refused.
    #[arg(long, env = "DISK_RESERVE_BYTES", default_value_t = 268_435_456, global = true)]
    pub disk_reserve_bytes: u64,

    /// Store of proofs: a folder, or `s3://BUCKET/PREFIX` (`AWS_*`); without it, a folder beside an SQLite database, else
    /// `data/partner-incentives.proofs`. Every instance on a database needs the same.
    #[arg(long, env = "PROOF_STORE", value_parser = Hidden::<StoreAddress>::new(), hide_env_values = true, global = true)]
    pub proof_store: Option<StoreAddress>,

    /// Milliseconds between "not ready" and the end of listening, so that a balancer notices first.
    #[arg(long, env = "DRAIN_MILLISECONDS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(0..=60_000), global = true)]
    pub drain_milliseconds: u64,

    /// How log lines look.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto, global = true)]
    pub log_format: LogFormat,

    /// Which log lines are written, as in `info,access=warn`.
    #[arg(long, env = "LOG", default_value = "info", value_parser = values::log_filter, global = true)]
    pub log: String,

    /// Whether mails are written to the log where no SMTP server is set; set by the demo.
    #[arg(skip)]
    pub log_mails: bool,

    /// The kind of a database that is made; a setting of the demo, which opens sandboxes alone.
    #[arg(skip = DatabaseKind::Production)]
    pub database_kind: DatabaseKind,

    /// The source of time; injected by tests.
    #[arg(skip)]
    pub clock: Clock,

    /// The source of ids; injected by tests.
    #[arg(skip = Ids::random())]
    pub ids: Ids,
}

impl Settings {
    /// Settings for a test: no rate limits, and the given time and ids.
    #[must_use]
    pub fn for_tests(database_url: Target, clock: Clock, ids: Ids) -> Self {
        Self {
            database_url,
            database_connections: 8,
            allow_plaintext_database: false,
            encryption_key: Some(format!("{}=", "A".repeat(43))),
            encryption_key_file: None,
            operators_need_second_factor: false,
            key_rotation_days: 0,
            oidc_issuer: None,
            oidc_audience: None,
            // Tests need no strong password hashes.
            password_memory_kib: 64,
            password_passes: 1,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_listen: None,
            workers: 2,
            requests_per_minute: 1_000_000,
            sign_ins_per_minute: 1_000_000,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            behind_https: false,
            security_contact: DEFAULT_CONTACT.into(),
            // No background work begins by the clock in a test.
            daily_refresh_at: Daily::NEVER,
            cooling_off_days: 3,
            public_url: None,
            smtp_url: None,
            smtp_ca_file: None,
            mail_from: None,
            log_mails: false,
            database_kind: DatabaseKind::Production,
            body_seconds: 10,
            minimum_bytes_per_second: 65_536,
            import_bytes: 1 << 30,
            disk_reserve_bytes: 0,
            import_errors_kept: 100,
            proof_store: None,
            drain_milliseconds: 0,
            log_format: LogFormat::Auto,
            log: "off".into(),
            clock,
            ids,
        }
    }

    /// Whether the settings name no database, so that the default database is used.
    #[must_use]
    pub fn uses_the_default_database(&self) -> bool {
        DEFAULT_DATABASE.parse() == Ok(self.database_url.clone())
    }

    /// The limits on requests and on stored errors.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            requests_per_minute: self.requests_per_minute,
            sign_ins_per_minute: self.sign_ins_per_minute,
            import_errors_kept: self.import_errors_kept,
            disk_reserve_bytes: self.disk_reserve_bytes,
            database_connections: self.database_connections,
        }
    }

    /// The slowest pace of a file that comes or goes.
    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace {
            grace: Duration::from_secs(self.body_seconds),
            bytes_per_second: self.minimum_bytes_per_second,
        }
    }

    /// What happens by the clock.
    #[must_use]
    pub fn schedules(&self) -> Schedules {
        Schedules {
            daily_refresh_at: self.daily_refresh_at,
            key_rotation_days: self.key_rotation_days,
            cooling_off_days: self.cooling_off_days,
        }
    }

    /// The settings of all accounts.
    #[must_use]
    pub fn accounts(&self) -> Accounts {
        Accounts {
            operators_need_second_factor: self.operators_need_second_factor,
            password_memory_kib: self.password_memory_kib,
            password_passes: self.password_passes,
        }
    }

    /// The settings of mail.
    pub fn mail(&self) -> Result<Mail> {
        let route = match &self.smtp_url {
            Some(url) if self.mail_from.is_some() => {
                MailRoute::Smtp { url: url.clone(), ca_file: self.smtp_ca_file.clone() }
            }
            Some(_) => return Err(Error::internal("SMTP_URL needs MAIL_FROM: say who writes the mails")),
            None if self.log_mails => MailRoute::Log,
            None => MailRoute::None,
        };
        let nobody = || "no-reply@programme.example".parse().map_err(Error::internal);
        Ok(Mail { public_url: self.address(), from: self.mail_from.clone().map_or_else(nobody, Ok)?, route })
    }

    /// The time between "not ready" and the end of listening.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_milliseconds)
    }
}
