//! The schemas of ISO 20022, as the sources of the crate `sepa` carry them; nothing of theirs is copied.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// Whether the machine has a validator; with `CI=true` it must.
fn is_there() -> bool {
    let found = Command::new("xmllint").arg("--version").output().is_ok_and(|out| out.status.success());
    let how = "xmllint is missing, so no file is held against its schema: apt-get install libxml2-utils";
    let ci = std::env::var_os("CI").is_some_and(|value| value == "1" || value == "true");
    assert!(found || !ci, "{how}");
    if !found {
        eprintln!("{how}");
    }
    found
}

/// The folder of the schemas.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        // Packages of other platforms are not on the machine.
        let host = output(Command::new("rustc").arg("-vV"));
        let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        let metadata = ["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host];
        let text = output(Command::new(env!("CARGO")).args(metadata).current_dir(env!("CARGO_MANIFEST_DIR")));
        // The manifest of each package is told as `"manifest_path":"…/sepa-0.9.0/Cargo.toml"`.
        let manifests = text.split("\"manifest_path\":\"").skip(1).filter_map(|rest| rest.split('"').next());
        let mut folders =
            manifests.filter_map(|path| Path::new(path).parent().map(|parent| parent.join("tests/xsd")));
        folders.find(|folder| folder.join("pain.001.001.09.xsd").is_file()).unwrap()
    })
}

fn output(command: &mut Command) -> String {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// The complaints of the schema of a message about some files, empty where all are valid.
pub fn complaints(message: &str, files: &[&str]) -> String {
    if !is_there() {
        return String::new();
    }
    let schema = folder().join(format!("{message}.xsd"));
    let place = tempfile::tempdir().unwrap();
    let mut command = Command::new("xmllint");
    command.arg("--noout").arg("--nonet").arg("--schema").arg(schema);
    for (number, text) in files.iter().enumerate() {
        let path = place.path().join(format!("{number}.xml"));
        std::fs::write(&path, text).unwrap();
        command.arg(path);
    }
    let out = command.output().unwrap();
    if out.status.success() { String::new() } else { String::from_utf8_lossy(&out.stderr).into_owned() }
}

#[track_caller]
pub fn assert_valid(message: &str, files: &[&str]) {
    let complaints = complaints(message, files);
    assert!(complaints.is_empty(), "{complaints}");
}

#[test]
fn the_schemas_refuse_what_is_wrong() {
    if !is_there() {
        return;
    }
    let right = super::samples::euro().xml();
    assert_valid("pain.001.001.09", &[&right]);
    for wrong in [right.replace("<PmtMtd>TRF</PmtMtd>", ""), right.replace("0.01<", "0.001234567<")] {
        assert_ne!(complaints("pain.001.001.09", &[&right, &wrong]), "");
    }
}
