//! The application state: opaque, opened only by `Caller`, `Public` and background work.

use super::{
    Actor, Directory, Hooks, SealedColumn, Tokens, Tx, guard::Guard, issuer::Issuer, kind, password::Hasher,
    sealed,
};
use crate::{
    config::{Accounts, DatabaseKind, Limits, Mail, Schedules, Trust},
    platform::{
        Error, Result, Vault,
        db::{Conn, Db, Done, Load},
        http::{Closing, Contract, Pace, RateLimit, Slots},
        objects::Objects,
        values::{Clock, Id, Ids, Timestamp},
    },
};
use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, OnceLock},
};
use tokio::sync::{Notify, Semaphore};

/// The most lists that are written to files at the same time, and half of the connections at most.
const FILES: usize = 8;
/// The most lists that are written to files at the same time for one person.
const FILES_OF_ONE: usize = 2;
/// The most files that are received at the same time: one is imported, the others wait for their turn.
const UPLOADS: usize = 4;
/// The most files that are received at the same time from one person.
const UPLOADS_OF_ONE: usize = 2;

/// The most files that are received at the same time to be kept beside the database; each takes the memory of a part.
const DOCUMENTS: usize = 16;
/// The most of them from one person.
const DOCUMENTS_OF_ONE: usize = 2;

/// The state of the application. Cheap to clone; every clone is the same state.
#[derive(Clone)]
pub struct AppState(pub(super) Arc<SharedState>);

pub(super) struct SharedState {
    pub db: Db,
    pub clock: Clock,
    pub ids: Ids,
    pub tokens: Tokens,
    pub directory: Directory,
    pub hooks: Hooks,
    pub users: RateLimit<Id>,
    pub addresses: RateLimit<IpAddr>,
    pub sign_ins_by_address: RateLimit<IpAddr>,
    pub sign_ins_by_name: RateLimit<GuessedName>,
    /// One permit for each password hash that may run at the same time; a hash takes memory and a core.
    pub hashing: Arc<Semaphore>,
    pub passwords: Hasher,
    pub accounts: Accounts,
    pub schedules: Schedules,
    pub closing: Closing,
    /// Wakes the background work when a job is waiting.
    pub bell: Notify,
    pub vault: Vault,
    pub import_errors_kept: u32,
    /// Places for lists that are written to files; a file holds a connection and a snapshot.
    pub files: Arc<Slots<Id>>,
    /// Places for files that are received; a file holds a thread.
    pub uploads: Arc<Slots<Id>>,
    /// Places for files that are received to be kept beside the database.
    pub documents: Arc<Slots<Id>>,
    /// The store of those files.
    pub objects: Objects,
    /// The slowest pace of a file that comes or goes.
    pub pace: Pace,
    /// The bytes of SQLite's disk that an import leaves free.
    pub disk_reserve_bytes: u64,
    pub issuer: Option<Issuer>,
    pub mail: Mail,
    /// The contract, which is built when it is asked for.
    pub contract: fn() -> Arc<Contract>,
    /// The kind of the database, known once its first records are there.
    pub kind: OnceLock<DatabaseKind>,
}

/// The name whose password a sign-in attempt guesses.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct GuessedName {
    /// The user name as typed, or the id of a signed-in user.
    pub name: String,
    /// The address the guesses come from; none where guesses from all addresses count together.
    pub from: Option<IpAddr>,
}

/// The parts of the application state beside the database.
pub struct Parts {
    /// The source of time.
    pub clock: Clock,
    /// The source of ids.
    pub ids: Ids,
    /// The limits on requests, imports and connections.
    pub limits: Limits,
    /// The slowest pace of a file that comes or goes.
    pub pace: Pace,
    /// The settings of accounts.
    pub accounts: Accounts,
    /// The encryption keys.
    pub vault: Vault,
    /// The store of files beside the database.
    pub objects: Objects,
    /// The trusted outside issuer of identities; none where people sign in here alone.
    pub trust: Option<Trust>,
    /// The settings of mail.
    pub mail: Mail,
    /// The questions about users, API clients and partners.
    pub directory: Directory,
    /// What happens by the clock.
    pub schedules: Schedules,
    /// The functions of the slices.
    pub hooks: Hooks,
    /// Builds the contract, or gives the one that was built.
    pub contract: fn() -> Arc<Contract>,
}

impl AppState {
    /// Opens the application state on a migrated database.
    pub fn open(db: Db, parts: Parts) -> Result<Self> {
        let Parts { clock, ids, limits, pace, accounts, vault, objects, trust, mail, .. } = parts;
        let Parts { directory, schedules, hooks, contract, .. } = parts;
        let passwords = Hasher::new(accounts.password_memory_kib, accounts.password_passes)?;
        let import_errors_kept = limits.import_errors_kept;
        let connections = usize::try_from(limits.database_connections).unwrap_or(usize::MAX);
        let issuer = mail.public_url.clone();
        let tokens = Tokens::open(db.clone(), clock.clone(), ids.clone(), vault.clone(), issuer)?;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self(Arc::new(SharedState {
            db,
            clock,
            ids,
            tokens,
            directory,
            hooks,
            users: RateLimit::new(limits.requests_per_minute),
            addresses: RateLimit::new(limits.requests_per_minute),
            // Many people may share an address: guesses at one name must not stop the other people behind the address,
            // nor the owner of the name at another address.
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
            files: Slots::new(FILES.min(connections / 2).max(1), FILES_OF_ONE),
            uploads: Slots::new(UPLOADS, UPLOADS_OF_ONE),
            documents: Slots::new(DOCUMENTS, DOCUMENTS_OF_ONE),
            objects,
            pace,
            disk_reserve_bytes: limits.disk_reserve_bytes,
            issuer: trust.map(Issuer::open).transpose()?,
            mail,
            contract,
            kind: OnceLock::new(),
        })))
    }

    /// Looks into a database before anything is written to it, and refuses one that the service must not open: with other
    /// encryption keys, or of production where made-up records are `asked` for. Returns the kind of the database; none of
    /// a new one. `begun` says whether a database from before kinds were written has records.
    pub fn look(
        conn: &mut Conn,
        vault: Option<&Vault>,
        sealed: impl Iterator<Item = SealedColumn>,
        asked: DatabaseKind,
        begun: fn(&mut Conn) -> Result<bool>,
    ) -> Result<Option<DatabaseKind>> {
        let found = kind::of_any_version(conn, begun)?;
        kind::refuse_made_up_records(found, asked)?;
        sealed::refuse_other_keys(conn, vault, sealed)?;
        Ok(found)
    }

    /// The kind of the database.
    pub fn kind(&self) -> Result<DatabaseKind> {
        if let Some(kind) = self.0.kind.get() {
            return Ok(*kind);
        }
        let found = self.0.db.query(kind::of)?.ok_or_else(|| Error::internal("the database has no kind"))?;
        Ok(*self.0.kind.get_or_init(|| found))
    }

    /// Seals the secrets that an earlier version kept in the clear, and makes the database forget the clear text.
    pub fn seal_what_is_clear(&self) -> Result<usize> {
        let state = Arc::clone(&self.0);
        let tables: Vec<&'static str> = self.0.db.write(move |conn| {
            Guard::SigningKeys.take(conn)?;
            let mut tables = Vec::new();
            for column in &state.hooks.sealed {
                let sealed = column.seal_what_is_clear(conn, &state.vault)?.len();
                tables.extend(std::iter::repeat_n(column.at.table, sealed));
            }
            Ok(tables)
        })?;
        let sealed = tables.len();
        if sealed > 0 {
            self.0.db.forget_what_was(&tables.into_iter().collect::<BTreeSet<_>>())?;
        }
        Ok(sealed)
    }

    /// Whether the database answers and takes writes, as far as known: nobody waits for the answer.
    pub fn readiness(&self) -> Result<()> {
        self.0.db.readiness()
    }

    /// Loads the keys that sign access tokens again, which another instance may have made or replaced.
    pub fn refresh_keys(&self) -> Result<()> {
        self.0.tokens.refresh().map(drop)
    }

    /// How much of the way to the database is in use.
    #[must_use]
    pub fn load(&self) -> Load {
        self.0.db.load()
    }

    /// The flag that the service is about to stop.
    #[must_use]
    pub fn closing(&self) -> &Closing {
        &self.0.closing
    }

    /// The contract, for work that reads what requests read.
    #[must_use]
    pub fn contract(&self) -> Arc<Contract> {
        (self.0.contract)()
    }

    /// The source of time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Makes background work look at once for waiting jobs.
    pub fn wake(&self) {
        self.0.bell.notify_one();
    }

    /// Waits for the next call of [`AppState::wake`].
    pub async fn woken(&self) {
        self.0.bell.notified().await;
    }

    /// The settings of mail.
    #[must_use]
    pub fn mail(&self) -> &Mail {
        &self.0.mail
    }

    /// Encryption at rest.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The store of files beside the database.
    #[must_use]
    pub fn objects(&self) -> &Objects {
        &self.0.objects
    }

    /// The tokens, for the command line and for tests.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Runs a writing unit of the service itself, for set-up, the command line and the demo.
    pub fn write_as_system<T, F>(&self, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.write_in_background(operation, "command-line".into(), work)
    }

    /// Runs a writing unit of background work; the audit events of the unit name the `run` in place of a request.
    pub fn write_in_background<T, F>(&self, operation: &'static str, run: String, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let state = Arc::clone(&self.0);
        self.0
            .db
            .write_witnessed(move |conn| Tx::new(conn, Actor::SYSTEM, &state, &run, operation).run(&work))
    }

    /// Installs the first records of a database of the `new` kind, unless `begun` finds records already.
    pub fn write_unless(
        &self,
        new: DatabaseKind,
        begun: fn(&mut Conn) -> Result<bool>,
        work: fn(&mut Tx<'_>) -> Result<()>,
    ) -> Result<()> {
        let state = Arc::clone(&self.0);
        self.0.db.write_witnessed(move |conn| {
            // Of several instances that start on a new database at the same time one installs the records.
            Guard::Installation.take(conn)?;
            if begun(conn)? {
                return Ok(Done { value: (), witness: None });
            }
            kind::set(conn, new)?;
            Tx::new(conn, Actor::SYSTEM, &state, "first-start", "Install").run(work)
        })
    }

    /// Removes the expired rows of every slice; returns the number of removed rows.
    pub fn sweep(&self) -> Result<usize> {
        let sweeps = self.0.hooks.sweeps.clone();
        self.write_unaudited(move |conn, now| {
            sweeps.iter().try_fold(0, |removed, sweep| Ok(removed + sweep(conn, now)?))
        })
    }

    /// Runs a unit of the service's own bookkeeping, such as counting the attempts to send a mail: the unit changes no
    /// record of the business, and needs no audit event.
    pub fn write_unaudited<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn, Timestamp) -> Result<T> + Send + 'static,
    {
        let clock = self.0.clock.clone();
        self.0.db.write(move |conn| work(conn, clock.now()))
    }

    /// The password hasher, for the command line and for the demo.
    #[must_use]
    pub fn passwords(&self) -> &Hasher {
        &self.0.passwords
    }

    /// Runs a unit of background work without an audit event. The unit begins by changing one row that all units of its
    /// kind change first, so that these units run one after the other.
    pub fn write_in_turn<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let state = Arc::clone(&self.0);
        let id = "background-work";
        self.0.db.write(move |conn| work(&mut Tx::new(conn, Actor::SYSTEM, &state, id, "BackgroundWork")))
    }

    /// Reads without a snapshot, for statements whose results need not agree with each other.
    pub fn query_as_system<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let id = "background-work";
        self.0.db.query(|conn| work(&mut Tx::new(conn, Actor::SYSTEM, &self.0, id, "BackgroundWork")))
    }

    /// Reads in one snapshot, for the service itself.
    pub fn read_as_system<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.0.db.read(|conn| work(&mut Tx::new(conn, Actor::SYSTEM, &self.0, "command-line", "CommandLine")))
    }

    /// Hashes or compares a password off the request threads, as many passwords at a time as there are cores; refuses a
    /// request that has waited for three seconds.
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
            // The permit is held until the hash is done, although the caller may have gone away.
            let _permit = permit;
            work(&state.passwords)
        };
        tokio::task::spawn_blocking(run).await.map_err(Error::unavailable)
    }
}
