//! The shape of the code, read from the sources. Each rule is one test and says how to mend it.
//!
//! Code is looked at without comments and without the unit tests at the end of a file.

#![cfg(test)]

use std::{fs, path::Path};

/// Modules that are no slices, below all of them, each above the ones it may use.
const FOUNDATION: &[&str] = &["platform", "schema", "config", "access"];
/// The module above all slices.
const TOP: &[&str] = &["app"];

/// Words of the business; a prefix of a word counts, so plurals do.
const BUSINESS: &[&str] = &[
    "partner",
    "program",
    "enrol",
    "rebate",
    "agreement",
    "competenc",
    "eligib",
    "attainment",
    "incentive",
    "coop",
    "payout",
    "claim",
];
/// What holds such a word and is none: the crate's name, and those whom help texts send people to.
const NOT_BUSINESS: &[&str] = &["partner_incentives", "programme operator", "incentive admin"];

/// What a `model.rs` must not name: the time, databases, the network.
const EFFECTS: &[&str] = &[
    "Clock",
    "Db",
    "Conn",
    "Connection",
    "RunQueryDsl",
    "insert_into",
    "diesel::update",
    "diesel::delete",
    "sql_query",
    "actix_web",
    "std::env",
    "std::fs",
    "std::net",
    "std::time",
];

/// The names of the two databases' drivers; `Target::Sqlite` and `Conn::Sqlite` are our own.
const DRIVERS: &[&str] =
    &["PgConnection", "SqliteConnection", "Pg", "Sqlite", "diesel::pg", "diesel::sqlite"];
const OUR_VARIANTS: &[&str] = &["Target::Sqlite", "Target::Postgres"];

/// Who may name actix: a name at the end of a path, or a folder.
const WEB: &[&str] = &[
    "api.rs",
    "access/caller.rs",
    "platform/http/",
    "platform/db/pool.rs",
    "src/app.rs",
    "src/app/",
    "src/main.rs",
];

const LONGEST: usize = 400;
/// A plain list is read by searching, not from top to bottom.
const LISTS: &[&str] = &["src/schema.rs"];

#[test]
fn platform_holds_no_business_word() {
    let found = lines_of(
        |path| path.starts_with("src/platform/"),
        |line| {
            let line = NOT_BUSINESS.iter().fold(line.to_lowercase(), |line, word| line.replace(word, ""));
            let mut words = line.split(|c: char| !c.is_ascii_alphabetic());
            words.any(|word| BUSINESS.iter().any(|business| word.starts_with(business)))
        },
    );
    none(&found, "platform serves any business: move this into a slice, or hand it in");
}

#[test]
fn models_do_nothing_but_think() {
    let found =
        lines_of(|path| path.ends_with("/model.rs"), |line| EFFECTS.iter().any(|name| names(line, name)));
    none(&found, "a model has facts handed in, the date too: gather them in service.rs, query in store.rs");
}

#[test]
fn only_platform_db_names_a_database() {
    let found = lines_of(
        |path| !path.starts_with("src/platform/db/"),
        |line| {
            let line = OUR_VARIANTS.iter().fold(line.to_owned(), |line, ours| line.replace(ours, ""));
            DRIVERS.iter().any(|driver| names(&line, driver))
        },
    );
    none(&found, "write it for `Conn`, or with `native!`; what needs more belongs into platform/db");
}

#[test]
fn only_the_border_names_actix() {
    let may =
        |path: &str| WEB.iter().any(|web| path.ends_with(web) || web.ends_with('/') && path.contains(web));
    let found = lines_of(|path| !may(path), |line| line.contains("actix"));
    none(&found, "HTTP ends in api.rs: take and return plain values here");
}

#[test]
fn modules_use_only_those_above_them() {
    let modules = modules();
    let fixed = |name: &&str| FOUNDATION.contains(name) || TOP.contains(name);
    let slices = modules.iter().map(String::as_str).filter(|name| !fixed(name));
    let order: Vec<&str> = FOUNDATION.iter().copied().chain(slices).chain(TOP.iter().copied()).collect();
    let rank = |name: &str| order.iter().position(|module| *module == name);

    let mut found = Vec::new();
    for Source { path, code, .. } in sources() {
        let module = path.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default();
        let Some(own) = rank(module) else { continue };
        for used in roots_used(&code).into_iter().filter(|used| rank(used).is_some_and(|used| used > own)) {
            found.push(format!("{path} uses {used}"));
        }
    }
    let how = format!(
        "a module uses only those before it in {order:?}; slices stand in the order of lib.rs: \
         move the shared part up, or the line in lib.rs"
    );
    none(&found, &how);
}

#[test]
fn files_are_short() {
    let mut found = Vec::new();
    for Source { path, lines, .. } in sources() {
        if lines > LONGEST && !LISTS.contains(&path.as_str()) {
            found.push(format!("{path}: {lines} lines"));
        }
    }
    none(&found, &format!("a file has at most {LONGEST} lines: split it by what its parts are about"));
}

#[test]
fn every_module_says_what_it_is() {
    let mut found = Vec::new();
    for module in modules() {
        let candidates = [format!("src/{module}.rs"), format!("src/{module}/mod.rs")];
        let text = candidates.iter().find_map(|path| fs::read_to_string(root().join(path)).ok());
        if !text.is_some_and(|text| text.starts_with("//! ")) {
            found.push(module);
        }
    }
    none(&found, "begin the module's file with `//!`: what it is, and what others may use of it");
}

#[test]
fn comments_and_unit_tests_are_no_code() {
    let text =
        "/// Partner\nlet a = \"http://x\"; // actix\nlet q = '\"'; // Pg\n#[cfg(test)]\nmod tests {}\n";
    assert_eq!(code_of(text), "\nlet a = \"http://x\"; \nlet q = '\"'; \n");
    let used = "use crate::{\n a::{B, c::D},\n platform::E, self,\n};\nlet x = crate::f::g(); $crate::h::i;";
    assert_eq!(roots_used(used), ["a", "platform", "self", "f"]);
    assert!(
        names("fn f(c: &Clock)", "Clock")
            && !names("ClockWork", "Clock")
            && names("std::fs::read", "std::fs")
    );
}

/// A file under `src/`.
struct Source {
    path: String,
    /// Without comments and unit tests.
    code: String,
    lines: usize,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { path, code: code_of(&text), lines: text.lines().count() });
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join("src"), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn code_of(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..end].lines().flat_map(|line| [without_comment(line), "\n"]).collect()
}

fn without_comment(line: &str) -> &str {
    let (mut quoted, mut before) = (false, ['\0'; 2]);
    for (at, c) in line.char_indices() {
        match c {
            '"' if before[1] != '\\' && before[1] != '\'' => quoted = !quoted,
            '/' if !quoted && before[1] == '/' => return &line[..at - 1],
            _ => {}
        }
        // An escaped backslash escapes nothing.
        before = [before[1], if c == '\\' && before[1] == '\\' { '\0' } else { c }];
    }
    line
}

/// The public modules of lib.rs, in its order.
fn modules() -> Vec<String> {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let name = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
    text.lines().filter_map(name).collect()
}

/// The lines of code that break a rule, as a list with file and line.
fn lines_of(looked_at: impl Fn(&str) -> bool, breaks: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for Source { path, code, .. } in sources().into_iter().filter(|source| looked_at(&source.path)) {
        for (number, line) in code.lines().enumerate().filter(|(_, line)| breaks(line)) {
            found.push(format!("{path}:{}: {}", number + 1, line.trim()));
        }
    }
    found
}

/// Whether a line holds a name as a whole word.
fn names(line: &str, name: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(name).any(|(at, _)| {
        !inside(line[..at].chars().next_back()) && !inside(line[at + name.len()..].chars().next())
    })
}

/// What follows `crate::`, also in braces: `crate::{a::B, c}` names `a` and `c`.
fn roots_used(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut roots = Vec::new();
    for (at, path) in code.match_indices("crate::") {
        let rest = &code[at + path.len()..];
        if code[..at].ends_with('$') {
            continue;
        }
        let Some(group) = rest.strip_prefix('{') else {
            roots.push(word(rest));
            continue;
        };
        let (mut depth, mut start) = (0, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if c.is_whitespace() => {}
                _ if start && depth == 0 => {
                    roots.push(word(&group[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    roots
}

#[track_caller]
fn none(found: &[String], how: &str) {
    assert!(found.is_empty(), "{how}:\n  {}", found.join("\n  "));
}
