//! Partners, headquarters and locations.

use crate::{suite::enrollments::Case, support::World};
use serde_json::json;

/// The body of a partner to record; `n` makes its MPN id.
pub fn partner(n: u32, partner_type: &str) -> serde_json::Value {
    json!({
        "mpn_id": format!("{:07}", 4_000_000 + n), "legal_name": format!("Partner {n}"), "country": "DE",
        "currency": "EUR", "partner_type": partner_type, "contact_email": format!("p{n}@partner.example"),
    })
}

#[test]
fn a_stale_change_is_refused() {
    let world = World::new();
    let made = world.operator().post("/v1/partners", partner(1, "direct_bill")).key("k1").send().ok();
    let path = format!("/v1/partners/{}", made.id());
    world.operator().patch(&path, json!({"legal_name": "New"})).if_match(&made.etag()).send().ok();
    let stale = world.operator().patch(&path, json!({"legal_name": "Old"})).if_match(&made.etag()).send();
    stale.refused(412, "precondition_failed");
    world.operator().patch(&path, json!({"legal_name": "Old"})).send().refused(428, "precondition_required");
    assert_eq!(world.operator().get(&path).send().ok()["legal_name"], "New");
}

#[test]
fn the_day_from_which_a_location_belongs_to_its_headquarters_can_be_given() {
    let world = World::new();
    world.on("2018-12-10");
    let operator = world.operator();
    let id = |n: u32| operator.post("/v1/partners", partner(n, "direct_bill")).send().ok().id();
    let (first, second) = (id(20), id(21));
    let mut body = partner(22, "direct_bill");
    body["headquarters_since"] = json!("2018-08-01");
    let refused = operator.post("/v1/partners", body.clone()).send().refused(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "without_headquarters");
    body["headquarters_id"] = json!(first);
    body["headquarters_since"] = json!("2018-12-11");
    let refused = operator.post("/v1/partners", body.clone()).send().refused(422, "invalid");
    assert_eq!(refused["errors"][0]["code"], "in_the_future");
    assert_eq!(refused["errors"][0]["pointer"], "/headquarters_since");
    body["headquarters_since"] = json!("2018-08-01");
    let made = operator.post("/v1/partners", body).send().ok();
    assert_eq!(made["headquarters_since"], "2018-08-01");
    let path = format!("/v1/partners/{}", made.id());
    let change = |body: serde_json::Value| world.operator().patch(&path, body).if_match("*").send();
    // The day is corrected, also in what was kept of the past.
    world.on("2018-12-20");
    change(json!({"country": "FR"})).ok();
    assert_eq!(change(json!({"headquarters_since": "2018-09-01"})).ok()["headquarters_since"], "2018-09-01");
    assert_eq!(operator.get(&path).send().ok()["former_headquarters"], json!([]));
    world.on("2019-01-10");
    change(json!({"headquarters_id": null})).ok();
    let former = json!([{"headquarters_id": first, "from": "2018-09-01", "to": "2019-01-09"}]);
    assert_eq!(operator.get(&path).send().ok()["former_headquarters"], former);
    // Two headquarters at once, or headquarters above each other, are refused.
    world.on("2019-02-01");
    let refused = change(json!({"headquarters_id": second, "headquarters_since": "2019-01-09"}));
    assert_eq!(refused.refused(422, "invalid")["errors"][0]["code"], "overlaps");
    let moved = change(json!({"headquarters_id": second, "headquarters_since": "2019-01-10"})).ok();
    assert_eq!(
        (&moved["headquarters_since"], &moved["former_headquarters"]),
        (&json!("2019-01-10"), &former)
    );
    let above = world.operator().patch(&format!("/v1/partners/{first}"), json!({"headquarters_id": second}));
    above.if_match("*").send().ok();
    let below = json!({"headquarters_since": "2019-01-09"});
    let refused = world.operator().patch(&format!("/v1/partners/{first}"), below).if_match("*").send();
    assert_eq!(refused.refused(422, "invalid")["errors"][0]["code"], "nested");
}

#[test]
fn a_day_of_belonging_that_is_recorded_late_moves_the_verdicts_of_the_days_concerned() {
    let world = World::new();
    let operator = world.operator();
    let headquarters = operator.post("/v1/partners", partner(30, "direct_bill")).send().ok().id();
    let _owner = Case { world: &world, id: headquarters.clone() }.agreement("mpn", "2018-07-01", None);
    let case = Case::new(&world, 31, "direct_bill")
        .agreement("mpn", "2018-07-01", Some("2018-10-01"))
        .agreement("reseller", "2018-07-01", None)
        .competency("devops", "gold", "2018-07-01");
    world.on("2018-08-05");
    let enrolled = case.ask(&world.admin_of(&case.id), "csp-direct-bill").ok();
    case.approve_profiles();
    let seen = || world.operator().get(&format!("/v1/enrollments/{}", enrolled.id())).send().ok();
    let since = |day: &str| {
        let path = format!("/v1/partners/{}", case.id);
        let body = json!({"headquarters_id": headquarters, "headquarters_since": day});
        world.operator().patch(&path, body).if_match("*").send().ok();
    };
    world.on("2018-12-10");
    since("2018-11-20");
    let on = |day: &str| case.eligibility("csp-direct-bill", day)["outcome"].clone();
    assert_eq!((on("2018-11-19"), on("2018-11-20")), (json!("ineligible"), json!("eligible")));
    assert_eq!(seen()["state"], "invited");
    since("2018-10-15");
    assert_eq!((on("2018-11-01"), on("2018-11-19")), (json!("eligible"), json!("eligible")));
    assert_eq!((&seen()["state"], &seen()["earnings_start_on"]), (&json!("enrolled"), &json!("2018-08-01")));
    since("2018-11-05");
    assert_eq!(on("2018-11-04"), "ineligible");
    assert_eq!(seen()["state"], "invited");
}

#[test]
fn a_walk_meets_every_partner_once_while_others_are_recorded() {
    let world = World::new();
    for n in 0..25 {
        world.operator().post("/v1/partners", partner(n, "direct_bill")).send().ok();
    }
    for (walk, sort) in (1..).zip(["-created_at", "created_at", "legal_name", "-legal_name"]) {
        let (mut seen, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut request = world.operator().get("/v1/partners").query("limit", 7).query("sort", sort);
            if let Some(cursor) = &cursor {
                request = request.query("cursor", cursor);
            }
            let page = request.send().ok();
            seen.extend(
                page["items"].as_array().unwrap().iter().map(|p| p["mpn_id"].as_str().unwrap().to_owned()),
            );
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
            let number = 100 + u32::try_from(seen.len()).unwrap() + 1000 * walk;
            world.operator().post("/v1/partners", partner(number, "direct_bill")).send().ok();
        }
        for n in 0..25 {
            let times = seen.iter().filter(|id| **id == format!("{:07}", 4_000_000 + n)).count();
            assert_eq!(times, 1, "{n} by {sort}");
        }
    }
}

#[test]
fn a_partner_is_named_by_its_mpn_id_wherever_by_its_id() {
    let world = World::new();
    let operator = world.operator();
    let made = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok();
    let number = made["mpn_id"].as_str().unwrap().to_owned();
    for below in
        ["", "/setup", "/competencies", "/eligibility?program=csp-direct-bill", "/summary", "/recalculation"]
    {
        let (by_id, by_number) =
            (format!("/v1/partners/{}{below}", made.id()), format!("/v1/partners/{number}{below}"));
        assert_eq!(
            operator.get(&by_number).send().ok().body,
            operator.get(&by_id).send().ok().body,
            "{below}"
        );
    }
    let agreement = json!({
        "partner_id": number, "agreement_number": "MPN-1", "signed_by": "Ada", "signed_on": "2018-07-01",
        "effective_on": "2018-07-01", "membership_level": "silver"
    });
    let agreement = operator.post("/v1/mpn-agreements", agreement).send().ok();
    assert_eq!(agreement["partner_id"], made["id"]);
    let user = json!({"email": "a@b.example", "name": "Ada", "role": "viewer", "partner_id": number});
    assert_eq!(operator.post("/v1/users", user).send().ok()["partner_id"], made["id"]);
    let mut location = partner(2, "direct_bill");
    location["headquarters_id"] = json!(number);
    let location = operator.post("/v1/partners", location).send().ok();
    assert_eq!(location["headquarters_id"], made["id"]);
    let changed = operator
        .patch(&format!("/v1/partners/{}", location["mpn_id"].as_str().unwrap()), json!({"country": "GB"}));
    assert_eq!(changed.if_match(&location.etag()).send().ok()["id"], location["id"]);
    let asked = json!({"partner_id": number, "program": "csp-direct-bill", "reason": "asked by telephone"});
    operator.post("/v1/enrollments", asked).send().refused(422, "not_eligible");
}

#[test]
fn a_number_of_another_partner_is_refused_as_a_number_of_nobody() {
    let world = World::new();
    let operator = world.operator();
    let own = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok();
    let other = operator.post("/v1/partners", partner(2, "direct_bill")).send().ok();
    let admin = world.admin_of(&own.id());
    let refused = |key: &str| {
        let mut body = admin.get(&format!("/v1/partners/{key}")).send().refused(404, "not_found").body;
        body.as_object_mut().unwrap().remove("request_id");
        body
    };
    let of_nobody = refused("999999");
    assert_eq!(refused(other["mpn_id"].as_str().unwrap()), of_nobody);
    assert_eq!(refused(&other.id()), of_nobody);
    assert_eq!(refused(&world.ids.next(world.clock.now()).to_string()), of_nobody);
    let asked = |key: &str| {
        let body = json!({"partner_id": key, "program": "csp-direct-bill"});
        let answer = admin.post("/v1/enrollments", body).send();
        (answer.status, answer["code"].clone(), answer["detail"].clone(), answer["errors"].clone())
    };
    assert_eq!(asked(other["mpn_id"].as_str().unwrap()), asked("999999"));
}

#[test]
fn partners_are_found_by_any_part_of_their_name_and_number() {
    let world = World::new();
    let operator = world.operator();
    for (n, name) in
        ["Müller & Söhne GmbH", "ガス株式会社", "100% Cloud_Partner", "Straße Nord"].iter().enumerate()
    {
        let mut body = partner(u32::try_from(n).unwrap(), "direct_bill");
        body["legal_name"] = json!(name);
        operator.post("/v1/partners", body).send().ok();
    }
    let found = |text: &str| -> Vec<String> {
        let page = operator.get("/v1/partners").query("q", text).query("include_total", true).send().ok();
        let names: Vec<_> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["legal_name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(page["total"], names.len());
        names
    };
    for (text, name) in [
        ("muller", "Müller & Söhne GmbH"),
        ("MÜLLER & s", "Müller & Söhne GmbH"),
        ("Mu\u{308}ller", "Müller & Söhne GmbH"),
        (" sohne ", "Müller & Söhne GmbH"),
        ("ｶﾞｽ", "ガス株式会社"),
        ("株式", "ガス株式会社"),
        ("STRASSE", "Straße Nord"),
        ("0% c", "100% Cloud_Partner"),
        ("d_p", "100% Cloud_Partner"),
        ("000001", "ガス株式会社"),
    ] {
        assert_eq!(found(text), [name], "{text}");
    }
    for text in ["カス", "u_l", "m%r", "\\", "nobody"] {
        assert!(found(text).is_empty(), "{text}: {:?}", found(text));
    }
    assert_eq!(found("4").len(), 4);
    let renamed = operator.get("/v1/partners").query("q", "nord").send().ok()["items"][0].clone();
    let path = format!("/v1/partners/{}", renamed["id"].as_str().unwrap());
    operator.patch(&path, json!({"legal_name": "Süd"})).if_match("\"1\"").send().ok();
    assert!(found("nord").is_empty() && found("sud") == ["Süd"]);
}
