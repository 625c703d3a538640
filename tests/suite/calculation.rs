//! Calculation: the worked examples R1 to R14 over HTTP, and what comes late.

use crate::{
    suite::{partners::partner, profiles},
    support::{Answer, Client, World},
};
use partner_incentives::{
    access::Tx,
    app::Service,
    earnings::calculation,
    operations::verify,
    platform::values::Id,
    work::{End, JobName, Turn},
};
use serde_json::{Value, json};
use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

/// A partner enrolled from July 2018 in a program with these levers; it takes the program year 2019.
pub struct Story<'w> {
    pub world: &'w World,
    pub operator: Client,
    pub partner: String,
    pub program: String,
    pub enrollment: String,
}

/// A version that asks for nothing but an active partner.
pub fn version(levers: &Value) -> Value {
    json!({
        "program_year": 2019,
        "requirements": [{"rule": "partner_active"}],
        "levers": levers,
        "split": {"rebate_rate": "0.6"},
        "payment_threshold": {"amount": "200.00", "currency": "USD"},
        "coop_threshold": {"amount": "10000.00", "currency": "USD"},
    })
}

pub fn flat(code: &str, rate: &str) -> Value {
    json!({"type": "core", "code": code, "name": code, "scale": {"type": "flat", "rate": rate}})
}

fn tiers() -> Value {
    let tier = |from: &str, rate: &str| json!({"from": {"amount": from, "currency": "USD"}, "rate": rate});
    json!([tier("0.00", "0.02"), tier("50000.00", "0.04"), tier("150000.00", "0.06")])
}

fn tiered(kind: &str, period: &str, grain: &str) -> Value {
    let scale = json!({"type": kind, "period": period, "tiers": tiers()});
    json!({"type": "core", "code": "core", "name": "Core", "scale": scale, "grain": grain})
}

impl<'w> Story<'w> {
    pub fn new(world: &'w World, levers: &Value) -> Self {
        Self::by(world, &version(levers))
    }

    pub fn by(world: &'w World, version: &Value) -> Self {
        Self::with(world, version, |_| ())
    }

    /// The same where the partner first gets its papers.
    pub fn with(world: &'w World, version: &Value, papers: impl Fn(&str)) -> Self {
        let operator = world.operator();
        let program = json!({"code": "rewards", "name": "Rewards", "partner_types": ["direct_bill"]});
        operator.post("/v1/programs", program).send().ok();
        operator.post("/v1/programs/rewards/versions", version.clone()).send().ok();
        operator.post("/v1/programs/rewards/versions/1/publication", json!({})).if_match("*").send().ok();
        let mut story = Self {
            world,
            partner: operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id(),
            operator,
            program: "rewards".into(),
            enrollment: String::new(),
        };
        papers(&story.partner);
        story.file_profiles();
        story.enroll();
        story
    }

    /// Another partner in the same program.
    pub fn another(&self, number: u32) -> Self {
        let operator = self.world.operator();
        let partner = operator.post("/v1/partners", partner(number, "direct_bill")).send().ok().id();
        let (world, program) = (self.world, self.program.clone());
        let mut story = Self { world, operator, partner, program, enrollment: String::new() };
        story.file_profiles();
        story.enroll();
        story
    }

    fn file_profiles(&self) {
        profiles::are_filed(&self.world.admin_of(&self.partner), &self.partner);
        profiles::are_approved(&self.operator, &self.partner);
    }

    fn enroll(&mut self) {
        let asked = json!({"partner_id": self.partner, "program": self.program, "reason": "By telephone"});
        self.enrollment = self.operator.post("/v1/enrollments", asked).send().ok().id();
    }

    pub fn report(&self, number: &str, on: &str, amount: &str, more: &Value) -> Answer {
        let (amount, currency) = amount.split_once(' ').unwrap_or((amount, "USD"));
        let mut body = json!({
            "source": "billing", "external_id": number, "partner_id": self.partner,
            "customer": {"id": "C-1", "country": "DE"}, "product": "SKU-1", "product_family": "azure",
            "kind": "purchase", "occurred_on": on, "amount": {"amount": amount, "currency": currency},
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.operator.post("/v1/transactions", body).send()
    }

    pub fn sale(&self, number: &str, on: &str, amount: &str) -> String {
        self.report(number, on, amount, &json!({})).ok().id()
    }

    pub fn refund(&self, number: &str, of: &str, on: &str, amount: &str) -> String {
        let more = json!({"kind": "refund", "original_transaction_id": of});
        self.report(number, on, amount, &more).ok().id()
    }

    /// Runs the calculation to its end.
    pub fn calculate(&self) -> Answer {
        let begun = self.operator.post("/v1/calculation-runs", json!({})).send().ok();
        let run = self.ended(&begun);
        assert_eq!(run["state"], "succeeded", "{run}");
        run
    }

    /// A run that has been begun, at its end.
    pub fn ended(&self, begun: &Answer) -> Answer {
        assert_eq!(begun.status, 202);
        let path = begun.header("location").unwrap().to_owned();
        let patience = Instant::now();
        loop {
            let run = self.operator.get(&path).send().ok();
            if run["state"] != "running" || patience.elapsed() > Duration::from_secs(120) {
                return run;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn list(&self, path: &str) -> Vec<Value> {
        let page = self.operator.get(path).query("limit", 200).send().ok();
        let mut items = page["items"].as_array().unwrap().clone();
        items.reverse();
        items
    }

    /// Amounts of the earnings, the first first.
    pub fn amounts(&self) -> Vec<String> {
        self.list("/v1/earnings").iter().map(|e| text(&e["amount"]["amount"])).collect()
    }

    pub fn refusals(&self) -> Vec<(String, String)> {
        let refusal = |record: &Value| {
            let capped = record["capped"]["amount"].as_str().unwrap_or("").to_owned();
            (text(&record["code"]), capped)
        };
        self.list("/v1/ineligible-records?cured=false").iter().map(refusal).collect()
    }

    pub fn rebates(&self) -> Vec<(String, String, String)> {
        let rebate = |r: &Value| (text(&r["posted_in"]), text(&r["amount"]["amount"]), text(&r["state"]));
        self.list("/v1/rebates").iter().map(rebate).collect()
    }

    pub fn close(&self, month: &str) -> Answer {
        self.operator.post(&format!("/v1/accounting-months/{month}/closure"), json!({})).send()
    }

    /// The books prove themselves.
    pub fn verify(&self) {
        verify(&self.world.service);
    }
}

/// The books of a service prove themselves.
pub fn verify(service: &Service) {
    let mut findings = service.app.read_as_system(verify::sums_of_books).unwrap();
    findings.extend(service.app.read_as_system(verify::sums_of_calculation).unwrap());
    findings.extend(service.app.read_as_system(verify::sums_of_payments).unwrap());
    findings.extend(service.app.read_as_system(verify::sums_of_coop).unwrap());
    let wrong: Vec<_> = findings.iter().filter(|finding| finding.difference.is_some()).collect();
    assert!(!findings.is_empty() && wrong.is_empty(), "{wrong:#?}");
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn parts(earning: &Value) -> [String; 3] {
    ["amount", "rebate", "coop"].map(|part| text(&earning[part]["amount"]))
}

#[test]
fn r1_three_levers_round_each_on_its_own() {
    let world = World::new();
    let fixed = json!({"type": "fixed", "code": "add", "name": "New", "amount": {"amount": "246.91", "currency": "USD"}});
    let story = Story::new(&world, &json!([flat("core", "0.08"), flat("strategic", "0.02"), fixed]));
    world.on("2018-11-06");
    let sale = story.sale("1", "2018-11-05", "12345.67");
    let run = story.calculate();
    assert_eq!(
        (&run["sales"], &run["earnings"], &run["ineligible_records"]),
        (&json!(1), &json!(3), &json!(0))
    );
    // 1,481.47, and not the 1,481.48 of one rounding.
    assert_eq!(story.amounts(), ["987.65", "246.91", "246.91"]);
    let new_customer = &story.list("/v1/earnings?lever=add")[0]["trace"][1];
    assert_eq!(
        new_customer,
        &json!({"step": "fixed", "amount": {"amount": "246.91", "currency": "USD"}, "times": 1})
    );
    let earnings = story.list("/v1/earnings?lever=core");
    let one = story.operator.get(&format!("/v1/earnings/{}", text(&earnings[0]["id"]))).send().ok();
    assert_eq!((&one["transaction_id"], &one["unrounded"]), (&json!(sale), &json!("987.6536")));
    assert_eq!((&one["earned_in"], &one["posted_in"]), (&json!("2018-11"), &json!("2018-11")));
    let usd = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let trace = json!([
        {"step": "base", "amount": usd("12345.67")},
        {"step": "slice", "volume": usd("12345.67"), "rate": "0.08", "gives": "987.6536"},
        {"step": "rounded", "amount": usd("987.65")},
        {"step": "split", "rate": "0.6", "rebate": usd("592.59"), "coop": usd("395.06")},
    ]);
    assert_eq!(one["trace"], trace);
    // Each part is split by itself: 592.59 + 148.15 + 148.15.
    assert_eq!(story.rebates(), [("2018-11".into(), "888.89".into(), "accruing".into())]);
    story.verify();
}

#[test]
fn r2_and_r3_tiers_by_slices_and_by_the_whole() {
    for (kind, earned) in [("marginal", ["1000.00", "6259.26"]), ("retroactive", ["2000.00", "9259.26"])] {
        let world = World::new();
        let story = Story::new(&world, &json!([tiered(kind, "month", "month")]));
        world.on("2018-11-30");
        story.sale("1", "2018-11-05", "50000.00");
        story.calculate();
        story.sale("2", "2018-11-06", "137654.32");
        story.calculate();
        assert_eq!(story.amounts(), earned, "{kind}");
        story.verify();
    }
    let world = World::new();
    let story = Story::new(&world, &json!([tiered("retroactive", "half_year", "month")]));
    world.on("2018-12-31");
    story.sale("1", "2018-11-05", "40000.00");
    story.calculate();
    story.sale("2", "2018-12-05", "20000.00");
    story.calculate();
    assert_eq!(story.amounts(), ["800.00", "1600.00"]);
    story.verify();
}

#[test]
fn r4_a_cap_cuts_and_a_refund_gives_the_balance_back() {
    let world = World::new();
    let cap = json!({"scope": "customer", "amount": {"amount": "4000.00", "currency": "USD"}});
    let mut lever = flat("core", "0.10");
    lever["cap"] = cap;
    let story = Story::new(&world, &json!([lever]));
    world.on("2018-11-30");
    story.sale("1", "2018-11-01", "36500.00");
    story.calculate();
    let cut = story.sale("2", "2018-11-02", "5000.00");
    story.calculate();
    assert_eq!(story.amounts(), ["3650.00", "350.00"]);
    assert_eq!(story.refusals(), [("cap_partially_applied".into(), "150.00".into())]);
    let steps = story.list("/v1/earnings")[1]["trace"].clone();
    let capped = steps.as_array().unwrap().iter().find(|step| step["step"] == "cap").expect("a cap");
    assert_eq!(
        (&capped["balance"]["amount"], &capped["cut"]["amount"]),
        (&json!("350.00"), &json!("150.00"))
    );
    story.refund("3", &cut, "2018-11-04", "-5000.00");
    story.calculate();
    story.sale("4", "2018-11-05", "3000.00");
    story.calculate();
    assert_eq!(story.amounts(), ["3650.00", "350.00", "-350.00", "300.00"]);
    story.sale("5", "2018-11-06", "3000.00");
    story.calculate();
    assert_eq!(story.refusals().last().unwrap(), &("cap_partially_applied".into(), "250.00".into()));
    story.verify();
}

#[test]
fn r6_the_parts_always_sum_to_the_whole() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-11-30");
    let sale = story.sale("1", "2018-11-05", "2500.00");
    story.calculate();
    story.refund("2", &sale, "2018-11-06", "-2500.00");
    story.sale("3", "2018-11-07", "0.13");
    story.calculate();
    let earnings = story.list("/v1/earnings");
    assert_eq!(parts(&earnings[0]), ["200.00", "120.00", "80.00"]);
    assert_eq!(parts(&earnings[1]), ["-200.00", "-120.00", "-80.00"]);
    assert_eq!(parts(&earnings[2]), ["0.01", "0.01", "0.00"]);
    story.sale("4", "2018-11-08", "18518.38");
    story.calculate();
    assert_eq!(parts(&story.list("/v1/earnings")[3]), ["1481.47", "888.88", "592.59"]);
    story.verify();
}

#[test]
fn r7_and_r8_currencies_without_and_with_three_digits() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-11-30");
    story.sale("1", "2018-11-05", "1234567 JPY");
    story.report("2", "2018-11-05", "12.50 JPY", &json!({})).refused(422, "invalid");
    story.calculate();
    assert_eq!(parts(&story.list("/v1/earnings")[0]), ["98765", "59259", "39506"]);
    story.verify();
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.05")]));
    world.on("2018-11-30");
    story.sale("1", "2018-11-05", "251250 JPY");
    story.calculate();
    // Half a yen goes up: 12,562.5.
    assert_eq!(story.amounts(), ["12563"]);
    story.verify();
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.06")]));
    world.on("2018-11-30");
    story.sale("1", "2018-11-05", "250.075 KWD");
    story.calculate();
    assert_eq!(parts(&story.list("/v1/earnings")[0]), ["15.005", "9.003", "6.002"]);
    story.verify();
}

#[test]
fn r9_rounding_follows_the_grain() {
    for (grain, amounts, rebate) in [
        ("transaction", vec!["0.40"; 100], "24.00"),
        ("customer_month", vec!["40.40"], "24.24"),
        ("month", vec!["40.40"], "24.24"),
    ] {
        let world = World::new();
        let mut lever = flat("core", "0.04");
        lever["grain"] = json!(grain);
        let story = Story::new(&world, &json!([lever]));
        world.on("2018-11-30");
        for n in 0..100 {
            story.sale(&n.to_string(), "2018-11-05", "10.10");
        }
        let run = story.calculate();
        assert_eq!((&run["sales"], &run["earnings"]), (&json!(100), &json!(amounts.len())), "{grain}");
        assert_eq!(story.amounts(), amounts, "{grain}");
        // 60 % of 40.00 and of 40.40.
        assert_eq!(story.rebates()[0].1, rebate, "{grain}");
        story.verify();
    }
}

#[test]
fn r12_a_refund_after_the_close_is_posted_in_the_open_month() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-09-30");
    let sale = story.sale("1", "2018-09-05", "10000.00");
    story.calculate();
    story.close("2018-09").refused(409, "month_not_over");
    world.on("2018-10-07");
    story.close("2018-09").ok();
    story.close("2018-09").refused(409, "month_closed");
    story.close("2018-08").refused(409, "month_closed");
    assert_eq!(story.rebates(), [("2018-09".into(), "480.00".into(), "payable".into())]);
    story.refund("2", &sale, "2018-10-07", "-2500.00");
    story.sale("3", "2018-09-20", "100.00");
    story.calculate();
    let earnings = story.list("/v1/earnings");
    let months = |earning: &Value| (text(&earning["earned_in"]), text(&earning["posted_in"]));
    assert_eq!(story.amounts(), ["800.00", "-200.00", "8.00"]);
    for late in &earnings[1..] {
        assert_eq!(months(late), ("2018-09".into(), "2018-10".into()));
    }
    assert_eq!(
        story.rebates(),
        [
            ("2018-09".into(), "480.00".into(), "payable".into()),
            ("2018-10".into(), "-115.20".into(), "accruing".into()),
        ]
    );
    story.verify();
}

#[test]
fn r12_a_negative_rebate_is_carried_and_later_ones_owe_only_what_remains() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-10-07");
    let sale = story.sale("1", "2018-09-05", "10000.00");
    story.calculate();
    story.close("2018-09").ok();
    let run = story.operator.post("/v1/payment-runs", json!({"month": "2018-09"})).send().ok().id();
    world.another_operator().post(&format!("/v1/payment-runs/{run}/approval"), json!({})).send().ok();
    story.operator.post(&format!("/v1/payment-runs/{run}/dispatch"), json!({})).send().ok();
    let payment = text(&story.list("/v1/payments")[0]["id"]);
    story.operator.post(&format!("/v1/payments/{payment}/confirmation"), json!({})).send().ok();
    story.refund("2", &sale, "2018-10-07", "-2500.00");
    world.on("2019-01-02");
    // Rebates of 60.00 in November and of 300.00 in December.
    story.sale("3", "2018-11-05", "1250.00");
    story.sale("4", "2018-12-05", "6250.00");
    story.calculate();
    let missing = |month: &str| {
        let listed = story.list(&format!("/v1/rebates?from={month}&to={month}"));
        text(&listed[0]["state_reason"]["missing"]["amount"])
    };
    story.close("2018-10").ok();
    // 120.00 too much was paid: 320.00 are missing to the threshold of 200.00.
    assert_eq!(missing("2018-10"), "320.00");
    story.close("2018-11").ok();
    assert_eq!((missing("2018-10"), missing("2018-11")), ("260.00".into(), "260.00".into()));
    story.close("2018-12").ok();
    // 300.00 + 60.00 - 120.00 reach it.
    let waits = story.list("/v1/rebates?state=payable");
    assert!(waits.len() == 3 && waits.iter().all(|rebate| rebate["state_reason"].is_null()), "{waits:#?}");
    story.verify();
}

#[test]
fn r14_the_same_transaction_twice_earns_once() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-11-30");
    let first = story.sale("1", "2018-11-05", "100.00");
    assert_eq!(story.sale("1", "2018-11-05", "100.00"), first);
    story.calculate();
    assert_eq!(story.sale("1", "2018-11-05", "100.00"), first);
    let again = story.calculate();
    assert_eq!(
        (&again["sales"], &again["earnings"], &again["ineligible_records"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert_eq!(story.amounts(), ["8.00"]);
    story.verify();
}

#[test]
fn a_run_over_one_partner_does_not_stand_for_a_run_over_all() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-07-20");
    let other = story.operator.post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    story.sale("1", "2018-07-05", "1000.00");
    let only: Id = other.parse().unwrap();
    let turn = Turn::take(&world.service.app, JobName::Calculation).unwrap().unwrap();
    let begin = move |tx: &mut Tx<'_>| calculation::start(tx, Some(only));
    let at_work = world.service.app.write_as_system("StartCalculationRun", begin).unwrap();
    let ask = |body: Value| story.operator.post("/v1/calculation-runs", body).send();
    for body in [json!({}), json!({"partner_id": story.partner})] {
        let refused = ask(body).refused(409, "run_at_work");
        assert_eq!((&refused["run_id"], refused.header("retry-after")), (&json!(at_work.id), Some("5")));
    }
    assert_eq!(ask(json!({"partner_id": other})).ok().id(), at_work.id.to_string());
    turn.close(Ok(()), |()| End::Interrupted).unwrap();
    // The service itself brings that one to its end, and then looks at all.
    let done = calculation::calculate(&world.service.app, None, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((done.partner_id, done.sales), (None, 1));
    assert_eq!(story.amounts(), ["80.00"]);
    story.verify();
}
