//! What is corrected by hand: one proposes, another decides; and the exchange rates everything is converted by.

use crate::{
    suite::{
        calculation::{Story, flat, text},
        partners::partner,
    },
    support::{Answer, Client, World, person, statements::behind_the_service},
};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, sql_query};
use partner_incentives::{
    access::{Role, Unaudited},
    identity::users,
    operations::verify,
    platform::db::Conn,
    schema,
};
use serde_json::{Value, json};

/// A partner with a rebate of 480.00 for August 2018, which is closed, and one of 48.00 for September.
fn owed(world: &World) -> Story<'_> {
    world.on("2018-08-10");
    let story = Story::new(world, &json!([flat("core", "0.08")]));
    story.sale("1", "2018-08-05", "10000.00");
    world.on("2018-09-10");
    story.sale("2", "2018-09-05", "1000.00");
    story.calculate();
    story.close("2018-08").ok();
    story
}

fn proposal(story: &Story<'_>, amount: &str, month: &str) -> Value {
    json!({
        "enrollment_id": story.enrollment, "amount": {"amount": amount, "currency": "USD"}, "earned_in": month,
        "reason_code": "sales_correction", "comment": "Billed at the wrong price",
    })
}

pub fn colleague(world: &World) -> Client {
    world.api_client(Role::Operator, None, "adjustments:read adjustments:write")
}

fn decide(client: &Client, adjustment: &str, how: &str) -> Answer {
    let body = json!({"comment": "Compared with the credit note"});
    client.post(&format!("/v1/adjustments/{adjustment}/{how}"), body).send()
}

#[test]
fn what_one_proposes_another_approves_and_it_is_owed() {
    let world = World::new();
    let story = owed(&world);
    let (maker, checker) = (&story.operator, colleague(&world));
    let proposed = maker.post("/v1/adjustments", proposal(&story, "-120.00", "2018-08")).send().ok();
    assert_eq!((&proposed["state"], &proposed["posted_in"]), (&json!("proposed"), &Value::Null));
    assert_eq!(proposed["allowed_transitions"], json!(["approval", "rejection"]));
    let id = proposed.id();
    let before = story.rebates();
    for how in ["approval", "rejection"] {
        let refused = decide(maker, &id, how).refused(403, "own_proposal");
        assert_eq!(refused["proposed_by"], proposed["proposed_by"]);
    }
    assert_eq!(story.rebates(), before, "a proposal owes nothing");
    let partners_own = world.admin_of(&story.partner);
    partners_own.get(&format!("/v1/adjustments/{id}")).send().refused(404, "not_found");
    // August is closed: September takes it.
    let approved = decide(&checker, &id, "approval").ok();
    assert_eq!((&approved["state"], &approved["posted_in"]), (&json!("approved"), &json!("2018-09")));
    assert_eq!(
        story.rebates(),
        [
            ("2018-08".into(), "480.00".into(), "payable".into()),
            ("2018-09".into(), "-72.00".into(), "accruing".into()),
        ]
    );
    let rebate = story.list("/v1/rebates?from=2018-09")[0].clone();
    assert_eq!(
        (&rebate["earned"]["amount"], &rebate["adjusted"]["amount"]),
        (&json!("48.00"), &json!("-120.00"))
    );
    let listed = partners_own.get("/v1/adjustments").send().ok();
    assert_eq!(listed["items"][0]["comment"], "Billed at the wrong price");
    for how in ["approval", "rejection"] {
        let refused = decide(&checker, &id, how).refused(409, "transition_not_allowed");
        assert_eq!((&refused["from"], &refused["allowed"]), (&json!("approved"), &json!([])));
    }
    story.verify();
}

#[test]
fn what_is_rejected_is_never_owed() {
    let world = World::new();
    let story = owed(&world);
    let checker = colleague(&world);
    let body = proposal(&story, "5.00", "2018-09");
    // A machine is a person, too: it decides on what others propose.
    let own = checker.post("/v1/adjustments", body.clone()).send().ok().id();
    decide(&checker, &own, "approval").refused(403, "own_proposal");
    decide(&story.operator, &own, "rejection").ok();
    decide(&story.operator, &own, "approval").refused(409, "transition_not_allowed");
    let path = format!(
        "/v1/adjustments/{}/rejection",
        story.operator.post("/v1/adjustments", body).send().ok().id()
    );
    checker.post(&path, json!({})).send().refused(422, "invalid");
    assert_eq!(story.list("/v1/adjustments?state=rejected").len(), 1);
    assert_eq!(
        story.list("/v1/adjustments?state=proposed&program=rewards&earned_in=2018-09&currency=USD").len(),
        1
    );
    assert!(story.list("/v1/adjustments?from=2018-01").is_empty(), "nothing is posted");
    assert_eq!(story.rebates().len(), 2);
    story.verify();
}

#[test]
fn thirty_approvals_at_once_post_it_once() {
    let world = World::new();
    let story = owed(&world);
    let checker = colleague(&world);
    let id = story.operator.post("/v1/adjustments", proposal(&story, "10.00", "2018-09")).send().ok().id();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..30).map(|_| scope.spawn(|| decide(&checker, &id, "approval").status)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409, 503].contains(status)), "{statuses:?}");
    assert_eq!(story.rebates()[1].1, "58.00");
    story.verify();
}

#[test]
fn an_adjustment_that_cannot_be_meant_is_refused_with_every_fault() {
    let world = World::new();
    let story = owed(&world);
    let refused = |change: &[(&str, Value)]| -> Vec<String> {
        let mut body = proposal(&story, "1.00", "2018-09");
        for (pointer, value) in change {
            *body.pointer_mut(pointer).unwrap() = value.clone();
        }
        let refusal = story.operator.post("/v1/adjustments", body).send().refused(422, "invalid");
        refusal["errors"].as_array().unwrap().iter().map(|error| text(&error["pointer"])).collect()
    };
    assert_eq!(refused(&[("/amount/amount", json!("0.00"))]), ["/amount/amount"]);
    assert_eq!(refused(&[("/amount/amount", json!("100000000.01"))]), ["/amount/amount"]);
    let chf = json!({"amount": "1.00", "currency": "CHF"});
    assert_eq!(
        refused(&[("/amount", chf), ("/earned_in", json!("2018-10"))]),
        ["/amount/currency", "/earned_in"],
        "another currency, and a month to come"
    );
    assert_eq!(refused(&[("/earned_in", json!("2018-06"))]), ["/earned_in"], "the year before");
    assert_eq!(refused(&[("/reason_code", json!("because"))]), ["/reason_code"]);
    let nowhere = json!("01936f2e-4b00-7000-8000-00000000dead");
    assert_eq!(refused(&[("/enrollment_id", nowhere)]), ["/enrollment_id"]);
    assert!(story.list("/v1/adjustments").is_empty());
}

#[test]
fn an_adjustment_that_was_changed_behind_the_service_s_back_is_found() {
    let world = World::new();
    let story = owed(&world);
    let id = story.operator.post("/v1/adjustments", proposal(&story, "10.00", "2018-09")).send().ok().id();
    decide(&colleague(&world), &id, "approval").ok();
    story.verify();
    let tamper = |tx: &mut partner_incentives::access::Tx<'_>| {
        tx.exempt_from_audit(Unaudited::NotPublished);
        behind_the_service(|| sql_query("UPDATE adjustments SET amount = amount + 100").execute(tx.conn))?;
        Ok(())
    };
    world.service.app.write_as_system("Test", tamper).unwrap();
    let findings = world.service.app.read_as_system(verify::sums_of_books).unwrap();
    let broken: Vec<_> =
        findings.iter().filter_map(|finding| Some((finding.name, finding.difference.as_ref()?))).collect();
    let told = |(name, difference): &(&str, &String)| {
        name.contains("adjustments") && difference.contains(&story.enrollment)
    };
    assert!(!broken.is_empty() && broken.iter().all(told), "{broken:?}");
}

#[test]
fn exchange_rates_are_published_once_and_in_one_direction() {
    let world = World::new();
    world.on("2018-11-05");
    let operator = world.operator();
    let put = |month: &str, rates: Value| {
        operator.put(&format!("/v1/fx-rates/{month}"), json!({"rates": rates})).send()
    };
    let rate = |base: &str, quote: &str, rate: &str| json!({"base": base, "quote": quote, "rate": rate});
    let first = put("2018-11", json!([rate("USD", "JPY", "113.27"), rate("EUR", "USD", "1.1361")])).ok();
    assert_eq!(first["rates"].as_array().unwrap().len(), 2);
    let again = put("2018-11", json!([rate("USD", "JPY", "113.270"), rate("USD", "CHF", "0.9871")])).ok();
    let pairs: Vec<String> = again["rates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rate| format!("{}{}{}", text(&rate["base"]), text(&rate["quote"]), text(&rate["rate"])))
        .collect();
    assert_eq!(pairs, ["EURUSD1.1361", "USDCHF0.9871", "USDJPY113.27"]);
    for other in [rate("USD", "JPY", "113.28"), rate("JPY", "USD", "0.0088")] {
        let refused =
            put("2018-11", json!([rate("USD", "SEK", "9.1"), other])).refused(409, "fx_rate_published");
        assert_eq!(refused["published"]["rate"], "113.27");
    }
    put("2018-12", json!([rate("USD", "JPY", "113.27")])).refused(409, "fx_month_ahead");
    let doubtful =
        put("2018-10", json!([rate("USD", "USD", "1"), rate("USD", "JPY", "1"), rate("JPY", "USD", "1")]));
    let doubtful = doubtful.refused(422, "invalid");
    assert_eq!(
        (&doubtful["errors"][0]["pointer"], &doubtful["errors"][1]["pointer"]),
        (&json!("/rates/0/quote"), &json!("/rates/2"))
    );
    put("2018-10", json!([rate("USD", "JPY", "0")])).refused(422, "invalid");
    let read = world.auditor().get("/v1/fx-rates/2018-11").send().ok();
    assert_eq!((&read["month"], read["rates"].as_array().unwrap().len()), (&json!("2018-11"), 3));
    let none = world.auditor().get("/v1/fx-rates/2018-10").send().ok();
    assert_eq!(none["rates"], json!([]));
    world.auditor().put("/v1/fx-rates/2018-10", json!({"rates": []})).send().refused(403, "forbidden");
}

#[test]
fn a_partner_sees_what_is_approved_and_nothing_before() {
    let world = World::new();
    let story = owed(&world);
    let id = story.operator.post("/v1/adjustments", proposal(&story, "20.00", "2018-09")).send().ok().id();
    let other = story.operator.post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    let (stranger, own) = (world.admin_of(&other), world.admin_of(&story.partner));
    let told = |client: &Client| {
        let events = client.get("/v1/audit-events").query("resource_id", &id).send().ok();
        events["items"].as_array().unwrap().len()
    };
    for client in [&own, &world.viewer_of(&story.partner), &stranger] {
        client.get(&format!("/v1/adjustments/{id}")).send().refused(404, "not_found");
        assert_eq!(client.get("/v1/adjustments").send().ok()["items"], json!([]));
        client.post("/v1/adjustments", proposal(&story, "1.00", "2018-09")).send().refused(403, "forbidden");
    }
    assert_eq!((told(&own), told(&story.operator)), (0, 1));
    decide(&colleague(&world), &id, "approval").ok();
    let whole = story.operator.get(&format!("/v1/adjustments/{id}")).send().ok();
    let seen = own.get(&format!("/v1/adjustments/{id}")).send().ok();
    assert_eq!((&seen["state"], &seen["comment"]), (&json!("approved"), &json!("Billed at the wrong price")));
    let listed = own.get("/v1/adjustments").send().ok()["items"][0].clone();
    let told_own = own.get("/v1/audit-events").query("resource_id", &id).send().ok()["items"][0].clone();
    for hidden in ["proposed_by", "decided_by", "decision_comment"] {
        assert!(!whole[hidden].is_null(), "{hidden}");
        for shown in [&seen.body, &listed, &told_own["after"]] {
            assert!(shown[hidden].is_null(), "{hidden} of {shown}");
        }
    }
    let internal = [&whole["decided_by"], &whole["proposed_by"], &whole["decision_comment"]];
    let file = own.get("/v1/adjustments").header("accept", "text/csv").send().ok();
    let file = String::from_utf8(file.bytes).unwrap();
    for text in [told_own.to_string(), file] {
        assert!(internal.iter().all(|value| !text.contains(value.as_str().unwrap())), "{text}");
    }
    assert_eq!(told(&story.operator), 3, "the proposal, the approval, and what the partner is told");
    assert_eq!((told(&own), told(&stranger)), (1, 0));
    stranger.get(&format!("/v1/adjustments/{id}")).send().refused(404, "not_found");
}

#[test]
fn a_rebate_that_is_held_stays_held() {
    let world = World::new();
    let story = owed(&world);
    let held = format!("/v1/rebates/{}", text(&story.list("/v1/rebates?from=2018-09")[0]["id"]));
    let because = json!({"reason": "Figures are being clarified"});
    story.operator.post(&format!("{held}/hold"), because).send().ok();
    let id = story.operator.post("/v1/adjustments", proposal(&story, "-8.00", "2018-09")).send().ok().id();
    decide(&colleague(&world), &id, "approval").ok();
    let rebate = story.operator.get(&held).send().ok();
    assert_eq!((&rebate["state"], &rebate["amount"]["amount"]), (&json!("on_hold"), &json!("40.00")));
    assert_eq!(rebate["state_reason"]["code"], "held_by_operator");
    story.verify();
}

#[test]
fn many_adjustments_of_one_rebate_approved_at_once_are_all_in_it() {
    let world = World::new();
    let story = owed(&world);
    let propose =
        |_| story.operator.post("/v1/adjustments", proposal(&story, "1.25", "2018-09")).send().ok().id();
    let ids: Vec<String> = (0..8).map(propose).collect();
    let checker = colleague(&world);
    std::thread::scope(|scope| {
        for id in &ids {
            // One that lost against the others too often is told to come again.
            scope.spawn(|| while decide(&checker, id, "approval").status == 503 {});
        }
    });
    assert_eq!(story.rebates()[1].1, "58.00");
    story.verify();
}

#[test]
fn exchange_rates_are_listed_month_by_month() {
    let world = World::new();
    world.on("2018-11-05");
    let operator = world.operator();
    for month in ["2018-10", "2018-11", "2018-09"] {
        let rates = json!([{"base": "USD", "quote": "JPY", "rate": "113.27"}, {"base": "USD", "quote": "CHF", "rate": "1"}]);
        operator.put(&format!("/v1/fx-rates/{month}"), json!({"rates": rates})).send().ok();
    }
    let mut seen = Vec::new();
    let mut page = operator.get("/v1/fx-rates?limit=1").send().ok();
    loop {
        seen.push(text(&page["items"][0]["month"]));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        page = operator.get("/v1/fx-rates?limit=1").query("cursor", cursor).send().ok();
    }
    assert_eq!(seen, ["2018-11", "2018-11", "2018-10", "2018-10", "2018-09", "2018-09"]);
    let chf = operator.get("/v1/fx-rates?quote=CHF&base=USD&month=2018-10&include_total=true").send().ok();
    assert_eq!(chf["total"], 1);
}

#[test]
fn nobody_approves_an_own_proposal_by_a_second_account() {
    let world = World::new();
    let story = owed(&world);
    let account = |email: &str| {
        let new = person(email, "Olga Operator", Role::Operator, None);
        world.signed_in(users::provision(&world.service.app, new).unwrap())
    };
    let maker = account("olga@vendor.example");
    let alias = account("Olga+approvals@Vendor.example");
    let other = account("olga.other@vendor.example");
    let id = maker.post("/v1/adjustments", proposal(&story, "5.00", "2018-09")).send().ok().id();
    for how in ["approval", "rejection"] {
        decide(&alias, &id, how).refused(403, "own_proposal");
    }
    decide(&other, &id, "approval").ok();
    // Nor where one issuer vouches for both accounts by the same subject.
    let [maker, alias] = vouched_for(&world, ["o.operator@vendor.example", "olga@another.example"]);
    let id = maker.post("/v1/adjustments", proposal(&story, "6.00", "2018-09")).send().ok().id();
    for how in ["approval", "rejection"] {
        decide(&alias, &id, how).refused(403, "own_proposal");
    }
    decide(&other, &id, "approval").ok();
}

/// One person of a trusted issuer with two accounts, whose addresses tell nothing.
pub fn vouched_for(world: &World, emails: [&str; 2]) -> [Client; 2] {
    emails.map(|email| {
        let new = person(email, "Olga Operator", Role::Operator, None);
        let id = users::provision(&world.service.app, new).unwrap();
        let client = world.signed_in(id);
        let vouch = move |conn: &mut Conn| {
            diesel::update(schema::users::table.find(id))
                .set((
                    schema::users::issuer.eq("https://login.example"),
                    schema::users::issuer_subject.eq("olga-7"),
                ))
                .execute(conn)?;
            Ok(())
        };
        world.service.db.write(vouch).unwrap();
        client
    })
}
