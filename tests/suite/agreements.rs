//! The papers partners sign: periods, what stands when, and who may do what with them.

use super::partners::partner;
use crate::support::{Answer, Client, World};
use serde_json::{Value, json};

const MPN: &str = "/v1/mpn-agreements";
const DISTRIBUTOR: &str = "/v1/distributor-agreements";
const RESELLER: &str = "/v1/reseller-agreements";

/// Records a partner; `n` makes its MPN id.
fn a_partner(world: &World, n: u32, partner_type: &str) -> String {
    world.operator().post("/v1/partners", partner(n, partner_type)).send().ok().id()
}

fn a_location(world: &World, n: u32, partner_type: &str, headquarters: &str) -> String {
    let mut body = partner(n, partner_type);
    body["headquarters_id"] = json!(headquarters);
    world.operator().post("/v1/partners", body).send().ok().id()
}

/// The body of an agreement to record, signed on its first day, with the terms of its kind.
fn paper(collection: &str, partner: &str, number: &str, from: &str, to: Option<&str>) -> Value {
    let mut body = json!({
        "partner_id": partner, "agreement_number": number, "signed_by": "Ada Lindqvist", "signed_on": from,
        "effective_on": from, "expires_on": to,
    });
    if collection == MPN {
        body["membership_level"] = json!("silver");
    } else {
        body["region"] = json!("EMEA");
    }
    body
}

fn signed(world: &World, collection: &str, partner: &str, number: &str, (from, to): (&str, &str)) -> Answer {
    let body = paper(collection, partner, number, from, (!to.is_empty()).then_some(to));
    world.operator().post(collection, body).send().ok()
}

fn listed(asker: &Client, collection: &str, filters: &[(&str, &str)]) -> Vec<String> {
    let ask = asker.get(collection).query("include_total", true);
    let page = filters.iter().fold(ask, |ask, (name, value)| ask.query(name, value)).send().ok();
    let items = page["items"].as_array().unwrap();
    assert_eq!(page["total"], items.len(), "{page}");
    let mut numbers: Vec<_> =
        items.iter().map(|item| item["agreement_number"].as_str().unwrap().to_owned()).collect();
    numbers.sort();
    numbers
}

fn pointers(answer: &Answer) -> Vec<&str> {
    let errors = answer["errors"].as_array().unwrap();
    let mut pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    pointers.dedup();
    pointers
}

#[test]
fn each_kind_is_recorded_read_corrected_renewed_and_terminated() {
    let world = World::new();
    let operator = world.operator();
    for (n, collection, partner_type) in
        [(1, MPN, "indirect_reseller"), (2, DISTRIBUTOR, "indirect_provider"), (3, RESELLER, "direct_bill")]
    {
        let partner = a_partner(&world, n, partner_type);
        let made = signed(&world, collection, &partner, "A-1", ("2018-07-01", "2019-06-30"));
        let path = format!("{collection}/{}", made.id());
        assert_eq!((made.status, made.header("location")), (201, Some(path.as_str())));
        assert_eq!((&made["status"], &made["revision"]), (&json!("active"), &json!(1)));
        assert_eq!(made["allowed_transitions"], json!(["renewal", "termination"]));
        assert_eq!(operator.get(&path).send().ok().body, made.body);

        let change = json!({"signed_by": "Bo Berg"});
        let corrected = operator.patch(&path, change).if_match(&made.etag()).send().ok();
        assert_eq!((&corrected["signed_by"], &corrected["revision"]), (&json!("Bo Berg"), &json!(2)));

        let paper = json!({"agreement_number": "A-2", "signed_by": "Bo Berg", "signed_on": "2018-07-01", "expires_on": "2020-06-30"});
        let renewed = operator.post(&format!("{path}/renewal"), paper).send().ok();
        assert_eq!((renewed.status, renewed["effective_on"].as_str()), (201, Some("2019-07-01")));
        assert_eq!(renewed.header("location"), Some(format!("{collection}/{}", renewed.id()).as_str()));
        for term in ["partner_id", "membership_level", "grace_days", "region", "distributor_authorization"] {
            assert_eq!(renewed[term], made[term], "{term}");
        }

        let path = format!("{collection}/{}", renewed.id());
        let because = json!({"terminated_on": "2019-12-31", "reason": "Leaves the channel"});
        let ended = operator.post(&format!("{path}/termination"), because).send().ok();
        assert_eq!(
            (&ended["terminated_on"], &ended["termination_reason"]),
            (&json!("2019-12-31"), &json!("Leaves the channel"))
        );
        assert_eq!((&ended["status"], &ended["allowed_transitions"]), (&json!("pending"), &json!([])));
        assert_eq!(listed(&operator, collection, &[("partner_id", &partner)]), ["A-1", "A-2"]);
    }
}

#[test]
fn terms_have_defaults_and_belong_to_their_kind() {
    let world = World::new();
    let operator = world.operator();
    let (reseller, provider) =
        (a_partner(&world, 1, "direct_bill"), a_partner(&world, 2, "indirect_provider"));
    let made = signed(&world, MPN, &reseller, "A-1", ("2018-07-01", ""));
    assert_eq!((&made["grace_days"], &made["expires_on"]), (&json!(30), &Value::Null));
    let made = signed(&world, DISTRIBUTOR, &provider, "A-1", ("2018-07-01", ""));
    assert_eq!(made["distributor_authorization"], false);

    let mut body = paper(RESELLER, &reseller, "A-1", "2018-07-01", None);
    body["membership_level"] = json!("gold");
    let refused = operator.post(RESELLER, body).send().refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/membership_level"]);
    let change = json!({"region": "EMEA"});
    operator.patch(&format!("{MPN}/{}", made.id()), change).if_match("*").send().refused(422, "invalid");
}

#[test]
fn a_kind_that_does_not_fit_the_partner_is_refused() {
    let world = World::new();
    let operator = world.operator();
    let record = |collection: &str, partner: &str| {
        operator
            .post(collection, paper(collection, partner, &format!("A-{partner}"), "2018-07-01", None))
            .send()
    };
    let provider = a_partner(&world, 1, "indirect_provider");
    let refused = record(RESELLER, &provider).refused(409, "agreement_kind_does_not_fit");
    assert_eq!(refused["partner_type"], "indirect_provider");
    for (n, partner_type) in [(2, "direct_bill"), (3, "indirect_reseller")] {
        let partner = a_partner(&world, n, partner_type);
        record(DISTRIBUTOR, &partner).refused(409, "agreement_kind_does_not_fit");
        record(MPN, &partner).ok();
    }
    // A headquarters signs for its locations.
    let headquarters = a_partner(&world, 4, "direct_bill");
    record(DISTRIBUTOR, &headquarters).refused(409, "agreement_kind_does_not_fit");
    a_location(&world, 5, "indirect_provider", &headquarters);
    record(DISTRIBUTOR, &headquarters).ok();
    record(RESELLER, &headquarters).ok();
}

#[test]
fn a_closed_partner_signs_nothing_new() {
    let world = World::new();
    let operator = world.operator();
    let partner = a_partner(&world, 1, "direct_bill");
    let made = signed(&world, MPN, &partner, "A-1", ("2018-07-01", "2019-06-30"));
    operator.post(&format!("/v1/partners/{partner}/closure"), json!({"reason": "Bankrupt"})).send().ok();
    let body = paper(RESELLER, &partner, "A-1", "2018-07-01", None);
    operator.post(RESELLER, body).send().refused(409, "partner_closed");
    let path = format!("{MPN}/{}", made.id());
    let paper = json!({"agreement_number": "A-2", "signed_by": "Bo Berg", "signed_on": "2019-06-01"});
    operator.post(&format!("{path}/renewal"), paper).send().refused(409, "partner_closed");
    operator.patch(&path, json!({"signed_by": "Bo Berg"})).if_match(&made.etag()).send().ok();
    operator.post(&format!("{path}/termination"), json!({"reason": "Bankrupt"})).send().ok();
}

#[test]
fn a_number_is_taken_once_per_kind() {
    let world = World::new();
    let operator = world.operator();
    let (one, other) = (a_partner(&world, 1, "direct_bill"), a_partner(&world, 2, "direct_bill"));
    let first = signed(&world, MPN, &one, "A-1", ("2018-07-01", "2019-06-30"));
    signed(&world, RESELLER, &one, "A-1", ("2018-07-01", ""));
    let taken = operator.post(MPN, paper(MPN, &other, "A-1", "2018-07-01", None)).send();
    assert_eq!(taken.refused(409, "agreement_number_taken")["agreement_id"], first.id());
    let second = signed(&world, MPN, &other, "A-2", ("2018-07-01", ""));
    let path = format!("{MPN}/{}", second.id());
    let change = json!({"agreement_number": "A-1"});
    operator.patch(&path, change).if_match(&second.etag()).send().refused(409, "agreement_number_taken");
    operator.patch(&path, json!({"agreement_number": "A-2"})).if_match(&second.etag()).send().ok();
    let renewal = json!({"agreement_number": "A-2", "signed_by": "Bo Berg", "signed_on": "2018-07-01"});
    let path = format!("{MPN}/{}/renewal", first.id());
    operator.post(&path, renewal).send().refused(409, "agreement_number_taken");
}

#[test]
fn periods_of_one_kind_and_partner_never_overlap() {
    let world = World::new();
    let operator = world.operator();
    let (one, other) = (a_partner(&world, 1, "direct_bill"), a_partner(&world, 2, "direct_bill"));
    let first = signed(&world, MPN, &one, "A-1", ("2018-07-01", "2019-06-30"));
    let record = |number: &str, from: &str, to: Option<&str>| {
        operator.post(MPN, paper(MPN, &one, number, from, to)).send()
    };
    for (from, to) in [
        ("2019-06-30", None),
        ("2018-01-01", None),
        ("2018-01-01", Some("2018-07-01")),
        ("2018-09-01", Some("2018-09-30")),
    ] {
        let refused = record("A-2", from, to).refused(409, "agreement_overlaps");
        assert_eq!(refused["agreement_id"], first.id());
        assert_eq!(
            (&refused["effective_on"], &refused["expires_on"]),
            (&json!("2018-07-01"), &json!("2019-06-30"))
        );
    }
    record("A-0", "2018-01-01", Some("2018-06-30")).ok();
    // The renewal window is no part of the period; a gap may stay.
    let next = record("A-2", "2019-07-15", None).ok();
    signed(&world, MPN, &other, "B-1", ("2018-07-01", ""));
    signed(&world, RESELLER, &one, "A-1", ("2018-07-01", ""));

    let path = format!("{MPN}/{}", next.id());
    let change = json!({"effective_on": "2019-06-30"});
    operator.patch(&path, change).if_match(&next.etag()).send().refused(409, "agreement_overlaps");
    operator.patch(&path, json!({"effective_on": "2019-07-01"})).if_match(&next.etag()).send().ok();
    let path = format!("{MPN}/{}", first.id());
    let open = operator.patch(&path, json!({"expires_on": null})).if_match(&first.etag()).send();
    open.refused(409, "agreement_overlaps");
}

#[test]
fn a_renewal_begins_where_the_old_period_ends_unless_told_otherwise() {
    let world = World::new();
    let partner = a_partner(&world, 1, "direct_bill");
    let first = signed(&world, MPN, &partner, "A-1", ("2018-07-01", "2019-06-30"));
    let paper =
        |number: &str| json!({"agreement_number": number, "signed_by": "Bo Berg", "signed_on": "2019-09-01"});

    // Long expired, renewed with a gap and other terms.
    world.on("2019-09-01");
    let operator = world.operator();
    let path = format!("{MPN}/{}", first.id());
    assert_eq!(operator.get(&path).send().ok()["allowed_transitions"], json!(["renewal"]));
    let mut later = paper("A-2");
    later["effective_on"] = json!("2019-09-01");
    later["expires_on"] = json!("2020-08-31");
    later["membership_level"] = json!("gold");
    later["grace_days"] = json!(0);
    let second = operator.post(&format!("{path}/renewal"), later).send().ok();
    assert_eq!((&second["membership_level"], &second["grace_days"]), (&json!("gold"), &json!(0)));
    assert_eq!(operator.get(&path).send().ok()["revision"], 1, "the old period stays as it is");

    // The next period of the first one would run into the second.
    let refused = operator.post(&format!("{path}/renewal"), paper("A-3")).send();
    assert_eq!(refused.refused(409, "agreement_overlaps")["agreement_id"], second.id());
    // What is left out of the dates is checked too.
    let mut backwards = paper("A-3");
    backwards["expires_on"] = json!("2020-08-31");
    let refused = operator.post(&format!("{MPN}/{}/renewal", second.id()), backwards).send();
    assert_eq!(pointers(&refused.refused(422, "invalid")), ["/expires_on"]);

    let open = operator.post(&format!("{MPN}/{}/renewal", second.id()), paper("A-3")).send().ok();
    assert_eq!((&open["effective_on"], &open["expires_on"]), (&json!("2020-09-01"), &Value::Null));
    let refused = operator.post(&format!("{MPN}/{}/renewal", open.id()), paper("A-4")).send();
    let refused = refused.refused(409, "transition_not_allowed");
    assert_eq!((&refused["from"], &refused["allowed"]), (&json!("pending"), &json!(["termination"])));
}

#[test]
fn what_was_terminated_stays_so_and_makes_room_for_another() {
    let world = World::new();
    let operator = world.operator();
    let partner = a_partner(&world, 1, "direct_bill");
    let first = signed(&world, RESELLER, &partner, "A-1", ("2018-06-01", ""));
    let path = format!("{RESELLER}/{}", first.id());
    let terminate = |body: Value| operator.post(&format!("{path}/termination"), body).send();

    let early = terminate(json!({"terminated_on": "2018-05-31", "reason": "Fraud"})).refused(422, "invalid");
    assert_eq!(pointers(&early), ["/terminated_on"]);
    let nothing = terminate(json!({"terminated_on": "never", "why": "Fraud"})).refused(422, "invalid");
    assert_eq!(pointers(&nothing), ["/reason", "/terminated_on", "/why"]);

    let ended = terminate(json!({"reason": "Fraud"})).ok();
    assert_eq!((&ended["terminated_on"], &ended["status"]), (&json!("2018-07-01"), &json!("terminated")));
    let again = terminate(json!({"reason": "Fraud"})).refused(409, "transition_not_allowed");
    assert_eq!((&again["from"], &again["allowed"]), (&json!("terminated"), &json!([])));
    let paper_again = json!({"agreement_number": "A-2", "signed_by": "Bo Berg", "signed_on": "2018-07-01"});
    operator.post(&format!("{path}/renewal"), paper_again).send().refused(409, "transition_not_allowed");

    let touching = paper(RESELLER, &partner, "A-2", "2018-06-30", None);
    operator.post(RESELLER, touching).send().refused(409, "agreement_overlaps");
    signed(&world, RESELLER, &partner, "A-2", ("2018-07-01", ""));
    let change = json!({"signed_on": "2018-07-02"});
    let refused = operator.patch(&path, change).if_match(&ended.etag()).send().refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/signed_on"]);
}

#[test]
fn what_is_still_to_be_signed_ends_with_its_signature() {
    let world = World::new();
    let partner = a_partner(&world, 1, "direct_bill");
    let first = signed(&world, RESELLER, &partner, "A-1", ("2031-07-01", ""));
    let path = format!("{RESELLER}/{}/termination", first.id());
    let ended = world.operator().post(&path, json!({"reason": "Fraud"})).send().ok();
    assert_eq!(ended["terminated_on"], "2031-07-01");
}

#[test]
fn what_has_run_out_is_not_terminated() {
    let world = World::new();
    let partner = a_partner(&world, 1, "direct_bill");
    let first = signed(&world, MPN, &partner, "A-1", ("2018-07-01", "2019-06-30"));
    let path = format!("{MPN}/{}/termination", first.id());
    let late = json!({"terminated_on": "2019-07-31", "reason": "Fraud"});
    let refused = world.operator().post(&path, late).send().refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/terminated_on"]);
    world.on("2019-07-31");
    let refused = world.operator().post(&path, json!({"reason": "Fraud"})).send();
    let refused = refused.refused(409, "transition_not_allowed");
    assert_eq!((&refused["from"], &refused["allowed"]), (&json!("expired"), &json!(["renewal"])));
    world.on("2019-07-30");
    let ended = world.operator().post(&path, json!({"reason": "Fraud"})).send().ok();
    assert_eq!(ended["status"], "terminated");
}

#[test]
fn the_status_follows_from_the_dates_on_any_day() {
    let world = World::new();
    let operator = world.operator();
    let partner = a_partner(&world, 1, "direct_bill");
    let made = signed(&world, MPN, &partner, "A-1", ("2018-09-02", "2019-09-01"));
    let strict = a_partner(&world, 2, "direct_bill");
    let mut body = paper(MPN, &strict, "B-1", "2018-09-02", Some("2019-09-01"));
    body["grace_days"] = json!(0);
    operator.post(MPN, body).send().ok();
    let path = format!("{MPN}/{}", made.id());
    for (day, first, second) in [
        ("2018-09-01", "pending", "pending"),
        ("2018-09-02", "active", "active"),
        ("2019-09-01", "active", "active"),
        ("2019-09-02", "grace", "expired"),
        ("2019-10-01", "grace", "expired"),
        ("2019-10-02", "expired", "expired"),
    ] {
        assert_eq!(operator.get(&path).query("as_of", day).send().ok()["status"], first, "{day}");
        for status in ["pending", "active", "grace", "expired", "terminated"] {
            let expected: Vec<&str> = [("A-1", first), ("B-1", second)]
                .iter()
                .filter(|(_, s)| *s == status)
                .map(|(n, _)| *n)
                .collect();
            assert_eq!(
                listed(&operator, MPN, &[("status", status), ("as_of", day)]),
                expected,
                "{status} on {day}"
            );
        }
    }
    operator
        .post(&format!("{path}/termination"), json!({"reason": "Fraud", "terminated_on": "2019-09-20"}))
        .send()
        .ok();
    for (day, status) in [("2019-09-19", "grace"), ("2019-09-20", "terminated"), ("2018-09-01", "pending")] {
        assert!(
            listed(&operator, MPN, &[("status", status), ("as_of", day)]).contains(&"A-1".to_owned()),
            "{day}"
        );
    }
    world.on("2019-09-02");
    assert_eq!(listed(&world.operator(), MPN, &[("status", "grace")]), ["A-1"]);
}

#[test]
fn a_new_day_is_no_cached_answer() {
    let world = World::new();
    let partner = a_partner(&world, 1, "direct_bill");
    let made = signed(&world, RESELLER, &partner, "A-1", ("2018-07-02", ""));
    let path = format!("{RESELLER}/{}", made.id());
    let again = || world.operator().get(&path).header("if-none-match", &made.etag()).send();
    assert_eq!(again().status, 304);
    world.on("2018-07-02");
    assert_eq!(again().ok()["status"], "active");
    let change = json!({"region": "Worldwide"});
    world.operator().patch(&path, change).if_match(&made.etag()).send().ok();
}

#[test]
fn lists_are_filtered_and_walked() {
    let world = World::new();
    let operator = world.operator();
    let partners: Vec<String> = (0..3).map(|n| a_partner(&world, n, "indirect_provider")).collect();
    for (n, partner) in partners.iter().enumerate() {
        let mut body = paper(DISTRIBUTOR, partner, &format!("D-{n}"), &format!("2018-0{}-01", n + 5), None);
        body["region"] = json!(if n == 0 { "APAC" } else { "EMEA" });
        body["distributor_authorization"] = json!(n == 2);
        operator.post(DISTRIBUTOR, body).send().ok();
        signed(&world, MPN, partner, &format!("M-{n}"), ("2018-07-01", ""));
    }
    let find = |filters: &[(&str, &str)]| listed(&operator, DISTRIBUTOR, filters);
    assert_eq!(find(&[]), ["D-0", "D-1", "D-2"]);
    assert_eq!(find(&[("partner_id", &partners[1])]), ["D-1"]);
    assert_eq!(find(&[("agreement_number", "D-2")]), ["D-2"]);
    assert_eq!(find(&[("region", "EMEA")]), ["D-1", "D-2"]);
    assert_eq!(find(&[("distributor_authorization", "true")]), ["D-2"]);
    assert_eq!(find(&[("from", "2018-06-01"), ("to", "2018-06-30")]), ["D-1"]);
    assert_eq!(find(&[("region", "EMEA"), ("status", "pending"), ("as_of", "2018-06-30")]), ["D-2"]);
    assert_eq!(listed(&operator, MPN, &[("membership_level", "silver")]).len(), 3);
    assert!(listed(&operator, MPN, &[("membership_level", "gold")]).is_empty());
    operator.get(MPN).query("region", "EMEA").send().refused(400, "unknown_parameter");
    operator.get(MPN).query("status", "lapsed").send().refused(400, "unknown_parameter");
    operator.get(MPN).query("as_of", "2018-02-30").send().refused(400, "unknown_parameter");

    let first = operator.get(MPN).query("limit", 2).send().ok();
    let second = operator
        .get(MPN)
        .query("limit", 2)
        .query("cursor", first["next_cursor"].as_str().unwrap())
        .send()
        .ok();
    let numbers = |page: &Answer| -> Vec<String> {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| a["agreement_number"].as_str().unwrap().into())
            .collect()
    };
    assert_eq!((numbers(&first), numbers(&second)), (vec!["M-2".into(), "M-1".into()], vec!["M-0".into()]));
    assert_eq!(second["next_cursor"], Value::Null);
}

#[test]
fn every_field_that_is_not_right_is_named_at_once() {
    let world = World::new();
    let operator = world.operator();
    let body = json!({
        "partner_id": "no id", "agreement_number": " ", "signed_on": "2018-02-30", "effective_on": "2018-07-01",
        "grace_days": 366, "membership_level": "platinum", "status": "active",
    });
    let refused = operator.post(MPN, body).send().refused(422, "invalid");
    let expected = [
        "/agreement_number",
        "/grace_days",
        "/membership_level",
        "/partner_id",
        "/signed_by",
        "/signed_on",
        "/status",
    ];
    assert_eq!(pointers(&refused), expected);

    let partner = a_partner(&world, 1, "direct_bill");
    let mut body = paper(MPN, &partner, "A-1", "2018-07-01", Some("2018-06-30"));
    let refused = operator.post(MPN, body.clone()).send().refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/expires_on", "/signed_on"]);
    body["partner_id"] = json!("01936f2e-4b00-7000-8000-00000000ffff");
    body["expires_on"] = Value::Null;
    let refused = operator.post(MPN, body).send().refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/partner_id"]);
    operator.post(&format!("{MPN}/{partner}/renewal"), json!({})).send().refused(422, "invalid");
}

#[test]
fn a_correction_replaces_what_it_names_and_null_opens_the_end() {
    let world = World::new();
    let operator = world.operator();
    let partner = a_partner(&world, 1, "direct_bill");
    let made = signed(&world, MPN, &partner, "A-1", ("2018-07-01", "2019-06-30"));
    let path = format!("{MPN}/{}", made.id());
    operator.patch(&path, json!({"expires_on": null})).send().refused(428, "precondition_required");
    operator
        .patch(&path, json!({"expires_on": null}))
        .if_match("\"7\"")
        .send()
        .refused(412, "precondition_failed");

    let open = operator.patch(&path, json!({"expires_on": null})).if_match(&made.etag()).send().ok();
    assert_eq!((&open["expires_on"], &open["membership_level"]), (&Value::Null, &json!("silver")));
    operator.patch(&path, json!({})).if_match(&made.etag()).send().refused(412, "precondition_failed");
    let change = json!({"expires_on": "2018-06-30", "membership_level": "gold"});
    let refused = operator.patch(&path, change).if_match(&open.etag()).send().refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/expires_on", "/signed_on"]);
    let change = json!({"signed_by": null, "partner_id": partner});
    let refused = operator.patch(&path, change).if_match(&open.etag()).send().refused(422, "invalid");
    assert_eq!(pointers(&refused), ["/partner_id", "/signed_by"]);
    let change = json!({"expires_on": "2020-06-30", "membership_level": "gold", "grace_days": 5});
    let changed = operator.patch(&path, change).if_match("\"2\"").send().ok();
    assert_eq!((&changed["membership_level"], &changed["grace_days"]), (&json!("gold"), &json!(5)));
}

#[test]
fn partners_read_their_own_and_a_headquarters_its_locations() {
    let world = World::new();
    let headquarters = a_partner(&world, 1, "direct_bill");
    let location = a_location(&world, 2, "direct_bill", &headquarters);
    let foreign = a_partner(&world, 3, "direct_bill");
    for (partner, number) in [(&headquarters, "HQ-1"), (&location, "LOC-1"), (&foreign, "FOR-1")] {
        signed(&world, MPN, partner, number, ("2018-07-01", ""));
        signed(&world, RESELLER, partner, number, ("2018-07-01", ""));
    }
    assert_eq!(listed(&world.admin_of(&headquarters), MPN, &[]), ["HQ-1", "LOC-1"]);
    assert_eq!(listed(&world.viewer_of(&location), MPN, &[]), ["LOC-1"]);
    assert_eq!(listed(&world.auditor(), MPN, &[]), ["FOR-1", "HQ-1", "LOC-1"]);
    let by_number = |number: &str| {
        world.operator().get(MPN).query("agreement_number", number).send().ok()["items"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let admin = world.admin_of(&location);
    for (number, status) in [("HQ-1", 404), ("LOC-1", 200), ("FOR-1", 404)] {
        assert_eq!(admin.get(&format!("{MPN}/{}", by_number(number))).send().status, status, "{number}");
    }
    // The id of another kind is no id of this one.
    let path = format!("{RESELLER}/{}", by_number("LOC-1"));
    admin.get(&path).send().refused(404, "not_found");
    world.operator().patch(&path, json!({})).if_match("*").send().refused(404, "not_found");
    world.nobody().get(MPN).send().refused(401, "unauthenticated");
}

#[test]
fn only_operators_write() {
    let world = World::new();
    let partner = a_partner(&world, 1, "direct_bill");
    let path = format!("{RESELLER}/{}", signed(&world, RESELLER, &partner, "A-1", ("2018-07-01", "")).id());
    for person in [world.auditor(), world.admin_of(&partner), world.viewer_of(&partner)] {
        person.get(&path).send().ok();
        person
            .post(RESELLER, paper(RESELLER, &partner, "A-2", "2019-07-01", None))
            .send()
            .refused(403, "forbidden");
        person.patch(&path, json!({})).if_match("*").send().refused(403, "forbidden");
        person.post(&format!("{path}/renewal"), json!({})).send().refused(403, "forbidden");
        person.post(&format!("{path}/termination"), json!({})).send().refused(403, "forbidden");
    }
}

#[test]
fn every_change_leaves_its_trace() {
    let world = World::new();
    let operator = world.operator();
    let partner = a_partner(&world, 1, "direct_bill");
    let made = signed(&world, MPN, &partner, "A-1", ("2018-07-01", ""));
    let path = format!("{MPN}/{}", made.id());
    let changed = operator.patch(&path, json!({"signed_by": "Bo Berg"})).if_match(&made.etag()).send().ok();
    let ended = operator.post(&format!("{path}/termination"), json!({"reason": "Fraud"})).send().ok();
    let events = operator.get("/v1/audit-events").query("resource_id", made.id()).send().ok();
    let events = events["items"].as_array().unwrap();
    let operations: Vec<_> = events.iter().map(|e| e["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["terminateMpnAgreement", "updateMpnAgreement", "createMpnAgreement"]);
    for (event, before, after) in [
        (&events[0], &changed.body, &ended.body),
        (&events[1], &made.body, &changed.body),
        (&events[2], &Value::Null, &made.body),
    ] {
        assert_eq!((&event["before"], &event["after"]), (before, after));
        assert_eq!(
            (event["resource_type"].as_str(), event["partner_id"].as_str()),
            (Some("mpn_agreement"), Some(partner.as_str()))
        );
    }
    assert_eq!(events[0]["reason"], "Fraud");
}

#[test]
fn a_repeated_request_signs_once() {
    let world = World::new();
    let partner = a_partner(&world, 1, "direct_bill");
    let body = paper(MPN, &partner, "A-1", "2018-07-01", Some("2019-06-30"));
    let once = world.operator().post(MPN, body.clone()).key("k").send().ok();
    let again = world.operator().post(MPN, body).key("k").send().ok();
    assert_eq!((once.body, again.status), (again.body, 201));
    assert_eq!(listed(&world.operator(), MPN, &[]), ["A-1"]);
}

#[test]
fn a_number_is_the_same_number_however_its_accents_are_spelled() {
    let world = World::new();
    let operator = world.operator();
    let (whole, apart) = ("A-caf\u{e9}", "A-cafe\u{301}");
    for (n, collection, partner_type) in
        [(1, MPN, "indirect_reseller"), (2, DISTRIBUTOR, "indirect_provider"), (3, RESELLER, "direct_bill")]
    {
        let [one, other] = [n, n + 10].map(|n| a_partner(&world, n, partner_type));
        let made = signed(&world, collection, &one, apart, ("2018-07-01", "2019-06-30"));
        assert_eq!(made["agreement_number"], whole);
        for number in [whole, apart] {
            let again = paper(collection, &other, number, "2018-07-01", Some("2019-06-30"));
            operator.post(collection, again).send().refused(409, "agreement_number_taken");
        }
        assert_eq!(listed(&operator, collection, &[]), [whole]);
    }
}
