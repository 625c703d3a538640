//! Statements: what a partner is told of a month adds up, whoever reads it and in whatever form.

use crate::{
    suite::calculation::{Story, flat, text, version},
    support::{Answer, Client, World, statements::behind_the_service},
};
use diesel::{RunQueryDsl, sql_query};
use partner_incentives::{access::Role, operations::verify, platform::db::Conn};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Sums of minor units by what they are of.
type Sums = BTreeMap<(String, &'static str), i64>;

fn minor(money: &Value) -> i64 {
    text(&money["amount"]).replace('.', "").parse().unwrap()
}

fn items<'a>(of: &'a Value, list: &str) -> &'a [Value] {
    of[list].as_array().unwrap_or_else(|| panic!("no {list}: {of}"))
}

fn statement(client: &Client, partner: &str, month: &str) -> Answer {
    client.get(&format!("/v1/partners/{partner}/statements/{month}")).send().ok()
}

fn as_media(client: &Client, partner: &str, month: &str, media: &str) -> Answer {
    client.get(&format!("/v1/partners/{partner}/statements/{month}")).header("accept", media).send().ok()
}

fn body(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.clone()).unwrap()
}

fn add(sums: &mut Sums, money: &Value, what: &'static str) {
    *sums.entry((text(&money["currency"]), what)).or_default() += minor(money);
}

/// Two levers, one of them capped, in two currencies, over three months of which two are closed.
fn told(world: &World) -> Story<'_> {
    let cap = json!({"scope": "customer", "amount": {"amount": "900.00", "currency": "USD"}});
    let mut extra = flat("extra", "0.02");
    extra["cap"] = cap;
    let story = Story::new(world, &json!([flat("core", "0.08"), extra]));
    world.on("2018-07-20");
    let sale = story.sale("1", "2018-07-05", "50000.00");
    story.sale("2", "2018-07-06", "120000 JPY");
    story.sale("3", "2018-06-30", "700.00");
    story.calculate();
    world.on("2018-08-03");
    story.close("2018-07").ok();
    world.on("2018-08-20");
    story.sale("4", "2018-08-10", "1234.56");
    story.sale("5", "2018-07-31", "99.99");
    story.refund("6", &sale, "2018-08-11", "-1000.00");
    story.calculate();
    story
}

/// The statement's own sums are those of its lines, of the list of earnings and of the rebates of the month.
fn adds_up(story: &Story<'_>, month: &str) -> Answer {
    let statement = statement(&story.operator, &story.partner, month);
    let (mut lines, mut totals) = (Sums::new(), Sums::new());
    let (mut count, mut all) = (0, Sums::new());
    for program in items(&statement.body, "programs") {
        for line in items(program, "earnings").iter().chain(items(program, "corrections")) {
            for what in ["amount", "rebate", "coop"] {
                add(&mut lines, &line[what], what);
            }
            add(&mut lines, &line["rebate"], "owed");
            count += line["earnings"].as_i64().unwrap();
        }
        for adjustment in items(program, "adjustments") {
            add(&mut lines, &adjustment["amount"], "adjusted");
            add(&mut lines, &adjustment["amount"], "owed");
        }
        for total in items(program, "totals") {
            for what in ["amount", "rebate", "coop", "adjusted", "owed"] {
                add(&mut totals, &total[what], what);
            }
        }
        for rebate in items(program, "rebates") {
            add(&mut all, &rebate["amount"], "owed");
        }
    }
    totals.retain(|_, sum| *sum != 0);
    assert_eq!(lines, totals, "{statement}");
    let mut grand = Sums::new();
    for total in items(&statement.body, "totals") {
        for what in ["amount", "rebate", "coop", "adjusted", "owed"] {
            add(&mut grand, &total[what], what);
        }
    }
    grand.retain(|_, sum| *sum != 0);
    assert_eq!(totals, grand);
    totals.retain(|(_, what), _| *what == "owed");
    all.retain(|_, sum| *sum != 0);
    assert_eq!(totals, all, "what is owed is the rebates");
    let listed = story.list(&format!("/v1/earnings?partner_id={}&from={month}&to={month}", story.partner));
    let mut earned = Sums::new();
    for earning in &listed {
        for what in ["amount", "rebate", "coop"] {
            add(&mut earned, &earning[what], what);
        }
    }
    assert_eq!(i64::try_from(listed.len()).unwrap(), count);
    grand.retain(|(_, what), _| ["amount", "rebate", "coop"].contains(what));
    assert_eq!(earned, grand);
    let mut owed = Sums::new();
    for rebate in story.list(&format!("/v1/rebates?partner_id={}&from={month}&to={month}", story.partner)) {
        add(&mut owed, &rebate["amount"], "owed");
    }
    owed.retain(|_, sum| *sum != 0);
    assert_eq!(owed, all);
    statement
}

#[test]
fn the_headings_of_a_table_are_in_the_readers_language() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.10")]));
    world.on("2018-08-20");
    story.sale("1", "2018-08-02", "100.00");
    story.calculate();
    for (language, heading) in
        [("en", "section,program,program_year,"), ("ja", "区分,プログラム,プログラム年度,")]
    {
        let path = format!("/v1/partners/{}/statements/2018-08", story.partner);
        let ask = story.operator.get(&path).header("accept", "text/csv");
        let table = body(&ask.header("accept-language", language).send().ok());
        let first = table.trim_start_matches('\u{feff}').lines().next().unwrap();
        assert!(first.starts_with(heading), "{language}: {first}");
        assert_eq!(first.split(',').count(), 16);
    }
}

#[test]
fn a_statement_adds_up_to_earnings_and_rebates() {
    let world = World::new();
    let story = told(&world);
    let july = adds_up(&story, "2018-07");
    let august = adds_up(&story, "2018-08");
    story.verify();

    assert_eq!((&july["state"], &august["state"]), (&json!("closed"), &json!("open")));
    let program = &july["programs"][0];
    let levers: Vec<_> = items(program, "earnings")
        .iter()
        .map(|line| (text(&line["lever"]), text(&line["terms"]), text(&line["amount"]["amount"])))
        .collect();
    let line = |lever: &str, terms: &str, amount: &str| (lever.into(), terms.into(), amount.into());
    assert_eq!(
        levers,
        [line("core", "8 %", "9600"), line("core", "8 %", "4000.00"), line("extra", "2 %", "900.00")]
    );
    let refused: Vec<_> = items(program, "ineligible")
        .iter()
        .map(|row| {
            let figures = (text(&row["billed"]["amount"]), text(&row["capped"]["amount"]));
            (text(&row["lever"]), text(&row["code"]), row["records"].as_i64().unwrap(), figures)
        })
        .collect();
    let refusal = |lever: &str, code: &str, records: i64, billed: &str, capped: &str| {
        (lever.to_owned(), code.to_owned(), records, (billed.to_owned(), capped.to_owned()))
    };
    assert!(refused.contains(&refusal("extra", "cap_partially_applied", 1, "0.00", "100.00")), "{refused:?}");
    let august = &august["programs"][0];
    let corrected: Vec<_> =
        items(august, "corrections").iter().map(|line| text(&line["earned_in"])).collect();
    assert!(!corrected.is_empty() && corrected.iter().all(|month| month == "2018-07"), "{august}");
    assert!(minor(&items(august, "corrections")[0]["amount"]) < 0);
    // What is payable of July is carried, in both currencies.
    let carried: Vec<_> =
        items(august, "balances").iter().map(|balance| text(&balance["carried_in"]["amount"])).collect();
    assert_eq!(carried, ["5760", "2940.00"]);
    assert!(items(program, "balances").iter().all(|balance| minor(&balance["carried_in"]) == 0));
    assert_eq!(program["rebates"][0]["state"], "payable");

    // The chart's figures are the months' own.
    let mut months = Sums::new();
    for item in items(august, "months").iter().filter(|item| item["month"] == "2018-08") {
        add(&mut months, &item["amount"], "amount");
    }
    let total = items(august, "totals").iter().find(|total| total["amount"]["currency"] == "USD").unwrap();
    assert_eq!(months[&("USD".to_owned(), "amount")], minor(&total["amount"]));
    assert!(items(august, "months").iter().any(|item| item["month"] == "2018-07"));
}

#[test]
fn the_table_carries_the_same_figures() {
    let world = World::new();
    let story = told(&world);
    for month in ["2018-07", "2018-08"] {
        let whole = statement(&story.operator, &story.partner, month);
        let answer = as_media(&story.operator, &story.partner, month, "text/csv");
        let name = format!("attachment; filename=\"statement-4000001-{month}.csv\"");
        assert_eq!(answer.header("content-disposition"), Some(name.as_str()));
        let table = body(&answer);
        let mut rows = table.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
        let head = rows.next().unwrap();
        let at = |name: &str| head.iter().position(|column| column == name).unwrap();
        let rows: Vec<_> = rows.collect();
        assert!(rows.iter().all(|row| row.len() == head.len()), "{table}");
        for total in items(&whole.body, "totals") {
            let currency = text(&total["amount"]["currency"]);
            let of = |section: &str, column: &str| -> i64 {
                let rows = rows.iter().filter(|row| row[0] == section && row[at("currency")] == currency);
                let figures = rows.map(|row| row[at(column)].replace('.', ""));
                figures.filter(|figure| !figure.is_empty()).map(|figure| figure.parse::<i64>().unwrap()).sum()
            };
            for (column, member) in [("amount", "amount"), ("rebate", "rebate"), ("coop", "coop")] {
                let sum = minor(&total[member]);
                assert_eq!(of("earning", column) + of("correction", column), sum, "{currency} {column}");
                assert_eq!((of("total", column), of("grand_total", column)), (sum, sum));
            }
            assert_eq!(of("grand_total", "owed"), minor(&total["owed"]));
        }
    }
    let yen = story.operator.get(&format!("/v1/partners/{}/statements/2018-07?currency=JPY", story.partner));
    let yen = yen.send().ok();
    assert_eq!(items(&yen.body, "totals").len(), 1);
    assert_eq!(yen["totals"][0]["amount"], json!({"amount": "9600", "currency": "JPY"}));
}

#[test]
fn a_closed_month_s_statement_never_changes() {
    let world = World::new();
    let story = told(&world);
    let read = |media: &str| body(&as_media(&story.operator, &story.partner, "2018-07", media));
    let before = ["application/json", "text/csv", "text/html"].map(read);
    world.on("2018-08-25");
    story.sale("7", "2018-07-02", "5000.00");
    story.sale("8", "2018-06-15", "5000.00");
    story.sale("9", "2018-07-02", "500000 JPY");
    story.calculate();
    assert_eq!(["application/json", "text/csv", "text/html"].map(read), before);
    world.on("2018-09-02");
    story.close("2018-08").ok();
    assert_eq!(["application/json", "text/csv", "text/html"].map(read), before);
    adds_up(&story, "2018-08");
    story.verify();
}

#[test]
fn what_is_mended_is_told_in_the_month_it_is_mended_in() {
    let world = World::new();
    let mut asks = version(&json!([flat("core", "0.08")]));
    asks["requirements"] = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
    let operator = world.operator();
    let paper = |partner: &str, number: &str, from: &str, to: &str| {
        let body = json!({
            "partner_id": partner, "agreement_number": number, "signed_by": "Sam Signer", "signed_on": from,
            "effective_on": from, "expires_on": to, "membership_level": "silver", "grace_days": 0,
        });
        operator.post("/v1/mpn-agreements", body).send().ok();
    };
    let story = Story::with(&world, &asks, |partner| paper(partner, "A-1", "2018-07-01", "2018-09-30"));
    world.on("2018-10-20");
    story.sale("1", "2018-10-10", "1000.00");
    story.calculate();
    world.on("2018-11-02");
    story.close("2018-10").ok();
    paper(&story.partner, "A-2", "2018-10-01", "2019-09-30");
    story.calculate();
    story.verify();
    let told = |month: &str| {
        let statement = adds_up(&story, month);
        let row = items(&statement["programs"][0], "ineligible")[0].clone();
        assert_eq!((&row["code"], &row["earned_in"]), (&json!("mpn_agreement_expired"), &json!("2018-10")));
        let remedy = row["remedy"].is_string();
        (row["records"].as_i64().unwrap(), row["cured"].as_i64().unwrap(), minor(&row["billed"]), remedy)
    };
    assert_eq!(told("2018-10"), (1, 0, 100_000, true));
    assert_eq!(told("2018-11"), (0, 1, -100_000, true));
    let november = statement(&story.operator, &story.partner, "2018-11");
    assert_eq!(items(&november["programs"][0], "corrections")[0]["amount"]["amount"], "80.00");
}

/// One operator corrects by hand, another approves.
fn adjust(story: &Story<'_>, amount: &str) {
    let proposal = json!({
        "enrollment_id": story.enrollment, "amount": {"amount": amount, "currency": "USD"},
        "earned_in": "2018-07", "reason_code": "dispute", "comment": "=SUM(A1), agreed",
    });
    let id = story.operator.post("/v1/adjustments", proposal).send().ok().id();
    let colleague = story.world.api_client(Role::Operator, None, "adjustments:write");
    let because = json!({"comment": "Compared with the credit note"});
    colleague.post(&format!("/v1/adjustments/{id}/approval"), because).send().ok();
}

#[test]
fn what_is_adjusted_by_hand_is_told_apart_and_owed() {
    let world = World::new();
    let story = told(&world);
    let owed = |statement: &Answer| minor(&items(&statement.body, "totals").last().unwrap()["owed"]);
    let before = owed(&adds_up(&story, "2018-08"));
    adjust(&story, "-123.45");
    let august = adds_up(&story, "2018-08");
    assert_eq!(owed(&august), before - 12_345);
    let told = &items(&august["programs"][0], "adjustments")[0];
    assert_eq!((&told["earned_in"], &told["reason_code"]), (&json!("2018-07"), &json!("dispute")));
    let table = body(&as_media(&story.operator, &story.partner, "2018-08", "text/csv"));
    assert!(table.contains("\"'=SUM(A1), agreed\"") && table.contains(",-123.45,-123.45\r\n"), "{table}");
    let page = body(&as_media(&story.operator, &story.partner, "2018-08", "text/html"));
    assert!(page.contains("=SUM(A1), agreed") && page.contains("\u{2212}123.45"));
    let summary = story.operator.get(&format!("/v1/partners/{}/summary", story.partner)).send().ok();
    let year = items(&summary["enrollments"][0], "this_year").last().unwrap();
    assert_eq!(year["adjusted"]["amount"], "-123.45");
    story.verify();
}

#[test]
fn a_sum_that_is_not_what_it_sums_is_found() {
    let world = World::new();
    told(&world);
    let spoil = |sql: &'static str, name: &str| {
        let spoil = move |conn: &mut Conn| Ok(behind_the_service(|| sql_query(sql).execute(conn)).map(drop)?);
        world.service.db.write(spoil).unwrap();
        let findings = world.service.app.read_as_system(verify::sums_of_books).unwrap();
        let wrong: Vec<_> = findings.iter().filter(|finding| finding.difference.is_some()).collect();
        assert!(wrong.iter().any(|finding| finding.name == name), "{wrong:?}");
    };
    spoil("UPDATE lever_months SET base = base + 1", "the months of levers are their earnings");
    spoil(
        "UPDATE ineligible_months SET capped = capped + 1",
        "the months of what did not earn are its records",
    );
}

#[test]
fn an_open_month_without_anything_is_empty_and_a_month_without_a_statement_is_not_found() {
    let world = World::new();
    let story = told(&world);
    world.on("2018-12-01");
    let december = adds_up(&story, "2018-12");
    assert_eq!((&december["state"], &december["totals"]), (&json!("open"), &json!([])));
    assert_eq!(items(&december["programs"][0], "earnings").len(), 0);
    assert!(body(&as_media(&story.operator, &story.partner, "2018-12", "text/html")).contains("<svg"));
    // Before the first month, ahead of today, and of a partner that has no program.
    let newcomer = crate::suite::partners::partner(2, "direct_bill");
    let newcomer = story.operator.post("/v1/partners", newcomer).send().ok().id();
    for (partner, month) in [
        (&story.partner, "2001-02"),
        (&story.partner, "2019-01"),
        (&newcomer, "2018-07"),
        (&newcomer, "2018-12"),
    ] {
        let path = format!("/v1/partners/{partner}/statements/{month}");
        story.operator.get(&path).send().refused(404, "not_found");
    }
}

#[test]
fn a_statement_is_the_partner_s_and_its_headquarters() {
    let world = World::new();
    let story = told(&world);
    let operator = &story.operator;
    let new = |n| crate::suite::partners::partner(n, "direct_bill");
    let above = operator.post("/v1/partners", new(2)).send().ok().id();
    let beside = operator.post("/v1/partners", new(3)).send().ok().id();
    let join = json!({"headquarters_id": above});
    operator.patch(&format!("/v1/partners/{}", story.partner), join).if_match("*").send().ok();
    let paths =
        ["summary", "statements/2018-07"].map(|part| format!("/v1/partners/{}/{part}", story.partner));
    for path in &paths {
        let own = world.viewer_of(&story.partner).get(path).send().ok().body;
        for client in [world.admin_of(&story.partner), world.admin_of(&above), world.auditor()] {
            let read = client.get(path).send().ok().body;
            assert_eq!(read["programs"], own["programs"], "{path}");
        }
        world.admin_of(&beside).get(path).send().refused(404, "not_found");
        world.nobody().get(path).send().refused(401, "unauthenticated");
    }
    // The set-up of this one is not completed.
    let newcomer = operator.post("/v1/partners", new(4)).send().ok().id();
    let admin = world.newcomer_of(&newcomer, Role::IncentiveAdmin);
    for part in ["summary", "statements/2018-07"] {
        admin.get(&format!("/v1/partners/{newcomer}/{part}")).send().refused(403, "setup_incomplete");
    }
    let client = world.api_client(Role::Viewer, Some(&story.partner), "statements:read");
    client.get(&paths[1]).send().ok();
    world
        .api_client(Role::Viewer, Some(&story.partner), "rebates:read")
        .get(&paths[1])
        .send()
        .refused(403, "insufficient_scope");
}

#[test]
fn the_accept_field_chooses_how_a_statement_is_read() {
    let world = World::new();
    let story = told(&world);
    let path = format!("/v1/partners/{}/statements/2018-07", story.partner);
    let ask = |accept: &str| story.operator.get(&path).header("accept", accept).send();
    for (accept, media) in [
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/csv;q=0.5, text/html;q=0.4", "text/csv"),
    ] {
        let answer = ask(accept).ok();
        assert_eq!(answer.header("content-type").unwrap().split(';').next(), Some(media), "{accept}");
    }
    for accept in ["application/pdf", "application/x-ndjson", "text/html;q=0"] {
        ask(accept).refused(406, "not_acceptable");
    }
    story.operator.get(&format!("{path}?colour=red")).send().refused(400, "unknown_parameter");
    story.operator.get(&path.replace("2018-07", "2018-13")).send().refused(404, "not_found");
}

#[test]
fn a_page_runs_nothing_whatever_names_say() {
    let world = World::new();
    let story = told(&world);
    let hostile = "<script>alert(1)</script> & \"Söhne\" <b>'x'</b>";
    let name = json!({"legal_name": hostile});
    story.operator.patch(&format!("/v1/partners/{}", story.partner), name).if_match("*").send().ok();
    let answer = as_media(&story.operator, &story.partner, "2018-08", "text/html");
    let page = body(&answer);
    assert!(!page.contains("<script") && !page.contains("<b>") && page.contains("&lt;script&gt;"), "{page}");
    assert!(!page.contains("style=") && !page.contains("onload="), "{page}");
    for outside in ["http://", "https://", "url(", "@import"] {
        let found = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!found.contains(outside), "{outside}");
    }
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"));
    assert!(page.contains("<svg") && page.contains("<title>Earnings by month and lever, USD</title>"));
    assert!(page.contains("4,000.00") && page.contains("scope=\"row\""));
    let table = body(&as_media(&story.operator, &story.partner, "2018-07", "text/csv"));
    assert!(table.contains("4000.00") && !table.contains("4,000.00"));
}

#[test]
fn a_page_is_written_in_the_reader_s_language() {
    let world = World::new();
    let story = told(&world);
    let admin = world.admin_of(&story.partner);
    let page = |client: &Client| body(&as_media(client, &story.partner, "2018-07", "text/html"));
    assert!(page(&admin).contains("<html lang=\"en\">") && page(&admin).contains("July 2018"));
    admin.patch("/v1/me", json!({"locale": "ja"})).if_match("*").send().ok();
    assert!(page(&admin).contains("<html lang=\"ja\">") && page(&admin).contains("2018年7月"));
    let client = world.api_client(Role::Viewer, Some(&story.partner), "statements:read");
    let path = format!("/v1/partners/{}/statements/2018-07", story.partner);
    let answer = client.get(&path).header("accept", "text/html").header("accept-language", "ja-JP, en;q=0.8");
    assert!(body(&answer.send().ok()).contains("インセンティブ明細書"));
}

/// A lever that gives each slice of the year's volume its own rate, or the whole the rate it reaches.
fn tiered(scale: &str, grain: &str) -> Value {
    let tier = |from: &str, rate: &str| json!({"from": {"amount": from, "currency": "USD"}, "rate": rate});
    let tiers = json!([tier("0.00", "0.02"), tier("50000.00", "0.04"), tier("150000.00", "0.06")]);
    let scale = json!({"type": scale, "period": "program_year", "tiers": tiers});
    json!({"type": "core", "code": scale["type"], "name": "Core", "scale": scale, "grain": grain})
}

/// Rate, base and amount of the slices of each line of a list, which add up to the line.
fn slices(statement: &Answer, list: &str) -> Vec<Vec<[String; 3]>> {
    let of_line = |line: &Value| {
        let slices = items(line, "slices");
        for sum in ["base", "amount"] {
            let parts: i64 = slices.iter().map(|slice| minor(&slice[sum])).sum();
            assert!(slices.is_empty() || parts == minor(&line[sum]), "{line}");
            assert!(slices.iter().all(|slice| slice[sum]["currency"] == line[sum]["currency"]));
        }
        let slice = |slice: &Value| {
            [text(&slice["rate"]), text(&slice["base"]["amount"]), text(&slice["amount"]["amount"])]
        };
        slices.iter().map(slice).collect()
    };
    items(&statement["programs"][0], list).iter().map(of_line).collect()
}

fn slice(rate: &str, base: &str, amount: &str) -> [String; 3] {
    [rate, base, amount].map(str::to_owned)
}

#[test]
fn a_line_with_two_rates_shows_its_slices_and_they_add_up() {
    for (grain, customer) in [("transaction", 1), ("customer_month", 1), ("month", 0)] {
        let world = World::new();
        let mut capped = tiered("marginal", grain);
        capped["code"] = json!("capped");
        let holder = ["partner", "customer"][customer];
        capped["cap"] = json!({"scope": holder, "amount": {"amount": "1100.00", "currency": "USD"}});
        let story = Story::new(&world, &json!([flat("flat", "0.08"), tiered("marginal", grain), capped]));
        world.on("2018-07-20");
        let first = story.sale("1", "2018-07-05", "30000.00");
        story.sale("2", "2018-07-06", "30000.01");
        story.calculate();
        let july = adds_up(&story, "2018-07");
        let sliced = [slice("0.02", "50000.00", "1000.00"), slice("0.04", "10000.01", "400.00")];
        let cut = [slice("0.02", "50000.00", "1000.00"), slice("0.04", "10000.01", "100.00")];
        assert_eq!(slices(&july, "earnings"), [vec![], sliced.to_vec(), cut.to_vec()], "{grain}");
        // On the table and on the page, too.
        let table = body(&as_media(&story.operator, &story.partner, "2018-07", "text/csv"));
        let rows: Vec<&str> = table.lines().filter(|row| row.starts_with("earning_slice,")).collect();
        assert_eq!(rows.len(), 4, "{table}");
        assert_eq!(
            rows[1],
            "earning_slice,rewards,2019,marginal,2018-07,,Core,,0.04,USD,10000.01,400.00,,,,"
        );
        let admin = world.admin_of(&story.partner);
        let page = body(&as_media(&admin, &story.partner, "2018-07", "text/html"));
        assert_eq!(page.matches("of which at 4\u{a0}%").count(), 2, "{page}");
        assert!(page.contains("<td class=\"n\">10,000.01</td>"));
        admin.patch("/v1/me", json!({"locale": "ja"})).if_match("*").send().ok();
        let page = body(&as_media(&admin, &story.partner, "2018-07", "text/html"));
        assert!(page.contains("うち料率 4\u{a0}%") && !page.contains("of which"), "{page}");
        // A month beyond the boundary has one rate; a refund that takes July back below it corrects both slices.
        world.on("2018-08-20");
        story.sale("3", "2018-08-05", "1000.00");
        story.calculate();
        let august = adds_up(&story, "2018-08");
        assert_eq!(slices(&august, "earnings")[1], Vec::<[String; 3]>::new(), "{grain}");
        story.close("2018-07").ok();
        story.refund("4", &first, "2018-08-10", "-20000.00");
        story.calculate();
        let august = adds_up(&story, "2018-08");
        let back = [slice("0.02", "-9999.99", "-200.00"), slice("0.04", "-10000.01", "-400.00")];
        assert_eq!(slices(&august, "corrections")[1], back, "{grain}");
        assert_eq!(slices(&august, "earnings")[1], Vec::<[String; 3]>::new(), "all of August at 2 % now");
        let table = body(&as_media(&story.operator, &story.partner, "2018-08", "text/csv"));
        assert!(
            table.contains(
                "\r\ncorrection_slice,rewards,2019,marginal,2018-07,,Core,,0.02,USD,-9999.99,-200.00"
            )
        );
        story.verify();
    }
}

#[test]
fn a_month_that_lifts_earlier_months_shows_what_they_had() {
    let world = World::new();
    let story = Story::new(&world, &json!([tiered("retroactive", "month")]));
    let mut lines = Vec::new();
    for (n, amount) in ["40000.00", "5000.00", "20000.00"].iter().enumerate() {
        let month = format!("2018-{:02}", 7 + n);
        world.on(&format!("{month}-20"));
        story.sale(&month, &format!("{month}-05"), amount);
        story.calculate();
        lines.extend(slices(&adds_up(&story, &month), "earnings"));
    }
    let lifted = vec![slice("0.02", "-45000.00", "-900.00"), slice("0.04", "65000.00", "2600.00")];
    assert_eq!(lines, [vec![], vec![], lifted]);
    let spoil = |conn: &mut Conn| {
        let spoil = sql_query("UPDATE lever_rates SET amount = amount + 1");
        Ok(behind_the_service(|| spoil.execute(conn)).map(drop)?)
    };
    story.verify();
    world.service.db.write(spoil).unwrap();
    let findings = world.service.app.read_as_system(verify::sums_of_books).unwrap();
    let wrong: Vec<_> = findings.iter().filter(|finding| finding.difference.is_some()).collect();
    assert_eq!(wrong[0].name, "the slices of levers add up to their months");
}

#[test]
fn reasons_are_told_in_the_reader_s_language_in_whatever_form() {
    let world = World::new();
    let story = told(&world);
    let admin = world.admin_of(&story.partner);
    adjust(&story, "-1.00");
    let because = json!({"reason": "Sales figures are being clarified"});
    // The capped lever waits for a rate.
    story.sale("8", "2018-08-11", "10.00 EUR");
    story.calculate();
    let of_july = story.list("/v1/rebates?currency=USD&to=2018-07")[0].clone();
    let rebate = format!("/v1/rebates/{}", text(&of_july["id"]));
    story.operator.post(&format!("{rebate}/hold"), because).send().ok();
    // What is read, and where texts stand in it.
    let summary = format!("/v1/partners/{}/summary", story.partner);
    let statement = |month: &str| format!("/v1/partners/{}/statements/{month}", story.partner);
    let records = "/v1/ineligible-records?cured=false".to_owned();
    let simulation = json!({
        "partner_id": story.partner, "program": story.program, "month": "2018-08", "sales": [{
            "kind": "purchase", "reference": "deal", "occurred_on": "2018-08-12",
            "amount": {"amount": "10.00", "currency": "EUR"}, "customer": {"id": "C-1", "country": "DE"},
            "product": "SKU-1", "product_family": "azure",
        }],
    });
    let texts = [
        (rebate.clone(), "/state_reason/detail"),
        ("/v1/rebates?to=2018-07&currency=USD".to_owned(), "/items/0/state_reason/detail"),
        (statement("2018-07"), "/programs/0/rebates/0/state_reason/detail"),
        (statement("2018-07"), "/programs/0/ineligible/0/message"),
        (summary, "/enrollments/0/next_payment/2/on_hold/0/detail"),
        (records.clone(), "/items/0/message"),
        (records, "/items/0/remedy"),
    ];
    let read = |path: &str, asked: Option<&str>| {
        let get = admin.get(path);
        asked.map_or(get, |asked| admin.get(path).header("accept-language", asked)).send().ok()
    };
    let is_japanese = |answer: &Answer, pointer: &str| {
        let said = answer.body.pointer(pointer).and_then(Value::as_str);
        !said.unwrap_or_else(|| panic!("no {pointer}: {answer}")).is_ascii()
    };
    for (path, pointer) in &texts {
        assert!(!is_japanese(&read(path, None), pointer), "{path}{pointer}");
        assert!(is_japanese(&read(path, Some("ja-JP, en;q=0.5")), pointer), "{path}{pointer}");
    }
    let tags = [None, Some("ja")].map(|asked| read(&rebate, asked).header("etag").unwrap().to_owned());
    assert_ne!(tags[0], tags[1]);
    assert_eq!(read(&rebate, None).header("vary").unwrap().to_lowercase(), "accept-language");
    admin.patch("/v1/me", json!({"locale": "ja"})).if_match("*").send().ok();
    for (path, pointer) in &texts {
        assert!(is_japanese(&read(path, None), pointer), "{path}{pointer}");
        assert!(!is_japanese(&read(path, Some("en")), pointer), "{path}{pointer}");
    }
    let simulated = admin.post("/v1/earning-simulations", simulation).send().ok();
    assert!(
        is_japanese(&simulated, "/ineligible/0/message") && is_japanese(&simulated, "/ineligible/0/remedy")
    );
    let table = body(&as_media(&admin, &story.partner, "2018-07", "text/csv"));
    assert!(table.starts_with("区分,プログラム,") && !table.is_ascii(), "{table}");
    let page = body(&as_media(&admin, &story.partner, "2018-08", "text/html"));
    assert!(
        page.contains("異議の認容") && !page.contains("lang=\"en\"") && !page.contains(">dispute<"),
        "{page}"
    );
}

/// Writes pages to look at, where `STATEMENT_PAGES` names a folder.
#[test]
fn every_shape_of_a_statement_becomes_a_page() {
    let folder = std::env::var_os("STATEMENT_PAGES").map(std::path::PathBuf::from);
    let keep = |name: &str, page: &str| {
        assert!(page.ends_with("</html>\n") || page.ends_with("</html>"), "{page}");
        if let Some(folder) = &folder {
            std::fs::write(folder.join(name), page).unwrap();
        }
    };
    let names = [
        "Core rate",
        "Strategic products",
        "Customers of the public sector beyond the first thousand seats",
        "Growth",
        "Azure",
        "Modern work and everything that belongs to it",
        "Devices",
        "Security",
    ];
    let world = World::new();
    let story = told(&world);
    for month in ["2018-07", "2018-08"] {
        keep(
            &format!("told-{month}.html"),
            &body(&as_media(&story.operator, &story.partner, month, "text/html")),
        );
    }
    for count in [1_usize, 8] {
        let world = World::new();
        let lever = |(n, name): (usize, &&str)| {
            let mut lever = flat(&format!("lever-{n}"), &format!("0.0{}", 8 - n));
            lever["name"] = json!(name);
            lever
        };
        let levers: Vec<Value> = names.iter().take(count).enumerate().map(lever).collect();
        let story = Story::new(&world, &json!(levers));
        let long =
            "Vereinigte Aktiengesellschaft für Wolkendienste und digitale Arbeitsplätze Niederlassung Süd";
        let name = json!({"legal_name": long});
        story.operator.patch(&format!("/v1/partners/{}", story.partner), name).if_match("*").send().ok();
        let mut sales = Vec::new();
        for n in 0..12_usize {
            let (year, month) = if n < 6 { (2018, n + 7) } else { (2019, n - 5) };
            world.on(&format!("{year}-{month:02}-27"));
            let amount = 9_000 + (n * 7_919) % 31_000;
            sales.push(story.sale(
                &format!("s{n}"),
                &format!("{year}-{month:02}-05"),
                &format!("{amount}.{n:02}"),
            ));
            story.sale(&format!("o{n}"), "2018-05-05", "10.00");
            if n % 5 == 4 {
                let taken = 9_000 + ((n - 1) * 7_919) % 31_000;
                story.refund(
                    &format!("r{n}"),
                    &sales[n - 1],
                    &format!("{year}-{month:02}-20"),
                    &format!("-{taken}.{:02}", n - 1),
                );
                story
                    .report(
                        &format!("r2{n}"),
                        &format!("{year}-{month:02}-21"),
                        "-8000.00",
                        &json!({
                    "kind": "refund", "original_transaction_id": sales[n - 2]}),
                    )
                    .ok();
            }
            story.calculate();
            if n == 0 {
                let page = as_media(&story.operator, &story.partner, "2018-07", "text/html");
                keep(&format!("first-{count}.html"), &body(&page));
            }
            let next = if month == 12 {
                format!("{}-01-02", year + 1)
            } else {
                format!("{year}-{:02}-02", month + 1)
            };
            world.on(&next);
            story.close(&format!("{year}-{month:02}")).ok();
        }
        story.verify();
        let page = as_media(&story.operator, &story.partner, "2019-06", "text/html");
        keep(&format!("year-{count}.html"), &body(&page));
        adds_up(&story, "2019-05");
        let admin = world.admin_of(&story.partner);
        admin.patch("/v1/me", json!({"locale": "ja"})).if_match("*").send().ok();
        keep(
            &format!("japanese-{count}.html"),
            &body(&as_media(&admin, &story.partner, "2018-11", "text/html")),
        );
    }
}
