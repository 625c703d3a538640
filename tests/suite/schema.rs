//! `src/schema.rs` and the migrations say the same, on this database.

use crate::support::{Database, statements::behind_the_service};
use diesel::{
    ExpressionMethods, QueryDsl, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Bool, Text},
};
use partner_incentives::{
    platform::{
        db::{Conn, Db},
        values::{Id, Timestamp},
    },
    schema::{Placement, SHARED_TABLES, audit_events},
};
use std::collections::{BTreeMap, BTreeSet};

/// Tables, their columns, and of each the type and whether it may be null.
pub type Tables = BTreeMap<String, BTreeMap<String, (String, bool)>>;

/// The column type of every concept: in `schema.rs`, on SQLite, on PostgreSQL.
const TYPES: &[(&str, &str, &str)] = &[
    ("Guid", "BLOB", "uuid"),
    ("Text", "TEXT", "text"),
    ("BigInt", "INTEGER", "bigint"),
    ("Integer", "INTEGER", "integer"),
    ("Bool", "INTEGER", "boolean"),
    ("Instant", "INTEGER", "timestamp with time zone"),
    ("Date", "TEXT", "date"),
    ("Document", "TEXT", "jsonb"),
    ("Binary", "BLOB", "bytea"),
];

/// What readers see, and the table it is taken from.
const VIEWS: &[(&str, &str)] = &[("transactions", "transaction_records")];

#[test]
fn every_table_and_column_exists_with_its_type() {
    let database = migrated();
    let mut conn = database.target.open().unwrap();
    let (found, mut declared) = (found(&mut conn), declared(&conn));
    for (view, table) in VIEWS {
        assert_eq!(
            declared.remove(*view).as_ref(),
            declared.get(*table),
            "{view} shows the columns of {table}"
        );
    }
    assert!(declared.len() > 10, "src/schema.rs was not understood");
    for (table, columns) in &declared {
        assert_eq!(found.get(table), Some(columns), "table {table}: the database | src/schema.rs");
    }
    assert_eq!(found.keys().collect::<Vec<_>>(), declared.keys().collect::<Vec<_>>(), "the list of tables");
}

#[test]
fn each_table_is_keyed_by_its_partner_or_named_as_shared() {
    let database = migrated();
    let mut conn = database.target.open().unwrap();
    let tables = found(&mut conn);
    let mut faults: BTreeMap<String, Vec<String>> =
        tables.keys().map(|it| (it.clone(), Vec::new())).collect();
    for Key { of_table, kind, columns, refers_to } in keys(&mut conn) {
        let partner = if of_table == "partners" { "id" } else { "partner_id" };
        let first = columns.split(',').next() == Some(partner);
        let fits = match kind.as_str() {
            "primary" => first,
            "unique" => columns.split(',').any(|column| column == partner),
            _ => match placement(&refers_to) {
                None => first,
                Some(placement) => placement == Placement::Reference,
            },
        };
        if !fits {
            faults.get_mut(&of_table).unwrap().push(format!("{kind} key ({columns}) {refers_to}"));
        }
        if let Some(here) = placement(&of_table).filter(|_| kind == "foreign") {
            let may = match placement(&refers_to) {
                None => false,
                Some(Placement::Reference) => true,
                Some(Placement::Central) => here == Placement::Central,
            };
            assert!(may, "{of_table} refers to {refers_to}, which may lie on another machine");
        }
    }
    for (table, columns) in &tables {
        if table != "partners" && columns.get("partner_id").is_none_or(|(_, nullable)| *nullable) {
            faults.get_mut(table).unwrap().push("no partner in every row".into());
        }
        let (faults, shared) = (&faults[table], placement(table));
        assert_eq!(faults.is_empty(), shared.is_none(), "{table}: shared: {shared:?}; {faults:?}");
    }
    let named: BTreeSet<&str> = SHARED_TABLES.iter().map(|(table, _)| *table).collect();
    assert!(named.len() == SHARED_TABLES.len() && named.iter().all(|table| tables.contains_key(*table)));
}

fn placement(table: &str) -> Option<Placement> {
    SHARED_TABLES.iter().find(|(name, _)| *name == table).map(|(_, placement)| *placement)
}

#[test]
fn every_migration_can_be_taken_back_and_applied_again() {
    let database = Database::empty();
    let target = &database.target;
    let versions = Db::migrate(target).unwrap();
    assert!(versions > 0);
    assert_eq!(Db::migrate(target).unwrap(), 0, "a second time there is nothing to do");
    let before = found(&mut target.open().unwrap());
    // What takes records back is no statement of the service.
    assert_eq!(behind_the_service(|| Db::revert(target)).unwrap(), versions);
    assert_eq!(found(&mut target.open().unwrap()), Tables::new(), "nothing is left behind");
    assert_eq!(Db::migrate(target).unwrap(), versions);
    assert_eq!(found(&mut target.open().unwrap()), before);
}

#[test]
fn several_instances_may_migrate_at_once() {
    let database = Database::empty();
    let target = &database.target;
    let applied: usize = std::thread::scope(|scope| {
        let migrations: Vec<_> = (0..8).map(|_| scope.spawn(|| Db::migrate(target).unwrap())).collect();
        migrations.into_iter().map(|migration| migration.join().unwrap()).sum()
    });
    assert!(applied > 0);
    assert_eq!(Db::migrate(target).unwrap(), 0);
}

#[test]
fn both_folders_hold_the_same_versions() {
    let versions = |folder: &str| {
        let entries =
            std::fs::read_dir(format!("{}/migrations/{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(versions("sqlite"), versions("postgres"));
}

#[test]
fn sqlite_is_built_to_plan_a_statement_once_and_to_take_no_locks() {
    let database = migrated();
    let mut conn = database.target.open().unwrap();
    if let Conn::Sqlite(_) = conn {
        let options = "SELECT compile_options AS name FROM pragma_compile_options";
        let options: Vec<Name> = sql_query(options).load(&mut conn).unwrap();
        let has = |name: &str| options.iter().any(|option| option.name == name);
        for option in ["ENABLE_QPSG", "THREADSAFE=2", "DEFAULT_MEMSTATUS=0"] {
            assert!(has(option), "build with LIBSQLITE3_FLAGS as .cargo/config.toml says: {option}");
        }
        assert!(!has("ENABLE_MEMORY_MANAGEMENT"), "it makes all page caches one, behind a lock");
    }
}

#[test]
fn audit_events_are_never_changed_nor_deleted() {
    let database = migrated();
    let mut conn = database.target.open().unwrap();
    let id: Id = "01936f2e-4b00-7000-8000-000000000001".parse().unwrap();
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::id.eq(id),
            audit_events::occurred_at.eq(Timestamp::from_micros(0)),
            audit_events::actor_role.eq("system"),
            audit_events::operation.eq("createThing"),
            audit_events::resource_type.eq("thing"),
            audit_events::resource_id.eq(id),
            audit_events::request_id.eq("request"),
        ))
        .execute(&mut conn)
        .unwrap();
    let changed =
        diesel::update(audit_events::table).set(audit_events::operation.eq("other")).execute(&mut conn);
    assert!(changed.unwrap_err().to_string().contains("append-only"));
    let deleted = diesel::delete(audit_events::table).execute(&mut conn);
    assert!(deleted.unwrap_err().to_string().contains("append-only"));
    let emptied = match &conn {
        Conn::Sqlite(_) => "REPLACE INTO audit_events SELECT * FROM audit_events",
        Conn::Postgres(_) => "TRUNCATE audit_events",
    };
    let emptied = sql_query(emptied).execute(&mut conn);
    assert!(emptied.unwrap_err().to_string().contains("append-only"));
    // Sealing is the one change, once, and of nothing else.
    let seal = |place: i64| {
        (audit_events::sequence.eq(place), audit_events::hash.eq([u8::try_from(place).unwrap(); 32].to_vec()))
    };
    let both = (seal(1), audit_events::operation.eq("other"));
    let changed = diesel::update(audit_events::table).set(both).execute(&mut conn);
    assert!(changed.unwrap_err().to_string().contains("append-only"));
    diesel::update(audit_events::table).set(seal(1)).execute(&mut conn).unwrap();
    let again = diesel::update(audit_events::table).set(seal(2)).execute(&mut conn);
    assert!(again.unwrap_err().to_string().contains("append-only"));
    let rows: Vec<(String, Option<i64>)> = audit_events::table
        .select((audit_events::operation, audit_events::sequence))
        .load(&mut conn)
        .unwrap();
    assert_eq!(rows, [("createThing".to_owned(), Some(1))]);
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    of_table: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

/// A key of a table: a primary one, a unique one, or a foreign one with the table it refers to.
#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Text)]
    of_table: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    columns: String,
    #[diesel(sql_type = Text)]
    refers_to: String,
}

fn keys(conn: &mut Conn) -> Vec<Key> {
    let sql = match conn {
        Conn::Sqlite(_) => {
            "SELECT t.name AS of_table, 'primary' AS kind, group_concat(c.name ORDER BY c.pk) AS columns, '' AS refers_to \
             FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND c.pk > 0 GROUP BY t.name \
             UNION ALL SELECT t.name, 'unique', group_concat(coalesce(c.name, '') ORDER BY c.seqno), '' \
             FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c \
             WHERE t.type = 'table' AND i.\"unique\" AND i.origin <> 'pk' GROUP BY t.name, i.name \
             UNION ALL SELECT t.name, 'foreign', group_concat(f.\"from\" ORDER BY f.seq), f.\"table\" \
             FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table' GROUP BY t.name, f.id"
        }
        Conn::Postgres(_) => {
            "SELECT c.relname::text AS of_table, CASE WHEN i.indisprimary THEN 'primary' ELSE 'unique' END AS kind, \
                 string_agg(coalesce(a.attname::text, ''), ',' ORDER BY k.place) AS columns, '' AS refers_to \
             FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace \
             CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place) \
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number \
             WHERE i.indisunique GROUP BY i.indexrelid, i.indisprimary, c.relname \
             UNION ALL SELECT c.relname::text, 'foreign', string_agg(a.attname::text, ',' ORDER BY k.place), r.relname::text \
             FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid AND c.relnamespace = 'public'::regnamespace \
             JOIN pg_class r ON r.oid = f.confrelid CROSS JOIN LATERAL unnest(f.conkey) WITH ORDINALITY k (number, place) \
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number \
             WHERE f.contype = 'f' GROUP BY f.oid, c.relname, r.relname"
        }
    };
    let keys: Vec<Key> = sql_query(sql).load(conn).unwrap();
    assert!(keys.len() > 80, "the keys of the tables were not understood");
    keys.into_iter().filter(|key| key.of_table != "__diesel_schema_migrations").collect()
}

fn migrated() -> Database {
    let database = Database::empty();
    Db::migrate(&database.target).unwrap();
    database
}

/// What the database has, without the list of migrations.
pub fn found(conn: &mut Conn) -> Tables {
    let sql = match conn {
        Conn::Sqlite(_) => {
            "SELECT t.name AS of_table, c.name, c.type AS kind, c.\"notnull\" = 0 AS nullable \
             FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'"
        }
        Conn::Postgres(_) => {
            "SELECT table_name::text AS of_table, column_name::text AS name, data_type::text AS kind, is_nullable = 'YES' AS nullable \
             FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) \
             WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        }
    };
    let mut tables = Tables::new();
    for column in sql_query(sql).load::<Column>(conn).unwrap() {
        if column.of_table != "__diesel_schema_migrations" {
            let columns = tables.entry(column.of_table).or_default();
            columns.insert(column.name, (column.kind, column.nullable));
        }
    }
    tables
}

/// What `src/schema.rs` declares, in the terms of this database.
fn declared(conn: &Conn) -> Tables {
    let mut tables = Tables::new();
    let mut table = String::new();
    for line in include_str!("../../src/schema.rs")
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("diesel::"))
    {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            name.clone_into(&mut table);
        } else if let Some((column, sql_type)) = line.trim_end_matches(',').split_once(" -> ") {
            let inner = sql_type.strip_prefix("Nullable<").and_then(|rest| rest.strip_suffix('>'));
            let concept = inner.unwrap_or(sql_type);
            let (_, sqlite, postgres) = TYPES
                .iter()
                .find(|(name, ..)| *name == concept)
                .unwrap_or_else(|| panic!("{table}.{column}: add {concept} to TYPES"));
            let native = if matches!(conn, Conn::Sqlite(_)) { sqlite } else { postgres };
            let columns = tables.entry(table.clone()).or_default();
            columns.insert(column.to_owned(), ((*native).to_owned(), inner.is_some()));
        }
    }
    tables
}
