//! A year of payments, month by month: closed, run, approved, sent, reported, booked and reconciled; and every figure adds up.

use crate::{
    suite::{
        banks::{Booking, Status, bank_statement, status_report},
        calculation::{Story, text, verify},
        payer_accounts::payer,
        payments::{Payer, all_rebate, following},
        profiles::vat,
    },
    support::{Answer, World},
};
use partner_incentives::operations::verify::sums_of_disputes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is particular about a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// The bank finds the account closed in August, and pays to another.
    Moves,
    /// The payment of October comes back.
    ComesBack,
    /// The rebate of November is held for a month.
    IsHeld,
    /// A month alone is below the threshold.
    SellsLittle,
    /// The partner's country withholds a tenth.
    IsTaxed,
    /// The payment of January is disputed.
    Objects,
    Steady,
}

const CAST: [(Who, &str); 7] = [
    (Who::Moves, "4000.10"),
    (Who::ComesBack, "2500.00"),
    (Who::IsHeld, "2222.25"),
    (Who::SellsLittle, "700.00"),
    (Who::IsTaxed, "3333.33"),
    (Who::Objects, "4500.00"),
    (Who::Steady, "5000.05"),
];

const MONTHS: [&str; 12] = [
    "2018-07", "2018-08", "2018-09", "2018-10", "2018-11", "2018-12", "2019-01", "2019-02", "2019-03",
    "2019-04", "2019-05", "2019-06",
];

struct Year<'w> {
    world: &'w World,
    payer: Payer<'w>,
    others: BTreeMap<Who, Story<'w>>,
    /// What has arrived of each partner's payments when the last month was closed, in cents.
    arrived: BTreeMap<Who, i64>,
    /// What was carried out of the last month, in cents.
    carried: BTreeMap<Who, i64>,
    /// What the statements tell as new and as paid, in cents.
    told: BTreeMap<Who, (i64, i64)>,
    runs: Vec<Answer>,
}

fn cents(money: &Value) -> i64 {
    text(&money["amount"]).replace('.', "").parse().unwrap()
}

/// A day of the month after one.
fn day(month: &str, day: u32) -> String {
    format!("{}{day:02}", &following(month)[..8])
}

fn because(words: &str) -> Value {
    json!({"reason": words})
}

impl<'w> Year<'w> {
    fn new(world: &'w World) -> Self {
        let mut version = all_rebate("0.10");
        for threshold in ["payment_threshold", "coop_threshold"] {
            version[threshold]["currency"] = json!("EUR");
        }
        let payer_of_all = Payer::by(world, &version);
        payer_of_all.maker.post("/v1/payer-accounts", payer()).send().ok();
        let others: BTreeMap<Who, Story<'w>> =
            (2..).zip(&CAST[1..]).map(|(n, (who, _))| (*who, payer_of_all.story.another(n))).collect();
        let rate = json!({
            "payee_country": "AT", "form_state": "vat", "earning": "rebate", "kind": "treaty", "rate": "0.1",
            "valid_from": "2018-07-01"
        });
        payer_of_all.maker.post("/v1/withholding-rates", rate).send().ok();
        let taxed = &others[&Who::IsTaxed].partner;
        let mut form = vat("ATU12345678");
        form["tax_country"] = json!("AT");
        let path = format!("/v1/partners/{taxed}/tax-profile");
        world.admin_of(taxed).put(&path, form).if_match("*").send().ok();
        payer_of_all.maker.post(&format!("{path}/approval"), json!({})).send().ok();
        Self {
            world,
            payer: payer_of_all,
            others,
            arrived: BTreeMap::new(),
            carried: BTreeMap::new(),
            told: BTreeMap::new(),
            runs: Vec::new(),
        }
    }

    fn story(&self, who: Who) -> &Story<'w> {
        self.others.get(&who).unwrap_or(&self.payer.story)
    }

    fn payments(&self, who: Who) -> Vec<Value> {
        self.payer.story.list(&format!("/v1/payments?partner_id={}", self.story(who).partner))
    }

    fn latest(&self, who: Who) -> Value {
        self.payments(who).pop().unwrap()
    }

    fn rebate(&self, who: Who, month: &str) -> Value {
        let partner = &self.story(who).partner;
        self.payer.story.list(&format!("/v1/rebates?partner_id={partner}&from={month}&to={month}")).remove(0)
    }

    /// What has arrived of a partner's payments, in cents.
    fn arrived(&self, who: Who) -> i64 {
        let settled = self.payments(who).into_iter().filter(|payment| payment["state"] == "settled");
        settled.map(|payment| cents(&payment["gross"])).sum()
    }

    /// Sells, and closes the month; the statements tell what has arrived since the month before was closed.
    fn trade_and_close(&mut self, n: usize) {
        let month = MONTHS[n];
        self.world.on(&format!("{month}-20"));
        for (who, amount) in CAST {
            self.story(who).sale(
                &format!("{month}/{who:?}"),
                &format!("{month}-10"),
                &format!("{amount} EUR"),
            );
        }
        self.payer.close(month);
        for (who, _) in CAST {
            let partner = &self.story(who).partner;
            let statement =
                self.payer.maker.get(&format!("/v1/partners/{partner}/statements/{month}")).send().ok();
            let program = &statement["programs"][0];
            let balance = &program["balances"][0];
            let [carried_in, new, paid, carried_out] =
                ["carried_in", "new", "paid", "carried_out"].map(|name| cents(&balance[name]));
            assert_eq!(carried_in + new - paid, carried_out, "{month} {who:?}: {balance}");
            let arrived = self.arrived(who);
            let before = self.arrived.insert(who, arrived).unwrap_or_default();
            assert_eq!(paid, arrived - before, "{month} {who:?}: {balance}");
            let carried = self.carried.insert(who, carried_out).unwrap_or_default();
            assert_eq!(carried_in, carried, "{month} {who:?}: {balance}");
            let told = self.told.entry(who).or_default();
            *told = (told.0 + new, told.1 + paid);
            // The bank got what is left after tax.
            let to_bank: i64 =
                program["payments"].as_array().unwrap().iter().map(|payment| cents(&payment["amount"])).sum();
            let tax = if who == Who::IsTaxed { self.tax_of(paid, month) } else { 0 };
            assert_eq!(to_bank, paid - tax, "{month} {who:?}: {program}");
        }
    }

    /// The tax on what a month's statement tells as paid: the latest payment, which was not made yet in the first month.
    fn tax_of(&self, paid: i64, month: &str) -> i64 {
        match self.payments(Who::IsTaxed).pop() {
            None => 0,
            Some(payment) => {
                assert_eq!(cents(&payment["gross"]), paid, "{month}");
                cents(&payment["withheld"])
            }
        }
    }

    /// An approved run's file, which the bank gets.
    fn to_the_bank(&self, run: &Answer) -> Answer {
        self.payer.approve(run).ok();
        let made = self.payer.maker.post("/v1/payment-files", json!({"run_id": run.id()})).send().ok();
        let path = format!("/v1/payment-files/{}", made.id());
        self.payer.maker.get(&format!("{path}/content")).send().ok();
        self.payer.maker.post(&format!("{path}/dispatch"), json!({})).send().ok()
    }

    fn of_file(&self, file: &Answer) -> Vec<Value> {
        self.payer.story.list(&format!("/v1/payments?file_id={}", file.id()))
    }

    /// The bank reports that it has paid each payment of a file but one.
    fn report(&self, file: &Answer, closed: Option<&Value>) {
        let payments = self.of_file(file);
        let said = payments.iter().map(|payment| {
            let is_closed = closed.is_some_and(|closed| closed["id"] == payment["id"]);
            let (code, reason) = if is_closed { ("RJCT", "AC04") } else { ("ACSC", "") };
            Status { payment, code, reason }
        });
        let said: Vec<Status<'_>> = said.collect();
        let xml = status_report(&file.id()[..8], &file.body, &said);
        let path = format!("/v1/payment-files/{}/status-reports", file.id());
        let report = self.payer.maker.ask("POST", &path).bytes("application/xml", xml).send().ok();
        assert_eq!((&report["changed"], &report["exceptions"]), (&json!(said.len()), &json!(0)), "{report}");
    }

    /// A statement of a day books some payments, or shows that they came back.
    fn state(&self, day: &str, payments: &[Value], returned: Option<&str>) {
        self.world.on(day);
        let bookings: Vec<Booking<'_>> =
            payments.iter().map(|payment| Booking { payment, returned }).collect();
        let xml = bank_statement(&format!("S-{day}"), day, &bookings);
        let taken =
            self.payer.maker.ask("POST", "/v1/bank-statements").bytes("application/xml", xml).send().ok();
        // Where another turn is at the reports just now, that one applies this report.
        let path = format!("/v1/bank-statements/{}", taken.id());
        let mut taken = taken;
        for _ in 0..600 {
            if taken["state"] != "applying" {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
            taken = self.payer.maker.get(&path).send().ok();
        }
        assert_eq!((&taken["state"], &taken["exceptions"]), (&json!("applied"), &json!(0)), "{taken}");
    }

    /// What a file holds and the bank has paid.
    fn settled(&self, file: &Answer) -> Vec<Value> {
        let mut payments = self.of_file(file);
        payments.retain(|payment| payment["state"] == "settled");
        payments
    }

    /// A month's end.
    fn pay(&mut self, n: usize) {
        let month = MONTHS[n];
        if n == 4 {
            self.decide(&self.rebate(Who::IsHeld, month), "hold");
        }
        if n == 5 {
            self.decide(&self.rebate(Who::IsHeld, MONTHS[4]), "release");
        }
        let run = self.payer.run(month);
        let file = self.to_the_bank(&run);
        self.world.on(&day(month, 4));
        let closed = (n == 1).then(|| self.latest(Who::Moves));
        self.report(&file, closed.as_ref());
        self.state(&day(month, 6), &self.settled(&file), None);
        self.runs.push(run);
        match n {
            1 => self.moves(month),
            3 => {
                let payment = self.latest(Who::ComesBack);
                self.state(&day(month, 10), &[payment], Some("MS03"));
                assert_eq!(self.latest(Who::ComesBack)["state"], "returned");
            }
            6 => self.objects(),
            _ => {}
        }
    }

    fn decide(&self, rebate: &Value, what: &str) {
        let path = format!("/v1/rebates/{}/{what}", text(&rebate["id"]));
        self.payer.maker.post(&path, because("Compared with the customs' papers")).send().ok();
    }

    /// The account was closed: the partner names another, which two operators look at, and the payment is made anew.
    fn moves(&mut self, month: &str) {
        let failed = self.latest(Who::Moves);
        assert_eq!((&failed["state"], &failed["state_code"]), (&json!("failed"), &json!("AC04")));
        self.payer.changes_the_account();
        let path = format!("/v1/partners/{}/payout-profile/cooling-off-release", self.payer.story.partner);
        self.payer.checker.post(&path, because("Confirmed by telephone")).send().ok();
        let anew = self.payer.tell(&failed, "reissue", because("Another account")).ok();
        assert_eq!((&anew["replaces"], &anew["gross"]), (&failed["id"], &failed["gross"]));
        let run = self.payer.maker.get(&format!("/v1/payment-runs/{}", text(&anew["run_id"]))).send().ok();
        let file = self.to_the_bank(&run);
        self.state(&day(month, 9), &self.of_file(&file), None);
        self.runs.push(run);
    }

    /// The partner expects more, and is right: an adjustment is paid with the next month.
    fn objects(&self) {
        let payment = self.latest(Who::Objects);
        let admin = self.world.admin_of(&self.story(Who::Objects).partner);
        let dispute = json!({
            "subject": "payment", "subject_id": payment["id"], "reason": "An order is missing",
            "expected": {"amount": "495.00", "currency": "EUR"},
        });
        let dispute = admin.post("/v1/disputes", dispute).send().ok();
        self.prove();
        let answer = json!({"verdict": "upheld", "reason": "The order was left out"});
        let upheld =
            self.payer.maker.post(&format!("/v1/disputes/{}/answer", dispute.id()), answer).send().ok();
        let path = format!("/v1/adjustments/{}/approval", text(&upheld["adjustment_id"]));
        self.payer.checker.post(&path, json!({})).send().ok();
    }

    fn prove(&self) {
        verify(&self.world.service);
        let disputes = self.world.service.app.read_as_system(sums_of_disputes).unwrap();
        let wrong: Vec<_> = disputes.iter().filter(|sum| sum.difference.is_some()).collect();
        assert!(!disputes.is_empty() && wrong.is_empty(), "{wrong:#?}");
    }

    /// Every payment of a run adds up to the records it pays, and the run agrees with the bank.
    fn read(&self, run: &Answer) {
        let path = format!("/v1/payment-runs/{}", run.id());
        let done = self.payer.maker.get(&format!("{path}/reconciliation")).send().ok();
        assert_eq!(done["is_reconciled"], true, "{done}");
        let payments = self.payer.payments(run);
        let sums = ["gross", "withheld", "net"]
            .map(|name| payments.iter().map(|payment| cents(&payment[name])).sum::<i64>());
        let total = &self.payer.maker.get(&path).send().ok()["totals"][0];
        assert_eq!(sums, ["gross", "withheld", "net"].map(|name| cents(&total[name])), "{total}");
        for payment in &payments {
            let path = format!("/v1/payments/{}/remittance", text(&payment["id"]));
            let remittance = self.payer.maker.get(&path).send().ok();
            let mut sums = [0; 3];
            for line in remittance["lines"].as_array().unwrap() {
                let of_line = ["amount", "withheld", "net"].map(|name| cents(&line[name]));
                assert_eq!(of_line[0] - of_line[1], of_line[2], "{line}");
                let parts = line["parts"].as_array().unwrap();
                let records: i64 = parts.iter().map(|part| self.sum_of_records(part)).sum();
                assert_eq!(records, of_line[0], "{line}");
                sums.iter_mut().zip(of_line).for_each(|(sum, part)| *sum += part);
            }
            assert_eq!(
                sums,
                ["gross", "withheld", "net"].map(|name| cents(&remittance[name])),
                "{remittance}"
            );
            assert_eq!((&remittance["gross"], &remittance["net"]), (&payment["gross"], &payment["net"]));
        }
    }

    /// The sum of the records of a part, which is the part.
    fn sum_of_records(&self, part: &Value) -> i64 {
        let path = text(&part["records"]);
        let sum = if part["kind"] == "earning" {
            self.payer.story.list(&path).iter().map(|earning| cents(&earning["rebate"])).sum()
        } else {
            cents(&self.payer.maker.get(&path).send().ok()["amount"])
        };
        assert_eq!(sum, cents(&part["amount"]), "{part}");
        sum
    }
}

#[test]
fn a_year_of_payments_adds_up_at_every_month_s_end() {
    let world = World::new();
    let mut year = Year::new(&world);
    for n in 0..MONTHS.len() {
        year.trade_and_close(n);
        year.pay(n);
        year.prove();
        for run in std::mem::take(&mut year.runs) {
            year.read(&run);
        }
    }
    // What the statements told and what was paid since is all that was earned, and nothing is left of it.
    for (who, _) in CAST {
        let (new, paid) = year.told[&who];
        let rebates = year.payer.story.list(&format!("/v1/rebates?partner_id={}", year.story(who).partner));
        assert_eq!(rebates.iter().map(|rebate| cents(&rebate["amount"])).sum::<i64>(), new, "{who:?}");
        assert!(rebates.iter().all(|rebate| rebate["state"] == "paid"), "{who:?}: {rebates:#?}");
        assert_eq!(year.arrived(who), new, "{who:?}");
        assert!(paid < new, "{who:?}: the last payment is told by the next statement");
    }
    let states =
        |who| -> Vec<String> { year.payments(who).iter().map(|payment| text(&payment["state"])).collect() };
    let but = |place: usize, state: &str| {
        let mut all = vec!["settled".to_owned(); 12];
        all.insert(place, state.to_owned());
        all
    };
    assert_eq!(states(Who::Moves), but(1, "failed"));
    // Paid again with the next month.
    assert_eq!(states(Who::ComesBack), {
        let mut all = but(3, "returned");
        all.pop();
        all
    });
    assert_eq!((states(Who::IsHeld).len(), states(Who::SellsLittle).len()), (11, 4));
    assert_eq!(states(Who::Steady), ["settled"; 12]);
    let gross: Vec<i64> =
        year.payments(Who::Objects).iter().map(|payment| cents(&payment["gross"])).collect();
    assert_eq!((gross[6], gross[7]), (45_000, 49_500));
    let taxed = year.payments(Who::IsTaxed);
    assert!(taxed.iter().all(|payment| payment["withheld"] == json!({"amount": "33.33", "currency": "EUR"})));
    // The documents are numbered without a gap.
    let payments = year.payer.story.list("/v1/payments");
    let mut numbers: Vec<String> = payments.iter().map(|payment| text(&payment["document_number"])).collect();
    numbers.sort();
    let expected: Vec<String> = (1..=payments.len()).map(|number| format!("CN-{number:08}")).collect();
    assert_eq!(numbers, expected);
}
