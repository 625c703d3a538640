//! The catalogue of competencies, and what partners attain of it.

use super::partners::partner;
use crate::support::{Answer, Client, World};
use serde_json::{Value, json};

const CATALOGUE: &str = "/v1/competencies";

fn a_partner(world: &World, n: u32) -> String {
    world.operator().post("/v1/partners", partner(n, "direct_bill")).send().ok().id()
}

fn path(partner: &str, code: &str) -> String {
    format!("/v1/partners/{partner}/competencies/{code}")
}

fn silver(from: &str, to: &str) -> Value {
    json!({"level": "silver", "attained_on": from, "expires_on": to})
}

fn codes(asker: &Client, path: &str, member: &str, filters: &[(&str, &str)]) -> Vec<String> {
    let ask = asker.get(path).query("limit", 200).query("include_total", true);
    let page = filters.iter().fold(ask, |ask, (name, value)| ask.query(name, value)).send().ok();
    let items = page["items"].as_array().unwrap();
    assert_eq!(page["total"], items.len());
    items.iter().map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

fn pointers(answer: &Answer) -> Vec<&str> {
    let errors = answer["errors"].as_array().unwrap();
    let mut pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    pointers.dedup();
    pointers
}

#[test]
fn a_new_service_has_the_catalogue() {
    let world = World::new();
    let shipped = codes(&world.operator(), CATALOGUE, "code", &[]);
    assert_eq!((shipped.len(), shipped.is_sorted()), (19, true));
    for code in ["application-development", "cloud-productivity", "erp", "isv", "windows-and-devices"] {
        assert!(shipped.contains(&code.to_owned()), "{code}");
    }
    let trace = world
        .operator()
        .get("/v1/audit-events")
        .query("resource_type", "competency")
        .query("include_total", true);
    let trace = trace.send().ok();
    assert_eq!((&trace["total"], &trace["items"][0]["actor_role"]), (&json!(19), &json!("system")));
}

#[test]
fn the_catalogue_is_walked_in_any_order() {
    let world = World::new();
    let operator = world.operator();
    for sort in ["code", "-code", "-created_at", "created_at"] {
        let (mut seen, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let ask = operator.get(CATALOGUE).query("limit", 5).query("sort", sort);
            let page = cursor.iter().fold(ask, |ask, cursor| ask.query("cursor", cursor)).send().ok();
            seen.extend(
                page["items"].as_array().unwrap().iter().map(|c| c["code"].as_str().unwrap().to_owned()),
            );
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        let mut expected = codes(&operator, CATALOGUE, "code", &[]);
        if sort.starts_with('-') {
            expected.reverse();
        }
        assert_eq!(seen, expected, "{sort}");
    }
}

#[test]
fn a_competency_is_added_read_renamed_and_retired() {
    let world = World::new();
    let operator = world.operator();
    let new = json!({"code": "quantum-computing", "name": "Quantum"});
    let made = operator.post(CATALOGUE, new.clone()).send().ok();
    let by_id = format!("{CATALOGUE}/{}", made.id());
    assert_eq!((made.status, made.header("location")), (201, Some(by_id.as_str())));
    let by_code = format!("{CATALOGUE}/quantum-computing");
    for path in [&by_id, &by_code] {
        assert_eq!(operator.get(path).send().ok().body, made.body);
    }
    let taken = operator.post(CATALOGUE, new).send().refused(409, "competency_code_taken");
    assert_eq!(taken["competency_id"], made.id());
    for unknown in ["nothing", "No%00thing", "01936f2e-4b00-7000-8000-00000000ffff"] {
        operator.get(&format!("{CATALOGUE}/{unknown}")).send().refused(404, "not_found");
    }

    let change = json!({"name": "Quantum Computing", "retired_on": "2018-07-02"});
    operator.patch(&by_code, change.clone()).send().refused(428, "precondition_required");
    let changed = operator.patch(&by_code, change.clone()).if_match(&made.etag()).send().ok();
    operator.patch(&by_id, change).if_match(&made.etag()).send().refused(412, "precondition_failed");
    assert_eq!((&changed["name"], &changed["retired"]), (&json!("Quantum Computing"), &json!(false)));
    assert!(codes(&operator, CATALOGUE, "code", &[("retired", "true")]).is_empty());
    world.on("2018-07-02");
    let operator = world.operator();
    assert_eq!(operator.get(&by_code).header("if-none-match", &changed.etag()).send().ok()["retired"], true);
    assert_eq!(codes(&operator, CATALOGUE, "code", &[("retired", "true")]), ["quantum-computing"]);
    assert_eq!(codes(&operator, CATALOGUE, "code", &[("retired", "false")]).len(), 19);
    let back = operator.patch(&by_code, json!({"retired_on": null})).if_match(&changed.etag()).send().ok();
    assert_eq!((&back["retired_on"], &back["name"]), (&Value::Null, &json!("Quantum Computing")));

    let wrong = json!({"code": "Quantum Computing", "name": "", "retired_on": "soon", "level": "gold"});
    let refused = operator.post(CATALOGUE, wrong).send().refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/code", "/level", "/name", "/retired_on"]);
    let change = json!({"code": "other", "name": null});
    let refused = operator.patch(&by_code, change).if_match("*").send().refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/code", "/name"]);
}

#[test]
fn an_attainment_is_put_corrected_revoked_and_attained_anew() {
    let world = World::new();
    let operator = world.operator();
    let partner = a_partner(&world, 1);
    let path = path(&partner, "data-platform");
    operator.get(&path).send().refused(404, "not_found");
    operator.delete(&path).send().refused(404, "not_found");

    let made = operator.put(&path, silver("2018-07-01", "2019-06-30")).send().ok();
    assert_eq!((made.status, made.header("location")), (201, Some(path.as_str())));
    assert_eq!(
        (&made["grace_days"], &made["counts"], &made["revision"]),
        (&json!(30), &json!(true), &json!(1))
    );
    assert_eq!(operator.get(&path).send().ok().body, made.body);

    let gold = json!({"level": "gold", "attained_on": "2018-07-01", "expires_on": "2019-06-30", "grace_days": 0, "at_risk_since": "2019-01-01"});
    let replaced = operator.put(&path, gold).if_match(&made.etag()).send().ok();
    assert_eq!((replaced.status, replaced.id()), (200, made.id()));
    assert_eq!((&replaced["level"], &replaced["at_risk_since"]), (&json!("gold"), &json!("2019-01-01")));
    let stale = operator.put(&path, silver("2018-07-01", "2019-06-30")).if_match(&made.etag()).send();
    stale.refused(412, "precondition_failed");

    world.on("2018-10-01");
    let operator = world.operator();
    operator.delete(&path).if_match(&made.etag()).send().refused(412, "precondition_failed");
    assert_eq!(operator.delete(&path).send().ok().status, 204);
    let revoked = operator.get(&path).send().ok();
    assert_eq!(
        (&revoked["revoked_on"], &revoked["counts"], &revoked["level"]),
        (&json!("2018-10-01"), &json!(false), &json!("gold"))
    );
    world.on("2018-10-02");
    let operator = world.operator();
    assert_eq!(operator.delete(&path).send().ok().status, 204);
    let still = operator.get(&path).send().ok();
    assert_eq!((&still["revoked_on"], &still["revision"]), (&revoked["revoked_on"], &revoked["revision"]));

    let back = operator.put(&path, silver("2018-10-01", "2019-09-30")).send().ok();
    assert_eq!((back.status, &back["revoked_on"], &back["counts"]), (200, &Value::Null, &json!(true)));
    let same = operator.put(&path, silver("2018-10-01", "2019-09-30")).send().ok();
    assert_eq!((same.status, &same.body), (200, &back.body), "said twice, recorded once");
    assert_ne!(back.id(), made.id(), "a new period beside the old one");
    let trace = operator.get("/v1/audit-events").query("resource_id", made.id()).send().ok();
    let operations: Vec<_> =
        trace["items"].as_array().unwrap().iter().map(|e| e["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["revokeAttainment", "putAttainment", "putAttainment"]);
    assert_eq!(trace["items"][0]["after"], revoked.body);
    assert_eq!(trace["items"][2]["before"], Value::Null);
}

#[test]
fn a_renewal_is_a_new_period_and_the_past_stays_as_it_was() {
    let world = World::new();
    let operator = world.operator();
    let partner = a_partner(&world, 1);
    let path = path(&partner, "data-platform");
    let first = operator.put(&path, silver("2018-07-01", "2019-06-30")).send().ok();
    let renewed = operator.put(&path, silver("2019-07-01", "2020-06-30")).if_match(&first.etag()).send().ok();
    let periods = operator.get(&format!("/v1/partners/{partner}/competencies")).send().ok();
    let periods: Vec<_> = periods["items"].as_array().unwrap().iter().map(|a| &a["attained_on"]).collect();
    assert_eq!(periods, ["2019-07-01", "2018-07-01"]);
    assert_eq!(operator.get(&path).send().ok().body, renewed.body, "the latest");
    world.on("2019-07-10");
    let operator = world.operator();
    // Both would count today, the one by its grace: both are taken away.
    operator.delete(&path).send().ok();
    let revoked = operator.get(&format!("/v1/partners/{partner}/competencies")).send().ok();
    assert!(revoked["items"].as_array().unwrap().iter().all(|a| a["revoked_on"] == "2019-07-10"));
}

#[test]
fn it_counts_to_the_end_of_its_renewal_window() {
    let world = World::new();
    let partner = a_partner(&world, 1);
    let path = path(&partner, "erp");
    world.operator().put(&path, silver("2019-01-10", "2019-09-01")).send().ok();
    for (day, counts) in
        [("2019-01-09", false), ("2019-01-10", true), ("2019-10-01", true), ("2019-10-02", false)]
    {
        world.on(day);
        assert_eq!(world.operator().get(&path).send().ok()["counts"], counts, "{day}");
    }
}

#[test]
fn a_retired_competency_is_not_attained_anew() {
    let world = World::new();
    let operator = world.operator();
    let (one, other) = (a_partner(&world, 1), a_partner(&world, 2));
    let held = operator.put(&path(&one, "messaging"), silver("2018-07-01", "2019-06-30")).send().ok();
    let retire = json!({"retired_on": "2018-06-01"});
    operator.patch("/v1/competencies/messaging", retire).if_match("*").send().ok();
    let refused = operator.put(&path(&other, "messaging"), silver("2018-06-01", "2019-06-30")).send();
    assert_eq!(refused.refused(409, "competency_retired")["retired_on"], "2018-06-01");
    operator.put(&path(&other, "messaging"), silver("2018-05-31", "2019-06-30")).send().ok();

    // What is on record can be corrected, not renewed.
    let corrected = json!({"level": "gold", "attained_on": "2018-07-01", "expires_on": "2019-06-30"});
    operator.put(&path(&one, "messaging"), corrected).if_match(&held.etag()).send().ok();
    let renewed = operator.put(&path(&one, "messaging"), silver("2019-07-01", "2020-06-30")).send();
    renewed.refused(409, "competency_retired");
    operator.delete(&path(&one, "messaging")).send().ok();
    let again = operator.put(&path(&one, "messaging"), silver("2018-07-01", "2019-06-30")).send();
    again.refused(409, "competency_retired");
}

#[test]
fn what_cannot_be_attained_is_refused() {
    let world = World::new();
    let operator = world.operator();
    let partner = a_partner(&world, 1);
    let good = || silver("2018-07-01", "2019-06-30");
    operator.put(&path(&partner, "alchemy"), good()).send().refused(404, "not_found");
    operator.put(&path(&partner, "Al%00chemy"), good()).send().refused(404, "not_found");
    let nobody = "01936f2e-4b00-7000-8000-00000000ffff";
    operator.put(&path(nobody, "erp"), good()).if_match("*").send().refused(404, "not_found");
    operator.put(&path(&partner, "erp"), good()).if_match("*").send().refused(412, "precondition_failed");

    let wrong = json!({"level": "silver", "attained_on": "2018-07-01", "expires_on": "2018-06-30", "at_risk_since": "2018-06-30"});
    let refused = operator.put(&path(&partner, "erp"), wrong).send().refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/at_risk_since", "/expires_on"]);
    let wrong = json!({"level": "bronze", "attained_on": "today", "grace_days": -1, "revoked_on": null});
    let refused = operator.put(&path(&partner, "erp"), wrong).send().refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/attained_on", "/expires_on", "/grace_days", "/level", "/revoked_on"]);

    let held = operator.put(&path(&partner, "erp"), good()).send().ok();
    operator.post(&format!("/v1/partners/{partner}/closure"), json!({"reason": "Bankrupt"})).send().ok();
    operator.put(&path(&partner, "devops"), good()).send().refused(409, "partner_closed");
    let corrected = json!({"level": "gold", "attained_on": "2018-07-01", "expires_on": "2019-06-30"});
    operator.put(&path(&partner, "erp"), corrected).if_match(&held.etag()).send().ok();
}

#[test]
fn partners_read_their_own_and_only_operators_write() {
    let world = World::new();
    let operator = world.operator();
    let (own, foreign) = (a_partner(&world, 1), a_partner(&world, 2));
    let mut body = partner(3, "direct_bill");
    body["headquarters_id"] = json!(own);
    let location = operator.post("/v1/partners", body).send().ok().id();
    for partner in [&own, &foreign, &location] {
        operator.put(&path(partner, "erp"), silver("2018-07-01", "2019-06-30")).send().ok();
        operator.put(&path(partner, "devops"), silver("2018-07-01", "2019-06-30")).send().ok();
    }
    operator.delete(&path(&own, "erp")).send().ok();
    let list = |partner: &str| format!("/v1/partners/{partner}/competencies");
    let admin = world.admin_of(&own);
    for partner in [&own, &location] {
        assert_eq!(codes(&admin, &list(partner), "competency_code", &[]), ["devops", "erp"]);
        admin.get(&path(partner, "devops")).send().ok();
    }
    assert_eq!(codes(&admin, &list(&own), "competency_code", &[("revoked", "true")]), ["erp"]);
    assert_eq!(
        codes(&admin, &list(&own), "competency_code", &[("revoked", "false"), ("level", "silver")]),
        ["devops"]
    );
    assert!(codes(&admin, &list(&own), "competency_code", &[("level", "gold")]).is_empty());
    let page = admin.get(&list(&own)).query("limit", 1).send().ok();
    let rest =
        admin.get(&list(&own)).query("limit", 1).query("cursor", page["next_cursor"].as_str().unwrap());
    assert_eq!(rest.send().ok()["items"][0]["competency_code"], "erp");

    for (asker, partner) in [(&admin, &foreign), (&world.viewer_of(&location), &own)] {
        asker.get(&list(partner)).send().refused(404, "not_found");
        asker.get(&path(partner, "devops")).send().refused(404, "not_found");
    }
    assert_eq!(codes(&admin, CATALOGUE, "code", &[]).len(), 19);
    for person in [world.auditor(), admin, world.viewer_of(&own)] {
        person.put(&path(&own, "erp"), silver("2018-07-01", "2019-06-30")).send().refused(403, "forbidden");
        person.delete(&path(&own, "erp")).send().refused(403, "forbidden");
        person.post(CATALOGUE, json!({"code": "x", "name": "X"})).send().refused(403, "forbidden");
        person.patch("/v1/competencies/erp", json!({})).if_match("*").send().refused(403, "forbidden");
    }
    world.nobody().get(CATALOGUE).send().refused(401, "unauthenticated");
}
