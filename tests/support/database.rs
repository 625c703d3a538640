//! A database for each story, in the state after the service's first start, with two members of staff.
//!
//! A template is prepared once for each test binary and copied: a file on SQLite, rows on PostgreSQL.

use super::{postgres, statements};
use partner_incentives::{
    access::{Role, password::Hasher},
    app::Service,
    config::Settings,
    identity::users,
    platform::{
        db::Target,
        values::{Clock, Id, Ids, Locale, Timestamp},
    },
};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};
use tempfile::TempDir;

/// The database a test binary runs on; the binary names the database as `BACKEND`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// SQLite, with a file for each story.
    Sqlite,
    /// PostgreSQL, with a database for each story, in a cluster for each test binary.
    Postgres,
}

/// The password of every user in the stories.
pub const PASSWORD: &str = "correct horse battery staple";

/// The vendor's staff, made with the template, because hashing a password costs more than the rest of a story's start.
#[derive(Clone, Copy)]
pub struct Staff {
    /// The operator, who runs the programme.
    pub operator: Id,
    /// The auditor, who reads everything.
    pub auditor: Id,
}

/// A database that belongs to one story; the database is removed when this value is dropped.
pub struct Database {
    /// The address of the database.
    pub target: Target,
    #[expect(dead_code, reason = "held for its drop")]
    hold: Hold,
}

#[expect(dead_code, reason = "held for their drop")]
enum Hold {
    Folder(TempDir),
    Lease(postgres::Lease),
}

impl Database {
    /// The address, as a person writes it into `DATABASE_URL`.
    pub fn url(&self) -> String {
        match &self.target {
            Target::Sqlite(path) => format!("sqlite://{}", path.display()),
            Target::Postgres(url) => url.clone(),
        }
    }

    /// A copy of the template, on which a service has been started, and the staff in the template.
    pub fn prepared() -> (Self, Staff) {
        match crate::BACKEND {
            Backend::Sqlite => {
                static TEMPLATE: OnceLock<(Vec<u8>, Staff)> = OnceLock::new();
                let (file, staff) = TEMPLATE.get_or_init(|| {
                    let made = Self::empty();
                    let staff = prepare(&made.target);
                    (std::fs::read(path_of(&made.target)).expect("read the template"), staff)
                });
                let copy = Self::empty();
                std::fs::write(path_of(&copy.target), file).expect("copy the template");
                (copy, *staff)
            }
            Backend::Postgres => {
                statements::watch();
                let (lease, staff) = postgres::lease(prepare);
                (Self { target: lease.target(), hold: Hold::Lease(lease) }, staff)
            }
        }
    }

    /// A database without a table.
    pub fn empty() -> Self {
        statements::watch();
        match crate::BACKEND {
            Backend::Sqlite => {
                let folder = tempfile::Builder::new()
                    .prefix("partner-incentives-")
                    .tempdir_in(scratch())
                    .expect("make a folder for the database");
                Self { target: Target::Sqlite(folder.path().join("test.db")), hold: Hold::Folder(folder) }
            }
            Backend::Postgres => {
                let lease = postgres::empty();
                Self { target: lease.target(), hold: Hold::Lease(lease) }
            }
        }
    }
}

/// A user with [`PASSWORD`], who has changed the first password already. All users share one hash.
pub fn person(email: &str, name: &str, role: Role, partner_id: Option<Id>) -> users::NewUser {
    static HASH: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| Hasher::new(64, 1).and_then(|it| it.hash(PASSWORD)).expect("a hash"));
    users::NewUser {
        email: email.into(),
        name: name.into(),
        role,
        partner_id,
        password_hash: HASH.clone(),
        must_change_password: false,
        issuer: None,
        locale: Locale::En,
    }
}

/// Starts a service on an empty database, makes the staff and stops the service.
fn prepare(target: &Target) -> Staff {
    // Stories begin at noon of that day, so counted ids of the template never meet those of a story.
    let clock = Clock::standing_at("2018-07-01T00:00:00Z".parse::<Timestamp>().expect("an instant"));
    let ids = Ids::counting();
    let settings = Settings::for_tests(target.clone(), clock.clone(), ids.clone());
    let service = Service::open(settings)
        .unwrap_or_else(|error| panic!("a service does not start on an empty database: {error}"));
    let hire = |email: &str, name: &str, role| {
        users::provision(&service.app, person(email, name, role, None)).expect("hire")
    };
    let staff = Staff {
        operator: hire("operator@vendor.example", "Olga Operator", Role::Operator),
        auditor: hire("auditor@vendor.example", "Arno Auditor", Role::Auditor),
    };
    service.db.close();
    staff
}

fn path_of(target: &Target) -> &Path {
    match target {
        Target::Sqlite(path) => path,
        Target::Postgres(_) => unreachable!("the target of an SQLite database"),
    }
}

/// The folder for temporary files: in memory where the machine has room.
pub fn scratch() -> PathBuf {
    const NEEDED_KIB: u64 = 512 * 1024;
    static SCRATCH: OnceLock<PathBuf> = OnceLock::new();
    let find = || {
        let memory = PathBuf::from("/dev/shm");
        let free = Command::new("df").args(["-Pk", "/dev/shm"]).output().ok().and_then(|df| {
            let text = String::from_utf8(df.stdout).ok()?;
            text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()
        });
        let fits = free.is_some_and(|kib| kib >= NEEDED_KIB) && tempfile::tempdir_in(&memory).is_ok();
        if fits { memory } else { std::env::temp_dir() }
    };
    SCRATCH.get_or_init(find).clone()
}
