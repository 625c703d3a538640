//! Starts of the binary: several at once, on a database that is not for it, without its key, with nowhere to listen.

use super::running::{Running, command};
use crate::support::{Backend, Database, World, postgres, secrets::kept};
use diesel::{QueryDsl, RunQueryDsl, connection::SimpleConnection};
use partner_incentives::{
    platform::db::{Db, Target},
    schema::{database_kind, users},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

/// Starts the binary on a database until it ends by itself; the exit code and everything it printed.
fn run(database: &Database, key: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = command(&database.url())
        .args(arguments)
        .env("ENCRYPTION_KEY_FILE", key)
        .env("PASSWORD_MEMORY_KIB", "7168")
        .output()
        .unwrap();
    (output.status.code(), said(&output))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A folder for a key, and the path of the key.
fn key_folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("made/data.key");
    (folder, key)
}

/// The number of rows of every table, and the names of the tables.
fn contents(database: &Database) -> BTreeMap<String, i64> {
    database.target.open().unwrap().counts().unwrap()
}

fn operators(database: &Database) -> i64 {
    users::table.count().get_result(&mut database.target.open().unwrap()).unwrap()
}

#[test]
fn several_first_starts_at_once_all_succeed() {
    let database = Database::empty();
    let (_folder, key) = key_folder();
    let url = database.url();
    let services: Vec<Running> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let arguments = ["--encryption-key-file", key.to_str().unwrap()];
                let url = &url;
                scope.spawn(move || Running::start_on(url, &arguments))
            })
            .collect();
        starts.into_iter().map(|start| start.join().expect("it starts")).collect()
    });
    let shown = services.iter().filter(|service| service.printed.contains("shown this once")).count();
    assert_eq!((shown, operators(&database)), (1, 1), "one of them makes the first operator");
}

#[test]
fn a_demo_never_touches_a_database_that_it_did_not_make() {
    let database = Database::empty();
    let (_folder, key) = key_folder();
    assert_eq!(run(&database, &key, &["migrate"]).0, Some(0));
    let before = contents(&database);
    let (code, said) = run(&database, &key, &["demo", "--listen", "127.0.0.1:0"]);
    assert!(code == Some(1) && said.contains("is of production"), "{said}");
    assert_eq!(contents(&database), before, "not a row was written");

    // A database from before kinds were written is of production too, and is not even migrated.
    let mut conn = database.target.open().unwrap();
    let folder = if crate::BACKEND == Backend::Sqlite { "sqlite" } else { "postgres" };
    let down = format!("{}/migrations/{folder}/0015_database_kind/down.sql", env!("CARGO_MANIFEST_DIR"));
    conn.batch_execute(&std::fs::read_to_string(down).unwrap()).unwrap();
    conn.batch_execute("DELETE FROM __diesel_schema_migrations WHERE version = '0015'").unwrap();
    drop(conn);
    let before = contents(&database);
    let (code, said) = run(&database, &key, &["demo", "--listen", "127.0.0.1:0"]);
    assert!(code == Some(1) && said.contains("is of production"), "{said}");
    assert_eq!(contents(&database), before);
    assert_eq!(run(&database, &key, &["migrate"]).0, Some(0));
    let (_, said) = run(&database, &key, &["verify"]);
    assert!(said.contains("database kind: sound, production"), "{said}");
}

#[test]
fn a_sandbox_says_so_and_is_served_on_loopback_alone() {
    let database = Database::empty();
    let (_folder, key) = key_folder();
    // The kind is written with the first records, which the demo's start would write.
    let mut settings = partner_incentives::config::Settings::for_tests(
        database.target.clone(),
        partner_incentives::platform::values::Clock::System,
        partner_incentives::platform::values::Ids::random(),
    );
    settings.encryption_key = None;
    settings.encryption_key_file = Some(key.clone());
    settings.database_kind = partner_incentives::config::DatabaseKind::Sandbox;
    partner_incentives::app::Service::open(settings).unwrap().close();

    let (code, said) = run(&database, &key, &["serve", "--listen", "0.0.0.0:0"]);
    assert!(code == Some(1) && said.contains("sandbox") && said.contains("LISTEN"), "{said}");
    let served = Running::start_on(&database.url(), &["--encryption-key-file", key.to_str().unwrap()]);
    assert!(served.printed.contains("SANDBOX"), "{}", served.printed);
    let ready = ureq::get(format!("http://{}/health/ready", served.address)).call().unwrap();
    let ready: Value = ready.into_body().read_json().unwrap();
    assert_eq!(ready["database"], "sandbox", "{ready}");
    let (_, said) = run(&database, &key, &["verify"]);
    assert!(said.contains("database kind: sound, sandbox"), "{said}");
    let mut conn = database.target.open().unwrap();
    let changed = diesel::update(database_kind::table)
        .set(diesel::ExpressionMethods::eq(database_kind::kind, "production"))
        .execute(&mut conn);
    assert!(changed.unwrap_err().to_string().contains("stays of its kind"));
    drop(conn);
    let world = World::new();
    assert_eq!(world.nobody().get("/health/ready").send().ok()["database"], "production");
}

#[test]
fn a_start_that_lacks_the_key_writes_nothing_and_says_what_to_do() {
    let database = Database::empty();
    let (folder, key) = key_folder();
    assert_eq!(run(&database, &key, &["migrate"]).0, Some(0));
    let before = (contents(&database), kept(&database.target));
    let elsewhere = folder.path().join("elsewhere/data.key");
    for arguments in [&["serve"][..], &["migrate"], &["verify"], &["keys", "rotate"]] {
        let (code, said) = run(&database, &elsewhere, arguments);
        assert!(code == Some(1) && said.contains("ENCRYPTION_KEY_FILE"), "{arguments:?}: {said}");
        assert!(
            !elsewhere.exists() && !elsewhere.parent().unwrap().exists(),
            "no key was made beside the data"
        );
    }
    // Another key is as good as none.
    std::fs::create_dir(elsewhere.parent().unwrap()).unwrap();
    std::fs::write(&elsewhere, format!("{}=", "B".repeat(42) + "A")).unwrap();
    let (code, said) = run(&database, &elsewhere, &["serve"]);
    assert!(code == Some(1) && said.contains("another encryption key"), "{said}");
    assert_eq!((contents(&database), kept(&database.target)), before);
    assert_eq!(run(&database, &key, &["migrate"]).0, Some(0));
}

#[test]
fn a_start_that_another_start_overtakes_has_the_key_that_was_made_meanwhile() {
    let database = Database::empty();
    let (folder, key) = key_folder();
    assert_eq!(run(&database, &key, &["migrate"]).0, Some(0));
    let aside = folder.path().join("aside.key");
    std::fs::rename(&key, &aside).unwrap();
    // Nobody looks into the database for a while: this start finds no key, then records that were sealed with one.
    let mut holder = database.target.open().unwrap();
    let hold = match crate::BACKEND {
        Backend::Sqlite => "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE",
        Backend::Postgres => "BEGIN; LOCK TABLE __diesel_schema_migrations IN ACCESS EXCLUSIVE MODE",
    };
    holder.batch_execute(hold).unwrap();
    let mut starting = command(&database.url());
    starting.arg("migrate").env("ENCRYPTION_KEY_FILE", &key).stdout(Stdio::piped()).stderr(Stdio::piped());
    let starting = starting.spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    std::fs::rename(&aside, &key).unwrap();
    holder.batch_execute("COMMIT").unwrap();
    drop(holder);
    let output = starting.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn an_older_binary_refuses_a_newer_schema_with_a_sentence() {
    let database = Database::empty();
    let (_folder, key) = key_folder();
    assert_eq!(run(&database, &key, &["migrate"]).0, Some(0));
    let mut conn = database.target.open().unwrap();
    conn.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('9001')").unwrap();
    drop(conn);
    let before = contents(&database);
    for arguments in [&["serve"][..], &["migrate"]] {
        let (code, said) = run(&database, &key, arguments);
        assert!(code == Some(1) && said.contains("version 9001 of the schema"), "{said}");
    }
    assert_eq!(contents(&database), before);
    let refusal = Db::migrate(&database.target).unwrap_err().to_string();
    assert!(refusal.contains("9001"), "{refusal}");
}

#[test]
fn a_server_s_database_that_holds_not_every_text_is_refused() {
    if crate::BACKEND == Backend::Sqlite {
        return;
    }
    let lease = postgres::made_with("ENCODING 'LATIN1' LOCALE 'C'");
    let (_folder, key) = key_folder();
    let Target::Postgres(url) = lease.target() else { unreachable!("a server") };
    let output = command(&url).arg("migrate").env("ENCRYPTION_KEY_FILE", &key).output().unwrap();
    let said = said(&output);
    assert!(output.status.code() == Some(1) && said.contains("LATIN1") && said.contains("UTF8"), "{said}");
    assert!(lease.target().open().unwrap().counts().unwrap().is_empty() && !key.exists());
}

/// Nobody may lose the one password that opens a new database.
#[test]
fn the_first_operator_is_made_when_nothing_else_can_fail() {
    let database = Database::empty();
    let (_folder, key) = key_folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = run(&database, &key, &["serve", "--listen", &address]);
    assert!(code == Some(1) && said.contains("LISTEN") && !said.contains("shown this once"), "{said}");
    // Nothing was opened for an address that is taken.
    if let Target::Sqlite(path) = &database.target {
        assert!(!path.exists() || std::fs::metadata(path).unwrap().len() == 0, "{}", path.display());
    }
    assert_eq!(run(&database, &key, &["migrate"]).0, Some(0));
    assert_eq!(operators(&database), 0);
    // Nor is it made for a mail server that cannot be used, or for an output that nobody reads.
    let (code, said) = run(
        &database,
        &key,
        &["serve", "--smtp-url", "smtp://mail.example:25?tls=maybe", "--mail-from", "a@b.example"],
    );
    assert!(code == Some(1) && !said.contains("shown this once"), "{said}");
    assert_eq!(operators(&database), 0);
    let started = Running::start_on(&database.url(), &["--encryption-key-file", key.to_str().unwrap()]);
    assert!(started.printed.contains("shown this once"), "{}", started.printed);
    assert_eq!(operators(&database), 1);
}

/// Nobody is locked out where the password could not be shown.
#[test]
fn where_the_one_password_cannot_be_written_the_way_to_another_is_told() {
    let database = Database::empty();
    let (_folder, key) = key_folder();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command(&database.url())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("ENCRYPTION_KEY_FILE", &key)
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let way = "user create --role operator --email ADDRESS --name NAME";
    assert!(said.contains("cannot be written") && said.contains(way), "{said}");
    let way = way.replace("ADDRESS", "olga@programme.example").replace("NAME", "Olga");
    let (code, said) = run(&database, &key, &way.split(' ').collect::<Vec<_>>());
    assert!(code == Some(0) && said.contains("shown this once"), "{said}");
}

#[test]
fn the_files_of_a_service_are_its_owner_s_alone() {
    let Backend::Sqlite = crate::BACKEND else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let url = format!("sqlite://{}", data.join("incentives.db").display());
    let service = Running::start_on(&url, &[]);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(data.parent().unwrap())), (0o700, 0o700));
    let files: BTreeMap<String, u32> = std::fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), mode(&path)))
        .collect();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["incentives.db", "incentives.db-shm", "incentives.db-wal", "incentives.key"]);
    assert!(files.values().all(|mode| *mode == 0o600), "{files:?}");
    drop(service);
    // What an earlier version left open is closed.
    for file in ["incentives.db", "incentives.key"] {
        std::fs::set_permissions(data.join(file), PermissionsExt::from_mode(0o644)).unwrap();
    }
    let migrated = command(&url).arg("migrate").stdout(Stdio::null()).status().unwrap();
    assert!(migrated.success());
    assert_eq!((mode(&data.join("incentives.db")), mode(&data.join("incentives.key"))), (0o600, 0o600));
}

#[test]
fn a_password_of_a_setting_is_printed_nowhere() {
    const WORD: &str = "s3cr3t-pass-word";
    let urls = [
        format!("mysql://u:{WORD}@127.0.0.1/x"),
        format!("host=127.0.0.1 user=u password={WORD} dbname=x"),
        format!("postgres://u:{WORD}@127.0.0.1:1/x"),
        format!("postgres://u:{WORD}@127.0.0.1:port/x"),
        format!("postgres://u:{WORD}%zz@127.0.0.1/x"),
        format!("postgres://u:a@{WORD}@127.0.0.1/x"),
        format!("postgres://u:{WORD}/a@127.0.0.1/x"),
        format!("postgres://127.0.0.1:1/x?user=u&password={WORD}"),
        format!("postgres://127.0.0.1:1/x?user=u&sslpassword={WORD}"),
        format!("postgres://u:{WORD}@db.example.com/x"),
        format!("postgres://127.0.0.1:1/x?pasword={WORD}"),
        format!("postgres://127.0.0.1:1/x?password={WORD}&sslmode=nonsense"),
    ];
    let arguments = [
        &["migrate"][..],
        &["serve"],
        &["demo"],
        &["backup", "x", "--passphrase-file", "/dev/null"],
        &["--help"],
        &["verify", "--help"],
    ];
    std::thread::scope(|scope| {
        for url in &urls {
            scope.spawn(move || {
                for arguments in arguments {
                    let output = command(url).args(arguments).env("LOG", "trace").output().unwrap();
                    let printed = said(&output);
                    assert!(
                        !printed.contains(WORD) && !printed.contains("s3cr3t"),
                        "{url} {arguments:?}: {printed}"
                    );
                    let by_flag = command("")
                        .env_remove("DATABASE_URL")
                        .args(["--database-url", url])
                        .args(arguments)
                        .output();
                    let printed = said(&by_flag.unwrap());
                    assert!(!printed.contains("s3cr3t"), "--database-url {url} {arguments:?}: {printed}");
                }
            });
        }
    });
    for url in [format!("smtp//u:{WORD}@h"), format!("smtp://u:{WORD}@h:port")] {
        let output = command("sqlite://unused.db").args(["--smtp-url", &url, "migrate"]).output().unwrap();
        assert!(!output.status.success() && !said(&output).contains(WORD), "{}", said(&output));
    }
}

#[test]
fn no_command_reaches_for_a_remote_server_in_plain_text_unless_told_so() {
    let Backend::Sqlite = crate::BACKEND else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup").display().to_string();
    let said_by = |url: &str, arguments: &[&str], environment: &[(&str, &str)]| {
        let output = command(url)
            .args(arguments)
            .env("ENCRYPTION_KEY_FILE", folder.path().join("data.key"))
            .env("BACKUP_PASSPHRASE", "a much longer passphrase")
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{url} {arguments:?}: {}", said(&output));
        said(&output)
    };
    let commands: [&[&str]; 7] = [
        &["serve"],
        &["migrate"],
        &["verify"],
        &["keys", "rotate"],
        &["jobs", "run", "daily-refresh"],
        &["backup", &file],
        &["restore", &file],
    ];
    // Nobody is at these addresses: whoever reached for one would be told so, or wait.
    let remote = [
        ("postgres://u@0.0.0.0:1/x", None),
        ("postgres:///x?host=0.0.0.0&port=1", None),
        ("postgres:///x", Some(("PGHOST", "0.0.0.0"))),
    ];
    for arguments in commands {
        for (url, host) in remote {
            let named = said_by(url, arguments, host.as_slice());
            assert!(named.contains("ALLOW_PLAINTEXT_DATABASE=true"), "{url} {arguments:?}: {named}");
        }
        let allowed = [("ALLOW_PLAINTEXT_DATABASE", "true")];
        let named = said_by(remote[0].0, arguments, &allowed);
        assert!(!named.contains("ALLOW_PLAINTEXT"), "{arguments:?}: {named}");
    }
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing was written");
}
