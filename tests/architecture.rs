//! The shape of the code, read from the sources. Each rule is one test and says how to mend it.
//!
//! Code is looked at without comments and without the unit tests at the end of a file.

#![cfg(test)]

use std::{collections::HashSet, fs, path::Path};

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

/// The checks of the records read every table.
const CHECKS: &str = "src/operations/verify/";

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
    "access/public.rs",
    "platform/http/",
    "platform/db/handle.rs",
    "src/app.rs",
    "src/app/",
    // Its routes are a function over the service's configuration.
    "src/slice.rs",
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
fn modules_use_only_those_below_them() {
    let order = order();
    let rank = |path: &str| order.iter().position(|place| within(path, place));

    let mut found = Vec::new();
    for Source { path, code, .. } in sources() {
        let own = module_of(&path);
        let Some(place) = rank(&own) else { continue };
        for used in paths_used(&code).into_iter().filter(|used| rank(used).is_some_and(|used| used > place)) {
            found.push(format!("{path} uses {used}"));
        }
    }
    let how = format!(
        "a module uses only those before it in {order:?}: the order of lib.rs, and in a floor that of its mod.rs; \
         move the shared part down, or the line in lib.rs or mod.rs"
    );
    none(&found, &how);
}

#[test]
fn parts_of_a_slice_use_only_those_before_them() {
    let mut found = Vec::new();
    let sources = sources();
    for slice in order().into_iter().filter(|module| module.contains("::")) {
        let parts = parts_of(&slice);
        let rank = |path: &str| parts.iter().position(|part| within(path, &format!("{slice}::{part}")));
        for Source { path, code, .. } in &sources {
            let own = module_of(path);
            let Some(place) = rank(&own) else { continue };
            let used = paths_used(code).into_iter().chain(paths_above(path, code));
            for used in used.filter(|used| rank(used).is_some_and(|used| used > place)) {
                found.push(format!("{path} uses {used}"));
            }
        }
    }
    assert!(parts_of("earnings::calculation").len() >= 4, "the parts were not found");
    none(
        &found,
        "a folder of a slice uses only those before it, in the order of the slice's mod.rs: move the shared part down",
    );
}

#[test]
fn a_floor_is_used_by_its_slices() {
    let floors: Vec<String> = modules().into_iter().filter(|module| !slices_of(module).is_empty()).collect();
    assert!(floors.len() >= 8, "the floors were not found: {floors:?}");
    let mut found = Vec::new();
    for Source { path, code, .. } in sources() {
        for used in paths_used(&code) {
            let (floor, slice) = used.split_once("::").unwrap_or((&used, ""));
            let slice = slice.split("::").next().unwrap_or_default();
            if floors.iter().any(|name| name == floor) && !slices_of(floor).iter().any(|name| name == slice) {
                found.push(format!("{path} uses {used}"));
            }
        }
    }
    none(&found, "a floor has nothing of its own: name the slice");
}

#[test]
fn every_table_has_an_owner() {
    let order = order();
    let mut found = Vec::new();
    for (table, owner) in owners() {
        if !order.contains(&owner) {
            found.push(format!("{table}: {owner:?}"));
        }
    }
    none(
        &found,
        "begin a table of schema.rs with ``/// Owned by `floor::slice`.``, a module of lib.rs or of a floor",
    );
}

#[test]
fn a_table_is_named_by_its_owner_alone() {
    let owners = owners();
    assert!(owners.len() > 40, "the tables of schema.rs were not understood");
    let mut found = Vec::new();
    for Source { path, code, .. } in sources() {
        let exempt = LISTS.contains(&path.as_str()) || path.starts_with(CHECKS);
        let own = module_of(&path);
        for (table, owner) in owners.iter().filter(|_| !exempt) {
            if !within(&own, owner) && tables_named(&code).iter().any(|named| named == table) {
                found.push(format!("{path} names {table} of {owner}"));
            }
        }
    }
    none(
        &found,
        "ask the table's owner by its public face, have the fact handed in, or check it in operations::verify",
    );
}

#[test]
fn words_of_closed_sets_are_typed() {
    let words = words_of_closed_sets();
    assert!(words.contains("opted_out"), "the closed sets were not understood");
    let found = lines_of(
        |path| !path.starts_with("src/platform/"),
        |line| words_compared(line).any(|word| words.contains(word)),
    );
    none(
        &found,
        "compare with the variant, and write its word into raw SQL by `{}`: a renamed variant must not pass",
    );
}

#[test]
fn every_slice_that_answers_requests_is_in_the_list() {
    let listed = fs::read_to_string(root().join("src/app.rs")).unwrap();
    let slices: Vec<String> = order().into_iter().map(|slice| slice.replace("::", "/")).collect();
    let (mut found, mut seen) = (Vec::new(), 0);
    for Source { path, .. } in sources() {
        let Some((folder, file)) = path.trim_start_matches("src/").rsplit_once('/') else { continue };
        // What stands in a part of a slice is declared by the slice.
        let folder = slices
            .iter()
            .find(|slice| folder.starts_with(&format!("{slice}/")))
            .map_or(folder, String::as_str);
        let is_api = file == "api.rs" || file.ends_with("_api.rs");
        let declared = fs::read_to_string(root().join(format!("src/{folder}/mod.rs"))).unwrap_or_default();
        // Routes that stand in another file of the slice are added there.
        let has_routes = fs::read_to_string(root().join(&path)).unwrap().contains("pub fn routes(");
        if !is_api || !has_routes {
            continue;
        }
        seen += 1;
        let slice = folder.rsplit('/').next().unwrap_or_default();
        let module = file.trim_end_matches(".rs");
        if !listed.contains(&format!("    {slice}::SLICE,\n")) {
            found.push(format!("{slice}::SLICE is not in the list of src/app.rs"));
        }
        if !names(&declared, &format!("{module}::routes")) {
            found.push(format!("src/{folder}/mod.rs: SLICE lacks the routes of {file}"));
        }
        if !declared.contains(&format!("Slice::named(\"{}\")", folder.replace('/', "::"))) {
            found.push(format!("src/{folder}/mod.rs: SLICE is not named after its module"));
        }
    }
    assert!(seen >= 25, "the slices were not found: {seen}");
    none(&found, "a slice declares itself in its mod.rs, and src/app.rs lists it");
}

#[test]
fn only_the_engine_works_in_the_background() {
    const MAY: [&str; 4] = ["src/work/", "src/platform/", "src/app/", "src/main.rs"];
    const SPAWNS: [&str; 4] = ["thread::spawn", "thread::Builder", "rt::spawn", "tokio::spawn"];
    let found = lines_of(
        |path| !MAY.iter().any(|may| path.starts_with(may)),
        |line| SPAWNS.iter().any(|spawns| names(line, spawns)),
    );
    none(&found, "what no request waits for is `Work` that the slice registers");
}

#[test]
fn rules_of_a_body_are_looked_at() {
    let mut found = Vec::new();
    let sources = sources();
    for Source { path, code, .. } in sources.iter().filter(|source| !source.path.starts_with("src/platform/"))
    {
        for (_, rest) in code.split("Validate)]").skip(1).filter_map(|rest| rest.split_once("struct ")) {
            let name = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            let taken =
                |how: &str| sources.iter().any(|source| source.code.contains(&format!("{how}<{name}>")));
            if !name.is_empty() && (taken(" Body") || !taken("Checked")) {
                found.push(format!("{path}: {name}"));
            }
        }
    }
    none(&found, "a handler takes a body with rules of its own as `Checked`, or nobody looks at them");
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
    for module in modules().into_iter().chain(order()) {
        let module = module.replace("::", "/");
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
    let used =
        "use crate::{\n a::{B, c::{D, e}},\n platform::E, self,\n};\nlet x = crate::f::g(); $crate::h::i;";
    assert_eq!(paths_used(used), ["a::B", "a::c::D", "a::c::e", "platform::E", "self", "f::g"]);
    let above = "use super::{a, b::C};\nuse super::super::d; x_super::e(); pub(super) fn f() {}";
    assert_eq!(paths_above("src/f/g/h.rs", above), ["f::g::a", "f::g::b::C", "f::d"]);
    assert_eq!(paths_above("src/f/g/mod.rs", "super::a()"), ["f::a"]);
    let sql = "use crate::{a, schema::{b, c}};\n\"SELECT 1 FROM e JOIN f ON\"; $crate::schema::g::h.eq(x); ToSchema";
    assert_eq!(tables_named(sql), ["b", "c", "g", "e", "f"]);
    let compared = "x.eq(\"a\") && y == \"b\"; sql(\"kind = 'c' AND n\")";
    assert_eq!(words_compared(compared).collect::<Vec<_>>(), ["a", "b", "c"]);
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

/// A sentence for people is written by `text!` in English and in Japanese. Write the Japanese sentence, with the same data in
/// it; a word of each language in the sentence is called `en` and `ja`.
#[test]
fn every_sentence_says_the_same_in_each_language() {
    let (mut sentences, mut faults) = (0, Vec::new());
    for Source { path, code, .. } in sources() {
        for call in code.split("text!(").skip(1).filter(|call| call.trim_start().starts_with('"')) {
            let literals = literals(call);
            let [english, japanese] = literals.as_slice() else { panic!("{path}: {call:.80}") };
            sentences += 1;
            if !english.is_ascii() || japanese.is_ascii() || data(english) != data(japanese) {
                faults.push(format!("{path}: {english} | {japanese}"));
            }
        }
    }
    assert!(sentences > 200, "{sentences} sentences were found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The first two literals of a call.
fn literals(call: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), call);
    while let (true, Some(begin)) = (found.len() < 2, rest.find('"')) {
        let text = &rest[begin + 1..];
        let mut escaped = false;
        let end = text.find(|c| {
            let is_end = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            is_end
        });
        let end = end.expect("the end of a literal");
        found.push(text[..end].to_owned());
        rest = &text[end + 1..];
    }
    found
}

/// The places of data in a sentence, sorted: by name, or one for each place without a name.
fn data(sentence: &str) -> Vec<&str> {
    let sentence = sentence.split("{{").next().unwrap_or_default();
    let mut places: Vec<&str> =
        sentence.split('{').skip(1).filter_map(|rest| rest.split(['}', ':']).next()).collect();
    for place in &mut places {
        let is_word = ["en", "ja", "within"].contains(place);
        *place = if is_word { "word" } else { place.trim_start_matches(|c: char| c.is_ascii_digit()) };
    }
    places.sort_unstable();
    places
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
    public_modules("src/lib.rs")
}

/// The slices of a floor, in the order of its mod.rs; none of a module that is no floor. A floor's mod.rs has nothing
/// but its slices.
fn slices_of(module: &str) -> Vec<String> {
    let path = format!("src/{module}/mod.rs");
    let Ok(text) = fs::read_to_string(root().join(&path)) else { return Vec::new() };
    let only_slices = code_of(&text).lines().all(|line| line.is_empty() || line.starts_with("pub mod "));
    if only_slices { public_modules(&path) } else { Vec::new() }
}

fn public_modules(path: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(path)).unwrap();
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

/// The modules in the order in which each may use those before it: those of lib.rs, a floor as its slices.
fn order() -> Vec<String> {
    let mut order = Vec::new();
    for module in modules() {
        let slices = slices_of(&module);
        if slices.is_empty() {
            order.push(module);
        } else {
            order.extend(slices.into_iter().map(|slice| format!("{module}::{slice}")));
        }
    }
    order
}

/// The tables of schema.rs, each with the module that owns it; empty where none is named.
fn owners() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("src/schema.rs")).unwrap();
    let (mut owners, mut owner) = (Vec::new(), String::new());
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("/// Owned by `") {
            owner = rest.trim_end_matches("`.").to_owned();
        } else if let Some((table, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            owners.push((table.to_owned(), std::mem::take(&mut owner)));
        }
    }
    owners
}

/// The names after `schema::`, one or several in braces, and those after the words of SQL that a table follows.
fn tables_named(code: &str) -> Vec<String> {
    let mut named = Vec::new();
    for (at, word) in code.match_indices("schema::") {
        if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            unfold(&code[at + word.len()..], "", &mut named);
        }
    }
    let mut named: Vec<String> =
        named.iter().filter_map(|path| path.split("::").next().map(str::to_owned)).collect();
    let words: Vec<&str> =
        code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect();
    for pair in words.windows(2) {
        if ["FROM", "JOIN", "INTO", "UPDATE", "TABLE"].contains(&pair[0]) {
            named.push(pair[1].to_owned());
        }
    }
    named
}

/// The texts a line compares something with, in Rust or within raw SQL.
fn words_compared(line: &str) -> impl Iterator<Item = &str> {
    let compared =
        ["eq(\"", "ne(\"", "== \"", "!= \""].into_iter().flat_map(move |by| line.split(by).skip(1));
    let compared = compared.filter_map(|rest| rest.split('"').next());
    compared.chain(line.split('\'').skip(1).step_by(2))
}

/// The words that stand for the variants of the enums made by `text_enum!`.
fn words_of_closed_sets() -> HashSet<String> {
    let mut words = HashSet::new();
    for Source { code, .. } in sources() {
        for (_, set) in code.split("text_enum! {").skip(1).filter_map(|rest| rest.split_once('{')) {
            let set = set.split('}').next().unwrap_or_default();
            words.extend(set.split('"').skip(1).step_by(2).map(str::to_owned));
        }
    }
    words
}

/// The module of a file: `a::b` of `src/a/b.rs` and of `src/a/b/mod.rs`.
fn module_of(path: &str) -> String {
    let module = path.trim_start_matches("src/").trim_end_matches(".rs").replace('/', "::");
    module.strip_suffix("::mod").map_or(module.clone(), str::to_owned)
}

/// The folders of a slice, in the order of its mod.rs.
fn parts_of(slice: &str) -> Vec<String> {
    let folder = root().join("src").join(slice.replace("::", "/"));
    let text = fs::read_to_string(folder.join("mod.rs")).unwrap_or_default();
    let part = |line: &str| {
        line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    };
    text.lines().filter_map(part).filter(|part| folder.join(part).join("mod.rs").is_file()).collect()
}

/// The paths that begin with `super::`, as paths from the crate's root.
fn paths_above(path: &str, code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, up) in code.match_indices("super::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let (mut above, mut rest) = (module_of(path), &code[at..]);
        while let Some(further) = rest.strip_prefix(up) {
            above.truncate(above.rfind("::").unwrap_or_default());
            rest = further;
        }
        unfold(rest, &format!("{above}::"), &mut paths);
    }
    paths
}

/// Whether a path is a module or lies in it.
fn within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The paths that follow `crate::`, also in braces: `crate::{a::{B, c}, d}` names `a::B`, `a::c` and `d`.
fn paths_used(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, root) in code.match_indices("crate::") {
        if !code[..at].ends_with('$') {
            unfold(&code[at + root.len()..], "", &mut paths);
        }
    }
    paths
}

/// Reads one path, or a group of paths in braces, below `prefix`; gives how many bytes that were.
fn unfold(text: &str, prefix: &str, paths: &mut Vec<String>) -> usize {
    let Some(group) = text.strip_prefix('{') else {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
        let path = format!("{prefix}{}", &text[..end]);
        if path.ends_with("::") && text[end..].starts_with('{') {
            return end + unfold(&text[end..], &path, paths);
        }
        paths.push(path.trim_end_matches(':').to_owned());
        return end;
    };
    let mut at = 0;
    while let Some(c) = group[at..].chars().next() {
        match c {
            '}' => return at + 2,
            c if c.is_alphanumeric() || c == '_' || c == '{' => {
                at += unfold(&group[at..], prefix, paths).max(1);
            }
            c => at += c.len_utf8(),
        }
    }
    text.len()
}

#[track_caller]
fn none(found: &[String], how: &str) {
    assert!(found.is_empty(), "{how}:\n  {}", found.join("\n  "));
}
