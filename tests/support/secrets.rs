//! The account and tax numbers that stories send: after each story they stand nowhere in the clear. Not in the files of
//! the database, not in a row, not in an answer, and not in a line of the log.

use super::statements;
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use partner_incentives::platform::db::{Conn, Target};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Mutex, Once, PoisonError},
};

/// Shorter numbers occur by chance.
const DISTINCTIVE: usize = 9;

/// The numbers of one world.
#[derive(Default)]
pub struct Numbers(Mutex<BTreeSet<String>>);

impl Numbers {
    /// Notes the numbers in the body of a request that files a profile.
    pub fn note(&self, path: &str, body: &[u8]) {
        if !["/payout-profile", "/tax-profile", "/payer-accounts"].iter().any(|end| path.ends_with(end)) {
            return;
        }
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return };
        for number in
            ["account", "account_number", "tax_id"].iter().filter_map(|member| body.get(*member)?.as_str())
        {
            self.add(number);
        }
    }

    /// Notes a number that was filed otherwise.
    pub fn add(&self, number: &str) {
        if number.len() >= DISTINCTIVE {
            lock(&self.0).insert(number.to_uppercase());
            lock(&LOGGED).numbers.insert(number.to_uppercase());
        }
    }

    /// The noted numbers that bytes hold: as they are, or as hexadecimal digits.
    pub fn within(&self, bytes: &[u8]) -> Vec<String> {
        let noted = lock(&self.0);
        if noted.is_empty() {
            return Vec::new();
        }
        let text = String::from_utf8_lossy(bytes).to_uppercase();
        let digits =
            |byte: u8| [byte / 16, byte % 16].map(|half| char::from(b"0123456789ABCDEF"[usize::from(half)]));
        let hex = |number: &str| number.bytes().flat_map(digits).collect::<String>();
        noted.iter().filter(|number| text.contains(*number) || text.contains(&hex(number))).cloned().collect()
    }

    /// Fails where the database or the log holds a noted number.
    pub fn expect_hidden(&self, target: &Target) {
        if lock(&self.0).is_empty() {
            return;
        }
        for (place, bytes) in kept(target) {
            let found = self.within(&bytes);
            assert!(found.is_empty(), "in the clear in {place}: {found:?}");
        }
        let logged = lock(&LOGGED);
        assert!(logged.found.is_empty(), "in the clear in the log: {:?}", logged.found);
    }
}

/// Everything that a database keeps: the files of SQLite, each table of PostgreSQL as text.
pub fn kept(target: &Target) -> Vec<(String, Vec<u8>)> {
    match target {
        Target::Sqlite(path) => ["", "-wal"]
            .iter()
            .map(|ending| format!("{}{ending}", path.display()))
            .filter_map(|file| std::fs::read(Path::new(&file)).ok().map(|bytes| (file, bytes)))
            .collect(),
        Target::Postgres(_) => {
            statements::behind_the_service(|| tables(&mut target.open().expect("reach it")))
        }
    }
}

fn tables(conn: &mut Conn) -> Vec<(String, Vec<u8>)> {
    #[derive(QueryableByName)]
    struct Word {
        #[diesel(sql_type = Text)]
        word: String,
    }
    let names = "SELECT tablename::text AS word FROM pg_tables WHERE schemaname = 'public'";
    let names: Vec<Word> = sql_query(names).load(conn).expect("list tables");
    let rows = |Word { word: name }: Word| {
        let rows = format!("SELECT coalesce(string_agg(t::text, ' '), '') AS word FROM \"{name}\" t");
        let Word { word } = sql_query(rows).get_result(conn).expect("read a table");
        (name, word.into_bytes())
    };
    names.into_iter().map(rows).collect()
}

static LOGGED: Mutex<Logged> = Mutex::new(Logged { numbers: BTreeSet::new(), found: BTreeSet::new() });

/// What was seen in the log of this process.
struct Logged {
    numbers: BTreeSet<String>,
    found: BTreeSet<String>,
}

/// Reads the log of this process from now on.
pub fn watch_the_log() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        log::set_logger(&Reader).expect("the only logger");
        log::set_max_level(log::LevelFilter::Trace);
    });
}

struct Reader;

impl log::Log for Reader {
    fn enabled(&self, of: &log::Metadata<'_>) -> bool {
        of.level() <= log::Level::Warn
            || of.target().starts_with("partner_incentives")
            || of.target() == "access"
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let mut line = record.args().to_string();
            let mut members = Members(&mut line);
            record.key_values().visit(&mut members).expect("visit the members");
            let line = line.to_uppercase();
            let mut logged = lock(&LOGGED);
            let found: Vec<String> = logged.numbers.iter().filter(|it| line.contains(*it)).cloned().collect();
            logged.found.extend(found);
        }
    }

    fn flush(&self) {}
}

struct Members<'a>(&'a mut String);

impl<'kvs> log::kv::VisitSource<'kvs> for Members<'_> {
    fn visit_pair(
        &mut self,
        key: log::kv::Key<'kvs>,
        value: log::kv::Value<'kvs>,
    ) -> Result<(), log::kv::Error> {
        use std::fmt::Write;
        write!(self.0, " {key}={value}").map_err(log::kv::Error::boxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
