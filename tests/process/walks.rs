//! Each document is walked through as a person would: its shell blocks in their order, in an empty folder, in one shell;
//! each prints what the document shows after it.
//!
//! A block that starts the service runs as in a terminal of its own, until the next one or the end of the document.

use crate::{
    documents::{self, Document, Step},
    ports::free_port,
    running,
};
use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

/// Where the documents say that the service listens.
const ADDRESS: &str = "127.0.0.1:8080";
/// What the documents say instead of the password that the first start printed.
const PRINTED_PASSWORD: &str = "the password that was printed";

/// What starts the service.
const SERVICE: [&str; 5] = [
    "cargo run",
    "cargo run -- demo",
    "partner-incentives",
    "partner-incentives serve",
    "partner-incentives demo",
];

/// What no walk types, by how it begins, with the reason.
const NOT_TYPED: [(&str, &str); 9] = [
    ("cargo test", "it is what runs this"),
    ("cargo fmt", "the pipeline runs it"),
    ("cargo clippy", "the pipeline runs it"),
    ("cargo doc", "the pipeline runs it"),
    ("bash .ci/run", "it runs the tests"),
    ("cargo bench", "it takes minutes, and the machine for itself"),
    ("pg_dump", "the walks have no server; the stories on PostgreSQL call it"),
    ("pg_restore", "the walks have no server; the stories on PostgreSQL call it"),
    ("docker", "it needs an engine for containers"),
];

/// What a machine may lack; without them their blocks are left out, except in the pipeline.
const TOOLS: [&str; 1] = ["openssl"];

/// Stops the service before, if there is one, starts one in its place and waits until it is ready.
///
/// The shell itself writes the command `cargo`: a file that another thread's child still holds open cannot be executed.
const PRELUDE: &str = r#"
mkdir .tools; printf '%s' "$CARGO_SCRIPT" >.tools/cargo; chmod 755 .tools/cargo
PATH=$TOOLS:$PATH
stop() { if [ -n "$SERVICE" ]; then kill "$SERVICE" 2>/dev/null || true; wait "$SERVICE" || true; SERVICE=; fi; }
serve() {
  stop
  "$@" >printed.txt 2>printed-errors.txt & SERVICE=$!
  until curl -fs -o /dev/null "http://$LISTEN/health/ready"; do
    kill -0 "$SERVICE" || { cat printed.txt printed-errors.txt >&2; exit 1; }
    sleep 0.1
  done
  cat printed.txt
}
trap stop EXIT
"#;

/// `cargo run`, without building what is built.
const CARGO: &str = "#!/bin/sh\n[ \"$1\" = run ] || exit 1\nshift\n[ \"$1\" = -- ] && shift\nexec partner-incentives \"$@\"\n";

#[test]
fn every_document_goes_as_printed() {
    let documents = documents::all();
    let mut walked = 0;
    let failures: Vec<String> = thread::scope(|scope| {
        let walks: Vec<_> = documents.iter().map(|document| scope.spawn(|| walk(document))).collect();
        let mut failures = Vec::new();
        for (walk, document) in walks.into_iter().zip(&documents) {
            match walk.join().expect("a walk") {
                Ok(steps) => walked += steps,
                Err(failure) => failures.push(format!("{}: {failure}", document.path)),
            }
        }
        failures
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(walked >= 40, "the blocks were not found: {walked}");
}

/// Walks through a document, and tells how many of its blocks were typed.
fn walk(document: &Document) -> Result<usize, String> {
    let mut steps = document.steps();
    steps.retain(|step| !not_typed(step) && !lacks_a_tool(step));
    if steps.is_empty() {
        return Ok(0);
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("openapi")).expect("the folder that the contract is written to");
    let address = format!("127.0.0.1:{}", free_port());
    let output = typed(&script(&steps, &address), folder.path(), &address);
    let printed = String::from_utf8_lossy(&output.stdout);
    let answers: Vec<&str> = printed.split('\u{1e}').collect();
    for (nth, step) in steps.iter().enumerate() {
        let answer = answers.get(nth).copied().unwrap_or_default();
        if !output.status.success() && nth + 1 >= answers.len() {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}\nfails with\n{answer}\n{errors}", step.shell));
        }
        as_printed(step, &answer.replace(&address, ADDRESS))?;
    }
    Ok(steps.len())
}

fn not_typed(step: &Step) -> bool {
    step.shell.lines().all(|line| NOT_TYPED.iter().any(|(begins, _)| command(line).starts_with(begins)))
}

/// A line without the settings before its command.
fn command(line: &str) -> &str {
    let settings: usize = line
        .split_inclusive(' ')
        .take_while(|word| word.split_once('=').is_some_and(|(name, _)| !name.contains(['/', '-', '"'])))
        .map(str::len)
        .sum();
    &line[settings..]
}

fn lacks_a_tool(step: &Step) -> bool {
    let is_there = |tool: &str| Command::new(tool).arg("--version").stdout(Stdio::null()).status().is_ok();
    let lacking =
        TOOLS.iter().find(|tool| step.shell.contains(**tool) && !crate::flag("CI") && !is_there(tool));
    if let Some(tool) = lacking {
        println!("NOT TYPED, for lack of {tool}: {}", step.shell);
    }
    lacking.is_some()
}

/// Whether a block starts the service and nothing else, maybe with settings before.
fn serves(shell: &str) -> bool {
    let mut words: Vec<&str> = shell.split_whitespace().collect();
    words.retain(|word| !word.contains('='));
    SERVICE.contains(&words.join(" ").as_str())
}

/// The blocks as one script, with a separator after what each prints.
fn script(steps: &[Step], address: &str) -> String {
    let mut script = PRELUDE.to_owned();
    for Step { shell, .. } in steps {
        let shell = shell
            .replace(ADDRESS, address)
            .replace(&format!("'{PRINTED_PASSWORD}'"), "$(sed -n 's/.*shown this once: //p' printed.txt)");
        // Writing into a text cannot fail.
        let _ = if serves(&shell) { write!(script, "serve env {shell}") } else { write!(script, "{shell}") };
        script.push_str("\nprintf '\\036'\n");
    }
    script
}

/// Types a script into a shell that knows the binary and `cargo run`.
fn typed(script: &str, folder: &Path, address: &str) -> Output {
    let tools = folder.join(".tools");
    let binary = Path::new(env!("CARGO_BIN_EXE_partner-incentives")).parent().expect("its folder");
    let mut shell = Command::new("sh");
    running::without_settings(&mut shell)
        .args(["-ec", script])
        .current_dir(folder)
        .env("CARGO_SCRIPT", CARGO)
        .env("TOOLS", format!("{}:{}", tools.display(), binary.display()))
        .env("LISTEN", address);
    shell.output().expect("a shell with curl")
}

/// Holds what a block printed against what the document shows.
fn as_printed(step: &Step, answer: &str) -> Result<(), String> {
    let mut rest = answer;
    for piece in step.answer.split('…').filter(|piece| !piece.is_empty()) {
        let Some(at) = rest.find(piece) else {
            return Err(format!("{}\nprints\n{answer}\nwithout, in this place,\n{piece}", step.shell));
        };
        rest = &rest[at + piece.len()..];
    }
    Ok(())
}
