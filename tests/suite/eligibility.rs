//! Whether partners are eligible: the worked examples E1 to E8 over HTTP, and what surrounds them.

use super::records::{agreement, attainment, competency, day, partner, sale};
use crate::support::{Answer, Client, World};
use diesel::{Connection, QueryDsl, RunQueryDsl, connection::InstrumentationEvent};
use partner_incentives::{
    network::{
        agreements::Kind,
        partners::{self, Partner},
    },
    participation::{
        admission, eligibility,
        programs::{self, ProgramInEffect, ProgramKey},
    },
    platform::values::Id,
    schema::{audit_events, evaluations, idempotency_keys},
};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

const DIRECT: &str = "csp-direct-bill";
const PROVIDER: &str = "csp-indirect-provider";
const RESELLER: &str = "csp-indirect-reseller";
const SIMULATIONS: &str = "/v1/eligibility/simulations";

#[track_caller]
fn ask(person: &Client, partner: Id, program: &str, as_of: &str) -> Answer {
    let path = format!("/v1/partners/{partner}/eligibility");
    person.get(&path).query("program", program).query("as_of", as_of).send().ok()
}

fn check<'a>(answer: &'a Answer, rule: &str) -> &'a Value {
    let checks = answer["checks"].as_array().unwrap();
    checks.iter().find(|check| check["rule"] == rule).unwrap_or_else(|| panic!("no {rule}: {answer}"))
}

/// The codes of the rules that are unmet.
fn unmet(answer: &Answer) -> Vec<String> {
    let unmet = answer["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "unmet");
    let codes: Vec<String> = unmet.map(|check| check["code"].as_str().unwrap().to_owned()).collect();
    assert_eq!(answer["outcome"] == "eligible", codes.is_empty(), "{answer}");
    codes
}

/// A partner with an MPN agreement and a competency.
fn member(world: &World, n: u32, partner_type: &str) -> Id {
    let partner = partner(world, n, partner_type, None);
    agreement(world, partner, Kind::Mpn, "2018-07-01", "2019-06-30", false);
    attainment(world, partner, "cloud-productivity", "silver", "2018-07-01", "2019-12-31");
    partner
}

/// A direct bill partner that is eligible.
fn sound(world: &World, n: u32) -> Id {
    let partner = member(world, n, "direct_bill");
    agreement(world, partner, Kind::Reseller, "2018-07-01", "", false);
    partner
}

#[test]
fn e1_a_direct_bill_partner_with_its_papers_is_eligible() {
    let world = World::new();
    let partner = sound(&world, 1);
    let answer = ask(&world.operator(), partner, DIRECT, "2018-11-01");
    assert_eq!((&answer["outcome"], unmet(&answer).len()), (&json!("eligible"), 0));
    assert_eq!((&answer["partner_id"], &answer["program"]["code"]), (&json!(partner), &json!(DIRECT)));
    assert_eq!((&answer["version"], &answer["as_of"]), (&json!(1), &json!("2018-11-01")));
    assert_eq!(answer["evaluated_at"], "2018-07-01T12:00:00.000000Z");
    // The next year's version takes over on its day; the MPN agreement's grace ends in it.
    assert_eq!(answer["eligible_until"], "2019-07-31");
    for rule in ["distributor_agreement", "first_transaction"] {
        assert_eq!(check(&answer, rule)["status"], "not_applicable");
    }
    let order: Vec<&str> =
        answer["checks"].as_array().unwrap().iter().map(|check| check["rule"].as_str().unwrap()).collect();
    assert_eq!(order[..4], ["program_open", "not_opted_out", "partner_active", "partner_type"]);
}

#[test]
fn e2_an_indirect_reseller_without_a_transaction_lacks_exactly_that() {
    let world = World::new();
    let partner = member(&world, 1, "indirect_reseller");
    let answer = ask(&world.operator(), partner, RESELLER, "2018-11-01");
    assert_eq!(unmet(&answer), ["first_transaction_missing"]);
}

#[test]
fn e3_a_purchase_makes_it_eligible_until_it_is_wholly_taken_back() {
    let world = World::new();
    let partner = member(&world, 1, "indirect_reseller");
    let operator = world.operator();
    let first = sale(&world, partner, "2018-11-20", 10_000, None);
    assert_eq!(unmet(&ask(&operator, partner, RESELLER, "2018-11-19")), ["first_transaction_missing"]);
    let answer = ask(&operator, partner, RESELLER, "2018-11-20");
    assert_eq!(unmet(&answer), [""; 0]);
    let evidence = &check(&answer, "first_transaction")["evidence"][0];
    assert_eq!((&evidence["type"], &evidence["id"]), (&json!("transaction"), &json!(first)));
    sale(&world, partner, "2018-11-25", -4_000, Some(first));
    assert_eq!(unmet(&ask(&operator, partner, RESELLER, "2018-11-30")), [""; 0]);
    sale(&world, partner, "2018-11-28", -6_000, Some(first));
    assert_eq!(unmet(&ask(&operator, partner, RESELLER, "2018-11-28")), ["first_transaction_missing"]);
    let before = ask(&operator, partner, RESELLER, "2018-11-27");
    assert_eq!((&before["outcome"], &before["eligible_until"]), (&json!("eligible"), &json!("2018-11-28")));
    let second = sale(&world, partner, "2018-11-28", 500, None);
    let after = ask(&operator, partner, RESELLER, "2018-11-28");
    assert_eq!(unmet(&after), [""; 0]);
    assert_eq!(check(&after, "first_transaction")["evidence"][0]["id"], json!(second));
    assert_eq!(
        check(&ask(&operator, partner, RESELLER, "2018-11-27"), "first_transaction")["lapses_on"],
        json!(null)
    );
}

#[test]
fn e4_an_indirect_provider_needs_a_distributor_agreement_and_signs_no_other() {
    let world = World::new();
    let partner = member(&world, 1, "indirect_provider");
    let answer = ask(&world.operator(), partner, PROVIDER, "2018-11-01");
    assert_eq!(unmet(&answer), ["distributor_agreement_missing"]);
    let body = json!({
        "program": PROVIDER, "partner_id": partner, "as_of": "2018-11-01",
        "agreements": [{"kind": "reseller", "effective_on": "2018-07-01"}],
    });
    let refused = world.operator().post(SIMULATIONS, body).send().refused(422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/agreements/0/kind");
}

#[test]
fn e5_founding_and_guide_differ_on_an_authorized_distributor_without_a_competency() {
    let world = World::new();
    let provider = partner(&world, 1, "indirect_provider", None);
    agreement(&world, provider, Kind::Mpn, "2018-07-01", "", false);
    agreement(&world, provider, Kind::Distributor, "2018-07-01", "", true);
    let operator = world.operator();
    assert_eq!(unmet(&ask(&operator, provider, PROVIDER, "2018-11-01")), ["competency_missing"]);

    let guide = programs::rule_sets::guide("indirect_provider".parse().unwrap());
    let version = json!({
        "program_year": 2019, "requirements": guide, "split": {"rebate_rate": "0.6"},
        "levers": [{"type": "core", "code": "core", "name": "Core", "scale": {"type": "flat", "rate": "0.08"}}],
        "payment_threshold": {"amount": "200.00", "currency": "USD"},
        "coop_threshold": {"amount": "10000.00", "currency": "USD"},
    });
    let body = json!({"code": "guide", "name": "Guide", "partner_types": ["indirect_provider"]});
    operator.post("/v1/programs", body).send().ok();
    operator.post("/v1/programs/guide/versions", version).send().ok();
    operator.post("/v1/programs/guide/versions/1/publication", json!({})).send().ok();
    assert_eq!(unmet(&ask(&operator, provider, "guide", "2018-11-01")), [""; 0]);
    let body = json!({
        "program": "guide", "as_of": "2018-11-01", "partner": {"partner_type": "indirect_provider", "country": "DE"},
        "agreements": [
            {"kind": "mpn", "effective_on": "2018-07-01"}, {"kind": "distributor", "effective_on": "2018-07-01"},
        ],
    });
    let unauthorized = operator.post(SIMULATIONS, body).send().ok();
    assert_eq!(unmet(&unauthorized), ["distributor_authorization_missing"]);
}

#[test]
fn e6_everything_that_is_missing_is_said_at_once() {
    let world = World::new();
    let partner = partner(&world, 1, "direct_bill", None);
    agreement(&world, partner, Kind::Mpn, "2017-07-01", "2018-09-30", false);
    let answer = ask(&world.operator(), partner, DIRECT, "2018-11-01");
    assert_eq!(unmet(&answer), ["mpn_agreement_expired", "reseller_agreement_missing", "competency_missing"]);
    for code in answer["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "unmet") {
        assert!(code["remedy"].is_string() && code["message"].is_string(), "{code}");
    }
}

#[test]
fn e7_an_mpn_agreement_counts_through_its_grace_with_a_warning() {
    let world = World::new();
    let partner = partner(&world, 1, "direct_bill", None);
    agreement(&world, partner, Kind::Mpn, "2018-09-02", "2019-09-01", false);
    let mpn = |as_of: &str| check(&ask(&world.operator(), partner, DIRECT, as_of), "mpn_agreement").clone();
    let in_grace = mpn("2019-09-02");
    assert_eq!((&in_grace["status"], &in_grace["warning"]), (&json!("met"), &json!("in_grace")));
    assert_eq!(in_grace["lapses_on"], "2019-10-02");
    assert_eq!(mpn("2019-10-01")["status"], "met");
    let over = mpn("2019-10-02");
    assert_eq!((&over["status"], &over["code"]), (&json!("unmet"), &json!("mpn_agreement_expired")));
}

#[test]
fn e8_the_past_and_the_future_are_asked_about_today() {
    let world = World::new();
    world.on("2018-12-01");
    let partner = partner(&world, 1, "direct_bill", None);
    attainment(&world, partner, "cloud-platform", "gold", "2019-01-10", "2020-01-09");
    let status =
        |as_of: &str| check(&ask(&world.operator(), partner, DIRECT, as_of), "competency")["status"].clone();
    assert_eq!((status("2019-01-09"), status("2019-01-10")), (json!("unmet"), json!("met")));
    let path = format!("/v1/partners/{partner}/eligibility");
    let today = world.operator().get(&path).query("program", DIRECT).send().ok();
    assert_eq!(today["as_of"], "2018-12-01");
}

#[test]
fn what_a_headquarters_signed_and_attained_counts_for_its_locations() {
    let world = World::new();
    let headquarters = partner(&world, 1, "direct_bill", None);
    let location = partner(&world, 2, "direct_bill", Some(headquarters));
    agreement(&world, headquarters, Kind::Mpn, "2018-07-01", "", false);
    agreement(&world, headquarters, Kind::Reseller, "2018-07-01", "", false);
    attainment(&world, headquarters, "devops", "silver", "2018-07-01", "2019-12-31");
    assert_eq!(unmet(&ask(&world.operator(), location, DIRECT, "2018-11-01")), [""; 0]);
    assert_eq!(
        unmet(&ask(&world.operator(), headquarters, DIRECT, "2018-11-01")),
        ["headquarters_cannot_enroll"]
    );
    // The headquarters' admin asks about its location; a stranger learns nothing.
    let own = world.admin_of(&headquarters.to_string());
    assert_eq!(unmet(&ask(&own, location, DIRECT, "2018-11-01")), [""; 0]);
}

#[test]
fn partners_ask_about_themselves_only() {
    let world = World::new();
    let (own, foreign) = (sound(&world, 1), sound(&world, 2));
    for person in [world.viewer_of(&own.to_string()), world.admin_of(&own.to_string())] {
        assert_eq!(unmet(&ask(&person, own, DIRECT, "2018-11-01")), [""; 0]);
        let path = format!("/v1/partners/{foreign}/eligibility");
        person.get(&path).query("program", DIRECT).send().refused(404, "not_found");
        let body = |id: Id| json!({"program": DIRECT, "partner_id": id, "as_of": "2018-11-01"});
        person.post(SIMULATIONS, body(own)).send().ok();
        person.post(SIMULATIONS, body(foreign)).send().refused(404, "not_found");
    }
    let path = format!("/v1/partners/{own}/eligibility");
    world.nobody().get(&path).query("program", DIRECT).send().refused(401, "unauthenticated");
    world.operator().get(&path).query("program", "none").send().refused(404, "not_found");
    world.operator().get(&path).send().refused(400, "unknown_parameter");
    let oddly = world.operator().get(&path).query("program", DIRECT).query("as_of", "yesterday").send();
    oddly.refused(400, "unknown_parameter");
}

#[test]
fn a_day_without_a_version_has_a_complete_answer_all_the_same() {
    let world = World::new();
    let partner = sound(&world, 1);
    for (as_of, version) in [("2017-11-01", 1), ("2020-07-01", 2), ("2035-01-01", 2), ("1950-01-01", 1)] {
        let answer = ask(&world.operator(), partner, DIRECT, as_of);
        assert_eq!(answer["version"], version, "{as_of}");
        assert_eq!(unmet(&answer)[0], "program_not_open");
        assert_eq!(answer["checks"].as_array().unwrap().len(), 9);
    }
    let body = json!({"code": "empty", "name": "Empty", "partner_types": ["direct_bill"]});
    world.operator().post("/v1/programs", body).send().ok();
    let path = format!("/v1/partners/{partner}/eligibility");
    world.operator().get(&path).query("program", "empty").send().refused(409, "program_has_no_version");
    let body = json!({"program": "empty", "partner_id": partner});
    world.operator().post(SIMULATIONS, body).send().refused(409, "program_has_no_version");
}

#[test]
fn closed_and_discontinued_programs_are_open_to_nobody() {
    let world = World::new();
    let partner = sound(&world, 1);
    let operator = world.operator();
    let path = format!("/v1/programs/{DIRECT}");
    operator.patch(&path, json!({"status": "closed"})).if_match("*").send().ok();
    assert_eq!(unmet(&ask(&operator, partner, DIRECT, "2018-11-01")), ["program_not_open"]);
    let reason = json!({"reason": "The board has ended it"});
    operator.post(&format!("{path}/discontinuation"), reason).send().ok();
    assert_eq!(unmet(&ask(&operator, partner, DIRECT, "2018-11-01")), ["program_discontinued"]);
}

#[test]
fn a_simulation_supposes_what_is_not_on_record() {
    let world = World::new();
    let bare = partner(&world, 1, "indirect_reseller", None);
    competency(&world, "cloud-platform");
    let supposed = json!({
        "program": RESELLER, "as_of": "2018-11-20",
        "agreements": [{"kind": "mpn", "effective_on": "2018-07-01", "expires_on": "2018-10-31"}],
        "attainments": [{
            "competency_code": "cloud-platform", "level": "gold", "attained_on": "2018-07-01",
            "expires_on": "2019-06-30",
        }],
        "purchases": [{"occurred_on": "2018-11-20", "amount": {"amount": "1.00", "currency": "USD"}}],
    });
    let with = |member: &str, value: Value| {
        let mut body = supposed.clone();
        body[member] = value;
        body
    };
    let from_record = world.operator().post(SIMULATIONS, with("partner_id", json!(bare))).send().ok();
    assert_eq!(unmet(&from_record), [""; 0]);
    assert_eq!((&from_record["simulated"], &from_record["partner_id"]), (&json!(true), &json!(bare)));
    let mpn = check(&from_record, "mpn_agreement");
    assert_eq!(
        (&mpn["warning"], &mpn["evidence"], &mpn["remedy"]),
        (&json!("in_grace"), &json!([]), &json!(null))
    );
    let described = json!({"partner_type": "indirect_reseller", "country": "DE"});
    let from_nothing = world.operator().post(SIMULATIONS, with("partner", described.clone())).send().ok();
    assert_eq!((unmet(&from_nothing).len(), &from_nothing["partner_id"]), (0, &json!(null)));
    assert_eq!(unmet(&ask(&world.operator(), bare, RESELLER, "2018-11-20")).len(), 3);

    world.operator().post(SIMULATIONS, supposed.clone()).send().refused(422, "invalid");
    let mut both = with("partner", described);
    both["partner_id"] = json!(bare);
    world.operator().post(SIMULATIONS, both).send().refused(422, "invalid");
    let mut wrong = with("partner_id", json!(bare));
    wrong["attainments"][0]["competency_code"] = json!("palmistry");
    wrong["agreements"][0]["expires_on"] = json!("2018-06-30");
    wrong["purchases"][0]["amount"]["amount"] = json!("-1.00");
    let refused = world.operator().post(SIMULATIONS, wrong).send().refused(422, "invalid");
    let pointers: Vec<&Value> = refused["errors"].as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
    assert_eq!(
        pointers,
        ["/agreements/0/expires_on", "/attainments/0/competency_code", "/purchases/0/amount"]
    );
}

#[test]
fn a_draft_is_tried_by_programme_staff_and_by_nobody_else() {
    let world = World::new();
    let partner = sound(&world, 1);
    let operator = world.operator();
    let draft = json!({
        "program_year": 2021,
        "requirements": [{"rule": "country", "countries": ["FR"]}],
        "levers": [{"type": "core", "code": "core", "name": "Core", "scale": {"type": "flat", "rate": "0.08"}}],
        "split": {"rebate_rate": "0.6"},
        "payment_threshold": {"amount": "200.00", "currency": "USD"},
        "coop_threshold": {"amount": "10000.00", "currency": "USD"},
    });
    let draft = operator.post(&format!("/v1/programs/{DIRECT}/versions"), draft).send().ok();
    let body =
        json!({"program": DIRECT, "version": draft["version"], "partner_id": partner, "as_of": "2020-11-01"});
    for person in [operator.clone(), world.auditor()] {
        let answer = person.post(SIMULATIONS, body.clone()).send().ok();
        assert_eq!(
            (unmet(&answer), &answer["version"]),
            (vec!["country_not_covered".to_owned()], &draft["version"])
        );
    }
    let own = world.admin_of(&partner.to_string());
    own.post(SIMULATIONS, body.clone()).send().refused(404, "not_found");
    // A draft counts for nobody: the nearest published version answers.
    assert_eq!(ask(&operator, partner, DIRECT, "2020-11-01")["version"], 2);

    let mut inline = json!({
        "program": DIRECT, "partner_id": partner, "as_of": "2021-11-01",
        "requirements": [{"rule": "country", "countries": ["DE", "FR"]}],
    });
    let answer = operator.post(SIMULATIONS, inline.clone()).send().ok();
    assert_eq!((unmet(&answer).len(), &answer["version"]), (0, &json!(null)));
    assert_eq!(answer["eligible_until"], "2022-07-01");
    own.post(SIMULATIONS, inline.clone()).send().refused(403, "forbidden");
    inline["requirements"] = json!([{
        "rule": "competency", "min_count": 1, "min_level": "silver", "any_of": ["palmistry"],
    }]);
    let refused = operator.post(SIMULATIONS, inline).send().refused(422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/requirements/0/any_of/0");
}

#[test]
fn asking_stores_nothing() {
    let world = World::new();
    let partner = sound(&world, 1);
    let count = || {
        let count = |conn: &mut _| {
            Ok((
                evaluations::table.count().get_result::<i64>(conn)?,
                audit_events::table.count().get_result::<i64>(conn)?,
                idempotency_keys::table.count().get_result::<i64>(conn)?,
            ))
        };
        world.service.db.read(count).unwrap()
    };
    let before = count();
    ask(&world.operator(), partner, DIRECT, "2018-11-01");
    let body = json!({"program": DIRECT, "partner_id": partner, "as_of": "2018-11-01"});
    world.operator().post(SIMULATIONS, body).key("once").send().ok();
    assert_eq!(count(), before);
    assert_eq!(before.0, 0);
}

#[test]
fn trailing_revenue_counts_what_was_sold_in_its_window() {
    let world = World::new();
    let partner = sound(&world, 1);
    for (on, minor) in [("2018-01-01", 90_000), ("2018-09-01", 40_000), ("2018-10-01", 50_000)] {
        sale(&world, partner, on, minor, None);
    }
    let ask = |as_of: &str| {
        let body = json!({
            "program": DIRECT, "partner_id": partner, "as_of": as_of,
            "requirements": [{
                "rule": "trailing_revenue", "days": 90, "amount": {"amount": "900.00", "currency": "USD"},
            }],
        });
        world.operator().post(SIMULATIONS, body).send().ok()
    };
    assert_eq!(unmet(&ask("2018-09-30")), ["revenue_threshold_not_met"]);
    let met = ask("2018-10-01");
    assert_eq!((unmet(&met).len(), &met["eligible_until"]), (0, &json!("2018-11-30")));
    assert_eq!(unmet(&ask("2018-11-30")), ["revenue_threshold_not_met"]);
}

#[test]
fn evaluations_on_record_are_seen_by_those_they_are_about() {
    let world = World::new();
    let (own, foreign) = (sound(&world, 1), partner(&world, 2, "direct_bill", None));
    let made: Vec<Id> = [(own, "2018-11-01"), (foreign, "2018-11-02"), (own, "2018-11-03")]
        .into_iter()
        .map(|(id, as_of)| {
            let record = move |tx: &mut partner_incentives::access::Tx<'_>| {
                tx.lock_partner(id)?;
                let partner = partners::get(tx, id)?;
                let program = programs::find(tx, &ProgramKey::Code(DIRECT.into()))?;
                let version = programs::version_in_effect(tx, program.id, day(as_of))?.unwrap();
                let assessment = eligibility::assess(tx, &partner, &program, &version, day(as_of))?;
                eligibility::record(tx, assessment).map(|evaluation| evaluation.id)
            };
            world.service.app.write_as_system("RequestEnrollment", record).unwrap()
        })
        .collect();
    let list = |person: &Client, filters: &[(&str, &str)]| -> Vec<String> {
        let list = person.get("/v1/eligibility/evaluations");
        let page = filters.iter().fold(list, |list, (name, value)| list.query(name, value)).send().ok();
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["as_of"].as_str().unwrap()[8..].to_owned())
            .collect()
    };
    let operator = world.operator();
    assert_eq!(list(&operator, &[]), ["03", "02", "01"]);
    assert_eq!(list(&operator, &[("program", DIRECT), ("outcome", "eligible")]), ["03", "01"]);
    assert_eq!(list(&operator, &[("program", PROVIDER)]), [""; 0]);
    assert_eq!(list(&operator, &[("from", "2018-11-02"), ("to", "2018-11-02")]), ["02"]);
    assert_eq!(list(&operator, &[("partner_id", &foreign.to_string())]), ["02"]);
    let viewer = world.viewer_of(&own.to_string());
    assert_eq!(list(&viewer, &[]), ["03", "01"]);
    let path = |id: Id| format!("/v1/eligibility/evaluations/{id}");
    let read = viewer.get(&path(made[0])).send().ok();
    assert_eq!((&read["program"]["code"], &read["outcome"]), (&json!(DIRECT), &json!("eligible")));
    let asked = ask(&viewer, own, DIRECT, "2018-11-01");
    assert_eq!(read["checks"], asked["checks"]);
    viewer.get(&path(made[1])).send().refused(404, "not_found");
    assert_eq!(unmet(&operator.get(&path(made[1])).send().ok()).len(), 3);
    operator.ask("DELETE", &path(made[0])).send().refused(405, "method_not_allowed");
}

#[test]
fn a_request_judges_once() {
    let world = World::new();
    let partner = sound(&world, 1);
    let judged = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&judged);
    let request = move |tx: &mut partner_incentives::access::Tx<'_>| {
        let counted = Arc::clone(&counted);
        tx.conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                let gathers = query.to_string().replace(['"', '`'], "").contains("FROM attainments");
                counted.fetch_add(usize::from(gathers), Ordering::SeqCst);
            }
        });
        let asked = admission::request(tx, partner, &ProgramKey::Code(DIRECT.into()), None);
        tx.conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
        asked.map(drop)
    };
    world.service.app.write_as_system("RequestEnrollment", request).unwrap();
    assert_eq!(judged.load(Ordering::SeqCst), 1);
}

#[test]
fn fifty_partners_take_no_more_queries_than_five() {
    let world = World::new();
    let headquarters = partner(&world, 99, "indirect_reseller", None);
    let of_type = |n: u32| ["direct_bill", "indirect_provider", "indirect_reseller"][(n % 3) as usize];
    let ids: Vec<Id> = (0..50)
        .map(|n| {
            let partner = partner(&world, n, of_type(n), (n % 2 == 0).then_some(headquarters));
            agreement(&world, partner, Kind::Mpn, "2018-07-01", "", false);
            attainment(&world, partner, "devops", "silver", "2018-07-01", "2019-12-31");
            if n % 4 != 3 {
                sale(&world, partner, "2018-08-01", 100, None);
            }
            partner
        })
        .collect();
    let statements = |number: usize| {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let assess = |tx: &mut partner_incentives::access::Tx<'_>| {
            let found: Vec<Partner> =
                ids[..number].iter().map(|id| partners::get(tx, *id)).collect::<Result<_, _>>()?;
            let offers = programs::in_effect(tx, day("2018-11-01"))?;
            assert_eq!(offers.len(), 3);
            tx.conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
            });
            let assessments = eligibility::assess_all(tx, &found, &offers, day("2018-11-01"));
            tx.conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
            let assessments = assessments?;
            // Together or one by one, the answer is the same.
            let ProgramInEffect { program, version } = &offers[0];
            let alone = eligibility::assess(tx, &found[0], program, version, day("2018-11-01"))?;
            assert_eq!(assessments[0], alone);
            Ok(assessments.len())
        };
        assert_eq!(world.service.app.read_as_system(assess).unwrap(), number * 3);
        count.load(Ordering::SeqCst)
    };
    let few = statements(5);
    assert!((8..=10).contains(&few), "{few} statements");
    assert_eq!(statements(50), few);
}
