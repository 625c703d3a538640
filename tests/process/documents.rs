//! The documents: the README and what lies beside it and in `docs/`, with their shell blocks and links.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where documents lie, from the root of the repository.
const FOLDERS: [&str; 4] = ["", "docs", ".github", ".github/ISSUE_TEMPLATE"];

/// A document in Markdown.
pub struct Document {
    /// From the root of the repository.
    pub path: String,
    /// As it is written.
    pub text: String,
}

/// A fenced block of shell, and what the document says that it prints.
pub struct Step {
    /// What is typed.
    pub shell: String,
    /// What is printed; an ellipsis stands for anything. Empty where the document shows nothing.
    pub answer: String,
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every document.
pub fn all() -> Vec<Document> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(root().join(folder)) else { continue };
        paths.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    paths
        .iter()
        .map(|path| named(&path.strip_prefix(root()).expect("a path below").to_string_lossy()))
        .collect()
}

/// One document.
pub fn named(path: &str) -> Document {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Document { path: path.to_owned(), text }
}

impl Document {
    /// The blocks of shell in their order, each with the block of output that follows it.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for block in self.text.split("\n```").skip(1).step_by(2) {
            let (language, body) = block.split_once('\n').unwrap_or((block, ""));
            match (language, steps.last_mut()) {
                ("sh", _) => steps.push(Step { shell: body.trim().to_owned(), answer: String::new() }),
                ("json" | "text", Some(step)) => body.trim().clone_into(&mut step.answer),
                _ => panic!("{}: a block of {language:?} is neither shell nor its output", self.path),
            }
        }
        steps
    }

    /// What stands between backticks in the text, and where links lead.
    pub fn names(&self) -> (Vec<String>, Vec<String>) {
        let prose: String = self.text.split("\n```").step_by(2).flat_map(|text| [text, "\n"]).collect();
        let unbroken = |code: &str| code.split_whitespace().collect::<Vec<_>>().join(" ");
        let codes = prose.split('`').skip(1).step_by(2).map(unbroken).collect();
        let targets = prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()));
        (codes, targets.collect())
    }

    /// The anchors of its headings, as they are made from their words.
    pub fn anchors(&self) -> Vec<String> {
        let headings = self.text.lines().filter(|line| line.starts_with('#'));
        let anchor = |heading: &str| {
            let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            words.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect()
        };
        headings.map(anchor).collect()
    }
}
