//! Sees every statement that is sent, and fails the unit that forgets the partner: once partners are spread over
//! several machines, such a statement would have to ask all of them.
//!
//! An `UPDATE` or a `DELETE` names the partner in its condition; tables of partners that are joined, or asked about each
//! other, are compared by the partner too.

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use partner_incentives::schema::SHARED_TABLES;
use std::{
    cell::Cell,
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{LazyLock, Mutex, Once, PoisonError},
};

thread_local! {
    /// Whether a story works on the tables itself.
    static BEHIND: Cell<bool> = const { Cell::new(false) };
}

/// Watches every connection that is opened from now on.
pub fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| set_default_instrumentation(watcher).expect("watch the statements"));
}

/// Works on the tables behind the service's back, as no statement of the service may.
pub fn behind_the_service<T>(work: impl FnOnce() -> T) -> T {
    BEHIND.set(true);
    let done = work();
    BEHIND.set(false);
    done
}

#[expect(clippy::unnecessary_wraps, reason = "the driver asks for an option")]
fn watcher() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && !BEHIND.get()
        {
            let text = query.to_string();
            let sql = text.split(" -- binds: ").next().unwrap_or_default();
            if let Some(fault) = looked_at(sql) {
                panic!("{fault}: {sql}");
            }
        }
    }))
}

/// What is wrong with a statement; each good one is looked at once.
fn looked_at(sql: &str) -> Option<String> {
    static GOOD: LazyLock<Mutex<HashSet<u64>>> = LazyLock::new(Mutex::default);
    let good = || GOOD.lock().unwrap_or_else(PoisonError::into_inner);
    let mut hasher = DefaultHasher::new();
    sql.hash(&mut hasher);
    if good().contains(&hasher.finish()) {
        return None;
    }
    let fault = fault(sql);
    if fault.is_none() {
        good().insert(hasher.finish());
    }
    fault
}

/// Every table of `src/schema.rs` whose key begins with the partner.
fn of_partners(table: &str) -> bool {
    static TABLES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        let lines = include_str!("../../src/schema.rs").lines().map(str::trim);
        let tables = lines.filter(|line| line.ends_with(") {")).filter_map(|line| line.split_once(" ("));
        tables
            .map(|(table, _)| table)
            .filter(|table| SHARED_TABLES.iter().all(|(shared, _)| shared != table))
            .collect()
    });
    TABLES.contains(table)
}

/// A table of partners in a statement, as the statement calls it.
#[derive(Debug)]
struct Mention {
    table: String,
    called: String,
}

/// One `SELECT`, or the statement that changes rows.
#[derive(Debug, Default)]
struct Query {
    mentions: Vec<Mention>,
    /// How deep in parentheses it stands.
    depth: usize,
    /// Whether it is asked by a condition or for a column of another query, which looks at tables of partners.
    asked_by: Option<usize>,
}

/// What is wrong with a statement.
pub fn fault(sql: &str) -> Option<String> {
    let sql = sql.replace(['"', '`'], "");
    let words = words(&sql);
    let first = words.first()?.to_uppercase();
    let queries = queries(&words);
    let of_partners = |query: &Query| !query.mentions.is_empty();
    for query in &queries {
        let asked = query.asked_by.and_then(|by| queries.get(by)).is_some_and(of_partners);
        if query.mentions.len() > 1 || asked {
            let alone = query.mentions.len() == 1;
            if let Some(Mention { called, .. }) =
                query.mentions.iter().find(|it| !compared(&words, it, alone))
            {
                return Some(format!("{called} is joined without its partner"));
            }
        }
    }
    if first == "UPDATE" || first == "DELETE" {
        let target = queries.first()?.mentions.first()?;
        let condition = words.iter().rposition(|word| word.eq_ignore_ascii_case("WHERE"));
        let condition = condition.map_or(&[][..], |at| &words[at..]);
        if !compared(condition, target, true) {
            return Some(format!("the condition of {first} names no partner of {}", target.called));
        }
    }
    None
}

fn words(sql: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in sql.split_whitespace() {
        let mut rest = part;
        while let Some(at) = rest.find(['(', ')', ',', '=', '<', '>']) {
            let (before, from) = rest.split_at(at);
            let (sign, after) = from.split_at(1);
            words.extend([before, sign].into_iter().filter(|word| !word.is_empty()));
            rest = after;
        }
        words.extend(Some(rest).filter(|word| !word.is_empty()));
    }
    words
}

/// The queries of a statement, each with the tables it looks at itself.
fn queries(words: &[&str]) -> Vec<Query> {
    let mut all: Vec<Query> = vec![Query::default()];
    let mut open = vec![0];
    let (mut depth, mut in_tables) = (0_usize, vec![false]);
    for (at, word) in words.iter().enumerate() {
        match word.to_uppercase().as_str() {
            "(" => {
                depth += 1;
                in_tables.push(*in_tables.last().unwrap_or(&false));
            }
            ")" => {
                depth = depth.saturating_sub(1);
                in_tables.pop();
                while open.len() > 1 && open.last().is_some_and(|query| all[*query].depth > depth) {
                    open.pop();
                }
            }
            "SELECT" => {
                while open.len() > 1 && open.last().is_some_and(|query| all[*query].depth >= depth) {
                    open.pop();
                }
                // A query among the tables of another one stands by itself.
                let among_tables = in_tables.last() == Some(&true);
                let asked_by = open.last().copied().filter(|_| !among_tables);
                all.push(Query { depth, asked_by, ..Query::default() });
                open.push(all.len() - 1);
                set(&mut in_tables, false);
            }
            "WHERE" | "ON" | "SET" | "GROUP" | "ORDER" | "VALUES" => set(&mut in_tables, false),
            "FROM" | "JOIN" | "UPDATE" => {
                set(&mut in_tables, true);
                let named: Vec<&str> =
                    words[at + 1..].iter().skip_while(|it| **it == "(").take(3).copied().collect();
                if let Some(mention) = mention(&named)
                    && let Some(query) = open.last()
                {
                    all[*query].mentions.push(mention);
                }
            }
            _ => {}
        }
    }
    all
}

fn set(stack: &mut [bool], value: bool) {
    if let Some(last) = stack.last_mut() {
        *last = value;
    }
}

fn mention(named: &[&str]) -> Option<Mention> {
    const FOLLOW: [&str; 12] = [
        "WHERE", "JOIN", "INNER", "LEFT", "ON", "SET", "GROUP", "ORDER", "UNION", "EXCEPT", "LIMIT", "USING",
    ];
    let table = named.first().filter(|table| of_partners(table))?;
    let rest: Vec<&&str> = named.iter().skip(1).filter(|word| !word.eq_ignore_ascii_case("AS")).collect();
    let alias = rest.first().filter(|word| {
        word.starts_with(|c: char| c.is_ascii_alphabetic()) && !FOLLOW.contains(&word.to_uppercase().as_str())
    });
    Some(Mention { table: (*table).to_owned(), called: alias.map_or(*table, |alias| **alias).to_owned() })
}

/// Whether the partner of a table is compared with something; a table that stands alone need not be named.
fn compared(words: &[&str], mention: &Mention, alone: bool) -> bool {
    let column = if mention.table == "partners" { "id" } else { "partner_id" };
    let full = format!("{}.{column}", mention.called);
    let is_it = |word: &str| word == full || alone && word == column;
    let sign = |word: Option<&&str>| word.is_some_and(|it| matches!(*it, "=" | "IN" | "BETWEEN"));
    // An empty list of partners.
    let of_nobody = words.windows(3).any(|three| three == ["1", "=", "0"]);
    let named = |(at, word): (usize, &&str)| {
        is_it(word) && (sign(words.get(at + 1)) || at > 0 && sign(words.get(at - 1)))
    };
    of_nobody || words.iter().enumerate().any(named)
}
