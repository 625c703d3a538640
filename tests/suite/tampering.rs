//! Somebody with all rights on the database changes a figure: `verify` says which.

use crate::{
    suite::calculation::{Story, flat},
    support::{World, statements::behind_the_service},
};
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};
use partner_incentives::{
    app,
    operations::verify::{self, Sum},
    platform::db::Conn,
    slice,
};
use serde_json::json;

/// A partner with sales of July, which is closed, and of August: by themselves, by customer and by month, under caps.
fn story(world: &World) -> Story<'_> {
    let cap =
        |scope: &str, amount: &str| json!({"scope": scope, "amount": {"amount": amount, "currency": "USD"}});
    let mut capped = flat("capped", "0.10");
    capped["cap"] = cap("partner", "300.00");
    let mut customers = flat("customers", "0.05");
    customers["cap"] = cap("customer", "100.00");
    customers["grain"] = json!("customer_month");
    let tier = |from: &str, rate: &str| json!({"from": {"amount": from, "currency": "USD"}, "rate": rate});
    let scale = json!({"type": "retroactive", "period": "half_year", "tiers": [tier("0.00", "0.01"), tier("1500.00", "0.02")]});
    let lifts = json!({"type": "core", "code": "lifts", "name": "Lifts", "scale": scale});
    let story = Story::new(world, &json!([capped, customers, lifts]));
    world.on("2018-08-20");
    let first = story.sale("1", "2018-07-05", "1000.00");
    story.calculate();
    story.close("2018-07").ok();
    story.refund("2", &first, "2018-08-06", "-200.00");
    story.sale("3", "2018-08-05", "4000.00");
    story.report("4", "2018-08-07", "100.00", &json!({"customer": {"id": "4000001", "country": "DE"}})).ok();
    story.calculate();
    story.verify();
    story
}

/// A connection on which nothing is refused.
pub fn everything_is_allowed(world: &World) -> Conn {
    #[derive(QueryableByName)]
    struct Trigger {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let mut conn = world.service.db.target().open().unwrap();
    match &conn {
        Conn::Sqlite(_) => {
            let triggers = sql_query("SELECT name FROM sqlite_schema WHERE type = 'trigger'");
            for Trigger { name } in triggers.load::<Trigger>(&mut conn).unwrap() {
                conn.batch_execute(&format!("DROP TRIGGER {name}")).unwrap();
            }
        }
        Conn::Postgres(_) => conn.batch_execute("SET session_replication_role = replica").unwrap(),
    }
    conn
}

fn differences(world: &World) -> Vec<(&'static str, String)> {
    let app = &world.service.app;
    let mut findings: Vec<Sum> = app.read_as_system(verify::sums_of_books).unwrap();
    findings.extend(app.read_as_system(verify::sums_of_calculation).unwrap());
    findings.into_iter().filter_map(|finding| Some((finding.name, finding.difference?))).collect()
}

/// The first id, in words, of a statement that selects ids.
fn first(conn: &mut Conn, table: &str, id: &str, condition: &str) -> String {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        found: String,
    }
    let text = match conn {
        Conn::Sqlite(_) => format!("lower(hex({id}))"),
        Conn::Postgres(_) => format!("replace(CAST({id} AS text), '-', '')"),
    };
    let query = format!("SELECT {text} AS found FROM {table} WHERE {condition} ORDER BY {id} LIMIT 1");
    let found = sql_query(query).get_result::<Found>(conn).unwrap().found;
    let parts = [&found[..8], &found[8..12], &found[12..16], &found[16..20], &found[20..]];
    parts.join("-")
}

/// The check that computes every enrollment year again.
const LAW: &str = "what is posted is what everything on record gives";

#[test]
fn a_figure_that_was_changed_is_named_by_every_check_on_it() {
    let world = World::new();
    let story = story(&world);
    let mut conn = everything_is_allowed(&world);
    let sale = "lever = 'capped' AND amount = 10000";
    let refused = "code = 'customer_is_partner' AND lever = 'capped'";
    let cut = "lever = 'capped' AND code = 'cap_partially_applied'";
    // The check, the table, what of the row is named, which row; the change, the row after it, and what undoes it.
    #[rustfmt::skip]
    let changes = [
        ("rebates are their earnings' rebate parts", "rebates", "enrollment_id", "state = 'payable'",
            "earned = earned + 1", "", "earned = earned - 1"),
        ("co-op is their earnings' co-op parts", "rebates", "enrollment_id", "state = 'payable'",
            "coop = coop + 1", "", "coop = coop - 1"),
        ("rebates carry the approved adjustments", "rebates", "enrollment_id", "state = 'payable'",
            "adjusted = 1", "", "adjusted = 0"),
        ("the ledger owes what the rebates say", "ledger_transfers", "enrollment_id", "credit = 'rebate_accrued'",
            "amount = amount + 1", "", "amount = amount - 1"),
        ("the ledger holds the co-op the rebates say", "ledger_transfers", "enrollment_id", "credit = 'coop_available'",
            "amount = amount + 1", "", "amount = amount - 1"),
        ("what is accrued is of open months", "ledger_transfers", "enrollment_id", "debit = 'rebate_accrued'",
            "amount = amount - 1", "", "amount = amount + 1"),
        ("the ledger carries what was calculated", "ledger_transfers", "enrollment_id", "credit = 'coop_available'",
            "cause = 'closure'", "", "cause = 'calculation'"),
        ("the ledger carries the approved adjustments", "ledger_transfers", "enrollment_id",
            "credit = 'coop_available'", "cause = 'adjustment'", "", "cause = 'calculation'"),
        ("earnings are what their figures give", "earnings", "id", sale,
            "whole = whole + 1", "", "whole = whole - 1"),
        (LAW, "earnings", "enrollment_id", sale,
            "rebate = rebate + 1, coop = coop - 1", "", "rebate = rebate - 1, coop = coop + 1"),
        ("what is used of a cap is the sum of its months", "cap_uses", "enrollment_id", "lever = 'capped'",
            "used = used + 1", "", "used = used - 1"),
        ("what is used of a cap is the sum of its months", "cap_uses", "enrollment_id", "lever = 'customers'",
            "holder = 'customer:C-2'", "", "holder = 'customer:C-1'"),
        (LAW, "cap_months", "enrollment_id", "lever = 'capped'", "used = used + 1", "", "used = used - 1"),
        (LAW, "posted_groups", "enrollment_id", "lever = 'lifts' AND amount = 800",
            "amount = 801", "lever = 'lifts' AND amount = 801", "amount = 800"),
        (LAW, "posted_groups", "enrollment_id", "lever = 'customers' AND record_id IS NOT NULL",
            "origin = 'customer:C-2'", "", "origin = 'customer:C-1'"),
        (LAW, "lever_volumes", "enrollment_id", "lever = 'lifts' AND counted = 80000",
            "counted = 80001", "counted = 80001", "counted = 80000"),
        (LAW, "ineligible_records", "enrollment_id", refused,
            "cured_at = recorded_at", "", "cured_at = NULL"),
        (LAW, "ineligible_records", "enrollment_id", cut,
            "capped = 17999", "", "capped = 18000"),
        (LAW, "earnings", "enrollment_id", sale,
            "amount = amount + 1, rebate = rebate + 1, whole = whole + 1", "lever = 'capped' AND amount = 10001",
            "amount = amount - 1, rebate = rebate - 1, whole = whole - 1"),
        ("no sale is answered twice by a lever", "ineligible_records", "transaction_id", refused,
            "lever = 'customers', version = 7", "version = 7", "lever = 'capped', version = 1"),
    ];
    for (check, table, named, row, change, after, undoing) in changes {
        let id = first(&mut conn, table, named, row);
        tamper(&mut conn, &format!("UPDATE {table} SET {change} WHERE {row}")).unwrap();
        let found = differences(&world);
        let hit = found.iter().any(|(name, difference)| *name == check && difference.contains(&id));
        assert!(hit, "{table}: {change}: {check}: {id}: {found:#?}");
        let after = if after.is_empty() { row } else { after };
        tamper(&mut conn, &format!("UPDATE {table} SET {undoing} WHERE {after}")).unwrap();
        story.verify();
    }
    // As the command says it.
    tamper(&mut conn, "UPDATE cap_uses SET used = used + 1 WHERE lever = 'capped'").unwrap();
    let told = verify::run(&world.service.app, app::checks(), None).unwrap();
    let (check, finding) = &told[2];
    let expected = format!("what is used of a cap is the sum of its months: {}, capped", story.enrollment);
    assert!(
        *check == "calculation"
            && matches!(finding, slice::VerifyFinding::Broken(why) if why.starts_with(&expected)),
        "{told:#?}"
    );
}

/// What the database answers to somebody who posts in July behind the service's back.
#[test]
fn a_closed_month_takes_nothing_even_from_behind_the_service_s_back() {
    let world = World::new();
    let story = story(&world);
    let mut conn = world.service.db.target().open().unwrap();
    let id = match &conn {
        Conn::Sqlite(_) => "randomblob(16)",
        Conn::Postgres(_) => "gen_random_uuid()",
    };
    let copy = |table: &str, month: &str| {
        let columns = columns(&world, table);
        let values = columns.iter().map(|column| match column.as_str() {
            "id" => id.to_owned(),
            column if column == month => "'2018-07-01'".to_owned(),
            "currency" if table == "rebates" => "'JPY'".to_owned(),
            "earned_in" => "'2018-07-01'".to_owned(),
            column => column.to_owned(),
        });
        let values = values.collect::<Vec<_>>().join(", ");
        let from = if table == "ledger_transfers" { "WHERE credit = 'rebate_accrued'" } else { "" };
        format!("INSERT INTO {table} ({}) SELECT {values} FROM {table} {from} LIMIT 1", columns.join(", "))
    };
    let july = "posted_in = '2018-07-01'";
    for (change, why) in [
        (copy("ledger_transfers", "month"), "a closed month never changes"),
        (copy("rebates", "posted_in"), "a closed month never changes"),
        (format!("UPDATE rebates SET earned = earned + 1 WHERE {july}"), "a closed month never changes"),
        (format!("UPDATE rebates SET coop = 0 WHERE {july}"), "a closed month never changes"),
        (format!("UPDATE rebates SET posted_in = '2018-12-01' WHERE {july}"), "a closed month never changes"),
        (
            "UPDATE rebates SET posted_in = '2018-07-01', currency = 'JPY' WHERE state = 'accruing'"
                .to_owned(),
            "a closed month never changes",
        ),
        ("DELETE FROM closed_months".to_owned(), "never opened again"),
        ("UPDATE closed_months SET month = '2018-06-01'".to_owned(), "never opened again"),
    ] {
        let refused = tamper(&mut conn, &change).expect_err(&change).to_string();
        assert!(refused.contains(why), "{change}: {refused}");
    }
    // What is owed of it may still be held and released.
    tamper(&mut conn, &format!("UPDATE rebates SET state_comment = 'Looked at' WHERE {july}")).unwrap();
    story.verify();
    // Where even that was lifted, verify tells.
    let mut conn = everything_is_allowed(&world);
    let closed = |conn: &mut Conn, day: &str| {
        let at = match conn {
            Conn::Sqlite(_) => format!("unixepoch('{day}') * 1000000"),
            Conn::Postgres(_) => format!("'{day}T00:00:00Z'"),
        };
        conn.batch_execute(&format!("UPDATE closed_months SET closed_at = {at}")).unwrap();
    };
    closed(&mut conn, "2018-08-01");
    let found: Vec<&str> = differences(&world).iter().map(|(check, _)| *check).collect();
    assert_eq!(found, ["no earning was posted in a closed month", "nothing was added to a closed month"]);
    closed(&mut conn, "2018-08-21");
    story.verify();
}

pub fn tamper(conn: &mut Conn, change: &str) -> diesel::QueryResult<()> {
    behind_the_service(|| conn.batch_execute(change))
}

fn columns(world: &World, table: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Column {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let mut conn = world.service.db.target().open().unwrap();
    let query = match &conn {
        Conn::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
        Conn::Postgres(_) => format!(
            "SELECT column_name::text AS name FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
        ),
    };
    sql_query(query).load::<Column>(&mut conn).unwrap().into_iter().map(|column| column.name).collect()
}
