//! Units that meet: each rule that reads before it writes holds, however many do it at once, and whoever has to wait
//! waits instead of being refused.

use crate::{
    suite::{
        adjustments::colleague,
        calculation::{Story, flat},
        partners::partner,
        profiles,
    },
    support::{Answer, Client, World},
};
use serde_json::{Value, json};
use std::sync::Barrier;

/// Does something so many times at the same moment; what came of each.
fn at_once<T: Send>(times: u32, ask: impl Fn(u32) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(times as usize);
    std::thread::scope(|scope| {
        let ask = |nth| {
            let (ask, start) = (&ask, &start);
            move || {
                start.wait();
                ask(nth)
            }
        };
        let asked: Vec<_> = (0..times).map(|nth| scope.spawn(ask(nth))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    })
}

/// Does two things at the same moment.
fn both(one: impl Fn() -> Answer + Sync, other: impl Fn() -> Answer + Sync) -> (Answer, Answer) {
    let mut answers = at_once(2, |nth| if nth == 0 { one() } else { other() }).into_iter();
    (answers.next().unwrap(), answers.next().unwrap())
}

/// How many answers were 2xx; each of the others must be this problem.
#[track_caller]
fn done(answers: Vec<Answer>, otherwise: (u16, &str)) -> usize {
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status < 300);
    for answer in refused {
        answer.refused(otherwise.0, otherwise.1);
    }
    done.len()
}

fn new_partner(operator: &Client, n: u32, more: &Value) -> String {
    let mut body = partner(n, "direct_bill");
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    operator.post("/v1/partners", body).send().ok().id()
}

fn agreement(partner: &str, number: &str) -> Value {
    json!({
        "partner_id": partner, "agreement_number": number, "signed_by": "Kim", "signed_on": "2018-06-01",
        "effective_on": "2018-06-01", "expires_on": "2019-06-30", "membership_level": "silver",
    })
}

#[test]
fn writers_of_one_partner_wait_for_each_other_and_none_is_refused() {
    // Nobody waits for a connection, which has its own limit.
    let world = World::with(|settings| settings.database_connections = 32);
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-11-20");
    let (operator, sold_by) = (story.operator.clone(), story.partner.clone());
    let answers = at_once(32, |writer| {
        let sell = |n| {
            let sale = json!({
                "source": "billing", "external_id": format!("{writer}-{n}"), "partner_id": sold_by,
                "customer": {"id": "C-1", "country": "DE"}, "product": "SKU-1", "product_family": "azure",
                "kind": "purchase", "occurred_on": "2018-11-01", "amount": {"amount": "10.00", "currency": "USD"},
            });
            operator.post("/v1/transactions", sale).send().status
        };
        (0..4).map(sell).collect::<Vec<_>>()
    });
    assert!(answers.iter().flatten().all(|status| *status == 201), "{answers:?}");
    assert_eq!(story.list("/v1/transactions").len(), 128);
}

#[test]
fn writers_of_different_partners_never_meet() {
    let world = World::with(|settings| settings.database_connections = 16);
    let operator = world.operator();
    let answers = at_once(16, |writer| {
        let own = |n: u32| {
            let number = 100 * writer + n;
            let id = new_partner(&operator, number, &json!({}));
            operator.post("/v1/mpn-agreements", agreement(&id, &format!("M-{number}"))).send().status
        };
        (0..8).map(own).collect::<Vec<_>>()
    });
    assert!(answers.iter().flatten().all(|status| *status == 201), "{answers:?}");
}

#[test]
fn of_agreements_over_the_same_days_one_is_recorded() {
    let world = World::new();
    let operator = world.operator();
    for round in 0..4 {
        let id = new_partner(&operator, round, &json!({}));
        let sign = |n| operator.post("/v1/mpn-agreements", agreement(&id, &format!("M-{round}-{n}"))).send();
        assert_eq!(done(at_once(8, sign), (409, "agreement_overlaps")), 1);
    }
}

#[test]
fn of_agreements_with_one_number_one_is_recorded() {
    let world = World::new();
    let operator = world.operator();
    let partners: Vec<_> = (0..8).map(|n| new_partner(&operator, n, &json!({}))).collect();
    let sign = |n: u32| operator.post("/v1/mpn-agreements", agreement(&partners[n as usize], "M-1")).send();
    assert_eq!(done(at_once(8, sign), (409, "agreement_number_taken")), 1);
}

#[test]
fn headquarters_are_never_nested() {
    let world = World::new();
    let operator = world.operator();
    for round in 0..6 {
        let [low, middle, top] = [0, 1, 2].map(|n| new_partner(&operator, 10 * round + n, &json!({})));
        let join = |id: &str, above: &str| {
            let change = json!({"headquarters_id": above});
            operator.patch(&format!("/v1/partners/{id}"), change).if_match("*").send()
        };
        let (one, other) = both(|| join(&low, &middle), || join(&middle, &top));
        assert_eq!(done(vec![one, other], (409, "headquarters_nested")), 1, "round {round}");
    }
}

#[test]
fn a_partner_that_is_deleted_takes_no_record_with_it() {
    let world = World::new();
    let operator = world.operator();
    for round in 0..6 {
        let id = new_partner(&operator, round, &json!({}));
        let path = format!("/v1/partners/{id}");
        let (deleted, signed) = both(
            || operator.delete(&path).send(),
            || operator.post("/v1/mpn-agreements", agreement(&id, &format!("M-{round}"))).send(),
        );
        if deleted.status == 204 {
            signed.refused(422, "invalid");
        } else {
            deleted.refused(409, "partner_referred_to");
            signed.ok();
        }
    }
}

#[test]
fn a_headquarters_that_is_deleted_leaves_no_location_behind() {
    let world = World::new();
    let operator = world.operator();
    for round in 0..6 {
        let headquarters = new_partner(&operator, 10 * round, &json!({}));
        let mut location = partner(10 * round + 1, "direct_bill");
        location["headquarters_id"] = json!(headquarters);
        let (deleted, made) = both(
            || operator.delete(&format!("/v1/partners/{headquarters}")).send(),
            || operator.post("/v1/partners", location.clone()).send(),
        );
        if deleted.status == 204 {
            made.refused(422, "invalid");
        } else {
            deleted.refused(409, "partner_referred_to");
            made.ok();
        }
    }
}

#[test]
fn a_location_never_rests_on_an_agreement_its_headquarters_has_just_lost() {
    let world = World::new();
    let asks = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
    let operator = world.operator();
    let program = json!({"code": "rewards", "name": "Rewards", "partner_types": ["direct_bill"]});
    operator.post("/v1/programs", program).send().ok();
    let version = json!({
        "program_year": 2019, "requirements": asks, "levers": [flat("core", "0.08")],
        "split": {"rebate_rate": "0.6"}, "payment_threshold": {"amount": "200.00", "currency": "USD"},
        "coop_threshold": {"amount": "10000.00", "currency": "USD"},
    });
    operator.post("/v1/programs/rewards/versions", version).send().ok();
    operator.post("/v1/programs/rewards/versions/1/publication", json!({})).if_match("*").send().ok();
    for round in 0..6 {
        let headquarters = new_partner(&operator, 10 * round, &json!({}));
        let location = new_partner(&operator, 10 * round + 1, &json!({"headquarters_id": headquarters}));
        let number = format!("M-{round}");
        let signed = operator.post("/v1/mpn-agreements", agreement(&headquarters, &number)).send().ok().id();
        let end = json!({"terminated_on": "2018-07-01", "reason": "Left the network"});
        let ask = json!({"partner_id": location, "program": "rewards", "reason": "By telephone"});
        let (ended, asked) = both(
            || operator.post(&format!("/v1/mpn-agreements/{signed}/termination"), end.clone()).send(),
            || operator.post("/v1/enrollments", ask.clone()).send(),
        );
        ended.ok();
        if asked.status == 201 {
            let enrollment = operator.get(&format!("/v1/enrollments/{}", asked.id())).send().ok();
            assert_eq!(enrollment["state"], "ineligible", "round {round}: {enrollment}");
        } else {
            asked.refused(422, "not_eligible");
        }
    }
}

#[test]
fn two_operators_who_bar_each_other_leave_one() {
    for _ in 0..4 {
        let world = World::new();
        let (boss, colleague) = (world.operator(), world.another_operator());
        let [my_id, their_id] = [&boss, &colleague].map(|operator| operator.get("/v1/me").send().ok().id());
        let bar = |by: &Client, id: &str| {
            by.post(&format!("/v1/users/{id}/deactivation"), json!({"reason": "Left us"})).send()
        };
        let (mine, theirs) = both(|| bar(&boss, &their_id), || bar(&colleague, &my_id));
        let barred = [mine.status, theirs.status].iter().filter(|status| **status == 200).count();
        assert_eq!(barred, 1, "{mine} {theirs}");
    }
}

#[test]
fn of_versions_over_the_same_days_one_is_published() {
    let world = World::new();
    let operator = world.operator();
    let program = json!({"code": "rewards", "name": "Rewards", "partner_types": ["direct_bill"]});
    operator.post("/v1/programs", program).send().ok();
    let draft = crate::suite::calculation::version(&json!([flat("core", "0.08")]));
    let write = |_| operator.post("/v1/programs/rewards/versions", draft.clone()).send();
    let written = at_once(4, write);
    assert_eq!(done(written, (0, "none")), 4, "each draft gets a number of its own");
    let publish = |n: u32| {
        let path = format!("/v1/programs/rewards/versions/{}/publication", n + 1);
        operator.post(&path, json!({})).if_match("*").send()
    };
    assert_eq!(done(at_once(4, publish), (409, "version_overlaps")), 1);
}

#[test]
fn a_rate_that_is_published_while_sales_are_calculated_reaches_every_sale() {
    let world = World::new();
    let mut capped = flat("capped", "0.10");
    capped["cap"] = json!({"scope": "partner", "amount": {"amount": "50000.00", "currency": "USD"}});
    let story = Story::new(&world, &json!([capped]));
    world.on("2018-11-20");
    for round in 0..4 {
        let month = format!("2018-{:02}", 7 + round);
        for n in 0..5 {
            story.sale(&format!("{month}-{n}"), &format!("{month}-1{n}"), "100.00 EUR");
        }
        let rates = json!({"rates": [{"base": "EUR", "quote": "USD", "rate": "1.2"}]});
        let operator = story.operator.clone();
        let (published, started) = both(
            || operator.put(&format!("/v1/fx-rates/{month}"), rates.clone()).send(),
            || operator.post("/v1/calculation-runs", json!({})).send(),
        );
        published.ok();
        started.ok();
        story.calculate();
        let waiting = story.list("/v1/ineligible-records?cured=false");
        assert!(waiting.is_empty(), "round {round}: {waiting:?}");
    }
    story.verify();
}

#[test]
fn a_month_that_closes_while_a_profile_is_decided_knows_the_decision() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-12-20");
    let path = format!("/v1/partners/{}/tax-profile", story.partner);
    for (n, month) in ["2018-07", "2018-08", "2018-09", "2018-10"].iter().enumerate() {
        story.sale(month, &format!("{month}-15"), "10000.00");
        story.calculate();
        let operator = story.operator.clone();
        let (closed, decided) = both(
            || close(&operator, month),
            || match n % 2 {
                0 => operator.post(&format!("{path}/rejection"), json!({"reason": "Unreadable"})).send(),
                _ => operator.post(&format!("{path}/approval"), json!({})).send(),
            },
        );
        decided.ok();
        if closed.status == 409 {
            // The decision came first, and its partner waits for the calculation.
            closed.refused(409, "calculation_needed");
            story.calculate();
            close(&operator, month).ok();
        } else {
            closed.ok();
        }
        let expected = if n % 2 == 0 { "on_hold" } else { "payable" };
        for rebate in story.list("/v1/rebates") {
            assert_eq!(rebate["state"], expected, "{month}: {rebate}");
        }
        if n % 2 == 0 {
            let tax = profiles::vat(&format!("DE12345678{n}"));
            world.admin_of(&story.partner).put(&path, tax).send().ok();
        }
    }
    story.verify();
}

#[test]
fn nothing_is_posted_into_a_month_that_closes_at_that_moment() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-12-20");
    let checker = colleague(&world);
    story.calculate();
    for month in ["2018-07", "2018-08", "2018-09"] {
        let adjustment = json!({
            "enrollment_id": story.enrollment, "amount": {"amount": "10.00", "currency": "USD"},
            "earned_in": month, "reason_code": "goodwill", "comment": "Agreed with the partner",
        });
        let id = story.operator.post("/v1/adjustments", adjustment).send().ok().id();
        let operator = story.operator.clone();
        let (closed, approved) = both(
            || close(&operator, month),
            || checker.post(&format!("/v1/adjustments/{id}/approval"), json!({})).send(),
        );
        closed.ok();
        approved.ok();
    }
    story.verify();
}

fn close(operator: &Client, month: &str) -> Answer {
    operator.post(&format!("/v1/accounting-months/{month}/closure"), json!({})).send()
}
