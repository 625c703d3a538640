//! Claims on co-op funds: from the draft to the decision, with limits, proofs, risks, clocks and two reviewers.

use crate::{
    suite::{
        adjustments::vouched_for,
        calculation::{Story, text},
        coop_funds::{close, on, quarter},
        payments::usd,
    },
    support::{Answer, Client, World, person},
};
use partner_incentives::{access::Role, identity::users};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// A partner with a fund of 10,000.00 that is claimed from, its people, and two reviewers.
pub struct Claimant<'w> {
    pub story: Story<'w>,
    pub admin: Client,
    pub viewer: Client,
    pub checker: Client,
    pub fund: String,
}

/// Proofs that differ from all others.
static PROOFS: AtomicU64 = AtomicU64::new(0);

impl<'w> Claimant<'w> {
    /// On 20 February 2019, when claims are taken.
    pub fn new(world: &'w World) -> Self {
        let story = quarter(world);
        let checker = world.another_operator();
        world.on("2018-12-20");
        story.sale("1", "2018-12-10", "100000.00");
        close(&story, &["2018-12"], "2019-01-04");
        world.on("2019-02-20");
        let (admin, viewer) = (world.admin_of(&story.partner), world.viewer_of(&story.partner));
        let fund = text(&story.list("/v1/coop-funds")[0]["id"]);
        Self { story, admin, viewer, checker, fund }
    }

    /// A draft of an activity that one page on the web proves, with expenses of net amounts.
    pub fn draft(&self, activity: &str, amounts: &[&str]) -> Answer {
        self.draft_with(activity, amounts, json!({}))
    }

    pub fn draft_with(&self, activity: &str, amounts: &[&str], more: Value) -> Answer {
        let mut claim = json!({
            "fund_id": self.fund, "activity": activity, "activity_from": "2019-02-11", "activity_to": "2019-02-12",
            "description": "Backup for the cloud", "metric": 40, "web_address": "https://contoso.example/backup",
            "expenses": amounts.iter().enumerate().map(|(n, net)| self.expense(&format!("A-{n}-{net}"), net))
                .collect::<Vec<_>>(),
        });
        claim.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.viewer.post("/v1/coop-claims", claim).send()
    }

    pub fn expense(&self, number: &str, net: &str) -> Value {
        json!({
            "description": "Room", "on": "2019-02-11", "net": usd(net), "tax": usd("0.00"), "recovers_tax": true,
            "source": {"type": "invoice", "supplier": format!("Hall of {}", self.story.partner), "number": number},
        })
    }

    /// Proves what lacks.
    pub fn prove(&self, claim: &str) {
        prove(&self.admin, claim);
    }

    pub fn prove_by(&self, claim: &str, kind: &Value, expense: &Value, words: &str) {
        prove_by(&self.admin, claim, kind, expense, words);
    }

    pub fn claim(&self, id: &str) -> Answer {
        self.admin.get(&format!("/v1/coop-claims/{id}")).send().ok()
    }

    /// A submitted claim.
    pub fn submitted(&self, activity: &str, amounts: &[&str]) -> String {
        let id = self.draft(activity, amounts).ok().id();
        self.prove(&id);
        tell(&self.admin, &id, "submission", json!({})).ok();
        id
    }

    /// What the fund has planned, committed, paid, forfeited and left.
    pub fn parts(&self) -> [String; 5] {
        let fund = self.story.operator.get(&format!("/v1/coop-funds/{}", self.fund)).send().ok();
        ["planned", "committed", "paid", "forfeited", "remaining"].map(|part| text(&fund[part]["amount"]))
    }

    fn committed_and_left(&self) -> [String; 2] {
        let [_, committed, _, _, left] = self.parts();
        [committed, left]
    }

    pub fn told(&self, kind: &str) -> usize {
        let listed = self.admin.get("/v1/notifications").query("limit", 200).send().ok();
        listed["items"].as_array().unwrap().iter().filter(|one| one["kind"] == kind).count()
    }
}

/// Posts to a sub-resource of a claim.
pub fn tell(client: &Client, claim: &str, step: &str, body: Value) -> Answer {
    client.post(&format!("/v1/coop-claims/{claim}/{step}"), body).send()
}

/// Proves what a claim of the partner lacks, each by a file of its own.
pub fn prove(admin: &Client, claim: &str) {
    let shown = admin.get(&format!("/v1/coop-claims/{claim}")).send().ok();
    for missing in shown["assessment"]["missing_proofs"].as_array().unwrap() {
        let nth = PROOFS.fetch_add(1, Ordering::Relaxed);
        prove_by(admin, claim, &missing["any_of"][0], &missing["expense_id"], &nth.to_string());
    }
}

/// Sends a document that says these words.
fn prove_by(admin: &Client, claim: &str, kind: &Value, expense: &Value, words: &str) {
    let path = format!("/v1/coop-claims/{claim}/proofs");
    let mut ask = admin.ask("POST", &path).query("kind", text(kind)).query("name", "proof.pdf");
    if let Some(expense) = expense.as_str() {
        ask = ask.query("expense_id", expense);
    }
    ask.bytes("application/pdf", format!("%PDF-1.4\n% {words}\n%%EOF\n")).send().ok();
}

pub fn faults(answer: &Answer) -> Vec<(String, String)> {
    let errors = answer["errors"].as_array().unwrap().iter();
    errors.map(|fault| (text(&fault["pointer"]), text(&fault["code"]))).collect()
}

pub fn said(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(pointer, code)| ((*pointer).into(), (*code).into())).collect()
}

#[test]
fn a_claim_goes_from_a_viewer_s_draft_to_the_decision_and_says_at_each_step_what_lacks() {
    let world = World::new();
    let it = Claimant::new(&world);
    world.on("2019-02-15");
    let drafted =
        it.draft_with("customer-seminar", &["600.00"], json!({"metric": null, "web_address": null})).ok();
    let (id, form) = (drafted.id(), &drafted["assessment"]);
    assert_eq!((&drafted["state"], &drafted["due_on"]), (&json!("draft"), &json!("2019-08-15")));
    assert_eq!((&form["submit_from"], &form["submit_until"]), (&json!("2019-02-16"), &json!("2019-08-15")));
    assert_eq!((&form["reimbursable"], &form["ready"]), (&usd("600.00"), &json!(false)));
    assert_eq!(
        form["limits"][0],
        json!({
            "kind": "fund", "most": usd("10000.00"), "used": usd("0.00"), "left": usd("10000.00")
        })
    );
    let kinds: Vec<&Value> =
        form["missing_proofs"].as_array().unwrap().iter().map(|one| &one["any_of"][0]).collect();
    assert_eq!(kinds, ["invitation", "agenda", "photo", "invoice"]);
    // A viewer writes and does not submit; the days for claims have not begun.
    tell(&it.viewer, &id, "submission", json!({})).refused(403, "forbidden");
    let early = tell(&it.admin, &id, "submission", json!({})).refused(409, "coop_claims_closed");
    assert_eq!((&early["from"], &early["until"]), (&json!("2019-02-16"), &json!("2019-08-15")));
    world.on("2019-02-16");
    let lacking = tell(&it.admin, &id, "submission", json!({})).refused(422, "invalid");
    assert_eq!(
        faults(&lacking),
        said(&[
            ("/expenses/0", "proof_missing"),
            ("/metric", "required"),
            ("/proofs", "proof_missing"),
            ("/proofs", "proof_missing"),
            ("/proofs", "proof_missing"),
        ])
    );
    assert_eq!(it.committed_and_left(), ["0.00", "10000.00"], "nothing is half done");
    it.prove(&id);
    let change = it.viewer.patch(&format!("/v1/coop-claims/{id}"), json!({"metric": 40}));
    change.if_match(&it.claim(&id).etag()).send().ok();
    assert_eq!(it.claim(&id)["assessment"]["ready"], true);
    let sent = tell(&it.admin, &id, "submission", json!({"comment": "Our first one"})).ok();
    assert_eq!((&sent["state"], &sent["committed"]), (&json!("submitted"), &usd("600.00")));
    assert_eq!((&sent["review_due_on"], &sent["due_on"]), (&json!("2019-03-01"), &Value::Null));
    assert_eq!(it.committed_and_left(), ["600.00", "9400.00"]);
    // Nothing is changed after the submission.
    let change = it.admin.patch(&format!("/v1/coop-claims/{id}"), json!({"metric": 41})).if_match("*").send();
    assert_eq!(change.refused(409, "transition_not_allowed")["from"], "submitted");
    // A reviewer takes the claim, and no other decides; the partner cannot recall.
    let queue = it.story.list("/v1/coop-claims?to_review=true");
    assert_eq!((queue.len(), &queue[0]["id"]), (1, &json!(id)));
    tell(&it.story.operator, &id, "review", json!({})).ok();
    tell(&it.admin, &id, "recall", json!({})).refused(409, "transition_not_allowed");
    tell(&it.checker, &id, "approval", json!({})).refused(409, "coop_claim_taken");
    tell(&it.checker, &id, "hand-back", json!({"comment": "On holiday"})).ok();
    let done = tell(&it.checker, &id, "approval", json!({"comment": "All is there"})).ok();
    assert_eq!((&done["state"], &done["approved"]), (&json!("approved"), &usd("600.00")));
    assert_eq!(it.told("coop_claim_decided"), 1);
    let shown = it.claim(&id);
    let steps: Vec<String> =
        shown["history"].as_array().unwrap().iter().map(|one| text(&one["step"])).collect();
    assert_eq!(steps[1..5], ["proof"; 4]);
    assert_eq!(steps[5..], ["submission", "review", "hand-back", "approval"]);
    assert_eq!(
        (&shown["history"][8]["by"], &shown["history"][8]["side"]),
        (&Value::Null, &json!("programme"))
    );
    assert_eq!(shown["review"], Value::Null, "risks and reviewers are the programme's");
    assert_eq!(it.committed_and_left(), ["600.00", "9400.00"], "the approved amount stays committed");
    it.story.verify();
}

#[test]
fn each_limit_cuts_what_is_over_and_says_so_while_the_claim_is_written() {
    let world = World::new();
    let it = Claimant::new(&world);
    // Activity, people, first claim, second claim, what is left of the second one, and what cuts it.
    let table = [
        ("customer-offer", None, "2000.00", "1000.00", "500.00", Some("activity_limit")),
        ("customer-offer", None, "1500.00", "1000.00", "1000.00", None),
        ("customer-offer", None, "1500.00", "1000.01", "1000.00", Some("activity_limit")),
        ("on-site-champ", None, "4999.99", "0.02", "0.01", Some("activity_limit")),
        ("demo-units", None, "2999.00", "1.01", "1.00", Some("activity_limit")),
        ("hosted-conference", Some(1), "10.00", "5000.01", "5000.00", Some("people_limit")),
        ("hosted-conference", Some(2), "1.00", "9999.00", "9999.00", None),
        ("hosted-conference", Some(4), "1.00", "10000.00", "9999.00", Some("fund_exhausted")),
        ("print-advertising", None, "9999.99", "0.02", "0.01", Some("fund_exhausted")),
    ];
    for (activity, people, first, second, left, cut) in table {
        let first = it.draft_with(activity, &[first], json!({"people": people})).ok().id();
        it.prove(&first);
        tell(&it.admin, &first, "submission", json!({})).ok();
        let drafted = it.draft_with(activity, &[second], json!({"people": people})).ok();
        let asked = &drafted["assessment"]["expenses"][0]["asked"];
        assert_eq!(
            (&asked["reimbursable"], &asked["cut_by"]),
            (&usd(left), &json!(cut)),
            "{activity} {second}"
        );
        tell(&it.admin, &first, "recall", json!({})).ok();
        assert_eq!(it.committed_and_left(), ["0.00", "10000.00"]);
    }
    // 45,000.00 a period and 18,750.00 are more than this fund; the limits are told all the same.
    let drafted = it.draft("syndicated-content", &["1.00"]).ok();
    assert_eq!(drafted["assessment"]["limits"][1]["most"], usd("18750.00"));
    // Where nothing is left, nothing is submitted.
    let whole = it.submitted("print-advertising", &["10000.00"]);
    let nothing = it.draft("print-advertising", &["0.01"]).ok().id();
    it.prove(&nothing);
    let refused = tell(&it.admin, &nothing, "submission", json!({})).refused(422, "invalid");
    assert_eq!(faults(&refused), said(&[("/expenses", "nothing_reimbursable")]));
    tell(&it.admin, &whole, "recall", json!({})).ok();
    tell(&it.admin, &nothing, "submission", json!({})).ok();
    it.story.verify();
}

#[test]
fn what_is_not_of_the_catalogue_or_outside_its_days_is_told_all_at_once() {
    let world = World::new();
    let it = Claimant::new(&world);
    let days = json!({"activity_from": "2018-12-31", "activity_to": "2019-07-01", "expenses": []});
    let wrong = it.draft_with("billboard", &[], days).ok();
    let refused = tell(&it.admin, &wrong.id(), "submission", json!({})).refused(422, "invalid");
    assert_eq!(
        faults(&refused),
        said(&[
            ("/activity", "unknown"),
            ("/activity_from", "outside_usage_period"),
            ("/activity_to", "outside_usage_period"),
            ("/activity_to", "ahead"),
            ("/expenses", "required"),
        ])
    );
    let japanese = it.admin.get(&format!("/v1/coop-claims/{}", wrong.id())).header("accept-language", "ja");
    let told = text(&japanese.send().ok()["assessment"]["faults"][1]["message"]);
    assert!(told.contains("活動期間は 2019-01-01 から 2019-06-30"), "{told}");
    let conference = it.draft("hosted-conference", &["10.00"]).ok();
    let codes: Vec<&Value> =
        conference["assessment"]["faults"].as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
    assert!(codes.contains(&&json!("/people")), "{codes:?}");
    let mut backwards = it.expense("B-1", "0.00");
    backwards["tax"] = json!({"amount": "1.00", "currency": "EUR"});
    backwards["id"] = json!(it.fund);
    let days = json!({"activity_from": "2019-02-12", "activity_to": "2019-02-11", "expenses": [backwards]});
    let refused = it.draft_with("print-advertising", &[], days).refused(422, "invalid");
    assert_eq!(
        faults(&refused),
        said(&[
            ("/activity_to", "order"),
            ("/expenses/0/id", "unknown"),
            ("/expenses/0/net/amount", "range"),
            ("/expenses/0/tax/currency", "currency"),
        ])
    );
}

#[test]
fn expenses_in_another_currency_are_converted_by_the_rate_of_their_month_and_recovered_tax_is_not_paid() {
    let world = World::new();
    let it = Claimant::new(&world);
    let mut euros = it.expense("E-1", "1.00");
    euros["net"] = json!({"amount": "100.00", "currency": "EUR"});
    euros["tax"] = json!({"amount": "19.00", "currency": "EUR"});
    euros["recovers_tax"] = json!(false);
    let mut dollars = it.expense("E-2", "50.00");
    dollars["tax"] = usd("9.50");
    let drafted = it.draft_with("website-search", &[], json!({"expenses": [euros, dollars]})).ok();
    assert_eq!(drafted["assessment"]["expenses"][0]["asked"], Value::Null);
    it.prove(&drafted.id());
    let waiting = tell(&it.admin, &drafted.id(), "submission", json!({})).refused(422, "invalid");
    assert_eq!(faults(&waiting), said(&[("/expenses/0/net/currency", "rate_missing")]));
    let rates = json!({"rates": [{"base": "EUR", "quote": "USD", "rate": "1.2345"}]});
    it.story.operator.put("/v1/fx-rates/2019-02", rates).if_match("*").send().ok();
    let sent = tell(&it.admin, &drafted.id(), "submission", json!({})).ok();
    // 119.00 euros are 146.9055 dollars.
    assert_eq!(
        sent["expenses"][0]["asked"],
        json!({
            "amount": usd("146.91"), "reimbursable": usd("146.91"), "cut_by": null,
            "rate": {"month": "2019-02", "base": "EUR", "quote": "USD", "rate": "1.2345"},
        })
    );
    assert_eq!(sent["expenses"][1]["asked"]["amount"], usd("50.00"));
    assert_eq!(sent["committed"], usd("196.91"));
}

#[test]
fn a_decision_is_made_expense_by_expense_and_the_rest_goes_back_to_the_fund() {
    let world = World::new();
    let it = Claimant::new(&world);
    let id = it.submitted("website-search", &["400.00", "300.00"]);
    let shown = it.claim(&id);
    let [first, second] = [0, 1].map(|n| shown["expenses"][n]["id"].clone());
    let lines = |amount: &str, reason: Value| json!({"lines": [{"expense_id": first, "approved": usd(amount), "reason": reason, "remedy": "Send the contract"}]});
    let over = tell(&it.checker, &id, "approval", lines("400.01", Value::Null)).refused(422, "invalid");
    assert_eq!(faults(&over), said(&[("/lines/0/approved/amount", "range")]));
    let silent = tell(&it.checker, &id, "approval", lines("1.00", Value::Null));
    assert_eq!(faults(&silent.refused(422, "invalid")), said(&[("/lines/0/reason", "required")]));
    let nothing = json!({"lines": [
        {"expense_id": first, "approved": usd("0.00"), "reason": "duplicate"},
        {"expense_id": second, "approved": usd("0.00"), "reason": "duplicate"},
    ]});
    let nothing = tell(&it.checker, &id, "approval", nothing).refused(422, "invalid");
    assert_eq!(faults(&nothing), said(&[("/lines", "nothing")]));
    let done = tell(&it.checker, &id, "approval", lines("150.00", json!("amount_not_proved"))).ok();
    assert_eq!((&done["state"], &done["approved"]), (&json!("partially_approved"), &usd("450.00")));
    let shown = it.claim(&id);
    assert_eq!(
        shown["expenses"][0]["decision"],
        json!({
            "approved": usd("150.00"), "reason": "amount_not_proved", "remedy": "Send the contract"
        })
    );
    assert_eq!(shown["expenses"][1]["decision"]["approved"], usd("300.00"));
    assert_eq!(it.committed_and_left(), ["450.00", "9550.00"]);
    it.story.verify();
}

#[test]
fn a_recalled_and_a_rejected_claim_give_their_budget_back() {
    let world = World::new();
    let it = Claimant::new(&world);
    let recalled = it.submitted("website-search", &["400.00"]);
    let back = tell(&it.admin, &recalled, "recall", json!({"comment": "One invoice more"})).ok();
    assert_eq!(
        (&back["state"], &back["committed"], &back["due_on"]),
        (&json!("draft"), &usd("0.00"), &json!("2019-08-15"))
    );
    assert_eq!(it.committed_and_left(), ["0.00", "10000.00"]);
    tell(&it.admin, &recalled, "cancellation", json!({})).ok();
    tell(&it.admin, &recalled, "submission", json!({})).refused(409, "transition_not_allowed");
    let rejected = it.submitted("website-search", &["400.00"]);
    let reason = json!({"reason_code": "not_of_the_activity", "reason": "The invoice is for furniture"});
    let done = tell(&it.checker, &rejected, "rejection", reason).ok();
    assert_eq!((&done["state"], &done["approved"]), (&json!("rejected"), &Value::Null));
    assert_eq!(it.committed_and_left(), ["0.00", "10000.00"]);
    it.story.verify();
}

#[test]
fn above_the_programs_amount_two_people_approve() {
    let world = World::new();
    let it = Claimant::new(&world);
    let least = it.submitted("website-search", &["1000.00"]);
    assert_eq!(tell(&it.checker, &least, "approval", json!({})).ok()["state"], "approved");
    let id = it.submitted("telemarketing", &["1000.01"]);
    let first = tell(&it.checker, &id, "approval", json!({})).ok();
    assert_eq!(first["state"], "submitted");
    assert!(first["review"]["first_reviewer_id"].is_string(), "{first}");
    assert_eq!(
        it.claim(&id)["expenses"][0]["decision"],
        Value::Null,
        "nothing is told before the second approval"
    );
    let traced = |client: &Client| {
        let listed = client.get("/v1/audit-events").query("limit", 200).send().ok();
        let of_claim =
            |event: &&Value| event["resource_id"] == json!(id) && event["operation"] == "approveCoopClaim";
        listed["items"].as_array().unwrap().iter().filter(of_claim).count()
    };
    assert_eq!((traced(&it.story.operator), traced(&it.admin)), (1, 0), "nor in the audit trail");
    let again = tell(&it.checker, &id, "approval", json!({}));
    assert_eq!(
        again.refused(403, "coop_claim_own_decision")["decided_by"],
        first["review"]["first_reviewer_id"]
    );
    // Another decision is a first approval again, which the first reviewer may agree with.
    let expense = first["expenses"][0]["id"].clone();
    let less =
        json!({"lines": [{"expense_id": expense, "approved": usd("900.00"), "reason": "amount_not_proved"}]});
    assert_eq!(tell(&it.story.operator, &id, "approval", less).ok()["state"], "submitted");
    let done = tell(&it.checker, &id, "approval", json!({})).ok();
    assert_eq!((&done["state"], &done["approved"]), (&json!("partially_approved"), &usd("900.00")));
    assert_eq!(it.committed_and_left(), ["1900.00", "8100.00"]);
    it.story.verify();
}

#[test]
fn what_looks_wrong_is_told_to_reviewers_alone_and_takes_two_of_them() {
    let world = World::new();
    let it = Claimant::new(&world);
    let risks = |id: &str| -> Vec<String> {
        let shown = it.story.operator.get(&format!("/v1/coop-claims/{id}")).send().ok();
        shown["review"]["risks"].as_array().unwrap().iter().map(|risk| text(&risk["kind"])).collect()
    };
    let with = |supplier: &str, number: &str, net: &str, on: &str, hash: &str| {
        let mut expense = it.expense(number, net);
        expense["source"]["supplier"] = json!(supplier);
        expense["on"] = json!(on);
        let id = it.draft_with("website-search", &[], json!({"expenses": [expense]})).ok();
        it.prove_by(&id.id(), &json!("invoice"), &id["expenses"][0]["id"], hash);
        tell(&it.admin, &id.id(), "submission", json!({})).ok();
        id.id()
    };
    let [one, other] = ["a".repeat(64), "b".repeat(64)];
    let first = with("M\u{fc}ller GmbH", "INV-2019/17", "11.00", "2019-02-11", &one);
    assert_eq!(risks(&first), Vec::<String>::new());
    let same = with("MULLER GMBH", "inv 2019 17", "12.00", "2019-02-11", &one);
    assert_eq!(risks(&same), ["same_proof", "same_invoice"]);
    // The first claim knows when a reviewer takes it.
    tell(&it.checker, &first, "review", json!({})).ok();
    assert_eq!(risks(&first), ["same_proof", "same_invoice"]);
    let amounts = with("Print AG", "1", "11.00", "2019-03-13", &other);
    assert_eq!(risks(&amounts), ["same_amount"], "30 days");
    world.on("2019-02-21");
    let far = with("Print AG", "2", "11.00", "2019-04-13", &"c".repeat(64));
    assert_eq!(risks(&far), Vec::<String>::new(), "31 days");
    let outside = with("Partner 1", "3", "13.00", "2018-12-31", &"d".repeat(64));
    assert_eq!(risks(&outside), ["outside_usage_period", "own_company"]);
    with("Print AG", "4", "14.00", "2019-02-11", &"e".repeat(64));
    let fourth = with("Print AG", "5", "15.00", "2019-02-11", &"f".repeat(64));
    assert_eq!(risks(&fourth), ["many_claims"]);
    let found = it.story.list("/v1/coop-claims?to_review=true&risky=true");
    assert_eq!(found.len(), 5, "{found:?}");
    let guess = it.admin.get("/v1/coop-claims").query("risky", "true").send();
    guess.refused(400, "unknown_parameter");
    assert!(!it.claim(&fourth).to_string().contains("many_claims"));
    let first = tell(&it.checker, &fourth, "approval", json!({})).ok();
    assert_eq!(first["state"], "submitted", "any risk takes two");
    assert_eq!(tell(&it.story.operator, &fourth, "approval", json!({})).ok()["state"], "approved");
    // What was recalled is compared with nothing.
    let last = with("Print AG", "6", "99.00", "2019-02-11", &"9".repeat(64));
    tell(&it.admin, &last, "recall", json!({})).ok();
    world.on("2019-02-22");
    let again = with("Print AG", "6", "99.00", "2019-02-11", &"9".repeat(64));
    assert_eq!(risks(&again), Vec::<String>::new());
    it.story.verify();
}

#[test]
fn claims_of_later_days_are_no_risk_of_an_earlier_one() {
    let world = World::new();
    let it = Claimant::new(&world);
    let first = it.submitted("telemarketing", &["101.00"]);
    world.on("2019-02-21");
    for amount in ["102.00", "103.00", "104.00"] {
        it.submitted("telemarketing", &[amount]);
    }
    let taken = tell(&it.checker, &first, "review", json!({})).ok();
    assert_eq!(taken["review"]["risks"], json!([]));
    assert_eq!(tell(&it.checker, &first, "approval", json!({})).ok()["state"], "approved");
}

#[test]
fn a_question_waits_14_business_days_for_its_answer_and_keeps_the_budget_meanwhile() {
    let world = World::new();
    let it = Claimant::new(&world);
    let (answered, silent) =
        (it.submitted("website-search", &["400.00"]), it.submitted("website-search", &["300.00"]));
    for id in [&answered, &silent] {
        let asked =
            tell(&it.checker, id, "information-request", json!({"question": "Which invoice is it?"})).ok();
        // From Wednesday, 20 February: fourteen business days are Tuesday, 12 March.
        assert_eq!((&asked["state"], &asked["due_on"]), (&json!("action_required"), &json!("2019-03-12")));
    }
    assert_eq!(it.told("coop_claim_question"), 2);
    assert_eq!(it.committed_and_left(), ["700.00", "9300.00"]);
    let more = json!({"expenses": [it.expense("N-1", "450.00")]});
    let changed = it.viewer.patch(&format!("/v1/coop-claims/{answered}"), more).if_match("*").send().ok();
    it.prove(&answered);
    assert_eq!(changed["assessment"]["limits"][0]["left"], usd("9700.00"), "its own budget is left for it");
    on(&world, "2019-03-12");
    let sent = tell(&it.admin, &answered, "submission", json!({"comment": "It is the second one"})).ok();
    assert_eq!((&sent["state"], &sent["committed"]), (&json!("submitted"), &usd("450.00")));
    on(&world, "2019-03-13");
    assert_eq!(it.claim(&silent)["state"], "expired");
    assert_eq!(it.told("coop_claim_expired"), 1);
    assert_eq!(it.committed_and_left(), ["450.00", "9550.00"]);
    it.story.verify();
}

#[test]
fn one_person_with_two_accounts_is_one_reviewer() {
    let world = World::new();
    let it = Claimant::new(&world);
    let account = |email: &str| {
        let new = person(email, "Olga Operator", Role::Operator, None);
        world.signed_in(users::provision(&world.service.app, new).unwrap())
    };
    let mailbox = ["olga@vendor.example", "Olga+claims@Vendor.example"].map(account);
    let vouched = vouched_for(&world, ["o.operator@vendor.example", "olga@another.example"]);
    let reason = || json!({"reason_code": "duplicate", "reason": "Claimed in January"});
    let last = it.story.operator.clone();
    for ([first, alias], [large, small]) in
        [(mailbox, ["1000.01", "100.00"]), (vouched, ["1000.02", "200.00"])]
    {
        // The second approval.
        let id = it.submitted("telemarketing", &[large]);
        assert_eq!(tell(&first, &id, "approval", json!({})).ok()["state"], "submitted");
        tell(&alias, &id, "approval", json!({})).refused(403, "coop_claim_own_decision");
        assert_eq!(tell(&last, &id, "approval", json!({})).ok()["state"], "approved");
        // The decision on a dispute.
        let id = it.submitted("website-search", &[small]);
        tell(&first, &id, "rejection", reason()).ok();
        tell(&it.admin, &id, "dispute", json!({"reason": "It was another event"})).ok();
        tell(&alias, &id, "approval", json!({})).refused(403, "coop_claim_own_decision");
        tell(&alias, &id, "rejection", reason()).refused(403, "coop_claim_own_decision");
        assert_eq!(tell(&last, &id, "rejection", reason()).ok()["state"], "rejected_final");
    }
    it.story.verify();
}

#[test]
fn a_rejection_is_disputed_once_within_30_days_and_decided_by_another_reviewer() {
    let world = World::new();
    let it = Claimant::new(&world);
    let reason = || json!({"reason_code": "duplicate", "reason": "Claimed in January"});
    let [late, kept, won] = ["100.00", "200.00", "300.00"].map(|net| it.submitted("website-search", &[net]));
    for id in [&late, &kept, &won] {
        let done = tell(&it.checker, id, "rejection", reason()).ok();
        assert_eq!(done["disputable_until"], "2019-03-22");
    }
    world.on("2019-03-22");
    for id in [&kept, &won] {
        tell(&it.viewer, id, "dispute", json!({"reason": "Another event"})).refused(403, "forbidden");
        let raised = tell(&it.admin, id, "dispute", json!({"reason": "It was another event"})).ok();
        assert_eq!(raised["state"], "disputed");
    }
    assert_eq!(it.committed_and_left(), ["500.00", "9500.00"]);
    tell(&it.checker, &kept, "approval", json!({})).refused(403, "coop_claim_own_decision");
    tell(&it.checker, &kept, "rejection", reason()).refused(403, "coop_claim_own_decision");
    let last = tell(&it.story.operator, &kept, "rejection", reason()).ok();
    assert_eq!((&last["state"], &last["disputable_until"]), (&json!("rejected_final"), &Value::Null));
    tell(&it.admin, &kept, "dispute", json!({"reason": "Once more"})).refused(409, "transition_not_allowed");
    assert_eq!(tell(&it.story.operator, &won, "approval", json!({})).ok()["state"], "approved");
    world.on("2019-03-23");
    let refused = tell(&it.admin, &late, "dispute", json!({"reason": "Too late"}));
    assert_eq!(refused.refused(409, "coop_claim_dispute_too_late")["until"], "2019-03-22");
    assert_eq!(it.committed_and_left(), ["300.00", "9700.00"]);
    it.story.verify();
}

#[test]
fn drafts_expire_with_the_time_for_claims_and_what_is_given_back_later_is_lost() {
    let world = World::new();
    let it = Claimant::new(&world);
    let draft = it.draft("website-search", &["100.00"]).ok().id();
    let (kept, lost) =
        (it.submitted("website-search", &["200.00"]), it.submitted("website-search", &["300.00"]));
    on(&world, "2019-08-15");
    assert_eq!(it.claim(&draft)["state"], "draft", "the last day counts");
    on(&world, "2019-08-16");
    assert_eq!(it.claim(&draft)["state"], "expired");
    assert_eq!(it.parts(), ["0.00", "500.00", "0.00", "9500.00", "0.00"]);
    it.draft("website-search", &["1.00"]).refused(409, "coop_claims_closed");
    assert_eq!(tell(&it.checker, &kept, "approval", json!({})).ok()["state"], "approved");
    let reason = json!({"reason_code": "duplicate", "reason": "Claimed in January"});
    tell(&it.checker, &lost, "rejection", reason.clone()).ok();
    assert_eq!(it.parts(), ["0.00", "200.00", "0.00", "9800.00", "0.00"]);
    // A dispute takes the money back from what was lost.
    tell(&it.admin, &lost, "dispute", json!({"reason": "It was another event"})).ok();
    assert_eq!(it.parts(), ["0.00", "500.00", "0.00", "9500.00", "0.00"]);
    assert_eq!(tell(&it.story.operator, &lost, "approval", json!({})).ok()["state"], "approved");
    it.story.verify();
}

#[test]
fn nobody_sees_or_touches_the_claims_of_another_partner() {
    let world = World::new();
    let it = Claimant::new(&world);
    let id = it.submitted("website-search", &["100.00"]);
    let other = it.story.another(2);
    let (admin, viewer) = (world.admin_of(&other.partner), world.viewer_of(&other.partner));
    for client in [&admin, &viewer] {
        client.get(&format!("/v1/coop-claims/{id}")).send().refused(404, "not_found");
        for query in
            [String::new(), format!("fund_id={}", it.fund), format!("partner_id={}", it.story.partner)]
        {
            let listed = client.get(&format!("/v1/coop-claims?{query}")).send().ok();
            assert_eq!(listed["items"], json!([]), "{query}");
        }
        let change =
            client.patch(&format!("/v1/coop-claims/{id}"), json!({"metric": 1})).if_match("*").send();
        change.refused(404, "not_found");
        let draft = json!({
            "fund_id": it.fund, "activity": "website-search", "activity_from": "2019-02-11",
            "activity_to": "2019-02-12", "description": "Not mine",
        });
        client.post("/v1/coop-claims", draft).send().refused(404, "not_found");
    }
    for step in ["submission", "recall", "cancellation"] {
        tell(&admin, &id, step, json!({})).refused(404, "not_found");
    }
    tell(&admin, &id, "dispute", json!({"reason": "Not mine"})).refused(404, "not_found");
    let operator = &it.story.operator;
    operator.post("/v1/coop-claims", json!({})).send().refused(403, "forbidden");
    tell(operator, &id, "submission", json!({})).refused(403, "forbidden");
    for step in ["review", "approval", "hand-back"] {
        tell(&it.admin, &id, step, json!({})).refused(403, "forbidden");
    }
}

#[test]
fn thirty_submissions_at_once_never_overdraw_a_fund_and_thirty_approvals_decide_once() {
    let world = World::new();
    let it = Claimant::new(&world);
    let drafts: Vec<String> = (0..30)
        .map(|n| {
            let id = it.draft("website-search", &[&format!("{}.00", 900 + n)]).ok().id();
            it.prove(&id);
            id
        })
        .collect();
    // A client alone goes from thread to thread.
    let (admin, checker) = (&it.admin, &it.checker);
    let sent: Vec<Answer> = std::thread::scope(|scope| {
        let send = |id: &String| {
            loop {
                let answer = tell(admin, id, "submission", json!({}));
                // A slow machine asks those at the end of the line to come again.
                if answer.status != 503 {
                    return answer;
                }
            }
        };
        let asked: Vec<_> = drafts.iter().map(|id| scope.spawn(move || send(id))).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let committed: i64 = sent
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| text(&answer["committed"]["amount"]).replace('.', "").parse::<i64>().unwrap())
        .sum();
    let statuses: Vec<u16> = sent.iter().map(|answer| answer.status).collect();
    assert!(statuses.iter().all(|status| [200, 422].contains(status)), "{statuses:?}");
    assert_eq!(committed, 1_000_000, "the fund is used to its last cent");
    assert_eq!(it.committed_and_left(), ["10000.00", "0.00"]);
    let id = text(&sent.iter().find(|answer| answer.status == 200).unwrap()["id"]);
    let path = format!("/v1/coop-claims/{id}/rejection");
    let reason = || json!({"reason_code": "duplicate", "reason": "Claimed before"});
    let decided: Vec<u16> = std::thread::scope(|scope| {
        let asked: Vec<_> =
            (0..30).map(|_| scope.spawn(|| checker.post(&path, reason()).send().status)).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(decided.iter().filter(|status| **status == 200).count(), 1, "{decided:?}");
    it.story.verify();
}
