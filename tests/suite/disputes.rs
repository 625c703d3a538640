//! Disputes: a partner objects to a figure, an operator answers with a second calculation, and what is right is paid.

use crate::{
    suite::{
        calculation::{Story, flat, text, version},
        partners::partner,
        payments::{Payer, triple, usd},
    },
    support::{Answer, Client, World, statements::behind_the_service},
};
use diesel::{RunQueryDsl, sql_query};
use partner_incentives::{access::Unaudited, operations::verify};
use serde_json::{Value, json};

/// A partner with a paid programme, its incentive admin, and two operators.
struct Objector<'w> {
    payer: Payer<'w>,
    admin: Client,
}

impl<'w> Objector<'w> {
    fn new(world: &'w World) -> Self {
        let payer = Payer::new(world, "0.10");
        let admin = world.admin_of(&payer.story.partner);
        Self { payer, admin }
    }

    fn raise(&self, subject: &str, record: &Value, expected: &str) -> Answer {
        let body = json!({
            "subject": subject, "subject_id": record["id"], "expected": usd(expected),
            "reason": "The second tier was reached",
        });
        self.admin.post("/v1/disputes", body).send()
    }

    fn rebate(&self, month: &str) -> Value {
        let path = format!("/v1/rebates?partner_id={}&from={month}&to={month}", self.payer.story.partner);
        self.payer.story.list(&path).remove(0)
    }

    fn answer(&self, dispute: &Answer, body: Value) -> Answer {
        self.payer.maker.post(&of(dispute, "answer"), body).send()
    }

    fn reject(&self, dispute: &Answer) -> Answer {
        self.answer(dispute, json!({"verdict": "rejected", "reason": "The tier was not reached"}))
    }
}

fn of(dispute: &Answer, what: &str) -> String {
    format!("/v1/disputes/{}/{what}", dispute.id())
}

fn kinds(client: &Client) -> Vec<String> {
    let told = client.get("/v1/notifications?limit=200").send().ok();
    told["items"].as_array().unwrap().iter().map(|notice| text(&notice["kind"])).collect()
}

#[test]
fn a_partner_that_expects_more_is_paid_what_nobody_disputes_and_gets_the_rest_once_upheld() {
    let world = World::new();
    let it = Objector::new(&world);
    it.payer.month("2018-07", &["5000.00"]);
    let dispute = it.raise("rebate", &it.rebate("2018-07"), "560.00").ok();
    assert_eq!((dispute.status, &dispute["state"]), (201, &json!("open")));
    assert_eq!(
        (&dispute["figure"], &dispute["disputed"], &dispute["held_rebate_id"]),
        (&usd("500.00"), &usd("60.00"), &Value::Null)
    );
    // A Friday; the fifth business day is the Friday after.
    assert_eq!(dispute["clock"], json!({"due_on": "2018-08-10", "business_days_left": 5, "overdue": false}));
    assert!(kinds(&it.payer.maker).contains(&"dispute_moved".to_owned()));
    let paid = it.payer.sent("2018-07").remove(0);
    assert_eq!(paid["gross"], usd("500.00"));
    let upheld = it.answer(&dispute, json!({"verdict": "upheld", "reason": "A sale was left out"})).ok();
    assert_eq!((&upheld["state"], &upheld["clock"]["due_on"]), (&json!("upheld"), &Value::Null));
    let answer = &upheld["answers"][0];
    assert_eq!((&answer["granted"], &answer["verdict"]), (&usd("60.00"), &json!("upheld")));
    let calculation = &answer["calculation"];
    assert_eq!((&calculation["figure"], &calculation["difference"]), (&usd("500.00"), &usd("0.00")));
    let line = &calculation["lines"][0];
    assert_eq!(
        (&line["lever"], &line["posted"], &line["computed"]),
        (&json!("core"), &usd("500.00"), &usd("500.00"))
    );
    assert!(kinds(&it.admin).contains(&"dispute_answered".to_owned()));
    // Proposed in the answerer's name: another person decides.
    let path = format!("/v1/adjustments/{}", text(&upheld["adjustment_id"]));
    let adjustment = it.payer.maker.get(&path).send().ok();
    assert_eq!(
        (&adjustment["dispute_id"], &adjustment["reason_code"], &adjustment["amount"]),
        (&dispute["id"], &json!("dispute"), &usd("60.00"))
    );
    it.payer.maker.post(&format!("{path}/approval"), json!({})).send().refused(403, "own_proposal");
    it.admin.get(&path).send().refused(404, "not_found");
    let approved = it.payer.checker.post(&format!("{path}/approval"), json!({})).send().ok();
    assert_eq!((&approved["earned_in"], &approved["posted_in"]), (&json!("2018-07"), &json!("2018-08")));
    assert_eq!(it.admin.get(&path).send().ok()["dispute_id"], dispute["id"]);
    it.payer.month("2018-08", &["2000.00"]);
    assert_eq!(it.payer.states()[1], triple("2018-08", "260.00", "payable"));
    it.payer.story.verify();
}

#[test]
fn a_partner_that_expects_less_has_the_rebate_held_until_the_answer() {
    let world = World::new();
    let it = Objector::new(&world);
    it.payer.month("2018-07", &["5000.00"]);
    let earning = it.payer.story.list("/v1/earnings").remove(0);
    let dispute = it.raise("earning", &earning, "400.00").ok();
    let rebate = it.rebate("2018-07");
    assert_eq!((&dispute["held_rebate_id"], &dispute["disputed"]), (&rebate["id"], &usd("-100.00")));
    assert_eq!((&rebate["state"], &rebate["state_reason"]["code"]), (&json!("on_hold"), &json!("disputed")));
    let hold = format!("/v1/rebates/{}/hold", text(&rebate["id"]));
    let because = json!({"reason": "By hand"});
    it.payer.maker.post(&hold, because).send().refused(409, "transition_not_allowed");
    let run = it.payer.run("2018-07");
    assert_eq!(run["totals"][0]["on_hold"][0]["reason"], "disputed");
    it.payer.approve(&run).ok();
    // The profiles move, and the hold stays.
    it.payer.changes_the_account();
    assert_eq!(it.rebate("2018-07")["state_reason"]["code"], "disputed");
    it.payer.story.verify();
    it.reject(&dispute).ok();
    assert_eq!(it.rebate("2018-07")["state_reason"]["code"], "cooling_off");
    // Escalated, what was released is held again; the final answer releases it for good.
    let reason = json!({"reason": "A refund is missing"});
    let escalated = it.admin.post(&of(&dispute, "escalation"), reason.clone()).send().ok();
    assert_eq!((&escalated["state"], &escalated["held_rebate_id"]), (&json!("escalated"), &rebate["id"]));
    assert_eq!(escalated["clock"]["due_on"], "2018-08-10");
    it.payer.story.verify();
    let last = it.reject(&dispute).ok();
    assert_eq!((&last["state"], &last["allowed_transitions"]), (&json!("rejected_finally"), &json!([])));
    it.admin.post(&of(&dispute, "escalation"), reason).send().refused(409, "transition_not_allowed");
    assert_eq!(it.rebate("2018-07")["state_reason"]["code"], "cooling_off");
    it.payer.story.verify();
}

#[test]
fn the_clock_of_an_answer_stands_still_while_the_partner_is_asked() {
    let world = World::new();
    let it = Objector::new(&world);
    it.payer.month("2018-07", &["5000.00"]);
    let dispute = it.raise("rebate", &it.rebate("2018-07"), "560.00").ok();
    let question = json!({"question": "Which invoice is it?"});
    it.admin.post(&of(&dispute, "information-request"), question.clone()).send().refused(403, "forbidden");
    it.admin
        .post(&of(&dispute, "reply"), json!({"reply": "None"}))
        .send()
        .refused(409, "transition_not_allowed");
    world.on("2018-08-07");
    let asked = it.payer.maker.post(&of(&dispute, "information-request"), question).send().ok();
    assert_eq!(asked["state"], "information_requested");
    assert_eq!(asked["clock"], json!({"due_on": null, "business_days_left": 3, "overdue": false}));
    assert!(kinds(&it.admin).contains(&"dispute_question".to_owned()));
    it.reject(&dispute).refused(409, "transition_not_allowed");
    world.on("2018-08-20");
    let replied = it.admin.post(&of(&dispute, "reply"), json!({"reply": "INV-318"})).send().ok();
    assert_eq!((&replied["state"], &replied["clock"]["due_on"]), (&json!("open"), &json!("2018-08-23")));
    assert_eq!(replied["questions"][0]["reply"], "INV-318");
    world.on("2018-08-24");
    let late = it.payer.maker.get(&format!("/v1/disputes/{}", dispute.id())).send().ok();
    assert_eq!(late["clock"]["overdue"], true);
    for (filter, found) in [
        ("due_until=2018-08-23&state=open", 1),
        ("due_until=2018-08-22", 0),
        ("state=rejected", 0),
        ("subject=rebate", 1),
        ("subject=payment", 0),
    ] {
        assert_eq!(it.payer.story.list(&format!("/v1/disputes?{filter}")).len(), found, "{filter}");
    }
    assert_eq!(
        it.payer.story.list(&format!("/v1/disputes?subject_id={}", text(&dispute["subject_id"]))).len(),
        1
    );
}

#[test]
fn a_settlement_that_another_operator_turns_down_opens_the_dispute_again() {
    let world = World::new();
    let it = Objector::new(&world);
    it.payer.month("2018-07", &["5000.00"]);
    let dispute = it.raise("rebate", &it.rebate("2018-07"), "450.00").ok();
    let half = json!({"verdict": "upheld", "reason": "A half of it", "amount": usd("-25.00")});
    let upheld = it.answer(&dispute, half.clone()).ok();
    // What is disputed waits for the decision of another operator, and no run pays it meanwhile.
    assert_eq!(
        (&upheld["answers"][0]["granted"], &upheld["held_rebate_id"]),
        (&usd("-25.00"), &dispute["subject_id"])
    );
    assert_eq!(it.rebate("2018-07")["state_reason"]["code"], "disputed");
    let run = it.payer.run("2018-07");
    assert_eq!(run["totals"][0]["on_hold"][0]["reason"], "disputed");
    it.payer.approve(&run).ok();
    it.payer.story.verify();
    let rejection = format!("/v1/adjustments/{}/rejection", text(&upheld["adjustment_id"]));
    it.payer.checker.post(&rejection, json!({"comment": "Nothing of it"})).send().ok();
    let path = format!("/v1/disputes/{}", dispute.id());
    let again = it.admin.get(&path).send().ok();
    assert_eq!((&again["state"], &again["adjustment_id"]), (&json!("open"), &Value::Null));
    assert_eq!(again["held_rebate_id"], dispute["subject_id"]);
    it.payer.story.verify();
    it.reject(&dispute).ok();
    it.admin.post(&of(&dispute, "escalation"), json!({"reason": "Still wrong"})).send().ok();
    let upheld = it.answer(&dispute, half).ok();
    let rejection = format!("/v1/adjustments/{}/rejection", text(&upheld["adjustment_id"]));
    it.payer.checker.post(&rejection, json!({"comment": "Nothing of it"})).send().ok();
    assert_eq!(it.admin.get(&path).send().ok()["state"], "escalated");
    let withdrawn = it.admin.post(&of(&dispute, "withdrawal"), json!({"reason": "Let it be"})).send().ok();
    assert_eq!(withdrawn["state"], "withdrawn");
    assert_eq!(it.payer.states(), [triple("2018-07", "500.00", "payable")]);
    it.payer.story.verify();
}

#[test]
fn what_did_not_earn_is_computed_again_with_its_rule() {
    let world = World::new();
    let mut terms = version(&json!([flat("core", "0.10")]));
    terms["split"]["rebate_rate"] = json!("1");
    terms["levers"][0]["applies_to"] = json!({"products": ["CSP-1"]});
    let story = Story::by(&world, &terms);
    let admin = world.admin_of(&story.partner);
    world.on("2018-07-20");
    story.sale("1", "2018-07-10", "5000.00");
    story.calculate();
    let record = story.list("/v1/ineligible-records").remove(0);
    let body = json!({
        "subject": "ineligible_record", "subject_id": record["id"], "expected": usd("500.00"),
        "reason": "The product is on the list",
    });
    let mut wrong = body.clone();
    wrong["expected"] = json!({"amount": "0.00", "currency": "USD"});
    admin.post("/v1/disputes", wrong.clone()).send().refused(422, "invalid");
    wrong["expected"] = json!({"amount": "500", "currency": "JPY"});
    admin.post("/v1/disputes", wrong).send().refused(422, "invalid");
    let dispute = admin.post("/v1/disputes", body).send().ok();
    let answer = json!({"verdict": "rejected", "reason": "It is not on the list"});
    let rejected = story.operator.post(&of(&dispute, "answer"), answer).send().ok();
    let calculation = &rejected["answers"][0]["calculation"];
    assert_eq!((&calculation["figure"], &calculation["difference"]), (&usd("0.00"), &usd("0.00")));
    let line = &calculation["lines"][0];
    assert_eq!(
        (&line["rule"]["code"], &line["computed"], &line["program"]),
        (&json!("product_not_eligible"), &usd("0.00"), &json!("rewards"))
    );
    let japanese =
        admin.get(&format!("/v1/disputes/{}", dispute.id())).header("accept-language", "ja").send().ok();
    let message = &japanese["answers"][0]["calculation"]["lines"][0]["rule"]["message"];
    assert!(!text(message).is_ascii(), "{message}");
    story.verify();
}

#[test]
fn a_second_calculation_of_an_earning_shows_its_steps_and_what_is_not_posted_yet() {
    let world = World::new();
    let it = Objector::new(&world);
    world.on("2018-07-20");
    let sale = it.payer.story.sale("1", "2018-07-10", "5000.00");
    it.payer.story.calculate();
    let earning = it.payer.story.list("/v1/earnings").remove(0);
    let dispute = it.raise("earning", &earning, "450.00").ok();
    let rejected = it.reject(&dispute).ok();
    let calculation = &rejected["answers"][0]["calculation"];
    let line = &calculation["lines"][0];
    assert_eq!((&line["posted"], &line["computed"]), (&usd("500.00"), &usd("500.00")), "{calculation}");
    let steps: Vec<String> =
        line["trace"].as_array().unwrap().iter().map(|step| text(&step["step"])).collect();
    assert_eq!(steps, ["base", "slice", "rounded", "split"]);
    // A sale and a refund that no calculation has looked at yet: the second calculation knows both.
    it.payer.story.sale("2", "2018-07-12", "1500.00");
    it.payer.story.refund("3", &sale, "2018-07-13", "-500.00");
    let of_rebate = it.raise("rebate", &it.rebate("2018-07"), "600.00").ok();
    assert_eq!((&of_rebate["figure"], &of_rebate["subject"]), (&usd("500.00"), &json!("rebate")));
    let calculation = it.reject(&of_rebate).ok()["answers"][0]["calculation"].clone();
    assert_eq!((&calculation["figure"], &calculation["difference"]), (&usd("600.00"), &usd("100.00")));
    let line = &calculation["lines"][0];
    assert_eq!(
        (&line["posted"], &line["computed"], &line["trace"]),
        (&usd("500.00"), &usd("600.00"), &json!([]))
    );
    it.payer.close("2018-07");
    assert_eq!(it.payer.states(), [triple("2018-07", "600.00", "payable")]);
    it.payer.story.verify();
}

#[test]
fn a_payment_is_disputed_within_thirty_days_and_each_record_once() {
    let world = World::new();
    let it = Objector::new(&world);
    it.payer.month("2018-07", &["5000.00"]);
    let payment = it.payer.sent("2018-07").remove(0);
    let dispute = it.raise("payment", &payment, "520.00").ok();
    assert_eq!(
        (&dispute["figure"], &dispute["enrollment_id"]),
        (&usd("500.00"), &json!(it.payer.story.enrollment))
    );
    let again = it.raise("payment", &payment, "530.00").refused(409, "already_disputed");
    assert_eq!(again["dispute_id"], dispute["id"]);
    let upheld = it.answer(&dispute, json!({"verdict": "upheld", "reason": "A sale was left out"})).ok();
    assert_eq!(upheld["answers"][0]["granted"], usd("20.00"));
    world.on("2018-09-02");
    let rebate = it.rebate("2018-07");
    it.raise("rebate", &rebate, "500.00").refused(422, "invalid");
    world.on("2018-09-03");
    let late = it.raise("rebate", &rebate, "510.00").refused(409, "dispute_too_late");
    assert_eq!(late["until"], "2018-09-02");
    let earning = it.payer.story.list("/v1/earnings").remove(0);
    let ninety = it.raise("earning", &earning, "510.00").ok();
    let unexpected = json!({"verdict": "rejected", "reason": "Not so", "amount": usd("1.00")});
    it.answer(&ninety, unexpected).refused(422, "invalid");
    let other = json!({"verdict": "upheld", "reason": "Is so", "amount": {"amount": "1", "currency": "JPY"}});
    it.answer(&ninety, other).refused(422, "invalid");
    it.payer.story.verify();
}

#[test]
fn a_viewer_reads_disputes_and_a_foreign_partner_finds_none() {
    let world = World::new();
    let it = Objector::new(&world);
    it.payer.month("2018-07", &["5000.00"]);
    let rebate = it.rebate("2018-07");
    let stranger = it.payer.maker.post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let (viewer, stranger) = (world.viewer_of(&it.payer.story.partner), world.admin_of(&stranger));
    let body = json!({
        "subject": "rebate", "subject_id": rebate["id"], "expected": usd("560.00"), "reason": "Too little",
    });
    for operator in [&viewer, &it.payer.maker] {
        operator.post("/v1/disputes", body.clone()).send().refused(403, "forbidden");
    }
    stranger.post("/v1/disputes", body).send().refused(404, "not_found");
    let dispute = it.raise("rebate", &rebate, "560.00").ok();
    let path = format!("/v1/disputes/{}", dispute.id());
    assert_eq!(viewer.get(&path).send().ok()["id"], dispute["id"]);
    assert_eq!(viewer.get("/v1/disputes").send().ok()["items"].as_array().unwrap().len(), 1);
    viewer.post(&of(&dispute, "withdrawal"), json!({"reason": "Let it be"})).send().refused(403, "forbidden");
    stranger.get(&path).send().refused(404, "not_found");
    assert_eq!(stranger.get("/v1/disputes").send().ok()["items"], json!([]));
    stranger
        .post(&of(&dispute, "withdrawal"), json!({"reason": "Let it be"}))
        .send()
        .refused(404, "not_found");
    it.admin
        .post(&of(&dispute, "answer"), json!({"verdict": "upheld", "reason": "Yes"}))
        .send()
        .refused(403, "forbidden");
}

#[test]
fn a_dispute_that_was_changed_behind_the_service_s_back_is_found() {
    let world = World::new();
    let it = Objector::new(&world);
    it.payer.month("2018-07", &["5000.00"]);
    let less = it.raise("rebate", &it.rebate("2018-07"), "450.00").ok();
    let broken = |change: &'static str| -> Vec<&'static str> {
        let tamper = move |tx: &mut partner_incentives::access::Tx<'_>| {
            tx.exempt_from_audit(Unaudited::NotPublished);
            behind_the_service(|| sql_query(change).execute(tx.conn))?;
            Ok(())
        };
        world.service.app.write_as_system("Test", tamper).unwrap();
        let sums = world.service.app.read_as_system(verify::sums_of_disputes).unwrap();
        sums.into_iter().filter(|sum| sum.difference.is_some()).map(|sum| sum.name).collect()
    };
    assert_eq!(
        broken("UPDATE rebates SET state_reason = 'held_by_operator'"),
        ["what a dispute holds is on hold"]
    );
    assert_eq!(broken("UPDATE rebates SET state_reason = 'disputed'"), Vec::<&str>::new());
    assert_eq!(broken("UPDATE disputes SET held_rebate_id = NULL"), ["disputed rebates wait for an answer"]);
    assert_eq!(broken("UPDATE rebates SET state = 'payable', state_reason = NULL"), Vec::<&str>::new());
    it.answer(&less, json!({"verdict": "upheld", "reason": "Is so"})).ok();
    assert_eq!(broken("UPDATE adjustments SET dispute_id = NULL"), ["upheld disputes have their adjustment"]);
    assert_eq!(broken("UPDATE disputes SET adjustment_id = NULL"), ["upheld disputes have their adjustment"]);
}

#[test]
fn what_is_disputed_as_too_high_is_released_once_the_adjustment_is_approved() {
    let world = World::new();
    let it = Objector::new(&world);
    it.payer.month("2018-07", &["5000.00"]);
    let dispute = it.raise("rebate", &it.rebate("2018-07"), "450.00").ok();
    let upheld = it.answer(&dispute, json!({"verdict": "upheld", "reason": "Is so"})).ok();
    assert_eq!(it.payer.states(), [triple("2018-07", "500.00", "on_hold")]);
    let approval = format!("/v1/adjustments/{}/approval", text(&upheld["adjustment_id"]));
    it.payer.checker.post(&approval, json!({})).send().ok();
    let settled = it.admin.get(&format!("/v1/disputes/{}", dispute.id())).send().ok();
    assert_eq!((&settled["state"], &settled["held_rebate_id"]), (&json!("upheld"), &Value::Null));
    assert_eq!(it.payer.states()[0], triple("2018-07", "500.00", "payable"));
    it.payer.story.verify();
}
