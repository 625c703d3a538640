//! Programs and their versions.

use super::records;
use crate::support::{Answer, World};
use serde_json::{Value, json};

/// A version that asks for nothing but an active partner.
fn version(program_year: i32) -> Value {
    json!({
        "program_year": program_year,
        "requirements": [{"rule": "partner_active"}],
        "levers": [{"type": "core", "code": "core", "name": "Core", "scale": {"type": "flat", "rate": "0.08"}}],
        "split": {"rebate_rate": "0.6"},
        "payment_threshold": {"amount": "200.00", "currency": "USD"},
        "coop_threshold": {"amount": "10000.00", "currency": "USD"},
    })
}

fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    *body.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
    body
}

fn faults(answer: &Answer) -> Vec<(String, String)> {
    let text = |fault: &Value, name: &str| fault[name].as_str().unwrap().to_owned();
    let faults = answer["errors"].as_array().unwrap();
    faults.iter().map(|fault| (text(fault, "pointer"), text(fault, "code"))).collect()
}

const VERSIONS: &str = "/v1/programs/csp-direct-bill/versions";

#[test]
fn a_new_service_has_the_founding_programs_for_this_year_and_the_next() {
    let world = World::new();
    let founding = [
        ("csp-indirect-reseller", "CSP Indirect Reseller", "indirect_reseller"),
        ("csp-indirect-provider", "CSP Indirect Provider", "indirect_provider"),
        ("csp-direct-bill", "CSP Direct Bill", "direct_bill"),
    ];
    let page = world.operator().get("/v1/programs").query("include_total", true).send().ok();
    assert_eq!(page["total"], 3);
    for (program, (code, name, partner_type)) in page["items"].as_array().unwrap().iter().zip(founding) {
        assert_eq!((program["code"].as_str(), program["name"].as_str()), (Some(code), Some(name)));
        assert_eq!((&program["partner_types"], &program["status"]), (&json!([partner_type]), &json!("open")));
        let path = format!("/v1/programs/{code}/versions");
        let versions = world.operator().get(&path).send().ok();
        let years: Vec<&Value> =
            versions["items"].as_array().unwrap().iter().map(|v| &v["program_year"]).collect();
        // The world's database was made on 1 July 2018.
        assert_eq!(years, [&json!(2020), &json!(2019)]);
        let first = &versions["items"][1];
        assert_eq!(
            (&first["effective_from"], &first["effective_to"]),
            (&json!("2018-07-01"), &json!("2019-06-30"))
        );
        assert_eq!((&first["state"], &first["split"]), (&json!("published"), &json!({"rebate_rate": "0.6"})));
        assert_eq!(first["levers"][0]["scale"], json!({"type": "flat", "rate": "0.08"}));
        assert_eq!(first["payment_threshold"], json!({"amount": "200.00", "currency": "USD"}));
        assert_eq!(first["coop_threshold"], json!({"amount": "10000.00", "currency": "USD"}));
    }
}

#[test]
fn programs_are_found_by_status_type_and_code() {
    let world = World::new();
    let operator = world.operator();
    let body = json!({"code": "both", "name": "Both", "partner_types": ["indirect_reseller", "direct_bill"]});
    let both = operator.post("/v1/programs", body).send().ok();
    assert_eq!(both["partner_types"], json!(["direct_bill", "indirect_reseller"]));
    let path = format!("/v1/programs/{}", both.id());
    operator.patch(&path, json!({"status": "closed"})).if_match(&both.etag()).send().ok();
    let codes = |name: &str, value: &str| -> Vec<String> {
        let page = operator.get("/v1/programs").query(name, value).send().ok();
        page["items"].as_array().unwrap().iter().map(|p| p["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(codes("partner_type", "direct_bill"), ["both", "csp-direct-bill"]);
    assert_eq!(codes("partner_type", "indirect_provider"), ["csp-indirect-provider"]);
    assert_eq!(codes("status", "closed"), ["both"]);
    assert_eq!(codes("code", "csp-direct-bill"), ["csp-direct-bill"]);
    let by_code = operator.get("/v1/programs/both").send().ok();
    assert_eq!(by_code.body, operator.get(&path).send().ok().body);
    operator.get("/v1/programs/none").send().refused(404, "not_found");
    operator.get("/v1/programs/No%20Code").send().refused(404, "not_found");
}

#[test]
fn a_program_is_made_changed_and_ended_for_good() {
    let world = World::new();
    let operator = world.operator();
    let body = json!({"code": "growth", "name": "Growth", "partner_types": ["direct_bill"]});
    let made = operator.post("/v1/programs", body.clone()).key("once").send().ok();
    let again = operator.post("/v1/programs", body.clone()).key("once").send().ok();
    assert_eq!(
        (made.body.clone(), made["allowed_transitions"].clone()),
        (again.body, json!(["discontinuation"]))
    );
    operator.post("/v1/programs", body.clone()).send().refused(409, "program_code_taken");
    let id_for_a_code = with(body, "/code", json!("01936f2e-4b00-7000-8000-000000000001"));
    operator.post("/v1/programs", id_for_a_code).send().refused(422, "invalid");
    let path = "/v1/programs/growth";
    operator.patch(path, json!({"status": "discontinued"})).if_match("*").send().refused(422, "invalid");
    operator.patch(path, json!({"name": "G"})).send().refused(428, "precondition_required");
    let changed = operator.patch(path, json!({"name": "G"})).if_match(&made.etag()).send().ok();
    assert_eq!((&changed["name"], &changed["revision"]), (&json!("G"), &json!(2)));
    let draft = operator.post("/v1/programs/growth/versions", version(2022)).send().ok();
    let reason = json!({"reason": "The board has ended it"});
    let ended = operator.post("/v1/programs/growth/discontinuation", reason.clone()).send().ok();
    assert_eq!((&ended["status"], &ended["allowed_transitions"]), (&json!("discontinued"), &json!([])));
    let again = operator.post("/v1/programs/growth/discontinuation", reason).send();
    again.refused(409, "transition_not_allowed");
    operator.patch(path, json!({"status": "open"})).if_match("*").send().refused(409, "program_discontinued");
    operator.post("/v1/programs/growth/versions", version(2022)).send().refused(409, "program_discontinued");
    let publication = format!("/v1/programs/growth/versions/{}/publication", draft["version"]);
    operator.post(&publication, json!({})).send().refused(409, "program_discontinued");
}

#[test]
fn a_draft_is_changed_and_thrown_away_but_a_published_version_never() {
    let world = World::new();
    let operator = world.operator();
    let made = operator.post(VERSIONS, version(2022)).send().ok();
    assert_eq!(
        (&made["version"], &made["state"], &made["invitation_days"]),
        (&json!(3), &json!("draft"), &json!(30))
    );
    assert_eq!(
        (&made["effective_from"], &made["effective_to"]),
        (&json!("2021-07-01"), &json!("2022-06-30"))
    );
    let path = format!("{VERSIONS}/3");
    assert_eq!(operator.get(&path).send().ok().body, made.body);
    let change = json!({"invitation_days": 45, "effective_to": "2021-12-31"});
    let changed = operator.patch(&path, change).if_match(&made.etag()).send().ok();
    assert_eq!((&changed["invitation_days"], &changed["effective_to"]), (&json!(45), &json!("2021-12-31")));
    operator
        .patch(&path, json!({"invitation_days": 1}))
        .if_match(&made.etag())
        .send()
        .refused(412, "precondition_failed");
    let other_year = operator.patch(&path, json!({"program_year": 2023})).if_match(&changed.etag()).send();
    let other_year = other_year.refused(422, "invalid");
    assert_eq!(faults(&other_year)[0], ("/effective_from".into(), "outside_program_year".into()));

    let published = operator.post(&format!("{path}/publication"), json!({})).send().ok();
    assert_eq!((&published["state"], &published["allowed_transitions"]), (&json!("published"), &json!([])));
    assert_eq!(published["published_at"], "2018-07-01T12:00:00.000000Z");
    let frozen = operator.patch(&path, json!({"invitation_days": 1})).if_match(&published.etag()).send();
    frozen.refused(409, "version_published");
    operator.delete(&path).send().refused(409, "version_published");
    operator.post(&format!("{path}/publication"), json!({})).send().refused(409, "version_published");
    assert_eq!(operator.get(&path).send().ok().body, published.body);

    let draft = operator.post(VERSIONS, version(2023)).send().ok();
    let path = format!("{VERSIONS}/{}", draft["version"]);
    operator.delete(&path).send().ok();
    operator.get(&path).send().refused(404, "not_found");
    operator.get(&format!("{VERSIONS}/0")).send().refused(404, "not_found");
    operator.get(&format!("{VERSIONS}/one")).send().refused(404, "not_found");
}

#[test]
fn published_versions_never_share_a_day() {
    let world = World::new();
    let operator = world.operator();
    let publish = |from: &str, to: &str| {
        let days = json!({"effective_from": from, "effective_to": to});
        let mut body = version(2022);
        body.as_object_mut().unwrap().extend(days.as_object().unwrap().clone());
        let draft = operator.post(VERSIONS, body).send().ok();
        operator
            .post(&format!("{VERSIONS}/{}/publication", draft["version"]), json!({"reason": "Agreed"}))
            .send()
    };
    let first = publish("2021-07-01", "2021-12-31").ok();
    for (from, to) in
        [("2021-12-31", "2022-06-30"), ("2021-08-01", "2021-08-01"), ("2021-07-01", "2022-06-30")]
    {
        let refused = publish(from, to).refused(409, "version_overlaps");
        assert_eq!(refused["version"], first["version"]);
    }
    publish("2022-01-01", "2022-06-30").ok();
}

#[test]
fn everything_wrong_with_a_version_is_said_at_once() {
    let world = World::new();
    records::competency(&world, "cloud-crm");
    let mut body = version(2022);
    body["requirements"] = json!([
        {"rule": "competency", "min_count": 1, "min_level": "gold", "any_of": ["cloud-crm", "crystal-gazing"]},
        {"rule": "any_of", "requirements": [
            {"rule": "competency", "min_count": 1, "min_level": "gold", "any_of": ["palmistry"]}
        ]},
    ]);
    let usd = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let tiers = json!([{"from": usd("1.00"), "rate": "0.02"}, {"from": usd("1.00"), "rate": "0.04"}]);
    body["levers"] = json!([
        {"type": "core", "code": "a", "name": "A", "scale": {"type": "marginal", "period": "month", "tiers": tiers}},
        {"type": "fixed", "code": "a", "name": "B", "amount": {"amount": "5.00", "currency": "EUR"}},
    ]);
    body["coop_threshold"] = json!({"amount": "10000", "currency": "JPY"});
    body["effective_to"] = json!("2022-07-01");
    let refused = world.operator().post(VERSIONS, body).send().refused(422, "invalid");
    let expected = [
        ("/effective_to", "outside_program_year"),
        ("/requirements/0/any_of/1", "unknown"),
        ("/requirements/1/requirements/0/any_of/0", "unknown"),
        ("/levers/0/scale/tiers/0/from", "range"),
        ("/levers/0/scale/tiers/1/from", "order"),
        ("/levers/1/code", "duplicate"),
        ("/levers/1/amount", "currency"),
        ("/coop_threshold", "currency"),
    ];
    assert_eq!(faults(&refused), expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
}

#[test]
fn what_the_contract_does_not_know_is_refused() {
    let world = World::new();
    let lever =
        json!({"type": "core", "code": "a", "name": "A", "scale": {"type": "flat", "rate": "0.08"}, "x": 1});
    let cases = [
        (with(version(2022), "/levers/0", lever), "/levers/0/x"),
        (with(version(2022), "/levers/0/type", json!("magic")), "/levers/0"),
        (
            with(version(2022), "/requirements/0", json!({"rule": "partner_active", "x": 1})),
            "/requirements/0/x",
        ),
        (with(version(2022), "/split", json!({"rebate_rate": "1.1"})), "/split/rebate_rate"),
        (with(version(2022), "/payment_threshold/amount", json!("200")), "/payment_threshold"),
    ];
    for (body, pointer) in cases {
        let refused = world.operator().post(VERSIONS, body).send().refused(422, "invalid");
        assert_eq!(faults(&refused)[0].0, pointer, "{refused}");
    }
}

#[test]
fn every_kind_of_lever_comes_back_as_it_was_sent() {
    let world = World::new();
    let usd = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let everything = json!({
        "products": null, "product_families": ["azure"],
        "customers": {"countries": ["DE"], "public_sector": false, "partners": false},
    });
    let of_each = json!({"scope": "customer", "amount": usd("4000.00")});
    let cap = json!({"scope": "partner", "amount": usd("4000.00")});
    let tiers = json!([{"from": usd("0.00"), "rate": "0.02"}, {"from": usd("50000.00"), "rate": "0.04"}]);
    let levers = json!([
        {"type": "core", "code": "core", "name": "Core", "scale": {"type": "flat", "rate": "0.08"},
         "applies_to": everything, "cap": null, "grain": "customer_month"},
        {"type": "accelerator", "code": "strategic", "name": "Strategic", "applies_to": everything, "cap": cap,
         "scale": {"type": "retroactive", "period": "half_year", "tiers": tiers}, "grain": "month"},
        {"type": "growth", "code": "growth", "name": "Growth", "rate": "0.1", "applies_to": everything, "cap": cap,
         "baseline": {"type": "trailing_average", "months": 3}},
        {"type": "growth", "code": "year", "name": "Year", "rate": "0.1", "applies_to": everything, "cap": cap,
         "baseline": {"type": "same_month_last_year"}},
        {"type": "fixed", "code": "customers", "name": "New customers", "amount": usd("50.00"),
         "new_after_months": 24, "applies_to": everything, "cap": of_each},
        {"type": "activity_bonus", "code": "skills", "name": "Competencies", "amount": usd("250.00"), "cap": cap},
    ]);
    let body = with(version(2022), "/levers", levers.clone());
    let made = world.operator().post(VERSIONS, body).send().ok();
    assert_eq!(made["levers"], levers);
    assert_eq!(world.operator().get(&format!("{VERSIONS}/3")).send().ok()["levers"], levers);
}

#[test]
fn partners_read_programs_and_published_versions_and_write_nothing() {
    let world = World::new();
    let partner = records::partner(&world, 1, "direct_bill", None).to_string();
    let draft = world.operator().post(VERSIONS, version(2022)).send().ok();
    let path = format!("{VERSIONS}/{}", draft["version"]);
    for person in [world.admin_of(&partner), world.viewer_of(&partner)] {
        assert_eq!(person.get("/v1/programs").send().ok()["items"].as_array().unwrap().len(), 3);
        let page = person.get(VERSIONS).query("include_total", true).send().ok();
        assert_eq!((&page["total"], page["items"].as_array().unwrap().len()), (&json!(2), 2));
        person.get(&path).send().refused(404, "not_found");
        person.post("/v1/programs", json!({})).send().refused(403, "forbidden");
        person.post(VERSIONS, version(2022)).send().refused(403, "forbidden");
        person.delete(&path).send().refused(403, "forbidden");
        person.post(&format!("{path}/publication"), json!({})).send().refused(403, "forbidden");
    }
    let auditor = world.auditor();
    auditor.get(&path).send().ok();
    auditor.patch(&path, json!({})).if_match("*").send().refused(403, "forbidden");
    let drafts = auditor.get(VERSIONS).query("state", "draft").query("program_year", 2022).send().ok();
    assert_eq!(drafts["items"].as_array().unwrap().len(), 1);
}

#[test]
fn every_write_leaves_an_audit_event() {
    let world = World::new();
    let draft = world.operator().post(VERSIONS, version(2022)).send().ok();
    let publication = json!({"reason": "Agreed by the board"});
    world.operator().post(&format!("{VERSIONS}/{}/publication", draft["version"]), publication).send().ok();
    let events = world.auditor().get("/v1/audit-events").query("resource_id", draft.id()).send().ok();
    let [published, made] = events["items"].as_array().unwrap().as_slice() else { panic!("{events}") };
    assert_eq!(
        (&made["operation"], &made["after"]["state"]),
        (&json!("createProgramVersion"), &json!("draft"))
    );
    assert_eq!(published["reason"], "Agreed by the board");
    assert_eq!(
        (&published["before"]["state"], &published["after"]["state"]),
        (&json!("draft"), &json!("published"))
    );
}
