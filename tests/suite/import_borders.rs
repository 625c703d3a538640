//! Files of transactions as other systems write them: what an import makes of them, and what it tells.

use super::imports::{HEAD, counts, csv, errors, file, ndjson, recorded, returned, seller, sold};
use crate::support::{Answer, Client, World, statements::behind_the_service, wait_for};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, connection::SimpleConnection};
use partner_incentives::{
    platform::{
        db::{Conn, Target},
        values::{Id, Timestamp},
    },
    schema::{transaction_import_pieces, transaction_import_rows},
    work::{JobName, Turn},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The MPN id of the seller with this number.
fn mpn_id(n: u32) -> String {
    format!("{:07}", 4_000_000 + n)
}

fn body(n: u32, partner: &str) -> Value {
    json!({
        "source": "billing", "external_id": format!("INV-{n}"), "partner_id": partner,
        "customer": {"id": "C-1", "country": "DE"}, "product": "SKU-1", "product_family": "azure",
        "kind": "purchase", "occurred_on": "2018-07-01", "amount": {"amount": "10.00", "currency": "USD"},
    })
}

/// Sends a file that is imported after the answer.
fn later(client: &Client, query: &str, file: impl Into<Vec<u8>>) -> Answer {
    let ask = client.ask("POST", &format!("/v1/transaction-imports{query}")).bytes("text/csv", file);
    ask.header("prefer", "respond-async").send()
}

/// The import at this address when it has ended.
#[track_caller]
fn ended(client: &Client, location: &str) -> Answer {
    let begun = Instant::now();
    loop {
        let import = client.get(location).send().ok();
        if import["finished_at"].is_string() {
            return import;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "still {import}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn rejected(client: &Client, import: &str) -> String {
    let answer = client.get(&format!("/v1/transaction-imports/{import}/rejected-rows")).send().ok();
    assert!(answer.header("content-type").unwrap().starts_with("text/csv"), "{answer}");
    String::from_utf8(answer.bytes).unwrap()
}

/// How many pieces of files and rows the imports keep.
fn kept(world: &World) -> [i64; 2] {
    let count = |conn: &mut Conn| {
        let pieces = transaction_import_pieces::table.count().get_result(conn)?;
        Ok([pieces, transaction_import_rows::table.count().get_result(conn)?])
    };
    world.service.db.read(count).unwrap()
}

#[test]
fn any_number_of_refunds_may_stand_before_their_purchase() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let mut rows: Vec<String> = (1..=20_050).map(|n| returned(n, 30_000, &id, "-0.01")).collect();
    rows.push(returned(20_051, 30_001, &id, "-1.00"));
    rows.push(sold(30_000, &id, "200.00"));
    let answer = later(&operator, "", file(&rows)).ok();
    let import = ended(&operator, answer.header("location").unwrap());
    assert_eq!(counts(&import), [20_001, 0, 0, 51], "{import}");
    assert_eq!((&import["rows_read"], &import["waiting"]), (&json!(20_052), &json!(0)));
    let path = format!("/v1/transaction-imports/{}/errors", import.id());
    let faults = operator.get(&path).query("limit", 200).send().ok();
    let last = faults["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["line"], &last["code"]), (&json!(20_052), &json!("unknown")));
    assert_eq!(last["message"], "the purchase INV-30001 of billing is neither on record nor in this file");
    // The file goes in a unit after the one that ends the import.
    wait_for("the rejected rows alone are kept", || match kept(&world) {
        [0, 51] => Ok(()),
        kept => Err(format!("{kept:?}")),
    });
}

#[test]
fn sources_are_the_same_whatever_their_case() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let shouted = sold(1, &id, "10.00").replace("billing", "BILLing");
    assert_eq!(counts(&csv(&operator, file(&[sold(1, &id, "10.00"), shouted])).ok()), [1, 1, 0, 0]);
    let refund = returned(2, 1, &id, "-4.00").replace("billing", "Billing");
    assert_eq!(counts(&csv(&operator, file(&[refund])).ok()), [1, 0, 0, 0]);
    let mut sale = body(1, &id);
    sale["source"] = json!("Billing");
    let known = operator.post("/v1/transactions", sale.clone()).send().ok();
    assert_eq!((known.status, &known["source"]), (200, &json!("billing")));
    for query in ["source=BILLING", "source=BILLING&external_id=INV-1"] {
        let found = operator.get(&format!("/v1/transactions?{query}")).send().ok();
        assert!(!found["items"].as_array().unwrap().is_empty(), "{query}");
    }
    // A record from before sources were kept in lower case.
    let folder = match world.service.settings.database_url {
        Target::Sqlite(_) => "sqlite",
        Target::Postgres(_) => "postgres",
    };
    let path = format!("{}/migrations/{folder}/0020_imports/up.sql", env!("CARGO_MANIFEST_DIR"));
    let migration = std::fs::read_to_string(path).unwrap();
    let (_, lowered) = migration.split_once("-- Sources compare without case").unwrap();
    let lowered = format!("-- {lowered}");
    let trigger = lowered.lines().find(|line| line.starts_with("DROP TRIGGER")).unwrap().to_owned();
    let (_, restored) = lowered.split_once("CREATE TRIGGER").unwrap();
    let before = format!(
        "{trigger} UPDATE transaction_records SET source = 'Billing'; UPDATE transaction_numbers SET source = 'Billing'; \
         CREATE TRIGGER{restored}"
    );
    let migrate = move |conn: &mut Conn| {
        behind_the_service(|| {
            conn.batch_execute(&before)?;
            conn.batch_execute(&lowered)
        })?;
        Ok(())
    };
    world.service.db.write(migrate).unwrap();
    assert_eq!(operator.post("/v1/transactions", sale).send().ok().status, 200);
    assert_eq!(recorded(&operator), 2);
}

#[test]
fn a_file_is_read_whichever_sign_separates_its_cells() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let rows = file(&[sold(1, &id, "10.00"), sold(2, &id, "20,50").replace("20,50", "\"20,50\"")]);
    for (nth, separator) in [";", "\t", ","].into_iter().enumerate() {
        // A decimal comma stands where a semicolon separates.
        let rows = if separator == "," { rows.clone() } else { rows.replace("\"20,50\"", "20#50") };
        let rows = rows.replace(',', separator).replace('#', ",").replace("INV-", &format!("INV-{nth}-"));
        let import = csv(&operator, format!("\u{feff}{rows}")).ok();
        assert_eq!(counts(&import), [1, 0, 0, 1], "{separator:?}: {import}");
        let path = format!("/v1/transaction-imports/{}/errors", import.id());
        let fault = operator.get(&path).send().ok()["items"][0].clone();
        assert!(fault["remedy"].as_str().unwrap().contains("decimal point"), "{fault}");
    }
}

#[test]
fn a_file_in_utf_16_is_refused_with_the_way_to_mend_it() {
    let world = World::new();
    let operator = world.operator();
    let rows = file(&[sold(1, &seller(&world, 1), "10.00")]);
    let little: Vec<u8> = rows.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = rows.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (mark, text) in [(&b"\xff\xfe"[..], &little), (b"\xfe\xff", &big), (b"", &little), (b"", &big)] {
        let text = [mark, text.as_slice()].concat();
        for media in ["text/csv", "application/x-ndjson"] {
            let ask = operator.ask("POST", "/v1/transaction-imports").bytes(media, text.clone());
            let told = ask.send().refused(400, "malformed");
            let detail = told["detail"].as_str().unwrap();
            assert!(detail.contains("UTF-16") && detail.contains("save it as UTF-8"), "{detail}");
        }
    }
}

#[test]
fn a_file_whose_lines_end_as_on_old_machines_is_told_line_by_line() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let rows = file(&[sold(1, &id, "10.00"), sold(2, &id, "10"), sold(3, &id, "10")]).replace('\n', "\r");
    let import = csv(&operator, rows).ok();
    assert_eq!(counts(&import), [1, 0, 0, 2], "{import}");
    let lines: Vec<i64> = errors(&operator, &import).into_iter().map(|(line, ..)| line).collect();
    assert_eq!(lines, [3, 4]);
}

#[test]
fn unknown_columns_are_named_all_at_once_and_ignored_on_request() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let rows = format!("{HEAD},cost,note\n{},1.00,x\n", sold(1, &id, "10.00"));
    let refused = csv(&operator, rows.clone()).refused(422, "invalid");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("cost, note") && detail.contains("ignore_unknown_columns=true"), "{detail}");
    let named: Vec<&Value> = refused["errors"].as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    assert_eq!(named, ["cost", "note"]);
    let ask = |media: &str, file: String| {
        let path = "/v1/transaction-imports?ignore_unknown_columns=true";
        operator.ask("POST", path).bytes(media, file).send().ok()
    };
    let import = ask("text/csv", rows);
    assert_eq!((counts(&import), &import["ignore_unknown_columns"]), ([1, 0, 0, 0], &json!(true)));
    let mut row = body(2, &id);
    row["cost"] = json!({"amount": 1});
    row["customer"]["name"] = json!("Contoso");
    let import = ndjson(&operator, &[row.clone(), body(3, &id)]).ok();
    assert_eq!(counts(&import), [1, 0, 0, 1]);
    let named: Vec<String> = errors(&operator, &import).into_iter().map(|(_, pointer, _)| pointer).collect();
    assert_eq!(named, ["/cost", "/customer/name"]);
    assert_eq!(counts(&ask("application/x-ndjson", format!("{row}\n"))), [1, 0, 0, 0]);
}

#[test]
fn a_file_without_a_good_row_has_failed() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let bad = file(&[sold(1, &id, "-10.00"), returned(2, 7, &id, "-1.00")]);
    for (rows, invalid, why) in [(bad, 2, "no row of the file is good"), (format!("{HEAD}\n"), 0, "no row")] {
        for path in ["/v1/transaction-imports", "/v1/transaction-imports?dry_run=true"] {
            let import = operator.ask("POST", path).bytes("text/csv", rows.clone()).send().ok();
            assert_eq!(
                (&import["state"], counts(&import)),
                (&json!("failed"), [0, 0, 0, invalid]),
                "{import}"
            );
            assert!(import["failure"].as_str().unwrap().contains(why), "{import}");
        }
    }
    // What is on record is good.
    csv(&operator, file(&[sold(1, &id, "10.00")])).ok();
    let again = csv(&operator, file(&[sold(1, &id, "10.00"), sold(2, &id, "-1.00")])).ok();
    assert_eq!((&again["state"], counts(&again)), (&json!("completed"), [0, 1, 0, 1]));
}

#[test]
fn an_error_names_its_row_and_the_remedy_in_the_language_of_the_reader() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let rows = [sold(1, &id, "10.00"), sold(2, &id, "-1.00"), "billing".into()];
    let import = csv(&operator, file(&rows)).ok().id();
    let path = format!("/v1/transaction-imports/{import}/errors");
    let listed =
        |language: &str| operator.get(&path).header("accept-language", language).send().ok()["items"].clone();
    let (english, japanese) = (listed("en"), listed("ja"));
    assert_eq!((&english[0]["external_id"], &english[1]["external_id"]), (&json!("INV-2"), &Value::Null));
    assert_eq!(english[0]["remedy"], "Give a purchase an amount above zero, and a refund one below.");
    assert_eq!(japanese[0]["remedy"], "購入の金額は正の値、返品の金額は負の値にしてください。");
    assert_eq!(english[0]["code"], japanese[0]["code"]);
}

#[test]
fn rejected_rows_are_mended_and_sent_again() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let conflict = sold(6, &id, "1.00");
    csv(&operator, file(std::slice::from_ref(&conflict))).ok();
    let mut rows = file(&[
        sold(1, &id, "10.00"),
        sold(2, "4999999", "10.00"),
        sold(3, &id, "ten").replace("C-1", "\"C, \"\"1\"\"\""),
        sold(4, &id, "10.00").replace("INV-4", "=INV-4").replace("purchase", "gift"),
        returned(5, 99, &mpn_id(1), "-1.00"),
        conflict.replace("1.00", "2.00"),
        "billing,INV-7".to_owned(),
    ])
    .into_bytes();
    rows.extend(
        sold(8, &id, "10.00").replace("C-1", "C-#").bytes().map(|b| if b == b'#' { 0xff } else { b }),
    );
    let import = csv(&operator, rows).ok();
    assert_eq!(counts(&import), [1, 0, 1, 6], "{import}");
    let text = rejected(&operator, &import.id());
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert!(lines[0].ends_with("occurred_on,amount,currency,units,error,remedy"), "{text}");
    assert_eq!(lines.len(), 8, "{text}");
    assert!(
        lines[1].starts_with("billing,INV-2,4999999,")
            && lines[1].contains("/partner_id: there is no such partner")
    );
    assert!(lines[2].contains("\"C, \"\"1\"\"\"") && lines[2].contains(",ten,USD,"), "{text}");
    assert!(lines[3].contains("\"'=INV-4\"") && lines[3].contains("Write one of the words"), "{text}");
    assert!(lines[4].starts_with(&format!("billing,INV-5,{},", mpn_id(1))), "{text}");
    assert!(lines[6].starts_with("billing,INV-7,,,"), "{text}");
    assert!(lines[7].contains("C-\u{fffd}"), "{text}");
    let japanese = operator.get(&format!("/v1/transaction-imports/{}/rejected-rows", import.id()));
    let japanese = japanese.header("accept-language", "ja").send().ok();
    assert!(String::from_utf8(japanese.bytes).unwrap().contains("購入を同じファイル"));
    // As it is, the file has the same faults; mended, its rows are recorded.
    let again = csv(&operator, text.clone()).ok();
    let codes = |import: &Answer| -> Vec<String> {
        errors(&operator, import).into_iter().map(|(_, at, code)| format!("{at} {code}")).collect()
    };
    assert_eq!((counts(&again), &codes(&again)[..5]), ([0, 0, 1, 6], &codes(&import)[..5]));
    assert_eq!(codes(&again).last(), codes(&import).last(), "a letter that is lost is not made up");
    let mended = text
        .replace("4999999", &mpn_id(1))
        .replace("ten,USD", "10.00,USD")
        .replace("gift", "purchase")
        .replace('\u{fffd}', "1");
    assert_eq!(counts(&csv(&operator, mended).ok()), [4, 0, 1, 2]);
    let named = |name: &str, value: &str| {
        let found = operator.get("/v1/transactions").query(name, value).send().ok();
        found["items"].as_array().unwrap().len()
    };
    assert_eq!((named("external_id", "=INV-4"), named("customer_id", "C, \"1\"")), (1, 1));
    operator
        .get("/v1/transaction-imports/01936f2e-4b00-7000-8000-00000000dead/rejected-rows")
        .send()
        .refused(404, "not_found");
}

#[test]
fn rejected_lines_of_json_come_as_a_table_that_is_mended_and_sent_again() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let mut bad = body(1, &id);
    bad["kind"] = json!("gift");
    let lines = format!("{bad}\n{}\nno JSON at all\n", body(2, &id));
    let sent = operator.ask("POST", "/v1/transaction-imports").bytes("application/x-ndjson", lines);
    let import = sent.send().ok();
    assert_eq!(counts(&import), [1, 0, 0, 2], "{import}");
    let text = rejected(&operator, &import.id());
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert!(lines.len() == 3 && lines[1].starts_with(&format!("billing,INV-1,{id},")), "{text}");
    let again = csv(&operator, text.replace("gift", "purchase")).ok();
    assert_eq!((counts(&again), recorded(&operator)), ([1, 0, 0, 1], 2), "{again}");
}

#[test]
fn of_more_faults_than_are_kept_the_rows_of_the_first_come_to_mend_and_all_are_counted() {
    let world = World::with(|settings| settings.import_errors_kept = 5);
    let operator = world.operator();
    let id = seller(&world, 1);
    let rows: Vec<String> = (1..=12).map(|n| sold(n, &id, "ten")).collect();
    let import = csv(&operator, file(&rows)).ok();
    assert_eq!((counts(&import), &import["errors_kept"]), ([0, 0, 0, 12], &json!(5)), "{import}");
    let text = rejected(&operator, &import.id());
    assert_eq!(text.trim_end().lines().count(), 1 + 5, "{text}");
    let again = csv(&operator, text.replace(",ten,", ",10.00,")).ok();
    assert_eq!((counts(&again), recorded(&operator)), ([5, 0, 0, 0], 5), "{again}");
}

#[test]
fn a_sender_in_a_hurry_is_answered_at_once() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let rows: Vec<String> = (1..=300).map(|n| sold(n, &id, "1.00")).collect();
    let answer = later(&operator, "", file(&rows));
    assert_eq!(
        (answer.status, answer.header("preference-applied")),
        (202, Some("respond-async")),
        "{answer}"
    );
    let location = answer.header("location").unwrap().to_owned();
    assert_eq!(
        (location.as_str(), &answer["state"]),
        (&*format!("/v1/transaction-imports/{}", answer.id()), &json!("receiving"))
    );
    // A file that comes later waits, and is recorded behind.
    let next = csv(&operator, file(&[sold(1, &id, "1.00"), sold(20_000, &id, "1.00")])).ok();
    assert_eq!((next.status, next.header("preference-applied"), counts(&next)), (201, None, [1, 1, 0, 0]));
    let import = ended(&operator, &location);
    assert_eq!((&import["state"], counts(&import)), (&json!("completed"), [300, 0, 0, 0]), "{import}");
    assert_eq!(recorded(&operator), 301);
    // The sales wait for the calculation as any others do.
    let events = operator.get("/v1/audit-events").query("resource_id", answer.id()).send().ok();
    let first = events["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&first["actor_role"], &first["after"]["state"]), (&json!("operator"), &json!("receiving")));
    wait_for("the end of the file", || match kept(&world)[0] {
        0 => Ok(()),
        pieces => Err(format!("{pieces} pieces")),
    });
}

#[test]
fn pieces_that_nobody_reads_are_swept_and_those_of_an_import_at_work_stay() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let [ended, at_work] = [1, 2].map(|n| {
        let import = csv(&operator, file(&[sold(n, &id, "1.00")])).ok();
        import.id().parse::<Id>().unwrap()
    });
    // Nobody goes on with the import that is at work again.
    let _turn = Turn::take(&world.service.app, JobName::TransactionImports).unwrap().unwrap();
    let now = world.clock.now();
    let [vanished, young, arriving] = [(); 3].map(|()| world.ids.next(now));
    let keep = move |conn: &mut Conn| {
        use partner_incentives::schema::{
            transaction_import_pieces::dsl as piece, transaction_imports::dsl as import,
        };
        diesel::update(import::transaction_imports.find(at_work))
            .set((
                import::state.eq("receiving"),
                import::finished_at.eq(None::<Timestamp>),
                import::file_pieces.eq(Some(1_i64)),
            ))
            .execute(conn)?;
        let yesterday = now.plus_seconds(-25 * 3600);
        for (of, place, kept_at) in [
            (vanished, 0_i64, yesterday),
            (vanished, 1, yesterday),
            (ended, 0, yesterday),
            (at_work, 0, yesterday),
            (young, 0, now),
            // A large file on a slow line takes days.
            (arriving, 0, yesterday),
            (arriving, 1, now),
        ] {
            diesel::insert_into(piece::transaction_import_pieces)
                .values((
                    piece::import_id.eq(of),
                    piece::place.eq(place),
                    piece::kept_at.eq(kept_at),
                    piece::bytes.eq(vec![b'x']),
                ))
                .execute(conn)?;
        }
        Ok(())
    };
    // Nor does the world's engine sweep before the story does.
    world.service.closing.begin();
    world.service.db.write(keep).unwrap();
    let left = || {
        let pieces = transaction_import_pieces::table
            .select(transaction_import_pieces::import_id)
            .order((transaction_import_pieces::import_id, transaction_import_pieces::place));
        world.service.db.read(|conn| Ok(pieces.load::<Id>(conn)?)).unwrap()
    };
    assert_eq!(left().len(), 7);
    while world.service.app.sweep().unwrap() > 0 {}
    let mut stay = vec![at_work, young, arriving, arriving];
    stay.sort_unstable();
    assert_eq!(left(), stay);
}

#[test]
fn a_file_that_cannot_be_read_after_the_answer_says_why() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let faulty = later(&operator, "", "source,external_id,price\n1,2,3\n").ok();
    let import = ended(&operator, faulty.header("location").unwrap());
    assert_eq!(import["state"], "failed");
    assert!(import["failure"].as_str().unwrap().contains("there are no columns named price"), "{import}");
    let empty = later(&operator, "", "").ok();
    assert_eq!(ended(&operator, empty.header("location").unwrap())["state"], "failed");
    let rows = file(&[sold(1, &id, "1.00"), returned(2, 9, &id, "-1.00")]);
    let trial = later(&operator, "?dry_run=true", rows).ok();
    let trial = ended(&operator, trial.header("location").unwrap());
    assert_eq!(
        (&trial["state"], counts(&trial), recorded(&operator)),
        (&json!("completed"), [1, 0, 0, 1], 0)
    );
}

#[test]
fn a_product_family_that_no_program_names_is_a_warning() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let rows = |from: u32| -> Vec<String> {
        (from..from + 30)
            .map(|n| sold(n, &id, "1.00").replace("azure", &format!("azrue-{}", n / 2)))
            .collect()
    };
    let quiet = csv(&operator, file(&rows(1))).ok();
    assert_eq!(quiet["unknown_product_family_rows"], json!(0), "no program names any family");
    let levers = json!([{
        "type": "core", "code": "core", "name": "Core", "scale": {"type": "flat", "rate": "0.08"},
        "applies_to": {"product_families": ["azure"]},
    }]);
    let version = json!({
        "program_year": 2022, "requirements": [{"rule": "partner_active"}], "levers": levers,
        "split": {"rebate_rate": "0.6"}, "payment_threshold": {"amount": "200.00", "currency": "USD"},
        "coop_threshold": {"amount": "10000.00", "currency": "USD"},
    });
    let path = "/v1/programs/csp-direct-bill/versions";
    let draft = operator.post(path, version).send().ok();
    let publication = format!("{path}/{}/publication", draft["version"]);
    operator.post(&publication, json!({"reason": "Agreed"})).send().ok();
    let mut all = rows(100);
    all.push(sold(200, &id, "1.00"));
    all.push(sold(201, &id, "-1.00").replace("azure", "rejected"));
    let import = csv(&operator, file(&all)).ok();
    assert_eq!((&import["state"], counts(&import)), (&json!("completed"), [31, 0, 0, 1]));
    assert_eq!(import["unknown_product_family_rows"], json!(30), "{import}");
    let names: Vec<String> = (50..65).map(|n| format!("azrue-{n}")).collect();
    assert_eq!(import["unknown_product_families"], json!(names));
    let more: Vec<String> =
        (300..330).map(|n| sold(n, &id, "1.00").replace("azure", &format!("azrue-{n}"))).collect();
    let import = csv(&operator, file(&more)).ok();
    assert_eq!(
        import["unknown_product_families"].as_array().unwrap().len(),
        20,
        "the first names alone are kept"
    );
}

#[test]
fn a_partner_is_named_by_its_mpn_id_wherever_by_its_id() {
    let world = World::new();
    let operator = world.operator();
    let id = seller(&world, 1);
    let provider =
        operator.post("/v1/partners", super::partners::partner(2, "indirect_provider")).send().ok().id();
    let reseller =
        operator.post("/v1/partners", super::partners::partner(3, "indirect_reseller")).send().ok().id();
    let made = operator.post("/v1/transactions", body(1, &mpn_id(1))).send().ok();
    assert_eq!((made.status, &made["partner_id"]), (201, &json!(id)));
    assert_eq!(operator.post("/v1/transactions", body(1, &id)).send().ok().status, 200, "the same partner");
    let mut sale = body(2, &mpn_id(3));
    sale["provider_id"] = json!(mpn_id(2));
    let made = operator.post("/v1/transactions", sale.clone()).send().ok();
    assert_eq!((&made["partner_id"], &made["provider_id"]), (&json!(reseller), &json!(provider)));
    let unknown = operator.post("/v1/transactions", body(3, "4999999")).send().refused(422, "invalid");
    assert_eq!(
        (&unknown["errors"][0]["pointer"], &unknown["errors"][0]["code"]),
        (&json!("/partner_id"), &json!("unknown"))
    );
    sale["external_id"] = json!("INV-4");
    let import = ndjson(&operator, &[sale, body(1, &mpn_id(1)), body(5, "4999999")]).ok();
    assert_eq!(counts(&import), [1, 1, 0, 1]);
    let rows = [
        sold(6, &mpn_id(1), "1.00"),
        returned(7, 8, &mpn_id(1), "-1.00"),
        sold(9, "12", "1.00"),
        sold(8, &id, "1.00"),
    ];
    let import = csv(&operator, file(&rows)).ok();
    assert_eq!(counts(&import), [3, 0, 0, 1], "{import}");
    let found = operator.get(&format!("/v1/transactions?partner_id={}", mpn_id(1))).send().ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 4);
}
