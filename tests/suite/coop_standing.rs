//! Where a partner stands with co-op: on the summary, on the statement and in files of lists.

use crate::{
    suite::{
        calculation::text,
        coop_claims::{Claimant, tell},
        coop_payments::Paying,
        payments::usd,
    },
    support::{Answer, World},
};
use serde_json::{Value, json};

fn claims(it: &Claimant<'_>, language: &str) -> Vec<Value> {
    let summary = it.admin.get(&format!("/v1/partners/{}/summary", it.story.partner));
    let summary = summary.header("accept-language", language).send().ok();
    summary["enrollments"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["coop_claims"].as_array().unwrap().clone())
        .collect()
}

#[test]
fn the_summary_says_who_acts_next_on_each_claim_and_until_when() {
    let world = World::new();
    let paying = Paying::new(&world);
    let it = &paying.it;
    assert_eq!(claims(it, "en"), [] as [Value; 0]);
    let draft = it.draft("print-advertising", &["10.00"]).ok().id();
    let waiting = it.submitted("print-advertising", &["20.00"]);
    let asked = it.submitted("print-advertising", &["30.00"]);
    tell(&it.checker, &asked, "information-request", json!({"question": "Which fair?"})).ok();
    let approved = paying.approved("640.00");
    let refused = it.submitted("print-advertising", &["50.00"]);
    let rejection = json!({"reason": "No cost of the activity", "reason_code": "not_of_the_activity"});
    tell(&it.checker, &refused, "rejection", rejection).ok();
    let gone = it.draft("print-advertising", &["60.00"]).ok().id();
    tell(&it.viewer, &gone, "cancellation", json!({})).ok();
    let told = |language: &str| -> Vec<[String; 5]> {
        let told = |claim: &Value| {
            let day = |name: &str| claim[name].as_str().unwrap_or_default().to_owned();
            let committed = text(&claim["committed"]["amount"]);
            [text(&claim["claim_id"]), text(&claim["state"]), committed, day("due_on"), day("review_due_on")]
        };
        claims(it, language).iter().map(told).collect()
    };
    let line = |claim: &str, rest: [&str; 4]| {
        let [state, committed, due_on, review_due_on] = rest.map(str::to_owned);
        [claim.to_owned(), state, committed, due_on, review_due_on]
    };
    assert_eq!(
        told("en"),
        [
            line(&draft, ["draft", "0.00", "2019-08-15", ""]),
            line(&waiting, ["submitted", "20.00", "", "2019-03-06"]),
            line(&asked, ["action_required", "30.00", "2019-03-12", ""]),
            line(&approved, ["approved", "640.00", "", ""]),
            line(&refused, ["rejected", "0.00", "2019-03-22", ""]),
        ]
    );
    let next =
        |language: &str| claims(it, language).iter().map(|claim| text(&claim["next"])).collect::<Vec<_>>();
    assert_eq!(
        next("en"),
        [
            "Complete the claim, and submit the claim by the due date",
            "A reviewer decides",
            "Answer the reviewer's question in the history, and submit the claim again by the due date",
            "The payment run over the month of the approval pays the claim",
            "Nothing, or dispute the rejection by the due date",
        ]
    );
    assert!(next("ja").iter().all(|words| !words.is_ascii()));
    tell(&it.story.operator, &approved, "hold", json!({"reason": "A question is open"})).ok();
    assert!(next("en")[3].contains("An operator holds the claim"));
    tell(&it.story.operator, &approved, "release", json!({"reason": "Answered"})).ok();
    // The days are over: the rejection cannot be disputed, and the question was not answered.
    world.on("2019-03-23");
    assert_eq!(told("en").len(), 4, "{:?}", told("en"));
    paying.close(&["2019-01", "2019-02"]);
    let payment = paying.sent("2019-02").remove(0);
    assert!(next("en").contains(&"The payment is under way".to_owned()));
    paying.told(&payment, "confirmation", json!({})).ok();
    assert!(told("en").iter().all(|claim| claim[0] != approved), "a paid claim is over");
}

fn statement(it: &Claimant<'_>, month: &str) -> Answer {
    it.admin.get(&format!("/v1/partners/{}/statements/{month}", it.story.partner)).send().ok()
}

#[test]
fn a_statement_shows_the_funds_as_they_stood_when_the_month_was_closed() {
    let world = World::new();
    let paying = Paying::new(&world);
    let it = &paying.it;
    paying.approved("640.00");
    it.story.sale("2", "2019-01-11", "4000.00");
    paying.close(&["2019-01", "2019-02"]);
    let payments = paying.sent("2019-02");
    let payment = payments.iter().find(|one| one["document_kind"] == "self_billed_invoice").unwrap().clone();
    paying.told(&payment, "confirmation", json!({})).ok();
    let funds = |month: &str| statement(it, month)["programs"][0]["coop_funds"].as_array().unwrap().clone();
    let [old, new] = &funds("2019-02")[..] else { panic!("two funds: {:?}", funds("2019-02")) };
    assert_eq!((&old["half_year"], &old["state"]), (&json!("2018-07"), &json!("claimable")));
    let parts = |fund: &Value| {
        ["earned", "planned", "committed", "paid", "forfeited", "remaining"]
            .map(|part| text(&fund[part]["amount"]))
    };
    // The statement of February was made before the money arrived.
    assert_eq!(parts(old), ["10000.00", "0.00", "640.00", "0.00", "0.00", "9360.00"]);
    assert_eq!((&old["claims_from"], &old["claims_until"]), (&json!("2019-02-16"), &json!("2019-08-15")));
    assert_eq!((&new["half_year"], &new["state"]), (&json!("2019-01"), &json!("estimated")));
    world.on("2019-03-20");
    it.story.sale("3", "2019-03-11", "1000.00");
    it.story.calculate();
    assert_eq!(parts(&funds("2019-03")[0]), ["10000.00", "0.00", "0.00", "640.00", "0.00", "9360.00"]);
    assert_eq!(funds("2018-12").len(), 1, "a fund is shown from its half-year on");
    let read = |media: &str, language: &str| {
        let asked = it.admin.get(&format!("/v1/partners/{}/statements/2019-02", it.story.partner));
        let asked = asked.header("accept", media).header("accept-language", language);
        String::from_utf8(asked.send().ok().bytes).unwrap()
    };
    let page = read("text/html", "en");
    assert!(
        page.contains("Co-op funds") && page.contains("9,360.00") && page.contains("claimable"),
        "{page}"
    );
    assert!(read("text/html", "ja").contains("申請期限"));
    let table = read("text/csv", "en");
    assert!(table.contains("coop_committed,"), "{table}");
    assert!(table.contains(",2018-07,claimable,2019-08-15,"), "{table}");
    it.story.verify();
}

#[test]
fn funds_plans_claims_and_audits_are_had_as_files() {
    let world = World::new();
    let paying = Paying::new(&world);
    let it = &paying.it;
    let claim = paying.approved("640.00");
    for (path, told) in [
        ("/v1/coop-funds", usd("10000.00")["amount"].clone()),
        ("/v1/coop-claims", json!(claim)),
        ("/v1/coop-plans", json!("budget")),
        ("/v1/coop-audits", json!("due_on")),
    ] {
        let file = it.admin.get(path).header("accept", "text/csv").send().ok();
        assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8; header=present"), "{path}");
        let file = String::from_utf8(file.bytes).unwrap();
        assert!(file.contains(&text(&told)), "{path}: {file}");
    }
    // A reviewer sees the risks in the file; the partner does not.
    let (other, twice) =
        (it.submitted("print-advertising", &["77.00"]), it.submitted("telemarketing", &["77.00"]));
    let file = |client: &crate::support::Client| {
        let file = client.get("/v1/coop-claims").header("accept", "text/csv").send().ok();
        String::from_utf8(file.bytes).unwrap()
    };
    assert!(file(&it.checker).contains("same_amount"), "{}", file(&it.checker));
    assert!(file(&it.admin).contains(&twice) && file(&it.admin).contains(&other));
    assert!(!file(&it.admin).contains("same_amount"));
}
