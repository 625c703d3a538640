//! Payments: runs over what is payable, from the making to the arrival, the failure or the return.

use crate::{
    suite::{
        adjustments::vouched_for,
        calculation::{Story, flat, text, verify, version},
        partners::partner,
        profiles::payout_to,
    },
    support::{Answer, Client, World, person, statements::behind_the_service},
};
use diesel::{RunQueryDsl, sql_query};
use partner_incentives::{
    access::{Role, Unaudited},
    identity::users,
    payouts::payment_runs,
    work::{JobName, Turn},
};
use serde_json::{Value, json};

/// A version whose sales give a share as rebate, and nothing as co-op.
pub fn all_rebate(rate: &str) -> Value {
    let mut version = version(&json!([flat("core", rate)]));
    version["split"]["rebate_rate"] = json!("1");
    version
}

/// A programme whose months are paid: one person makes runs, another approves them.
pub struct Payer<'w> {
    pub story: Story<'w>,
    pub maker: Client,
    pub checker: Client,
    /// The partner's incentive admin, who gets the notices.
    admin: Client,
}

impl<'w> Payer<'w> {
    pub fn new(world: &'w World, rate: &str) -> Self {
        Self::by(world, &all_rebate(rate))
    }

    pub fn by(world: &'w World, version: &Value) -> Self {
        let story = Story::by(world, version);
        let checker = world.another_operator();
        let admin = world.admin_of(&story.partner);
        Self { maker: story.operator.clone(), story, checker, admin }
    }

    /// Sells, calculates and closes the month on the third day of the next.
    pub fn month(&self, month: &str, sold: &[&str]) {
        self.story.world.on(&format!("{month}-20"));
        for (n, amount) in sold.iter().enumerate() {
            self.story.sale(&format!("{month}/{n}"), &format!("{month}-10"), amount);
        }
        self.close(month);
    }

    pub fn close(&self, month: &str) {
        self.story.calculate();
        self.story.world.on(&following(month));
        self.story.close(month).ok();
    }

    pub fn ask(&self, month: &str) -> Answer {
        self.maker.post("/v1/payment-runs", json!({"month": month})).send()
    }

    pub fn run(&self, month: &str) -> Answer {
        let run = self.ask(month).ok();
        assert_eq!((run.status, &run["state"]), (201, &json!("created")), "{run}");
        run
    }

    pub fn approve(&self, run: &Answer) -> Answer {
        self.checker.post(&format!("/v1/payment-runs/{}/approval", run.id()), json!({})).send()
    }

    pub fn dispatch(&self, run: &Answer) -> Answer {
        self.maker.post(&format!("/v1/payment-runs/{}/dispatch", run.id()), json!({})).send()
    }

    /// A run that the bank has.
    pub fn sent(&self, month: &str) -> Vec<Value> {
        let run = self.run(month);
        self.approve(&run).ok();
        self.dispatch(&run).ok();
        self.payments(&run)
    }

    pub fn payments(&self, run: &Answer) -> Vec<Value> {
        self.story.list(&format!("/v1/payments?run_id={}", run.id()))
    }

    pub fn tell(&self, payment: &Value, what: &str, body: Value) -> Answer {
        self.maker.post(&format!("/v1/payments/{}/{what}", text(&payment["id"])), body).send()
    }

    pub fn whole(&self, payment: &Value) -> Answer {
        self.maker.get(&format!("/v1/payments/{}", text(&payment["id"]))).send().ok()
    }

    /// The partner is paid to another account from now on, which an operator has approved.
    pub fn changes_the_account(&self) {
        let profile = format!("/v1/partners/{}/payout-profile", self.story.partner);
        let admin = self.story.world.admin_of(&self.story.partner);
        admin.put(&profile, payout_to("Partner", "DE02120300000000202051")).if_match("*").send().ok();
        self.maker.post(&format!("{profile}/approval"), json!({})).send().ok();
    }

    /// The latest notice of a kind to the partner's incentive admin.
    pub fn notice(&self, kind: &str) -> String {
        notice(&self.admin, kind)
    }

    /// The notices of a kind to the partner's incentive admin, the latest first.
    pub fn notices(&self, kind: &str) -> Vec<String> {
        let told = self.admin.get(&format!("/v1/notifications?kind={kind}")).send().ok();
        told["items"].as_array().unwrap().iter().map(|notice| text(&notice["body"])).collect()
    }

    pub fn states(&self) -> Vec<(String, String, String)> {
        self.story.rebates()
    }

    pub fn adjust(&self, enrollment: &str, month: &str, amount: &str) {
        self.adjust_by(enrollment, month, &usd(amount));
    }

    pub fn adjust_by(&self, enrollment: &str, month: &str, amount: &Value) {
        let proposal = json!({
            "enrollment_id": enrollment, "amount": amount, "earned_in": month,
            "reason_code": "goodwill", "comment": "For the delay",
        });
        let proposed = self.maker.post("/v1/adjustments", proposal).send().ok().id();
        self.checker.post(&format!("/v1/adjustments/{proposed}/approval"), json!({})).send().ok();
    }
}

fn notice(reader: &Client, kind: &str) -> String {
    let told = reader.get(&format!("/v1/notifications?kind={kind}")).send().ok();
    text(&told["items"][0]["body"])
}

/// The third day of the month after one.
pub fn following(month: &str) -> String {
    let (year, number) = month.split_once('-').unwrap();
    let (year, number): (i32, i32) = (year.parse().unwrap(), number.parse().unwrap());
    format!("{}-{:02}-03", year + number / 12, number % 12 + 1)
}

pub fn usd(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

fn waits(total: &Value, kind: &str) -> Vec<(String, String)> {
    let wait = |wait: &Value| (text(&wait["reason"]), text(&wait["amount"]["amount"]));
    total[kind].as_array().unwrap().iter().map(wait).collect()
}

fn amounts(payment: &Answer) -> Vec<(String, String)> {
    let line = |line: &Value| (text(&line["posted_in"]), text(&line["amount"]["amount"]));
    payment["lines"].as_array().unwrap().iter().map(line).collect()
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

pub fn triple(month: &str, amount: &str, state: &str) -> (String, String, String) {
    (month.to_owned(), amount.to_owned(), state.to_owned())
}

#[test]
fn p1_what_is_below_the_threshold_is_carried_until_the_sum_meets_it() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["1200.00"]);
    let run = payer.run("2018-07");
    let total = &run["totals"][0];
    assert_eq!((&total["payments"], &total["gross"]), (&json!(0), &usd("0.00")));
    assert_eq!(waits(total, "carried"), [pair("below_payment_threshold", "120.00")]);
    payer.approve(&run).ok();
    payer.month("2018-08", &["750.00"]);
    let run = payer.run("2018-08");
    assert_eq!(waits(&run["totals"][0], "carried"), [pair("below_payment_threshold", "195.00")]);
    let rebate = payer.story.list("/v1/rebates?from=2018-08")[0].clone();
    assert_eq!(rebate["state_reason"]["missing"], usd("5.00"));
    payer.approve(&run).ok();
    payer.month("2018-09", &["50.00"]);
    let run = payer.run("2018-09");
    let total = &run["totals"][0];
    assert_eq!(
        (&total["payments"], &total["gross"], &total["net"]),
        (&json!(1), &usd("200.00"), &usd("200.00"))
    );
    let payment = payer.whole(&payer.payments(&run)[0]);
    assert_eq!(
        amounts(&payment),
        [pair("2018-07", "120.00"), pair("2018-08", "75.00"), pair("2018-09", "5.00")]
    );
    assert_eq!((&payment["state"], &payment["document_number"]), (&json!("created"), &Value::Null));
    assert!(payer.states().iter().all(|(.., state)| state == "in_payment"), "{:?}", payer.states());
    payer.approve(&run).ok();
    payer.dispatch(&run).ok();
    let payment = payer.whole(&payment.body);
    assert_eq!((&payment["state"], &payment["document_number"]), (&json!("sent"), &json!("CN-00000001")));
    let summary = format!("/v1/partners/{}/summary", payer.story.partner);
    let summary = payer.maker.get(&summary).send().ok();
    let expected = &summary["payments"][0];
    assert_eq!(
        (&expected["payment_id"], &expected["amount"], &expected["sent_on"], &expected["reference"]),
        (&payment["id"], &usd("200.00"), &json!("2018-10-03"), &payment["reference"])
    );
    let next = &summary["enrollments"][0]["next_payment"][0];
    assert_eq!((&next["in_payment"], &next["paid_in"]), (&usd("200.00"), &json!("2018-10")));
    assert_eq!(payment["allowed_transitions"], json!(["confirmation", "failure"]));
    let settled = payer.tell(&payment.body, "confirmation", json!({})).ok();
    assert_eq!((&settled["state"], &settled["settled_on"]), (&json!("settled"), &json!("2018-10-03")));
    assert!(payer.states().iter().all(|(.., state)| state == "paid"), "{:?}", payer.states());
    // The statement of October carries nothing on.
    payer.month("2018-10", &["10.00"]);
    let statement = format!("/v1/partners/{}/statements/2018-10", payer.story.partner);
    let statement = payer.maker.get(&statement).send().ok();
    let balance = &statement["programs"][0]["balances"][0];
    let part = |name: &str| text(&balance[name]["amount"]);
    assert_eq!([part("carried_in"), part("new"), part("paid")], ["200.00", "1.00", "200.00"], "{balance}");
    assert_eq!(
        [part("forfeited"), part("carried_out"), part("in_payment")],
        ["0.00", "1.00", "0.00"],
        "{balance}"
    );
    let paid = &statement["programs"][0]["payments"][0];
    assert_eq!(
        (&paid["reference"], &paid["amount"], &paid["on"]),
        (&payment["reference"], &usd("200.00"), &json!("2018-10-03"))
    );
    payer.story.verify();
}

#[test]
fn r12_a_refund_after_the_payment_is_set_off_against_what_comes_later() {
    let world = World::new();
    let payer = Payer::new(&world, "0.08");
    world.on("2018-09-15");
    let sale = payer.story.sale("1", "2018-09-01", "10000.00");
    payer.close("2018-09");
    let payments = payer.sent("2018-09");
    assert_eq!(payments[0]["gross"], usd("800.00"));
    payer.tell(&payments[0], "confirmation", json!({})).ok();
    world.on("2018-10-20");
    payer.story.refund("2", &sale, "2018-10-10", "-2500.00");
    payer.close("2018-10");
    assert_eq!(payer.states()[1], triple("2018-10", "-200.00", "payable"));
    let run = payer.run("2018-10");
    assert_eq!(waits(&run["totals"][0], "carried"), [pair("negative_balance", "-200.00")]);
    payer.month("2018-11", &["750.00"]);
    let run = payer.run("2018-11");
    assert_eq!(waits(&run["totals"][0], "carried"), [pair("negative_balance", "-140.00")]);
    assert!(payer.payments(&run).is_empty());
    payer.month("2018-12", &["4500.00"]);
    let run = payer.run("2018-12");
    let total = &run["totals"][0];
    assert_eq!((&total["gross"], &total["offset"]), (&usd("220.00"), &usd("200.00")));
    let payment = payer.whole(&payer.payments(&run)[0]);
    assert_eq!(
        amounts(&payment),
        [pair("2018-10", "-200.00"), pair("2018-11", "60.00"), pair("2018-12", "360.00")]
    );
    let set_off: Vec<_> =
        payment["lines"].as_array().unwrap().iter().map(|line| text(&line["set_off"]["amount"])).collect();
    assert_eq!(set_off, ["-200.00", "60.00", "140.00"]);
    payer.approve(&run).ok();
    payer.dispatch(&run).ok();
    payer.tell(&payment.body, "confirmation", json!({})).ok();
    assert_eq!(
        payer.states(),
        [
            triple("2018-09", "800.00", "paid"),
            triple("2018-10", "-200.00", "offset"),
            triple("2018-11", "60.00", "paid"),
            triple("2018-12", "360.00", "paid"),
        ]
    );
    // The refund belongs to the month of its sale.
    let path = format!("/v1/payments/{}/remittance", payment.id());
    let remittance = payer.maker.get(&path).send().ok();
    let taken_back = &remittance["lines"][0];
    assert_eq!((&taken_back["posted_in"], &taken_back["program"]), (&json!("2018-10"), &json!("rewards")));
    let records = format!(
        "/v1/earnings?enrollment_id={}&currency=USD&lever=core&earned_in=2018-09&from=2018-10&to=2018-10",
        payer.story.enrollment
    );
    let part = json!({
        "kind": "earning", "lever": "core", "earned_in": "2018-09", "amount": usd("-200.00"), "records": records
    });
    assert_eq!(taken_back["parts"], json!([part]));
    let table =
        String::from_utf8(payer.maker.get(&path).header("accept", "text/csv").send().ok().bytes).unwrap();
    let rows: Vec<&str> = table.lines().collect();
    let row = format!("line,rewards,2018-10,earning,core,2018-09,{records},USD,-200.00");
    assert_eq!(rows[1], row, "{table}");
    let cents = |row: &&str| row.rsplit(',').next().unwrap().replace('.', "").parse::<i64>().unwrap();
    let lines: i64 = rows.iter().filter(|row| row.starts_with("line,")).map(cents).sum();
    assert_eq!((lines, rows[4]), (22_000, "gross,,,,,,,USD,220.00"), "{table}");
    // The page says the same in each language, and fetches nothing.
    for (language, title, month) in
        [("en", "Remittance advice", "September 2018"), ("ja", "支払通知書", "2018年9月")]
    {
        let asked = payer.maker.get(&path).header("accept", "text/html").header("accept-language", language);
        let page = asked.send().ok();
        assert_eq!(page.header("content-language"), Some(language));
        let page = String::from_utf8(page.bytes).unwrap();
        assert!(page.contains(title) && page.contains(month) && page.contains("CN-00000002"), "{page}");
        assert!(!page.contains("src=") && !page.contains("href="), "{page}");
        let cells = page.split("<td class=\"n\">").skip(1).map(|cell| cell.split('<').next().unwrap());
        let cents =
            |cell: &str| cell.replace(['.', ','], "").replace('\u{2212}', "-").parse::<i64>().unwrap();
        let lines: i64 = cells.take(3).map(cents).sum();
        assert!(lines == 22_000 && page.contains("<td class=\"n gross\">220.00</td>"), "{page}");
    }
    payer.story.verify();
}

#[test]
fn a_sum_that_equals_the_threshold_is_paid_and_one_cent_less_is_not() {
    for (sold, paid) in [("1999.90", 0), ("2000.00", 1)] {
        let world = World::new();
        let payer = Payer::new(&world, "0.10");
        payer.month("2018-07", &[sold]);
        let preview =
            payer.maker.post("/v1/payment-runs?preview=true", json!({"month": "2018-07"})).send().ok();
        assert_eq!((preview.status, &preview["total"]), (200, &json!(1)));
        assert!(payer.story.list("/v1/payment-runs").is_empty(), "a preview stores nothing");
        let run = payer.run("2018-07");
        assert_eq!(run["totals"], preview["totals"], "a preview is what the run is");
        assert_eq!(run["totals"][0]["payments"], paid, "{sold}");
        assert_eq!(payer.payments(&run).len(), usize::try_from(paid).unwrap());
    }
}

#[test]
fn what_one_enrollment_owes_back_is_set_off_against_another_of_the_currency() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    let operator = &payer.maker;
    let program = json!({"code": "extra", "name": "Extra", "partner_types": ["direct_bill"]});
    operator.post("/v1/programs", program).send().ok();
    operator.post("/v1/programs/extra/versions", all_rebate("0.01")).send().ok();
    operator.post("/v1/programs/extra/versions/1/publication", json!({})).if_match("*").send().ok();
    let asked = json!({"partner_id": payer.story.partner, "program": "extra", "reason": "By telephone"});
    let extra = operator.post("/v1/enrollments", asked).send().ok().id();
    world.on("2018-07-20");
    payer.story.sale("1", "2018-07-10", "5000.00");
    payer.story.calculate();
    payer.adjust(&extra, "2018-07", "-130.00");
    payer.close("2018-07");
    let run = payer.run("2018-07");
    let total = &run["totals"][0];
    assert_eq!((&total["gross"], &total["offset"]), (&usd("420.00"), &usd("80.00")));
    let payment = payer.whole(&payer.payments(&run)[0]);
    assert_eq!(payment["lines"].as_array().unwrap().len(), 2);
    payer.approve(&run).ok();
    payer.dispatch(&run).ok();
    payer.tell(&payment.body, "confirmation", json!({})).ok();
    let mut states = payer.states();
    states.sort();
    assert_eq!(states, [triple("2018-07", "-80.00", "offset"), triple("2018-07", "500.00", "paid")]);
    payer.story.verify();
    // More owed back than is ready is carried, and nothing is paid.
    world.on("2018-08-20");
    payer.story.sale("2", "2018-08-10", "3000.00");
    payer.story.calculate();
    payer.adjust(&extra, "2018-08", "-430.00");
    payer.close("2018-08");
    let run = payer.run("2018-08");
    assert_eq!(waits(&run["totals"][0], "carried"), [pair("negative_balance", "-100.00")]);
    assert!(payer.payments(&run).is_empty());
}

#[test]
fn what_is_on_hold_is_told_by_reason_and_paid_once_it_is_free() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    let held = payer.story.another(2);
    let suspended = payer.story.another(3);
    let unsure = payer.story.another(4);
    let readers = [&held, &unsure].map(|story| world.admin_of(&story.partner));
    world.on("2018-07-20");
    for (n, story) in [&payer.story, &held, &suspended, &unsure].into_iter().enumerate() {
        story.sale(&format!("s{n}"), "2018-07-10", "5000.00");
    }
    payer.close("2018-07");
    let because = json!({"reason": "Figures are being clarified"});
    let rebate = text(&payer.story.list(&format!("/v1/rebates?partner_id={}", held.partner))[0]["id"]);
    payer.maker.post(&format!("/v1/rebates/{rebate}/hold"), because.clone()).send().ok();
    let notice = notice(&readers[0], "rebate_held");
    assert!(
        notice.contains("An operator holds it") && notice.contains("Figures are being clarified"),
        "{notice}"
    );
    let path = format!("/v1/partners/{}", suspended.partner);
    payer.maker.post(&format!("{path}/suspension"), because.clone()).send().ok();
    let tax = format!("/v1/partners/{}/tax-profile/rejection", unsure.partner);
    payer.maker.post(&tax, because.clone()).send().ok();
    let waits_for_profile = self::notice(&readers[1], "rebate_held");
    assert!(waits_for_profile.contains("the profile that was refused"), "{waits_for_profile}");
    let run = payer.run("2018-07");
    let total = &run["totals"][0];
    assert_eq!((&total["payments"], &run["total"], &run["done"]), (&json!(1), &json!(4), &json!(4)));
    assert_eq!(
        waits(total, "on_hold"),
        [
            pair("profile_action_required", "500.00"),
            pair("held_by_operator", "500.00"),
            pair("partner_suspended", "500.00"),
        ]
    );
    payer.approve(&run).ok();
    payer.maker.post(&format!("/v1/rebates/{rebate}/release"), because.clone()).send().ok();
    payer.maker.post(&format!("{path}/reinstatement"), because).send().ok();
    let next = payer.run("2018-07");
    assert_eq!(next["totals"][0]["payments"], 2);
    payer.story.verify();
}

#[test]
fn every_hold_that_begins_is_told_once_with_what_ends_it() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    let held = || payer.notices("rebate_held");
    world.on("2018-07-20");
    payer.story.sale("1", "2018-07-10", "5000.00");
    payer.story.calculate();
    let tax = format!("/v1/partners/{}/tax-profile", payer.story.partner);
    payer.maker.post(&format!("{tax}/rejection"), json!({"reason": "Not signed"})).send().ok();
    assert_eq!(held().len(), 0, "what accrues is not on hold");
    payer.close("2018-07");
    assert_eq!(held().len(), 1, "the closing put it on hold");
    assert!(
        held()[0].contains("USD 500.00") && held()[0].contains("the profile that was refused"),
        "{:?}",
        held()
    );
    crate::suite::profiles::are_filed(&payer.admin, &payer.story.partner);
    payer.maker.post(&format!("{tax}/approval"), json!({})).send().ok();
    // A run is given up whose partner may not be paid any more.
    let run = payer.run("2018-07");
    payer.maker.post(&format!("{tax}/rejection"), json!({"reason": "Not signed"})).send().ok();
    assert_eq!(held().len(), 1, "a payment carries the rebate");
    payer.approve(&run).ok();
    assert_eq!(held().len(), 2, "the payment gave the rebate back, and the profile holds it");
    crate::suite::profiles::are_filed(&payer.admin, &payer.story.partner);
    payer.maker.post(&format!("{tax}/approval"), json!({})).send().ok();
    let payment = payer.sent("2018-07").remove(0);
    payer.tell(&payment, "confirmation", json!({})).ok();
    payer.tell(&payment, "reversal", json!({"reason": "Paid to the wrong partner"})).ok();
    assert_eq!(held().len(), 3);
    assert!(held()[0].contains("Paid to the wrong partner"), "{}", held()[0]);
    assert_eq!(payer.notices("payment_failed").len(), 0, "nobody had seen the payment that was stopped");
    payer.story.verify();
}

#[test]
fn a_payment_that_the_partner_has_seen_is_stopped_with_a_notice_and_an_event() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let run = payer.run("2018-07");
    payer.approve(&run).ok();
    let payment = payer.payments(&run).remove(0);
    let suspension = format!("/v1/partners/{}/suspension", payer.story.partner);
    payer.maker.post(&suspension, json!({"reason": "Figures are being clarified"})).send().ok();
    let asked = json!({"run_id": run.id()});
    payer.maker.post("/v1/payment-files", asked).send().refused(409, "payments_missing");
    assert_eq!(payer.whole(&payment)["state"], "approved", "nothing was made, and nothing changed");
    payer.tell(&payment, "stop", json!({"reason": "The partner is suspended"})).ok();
    let notice = payer.notice("payment_failed");
    assert!(
        notice.contains("was stopped before the bank had it") && notice.contains("USD 500.00"),
        "{notice}"
    );
    payer.story.verify();
}

#[test]
fn one_run_of_a_month_and_currency_is_open_at_a_time() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.ask("2018-07").refused(409, "payment_month_open");
    payer.month("2018-07", &["5000.00"]);
    let maker = &payer.maker;
    let runs: Vec<Answer> = std::thread::scope(|scope| {
        let ask = || maker.post("/v1/payment-runs", json!({"month": "2018-07"})).send();
        let all: Vec<_> = (0..6).map(|_| scope.spawn(ask)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (made, refused): (Vec<_>, Vec<_>) = runs.into_iter().partition(|run| run.status == 201);
    assert_eq!(made.len(), 1);
    for answer in refused {
        assert_eq!(answer.refused(409, "payment_run_open")["run_id"], made[0]["id"]);
    }
    let dollars = json!({"month": "2018-07", "currency": "USD"});
    for path in ["/v1/payment-runs", "/v1/payment-runs?preview=true"] {
        payer.maker.post(path, dollars.clone()).send().refused(409, "payment_run_open");
    }
    payer.approve(&made[0]).ok();
    let next = payer.maker.post("/v1/payment-runs", dollars).send().ok();
    assert_eq!(next["totals"], json!([]), "everything is taken");
    payer.story.verify();
}

#[test]
fn thirty_approvals_at_once_approve_once_and_nobody_approves_an_own_run() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let account = |email: &str| {
        let new = person(email, "Olga Operator", Role::Operator, None);
        world.signed_in(users::provision(&world.service.app, new).unwrap())
    };
    let (olga, alias) = (account("olga@vendor.example"), account("Olga+approvals@Vendor.example"));
    let run = olga.post("/v1/payment-runs", json!({"month": "2018-07"})).send().ok();
    let approval = format!("/v1/payment-runs/{}/approval", run.id());
    for own in [&olga, &alias] {
        let refused = own.post(&approval, json!({})).send().refused(403, "own_payment_run");
        assert_eq!(refused["created_by"], run["created_by"]);
    }
    payer.dispatch(&run).refused(409, "transition_not_allowed");
    // Nor by an account for which one issuer vouches by the same subject.
    let [maker, alias] = vouched_for(&world, ["o.operator@vendor.example", "olga@another.example"]);
    let cancellation = format!("/v1/payment-runs/{}/cancellation", run.id());
    olga.post(&cancellation, json!({"reason": "Made anew"})).send().ok();
    let run = maker.post("/v1/payment-runs", json!({"month": "2018-07"})).send().ok();
    let approval = format!("/v1/payment-runs/{}/approval", run.id());
    alias.post(&approval, json!({})).send().refused(403, "own_payment_run");
    let checker = &payer.checker;
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let approve = || checker.post(&approval, json!({})).send().status;
        let all: Vec<_> = (0..30).map(|_| scope.spawn(approve)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409, 503].contains(status)), "{statuses:?}");
    assert_eq!(payer.payments(&run)[0]["document_number"], "CN-00000001");
    payer.story.verify();
}

/// The statuses of so many requests that are sent at once, each by its number.
pub fn at_once(number: usize, ask: impl Fn(usize) -> u16 + Sync) -> Vec<u16> {
    std::thread::scope(|scope| {
        let ask = &ask;
        let all: Vec<_> = (0..number).map(|n| scope.spawn(move || ask(n))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn of_approvals_and_cancellations_at_once_one_is_done() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let run = payer.run("2018-07");
    let path = |what: &str| format!("/v1/payment-runs/{}/{what}", run.id());
    let (approval, cancellation) = (path("approval"), path("cancellation"));
    let statuses = at_once(30, |n| {
        let asked = if n % 2 == 0 {
            payer.checker.post(&approval, json!({}))
        } else {
            payer.maker.post(&cancellation, json!({"reason": "A partner is missing"}))
        };
        asked.send().status
    });
    assert!(statuses.iter().all(|status| [200, 409, 503].contains(status)), "{statuses:?}");
    let done: Vec<usize> = (0..30).filter(|n| statuses[*n] == 200).collect();
    assert_eq!(done.len(), 1, "{statuses:?}");
    let payment = payer.payments(&run).remove(0);
    let (state, number, rebate) = if done[0].is_multiple_of(2) {
        ("approved", json!("CN-00000001"), "in_payment")
    } else {
        ("stopped", Value::Null, "payable")
    };
    assert_eq!((&payment["state"], &payment["document_number"]), (&json!(state), &number));
    assert_eq!(payer.states(), [triple("2018-07", "500.00", rebate)]);
    payer.story.verify();
}

#[test]
fn of_runs_over_all_currencies_and_over_one_at_once_none_takes_what_another_has() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    world.on("2018-07-20");
    payer.story.sale("1", "2018-07-10", "5000.00");
    payer.story.calculate();
    let (closing, month) = (following("2018-07"), "2018-07");
    payer.adjust_by(&payer.story.enrollment, month, &json!({"amount": "400.00", "currency": "EUR"}));
    payer.story.calculate();
    world.on(&closing);
    let rate = json!({"base": "EUR", "quote": "USD", "rate": "1.1"});
    payer.maker.put("/v1/fx-rates/2018-08", json!({"rates": [rate]})).send().ok();
    payer.story.close(month).ok();
    let asked = [
        json!({"month": month}),
        json!({"month": month, "currency": "EUR"}),
        json!({"month": month, "currency": "USD"}),
    ];
    let statuses = at_once(30, |n| payer.maker.post("/v1/payment-runs", asked[n % 3].clone()).send().status);
    assert!(statuses.iter().all(|status| [201, 409, 503].contains(status)), "{statuses:?}");
    let made = |kind: usize| (0..30).filter(|n| n % 3 == kind && statuses[*n] == 201).count();
    let made = [made(0), made(1), made(2)];
    assert!(made == [1, 0, 0] || made[0] == 0 && made[1] + made[2] >= 1, "{statuses:?}");
    assert!(made.iter().all(|made| *made <= 1), "{statuses:?}");
    let payments = payer.story.list("/v1/payments");
    assert_eq!(payments.len(), if made[0] == 1 { 2 } else { made[1] + made[2] });
    payer.story.verify();
}

#[test]
fn thirty_reissues_at_once_make_one_payment() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let failed = payer.sent("2018-07").remove(0);
    payer.tell(&failed, "failure", json!({"code": "AM04", "reason": "No funds on our side"})).ok();
    let (maker, path) = (&payer.maker, format!("/v1/payments/{}/reissue", text(&failed["id"])));
    let statuses = at_once(30, |_| maker.post(&path, json!({"reason": "Funds are there"})).send().status);
    assert!(statuses.iter().all(|status| [201, 409, 503].contains(status)), "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    let replacing = payer.story.list("/v1/payments");
    assert_eq!(replacing.iter().filter(|payment| payment["replaces"] == failed["id"]).count(), 1);
    payer.story.verify();
}

#[test]
fn a_failed_payment_is_payable_again_and_made_anew() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let failed = payer.sent("2018-07").remove(0);
    payer.tell(&failed, "reissue", json!({"reason": "Too early"})).refused(409, "transition_not_allowed");
    payer.tell(&failed, "stop", json!({"reason": "Too late"})).refused(409, "transition_not_allowed");
    let told = payer.tell(&failed, "failure", json!({"code": "AM04", "reason": "No funds on our side"})).ok();
    assert_eq!((&told["state"], &told["state_code"]), (&json!("failed"), &json!("AM04")));
    assert_eq!(payer.states(), [triple("2018-07", "500.00", "payable")]);
    payer.tell(&failed, "confirmation", json!({})).refused(409, "transition_not_allowed");
    let anew = payer.tell(&failed, "reissue", json!({"reason": "Funds are there"})).ok();
    assert_eq!((anew.status, &anew["replaces"], &anew["state"]), (201, &failed["id"], &json!("created")));
    assert_eq!(amounts(&anew), [pair("2018-07", "500.00")]);
    payer.tell(&failed, "reissue", json!({"reason": "Once more"})).refused(409, "payment_not_payable");
    // Nothing is left for another run.
    assert_eq!(payer.run("2018-07")["totals"], json!([]));
    let run = payer.maker.get(&format!("/v1/payment-runs/{}", text(&anew["run_id"]))).send().ok();
    assert_eq!((&run["reissues"], &run["state"]), (&failed["id"], &json!("created")));
    payer
        .maker
        .post(&format!("/v1/payment-runs/{}/approval", run.id()), json!({}))
        .send()
        .refused(403, "own_payment_run");
    payer.approve(&run).ok();
    payer.dispatch(&run).ok();
    payer.tell(&anew.body, "confirmation", json!({})).ok();
    assert_eq!(payer.states(), [triple("2018-07", "500.00", "paid")]);
    payer.story.verify();
}

#[test]
fn what_is_owed_back_by_then_is_set_off_when_a_payment_is_made_anew() {
    for (taken_back, left) in [("-200.00", Some("300.00")), ("-500.00", None)] {
        let world = World::new();
        let payer = Payer::new(&world, "0.10");
        payer.month("2018-07", &["5000.00"]);
        let failed = payer.sent("2018-07").remove(0);
        payer.tell(&failed, "failure", json!({"code": "AM04", "reason": "No funds on our side"})).ok();
        world.on("2018-08-20");
        payer.adjust(&payer.story.enrollment, "2018-08", taken_back);
        payer.close("2018-08");
        let anew = payer.tell(&failed, "reissue", json!({"reason": "Funds are there"}));
        if let Some(left) = left {
            let anew = anew.ok();
            assert_eq!((&anew["gross"], &anew["net"]), (&usd(left), &usd(left)));
            assert_eq!(amounts(&anew), [pair("2018-07", "500.00"), pair("2018-08", taken_back)]);
            let run = format!("/v1/payment-runs/{}", text(&anew["run_id"]));
            let total = payer.maker.get(&run).send().ok()["totals"][0].clone();
            assert_eq!((&total["gross"], &total["offset"]), (&usd(left), &usd("200.00")));
        } else {
            let owed = payer.story.list("/v1/rebates?from=2018-08").remove(0);
            let refused = anew.refused(409, "payment_not_payable");
            assert_eq!(refused["rebates"], json!([owed["id"]]));
        }
        payer.story.verify();
    }
}

#[test]
fn a_fault_of_the_account_sends_the_profile_back_and_the_rebates_wait_for_it() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let failed = payer.sent("2018-07").remove(0);
    payer.tell(&failed, "failure", json!({"code": "AC04", "reason": "The account is closed"})).ok();
    let profile = format!("/v1/partners/{}/payout-profile", payer.story.partner);
    let told = payer.maker.get(&profile).send().ok();
    assert_eq!(told["state"], "action_required");
    assert!(text(&told["rejection_reason"]).contains("(AC04). The account is closed"), "{told}");
    let japanese = payer.maker.get(&profile).header("accept-language", "ja").send().ok();
    assert!(text(&japanese["rejection_reason"]).contains("口座が解約されています"), "{japanese}");
    let notice = payer.notice("payment_failed");
    assert!(notice.contains("give another account in your payout profile"), "{notice}");
    let rebate = payer.story.list("/v1/rebates")[0].clone();
    assert_eq!(
        (&rebate["state"], &rebate["state_reason"]["code"]),
        (&json!("on_hold"), &json!("profile_action_required"))
    );
    payer.tell(&failed, "reissue", json!({"reason": "Try again"})).refused(409, "payment_not_payable");
    payer.changes_the_account();
    // Another account: money waits until another operator ends the wait.
    payer.tell(&failed, "reissue", json!({"reason": "Too early"})).refused(409, "payment_not_payable");
    assert_eq!(waits(&payer.run("2018-07")["totals"][0], "on_hold"), [pair("cooling_off", "500.00")]);
    let confirmed = json!({"reason": "Confirmed by telephone"});
    payer.checker.post(&format!("{profile}/cooling-off-release"), confirmed).send().ok();
    payer.tell(&failed, "reissue", json!({"reason": "A new account"})).ok();
    payer.story.verify();
}

#[test]
fn a_payment_that_came_back_is_payable_again_and_one_taken_back_is_on_hold() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let payment = payer.sent("2018-07").remove(0);
    payer.tell(&payment, "return", json!({"reason": "Came back"})).refused(409, "transition_not_allowed");
    payer.tell(&payment, "confirmation", json!({"settled_on": "2018-08-04"})).refused(422, "invalid");
    payer.tell(&payment, "confirmation", json!({"settled_on": "2018-08-02"})).refused(422, "invalid");
    payer.tell(&payment, "confirmation", json!({"settled_on": "2018-08-03"})).ok();
    payer.month("2018-08", &[]);
    let notice = payer.notice("payment_settled");
    assert!(notice.contains("USD 500.00") && notice.contains(&text(&payment["reference"])), "{notice}");
    let back = payer.tell(&payment, "return", json!({"reason": "Unknown to the bank"})).ok();
    let notice = payer.notice("payment_failed");
    assert!(notice.contains("sent back") && notice.contains("You need to do nothing"), "{notice}");
    assert_eq!((&back["state"], &back["allowed_transitions"]), (&json!("returned"), &json!(["reissue"])));
    assert_eq!(payer.states(), [triple("2018-07", "500.00", "payable")]);
    payer.story.verify();
    let path = format!("/v1/partners/{}/statements/2018-09", payer.story.partner);
    let balance = payer.maker.get(&path).send().ok()["programs"][0]["balances"][0].clone();
    let part = |name: &str| text(&balance[name]["amount"]);
    assert_eq!(
        [part("carried_in"), part("paid"), part("carried_out")],
        ["0.00", "-500.00", "500.00"],
        "{balance}"
    );
    let again = payer.sent("2018-08").remove(0);
    assert_eq!(again["document_number"], "CN-00000002");
    payer.tell(&again, "confirmation", json!({})).ok();
    payer.tell(&again, "reversal", json!({"reason": "Paid to the wrong partner"})).ok();
    let rebate = payer.story.list("/v1/rebates")[0].clone();
    assert_eq!(
        (&rebate["state"], &rebate["state_reason"]["code"]),
        (&json!("on_hold"), &json!("held_by_operator"))
    );
    assert_eq!(rebate["state_reason"]["comment"], "Paid to the wrong partner");
    payer.story.verify();
}

#[test]
fn a_cancelled_run_and_a_stopped_payment_give_back_what_they_took() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    let other = payer.story.another(2);
    world.on("2018-07-20");
    payer.story.sale("1", "2018-07-10", "5000.00");
    other.sale("2", "2018-07-10", "3000.00");
    payer.close("2018-07");
    let run = payer.run("2018-07");
    let cancellation = format!("/v1/payment-runs/{}/cancellation", run.id());
    let because = json!({"reason": "A partner is missing"});
    let cancelled = payer.maker.post(&cancellation, because.clone()).send().ok();
    assert_eq!((&cancelled["state"], &cancelled["allowed_transitions"]), (&json!("cancelled"), &json!([])));
    payer.maker.post(&cancellation, because.clone()).send().refused(409, "transition_not_allowed");
    payer.approve(&run).refused(409, "transition_not_allowed");
    assert!(payer.payments(&run).iter().all(|payment| payment["state"] == "stopped"));
    assert!(payer.states().iter().all(|(.., state)| state == "payable"), "{:?}", payer.states());
    payer.story.verify();
    // Stopped before the approval: the numbers leave nobody out.
    let run = payer.run("2018-07");
    let [first, second] = payer.payments(&run).try_into().unwrap();
    payer.tell(&first, "stop", because.clone()).ok();
    payer.approve(&run).ok();
    assert_eq!(payer.whole(&first)["document_number"], Value::Null);
    assert_eq!(payer.whole(&second)["document_number"], "CN-00000001");
    payer.tell(&second, "stop", because).ok();
    payer.dispatch(&run).ok();
    assert!(payer.payments(&run).iter().all(|payment| payment["state"] == "stopped"));
    payer.story.verify();
}

#[test]
fn a_profile_that_is_rejected_before_the_approval_stops_the_payment() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let run = payer.run("2018-07");
    let rejection = format!("/v1/partners/{}/payout-profile/rejection", payer.story.partner);
    payer.maker.post(&rejection, json!({"reason": "The holder has moved"})).send().ok();
    payer.approve(&run).ok();
    let stopped = payer.payments(&run)[0].clone();
    assert_eq!(
        (&stopped["state"], &stopped["state_code"]),
        (&json!("stopped"), &json!("profile_not_approved"))
    );
    let path = format!("/v1/payments/{}", text(&stopped["id"]));
    for (language, is_english) in [("en", true), ("ja", false)] {
        let told = payer.maker.get(&path).header("accept-language", language).send().ok();
        assert_eq!(text(&told["state_comment"]).is_ascii(), is_english, "{told}");
    }
    let rebate = payer.story.list("/v1/rebates")[0].clone();
    assert_eq!(
        (&rebate["state"], &rebate["state_reason"]["code"]),
        (&json!("on_hold"), &json!("profile_action_required"))
    );
    payer.story.verify();
}

#[test]
fn a_bank_account_that_is_changed_before_the_approval_stops_the_payment() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let run = payer.run("2018-07");
    payer.changes_the_account();
    payer.approve(&run).ok();
    assert_eq!(payer.payments(&run)[0]["state"], "stopped");
    let rebate = payer.story.list("/v1/rebates")[0].clone();
    assert_eq!(
        (&rebate["state"], &rebate["state_reason"]["code"]),
        (&json!("on_hold"), &json!("cooling_off"))
    );
    payer.story.verify();
}

#[test]
fn tax_is_withheld_by_the_table_of_rates_and_the_payment_names_the_rate() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5001.00"]);
    let add = |rate: &str, from: &str| {
        let rate = json!({
            "payee_country": "DE", "form_state": "vat", "earning": "rebate", "kind": "treaty", "rate": rate,
            "valid_from": from
        });
        payer.maker.post("/v1/withholding-rates", rate).send().ok().id()
    };
    let rate = add("0.15", "2018-08-03");
    let run = payer.run("2018-07");
    let total = &run["totals"][0];
    assert_eq!(
        (&total["gross"], &total["withheld"], &total["net"]),
        (&usd("500.10"), &usd("75.02"), &usd("425.08"))
    );
    // Half a cent is rounded away from zero. A rate that holds from later on changes no payment that is made.
    add("0.05", "2018-08-04");
    world.on("2018-08-06");
    payer.approve(&run).ok();
    payer.dispatch(&run).ok();
    let payment = payer.whole(&payer.payments(&run)[0]);
    assert_eq!((&payment["withheld"], &payment["withholding_rate_id"]), (&usd("75.02"), &json!(rate)));
    assert_eq!(payment["lines"][0]["withheld"], usd("75.02"));
    payer.tell(&payment.body, "confirmation", json!({})).ok();
    payer.story.verify();
}

#[test]
fn a_partner_sees_its_own_payments_once_they_are_approved() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let stranger = payer.maker.post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let (own, viewer, stranger) = (
        world.admin_of(&payer.story.partner),
        world.viewer_of(&payer.story.partner),
        world.admin_of(&stranger),
    );
    let run = payer.run("2018-07");
    let path = format!("/v1/payments/{}", text(&payer.payments(&run)[0]["id"]));
    own.get(&path).send().refused(404, "not_found");
    payer.approve(&run).ok();
    for client in [&own, &viewer] {
        assert_eq!(client.get(&path).send().ok()["net"], usd("500.00"));
        assert_eq!(
            client.get("/v1/payments?state=approved").send().ok()["items"].as_array().unwrap().len(),
            1
        );
        client.get(&format!("{path}/remittance")).send().ok();
        client.get("/v1/payment-runs").send().refused(403, "forbidden");
        client.post(&format!("{path}/confirmation"), json!({})).send().refused(403, "forbidden");
    }
    stranger.get(&path).send().refused(404, "not_found");
    stranger.get(&format!("{path}/remittance")).send().refused(404, "not_found");
    assert_eq!(stranger.get("/v1/payments").send().ok()["items"], json!([]));
    payer.dispatch(&run).ok();
    let told = own.get("/v1/notifications").send().ok();
    assert!(
        told["items"].as_array().unwrap().iter().any(|notice| notice["kind"] == "payment_sent"),
        "{told}"
    );
}

#[test]
fn a_closed_partner_gets_its_last_payment_once_nothing_accrues() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    payer.story.sale("last", "2018-08-01", "100.00");
    payer.story.calculate();
    let closure = format!("/v1/partners/{}/closure", payer.story.partner);
    payer.maker.post(&closure, json!({"reason": "Left the trade"})).send().ok();
    payer.story.calculate();
    let run = payer.run("2018-07");
    assert_eq!(waits(&run["totals"][0], "carried"), [pair("partner_closed", "500.00")]);
    payer.approve(&run).ok();
    payer.close("2018-08");
    let run = payer.run("2018-08");
    assert_eq!(run["totals"][0]["payments"], 1, "{run}");
}

#[test]
fn a_run_is_prepared_portion_by_portion_and_goes_on_where_it_stood() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    let others: Vec<Story<'_>> = (2..=5).map(|n| payer.story.another(n)).collect();
    world.on("2018-07-20");
    for (n, story) in others.iter().chain([&payer.story]).enumerate() {
        story.sale(&format!("s{n}"), "2018-07-10", "5000.00");
    }
    payer.close("2018-07");
    let begun = payer.run("2018-07");
    let whole = begun["totals"].clone();
    payer
        .maker
        .post(&format!("/v1/payment-runs/{}/cancellation", begun.id()), json!({"reason": "Once more"}))
        .send()
        .ok();
    // A run of many partners, as it stands before its first portion.
    let turn = Turn::take(&world.service.app, JobName::PaymentRuns).unwrap().expect("nobody is at work");
    let empty =
        payer.maker.post("/v1/payment-runs", json!({"month": "2018-07", "currency": "CHF"})).send().ok();
    let rewind = |tx: &mut partner_incentives::access::Tx<'_>| {
        tx.exempt_from_audit(Unaudited::NotPublished);
        behind_the_service(|| {
            sql_query("UPDATE payment_runs SET state = 'preparing', currency = NULL WHERE currency = 'CHF'")
                .execute(tx.conn)
        })?;
        Ok(())
    };
    world.service.app.write_as_system("Test", rewind).unwrap();
    payer.approve(&empty).refused(409, "transition_not_allowed");
    payment_runs::prepare_in(&turn, 2).unwrap();
    let run = payer.maker.get(&format!("/v1/payment-runs/{}", empty.id())).send().ok();
    assert_eq!(
        (&run["state"], &run["done"], &run["totals"]),
        (&json!("created"), &json!(5), &whole),
        "{run}"
    );
    assert_eq!(run["revision"], json!(empty["revision"].as_i64().unwrap() + 3), "three portions");
    assert_eq!(payer.payments(&run).len(), 5);
    payment_runs::prepare_in(&turn, 2).unwrap();
    assert_eq!(payer.payments(&run).len(), 5, "a repeat takes nothing");
    verify(&world.service);
}

#[test]
fn what_is_in_payment_or_was_paid_stands_on_the_statement_of_the_month_without_a_new_sale() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let payment = payer.sent("2018-07").remove(0);
    payer.month("2018-08", &[]);
    world.on("2018-09-10");
    payer.tell(&payment, "confirmation", json!({"settled_on": "2018-09-10"})).ok();
    payer.month("2018-09", &[]);
    payer.month("2018-10", &[]);
    let statement = |month: &str| {
        let path = format!("/v1/partners/{}/statements/{month}", payer.story.partner);
        payer.maker.get(&path).send()
    };
    let balance = |month: &str| {
        let told = statement(month).ok();
        let balance = told["programs"][0]["balances"][0].clone();
        ["carried_in", "new", "paid", "carried_out"].map(|part| text(&balance[part]["amount"]))
    };
    assert_eq!(balance("2018-07"), ["0.00", "500.00", "0.00", "500.00"]);
    assert_eq!(balance("2018-08"), ["500.00", "0.00", "0.00", "500.00"], "in payment");
    assert_eq!(balance("2018-09"), ["500.00", "0.00", "500.00", "0.00"], "paid");
    statement("2018-10").refused(404, "not_found");
    verify(&world.service);
}

#[test]
fn a_payment_that_was_changed_behind_the_service_s_back_is_found() {
    let world = World::new();
    let payer = Payer::new(&world, "0.10");
    payer.month("2018-07", &["5000.00"]);
    let payment = payer.sent("2018-07").remove(0);
    let broken = |change: &'static str| -> Vec<&'static str> {
        let tamper = move |tx: &mut partner_incentives::access::Tx<'_>| {
            tx.exempt_from_audit(Unaudited::NotPublished);
            behind_the_service(|| sql_query(change).execute(tx.conn))?;
            Ok(())
        };
        world.service.app.write_as_system("Test", tamper).unwrap();
        let sums = world
            .service
            .app
            .read_as_system(partner_incentives::operations::verify::sums_of_payments)
            .unwrap();
        sums.into_iter().filter(|sum| sum.difference.is_some()).map(|sum| sum.name).collect()
    };
    let undo = |change| assert_eq!(broken(change), Vec::<&str>::new());
    assert_eq!(
        broken("UPDATE payments SET gross = gross + 1, net = net + 1"),
        ["payments are the sums of their lines"]
    );
    undo("UPDATE payments SET gross = gross - 1, net = net - 1");
    assert_eq!(
        broken("UPDATE payments SET state = 'settled'"),
        ["rebates stand as their payments do", "the ledger paid what the payments say"]
    );
    undo("UPDATE payments SET state = 'sent'");
    assert_eq!(broken("UPDATE payments SET document_number = 2"), ["documents are numbered without a gap"]);
    undo("UPDATE payments SET document_number = 1");
    assert_eq!(broken("UPDATE payments SET state = 'stopped'"), ["lines are live while their payment is"]);
    undo("UPDATE payments SET state = 'sent'");
    assert_eq!(payer.whole(&payment)["state"], "sent");
}
