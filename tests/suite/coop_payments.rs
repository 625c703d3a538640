//! Payments of co-op claims: on documents of their own, from the approval to the arrival, the return and the hold.

use crate::{
    suite::{
        calculation::text,
        coop_claims::{Claimant, tell},
        coop_funds::close,
        payments::{following, usd},
    },
    support::{Answer, World},
};
use serde_json::{Value, json};

/// A claimant whose approved claims are paid: rebates of December are paid already.
pub struct Paying<'w> {
    pub it: Claimant<'w>,
}

impl<'w> Paying<'w> {
    pub fn new(world: &'w World) -> Self {
        let paying = Self { it: Claimant::new(world) };
        let rebates = paying.sent("2018-12");
        assert_eq!(rebates.len(), 1);
        assert_eq!(rebates[0]["document_kind"], "credit_note");
        paying.told(&rebates[0], "confirmation", json!({})).ok();
        paying
    }

    /// An approved claim on one expense.
    pub fn approved(&self, amount: &str) -> String {
        let id = self.it.submitted("print-advertising", &[amount]);
        tell(&self.it.checker, &id, "approval", json!({})).ok();
        id
    }

    pub fn close(&self, months: &[&str]) {
        close(&self.it.story, months, &following(months.last().unwrap()));
    }

    fn run(&self, month: &str) -> Answer {
        self.it.story.operator.post("/v1/payment-runs", json!({"month": month})).send().ok()
    }

    fn preview(&self, month: &str) -> Value {
        let asked = self.it.story.operator.post("/v1/payment-runs?preview=true", json!({"month": month}));
        asked.send().ok().body.clone()
    }

    fn decide(&self, run: &Answer) -> Vec<Value> {
        self.it.checker.post(&format!("/v1/payment-runs/{}/approval", run.id()), json!({})).send().ok();
        self.it
            .story
            .operator
            .post(&format!("/v1/payment-runs/{}/dispatch", run.id()), json!({}))
            .send()
            .ok();
        self.it.story.list(&format!("/v1/payments?run_id={}", run.id()))
    }

    pub fn sent(&self, month: &str) -> Vec<Value> {
        self.decide(&self.run(month))
    }

    pub fn told(&self, payment: &Value, what: &str, body: Value) -> Answer {
        self.it.story.operator.post(&format!("/v1/payments/{}/{what}", text(&payment["id"])), body).send()
    }

    pub fn state(&self, claim: &str) -> String {
        text(&self.it.claim(claim)["state"])
    }

    fn committed_and_paid(&self) -> [String; 2] {
        let [_, committed, paid, _, _] = self.it.parts();
        [committed, paid]
    }
}

fn waits(total: &Value, kind: &str) -> Vec<(String, String)> {
    let wait = |wait: &Value| (text(&wait["reason"]), text(&wait["amount"]["amount"]));
    total[kind].as_array().unwrap().iter().map(wait).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(one, other)| ((*one).into(), (*other).into())).collect()
}

#[test]
fn approved_claims_are_paid_by_the_next_run_on_a_document_of_their_own() {
    let world = World::new();
    let paying = Paying::new(&world);
    let it = &paying.it;
    let whole = paying.approved("600.00");
    let in_part = it.submitted("website-search", &["300.00", "100.00"]);
    let cut = json!({"lines": [{
        "expense_id": it.claim(&in_part)["expenses"][1]["id"], "approved": usd("20.00"), "reason": "amount_not_proved",
    }]});
    tell(&it.checker, &in_part, "approval", cut).ok();
    // What was approved in February waits until February is closed.
    close(&it.story, &["2019-01"], "2019-02-21");
    assert_eq!(paying.preview("2019-01")["total"], 0);
    it.story.sale("2", "2019-02-11", "4000.00");
    paying.close(&["2019-02"]);
    let preview = paying.preview("2019-02");
    let run = paying.run("2019-02");
    assert_eq!((&preview["total"], &preview["totals"]), (&json!(1), &run["totals"]));
    let total = &run["totals"][0];
    assert_eq!((&total["payments"], &total["gross"]), (&json!(2), &usd("1520.00")));
    // What a payment carries stays committed; the partner sees the payment once it is approved.
    assert_eq!(paying.committed_and_paid(), ["920.00", "0.00"]);
    assert_eq!(it.admin.get("/v1/payments").send().ok()["items"].as_array().unwrap().len(), 1);
    assert_eq!((paying.state(&whole), &it.claim(&whole)["payment_id"]), ("approved".into(), &Value::Null));
    tell(&it.story.operator, &whole, "hold", json!({"reason": "Too late"}))
        .refused(409, "transition_not_allowed");
    let payments = paying.decide(&run);
    let numbers: Vec<&Value> = payments.iter().map(|payment| &payment["document_number"]).collect();
    assert!(
        numbers.contains(&&json!("CN-00000002")) && numbers.contains(&&json!("SB-00000001")),
        "{numbers:?}"
    );
    let of_claims = payments.iter().find(|one| one["document_kind"] == "self_billed_invoice").unwrap();
    paying.told(of_claims, "confirmation", json!({})).ok();
    assert_eq!(paying.committed_and_paid(), ["0.00", "920.00"]);
    for (claim, amount) in [(&whole, "600.00"), (&in_part, "320.00")] {
        let shown = it.claim(claim);
        assert_eq!((&shown["state"], &shown["payment_id"]), (&json!("paid"), &of_claims["id"]));
        assert_eq!((&shown["approved"], &shown["committed"]), (&usd(amount), &usd("0.00")));
        let last = shown["history"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["step"], &last["amount"]), (&json!("payment"), &usd(amount)));
    }
    it.story.verify();
    // Nothing is paid twice.
    paying.close(&["2019-03"]);
    assert_eq!(paying.preview("2019-03")["total"], 0);
}

#[test]
fn a_remittance_of_claims_adds_up_to_the_approved_expenses() {
    let world = World::new();
    let paying = Paying::new(&world);
    let it = &paying.it;
    let first = paying.approved("600.00");
    let second = it.submitted("website-search", &["300.00", "100.25"]);
    tell(&it.checker, &second, "approval", json!({})).ok();
    paying.close(&["2019-01", "2019-02"]);
    let payment = paying.sent("2019-02").remove(0);
    let path = format!("/v1/payments/{}/remittance", text(&payment["id"]));
    let remittance = it.admin.get(&path).send().ok();
    assert_eq!((&remittance["gross"], &remittance["net"]), (&usd("1000.25"), &usd("1000.25")));
    let lines = remittance["lines"].as_array().unwrap();
    let line = |claim: &str| lines.iter().find(|line| line["claim_id"] == claim).unwrap();
    for (claim, amount) in [(&first, "600.00"), (&second, "400.25")] {
        let line = line(claim);
        assert_eq!(
            (&line["amount"], &line["rebate_id"], &line["posted_in"]),
            (&usd(amount), &Value::Null, &json!("2019-02"))
        );
        let part = &line["parts"][0];
        assert_eq!(
            (&part["kind"], &part["amount"], &part["earned_in"]),
            (&json!("coop_expense"), &usd(amount), &json!("2019-02"))
        );
        assert_eq!(it.admin.get(part["records"].as_str().unwrap()).send().ok()["approved"], usd(amount));
    }
    let page = |language: &str| {
        let asked = it.admin.get(&path).header("accept", "text/html").header("accept-language", language);
        String::from_utf8(asked.send().ok().bytes).unwrap()
    };
    assert!(
        page("en").contains("Self-billed invoice SB-00000001") && page("en").contains("Approved expenses")
    );
    assert!(page("ja").contains("仕入明細書 SB-00000001"));
    let table =
        String::from_utf8(it.admin.get(&path).header("accept", "text/csv").send().ok().bytes).unwrap();
    assert!(table.contains(&format!("coop_expense,,2019-02,/v1/coop-claims/{first},USD,600.00")), "{table}");
}

#[test]
fn a_payment_of_claims_that_came_back_is_made_anew_and_one_taken_back_is_held() {
    let world = World::new();
    let paying = Paying::new(&world);
    let it = &paying.it;
    let claim = paying.approved("600.00");
    paying.close(&["2019-01", "2019-02"]);
    let payment = paying.sent("2019-02").remove(0);
    paying.told(&payment, "failure", json!({"reason": "Bank holiday"})).ok();
    assert_eq!(
        (paying.state(&claim), paying.committed_and_paid()),
        ("approved".into(), ["600.00".into(), "0.00".into()])
    );
    it.story.verify();
    let again = paying.told(&payment, "reissue", json!({"reason": "The bank is open"})).ok();
    assert_eq!(
        (&again["replaces"], &again["document_kind"]),
        (&payment["id"], &json!("self_billed_invoice"))
    );
    let refused = paying.told(&payment, "reissue", json!({"reason": "Once more"}));
    assert_eq!(refused.refused(409, "payment_not_payable")["claims"], json!([claim]));
    let run = it.story.operator.get(&format!("/v1/payment-runs/{}", text(&again["run_id"]))).send().ok();
    let payment = paying.decide(&run).remove(0);
    assert_eq!(payment["document_number"], "SB-00000002");
    paying.told(&payment, "confirmation", json!({})).ok();
    assert_eq!(paying.state(&claim), "paid");
    paying.told(&payment, "return", json!({"reason": "Account closed"})).ok();
    assert_eq!(
        (paying.state(&claim), paying.committed_and_paid()),
        ("approved".into(), ["600.00".into(), "0.00".into()])
    );
    it.story.verify();
    let payment = paying.sent("2019-02").remove(0);
    paying.told(&payment, "confirmation", json!({})).ok();
    paying.told(&payment, "reversal", json!({"reason": "Paid to the wrong partner"})).ok();
    let shown = it.claim(&claim);
    assert_eq!(
        (&shown["state"], &shown["held_because"]),
        (&json!("approved"), &json!("Paid to the wrong partner"))
    );
    let steps: Vec<String> =
        shown["history"].as_array().unwrap().iter().map(|one| text(&one["step"])).collect();
    assert_eq!(steps[steps.len() - 4..], ["payment", "payment-return", "payment", "payment-return"]);
    let told = it.admin.get("/v1/notifications?kind=coop_claim_held").send().ok();
    let words = text(&told["items"][0]["body"]);
    assert!(words.contains("USD 600.00") && words.contains("Paid to the wrong partner"), "{words}");
    it.story.verify();
    let total = paying.preview("2019-02")["totals"][0].clone();
    assert_eq!(waits(&total, "on_hold"), pairs(&[("held_by_operator", "600.00")]));
    tell(&it.admin, &claim, "release", json!({"reason": "Ours"})).refused(403, "forbidden");
    tell(&it.story.operator, &claim, "release", json!({"reason": "It was right"})).ok();
    let payment = paying.sent("2019-02").remove(0);
    paying.told(&payment, "confirmation", json!({})).ok();
    assert_eq!(paying.state(&claim), "paid");
    it.story.verify();
}

#[test]
fn claims_have_a_threshold_of_their_own_and_wait_with_the_partner_s_profiles() {
    let world = World::new();
    let paying = Paying::new(&world);
    let it = &paying.it;
    paying.approved("199.99");
    close(&it.story, &["2019-01"], "2019-02-21");
    // A rebate of 600.00 that is payable does not lift the claim over the threshold.
    it.story.sale("2", "2019-02-11", "4000.00");
    paying.close(&["2019-02"]);
    let run = paying.run("2019-02");
    let total = &run["totals"][0];
    assert_eq!((&total["payments"], &total["gross"]), (&json!(1), &usd("600.00")));
    assert_eq!(waits(total, "carried"), pairs(&[("below_payment_threshold", "199.99")]));
    paying.decide(&run);
    world.on("2019-03-05");
    let other = it.draft_with("print-advertising", &["0.01"], json!({})).ok().id();
    it.prove(&other);
    tell(&it.admin, &other, "submission", json!({})).ok();
    tell(&it.checker, &other, "approval", json!({})).ok();
    paying.close(&["2019-03"]);
    let held = tell(&it.story.operator, &other, "hold", json!({"reason": "A question is open"})).ok();
    assert_eq!(held["allowed_transitions"], json!(["release"]));
    let total = paying.preview("2019-03")["totals"][0].clone();
    assert_eq!(waits(&total, "on_hold"), pairs(&[("held_by_operator", "0.01")]));
    assert_eq!(waits(&total, "carried"), pairs(&[("below_payment_threshold", "199.99")]));
    tell(&it.story.operator, &other, "release", json!({"reason": "Answered"})).ok();
    let profile = format!("/v1/partners/{}/payout-profile/rejection", it.story.partner);
    it.story.operator.post(&profile, json!({"reason": "The account is closed"})).send().ok();
    let total = paying.preview("2019-03")["totals"][0].clone();
    assert_eq!(waits(&total, "on_hold"), pairs(&[("profile_action_required", "200.00")]));
    it.story.verify();
}

#[test]
fn tax_is_withheld_from_claims_by_the_rate_for_co_op() {
    let world = World::new();
    let paying = Paying::new(&world);
    let it = &paying.it;
    let claim = paying.approved("500.10");
    paying.close(&["2019-01", "2019-02"]);
    let rate = |earning: &str, rate: &str| {
        let rate = json!({
            "payee_country": "DE", "form_state": "vat", "earning": earning, "kind": "treaty", "rate": rate,
            "valid_from": "2019-03-03"
        });
        it.story.operator.post("/v1/withholding-rates", rate).send().ok().id()
    };
    rate("rebate", "0.05");
    let of_co_op = rate("co_op", "0.15");
    let payment = paying.sent("2019-02").remove(0);
    assert_eq!((&payment["withheld"], &payment["net"]), (&usd("75.02"), &usd("425.08")));
    assert_eq!(payment["withholding_rate_id"], json!(of_co_op));
    paying.told(&payment, "confirmation", json!({})).ok();
    assert_eq!(
        (paying.state(&claim), paying.committed_and_paid()),
        ("paid".into(), ["0.00".into(), "500.10".into()])
    );
    it.story.verify();
    paying.told(&payment, "return", json!({"reason": "Account closed"})).ok();
    assert_eq!(paying.committed_and_paid(), ["500.10", "0.00"]);
    it.story.verify();
}
