//! Statements of closed months: stored when the month closes, and the same whatever becomes of what they name.

use crate::{
    suite::{
        calculation::{Story, flat, text, version},
        mail,
        partners::partner,
        profiles,
        tampering::everything_is_allowed,
    },
    support::{Client, MailServer, World, statements::behind_the_service, wait_for},
};
use diesel::connection::SimpleConnection;
use partner_incentives::{app, slice::VerifyFinding};
use serde_json::{Value, json};

const MEDIA: [&str; 3] = ["application/json", "text/csv", "text/html"];

fn path(story: &Story<'_>, month: &str) -> String {
    format!("/v1/partners/{}/statements/{month}", story.partner)
}

/// A month's statement in every form and language.
fn forms(client: &Client, path: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for language in ["en", "ja"] {
        for media in MEDIA {
            let get = client.get(path).header("accept", media).header("accept-language", language);
            forms.push(String::from_utf8(get.send().ok().bytes).unwrap());
        }
    }
    forms
}

fn minor(money: &Value) -> i64 {
    text(&money["amount"]).replace('.', "").parse().unwrap()
}

/// A partner of two programs: one that it joined, and one that it was asked into and has not joined.
fn invited(world: &World) -> Story<'_> {
    let story = Story::new(world, &json!([flat("core", "0.08")]));
    world.on("2018-07-20");
    story.sale("1", "2018-07-05", "1000.00");
    story.sale("2", "2018-06-05", "70.00");
    story.calculate();
    story
}

/// What the check of the stored statements finds.
fn finding(world: &World) -> VerifyFinding {
    let check = app::checks().find(|check| check.name == "statements").unwrap();
    world.service.app.read_as_system(|tx| (check.run)(tx, None)).unwrap()
}

#[test]
fn a_closed_statement_never_changes_whatever_becomes_of_what_it_names() {
    let world = World::new();
    let story = invited(&world);
    let operator = &story.operator;
    world.on("2018-08-03");
    story.close("2018-07").ok();
    let july = path(&story, "2018-07");
    let before = forms(operator, &july);
    let stored = operator.get(&july).send().ok();
    assert_eq!(stored["programs"][0]["rebates"][0]["state"], "payable");
    assert_eq!(text(&stored["sha256"]).len(), 64);
    assert!(before[5].contains(&text(&stored["sha256"])), "the page shows the hash");
    assert!(before[3].contains("プログラムの最低支払額"), "{}", before[3]);

    // The partner and the program are renamed, the rebate is held, a later version changes the levers, another program is
    // made and joined, and sales come late: of July, and of before.
    let renamed = json!({"legal_name": "Fabrikam AG"});
    operator.patch(&format!("/v1/partners/{}", story.partner), renamed).if_match("*").send().ok();
    let heading = json!({"name": "Another heading"});
    operator.patch("/v1/programs/rewards", heading).if_match("*").send().ok();
    let rebate = text(&story.list("/v1/rebates")[0]["id"]);
    let because = json!({"reason": "Figures are being clarified"});
    operator.post(&format!("/v1/rebates/{rebate}/hold"), because).send().ok();
    let other = json!({"code": "other", "name": "Other", "partner_types": ["direct_bill"]});
    operator.post("/v1/programs", other).send().ok();
    operator.post("/v1/programs/other/versions", version(&json!([flat("second", "0.01")]))).send().ok();
    operator.post("/v1/programs/other/versions/1/publication", json!({})).if_match("*").send().ok();
    let asked = json!({"partner_id": story.partner, "program": "other", "reason": "By telephone"});
    operator.post("/v1/enrollments", asked).send().ok();
    story.sale("3", "2018-07-06", "5000.00");
    story.sale("4", "2018-06-07", "900.00");
    story.calculate();
    assert_eq!(forms(operator, &july), before);

    // What came late stands on the next statement, which is told in the words of now.
    world.on("2018-09-03");
    story.close("2018-08").ok();
    assert_eq!(forms(operator, &july), before);
    let august = operator.get(&path(&story, "2018-08")).send().ok();
    assert_eq!(august["partner"]["legal_name"], "Fabrikam AG");
    let rewards =
        august["programs"].as_array().unwrap().iter().find(|it| it["program"] == "rewards").unwrap();
    assert_eq!(rewards["name"], "Another heading");
    assert_eq!(rewards["corrections"][0]["amount"]["amount"], "400.00");
    let programs = |answer: &Value| answer["programs"].as_array().unwrap().len();
    assert_eq!((programs(&stored.body), programs(&august.body)), (1, 2));
    story.verify();
    assert!(matches!(finding(&world), VerifyFinding::Sound(_)));
}

#[test]
fn a_currency_of_a_closed_statement_is_read_from_what_is_stored() {
    let world = World::new();
    let story = invited(&world);
    story.sale("5", "2018-07-06", "120000 JPY");
    story.calculate();
    world.on("2018-08-03");
    story.close("2018-07").ok();
    let yen = story.operator.get(&path(&story, "2018-07")).query("currency", "JPY").send().ok();
    let program = &yen["programs"][0];
    for list in ["earnings", "rebates", "balances", "totals", "months"] {
        let rows = program[list].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{list}: {yen}");
        assert!(rows[0].to_string().contains("JPY") && !rows[0].to_string().contains("USD"), "{list}");
    }
    assert_eq!(yen["sha256"].as_str().map(str::len), Some(64));
}

#[test]
fn a_stored_statement_that_was_changed_or_removed_is_found() {
    for (spoil, found) in [
        ("UPDATE statements SET content = replace(content, '1000.00', '9000.00')", "is not the one stored"),
        ("DELETE FROM statements", "0 statements, where 1 were stored"),
        (
            "UPDATE statements SET content = '{}', sha256 = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'",
            "or others",
        ),
    ] {
        let world = World::new();
        let story = invited(&world);
        world.on("2018-08-03");
        story.close("2018-07").ok();
        assert!(matches!(finding(&world), VerifyFinding::Sound(_)));
        let mut conn = world.service.db.target().open().unwrap();
        let refused = behind_the_service(|| conn.batch_execute(spoil)).expect_err(spoil).to_string();
        assert!(refused.contains("a statement of a closed month never changes"), "{refused}");
        let mut conn = everything_is_allowed(&world);
        behind_the_service(|| conn.batch_execute(spoil)).unwrap();
        let VerifyFinding::Broken(difference) = finding(&world) else { panic!("{spoil} was not found") };
        assert!(difference.contains(found), "{difference}");
    }
}

#[test]
fn partners_list_the_months_they_have_statements_of() {
    let world = World::new();
    let story = invited(&world);
    let admin = world.admin_of(&story.partner);
    let list = format!("/v1/partners/{}/statements", story.partner);
    assert_eq!(admin.get(&list).send().ok()["items"], json!([]), "an open month is in no list");
    for (day, month) in [("2018-08-03", "2018-07"), ("2018-09-03", "2018-08"), ("2018-10-03", "2018-09")] {
        world.on(day);
        story.close(month).ok();
    }
    // July's rebate is below the threshold, and stays owed with every month.
    let first = admin.get(&list).query("limit", 2).query("include_total", true).send().ok();
    let months = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| text(&item["month"])).collect()
    };
    assert_eq!((months(&first.body), &first["total"]), (vec!["2018-09".into(), "2018-08".into()], &json!(3)));
    let rest = admin.get(&list).query("limit", 2).query("cursor", text(&first["next_cursor"])).send().ok();
    assert_eq!((months(&rest.body), &rest["next_cursor"]), (vec!["2018-07".into()], &json!(null)));
    for item in first["items"].as_array().unwrap() {
        let statement = admin.get(&format!("{list}/{}", text(&item["month"]))).send().ok();
        assert_eq!(statement["sha256"], item["sha256"]);
    }
    // Another partner's people see none of it; a partner that nothing was owed has none.
    let other = story.operator.post("/v1/partners", partner(9, "direct_bill")).send().ok().id();
    world.admin_of(&other).get(&list).send().refused(404, "not_found");
    let none = format!("/v1/partners/{other}/statements");
    assert_eq!(world.admin_of(&other).get(&none).send().ok()["items"], json!([]));
    world.admin_of(&other).get(&format!("{none}/2018-07")).send().refused(404, "not_found");
    // By the MPN id, too.
    assert_eq!(months(&admin.get("/v1/partners/4000001/statements").send().ok().body).len(), 3);
}

#[test]
fn incentive_admins_are_told_once_that_a_statement_is_there() {
    let world = World::new();
    let story = invited(&world);
    let (admin, viewer) = (world.admin_of(&story.partner), world.viewer_of(&story.partner));
    admin.patch("/v1/me", json!({"locale": "ja"})).if_match("*").send().ok();
    let told = |client: &Client| {
        let page = client.get("/v1/notifications").query("kind", "statement_ready").send().ok();
        page["items"].as_array().unwrap().iter().map(|item| text(&item["subject"])).collect::<Vec<_>>()
    };
    assert_eq!(told(&admin), [""; 0]);
    world.on("2018-08-03");
    story.close("2018-07").ok();
    story.close("2018-07").refused(409, "month_closed");
    let subjects = told(&admin);
    assert_eq!(subjects.len(), 1);
    assert!(subjects[0].contains("2018年7月分"), "{subjects:?}");
    assert_eq!(told(&viewer), [""; 0]);
    // Everybody who administers the partner is told, in a language of their own.
    let all = told(&story.operator);
    assert!(all.iter().any(|subject| subject.contains("the statement of July 2018 is there")), "{all:?}");
}

#[test]
fn the_mail_of_a_closed_month_arrives() {
    let Some(server) = MailServer::running() else { return };
    let world = mail::world(&server);
    let story = invited(&world);
    let admin = world.admin_of(&story.partner);
    let address = text(&admin.get("/v1/me").send().ok()["email"]);
    admin.patch("/v1/me", json!({"locale": "ja"})).if_match("*").send().ok();
    world.on("2018-08-03");
    story.close("2018-07").ok();
    let arrived = wait_for("the mail", || {
        let mails = server.mails();
        let found = mails.iter().find(|mail| {
            mail["to"] == json!([address]) && mail["subject"].as_str().unwrap().contains("2018年7月分")
        });
        found.cloned().ok_or_else(|| format!("{mails:?}"))
    });
    assert_eq!(arrived["encrypted"], true);
    // It leads to where the statement is.
    assert!(text(&arrived["text"]).contains("https://pi.vendor.example"), "{arrived}");
}

#[test]
fn closing_has_a_preview_and_keeps_its_report() {
    let world = World::new();
    let story = invited(&world);
    let operator = &story.operator;
    // Another partner is above the threshold; a third has no profiles.
    let rich = story.another(2);
    world.on("2018-07-21");
    rich.sale("r1", "2018-07-06", "10000.00");
    story.calculate();
    let admin = world.admin_of(&rich.partner);
    let tax = profiles::vat("DE987654321");
    world.on("2018-07-28");
    let closure = "/v1/accounting-months/2018-07/closure";
    let look = || operator.get(closure).send().ok();
    let early = look();
    assert_eq!((&early["state"], &early["obstacle"]["code"]), (&json!("open"), &json!("month_not_over")));

    world.on("2018-08-03");
    let proposal = json!({
        "enrollment_id": story.enrollment, "amount": {"amount": "5.00", "currency": "USD"},
        "earned_in": "2018-07", "reason_code": "goodwill", "comment": "For the delay",
    });
    operator.post("/v1/adjustments", proposal).send().ok();
    story.sale("6", "2018-07-30", "100.00");
    let busy = look();
    assert_eq!((&busy["obstacle"]["code"], &busy["waiting"]), (&json!("calculation_needed"), &json!(1)));
    story.calculate();
    // 60 % of 88.00 and of 800.00.
    let ready = look();
    assert_eq!(ready["obstacle"], json!(null));
    assert_eq!((&ready["proposed_adjustments"], &ready["statements"]), (&json!(1), &json!(2)));
    let parts = |report: &Value| {
        let sum = &report["owed"][0];
        let owed = ["carried_in", "new", "paid", "carried_out", "payable", "below_threshold", "on_hold"];
        owed.map(|part| minor(&sum[part]))
    };
    assert_eq!(parts(&ready.body), [0, 53_280, 0, 53_280, 48_000, 5_280, 0]);
    // A profile that is filed anew waits for approval, and holds what its partner is owed.
    admin.put(&format!("/v1/partners/{}/tax-profile", rich.partner), tax).if_match("*").send().ok();
    story.calculate();
    let held = look();
    assert_eq!(parts(&held.body), [0, 53_280, 0, 53_280, 0, 5_280, 48_000]);
    assert_eq!(held["profiles"], json!({"missing": 0, "pending": 1, "action_required": 0, "cooling_off": 0}));

    world.auditor().get(closure).send().ok();
    world.admin_of(&story.partner).get(closure).send().refused(403, "forbidden");
    let reported = operator.post(closure, json!({"reason": "All sales are in"})).send().ok();
    assert_eq!((&reported["state"], &reported["reason"]), (&json!("closed"), &json!("All sales are in")));
    for same in
        ["owed", "profiles", "statements", "proposed_adjustments", "missing_partners", "missing_rates"]
    {
        assert_eq!(reported[same], held[same], "{same}");
    }
    // The report is kept: later facts do not change it.
    operator.post(&format!("/v1/partners/{}/tax-profile/approval", rich.partner), json!({})).send().ok();
    assert_eq!(look().body, reported.body);
    // The next month carries in what this one carried out.
    let next = operator.get("/v1/accounting-months/2018-08/closure").send().ok();
    assert_eq!(parts(&next.body), [53_280, 0, 0, 53_280, 48_000, 5_280, 0]);
}

#[test]
fn a_rate_that_is_missing_is_told_before_the_month_is_closed() {
    let world = World::new();
    let mut capped = flat("capped", "0.08");
    capped["cap"] = json!({"scope": "partner", "amount": {"amount": "900.00", "currency": "USD"}});
    let story = Story::new(&world, &json!([capped]));
    world.on("2018-07-20");
    story.sale("1", "2018-07-05", "1000.00 CHF");
    story.calculate();
    world.on("2018-08-03");
    let preview = story.operator.get("/v1/accounting-months/2018-07/closure").send().ok();
    assert_eq!(preview["missing_rates"], json!([{"month": "2018-07", "currency": "CHF"}]));
}

#[test]
fn carried_in_new_paid_and_carried_out_add_up_from_month_to_month() {
    let world = World::new();
    let story = invited(&world);
    let mut carried: Option<i64> = None;
    let mut missing = Vec::new();
    for (n, (day, month)) in [("2018-08-03", "2018-07"), ("2018-09-03", "2018-08"), ("2018-10-03", "2018-09")]
        .into_iter()
        .enumerate()
    {
        world.on(day);
        if n > 0 {
            story.sale(&format!("m{n}"), &format!("{month}-05"), "2000.00");
            story.calculate();
        }
        let open = story.operator.get(&path(&story, month)).send().ok();
        story.close(month).ok();
        let closed = story.operator.get(&path(&story, month)).send().ok();
        let balance = &closed["programs"][0]["balances"][0];
        assert_eq!(
            balance, &open["programs"][0]["balances"][0],
            "an open month is shown as if it were closed"
        );
        let part = |name: &str| minor(&balance[name]);
        assert_eq!(part("carried_in") + part("new") - part("paid"), part("carried_out"), "{balance}");
        assert_eq!(part("carried_in"), carried.unwrap_or(0), "{balance}");
        carried = Some(part("carried_out"));
        let short = balance["missing"].is_object().then(|| part("missing"));
        if let Some(short) = short {
            assert_eq!(part("carried_out") - part("on_hold") + short, part("threshold"), "{balance}");
        }
        missing.push(short);
        // The same figures in the table, and on the page.
        let table = String::from_utf8(
            story.operator.get(&path(&story, month)).header("accept", "text/csv").send().ok().bytes,
        )
        .unwrap();
        for section in ["carried_in", "new", "paid", "carried_out", "on_hold"] {
            let row =
                format!("{section},rewards,2019,,,,,,,USD,,,,,,{}\r\n", text(&balance[section]["amount"]));
            assert!(table.contains(&row), "{row}: {table}");
        }
        let page = String::from_utf8(
            story.operator.get(&path(&story, month)).header("accept", "text/html").send().ok().bytes,
        )
        .unwrap();
        assert!(page.contains("Carried out") && page.contains("Missing to the threshold"), "{page}");
    }
    // 48.00, 144.00 and 240.00 of 200.00.
    assert_eq!(missing, [Some(15_200), Some(5_600), None]);
    story.verify();
}

#[test]
fn a_link_opens_one_statement_in_a_browser_for_five_minutes() {
    let world = World::new();
    let story = invited(&world);
    world.on("2018-08-03");
    story.close("2018-07").ok();
    let viewer = world.viewer_of(&story.partner);
    let link = format!("{}/link", path(&story, "2018-07"));
    let made = viewer.ask("POST", &link).header("accept-language", "ja").send().ok();
    let url = text(&made["url"]);
    let at = url.find("/v1/statement-pages/").expect("an address of a page");
    assert!(url.starts_with("http") && !url.contains("eyJ"), "{url}");
    let page = url[at..].to_owned();
    let opened = world.nobody().get(&page).send().ok();
    let shown = String::from_utf8(opened.bytes.clone()).unwrap();
    assert!(shown.contains("<html lang=\"ja\">") && shown.contains("2018年7月"), "{shown}");
    let own = story.operator.get(&path(&story, "2018-07"));
    let own = own.header("accept", "text/html").header("accept-language", "ja").send().ok();
    assert_eq!(shown.as_bytes(), own.bytes);
    assert_eq!(opened.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(opened.header("cache-control"), Some("no-store"));
    assert!(opened.header("content-security-policy").unwrap().starts_with("default-src 'none'"));

    // The token opens that page alone: it is no bearer, and nobody can change it or make one.
    let token = page.rsplit('/').next().unwrap();
    let bearer = format!("Bearer {token}");
    let summary = format!("/v1/partners/{}/summary", story.partner);
    world.nobody().get(&summary).header("authorization", &bearer).send().refused(401, "unauthenticated");
    let other = if token.ends_with('A') { "B" } else { "A" };
    let forged = format!("{}{other}", &page[..page.len() - 2]);
    world.nobody().get(&forged).send().refused(404, "not_found");
    world.nobody().get("/v1/statement-pages/AQ").send().refused(404, "not_found");

    // The audit trail notes who made the link, and not the link.
    let events = story.operator.get("/v1/audit-events").query("resource_type", "statement_link").send().ok();
    let event = &events["items"][0];
    assert_eq!(
        (&event["operation"], &event["after"]["month"]),
        (&json!("makeStatementLink"), &json!("2018-07"))
    );
    assert!(!events.body.to_string().contains(token), "{event}");

    // Nobody makes a link to what they may not see, or to what is not there.
    let stranger = story.operator.post("/v1/partners", partner(9, "direct_bill")).send().ok().id();
    world.admin_of(&stranger).ask("POST", &link).send().refused(404, "not_found");
    let none = link.replace("2018-07", "2001-01");
    viewer.ask("POST", &none).send().refused(404, "not_found");

    let later = |seconds| world.clock.set(world.clock.now().plus_seconds(seconds));
    later(299);
    world.nobody().get(&page).send().ok();
    later(1);
    world.nobody().get(&page).send().refused(410, "statement_link_expired");
}
