//! Payout and tax profiles.

use super::partners::partner;
use crate::support::{Client, World, person};
use diesel::prelude::*;
use partner_incentives::{
    access::Role,
    identity::users,
    network::profiles::{self, Standing},
    platform::values::{CalendarDate, Id},
};
use serde_json::{Value, json};

const IBAN: &str = "DE89370400440532013000";
/// Other accounts, and other tax numbers.
const OTHER_IBANS: [&str; 2] = ["DE02120300000000202051", "DE02500105170137075030"];
const OTHER_TAX_IDS: [&str; 2] = ["770012345678", "770087654321"];

/// A payout profile with an account at a German bank.
pub fn payout() -> Value {
    payout_to("Contoso Cloud GmbH", IBAN)
}

/// A payout profile of a holder, with an IBAN of Germany.
pub fn payout_to(holder: &str, iban: &str) -> Value {
    let address =
        json!({"country": "DE", "town": "Hamburg", "street": "Alsterufer", "building_number": "12"});
    json!({"holder": holder, "account": iban, "bank_country": "DE", "currency": "EUR", "address": address})
}

/// A payout profile with an account at a Japanese bank, which has no IBAN.
pub fn payout_in_japan() -> Value {
    json!({
        "holder": "株式会社コントソ", "holder_latin": "Contoso KK", "account_number": "7654321",
        "routing": {"kind": "zengin", "number": "0005001"}, "bank_country": "JP", "bic": "BOTKJPJT",
        "currency": "JPY", "address": {"country": "JP", "town": "Osaka", "post_code": "541-0041"}
    })
}

/// A tax profile that does not expire.
pub fn vat(tax_id: &str) -> Value {
    json!({"form": "vat", "signed_on": "2018-06-01", "tax_country": "DE", "tax_id": tax_id})
}

/// A tax profile whose document says until when it holds.
pub fn until(day: &str) -> Value {
    json!({
        "form": "other", "tax_country": "DE", "tax_id": "DE-123456789", "signed_on": "2018-06-01", "expires_on": day
    })
}

/// An admin files both profiles of a partner.
pub fn are_filed(admin: &Client, partner: &str) {
    for (name, body) in [("payout-profile", payout()), ("tax-profile", vat("DE123456789"))] {
        admin.put(&format!("/v1/partners/{partner}/{name}"), body).send().ok();
    }
}

/// An operator approves both profiles of a partner.
pub fn are_approved(operator: &Client, partner: &str) {
    for name in ["payout-profile", "tax-profile"] {
        operator.post(&format!("/v1/partners/{partner}/{name}/approval"), json!({})).send().ok();
    }
}

fn tax() -> Value {
    until("2019-06-30")
}

/// Other numbers of the same kind.
fn others(secret: &str) -> [&'static str; 2] {
    if secret == "account" { OTHER_IBANS } else { OTHER_TAX_IDS }
}

/// A world with one partner, its id and its admin.
fn contoso() -> (World, String, Client) {
    let world = World::new();
    let id = world.operator().post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let admin = world.admin_of(&id);
    (world, id, admin)
}

/// Both addresses of a partner's profiles, with what can be put there and which number it hides.
fn both(partner: &str) -> [(String, Value, &'static str, &'static str); 2] {
    [
        (format!("/v1/partners/{partner}/payout-profile"), payout(), "account", "account_masked"),
        (format!("/v1/partners/{partner}/tax-profile"), tax(), "tax_id", "tax_id_masked"),
    ]
}

fn at(path: &str, what: &str) -> String {
    format!("{path}/{what}")
}

#[test]
fn a_profile_is_filed_approved_changed_and_rejected() {
    let (world, id, admin) = contoso();
    let operator = world.operator();
    for (path, body, secret, masked) in both(&id) {
        admin.get(&path).send().refused(404, "not_found");
        let made = admin.put(&path, body.clone()).send().ok();
        assert_eq!((made.status, made.header("location")), (201, Some(&*path)));
        assert_eq!((&made["state"], &made["partner_id"]), (&json!("pending"), &json!(id)));
        assert_eq!(made["allowed_transitions"], json!(["approval", "rejection"]));

        let approved = operator
            .post(&at(&path, "approval"), json!({"comment": "As the bank's letter says"}))
            .send()
            .ok();
        assert_eq!(
            (&approved["state"], &approved["allowed_transitions"]),
            (&json!("approved"), &json!(["rejection"]))
        );
        let again =
            operator.post(&at(&path, "approval"), json!({})).send().refused(409, "transition_not_allowed");
        assert_eq!((&again["from"], &again["allowed"]), (&json!("approved"), &json!(["rejection"])));

        // The same again changes nothing; a change has to be approved again.
        let same = admin.put(&path, body.clone()).send().ok();
        assert_eq!((same.status, &same["state"], same.etag()), (200, &json!("approved"), approved.etag()));
        let mut other = body.clone();
        let [number, _] = others(secret);
        other[secret] = json!(number);
        let changed = admin.put(&path, other.clone()).send().ok();
        let end = json!(format!("****{}", &number[number.len() - 4..]));
        assert_eq!((changed.status, &changed["state"], &changed[masked]), (200, &json!("pending"), &end));
        assert_eq!((changed.id(), &changed["revision"]), (made.id(), &json!(3)));

        let rejected = operator.post(&at(&path, "rejection"), json!({"reason": "Not readable"})).send().ok();
        assert_eq!(
            (&rejected["state"], &rejected["rejection_reason"]),
            (&json!("action_required"), &json!("Not readable"))
        );
        assert_eq!(rejected["allowed_transitions"], json!([]));
        for (what, why) in [("approval", json!({})), ("rejection", json!({"reason": "Still not"}))] {
            let refused = operator.post(&at(&path, what), why).send().refused(409, "transition_not_allowed");
            assert_eq!((&refused["from"], &refused["allowed"]), (&json!("action_required"), &json!([])));
        }
        // Filed again, though as it was, it waits for an operator again; and an approved one can be rejected.
        let refiled = admin.put(&path, other).send().ok();
        assert_eq!((&refiled["state"], &refiled["rejection_reason"]), (&json!("pending"), &Value::Null));
        assert_eq!(operator.post(&at(&path, "approval"), json!({})).send().ok()["state"], "approved");
        let rejected =
            operator.post(&at(&path, "rejection"), json!({"reason": "Account closed"})).send().ok();
        assert_eq!(rejected["state"], "action_required");
        operator.post(&at(&path, "rejection"), json!({})).send().refused(422, "invalid");
    }
}

#[test]
fn an_account_or_tax_number_is_shown_to_nobody() {
    let (world, id, admin) = contoso();
    let (operator, auditor) = (world.operator(), world.auditor());
    for ((path, body, secret, masked), end) in both(&id).into_iter().zip(["****3000", "****6789"]) {
        let hidden = body[secret].as_str().unwrap().to_owned();
        let mut answers = vec![
            admin.put(&path, body.clone()).key(secret).send().ok(),
            admin.put(&path, body.clone()).key(secret).send().ok(),
            operator.post(&at(&path, "approval"), json!({})).send().ok(),
            operator.post(&at(&path, "rejection"), json!({"reason": "Not readable"})).send().ok(),
            admin.put(&path, body).send().ok(),
        ];
        for person in [&admin, &operator, &auditor] {
            answers.push(person.get(&path).send().ok());
        }
        for answer in &answers {
            assert_eq!(answer[masked], end, "{answer}");
            assert!(!answer.body.to_string().contains(&hidden), "{answer}");
        }
        for person in [&operator, &auditor, &admin] {
            let events = person.get("/v1/audit-events").query("resource_id", answers[0].id()).send().ok();
            let items = events["items"].as_array().unwrap();
            assert_eq!(items.len(), 4, "{events}");
            assert!(
                items.iter().all(|event| event["after"][masked] == end && event["partner_id"] == id),
                "{events}"
            );
            assert!(!String::from_utf8_lossy(&events.bytes).contains(&hidden), "{events}");
        }
        let mistaken = json!({secret: hidden, "more": hidden});
        let refused = admin.put(&path, mistaken).send().refused(422, "invalid");
        assert!(!refused.body.to_string().contains(&hidden), "{refused}");
    }
}

#[test]
fn who_may_do_what_with_a_profile() {
    let (world, id, admin) = contoso();
    let stranger_id = world.operator().post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let (stranger, viewer) = (world.admin_of(&stranger_id), world.viewer_of(&id));
    for (path, body, ..) in both(&id) {
        for (what, person) in [
            ("nobody", world.nobody()),
            ("operator", world.operator()),
            ("auditor", world.auditor()),
            ("viewer", viewer.clone()),
        ] {
            let (status, code) = if what == "nobody" { (401, "unauthenticated") } else { (403, "forbidden") };
            person.put(&path, body.clone()).send().refused(status, code);
        }
        stranger.put(&path, body.clone()).send().refused(404, "not_found");
        admin.put(&path, body).send().ok();
        viewer.get(&path).send().refused(403, "forbidden");
        stranger.get(&path).send().refused(404, "not_found");
        for person in [&admin, &viewer, &stranger, &world.auditor()] {
            person.post(&at(&path, "approval"), json!({})).send().refused(403, "forbidden");
            person.post(&at(&path, "rejection"), json!({"reason": "No"})).send().refused(403, "forbidden");
        }
        let nowhere = path.replace(&id, "01936f2e-4b00-7000-8000-0000000000ff");
        world.operator().get(&nowhere).send().refused(404, "not_found");
        world.operator().post(&at(&nowhere, "approval"), json!({})).send().refused(404, "not_found");
    }
}

#[test]
fn an_admin_of_the_headquarters_files_for_its_locations_and_not_the_other_way_round() {
    let (world, headquarters, above) = contoso();
    let mut body = partner(2, "direct_bill");
    body["headquarters_id"] = json!(headquarters);
    let location = world.operator().post("/v1/partners", body).send().ok().id();
    let below = world.admin_of(&location);
    for ((path, body, ..), (upper, ..)) in both(&location).into_iter().zip(both(&headquarters)) {
        assert_eq!(above.put(&path, body.clone()).send().ok()["partner_id"], json!(location));
        below.get(&path).send().ok();
        below.put(&upper, body).send().refused(404, "not_found");
    }
}

#[test]
fn a_stale_profile_is_neither_replaced_nor_decided_upon() {
    let (world, id, admin) = contoso();
    let operator = world.operator();
    for (path, body, secret, _) in both(&id) {
        admin.put(&path, body.clone()).if_match("*").send().refused(412, "precondition_failed");
        let read = admin.put(&path, body.clone()).send().ok();
        let mut changed = body;
        let [one, another] = others(secret);
        changed[secret] = json!(one);
        let now = admin.put(&path, changed.clone()).if_match(&read.etag()).send().ok();
        changed[secret] = json!(another);
        admin.put(&path, changed).if_match(&read.etag()).send().refused(412, "precondition_failed");
        // An operator approves the account that was on the screen, not the one that is there since.
        let (approval, rejection) = (at(&path, "approval"), at(&path, "rejection"));
        operator.post(&approval, json!({})).if_match(&read.etag()).send().refused(412, "precondition_failed");
        let why = json!({"reason": "Not readable"});
        operator
            .post(&rejection, why.clone())
            .if_match(&read.etag())
            .send()
            .refused(412, "precondition_failed");
        operator.post(&approval, json!({})).if_match(&now.etag()).send().ok();
        operator.post(&rejection, why).if_match("*").send().ok();
        let etag = admin.get(&path).send().ok().etag();
        assert_eq!(admin.get(&path).header("if-none-match", &etag).send().status, 304);
    }
}

#[test]
fn all_faults_of_a_profile_are_told_at_once() {
    let (_world, id, admin) = contoso();
    let pointers = |path: &str, body: Value| {
        let refused = admin.put(path, body).send().refused(422, "invalid");
        let mut found: Vec<_> = refused["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| format!("{} {}", e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap()))
            .collect();
        found.sort();
        found
    };
    let [(payout_path, ..), (tax_path, ..)] = both(&id);
    let wrong = json!({
        "holder": " ", "account": "DE 1", "bank_country": "XX", "currency": "XXX", "iban": 1,
        "address": {"country": "DE", "town": ""}
    });
    assert_eq!(
        pointers(&payout_path, wrong),
        [
            "/account pattern",
            "/address/town pattern",
            "/address/town too_short",
            "/bank_country format",
            "/currency format",
            "/holder pattern",
            "/iban unknown_member"
        ]
    );
    assert_eq!(
        pointers(&payout_path, json!({})),
        ["/address required", "/bank_country required", "/currency required", "/holder required"]
    );
    let wrong = json!({
        "form": "napkin", "tax_country": "de", "tax_id": "-1-", "signed_on": "2018-02-30", "expires_on": "2019-02-30"
    });
    assert_eq!(
        pointers(&tax_path, wrong),
        [
            "/expires_on format",
            "/form not_listed",
            "/signed_on format",
            "/tax_country format",
            "/tax_country pattern",
            "/tax_id pattern",
            "/tax_id too_short"
        ]
    );
    assert_eq!(pointers(&tax_path, until("2018-06-30")), ["/expires_on in_the_past"]);
    admin.put(&tax_path, until("2018-07-01")).send().ok();
    // Of a form with a term of its own the last day follows from the signature.
    let us = |form: &str, signed_on: &str| json!({"form": form, "tax_country": "US", "tax_id": "12-3456789", "signed_on": signed_on});
    let stated = |form: &str, expires_on: &str| {
        let mut body = us(form, "2018-06-30");
        body["expires_on"] = json!(expires_on);
        body
    };
    for form in ["w9", "w8_ben_e", "vat"] {
        assert_eq!(pointers(&tax_path, stated(form, "2019-06-30")), ["/expires_on unexpected"]);
        assert_eq!(pointers(&tax_path, us(form, "2018-07-02")), ["/signed_on in_the_future"]);
    }
    assert_eq!(pointers(&tax_path, us("w8_ben_e", "2014-12-31")), ["/signed_on in_the_past"]);
    for (form, signed_on, expires_on) in
        [("w8_ben_e", "2015-01-01", json!("2018-12-31")), ("w9", "2001-01-01", Value::Null)]
    {
        assert_eq!(admin.put(&tax_path, us(form, signed_on)).send().ok()["expires_on"], expires_on);
    }
}

#[test]
fn an_account_that_no_bank_file_can_name_is_refused_with_every_fault_at_once() {
    let (_world, id, admin) = contoso();
    let [(path, ..), _] = both(&id);
    let with = |members: Value| {
        let mut body = payout();
        for (name, value) in members.as_object().unwrap() {
            body[name] = value.clone();
        }
        body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        body
    };
    let abroad = json!({"country": "US"});
    for (body, faults) in [
        (with(json!({"account": "DE88370400440532013000"})), vec!["/account iban_invalid"]),
        (with(json!({"account": "DE8937O400440532013000"})), vec!["/account iban_invalid"]),
        (with(json!({"account": "GB29NWBK60161331926819"})), vec!["/account bank_country_mismatch"]),
        (with(json!({"account": null, "account_number": "12345678"})), vec!["/account account_missing"]),
        (
            with(json!({"account_number": "12345678", "routing": {"kind": "other", "number": "1"}})),
            vec!["/account_number account_number_unexpected", "/routing routing_unexpected"],
        ),
        (with(json!({"bic": "COBADEFFX"})), vec!["/bic bic_invalid"]),
        (with(json!({"bic": "BNPAFRPP"})), vec!["/bic bank_country_mismatch"]),
        (with(json!({"holder": "Контосо 株式会社"})), vec!["/holder_latin name_not_latin"]),
        (with(json!({"holder_latin": "Müller"})), vec!["/holder_latin name_not_latin"]),
        (
            with(json!({"address": {"country": "JP", "town": "大阪", "lines": ["Ok", "四階"]}})),
            vec!["/address/lines/1 address_not_latin", "/address/town address_not_latin"],
        ),
        (
            with(json!({"holder": "株式会社", "account": null, "bank_country": "US", "address": abroad})),
            vec![
                "/account_number account_number_missing",
                "/address/town town_missing",
                "/bic bic_missing",
                "/holder_latin name_not_latin",
                "/routing routing_missing",
            ],
        ),
        (
            with(json!({"bank_country": "US", "bic": "CHASUS33"})),
            vec![
                "/account account_unexpected",
                "/account_number account_number_missing",
                "/routing routing_missing",
            ],
        ),
    ] {
        let refused = admin.put(&path, body).send().refused(422, "invalid");
        let mut found: Vec<_> = refused["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| format!("{} {}", e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap()))
            .collect();
        found.sort();
        assert_eq!(found, faults);
    }
    let kept =
        admin.put(&path, with(json!({"account": "de89370400440532013000", "bic": "cobadeff"}))).send().ok();
    assert_eq!(
        (&kept["bic"], &kept["missing"], &kept["routing"]),
        (&json!("COBADEFF"), &json!([]), &Value::Null)
    );
    let japan = admin.put(&path, payout_in_japan()).send().ok();
    assert_eq!((&japan["routing"]["number"], &japan["account_masked"]), (&json!("0005001"), &json!("****1")));
    assert_eq!(
        japan["address"],
        json!({
            "country": "JP", "town": "Osaka", "street": null, "building_number": null, "post_code": "541-0041", "lines": []
        })
    );
}

#[test]
fn an_expired_tax_profile_has_to_be_filed_again() {
    let (world, id, admin) = contoso();
    let [_, (path, body, ..)] = both(&id);
    admin.put(&path, body.clone()).send().ok();
    world.operator().post(&at(&path, "approval"), json!({})).send().ok();
    world.on("2019-06-30");
    assert_eq!(world.auditor().get(&path).send().ok()["state"], "approved");
    world.on("2019-07-01");
    // Who signed in last year has to do it again.
    let (admin, operator) = (world.admin_of(&id), world.operator());
    let expired = admin.get(&path).send().ok();
    assert_eq!((&expired["state"], &expired["allowed_transitions"]), (&json!("action_required"), &json!([])));
    let refused = operator.post(&at(&path, "rejection"), json!({"reason": "Expired"})).send();
    assert_eq!(refused.refused(409, "transition_not_allowed")["from"], "action_required");
    admin.put(&path, body).send().refused(422, "invalid");
    assert_eq!(admin.put(&path, until("2022-06-30")).send().ok()["state"], "pending");
}

#[test]
fn the_worse_profile_tells_how_far_a_partner_is() {
    let (world, id, admin) = contoso();
    let other = world.operator().post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let operator = world.operator();
    let (own, other): (Id, Id) = (id.parse().unwrap(), other.parse().unwrap());
    let on = |day: &str| -> Standing {
        let day: CalendarDate = day.parse().unwrap();
        let app = &world.service.app;
        let one = app.read_as_system(|tx| profiles::standing(tx, own, day)).unwrap();
        let all = app.read_as_system(|tx| profiles::standings(tx, &[own, other], day)).unwrap();
        assert_eq!((all[&own], all[&other], all.len()), (one, Standing::Missing, 2));
        one
    };
    let [(payout_path, payout, ..), (tax_path, tax, ..)] = both(&id);
    assert_eq!(on("2018-07-01"), Standing::Missing);
    admin.put(&payout_path, payout).send().ok();
    operator.post(&at(&payout_path, "approval"), json!({})).send().ok();
    assert_eq!(on("2018-07-01"), Standing::Missing);
    admin.put(&tax_path, tax.clone()).send().ok();
    assert_eq!(on("2018-07-01"), Standing::Pending);
    operator.post(&at(&tax_path, "rejection"), json!({"reason": "Not signed"})).send().ok();
    assert_eq!(on("2018-07-01"), Standing::ActionRequired);
    admin.put(&tax_path, tax).send().ok();
    operator.post(&at(&tax_path, "approval"), json!({})).send().ok();
    assert_eq!(on("2018-07-01"), Standing::Approved);
    assert_eq!((on("2019-06-30"), on("2019-07-01")), (Standing::Approved, Standing::ActionRequired));
}

#[test]
fn two_first_filings_at_once_leave_one_profile() {
    let (_world, id, admin) = contoso();
    let [(path, body, ..), _] = both(&id);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let filings: Vec<_> =
            (0..8).map(|_| scope.spawn(|| admin.put(&path, body.clone()).send().status)).collect();
        filings.into_iter().map(|filing| filing.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 201].contains(status)), "{statuses:?}");
}

#[test]
fn an_entity_tag_ends_with_the_document_it_stands_for() {
    let (world, id, admin) = contoso();
    let [_, (path, body, ..)] = both(&id);
    admin.put(&path, body).send().ok();
    world.operator().post(&at(&path, "approval"), json!({})).send().ok();
    world.on("2019-06-30");
    let before = world.auditor().get(&path).send().ok();
    world.on("2019-07-01");
    let after = world.auditor().get(&path).header("if-none-match", &before.etag()).send().ok();
    assert_eq!((&before["state"], &after["state"]), (&json!("approved"), &json!("action_required")));
    assert_eq!(before["revision"], after["revision"]);
}

#[test]
fn operators_list_what_waits_for_an_approval() {
    let world = World::new();
    let operator = world.operator();
    let partners: Vec<String> =
        (1..=3).map(|n| operator.post("/v1/partners", partner(n, "direct_bill")).send().ok().id()).collect();
    for partner in &partners {
        let admin = world.admin_of(partner);
        for (path, body, _, _) in both(partner) {
            admin.put(&path, body).send().ok();
        }
    }
    for (path, _, _, _) in both(&partners[1]) {
        operator.post(&at(&path, "approval"), json!({})).send().ok();
    }
    let listed = |list: &str, state: &str| -> Vec<String> {
        let page = operator.get(list).query("state", state).query("include_total", true).send().ok();
        let items = page["items"].as_array().unwrap();
        assert_eq!(page["total"], items.len());
        assert!(items.iter().all(|item| item["state"] == state), "{page}");
        items.iter().map(|item| item["partner_id"].as_str().unwrap().to_owned()).collect()
    };
    for list in ["/v1/payout-profiles", "/v1/tax-profiles"] {
        assert_eq!(listed(list, "pending"), [partners[2].clone(), partners[0].clone()], "{list}");
        assert_eq!(listed(list, "approved"), [partners[1].clone()], "{list}");
        assert!(listed(list, "action_required").is_empty(), "{list}");
        let first = operator.get(list).query("limit", 2).send().ok();
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = operator.get(list).query("limit", 2).query("cursor", cursor).send().ok();
        assert_eq!(
            (&rest["items"][0]["partner_id"], rest["items"].as_array().unwrap().len()),
            (&json!(partners[0]), 1)
        );
        for page in [first, rest] {
            let text = page.body.to_string();
            assert!(!text.contains(IBAN) && !text.contains("123456789"), "numbers are masked: {text}");
        }
        world.auditor().get(list).send().ok();
        world.admin_of(&partners[0]).get(list).send().refused(403, "forbidden");
    }
    // A document that has expired waits for its partner, whatever was decided before.
    world.on("2019-07-01");
    assert!(listed("/v1/tax-profiles", "pending").is_empty());
    assert!(listed("/v1/tax-profiles", "approved").is_empty());
    assert_eq!(listed("/v1/tax-profiles", "action_required").len(), 3);
    assert_eq!(listed("/v1/payout-profiles", "pending").len(), 2);
}

#[test]
fn nobody_approves_an_own_filing_by_a_second_account() {
    let (world, id, _) = contoso();
    let account = |email: &str, role: Role, partner: Option<&str>| {
        let partner = partner.map(|id| id.parse().unwrap());
        let new = person(email, "Olga Owner", role, partner);
        world.signed_in(users::provision(&world.service.app, new).unwrap())
    };
    let filer = account("olga@partner.example", Role::IncentiveAdmin, Some(&id));
    let alias = account("Olga+staff@Partner.example", Role::Operator, None);
    for (path, body, _, _) in both(&id) {
        filer.put(&path, body.clone()).send().ok();
        let refused = alias.post(&at(&path, "approval"), json!({})).send().refused(403, "own_filing");
        assert!(refused["filed_by"].is_string(), "{refused}");
        assert_eq!(world.operator().get(&path).send().ok()["state"], "pending");
        // Whoever refuses one's own gains nothing by it.
        alias.post(&at(&path, "rejection"), json!({"reason": "Typed wrong"})).send().ok();
        filer.put(&path, body).send().ok();
        world.operator().post(&at(&path, "approval"), json!({})).send().ok();
    }
}

#[test]
fn nobody_approves_an_own_filing_by_another_account_of_the_same_issuer() {
    use partner_incentives::{platform::db::Conn, schema::users::dsl as column};
    let (world, id, _) = contoso();
    let ids = [("filer@partner.example", Role::IncentiveAdmin), ("boss@vendor.example", Role::Operator)].map(
        |(email, role)| {
            let partner = (role == Role::IncentiveAdmin).then(|| id.parse().unwrap());
            users::provision(&world.service.app, person(email, "Olga Owner", role, partner)).unwrap()
        },
    );
    let vouched = move |conn: &mut Conn| {
        let vouched = (
            column::issuer.eq("https://login.example.com"),
            column::issuer_subject.eq("subject-1"),
            column::has_second_factor.eq(false),
        );
        diesel::update(column::users.filter(column::id.eq_any(ids))).set(vouched).execute(conn)?;
        Ok(())
    };
    let [filer, alias] = ids.map(|id| world.signed_in(id));
    for (path, body, _, _) in both(&id) {
        filer.put(&path, body).send().ok();
    }
    world.service.db.write(vouched).unwrap();
    for (path, ..) in both(&id) {
        alias.post(&at(&path, "approval"), json!({})).send().refused(403, "own_filing");
    }
}
