//! What the README promises: every setting with its default, and the shell lines as printed.

use crate::running::Running;
use clap::Args;
use partner_incentives::{config::Settings, operations::demo};
use std::process::Command;

const README: &str = include_str!("../../README.md");

#[test]
fn every_setting_is_listed_with_its_default() {
    let command = Settings::augment_args(clap::Command::new("test"));
    for argument in command.get_arguments() {
        let env = argument.get_env().and_then(|env| env.to_str()).expect("an environment variable");
        let flag = argument.get_long().expect("a flag");
        let default = argument.get_default_values().first().and_then(|value| value.to_str());
        let default = default.map_or_else(String::new, |value| format!("`{value}` "));
        let row = format!("| `{env}` | `--{flag}` | {default}|");
        assert!(README.contains(&row), "the README lacks the row {row}");
    }
}

/// The shell lines after a marker, each with the answer the README shows.
fn lines(marker: &str) -> Vec<(String, String)> {
    let (_, rest) = README.split_once(marker).expect("the marker");
    let (rest, _) = rest.split_once("\n## ").expect("the next chapter");
    let mut lines: Vec<(String, String)> = Vec::new();
    for block in rest.split("```").skip(1).step_by(2) {
        match block.split_once('\n') {
            Some(("sh", shell)) => lines.push((shell.trim().to_owned(), String::new())),
            Some(("json", answer)) => lines.last_mut().expect("a line before").1 = answer.trim().to_owned(),
            _ => panic!("neither shell nor JSON: {block}"),
        }
    }
    lines
}

/// Types the lines into a shell, one after the other, and holds what they print against the README.
fn answer_as_printed(lines: &[(String, String)], demo: &Running) {
    let mut script = String::new();
    for (shell, _) in lines {
        script.push_str(&shell.replace("127.0.0.1:8080", &demo.address));
        script.push_str("\necho\necho ---\n");
    }
    let output = Command::new("sh").args(["-ec", &script]).output().expect("a shell with curl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    for ((shell, expected), answer) in lines.iter().zip(output.split("\n---\n")) {
        let mut rest = answer;
        for piece in expected.split('…').filter(|piece| !piece.is_empty()) {
            let Some(at) = rest.find(piece) else {
                panic!("{shell}\nanswers\n{answer}\nwithout, in this place,\n{piece}")
            };
            rest = &rest[at + piece.len()..];
        }
    }
}

#[test]
fn the_five_lines_answer_as_printed() {
    let lines = lines("<!-- demo -->");
    assert_eq!(lines.len(), 5);
    let demo = Running::start(&["demo"]);
    for line in &lines {
        assert!(
            demo.printed.contains(&line.0.replace("127.0.0.1:8080", &demo.address)),
            "demo does not print {}",
            line.0
        );
    }
    answer_as_printed(&lines, &demo);
}

#[test]
fn the_first_day_goes_as_printed() {
    let demo = Running::start(&["demo"]);
    let sign_in = lines("<!-- demo -->").into_iter().take(1);
    let day: Vec<_> = sign_in.chain(lines("<!-- first day -->")).collect();
    assert_eq!(day.len(), 10);
    assert!(day.iter().any(|(shell, _)| shell.contains(&demo::newcomer().to_string())));
    answer_as_printed(&day, &demo);
}

#[test]
fn the_statement_adds_up_as_printed() {
    let demo = Running::start(&["demo"]);
    let sign_in = lines("<!-- demo -->").into_iter().take(1);
    let statement: Vec<_> = sign_in.chain(lines("<!-- statement -->")).collect();
    assert_eq!(statement.len(), 2);
    assert!(statement[1].0.contains(&demo::longest().to_string()));
    answer_as_printed(&statement, &demo);
}
