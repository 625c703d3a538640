//! SQL that the benchmarks write once for both databases.

#![expect(unreachable_pub, reason = "`pub` is what the parts of a benchmark offer to each other")]

use crate::ground::Engine;

/// SQL in the words of a database: a word in braces is spelled as the database has it, and these numbers are filled in.
pub fn spelled(engine: Engine, sql: &str, numbers: &[(&str, u32)]) -> String {
    let sql = numbers
        .iter()
        .fold(sql.to_owned(), |sql, (name, number)| sql.replace(&format!("{{{name}}}"), &number.to_string()));
    let mut spelled = String::new();
    let mut rest = sql.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        spelled.push_str(before);
        let end = if after.starts_with("json ") { "'}" } else { "}" };
        let (word, after) = after.split_once(end).expect("a word ends");
        let word = if end == "'}" { format!("{word}'") } else { word.to_owned() };
        spelled.push_str(&in_words_of(engine, &word));
        rest = after;
    }
    spelled + rest
}

fn in_words_of(engine: Engine, word: &str) -> String {
    let (name, of) = word.split_once(' ').unwrap_or((word, ""));
    let (prefix, value) = of.split_once(' ').unwrap_or((of, ""));
    match (engine, name) {
        (Engine::Sqlite, "id") => format!("unhex(printf('%02x%030x', {prefix}, {value}))"),
        (Engine::Postgres, "id") => {
            format!("(lpad(to_hex({prefix}), 2, '0') || lpad(to_hex({value}), 30, '0'))::uuid")
        }
        (Engine::Sqlite, "of_partner") => {
            format!("unhex(printf('%02x', {prefix}) || substr(hex({value}), 3))")
        }
        (Engine::Postgres, "of_partner") => {
            format!("(lpad(to_hex({prefix}), 2, '0') || substr(replace({value}::text, '-', ''), 3))::uuid")
        }
        (Engine::Sqlite, "numbers") => format!(
            "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {of}) SELECT n FROM s)"
        ),
        (Engine::Postgres, "numbers") => format!("generate_series(1, {of}) AS s (n)"),
        (Engine::Sqlite, "month") => format!("date('2018-07-01', ({of}) || ' months')"),
        (Engine::Postgres, "month") => format!("(DATE '2018-07-01' + ({of}) * INTERVAL '1 month')::date"),
        (Engine::Sqlite, "day" | "json") | (Engine::Postgres, "table") => of.to_owned(),
        (Engine::Postgres, "day") => format!("DATE {of}"),
        (Engine::Postgres, "json") => format!("{of}::jsonb"),
        (Engine::Sqlite, "then" | "true") => "1".to_owned(),
        (Engine::Sqlite, "false") => "0".to_owned(),
        (Engine::Postgres, "then") => "TIMESTAMPTZ 'epoch'".to_owned(),
        (Engine::Postgres, "true") => "TRUE".to_owned(),
        (Engine::Postgres, "false") => "FALSE".to_owned(),
        (Engine::Sqlite, "bytes") => "x'00010203'".to_owned(),
        (Engine::Postgres, "bytes") => r"'\x00010203'::bytea".to_owned(),
        (Engine::Sqlite, "index") => "temp.due_by_partner".to_owned(),
        (Engine::Postgres, "index") => "due_by_partner".to_owned(),
        (Engine::Sqlite, "object") => "json_object".to_owned(),
        (Engine::Postgres, "object") => "jsonb_build_object".to_owned(),
        (Engine::Sqlite, "text") => format!("lower(hex({of}))"),
        (Engine::Postgres, "text") => format!("({of})::text"),
        (Engine::Sqlite, "table") => format!("temp.{of}"),
        _ => panic!("{word}: which word is that?"),
    }
}
