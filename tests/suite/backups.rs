//! Backups: taken while the service runs, restored on a machine that has nothing.

use super::{
    partners::partner,
    profiles,
    running::{Running, command},
};
use crate::support::{Backend, Database, World, postgres, secrets::kept};
use partner_incentives::platform::db::Target;
use serde_json::{Value, json};
use std::{
    path::Path,
    process::{Command, Output},
};

const PASSPHRASE: &str = "correct horse battery staple";
const CHOSEN: &str = "a much longer passphrase";

/// The binary on a database, with the key in a file.
fn binary(url: &str, key: &Path) -> Command {
    let mut command = command(url);
    command.env("ENCRYPTION_KEY_FILE", key).env("BACKUP_PASSPHRASE", PASSPHRASE);
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    said(&output)
}

#[track_caller]
fn fails(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{command:?}: {}", said(&output));
    said(&output)
}

/// A service on a database, and whoever signs in there.
struct Programme {
    service: Running,
    agent: ureq::Agent,
}

impl Programme {
    fn started(url: &str, key: &Path) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let arguments = ["--encryption-key-file", key.to_str().unwrap(), "--password-memory-kib", "7168"];
        Self { service: Running::start_on(url, &arguments), agent }
    }

    fn send(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> (u16, Value) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.service.address))
            .header("content-type", "application/json");
        let request = match token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        };
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut answer = self.agent.run(request.body(body).unwrap()).unwrap();
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_json().unwrap_or_default())
    }

    #[track_caller]
    fn sign_in(&self, password: &str) -> String {
        let body = json!({"username": "operator@programme.example", "password": password});
        let (status, session) = self.send("POST", "/v1/auth/login", None, Some(&body));
        assert_eq!(status, 200, "{session}");
        session["access_token"].as_str().unwrap().to_owned()
    }

    fn record(&self, token: &str, n: u32) {
        let (status, made) = self.send("POST", "/v1/partners", Some(token), Some(&partner(n, "direct_bill")));
        assert_eq!(status, 201, "{made}");
    }

    fn partners(&self, token: &str) -> usize {
        self.send("GET", "/v1/partners", Some(token), None).1["items"].as_array().unwrap().len()
    }
}

#[test]
fn yesterday_s_backup_is_restored_on_a_bare_machine() {
    let yesterday = Database::empty();
    let folder = tempfile::tempdir().unwrap();
    let (key, backup) = (folder.path().join("here/data.key"), folder.path().join("copies/yesterday.backup"));
    let programme = Programme::started(&yesterday.url(), &key);
    let printed = &programme.service.printed;
    let temporary = printed.split("shown this once: ").nth(1).unwrap().lines().next().unwrap();
    let change = json!({"current_password": temporary, "new_password": CHOSEN});
    let token = programme.sign_in(temporary);
    assert_eq!(programme.send("PUT", "/v1/me/password", Some(&token), Some(&change)).0, 204);
    let token = programme.sign_in(CHOSEN);
    programme.record(&token, 1);
    // The newest events are sealed a second or two after their commit.
    std::thread::sleep(std::time::Duration::from_secs(4));

    let told = succeeds(binary(&yesterday.url(), &key).args(["backup", backup.to_str().unwrap()]));
    let head = told.split("audit head ").nth(1).expect("the head").trim().to_owned();
    assert!(head.contains(':') && told.contains("production"), "{told}");
    let dump = folder.path().join("yesterday.dump");
    if crate::BACKEND == Backend::Postgres {
        succeeds(postgres::tool("pg_dump").args(["-Fc", "-f"]).arg(&dump).args(["-d", &yesterday.url()]));
    }
    let file = std::fs::read(&backup).unwrap();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&backup).unwrap().permissions()) & 0o777,
        0o600
    );
    let secret = std::fs::read_to_string(&key).unwrap();
    for open in ["SQLite format", secret.trim(), "operator@programme.example", &head] {
        assert!(!file.windows(open.len()).any(|window| window == open.as_bytes()), "{open} is in the clear");
    }
    let left: Vec<_> = std::fs::read_dir(backup.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing else is left behind: {left:?}");

    // Today.
    programme.record(&token, 2);
    assert_eq!(programme.partners(&token), 2);
    drop(programme);

    let bare = Database::empty();
    let new_key = folder.path().join("there/data.key");
    let mut restore = binary(&bare.url(), &new_key);
    restore.args(["restore", backup.to_str().unwrap()]);
    let wrong = fails(
        binary(&bare.url(), &new_key)
            .env("BACKUP_PASSPHRASE", "another passphrase")
            .args(["restore", backup.to_str().unwrap()]),
    );
    assert!(wrong.contains("passphrase is wrong") && !new_key.exists(), "{wrong}");
    if crate::BACKEND == Backend::Postgres {
        let first = fails(&mut restore);
        assert!(first.contains("pg_restore") && !new_key.exists(), "{first}");
        succeeds(postgres::tool("pg_restore").args(["--no-owner", "-d", &bare.url()]).arg(&dump));
    }
    let restored = succeeds(&mut restore);
    assert!(restored.contains(&format!("verify --expect {head}")), "{restored}");
    assert_eq!(std::fs::read_to_string(&new_key).unwrap(), secret);

    let programme = Programme::started(&bare.url(), &new_key);
    assert!(!programme.service.printed.contains("First operator"), "{}", programme.service.printed);
    let token = programme.sign_in(CHOSEN);
    assert_eq!(programme.partners(&token), 1, "what was written after the backup is gone");
    programme.record(&token, 3);
    drop(programme);
    let verified = succeeds(binary(&bare.url(), &new_key).args(["verify", "--expect", &head]));
    assert!(verified.contains("audit chain: sound") && verified.contains("books: sound"), "{verified}");
}

#[test]
fn restoring_overwrites_nothing_unless_told() {
    let Backend::Sqlite = crate::BACKEND else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let url = |name: &str| format!("sqlite://{}", path(name).display());
    let (backup, key) = (path("one.backup"), path("one.key"));
    succeeds(binary(&url("one.db"), &key).arg("migrate"));
    succeeds(binary(&url("one.db"), &key).args(["backup", backup.to_str().unwrap()]));
    let again = fails(binary(&url("one.db"), &key).args(["backup", backup.to_str().unwrap()]));
    assert!(again.contains("is there already"), "{again}");
    let other_key = path("two.key");
    succeeds(binary(&url("two.db"), &other_key).arg("migrate"));
    let before = std::fs::read(path("two.db")).unwrap();
    let restore = |arguments: &[&str]| {
        let mut command = binary(&url("two.db"), &other_key);
        command.args(["restore", backup.to_str().unwrap()]).args(arguments);
        command
    };
    let refused = fails(&mut restore(&[]));
    assert!(refused.contains("--replace"), "{refused}");
    assert_eq!(std::fs::read(path("two.db")).unwrap(), before);
    // Nor is a database replaced that is in use.
    let used = Running::start_on(&url("two.db"), &["--encryption-key-file", other_key.to_str().unwrap()]);
    let refused = fails(&mut restore(&["--replace"]));
    assert!(refused.contains("in use"), "{refused}");
    drop(used);
    succeeds(&mut restore(&["--replace"]));
    succeeds(binary(&url("two.db"), &other_key).arg("verify"));
    let aside = |prefix: &str| {
        let names = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(prefix)).collect::<Vec<_>>()
    };
    assert_eq!(
        (aside("two.db.replaced-").len(), aside("two.key.replaced-").len()),
        (1, 1),
        "put aside, not lost"
    );
    let keyed = fails(
        binary(&url("three.db"), &path("three.key"))
            .env("ENCRYPTION_KEY", format!("{}=", "B".repeat(42) + "A"))
            .args(["restore", backup.to_str().unwrap()]),
    );
    assert!(
        keyed.contains("ENCRYPTION_KEY is not the key of the backup") && !path("three.db").exists(),
        "{keyed}"
    );
    // A backup that was cut restores nothing.
    let whole = std::fs::read(&backup).unwrap();
    std::fs::write(path("cut.backup"), &whole[..whole.len() - 40]).unwrap();
    fails(binary(&url("four.db"), &path("four.key")).args(["restore", path("cut.backup").to_str().unwrap()]));
    assert!(!path("four.db").exists() && !path("four.key").exists());
    // Nobody says a passphrase on the command line, and a short one is refused.
    let none = fails(
        command(&url("one.db"))
            .env("ENCRYPTION_KEY_FILE", &key)
            .args(["backup", path("n.backup").to_str().unwrap()]),
    );
    assert!(none.contains("BACKUP_PASSPHRASE"), "{none}");
    let short = fails(
        binary(&url("one.db"), &key)
            .env("BACKUP_PASSPHRASE", "short")
            .args(["backup", path("s.backup").to_str().unwrap()]),
    );
    assert!(short.contains("12 characters") && !path("s.backup").exists(), "{short}");
    std::fs::write(path("passphrase"), format!("{PASSPHRASE}\n")).unwrap();
    let mut by_file = command(&url("five.db"));
    by_file.env("BACKUP_PASSPHRASE_FILE", path("passphrase")).args(["restore", backup.to_str().unwrap()]);
    succeeds(&mut by_file);
    assert!(path("five.key").exists(), "the key stands beside its database");
    assert!(
        fails(binary(&url("nothing.db"), &key).args(["backup", path("e.backup").to_str().unwrap()]))
            .contains("nothing to back up")
    );
    assert!(!path("e.backup").exists());
}

#[test]
fn a_backup_holds_no_account_number_in_the_clear() {
    let world = World::new();
    let id = world.operator().post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    profiles::are_filed(&world.admin_of(&id), &id);
    let url = match world.service.db.target() {
        Target::Sqlite(path) => format!("sqlite://{}", path.display()),
        Target::Postgres(url) => url.clone(),
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it.backup");
    let taken = succeeds(
        command(&url)
            .env("ENCRYPTION_KEY", world.service.settings.encryption_key.as_deref().unwrap())
            .env("BACKUP_PASSPHRASE", PASSPHRASE)
            .args(["backup", file.to_str().unwrap()]),
    );
    assert!(!taken.contains("DE89"), "{taken}");
    assert_eq!(world.numbers.within(&std::fs::read(&file).unwrap()), Vec::<String>::new());
    // Nor does what the passphrase opens: a copy of the database, in which the numbers are sealed.
    let Backend::Sqlite = crate::BACKEND else { return };
    let (path, key) = (folder.path().join("restored.db"), folder.path().join("restored.key"));
    let url = format!("sqlite://{}", path.display());
    succeeds(binary(&url, &key).args(["restore", file.to_str().unwrap()]));
    let restored = Target::Sqlite(path);
    let files = kept(&restored);
    assert!(!files.is_empty() && restored.open().unwrap().counts().unwrap()["payout_profiles"] > 0);
    for (name, bytes) in files {
        assert_eq!(world.numbers.within(&bytes), Vec::<String>::new(), "{name}");
    }
}
