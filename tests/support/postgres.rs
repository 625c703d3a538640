//! PostgreSQL for stories: the server of `TEST_DATABASE_URL`, else a private throw-away cluster
//! made with the server binaries on this machine.
//!
//! A story leases a database that no other story uses at the time, so the story commits for real, through a real pool. A
//! returned database is reset to the template's rows, which costs a fraction of making a new database; there are never
//! more databases than stories at a time.

use super::{
    database::{Staff, scratch},
    flag,
};
use diesel::{
    QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{Bool, Text},
};
use partner_incentives::platform::db::{Conn, Target};
use std::{
    io::Write,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

/// A database on the server, for one story.
pub struct Lease {
    name: String,
    /// The connection that resets the database when the lease ends; none of a database that is dropped instead.
    resets: Option<Conn>,
}

/// Leases a database with the template's rows; `prepare` fills the template, once.
pub fn lease(prepare: fn(&Target) -> Staff) -> (Lease, Staff) {
    static TEMPLATE: OnceLock<(Staff, bool)> = OnceLock::new();
    let server = server();
    let (staff, resets) = TEMPLATE.get_or_init(|| {
        let name = server.name("template");
        // The template is there already where an earlier preparation failed; the preparation fails again with its reason.
        server.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        server.run(&format!("CREATE DATABASE {name} TEMPLATE template0"));
        let target = server.target(&name);
        let staff = prepare(&target);
        let mut conn = target.open().expect("reach the template");
        // Only a superuser may reset a database; other roles get a new database for each story, which is slower.
        let resets = conn.batch_execute(KEEP_ROWS).is_ok();
        see_off(&mut conn, &name);
        (staff, resets)
    });
    let idle = lock(&server.idle).pop();
    (idle.unwrap_or_else(|| server.create(&server.name("template"), *resets)), *staff)
}

/// Makes a database without a table.
pub fn empty() -> Lease {
    let server = server();
    server.create("template0", false)
}

/// Makes a database without a table, with these options of `CREATE DATABASE`.
pub fn made_with(options: &str) -> Lease {
    let server = server();
    let count = server.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = server.name(&count.to_string());
    server.run(&format!("CREATE DATABASE {name} TEMPLATE template0 {options}"));
    Lease { name, resets: None }
}

impl Lease {
    /// The address of the database.
    pub fn target(&self) -> Target {
        server().target(&self.name)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        let reset = self.resets.take().map(|mut conn| {
            see_off(&mut conn, &name);
            conn.batch_execute("SELECT kept.restore()").map(|()| conn)
        });
        if let Some(Ok(conn)) = reset {
            lock(&server().idle).push(Self { name, resets: Some(conn) });
        } else {
            // The database was made empty, or its story has broken the database on purpose.
            let mut admin = lock(&server().admin);
            see_off(&mut admin, &name);
            // A remaining database is dropped by the next run; a panic here could hide the panic of the story.
            let _ = admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// Ends all other connections to a database, so that the pool of the last story does not meet the next story. A pool ends
/// by itself as a rule; a connection that is terminated writes a message to the terminal.
fn see_off(conn: &mut Conn, name: &str) {
    #[derive(QueryableByName)]
    struct Others {
        #[diesel(sql_type = Bool)]
        others: bool,
    }
    let others = format!("FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()");
    for _ in 0..100 {
        let seen =
            sql_query(format!("SELECT EXISTS (SELECT 1 {others}) AS others")).get_result::<Others>(conn);
        if seen.is_ok_and(|seen| !seen.others) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    // The next statement on the database fails where a connection remains.
    let _ = conn.batch_execute(&format!("SELECT pg_terminate_backend(pid) {others}"));
}

/// Copies every row into the schema `kept`, and adds the function that restores exactly these rows. The function deletes
/// rows and does not truncate tables, which is ten times faster for a few rows in many tables. The role `replica` turns
/// off foreign keys and the triggers that refuse a deletion. A database to which a story has added a table, an index, a trigger or a
/// function, or taken one away, is refused, and so not leased again.
const KEEP_ROWS: &str = r"
CREATE SCHEMA kept;
CREATE FUNCTION kept.shape() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ',
        (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
        (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
        (SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
            WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal))
$$;
DO $$
DECLARE name text; filled boolean; steps text;
BEGIN
    steps := format('IF kept.shape() <> %L THEN RAISE EXCEPTION ''a story has left something behind''; END IF; ', kept.shape());
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1 LOOP
        EXECUTE format('CREATE TABLE kept.%1$I AS TABLE public.%1$I', name);
        EXECUTE format('SELECT EXISTS (TABLE kept.%I)', name) INTO filled;
        steps := steps || format('DELETE FROM public.%I; ', name);
        IF filled THEN
            steps := steps || format('INSERT INTO public.%1$I TABLE kept.%1$I; ', name);
        END IF;
    END LOOP;
    EXECUTE format('CREATE FUNCTION kept.restore() RETURNS void LANGUAGE plpgsql
        SET session_replication_role = replica AS %L', 'BEGIN ' || steps || 'END');
END $$;";

/// The server that this test binary uses, and the databases on it that wait for a story.
struct Server {
    /// The URL of a database before and after the database's name.
    url: (String, String),
    /// The prefix of the databases of this process; every process has a prefix of its own.
    prefix: String,
    admin: Mutex<Conn>,
    idle: Mutex<Vec<Lease>>,
    made: std::sync::atomic::AtomicUsize,
    /// The private cluster lives as long as this process holds the pipe to its keeper.
    #[expect(dead_code, reason = "held for its pipe")]
    keeper: Option<Child>,
}

impl Server {
    fn start() -> Option<Self> {
        let (url, keeper) = match std::env::var_os("TEST_DATABASE_URL") {
            Some(url) => (url.into_string().expect("TEST_DATABASE_URL is a URL"), None),
            None => private_cluster().map(|(url, keeper)| (url, Some(keeper)))?,
        };
        let mut admin = Target::Postgres(url.clone()).open().expect("reach the PostgreSQL server for tests");
        let prefix = free_prefix(&mut admin);
        Some(Self {
            url: around_the_name(&url),
            prefix,
            admin: Mutex::new(admin),
            idle: Mutex::default(),
            made: 0.into(),
            keeper,
        })
    }

    fn name(&self, rest: &str) -> String {
        format!("{}_{rest}", self.prefix)
    }

    fn target(&self, name: &str) -> Target {
        Target::Postgres(format!("{}{name}{}", self.url.0, self.url.1))
    }

    fn run(&self, sql: &str) {
        lock(&self.admin).batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn create(&self, template: &str, resets: bool) -> Lease {
        let count = self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = self.name(&count.to_string());
        self.run(&format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"));
        let resets = resets.then(|| self.target(&name).open().expect("reach the new database"));
        Lease { name, resets }
    }
}

/// The server, started at the first use.
fn server() -> &'static Server {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(Server::start).as_ref().unwrap_or_else(|| {
        let how = "no PostgreSQL: set TEST_DATABASE_URL, or install the server (PATH and /usr/lib/postgresql/*/bin are searched)";
        assert!(!flag("CI") && !flag("REQUIRE_POSTGRES"), "{how}");
        // The line bypasses the capture of test output, because no test of this binary can run without a server.
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: every story on PostgreSQL; {how}\n");
        std::process::exit(0)
    })
}

/// A prefix that no other process uses on this server as long as the connection is open. Databases that an earlier process
/// left under the prefix are dropped, because no code runs at the end of a test binary.
fn free_prefix(admin: &mut Conn) -> String {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    #[derive(QueryableByName)]
    struct Named {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let mut is_free = |number: &u32| {
        let sql = format!("SELECT pg_try_advisory_lock(911402, {number}) AS taken");
        if !sql_query(sql).get_result::<Taken>(admin).expect("take a number").taken {
            return false;
        }
        let sql = format!(
            "SELECT datname::text AS name FROM pg_database WHERE datname LIKE '{PREFIX}\\_{number}\\_%'"
        );
        let left: Vec<Named> = sql_query(sql).load(admin).expect("list databases");
        // Databases of another role cannot be dropped; the next number is tried.
        left.iter()
            .all(|old| admin.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", old.name)).is_ok())
    };
    let number = (0..1000).find(|number| is_free(number)).expect("fewer than 1000 test runs on one server");
    format!("{PREFIX}_{number}")
}

/// The beginning of the names of all test databases.
const PREFIX: &str = "incentives_test";

/// Splits a database URL around the name of the database.
fn around_the_name(url: &str) -> (String, String) {
    let start = url.find("://").expect("postgres://...") + 3;
    let query = url[start..].find('?').map_or(url.len(), |at| start + at);
    let path = url[start..query].find('/').map_or(query, |at| start + at);
    (format!("{}/", &url[..path]), url[query..].to_owned())
}

/// Makes a cluster in a folder of its own, reachable only through a socket in that folder.
///
/// A shell owns the server and reads from a pipe that this process holds: however this process ends,
/// the pipe closes, and the shell stops the server and removes the folder.
fn private_cluster() -> Option<(String, Child)> {
    const KEEPER: &str = r#"
        binaries=$1; folder=$2; shift 2
        "$binaries/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c max_connections=400 "$@" \
            >"$folder/log" 2>&1 </dev/null &
        server=$!
        while read -r _; do :; done
        kill -INT $server; wait $server
        cd /; rm -rf "$folder""#;
    let binaries = server_binaries()?;
    let folder =
        tempfile::Builder::new().prefix("pi-pg-").tempdir_in(scratch()).expect("make a folder").keep();
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    if is_root {
        chown(&folder, Some(NOBODY), Some(NOBODY)).expect("hand the folder over");
    }
    let command = |program: &Path| {
        let mut command = Command::new(program);
        command.current_dir(&folder).env("TZ", "UTC").stdin(Stdio::null());
        // PostgreSQL refuses to run as root.
        if is_root {
            command.uid(NOBODY).gid(NOBODY)
        } else {
            &mut command
        };
        command
    };

    let made = command(&binaries.join("initdb"))
        .args([
            "-N",
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-instructions",
            "-D",
            "data",
        ])
        .output()
        .expect("run initdb");
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

    let keeper = command(Path::new("/bin/sh"))
        .args(["-c", KEEPER, "keeper"])
        .args([&binaries, &folder])
        .args(super::SERVER_SETTINGS)
        .stdin(Stdio::piped())
        // The keeper gets no output of the tests, whose readers would wait for the keeper to end.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C in the terminal must end the tests alone; the keeper stops the server after the tests have ended.
        .process_group(0)
        .spawn()
        .expect("start the keeper of the server");
    let url = format!("postgres:///postgres?host={}&user=postgres", folder.display());
    wait_for(&url, &folder.join("log"));
    Some((url, keeper))
}

fn wait_for(url: &str, log: &Path) {
    let answers = || Target::Postgres(url.to_owned()).open().is_ok();
    let waited = (0..3000).any(|_| {
        let up = answers();
        if !up {
            std::thread::sleep(Duration::from_millis(10));
        }
        up
    });
    let log = || std::fs::read_to_string(log).unwrap_or_default();
    assert!(waited, "the private PostgreSQL server does not answer: {}", log());
}

/// The user and group `nobody`.
const NOBODY: u32 = 65534;

/// A tool of the server, such as `pg_dump`.
pub fn tool(name: &str) -> Command {
    Command::new(
        server_binaries().map(|folder| folder.join(name)).filter(|it| it.is_file()).unwrap_or(name.into()),
    )
}

/// The folder of the server's binaries: on the PATH, else where distributions keep them, newest first.
fn server_binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    versions.sort_by_key(|folder| {
        std::cmp::Reverse(folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()))
    });
    std::env::split_paths(&path)
        .chain(versions.into_iter().map(|version| version.join("bin")))
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// Locks a mutex, also where a failed story has poisoned the mutex.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
