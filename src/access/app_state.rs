//! The application state: opaque, opened only by `Caller`, `Public` and background work.

use super::{Actor, Changes, Directory, Tokens, Tx, guard::Guard, issuer::Issuer, password::Hasher};
use crate::{
    config::{Accounts, Limits, Mail, Schedules, Trust},
    platform::{
        Error, Result, Vault,
        db::{Conn, Db, Done},
        http::{Closing, RateLimit},
        values::{Clock, Id, Ids, Timestamp},
    },
};
use std::{net::IpAddr, sync::Arc};
use tokio::sync::{Notify, Semaphore};

/// Files of lists that are written at a time.
const FILES: usize = 4;

/// The state of the application. Cheap to clone; every clone is the same one.
#[derive(Clone)]
pub struct AppState(pub(super) Arc<State>);

pub(super) struct State {
    pub db: Db,
    pub clock: Clock,
    pub ids: Ids,
    pub tokens: Tokens,
    pub directory: Directory,
    pub hooks: Hooks,
    pub users: RateLimit<Id>,
    pub addresses: RateLimit<IpAddr>,
    pub sign_ins_by_address: RateLimit<IpAddr>,
    pub sign_ins_by_name: RateLimit<(String, IpAddr)>,
    /// Password hashes that may be at work at once; each takes its memory and a core.
    pub hashing: Arc<Semaphore>,
    pub passwords: Hasher,
    pub accounts: Accounts,
    pub schedules: Schedules,
    pub closing: Closing,
    /// Rung when something waits for background work.
    pub bell: Notify,
    pub vault: Vault,
    pub import_errors_kept: u32,
    /// Files being written of lists; each holds a connection and a snapshot.
    pub files: Arc<Semaphore>,
    pub issuer: Option<Issuer>,
    pub mail: Mail,
}

/// Removes rows whose time is over; returns how many there were.
pub type Sweep = fn(&mut Conn, Timestamp) -> Result<usize>;

/// The work of a slice at the end of a unit that changed records others rest on, before the commit.
pub type FollowUp = fn(&mut Tx<'_>, &Changes) -> Result<()>;

/// The kind of record of a slice that refers to a partner, as people call it; none where no record does.
pub type RefersToPartner = fn(&mut Tx<'_>, Id) -> Result<Option<&'static str>>;

/// What slices add to what every unit and every instance does. Each list is gone through in its order.
#[derive(Clone, Debug, Default)]
pub struct Hooks {
    /// At the end of a unit that changed facts.
    pub follow_ups: Vec<FollowUp>,
    /// From time to time.
    pub sweeps: Vec<Sweep>,
    /// Before a partner is deleted.
    pub references: Vec<RefersToPartner>,
}

/// The parts of the application state beside the database, time and ids.
pub struct Terms {
    /// How often one may knock.
    pub limits: Limits,
    /// What holds for every account.
    pub accounts: Accounts,
    /// The encryption keys.
    pub vault: Vault,
    /// The outside issuer that is trusted.
    pub trust: Option<Trust>,
    /// How people are written to.
    pub mail: Mail,
    /// Who keeps users, API clients and partners.
    pub directory: Directory,
    /// When background work begins by the clock.
    pub schedules: Schedules,
    /// What slices add.
    pub hooks: Hooks,
}

impl AppState {
    /// Opens the application state on a migrated database.
    pub fn open(db: Db, (clock, ids): (Clock, Ids), terms: Terms) -> Result<Self> {
        let Terms { limits, accounts, vault, trust, mail, directory, schedules, hooks } = terms;
        let passwords = Hasher::new(accounts.password_memory_kib, accounts.password_passes)?;
        let import_errors_kept = limits.import_errors_kept;
        let moment = (clock.clone(), ids.clone());
        let tokens = Tokens::open(db.clone(), moment, vault.clone(), mail.public_url.clone())?;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self(Arc::new(State {
            db,
            clock,
            ids,
            tokens,
            directory,
            hooks,
            users: RateLimit::new(limits.requests_per_minute),
            addresses: RateLimit::new(limits.requests_per_minute),
            // Many people may share an address; a brake on one name must not stop the others behind it, nor the
            // same name elsewhere.
            sign_ins_by_address: RateLimit::new(limits.sign_ins_per_minute.saturating_mul(5)),
            sign_ins_by_name: RateLimit::new(limits.sign_ins_per_minute),
            hashing: Arc::new(Semaphore::new(cores)),
            passwords,
            accounts,
            schedules,
            closing: Closing::default(),
            bell: Notify::new(),
            vault,
            import_errors_kept,
            files: Arc::new(Semaphore::new(FILES)),
            issuer: trust.map(Issuer::open).transpose()?,
            mail,
        })))
    }

    /// Whether the database answers.
    pub fn ping(&self) -> Result<()> {
        self.0.db.ping()
    }

    /// Whether the service is about to stop.
    #[must_use]
    pub fn closing(&self) -> &Closing {
        &self.0.closing
    }

    /// Has background work look at once for what waits.
    pub fn wake(&self) {
        self.0.bell.notify_one();
    }

    /// Ends when somebody has called [`AppState::wake`].
    pub async fn woken(&self) {
        self.0.bell.notified().await;
    }

    /// How people are written to.
    #[must_use]
    pub fn mail(&self) -> &Mail {
        &self.0.mail
    }

    /// Encryption at rest.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The tokens, for the command line and for tests.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// A writing unit of the service itself: set-up, the command line, the demo.
    pub fn write_as_system<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.write_in_background((operation, "command-line".into()), work)
    }

    /// The same for long work, whose audit events name it in place of a request.
    pub fn write_in_background<T, F>(&self, (operation, id): (&'static str, String), work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let state = Arc::clone(&self.0);
        self.0.db.write_witnessed(move |conn| Tx::new(conn, Actor::SYSTEM, &state, &id, operation).run(&work))
    }

    /// Installs the first records of a database, once: unless somebody has begun to write to it.
    pub fn write_unless(
        &self,
        begun: fn(&mut Conn) -> Result<bool>,
        work: fn(&mut Tx<'_>) -> Result<()>,
    ) -> Result<()> {
        let state = Arc::clone(&self.0);
        self.0.db.write_witnessed(move |conn| {
            // Of instances that start together on a new database one installs.
            Guard::Installation.take(conn)?;
            if begun(conn)? {
                return Ok(Done { value: (), witness: None });
            }
            Tx::new(conn, Actor::SYSTEM, &state, "first-start", "Install").run(work)
        })
    }

    /// Removes rows whose time is over, of every slice; returns how many there were.
    pub fn sweep(&self) -> Result<usize> {
        let sweeps = self.0.hooks.sweeps.clone();
        self.write_unaudited(move |conn, now| {
            sweeps.iter().try_fold(0, |removed, sweep| Ok(removed + sweep(conn, now)?))
        })
    }

    /// The service's own bookkeeping, such as how often a mail was tried: a unit that changes no record of the
    /// business, and so needs no audit event.
    pub fn write_unaudited<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn, Timestamp) -> Result<T> + Send + 'static,
    {
        let clock = self.0.clock.clone();
        self.0.db.write(move |conn| work(conn, clock.now()))
    }

    /// Hashing, for the command line and for the demo.
    #[must_use]
    pub fn passwords(&self) -> &Hasher {
        &self.0.passwords
    }

    /// A unit of background work that begins by changing the one row all of its kind begin with, so that they run one
    /// after the other. The unit is no record of the business, and needs no audit event.
    pub fn write_in_turn<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let state = Arc::clone(&self.0);
        let id = "background-work";
        self.0.db.write(move |conn| work(&mut Tx::new(conn, Actor::SYSTEM, &state, id, "BackgroundWork")))
    }

    /// Reads by statements that need not agree with each other.
    pub fn query_as_system<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let id = "background-work";
        self.0.db.query(|conn| work(&mut Tx::new(conn, Actor::SYSTEM, &self.0, id, "BackgroundWork")))
    }

    /// A reading unit of the service itself.
    pub fn read_as_system<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.0.db.read(|conn| work(&mut Tx::new(conn, Actor::SYSTEM, &self.0, "command-line", "CommandLine")))
    }

    /// Runs password work off the request threads, a bounded number at a time; sheds what cannot wait.
    pub(super) async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> T + Send + 'static,
    ) -> Result<T> {
        let free = Arc::clone(&self.0.hashing).acquire_owned();
        let permit = tokio::time::timeout(std::time::Duration::from_secs(3), free).await;
        let permit =
            permit.map_err(|_| Error::unavailable("too many sign-ins at once"))?.map_err(Error::internal)?;
        let state = Arc::clone(&self.0);
        let run = move || {
            // Held until the work is done, although whoever asked may have gone away.
            let _permit = permit;
            work(&state.passwords)
        };
        tokio::task::spawn_blocking(run).await.map_err(Error::unavailable)
    }
}
