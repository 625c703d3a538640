//! What the documents name: every setting with its default, and only files, operations and commands that there are.

use crate::{
    documents::{self, Document},
    running,
};
use clap::Args;
use partner_incentives::{app, config::Settings, operations::demo};
use std::{collections::BTreeSet, path::Path};

#[test]
fn every_setting_is_listed_with_its_default() {
    let settings = documents::named("docs/settings.md");
    let command = Settings::augment_args(clap::Command::new("test"));
    for argument in command.get_arguments() {
        let env = argument.get_env().and_then(|env| env.to_str()).expect("an environment variable");
        let flag = argument.get_long().expect("a flag");
        let default = argument.get_default_values().first().and_then(|value| value.to_str());
        let default = default.map_or_else(String::new, |value| format!("`{value}` "));
        let row = format!("| `{env}` | `--{flag}` | {default}|");
        assert!(settings.text.contains(&row), "{} lacks the row {row}", settings.path);
    }
}

/// The lines that the demo prints stand in a document, which a walk proves.
#[test]
fn the_demo_prints_the_lines_that_are_documented() {
    let documented: Vec<String> =
        documents::named("docs/integrating.md").steps().into_iter().map(|step| step.shell).collect();
    let guide = demo::guide("127.0.0.1:8080");
    let lines: Vec<&str> = guide.lines().filter(|line| line.contains("curl")).collect();
    assert_eq!(lines.len(), 5);
    for line in lines {
        assert!(documented.iter().any(|shell| shell == line), "the demo prints a line of its own: {line}");
    }
    let readme = documents::named("README.md");
    for step in readme.steps().into_iter().filter(|step| step.shell.contains("curl")) {
        assert!(guide.contains(&step.shell), "the README has a line of its own: {}", step.shell);
    }
}

/// The examples go by partners of the demo; whoever gives them other parts gives the documents other ids.
#[test]
fn the_partners_of_the_examples_have_the_part_that_they_need() {
    for (path, partner) in [
        ("docs/first-day.md", demo::newcomer()),
        ("docs/month-end.md", demo::longest()),
        ("docs/integrating.md", demo::ready()),
    ] {
        assert!(documents::named(path).text.contains(&partner.to_string()), "{path} does not name {partner}");
    }
}

#[test]
fn every_file_that_is_named_exists() {
    let mut missing = Vec::new();
    for document in documents::all() {
        let (codes, targets) = document.names();
        let folder = Path::new(&document.path).parent().expect("a folder");
        let named = codes.iter().filter(|code| is_path(code)).map(|code| Path::new(code).to_owned());
        let linked = targets.iter().filter(|target| !target.contains("://")).map(|target| {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { document.path.clone().into() } else { folder.join(path) };
            if !anchor.is_empty() && !anchors_of(&path).iter().any(|known| known == anchor) {
                missing.push(format!("{} links to {target}", document.path));
            }
            path
        });
        let paths: Vec<_> = linked.chain(named).collect();
        missing.extend(
            paths
                .iter()
                .filter(|path| !documents::root().join(path).exists())
                .map(|path| format!("{} names {}", document.path, path.display())),
        );
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// A path from the root: in a folder of the repository, or a file beside the README. What lies in `data` is a running service's.
fn is_path(code: &str) -> bool {
    let first = code.split('/').next().filter(|first| *first != "data").unwrap_or_default();
    let plain = code.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let below = code.contains('/') && !first.is_empty() && documents::root().join(first).is_dir();
    plain && (below || [".md", ".toml", "Dockerfile"].iter().any(|ending| code.ends_with(ending)))
}

fn anchors_of(path: &Path) -> Vec<String> {
    let path = path.to_string_lossy();
    if documents::root().join(&*path).is_file() { documents::named(&path).anchors() } else { Vec::new() }
}

#[test]
fn every_operation_that_is_named_is_in_the_contract() {
    let contract = app::document();
    let mut unknown = Vec::new();
    for document in documents::all() {
        let path = &document.path;
        for code in document.names().0 {
            let Some((method, address)) = code.split_once(" /") else { continue };
            if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) {
                continue;
            }
            let address = format!("/{}", address.split('?').next().unwrap_or_default());
            let known = contract["paths"][&address][&method.to_lowercase()].is_object();
            if !known {
                unknown.push(format!("{path} names {code}"));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn every_command_that_is_named_explains_itself() {
    let named: BTreeSet<String> = documents::all().iter().flat_map(commands).collect();
    assert!(named.contains("keys rotate"), "the commands were not found: {named:?}");
    for command in &named {
        let asked = running::command("sqlite://unused.db").args(command.split(' ')).arg("--help").output();
        assert!(asked.expect("the binary").status.success(), "there is no command `{command}`");
    }
}

/// The commands that a document names, in its text and in its blocks, without their values.
fn commands(document: &Document) -> Vec<String> {
    let shell = document.steps().into_iter().map(|step| step.shell);
    let typed: Vec<String> = document.names().0.into_iter().chain(shell).collect();
    let calls = typed.iter().flat_map(|text| text.split("partner-incentives ").skip(1));
    let command = |call: &str| {
        let word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        let words = call.lines().next().unwrap_or_default().split(' ').take_while(word);
        words.take_while(|word| !word.starts_with('-')).collect::<Vec<_>>().join(" ")
    };
    calls.map(command).filter(|command| !command.is_empty()).collect()
}
