//! Files of transactions.

use super::{
    enrollments::Case,
    partners::partner,
    transactions::{purchase, refund},
};
use crate::support::{Answer, Client, PASSWORD, World};
use partner_incentives::platform::db::Target;
use serde_json::{Value, json};

/// The line of column names of the files here.
pub const HEAD: &str = "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,\
                    original_external_id,occurred_on,amount,currency";

pub fn seller(world: &World, n: u32) -> String {
    world.operator().post("/v1/partners", partner(n, "direct_bill")).send().ok().id()
}

/// A row of a purchase.
pub fn sold(n: u32, partner: &str, amount: &str) -> String {
    format!("billing,INV-{n},{partner},C-1,DE,SKU-1,azure,purchase,,2018-07-01,{amount},USD")
}

/// A row of a refund of the purchase with this number.
pub fn returned(n: u32, of: u32, partner: &str, amount: &str) -> String {
    format!("billing,INV-{n},{partner},C-1,DE,SKU-1,azure,refund,INV-{of},2018-07-01,{amount},USD")
}

pub fn file(rows: &[String]) -> String {
    format!("{HEAD}\n{}\n", rows.join("\n"))
}

pub fn csv(client: &Client, file: impl Into<Vec<u8>>) -> Answer {
    client.ask("POST", "/v1/transaction-imports").bytes("text/csv", file).send()
}

pub fn ndjson(client: &Client, rows: &[Value]) -> Answer {
    let lines: String = rows.iter().flat_map(|row| [row.to_string(), "\n".to_owned()]).collect();
    client.ask("POST", "/v1/transaction-imports").bytes("application/x-ndjson", lines).send()
}

/// Rows created, unchanged, in conflict and invalid.
pub fn counts(import: &Answer) -> [i64; 4] {
    ["created", "unchanged", "conflicts", "invalid"].map(|name| import[name].as_i64().unwrap())
}

/// Line, pointer and code of each error.
pub fn errors(client: &Client, import: &Answer) -> Vec<(i64, String, String)> {
    let path = format!("/v1/transaction-imports/{}/errors", import.id());
    let listed = client.get(&path).query("limit", 200).send().ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = listed["items"].as_array().unwrap().iter();
    items.map(|e| (e["line"].as_i64().unwrap(), text(&e["pointer"]), text(&e["code"]))).collect()
}

pub fn recorded(client: &Client) -> i64 {
    let listed = client.get("/v1/transactions").query("include_total", true).query("limit", 1).send().ok();
    listed["total"].as_i64().unwrap()
}

#[test]
fn a_file_is_recorded_as_if_its_rows_had_been_sent_one_by_one() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let import = csv(&operator, file(&[sold(1, &id, "10.00"), sold(2, &id, "20.50")])).ok();
    assert_eq!((import.status, counts(&import)), (201, [2, 0, 0, 0]), "{import}");
    assert_eq!((&import["state"], &import["rows_read"]), (&json!("completed"), &json!(2)), "{import}");
    let listed = operator.get("/v1/transactions").send().ok();
    let (first, last) = (&listed["items"][1], &listed["items"][0]);
    assert_eq!((&first["external_id"], &last["external_id"]), (&json!("INV-1"), &json!("INV-2")));
    assert_eq!(last["amount"], json!({"amount": "20.50", "currency": "USD"}));
    // One by one they are known now, and the other way round.
    let mut body = purchase(2, &id, "20.50", "USD");
    assert_eq!(operator.post("/v1/transactions", body.clone()).send().status, 200);
    body["external_id"] = json!("INV-3");
    operator.post("/v1/transactions", body.clone()).send().ok();
    let import =
        ndjson(&operator, &[purchase(1, &id, "10.00", "USD"), body, purchase(4, &id, "1.00", "EUR")]);
    assert_eq!(counts(&import.ok()), [1, 2, 0, 0]);
    assert_eq!(recorded(&operator), 4);
}

#[test]
fn the_same_file_again_changes_nothing_and_another_content_is_a_conflict() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let rows = file(&[sold(1, &id, "10.00"), sold(1, &id, "10.00"), returned(2, 1, &id, "-4.00")]);
    assert_eq!(
        counts(&csv(&operator, rows.clone())),
        [2, 1, 0, 0],
        "a row that stands there twice counts once"
    );
    assert_eq!(counts(&csv(&operator, rows)), [0, 3, 0, 0]);
    let changed = csv(&operator, file(&[sold(1, &id, "11.00"), sold(3, &id, "1.00")]));
    assert_eq!(counts(&changed), [1, 0, 1, 0]);
    let conflict = (2, "/amount".to_owned(), "transaction_conflict".to_owned());
    assert_eq!(errors(&operator, &changed), [conflict]);
}

#[test]
fn a_trial_tells_the_same_and_records_nothing() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let rows = file(&[sold(1, &id, "10.00"), sold(2, &id, "-1.00"), returned(3, 1, &id, "-4.00")]);
    let trial = operator.ask("POST", "/v1/transaction-imports?dry_run=true").bytes("text/csv", rows.clone());
    let trial = trial.send().ok();
    assert_eq!((counts(&trial), &trial["dry_run"]), ([2, 0, 0, 1], &json!(true)));
    assert_eq!(recorded(&operator), 0);
    assert_eq!(counts(&csv(&operator, rows)), [2, 0, 0, 1]);
    assert_eq!(recorded(&operator), 2);
}

#[test]
fn refunds_of_a_file_never_exceed_their_purchase() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let first = operator.post("/v1/transactions", purchase(1, &id, "10.00", "USD")).send().ok();
    let by_id = |n: u32, amount: &str| refund(n, &first, amount);
    let import = ndjson(&operator, &[by_id(2, "-6.00"), by_id(3, "-5.00"), by_id(4, "-4.00")]).ok();
    assert_eq!(counts(&import), [2, 0, 0, 1]);
    let exceeding = (2, "/amount/amount".to_owned(), "refund_exceeds_purchase".to_owned());
    assert_eq!(errors(&operator, &import), [exceeding]);
    operator.post("/v1/transactions", by_id(5, "-0.01")).send().refused(409, "refund_exceeds_purchase");
    // By their numbers, where the purchase stands in the same file.
    let other = seller(&world, 2);
    let import = csv(
        &operator,
        file(&[
            returned(10, 16, &id, "-1.00"),
            sold(11, &id, "5.00"),
            returned(12, 11, &id, "-5.00"),
            returned(13, 11, &id, "-0.01"),
            returned(14, 11, &other, "-0.01"),
            returned(15, 12, &id, "-0.01"),
        ]),
    );
    assert_eq!(counts(&import), [2, 0, 0, 4], "{import}");
    let codes: Vec<_> = errors(&operator, &import).into_iter().map(|(line, _, code)| (line, code)).collect();
    let codes: Vec<_> = codes.iter().map(|(line, code)| (*line, code.as_str())).collect();
    let expected =
        [(2, "unknown"), (5, "refund_exceeds_purchase"), (6, "other_partner"), (7, "not_a_purchase")];
    assert_eq!(codes, expected);
}

#[test]
fn a_refund_may_stand_before_its_purchase() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    // Side by side; and each more than a portion away from the other.
    let mut rows =
        vec![returned(1, 2, &id, "-4.00"), sold(2, &id, "10.00"), returned(3, 9_001, &id, "-6.00")];
    rows.push(returned(4, 9_001, &id, "-5.00"));
    rows.push(returned(5, 9_002, &id, "-1.00"));
    rows.extend((10..5_200).map(|n| sold(n, &id, "1.00")));
    rows.push(sold(9_001, &id, "10.00"));
    let trial = operator.ask("POST", "/v1/transaction-imports?dry_run=true");
    let trial = trial.bytes("text/csv", file(&rows)).send().ok();
    let import = csv(&operator, file(&rows)).ok();
    assert_eq!((counts(&trial), counts(&import)), ([5_194, 0, 0, 2], [5_194, 0, 0, 2]), "{import}");
    assert_eq!(import["rows_read"], json!(rows.len()));
    let faults = errors(&operator, &import);
    let faults: Vec<_> = faults.iter().map(|(line, at, code)| (*line, at.as_str(), code.as_str())).collect();
    let expected =
        [(5, "/amount/amount", "refund_exceeds_purchase"), (6, "/original_external_id", "unknown")];
    assert_eq!(faults, expected);
    let named = |n: u32| {
        let path = format!("/v1/transactions?source=billing&external_id=INV-{n}");
        operator.get(&path).send().ok()["items"][0].clone()
    };
    for (refund, purchase) in [(1, 2), (3, 9_001)] {
        assert_eq!(named(refund)["original_transaction_id"], named(purchase)["id"]);
    }
    // The seller is queued for the calculation, whatever row came last.
    assert_eq!(counts(&csv(&operator, file(&rows)).ok()), [0, 5_194, 0, 2]);
}

#[test]
fn a_text_is_the_same_text_however_its_accents_are_spelled() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let row = |text: &str, kind: &str, of: &str, amount: &str| {
        format!("{text},{kind}-{text},{id},{text},DE,{text},{text},{kind},{of},2018-07-01,{amount},USD")
    };
    let (whole, apart) = ("caf\u{e9}", "cafe\u{301}");
    let import =
        csv(&operator, file(&[row(whole, "purchase", "", "10.00"), row(apart, "purchase", "", "10.00")]));
    assert_eq!(counts(&import.ok()), [1, 1, 0, 0]);
    let refund = row(apart, "refund", &format!("purchase-{apart}"), "-4.00");
    assert_eq!(counts(&csv(&operator, file(&[refund])).ok()), [1, 0, 0, 0]);
    // One by one, too.
    let body = |text: &str| {
        json!({
            "source": text, "external_id": format!("purchase-{text}"), "partner_id": id,
            "customer": {"id": text, "country": "DE"}, "product": text, "product_family": text, "kind": "purchase",
            "occurred_on": "2018-07-01", "amount": {"amount": "10.00", "currency": "USD"},
        })
    };
    for text in [whole, apart] {
        let known = operator.post("/v1/transactions", body(text)).send().ok();
        assert_eq!((known.status, &known["customer"]["id"]), (200, &json!(whole)));
        for name in ["source", "product_family", "customer_id"] {
            let found = operator.get("/v1/transactions").query(name, text).send().ok();
            assert_eq!(found["items"].as_array().unwrap().len(), 2, "{name}");
        }
        let found =
            operator.get("/v1/transactions").query("external_id", format!("refund-{text}")).send().ok();
        assert_eq!(found["items"][0]["original_transaction_id"], known["id"]);
    }
    // Composed, this text has twice as many characters.
    let mut long = body(whole);
    long["external_id"] = json!("\u{344}".repeat(100));
    let refused = operator.post("/v1/transactions", long).send().refused(422, "invalid");
    assert_eq!(
        (&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]),
        (&json!("/external_id"), &json!("too_long"))
    );
}

#[test]
fn every_row_that_is_not_good_is_told_with_line_field_and_code() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let long = "x".repeat(70_000);
    let mut rows = file(&[
        sold(1, &id, "10.00"),
        sold(2, &id, "10"),
        sold(3, "01936f2e-4b00-7000-8000-00000000dead", "10.00"),
        "billing,INV-4".to_owned(),
        String::new(),
        format!("\"bil\nling\",INV-5,{id},C-1,DE,SKU-1,azure,purchase,,2018-07-01,1.00,USD"),
        sold(6, &id, "10.00").replace("2018-07-01", "2018-07-02").replace(",DE,", ",XX,"),
        sold(7, &id, &long),
        sold(8, &id, "10.00").replace("purchase", "gift"),
        sold(9, &id, "10.00").replace(",USD", ",USD,extra"),
        format!("\"\u{feff}\",INV-10,{id},C-1,DE,SKU-1,azure,purchase,,2018-07-01,1.00,USD"),
    ])
    .replace('\n', "\r\n")
    .into_bytes();
    rows.extend(sold(11, &id, "10.00").replace("C-1", "C-\u{1}").bytes());
    rows.extend(b"\n\xff\xfe,INV-12,,,,,,,,,,\n");
    rows.extend(sold(13, &id, "13.00").bytes());
    let import = csv(&operator, [b"\xef\xbb\xbf".to_vec(), rows].concat()).ok();
    let found = errors(&operator, &import);
    let expected = [
        (3, "/amount", "value"),
        (4, "/partner_id", "unknown"),
        (5, "", "columns"),
        (7, "/source", "pattern"),
        (7, "/source", "control_character"),
        (9, "/customer/country", "format"),
        (10, "", "too_long"),
        (11, "/kind", "not_listed"),
        (12, "", "columns"),
        (13, "/source", "pattern"),
        (13, "/source", "invisible_character"),
        (14, "/customer/id", "control_character"),
        (15, "", "utf8"),
    ];
    let found: Vec<_> = found.iter().map(|(line, at, code)| (*line, at.as_str(), code.as_str())).collect();
    assert_eq!(found, expected);
    assert_eq!(counts(&import), [2, 0, 0, 11], "{import}");
}

#[test]
fn a_file_that_does_not_name_its_columns_is_refused_as_a_whole() {
    let world = World::new();
    let operator = world.operator();
    let refused = csv(&operator, "source,external_id,price,source\n1,2,3,4\n").refused(422, "invalid");
    let faults: Vec<_> =
        refused["errors"].as_array().unwrap().iter().map(|e| (&e["pointer"], &e["code"])).collect();
    assert!(faults.contains(&(&json!("price"), &json!("unknown_column"))), "{refused}");
    assert!(faults.contains(&(&json!("source"), &json!("duplicate"))), "{refused}");
    assert!(faults.contains(&(&json!("currency"), &json!("required"))), "{refused}");
    let path = format!("/v1/transaction-imports/{}", refused["import_id"].as_str().unwrap());
    let import = operator.get(&path).send().ok();
    assert_eq!((&import["state"], import["finished_at"].is_string()), (&json!("failed"), true), "{import}");
    csv(&operator, "").refused(400, "malformed");
    let other = operator.ask("POST", "/v1/transaction-imports").bytes("text/plain", HEAD).send();
    other.refused(415, "unsupported_media_type");
    let failed = operator.get("/v1/transaction-imports").query("state", "failed").send().ok();
    assert_eq!(failed["items"].as_array().unwrap().len(), 2, "{failed}");
}

#[test]
fn an_import_leaves_one_trace_of_its_beginning_and_one_of_every_step() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let import = csv(&operator, file(&[sold(1, &id, "10.00")])).ok();
    let events = operator.get("/v1/audit-events").query("resource_id", import.id()).send().ok();
    let states: Vec<_> = events["items"].as_array().unwrap().iter().map(|e| &e["after"]["state"]).collect();
    assert_eq!(states, ["completed", "publishing", "receiving", "receiving"]);
    assert_eq!(events["items"][1]["actor_role"], "operator");
    assert_eq!(
        import.etag(),
        operator.get(&format!("/v1/transaction-imports/{}", import.id())).send().etag()
    );
}

#[test]
fn the_first_purchase_of_an_indirect_reseller_in_a_file_is_its_invitation() {
    let world = World::new();
    let reseller = Case::new(&world, 3, "indirect_reseller")
        .agreement("mpn", "2018-07-01", Some("2019-06-30"))
        .competency("cloud-platform", "gold", "2018-07-01");
    let admin = world.admin_of(&reseller.id);
    world.on("2018-11-20");
    let operator = world.operator();
    let case = reseller.id;
    let rows = file(&[sold(1, &case, "10.00"), sold(2, &case, "11.00")]);
    let rows = rows.replace("2018-07-01", "2018-11-20");
    csv(&operator, rows.clone()).ok();
    let enrollments = operator.get("/v1/enrollments").query("partner_id", &case).send().ok();
    let items = enrollments["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{enrollments}");
    assert_eq!((&items[0]["state"], &items[0]["invited_on"]), (&json!("invited"), &json!("2018-11-20")));
    let notices = admin.get("/v1/notifications").query("kind", "enrollment_invited").send().ok();
    assert_eq!(notices["items"].as_array().unwrap().len(), 1, "{notices}");
    csv(&operator, rows).ok();
    let again = operator.get("/v1/enrollments").query("partner_id", &case).send().ok();
    assert_eq!(again["items"], enrollments["items"], "once");
}

#[test]
fn only_staff_sees_imports_and_only_operators_make_them() {
    let world = World::new();
    let id = seller(&world, 1);
    let rows = file(&[sold(1, &id, "10.00")]);
    let import = csv(&world.operator(), rows.clone()).ok().id();
    let path = format!("/v1/transaction-imports/{import}");
    world.auditor().get(&path).send().ok();
    csv(&world.auditor(), rows.clone()).refused(403, "forbidden");
    world.admin_of(&id).get(&path).send().refused(403, "forbidden");
    csv(&world.admin_of(&id), rows.clone()).refused(403, "forbidden");
    csv(&world.nobody(), rows).refused(401, "unauthenticated");
}

#[test]
fn errors_beyond_those_kept_are_counted() {
    let world = World::new();
    let operator = world.operator();
    let rows: Vec<String> =
        (0..150).map(|n| sold(n, "01936f2e-4b00-7000-8000-00000000dead", "1.00")).collect();
    let import = csv(&operator, file(&rows)).ok();
    assert_eq!((counts(&import), &import["errors_kept"]), ([0, 0, 0, 150], &json!(100)), "{import}");
    let path = format!("/v1/transaction-imports/{}/errors", import.id());
    let listed = operator.get(&path).query("include_total", true).query("limit", 60).send().ok();
    assert_eq!((&listed["total"], &listed["items"][59]["line"]), (&json!(100), &json!(61)));
    let cursor = listed["next_cursor"].as_str().unwrap();
    let rest = operator.get(&path).query("limit", 60).query("cursor", cursor).send().ok();
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (40, &Value::Null));
}

#[test]
fn a_file_is_refused_before_it_fills_the_disk() {
    let world = World::with(|settings| settings.disk_reserve_bytes = u64::MAX);
    let operator = world.operator();
    let id = seller(&world, 1);
    let told = csv(&operator, file(&[sold(1, &id, "10.00")]));
    // The disk of a PostgreSQL server is somebody else's.
    if matches!(world.service.settings.database_url, Target::Postgres(_)) {
        told.ok();
        return;
    }
    let told = told.refused(503, "unavailable");
    assert!(told["detail"].as_str().unwrap().contains("the disk of the database"), "{told}");
    let import = operator.get("/v1/transaction-imports").send().ok()["items"][0].clone();
    assert_eq!((&import["state"], &import["rows_read"]), (&json!("failed"), &json!(0)));
    let nobody = json!({"username": "operator@vendor.example", "password": PASSWORD});
    world.nobody().post("/v1/auth/login", nobody).send().ok();
}
