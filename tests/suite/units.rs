//! `Db::write`: rules that read before they write hold, however many do it at once, where each unit first locks the row
//! that stands for the rule.

use crate::support::Database;
use diesel::{
    ExpressionMethods, QueryDsl, QueryableByName, RunQueryDsl, connection::SimpleConnection, dsl::sum,
    sql_query, sql_types::Text,
};
use partner_incentives::{
    platform::{
        Error, Result, codes,
        db::{Conn, Db, Done, Target},
        values::{Id, Ids, Timestamp},
    },
    schema::idempotency_keys as spendings,
    text,
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

const CAP: i64 = 450;

/// Adds ten to what was spent, unless that would be above the cap. Any table serves.
fn spend(conn: &mut Conn, id: Id) -> Result<()> {
    if let Conn::Postgres(conn) = conn {
        conn.batch_execute("SELECT 1 FROM guards WHERE name = 'books' FOR UPDATE")?;
    }
    if spent(conn)? + 10 > CAP {
        return Err(Error::new(&codes::CONFLICT, text!("the budget is spent", "予算が残っていません。")));
    }
    diesel::insert_into(spendings::table)
        .values((
            spendings::caller_id.eq(id),
            spendings::idempotency_key.eq("key"),
            spendings::fingerprint.eq([0; 32].as_slice()),
            spendings::status.eq(10),
            spendings::body.eq([].as_slice()),
            spendings::created_at.eq(Timestamp::from_micros(0)),
        ))
        .execute(conn)?;
    Ok(())
}

fn spent(conn: &mut Conn) -> Result<i64> {
    Ok(spendings::table.select(sum(spendings::status)).get_result::<Option<i64>>(conn)?.unwrap_or(0))
}

#[test]
fn a_budget_is_never_overspent() {
    let (database, ids, done) = (Database::empty(), Ids::counting(), AtomicUsize::new(0));
    Db::migrate(&database.target).unwrap();
    let db = Db::open(&database.target, 8).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for id in (0..4).map(|_| ids.next(Timestamp::from_micros(0))) {
                    loop {
                        match db.write(move |conn| spend(conn, id)) {
                            Ok(()) => _ = done.fetch_add(1, Ordering::SeqCst),
                            // What a client does that is told to try again.
                            Err(error) if error.code == &codes::UNAVAILABLE => continue,
                            Err(error) => assert_eq!(error.code, &codes::CONFLICT, "{error}"),
                        }
                        break;
                    }
                }
            });
        }
    });
    assert_eq!(db.read(spent).unwrap(), CAP, "spent");
    assert_eq!(done.load(Ordering::SeqCst), 45, "who was told that it was done");
    db.close();
}

#[test]
fn a_unit_that_panics_harms_nobody() {
    let (database, ids) = (Database::empty(), Ids::counting());
    Db::migrate(&database.target).unwrap();
    let db = Db::open(&database.target, 2).unwrap();
    let fresh = || ids.next(Timestamp::from_micros(0));
    // More often than there are connections, and among units that are in order.
    for _ in 0..5 {
        let (good, bad) = (fresh(), fresh());
        std::thread::scope(|scope| {
            scope.spawn(|| db.write(move |conn| spend(conn, good)).expect("the unit beside it"));
            let told = db.write(move |conn| -> Result<()> {
                spend(conn, bad)?;
                panic!("on purpose")
            });
            assert_eq!(told.unwrap_err().code, &codes::INTERNAL);
        });
    }
    assert_eq!(db.read(spent).unwrap(), 50, "only what the units in order spent");
    db.close();
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    limit: String,
}

/// How long the server waits for the next statement of a transaction.
fn patience(conn: &mut Conn) -> Result<String> {
    let asked = sql_query("SELECT current_setting('idle_in_transaction_session_timeout') AS \"limit\"");
    Ok(asked.get_result::<Setting>(conn)?.limit)
}

#[test]
fn a_unit_tells_the_server_how_long_its_silence_may_last() {
    let database = Database::empty();
    Db::migrate(&database.target).unwrap();
    let db = Db::open(&database.target, 2).unwrap();
    if matches!(database.target, Target::Postgres(_)) {
        assert_eq!([db.write(patience), db.read(patience)].map(Result::unwrap), ["1min", "1min"]);
        assert_eq!(db.query(patience).unwrap(), "0", "nothing is left on the connection");
    }
    db.close();
}

/// The limits of a statement and of the pause between two.
fn limits(conn: &mut Conn) -> Result<[String; 2]> {
    let asked = sql_query("SELECT current_setting('statement_timeout') AS \"limit\"");
    Ok([asked.get_result::<Setting>(conn)?.limit, patience(conn)?])
}

#[test]
fn a_request_has_a_limit_for_a_statement_and_for_a_pause_unless_the_url_has_its_own() {
    let database = Database::empty();
    let Target::Postgres(url) = &database.target else { return };
    Db::migrate(&database.target).unwrap();
    let of_requests = |target: &Target| {
        let db = Db::open(target, 2).unwrap();
        let found = actix_web::rt::System::new().block_on(async {
            let written = db.write_async(|conn| Ok(Done { value: limits(conn)?, witness: None })).await;
            let read = db.off_thread(|db| db.read(limits)).await;
            [written, read].map(Result::unwrap)
        });
        let background = db.write(limits).unwrap();
        assert_eq!(db.query(limits).unwrap()[1], "0", "nothing is left on the connection");
        db.close();
        (found, background)
    };
    let pair = |[statement, pause]: [&str; 2]| [statement.to_owned(), pause.to_owned()];
    let (requests, background) = of_requests(&database.target);
    assert_eq!(requests, [pair(["30s", "8s"]), pair(["30s", "8s"])]);
    assert_eq!(background, pair(["0", "1min"]));
    let more = if url.contains('?') { '&' } else { '?' };
    let own = format!("{url}{more}options=-c%20statement_timeout%3D5s").parse().unwrap();
    let (requests, _) = of_requests(&own);
    assert_eq!(requests.map(|[statement, _]| statement), ["5s", "5s"]);
}

#[test]
fn a_unit_that_is_refused_leaves_nothing() {
    let (database, ids) = (Database::empty(), Ids::counting());
    Db::migrate(&database.target).unwrap();
    let db = Db::open(&database.target, 2).unwrap();
    let id = ids.next(Timestamp::from_micros(0));
    let refused = db.write(move |conn| -> Result<()> {
        spend(conn, id)?;
        Err(Error::new(&codes::CONFLICT, text!("after the fact", "後から")))
    });
    assert_eq!(refused.unwrap_err().code, &codes::CONFLICT);
    assert_eq!(db.read(spent).unwrap(), 0);
    db.close();
}

#[test]
fn a_transaction_that_the_database_took_back_harms_nobody_after_it() {
    let (database, ids) = (Database::empty(), Ids::counting());
    Db::migrate(&database.target).unwrap();
    let db = Db::open(&database.target, 2).unwrap();
    let (lost, good) = (ids.next(Timestamp::from_micros(0)), ids.next(Timestamp::from_micros(0)));
    // As SQLite does where the disk is full.
    let told = db.write(move |conn| {
        spend(conn, lost)?;
        Ok(conn.batch_execute("ROLLBACK")?)
    });
    if let Target::Sqlite(_) = &database.target {
        assert_eq!(told.unwrap_err().code, &codes::UNAVAILABLE);
    }
    db.write(move |conn| spend(conn, good)).expect("the unit after it");
    assert_eq!(db.read(spent).unwrap(), 10);
    db.close();
}

#[test]
fn units_that_are_refused_take_nothing_from_those_beside_them() {
    let (database, ids) = (Database::empty(), Ids::counting());
    Db::migrate(&database.target).unwrap();
    let db = Db::open(&database.target, 12).unwrap();
    let id = || ids.next(Timestamp::from_micros(0));
    std::thread::scope(|scope| {
        // While the first is at work, the others gather behind it, those to be refused first. The waits only steer who
        // shares a transaction with whom: what is asserted holds in every order.
        let (db, first) = (&db, id());
        scope.spawn(move || {
            let slow = move |conn: &mut Conn| {
                spend(conn, first)?;
                std::thread::sleep(Duration::from_millis(200));
                Ok(())
            };
            db.write(slow).expect("the first");
        });
        for refused in [true, true, false, true, false, false, true] {
            std::thread::sleep(Duration::from_millis(10));
            let id = id();
            scope.spawn(move || {
                let told = db.write(move |conn| {
                    spend(conn, id)?;
                    if refused {
                        Err(Error::new(&codes::NOT_FOUND, text!("after the fact", "後から")))
                    } else {
                        Ok(())
                    }
                });
                assert_eq!(told.err().map(|error| error.code), refused.then_some(&codes::NOT_FOUND));
            });
        }
    });
    assert_eq!(db.read(spent).unwrap(), 40, "what was not refused");
    db.close();
}
