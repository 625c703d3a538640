//! What the command line says: of wrong values, of its commands, to readers who stop reading, and of its progress.

use crate::running::{command, without_settings};
use clap::{ArgAction, Args};
use partner_incentives::config::Settings;
use std::{
    collections::BTreeSet,
    io::Read,
    path::Path,
    process::{Command, Output, Stdio},
};

/// A wrong value of each setting, and a word of the mend.
const WRONG: &[(&str, &str, &str)] = &[
    ("DATABASE_URL", "mysql://x/y", "sqlite://PATH"),
    ("DATABASE_CONNECTIONS", "0", "1..=1000"),
    ("ALLOW_PLAINTEXT_DATABASE", "maybe", "true, false"),
    ("ENCRYPTION_KEY", "secret", "openssl rand -base64 32"),
    ("ENCRYPTION_KEY_FILE", "", "directory"),
    ("OPERATORS_NEED_SECOND_FACTOR", "maybe", "true, false"),
    ("KEY_ROTATION_DAYS", "366", "0..=365"),
    ("COOLING_OFF_DAYS", "31", "0..=30"),
    ("OIDC_ISSUER", "login", "https address"),
    ("OIDC_AUDIENCE", "client", "--oidc-issuer"),
    ("PASSWORD_MEMORY_KIB", "1", "7168..=1048576"),
    ("PASSWORD_PASSES", "0", "1..=100"),
    ("LISTEN", "nowhere", "socket address"),
    ("METRICS_LISTEN", "nowhere", "socket address"),
    ("WORKERS", "many", "digit"),
    ("REQUESTS_PER_MINUTE", "0", "1.."),
    ("SIGN_INS_PER_MINUTE", "0", "1.."),
    ("ALLOWED_ORIGINS", "https://portal.example/", "https://portal.example"),
    ("TRUSTED_PROXIES", "proxies", "10.0.0.0/8"),
    ("BEHIND_HTTPS", "maybe", "true, false"),
    ("SECURITY_CONTACT", "security", "mailto:"),
    ("DAILY_REFRESH_AT", "25:00", "02:00"),
    ("PUBLIC_URL", "nowhere", "https://"),
    ("SMTP_URL", "mail.example", "SMTP_URL"),
    ("SMTP_CA_FILE", "/nowhere.pem", "/nowhere.pem"),
    ("MAIL_FROM", "nobody", "incentives@vendor.example"),
    ("BODY_SECONDS", "0", "1..=3600"),
    ("MINIMUM_BYTES_PER_SECOND", "-1", "digit"),
    ("IMPORT_BYTES", "-1", "digit"),
    ("DISK_RESERVE_BYTES", "-1", "digit"),
    ("IMPORT_ERRORS_KEPT", "-1", "0..=4294967295"),
    ("PROOF_STORE", "ftp://files", "s3://BUCKET/PREFIX"),
    ("DRAIN_MILLISECONDS", "60001", "0..=60000"),
    ("LOG_FORMAT", "xml", "auto, json, human"),
    ("LOG", "loud", "info,access=warn"),
];

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Refuses what is no sentence for people.
fn is_for_people(told: &str, about: &str) {
    for rude in ["panicked", "RUST_BACKTRACE", "Os {", "Err(", "Some(", "kind:", "called `"] {
        assert!(!told.contains(rude), "{about} says {rude}: {told}");
    }
}

#[test]
fn every_setting_refuses_a_wrong_value_by_its_name_and_says_how_to_mend_it() {
    let all = Settings::augment_args(clap::Command::new("settings"));
    let named: BTreeSet<_> = all.get_arguments().filter_map(|a| a.get_env()?.to_str()).collect();
    let tried: BTreeSet<_> = WRONG.iter().map(|(name, _, _)| *name).collect();
    assert_eq!(named, tried, "each setting has a wrong value here");
    let folder = tempfile::tempdir().unwrap();
    for (n, (name, value, mend)) in WRONG.iter().enumerate() {
        let url = format!("sqlite://{}", folder.path().join(format!("{n}/test.db")).display());
        let mut start = command(&url);
        start.args(["serve", "--drain-milliseconds", "0"]);
        if *name != "LISTEN" {
            start.args(["--listen", "127.0.0.1:0"]);
        }
        if *name == "DRAIN_MILLISECONDS" {
            start = command(&url);
        }
        if *name == "SMTP_CA_FILE" {
            start.env("SMTP_URL", "smtp://mail.example").env("MAIL_FROM", "a@vendor.example");
        }
        // A folder is no file of keys, and stays as it is.
        let own = folder.path().display().to_string();
        let value = if *name == "ENCRYPTION_KEY_FILE" { &*own } else { value };
        let output = start.env(name, value).output().unwrap();
        let told = said(&output);
        assert!(!output.status.success(), "{name}={value}: {told}");
        let argument = all.get_arguments().find(|a| a.get_env().is_some_and(|env| env == *name)).unwrap();
        let flag = format!("--{}", argument.get_long().unwrap());
        assert!(told.contains(name) || told.contains(&flag), "{name}={value} is not named: {told}");
        assert!(told.contains(mend), "{name}={value} is not mended by {mend}: {told}");
        is_for_people(&told, name);
        if argument.get_action().takes_values() && !matches!(argument.get_action(), ArgAction::SetTrue) {
            assert!(told.lines().count() <= 7, "{name}: {told}");
        }
    }
}

#[test]
fn a_wrong_argument_or_file_is_named_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let nothing = folder.path().join("nothing.csv").display().to_string();
    let text = folder.path().join("text");
    std::fs::write(&text, "no database".repeat(100)).unwrap();
    let (text, below) = (format!("sqlite://{}", text.display()), format!("sqlite://{}/x.db", text.display()));
    let key = format!("{}=", "A".repeat(43));
    for (arguments, named) in [
        (vec!["user", "create", "--email", "a@b.example", "--name", "A", "--role", "boss"], "--role"),
        (vec!["eligibility", "--partner", "4000001", "--program", "x", "--as-of", "2020-13-01"], "--as-of"),
        (vec!["calculate", "--partner", "4999999"], "partner"),
        (vec!["recalculate", "--partner", "4999999", "--preview"], "partner"),
        (vec!["import", &nothing], "nothing.csv"),
        (vec!["import", "data.xls"], "--format"),
        (vec!["verify", "--expect", "head"], "--expect"),
        (vec!["jobs", "run", "everything"], "daily-refresh"),
        (vec!["health", "--listen", "127.0.0.1:1"], "127.0.0.1:1"),
        (vec!["serve", "--metrics-listen", "203.0.113.1:1", "--listen", "127.0.0.1:0"], "METRICS_LISTEN"),
        (vec!["migrate", "--database-url", &below], "DATABASE_URL"),
        (vec!["migrate", "--database-url", &text], "DATABASE_URL"),
        (vec!["migrate", "--database-url", "postgres://nobody@127.0.0.1:1/x"], "DATABASE_URL"),
    ] {
        let output = command(&url).args(&arguments).env("ENCRYPTION_KEY", &key).output().unwrap();
        let told = said(&output);
        assert!(!output.status.success() && told.contains(named), "{arguments:?}: {told}");
        is_for_people(&told, &format!("{arguments:?}"));
    }
}

/// Runs a command whose reader goes away at once.
fn unread(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = Vec::new();
    child.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
    Output { status: child.wait().unwrap(), stdout: Vec::new(), stderr }
}

#[test]
fn no_command_minds_a_reader_that_stops_reading() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    for arguments in [
        &["openapi"][..],
        &["settings"],
        &["--help"],
        &["migrate"],
        &["verify"],
        &["keys", "rotate"],
        &["calculate"],
        &["jobs", "run", "daily-refresh"],
    ] {
        let mut asked = command(&url);
        asked.args(arguments);
        let output = unread(asked);
        let told = said(&output);
        assert!(output.status.success(), "{arguments:?}: {told}");
        is_for_people(&told, &format!("{arguments:?}"));
    }
    if Path::new("/dev/full").exists() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command(&url).arg("openapi").stdout(full).output().unwrap();
        assert!(!output.status.success(), "a document that is not written is no success");
        assert!(said(&output).contains("standard output"), "{}", said(&output));
    }
}

#[test]
fn the_help_of_a_command_shows_its_own_options_and_settings_stand_apart() {
    let run = |arguments: &[&str]| {
        let mut asked = Command::new(env!("CARGO_BIN_EXE_partner-incentives"));
        let output = without_settings(&mut asked).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    for (arguments, own) in [
        (&["calculate", "--help"][..], "--partner"),
        (&["import", "--help"], "--dry-run"),
        (&["--help"], "settings"),
    ] {
        let help = run(arguments);
        assert!(help.contains(own), "{help}");
        assert!(!help.contains("--database-url") && help.lines().count() < 45, "{help}");
    }
    let all = Settings::augment_args(clap::Command::new("settings"));
    for list in [run(&["settings"]), run(&["help", "settings"])] {
        for argument in all.get_arguments() {
            let (flag, env) = (argument.get_long().unwrap(), argument.get_env().unwrap().to_str().unwrap());
            assert!(
                list.contains(&format!("--{flag} ")) || list.contains(&format!("--{flag}\n")),
                "{flag}: {list}"
            );
            assert!(list.contains(env), "{env}: {list}");
        }
    }
}
