//! The law: the sum of all postings is what one computation over everything known gives, whenever it is asked.

use crate::{
    suite::{
        calculation::{Story, flat, text, version},
        tampering::everything_is_allowed,
    },
    support::{World, statements::behind_the_service},
};
use diesel::connection::SimpleConnection;
use partner_incentives::{operations::verify, platform::db::Conn, slice::VerifyFinding};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write as _};

fn usd(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

fn tier(from: &str, rate: &str) -> Value {
    json!({"from": usd(from), "rate": rate})
}

fn new_customers() -> Value {
    json!({"type": "fixed", "code": "new", "name": "New customers", "amount": usd("50.00"), "new_after_months": 12})
}

/// The sums of the earnings, in cents, by lever and month.
fn sums(story: &Story<'_>) -> BTreeMap<(String, String), i64> {
    let mut sums = BTreeMap::new();
    for earning in story.list("/v1/earnings") {
        let cents: i64 = text(&earning["amount"]["amount"]).replace('.', "").parse().unwrap();
        *sums.entry((text(&earning["lever"]), text(&earning["earned_in"]))).or_default() += cents;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

fn sum(story: &Story<'_>) -> i64 {
    sums(story).values().sum()
}

/// What is told of one sale.
enum Told {
    Bought(&'static str, &'static str, &'static str, &'static str),
    TakenBack(&'static str, &'static str, &'static str),
    Calculated,
}
use Told::{Bought, Calculated, TakenBack};

/// Tells a story of sales to a new partner; gives the sum of what it earned, in cents.
fn told(levers: &Value, today: &str, tale: &[Told]) -> i64 {
    let world = World::new();
    let story = Story::new(&world, levers);
    world.on(today);
    let mut sales = BTreeMap::new();
    for what in tale {
        match what {
            Bought(number, on, amount, customer) => {
                let more = json!({"customer": {"id": customer, "country": "DE"}});
                sales.insert(*number, story.report(number, on, amount, &more).ok().id());
            }
            TakenBack(number, on, amount) => {
                drop(story.refund(&format!("{number}-back"), &sales[number], on, amount));
            }
            Calculated => drop(story.calculate()),
        }
    }
    story.calculate();
    story.verify();
    sum(&story)
}

#[test]
fn marginal_slices_are_those_of_the_net_volume_however_runs_cut_the_sales() {
    let tiers = [tier("0.00", "0.02"), tier("10000.00", "0.05"), tier("50000.00", "0.07")];
    let scale = json!({"type": "marginal", "period": "half_year", "tiers": tiers});
    for grain in ["transaction", "customer_month", "month"] {
        let levers =
            json!([{"type": "core", "code": "core", "name": "Core", "grain": grain, "scale": scale}]);
        let at_once = [
            Bought("1", "2018-07-01", "8000.00", "C-1"),
            Bought("2", "2018-07-02", "5000.00", "C-1"),
            TakenBack("1", "2018-07-03", "-8000.00"),
            Bought("3", "2018-07-04", "8000.00", "C-2"),
        ];
        assert_eq!(told(&levers, "2018-07-20", &at_once), 35_000, "{grain}");
        let bit_by_bit = [
            Bought("1", "2018-07-01", "8000.00", "C-1"),
            TakenBack("1", "2018-07-03", "-8000.00"),
            Calculated,
            Bought("2", "2018-07-02", "5000.00", "C-1"),
            Calculated,
            Bought("3", "2018-07-04", "8000.00", "C-2"),
        ];
        assert_eq!(told(&levers, "2018-07-20", &bit_by_bit), 35_000, "{grain}");
        let taken_back = [
            Bought("big", "2018-10-01", "50000.00", "C-1"),
            Bought("small", "2018-10-02", "9000.00", "C-1"),
            Calculated,
            TakenBack("big", "2018-10-03", "-50000.00"),
        ];
        assert_eq!(told(&levers, "2018-10-20", &taken_back), 18_000, "{grain}");
    }
}

#[test]
fn a_new_customer_is_the_one_of_the_earliest_purchase_that_was_kept() {
    let levers = json!([new_customers()]);
    let late = |on| [Bought("2", "2018-08-05", "10.00", "L"), Calculated, Bought("1", on, "10.00", "L")];
    assert_eq!(told(&levers, "2018-08-20", &late("2018-08-02")), 5_000);
    assert_eq!(told(&levers, "2018-08-20", &late("2018-03-02")), 0);
    let back_and_again = [
        Bought("1", "2018-08-02", "10.00", "L"),
        TakenBack("1", "2018-08-03", "-10.00"),
        Bought("2", "2018-08-04", "10.00", "L"),
    ];
    assert_eq!(told(&levers, "2018-08-20", &back_and_again), 5_000);
}

#[test]
fn a_balance_that_a_refund_frees_goes_to_the_sales_that_were_cut() {
    let mut lever = flat("core", "0.10");
    lever["cap"] = json!({"scope": "partner", "amount": usd("400.00")});
    let levers = json!([lever]);
    let freed = [
        Bought("1", "2018-08-01", "4000.00", "C-1"),
        Bought("2", "2018-08-02", "4000.00", "C-2"),
        Calculated,
        TakenBack("1", "2018-08-03", "-3999.99"),
    ];
    assert_eq!(told(&levers, "2018-08-20", &freed), 40_000);
    let a_cent = [
        Bought("1", "2018-08-01", "4000.00", "C-1"),
        Bought("2", "2018-08-02", "4000.00", "C-2"),
        Calculated,
        TakenBack("2", "2018-08-03", "-0.01"),
    ];
    assert_eq!(told(&levers, "2018-08-20", &a_cent), 40_000);
}

#[test]
fn growth_is_compared_with_all_that_was_sold_whether_it_could_earn_or_not() {
    let levers = json!([{"type": "growth", "code": "growth", "name": "Growth", "rate": "0.1",
        "baseline": {"type": "trailing_average", "months": 1}}]);
    let world = World::new();
    let mut version = version(&levers);
    version["requirements"] = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
    let story = Story::with(&world, &version, |partner| {
        let paper = |number: &str, from: &str, to: Value| {
            let body = json!({
                "partner_id": partner, "agreement_number": number, "signed_by": "Sam", "signed_on": "2018-06-01",
                "effective_on": from, "expires_on": to, "membership_level": "silver", "grace_days": 0,
            });
            world.operator().post("/v1/mpn-agreements", body).send().ok();
        };
        paper("A-1", "2018-06-01", json!("2018-08-09"));
        paper("A-2", "2018-08-21", json!(null));
    });
    world.on("2018-10-10");
    for (n, on) in ["2018-07-11", "2018-08-12", "2018-09-10"].into_iter().enumerate() {
        story.sale(&n.to_string(), on, "10000.00");
    }
    story.calculate();
    assert_eq!(sums(&story).get(&("growth".into(), "2018-09".into())), None, "{:?}", sums(&story));
    let codes: Vec<String> = story.refusals().into_iter().map(|(code, _)| code).collect();
    assert!(codes.contains(&"mpn_agreement_expired".to_owned()), "{codes:?}");
    story.verify();
}

#[test]
fn a_rule_that_was_lost_and_told_late_takes_back_what_its_days_earned() {
    for told_late in [true, false] {
        let world = World::new();
        let mut version = version(&json!([flat("core", "0.10")]));
        version["requirements"] = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
        let agreement = std::cell::RefCell::new(String::new());
        let story = Story::with(&world, &version, |partner| {
            let body = json!({
                "partner_id": partner, "agreement_number": "A-1", "signed_by": "Sam", "signed_on": "2018-06-01",
                "effective_on": "2018-06-01", "membership_level": "silver",
            });
            *agreement.borrow_mut() = world.operator().post("/v1/mpn-agreements", body).send().ok().id();
        });
        world.on("2018-10-20");
        let terminate = || {
            let path = format!("/v1/mpn-agreements/{}/termination", agreement.borrow());
            let body = json!({"terminated_on": "2018-10-02", "reason": "Left the network"});
            story.operator.post(&path, body).if_match("*").send().ok();
        };
        story.sale("1", "2018-10-01", "100.00");
        story.sale("2", "2018-10-03", "200.00");
        if told_late {
            story.calculate();
            terminate();
        } else {
            terminate();
        }
        story.calculate();
        assert_eq!(sum(&story), 1_000, "told late: {told_late}");
        assert_eq!(story.refusals(), [("mpn_agreement_terminated".to_owned(), String::new())]);
        if told_late {
            let correction = story.list("/v1/earnings").pop().unwrap();
            assert_eq!(
                (text(&correction["cause"]), &correction["cause_transaction_id"]),
                ("fact".into(), &Value::Null)
            );
            let steps = correction["trace"].as_array().unwrap();
            assert!(steps.contains(&json!({"step": "correction", "of": usd("20.00")})), "{correction}");
        }
        story.verify();
    }
}

#[test]
fn a_correction_names_the_sale_that_moved_it() {
    let world = World::new();
    let scale = json!({"type": "marginal", "period": "month", "tiers": [tier("0.00", "0.01"), tier("100.00", "0.10")]});
    let story =
        Story::new(&world, &json!([{"type": "core", "code": "core", "name": "Core", "scale": scale}]));
    world.on("2018-08-20");
    story.sale("2", "2018-08-05", "100.00");
    story.calculate();
    let late = story.sale("1", "2018-08-02", "100.00");
    story.calculate();
    let earnings = story.list("/v1/earnings");
    let shown: Vec<_> = earnings
        .iter()
        .map(|e| (text(&e["amount"]["amount"]), text(&e["cause"]), text(&e["cause_transaction_id"])))
        .collect();
    let first = text(&earnings[0]["transaction_id"]);
    assert_eq!(
        shown,
        [
            ("1.00".into(), "sale".into(), first),
            ("1.00".into(), "sale".into(), late.clone()),
            ("9.00".into(), "sale".into(), late)
        ]
    );
    story.verify();
}

#[test]
fn what_no_cap_or_grain_can_mean_is_refused_when_a_version_is_written() {
    let world = World::new();
    let program = json!({"code": "rewards", "name": "Rewards", "partner_types": ["direct_bill"]});
    world.operator().post("/v1/programs", program).send().ok();
    let of_each = json!({"scope": "customer", "amount": usd("4000.00")});
    let mut month = flat("core", "0.10");
    month["grain"] = json!("month");
    month["cap"] = of_each.clone();
    let growth = json!({"type": "growth", "code": "growth", "name": "Growth", "rate": "0.1", "cap": of_each,
        "baseline": {"type": "same_month_last_year"}});
    let bonus = json!({"type": "activity_bonus", "code": "skills", "name": "Skills", "amount": usd("1.00"), "cap": of_each});
    let lifts = json!({"type": "core", "code": "core", "name": "Core", "grain": "transaction",
        "scale": {"type": "retroactive", "period": "month", "tiers": [tier("0.00", "0.01")]}});
    let falls = json!({"type": "core", "code": "core", "name": "Core", "grain": "month",
        "cap": {"scope": "partner", "amount": usd("40.00")},
        "scale": {"type": "retroactive", "period": "month", "tiers": [tier("0.00", "0.10"), tier("1000.00", "0.02")]}});
    for (lever, pointer) in [
        (month, "/levers/0/cap/scope"),
        (growth, "/levers/0/cap/scope"),
        (bonus, "/levers/0/cap/scope"),
        (lifts, "/levers/0/grain"),
        (falls, "/levers/0/scale/tiers/1/rate"),
    ] {
        let body = version(&json!([lever]));
        let refused =
            world.operator().post("/v1/programs/rewards/versions", body).send().refused(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
}

#[test]
fn a_competency_that_is_attained_gives_its_bonus_once() {
    let world = World::new();
    let bonus =
        json!({"type": "activity_bonus", "code": "skills", "name": "Skills", "amount": usd("250.00")});
    let story = Story::new(&world, &json!([bonus]));
    world.on("2018-09-20");
    let attain = |code: &str, on: &str| {
        let body = json!({"level": "silver", "attained_on": on, "expires_on": "2019-12-31"});
        let path = format!("/v1/partners/{}/competencies/{code}", story.partner);
        story.operator.put(&path, body).send().ok();
    };
    attain("devops", "2018-08-03");
    attain("erp", "2018-08-09");
    attain("messaging", "2018-06-09");
    story.calculate();
    assert_eq!(sums(&story), BTreeMap::from([(("skills".to_owned(), "2018-08".to_owned()), 50_000)]));
    attain("communications", "2018-08-30");
    story.calculate();
    story.calculate();
    assert_eq!(sum(&story), 75_000);
    story.verify();
}

#[test]
fn one_partner_whose_sums_leave_the_range_stops_nobody_else() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.10")]));
    let honest = story.another(2).partner;
    world.on("2018-08-20");
    let mut file = "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,occurred_on,amount,currency\n".to_owned();
    for n in 0..9300 {
        writeln!(
            file,
            "billing,L{n},{},C,US,SKU,fam,purchase,2018-08-02,9999999999999.99,USD",
            story.partner
        )
        .unwrap();
    }
    writeln!(file, "billing,Q,{honest},C,US,SKU,fam,purchase,2018-08-02,100.00,USD").unwrap();
    story.operator.ask("POST", "/v1/transaction-imports").bytes("text/csv", file).send().ok();
    let run = story.calculate();
    assert_eq!((&run["put_aside"], &run["state"]), (&json!(1), &json!("succeeded")), "{run}");
    assert_eq!(sum(&story), 1_000, "the honest partner has earned");
    one_month_is_missing(&story);
    // Whatever was sold in error is taken back, and the partner is computed again.
    let mut file =
        "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,original_external_id,occurred_on,amount,currency\n".to_owned();
    for n in 0..9300 {
        writeln!(
            file,
            "billing,B{n},{},C,US,SKU,fam,refund,L{n},2018-08-19,-9999999999999.99,USD",
            story.partner
        )
        .unwrap();
    }
    story.operator.ask("POST", "/v1/transaction-imports").bytes("text/csv", file).send().ok();
    assert_eq!(story.calculate()["put_aside"], json!(0));
    story.verify();
    let owed = story.rebates().into_iter().map(|(_, amount, _)| amount);
    let mut owed: Vec<String> = owed.filter(|amount| amount != "0.00").collect();
    owed.sort_unstable();
    assert_eq!(owed, ["0.60", "6.00"]);
}

/// The month closes without a partner that is put aside, and says who is missing.
fn one_month_is_missing(story: &Story<'_>) {
    // A run over the partner says why it fails; a run over all leaves the partner aside until more is known.
    let alone = json!({"partner_id": story.partner});
    let begun = story.operator.post("/v1/calculation-runs", alone).send().ok();
    let run = story.ended(&begun);
    assert_eq!(run["state"], "failed", "{run}");
    assert!(text(&run["error"]).contains("range"), "{run}");
    assert_eq!(story.calculate()["put_aside"], json!(0));
    // The month closes without the partner, and says who is missing.
    story.world.on("2018-09-02");
    story.sale("small", "2018-07-05", "10.00");
    story.calculate();
    // What was computed before the failure stands.
    story.close("2018-07").ok();
    let closed = story.close("2018-08").ok();
    assert_eq!(closed["missing_partners"], json!([story.partner]), "{closed}");
    let months = story.operator.get("/v1/accounting-months").send().ok();
    assert_eq!(months["put_aside"][0]["partner_id"], json!(story.partner), "{months}");
    assert_eq!(months["put_aside"][0]["code"], "amount_out_of_range");
    // Nothing is said of the partner that could not be computed.
    let check = verify::SLICE.checks.iter().find(|check| check.name == "calculation").unwrap();
    let found = story.world.service.app.read_as_system(|tx| (check.run)(tx, None)).unwrap();
    let VerifyFinding::Sound(summary) = found else { panic!("{found:?}") };
    assert!(summary.contains("1 that are put aside"), "{summary}");
}

/// Makes the database refuse every earning of a partner, for a reason of its own.
pub fn refuse_earnings_of(story: &Story<'_>) {
    let mut conn = story.world.service.db.target().open().unwrap();
    let hex = story.partner.replace('-', "");
    let refusing = match &conn {
        Conn::Sqlite(_) => format!(
            "CREATE TRIGGER bad_day BEFORE INSERT ON earnings WHEN hex(NEW.partner_id) = upper('{hex}') \
             BEGIN SELECT RAISE(ABORT, 'numeric value out of range'); END"
        ),
        Conn::Postgres(_) => format!(
            "CREATE FUNCTION bad_day() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF NEW.partner_id = '{hex}' THEN RAISE EXCEPTION 'out of range' USING ERRCODE = '22003'; END IF; \
             RETURN NEW; END $$; \
             CREATE TRIGGER bad_day BEFORE INSERT ON earnings FOR EACH ROW EXECUTE FUNCTION bad_day()"
        ),
    };
    behind_the_service(|| conn.batch_execute(&refusing)).unwrap();
}

/// Makes the database take earnings of a partner again.
pub fn take_earnings_again(story: &Story<'_>) {
    let mut conn = story.world.service.db.target().open().unwrap();
    let taking = match &conn {
        Conn::Sqlite(_) => "DROP TRIGGER bad_day",
        Conn::Postgres(_) => "DROP FUNCTION bad_day CASCADE",
    };
    behind_the_service(|| conn.batch_execute(taking)).unwrap();
}

#[test]
fn a_partner_whose_rows_the_database_refuses_stops_nobody_else() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.10")]));
    let other = story.another(2);
    world.on("2018-08-20");
    refuse_earnings_of(&story);
    story.sale("1", "2018-08-02", "100.00");
    other.sale("2", "2018-08-02", "50.00");
    let run = story.calculate();
    assert_eq!((&run["put_aside"], &run["state"]), (&json!(1), &json!("succeeded")), "{run}");
    assert_eq!(sum(&story), 500, "the other partner has earned");
    take_earnings_again(&story);
    let alone = json!({"partner_id": story.partner});
    let begun = story.operator.post("/v1/calculation-runs", alone).send().ok();
    assert_eq!(story.ended(&begun)["state"], "succeeded");
    assert_eq!(sum(&story), 1_500);
    story.verify();
}

#[test]
fn a_difference_is_shown_and_posted_with_a_reason() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.10")]));
    world.on("2018-08-20");
    story.sale("1", "2018-08-02", "100.00");
    story.calculate();
    let path = format!("/v1/partners/{}/recalculation", story.partner);
    let preview = story.operator.get(&path).send().ok();
    assert_eq!(preview["differences"], json!([]), "{preview}");
    // Somebody with all rights on the database moves a record that stands.
    story.sale("2", "2018-08-03", "0.01");
    story.calculate();
    let mut conn = world.service.db.target().open().unwrap();
    let forge = "UPDATE ineligible_records SET code = 'product_not_eligible' WHERE code = 'amount_too_small'";
    behind_the_service(|| diesel::RunQueryDsl::execute(diesel::sql_query(forge), &mut conn)).unwrap();
    let preview = story.operator.get(&path).send().ok();
    let difference = &preview["differences"][0];
    assert_eq!((&difference["lever"], &difference["records"]), (&json!("core"), &json!(2)), "{preview}");
    story.operator.post(&path, json!({})).send().refused(422, "invalid");
    world.auditor().post(&path, json!({"reason": "Found by verify"})).send().refused(403, "forbidden");
    let begun = story.operator.post(&path, json!({"reason": "Found by verify"})).send().ok();
    assert_eq!(story.ended(&begun)["state"], "succeeded");
    assert_eq!(story.operator.get(&path).send().ok()["differences"], json!([]));
    let noted = story.list("/v1/audit-events?operation=RecalculatePartner");
    assert!(noted.iter().any(|event| event["reason"] == "Found by verify"), "{noted:#?}");
    assert_eq!(sum(&story), 1_000);
}

#[test]
fn an_amount_that_is_wrong_in_all_books_is_found_and_put_right() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.10")]));
    world.on("2018-08-20");
    story.sale("1", "2018-08-02", "100.00");
    story.calculate();
    // Somebody with all rights on the database makes 15.00 of the 10.00 wherever they stand.
    let mut conn = everything_is_allowed(&world);
    for forge in [
        "UPDATE earnings SET amount = 1500, whole = 1500, rebate = 900, coop = 600",
        "UPDATE lever_months SET amount = 1500, rebate = 900, coop = 600",
        "UPDATE rebates SET earned = 900, coop = 600",
        "UPDATE coop_funds SET earned = 600, claimable = 600, remaining = 600",
        "UPDATE ledger_transfers SET amount = amount + amount / 2",
    ] {
        let statement = diesel::sql_query(forge);
        behind_the_service(|| diesel::RunQueryDsl::execute(statement, &mut conn)).unwrap();
    }
    let path = format!("/v1/partners/{}/recalculation", story.partner);
    let preview = story.operator.get(&path).send().ok();
    assert_eq!(preview["differences"].as_array().unwrap().len(), 1, "{preview}");
    assert_eq!(preview["differences"][0]["missing"], usd("-5.00"), "{preview}");
    let begun = story.operator.post(&path, json!({"reason": "Found by verify"})).send().ok();
    assert_eq!(story.ended(&begun)["state"], "succeeded");
    assert_eq!(story.amounts(), ["15.00", "-5.00"]);
    let corrected = story.list("/v1/earnings").pop().unwrap();
    assert_eq!(text(&corrected["cause"]), "recalculation");
    assert_eq!(story.rebates()[0].1, "6.00");
    assert_eq!(story.operator.get(&path).send().ok()["differences"], json!([]));
    story.verify();
}

#[test]
fn a_correction_names_the_refund_the_rate_or_the_version_behind_it() {
    let world = World::new();
    let scale = json!({"type": "marginal", "period": "month", "tiers": [tier("0.00", "0.01"), tier("100.00", "0.10")]});
    let mut first = version(&json!([{"type": "core", "code": "core", "name": "Core", "scale": scale}]));
    let mut second = first.clone();
    first["effective_to"] = json!("2018-09-30");
    second["effective_from"] = json!("2018-10-01");
    let story = Story::by(&world, &first);
    world.on("2018-10-20");
    let newest = || {
        let earning = story.list("/v1/earnings").pop().unwrap();
        (text(&earning["amount"]["amount"]), text(&earning["cause"]), earning["cause_transaction_id"].clone())
    };
    let early = story.sale("1", "2018-08-02", "100.00");
    story.sale("2", "2018-08-05", "100.00");
    story.calculate();
    let back = story.refund("1-back", &early, "2018-08-10", "-100.00");
    story.calculate();
    // The refund takes back its own 1.00, and the second sale slides from 10 % to 1 %.
    let both: Vec<_> = story.list("/v1/earnings").split_off(2);
    let shown = |earning: &Value| {
        (text(&earning["amount"]["amount"]), text(&earning["cause"]), earning["cause_transaction_id"].clone())
    };
    let mut both: Vec<_> = both.iter().map(shown).collect();
    both.sort_by(|one, other| one.0.cmp(&other.0));
    let refund = || ("refund".to_owned(), json!(back));
    let expected = ["-1.00", "-9.00"].map(|amount| (amount.to_owned(), refund().0, refund().1));
    assert_eq!(both, expected);
    story.sale("3", "2018-09-03", "100.00 EUR");
    story.calculate();
    assert_eq!(story.refusals(), [("exchange_rate_missing".to_owned(), String::new())]);
    let rates = json!({"rates": [{"base": "EUR", "quote": "USD", "rate": "1"}]});
    story.operator.put("/v1/fx-rates/2018-09", rates).send().ok();
    story.calculate();
    assert_eq!(newest(), ("1.00".to_owned(), "rate".to_owned(), Value::Null));
    story.operator.post("/v1/programs/rewards/versions", second).send().ok();
    story.sale("4", "2018-10-03", "100.00");
    story.calculate();
    assert_eq!(story.refusals(), [("program_not_open".to_owned(), String::new())]);
    let publication = "/v1/programs/rewards/versions/2/publication";
    story.operator.post(publication, json!({})).if_match("*").send().ok();
    story.calculate();
    assert_eq!(newest(), ("1.00".to_owned(), "version".to_owned(), Value::Null));
    story.verify();
}

/// Minor units of a decimal text, to a millionth.
fn millionths(amount: &Value) -> i128 {
    let text = text(amount);
    let (units, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{units}{fraction:0<8}").parse().unwrap()
}

#[test]
fn the_slices_of_every_grain_and_scale_add_up_to_what_is_posted() {
    let tiers = [tier("0.00", "0.013"), tier("70.00", "0.027"), tier("150.00", "0.051")];
    let scale = |kind: &str| json!({"type": kind, "period": "half_year", "tiers": tiers});
    let lever = |code: &str, kind: &str, grain: &str| json!({"type": "core", "code": code, "name": code, "grain": grain, "scale": scale(kind)});
    let world = World::new();
    let story = Story::new(
        &world,
        &json!([
            lever("by-sale", "marginal", "transaction"),
            lever("by-customer", "marginal", "customer_month"),
            lever("by-month", "marginal", "month"),
            lever("lifts", "retroactive", "month"),
        ]),
    );
    world.on("2018-09-20");
    let rates = json!({"rates": [{"base": "EUR", "quote": "USD", "rate": "1.1357"}]});
    for month in ["2018-08", "2018-09"] {
        story.operator.put(&format!("/v1/fx-rates/{month}"), rates.clone()).send().ok();
    }
    for (n, (on, amount)) in [
        ("2018-08-02", "90.07"),
        ("2018-08-03", "33.33 EUR"),
        ("2018-09-04", "77.77 EUR"),
        ("2018-09-05", "101.01"),
    ]
    .into_iter()
    .enumerate()
    {
        story.sale(&n.to_string(), on, amount);
    }
    story.calculate();
    let mut seen = BTreeMap::new();
    for earning in story.list("/v1/earnings") {
        let steps = earning["trace"].as_array().unwrap();
        let of = |name: &str| steps.iter().filter(|step| step["step"] == *name).collect::<Vec<_>>();
        let slices: i128 = of("slice").iter().map(|step| millionths(&step["gives"])).sum();
        let earlier: i128 =
            of("earlier_months").iter().map(|step| millionths(&step["amount"]["amount"])).sum();
        let rounded = millionths(&of("rounded")[0]["amount"]["amount"]);
        assert!(!of("slice").is_empty(), "{earning}");
        assert!((slices - earlier - rounded).abs() <= 500_000, "half a cent at most: {earning}");
        assert_eq!(rounded, millionths(&earning["amount"]["amount"]), "{earning}");
        if earning["lever"] != "lifts" {
            assert_eq!(slices, millionths(&earning["unrounded"]), "{earning}");
        }
        let lever = seen.entry(text(&earning["lever"])).or_insert((0, 0));
        *lever = (lever.0 + of("slice").len(), lever.1 + of("earlier_months").len());
    }
    assert_eq!(seen["lifts"], (2, 1), "{seen:?}");
    assert!(["by-sale", "by-customer", "by-month"].iter().all(|lever| seen[*lever].0 > 4), "{seen:?}");
    story.verify();
}

#[test]
fn amounts_as_large_as_the_service_takes_are_proved_and_shown() {
    let world = World::new();
    let usd_sum = |amount: &str| json!({"amount": amount, "currency": "IDR"});
    let mut version = version(&json!([flat("core", "0.08")]));
    version["payment_threshold"] = usd_sum("3000000.00");
    version["coop_threshold"] = usd_sum("150000000.00");
    let story = Story::by(&world, &version);
    world.on("2018-08-20");
    story.sale("1", "2018-08-02", "2000000000001.23 IDR");
    story.sale("2", "2018-08-03", "5000000000000.00 IDR");
    story.sale("3", "2018-08-03", "5000000000000.00 IDR");
    story.calculate();
    assert_eq!(story.amounts(), ["160000000000.10", "400000000000.00", "400000000000.00"]);
    let path = format!("/v1/partners/{}/statements/2018-08", story.partner);
    story.operator.get(&path).header("accept", "text/html").send().ok();
    story.verify();
}

#[test]
fn tiers_and_caps_go_on_through_a_corrected_version_of_the_year() {
    let world = World::new();
    let levers = |rate: &str| {
        let scale = json!({"type": "marginal", "period": "program_year",
            "tiers": [tier("0.00", "0.01"), tier("1000.00", rate)]});
        let mut lever = json!({"type": "core", "code": "core", "name": "Core", "scale": scale});
        lever["cap"] = json!({"scope": "partner", "amount": usd("150.00")});
        json!([lever])
    };
    let mut first = version(&levers("0.10"));
    first["effective_to"] = json!("2018-08-31");
    let story = Story::by(&world, &first);
    let mut second = version(&levers("0.20"));
    second["effective_from"] = json!("2018-09-01");
    let in_euros = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    let mut other = version(&json!([flat("core", "0.10")]));
    other["effective_from"] = json!("2018-09-01");
    other["payment_threshold"] = in_euros("200.00");
    other["coop_threshold"] = in_euros("10000.00");
    let publish = |body: Value| {
        let made = story.operator.post("/v1/programs/rewards/versions", body).send().ok();
        let path = format!("/v1/programs/rewards/versions/{}/publication", made["version"]);
        story.operator.post(&path, json!({})).if_match("*").send()
    };
    publish(other).refused(409, "version_currency_differs");
    let scale = json!({"type": "retroactive", "period": "program_year", "tiers": [tier("0.00", "0.01")]});
    for scale in [scale, json!({"type": "flat", "rate": "0.01"})] {
        let lever = json!({"type": "core", "code": "core", "name": "Core", "grain": "month", "scale": scale});
        let mut another_kind = version(&json!([lever]));
        another_kind["effective_from"] = json!("2018-09-01");
        let refused = publish(another_kind).refused(409, "version_scale_differs");
        assert_eq!((&refused["lever"], &refused["version"]), (&json!("core"), &json!(1)), "{refused}");
    }
    publish(second).ok();
    world.on("2018-09-20");
    story.sale("1", "2018-08-05", "1500.00");
    story.calculate();
    story.sale("2", "2018-09-05", "500.00");
    story.calculate();
    // 1,000.00 at 1 % and 500.00 at 10 %; then 500.00 at the corrected 20 %, of which the cap leaves 90.00.
    let earned = sums(&story);
    assert_eq!(earned[&("core".to_owned(), "2018-08".to_owned())], 6_000);
    assert_eq!(earned[&("core".to_owned(), "2018-09".to_owned())], 9_000);
    assert_eq!(story.refusals(), [("cap_partially_applied".to_owned(), "10.00".to_owned())]);
    story.verify();
}
