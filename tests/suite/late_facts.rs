//! What is recorded late leads an enrollment to where one look at everything known leads: whatever came first, and
//! whether its year is over.

use crate::{
    suite::{
        calculation::Story,
        enrollments::Case,
        enrollments_by_day::{asking, lost, newest, paper, publish, refresh_on, stands, window, windows},
        profiles,
    },
    support::World,
};
use partner_incentives::{
    participation::enrollments::{self, EnrollmentHistory},
    platform::values::Period,
};
use serde_json::{Value, json};

/// A direct bill partner whose MPN agreement lapses with its grace on 31 October 2018, that has asked for an enrollment
/// and filed its profiles.
struct Waiting<'w> {
    case: Case<'w>,
    enrollment: String,
}

impl<'w> Waiting<'w> {
    fn new(world: &'w World) -> Self {
        let case = Case::new(world, 1, "direct_bill")
            .agreement("mpn", "2018-07-01", Some("2018-09-30"))
            .agreement("reseller", "2018-07-01", None)
            .competency("devops", "gold", "2018-07-01");
        world.on("2018-10-05");
        let admin = world.admin_of(&case.id);
        let enrollment = case.ask(&admin, "csp-direct-bill").ok().id();
        profiles::are_filed(&admin, &case.id);
        Self { case, enrollment }
    }

    fn approve(&self) {
        profiles::are_approved(&self.case.world.operator(), &self.case.id);
    }

    fn renew(self, from: &str) -> Self {
        let Self { case, enrollment } = self;
        Self { case: case.agreement("mpn", from, Some("2019-06-30")), enrollment }
    }

    fn stands(&self) -> (Value, Value) {
        let path = format!("/v1/enrollments/{}", self.enrollment);
        let seen = self.case.world.operator().get(&path).send().ok();
        (seen["state"].clone(), seen["earnings_start_on"].clone())
    }

    fn windows(&self) -> Vec<Period> {
        let partner = self.case.id.parse().unwrap();
        let all =
            self.case.world.service.app.read_as_system(|tx| enrollments::with_history(tx, partner, 2019));
        all.unwrap().iter().flat_map(EnrollmentHistory::earning_windows).collect()
    }
}

#[test]
fn profiles_approved_while_a_rule_seemed_lost_start_earning_in_their_own_month() {
    let right = (json!("enrolled"), json!("2018-11-01"));
    // The loss is found, the profiles are approved, and the renewal is recorded in December.
    let world = World::new();
    let waiting = Waiting::new(&world);
    refresh_on(&world, "2018-11-02");
    assert_eq!(waiting.stands(), (json!("ineligible"), Value::Null));
    world.on("2018-11-20");
    waiting.approve();
    assert_eq!(waiting.stands(), (json!("ineligible"), Value::Null));
    world.on("2018-12-05");
    let waiting = waiting.renew("2018-10-31");
    assert_eq!(waiting.stands(), right);
    assert_eq!(waiting.windows(), [window("2018-11-01", "")]);
    // The renewal is recorded first.
    let world = World::new();
    let waiting = Waiting::new(&world);
    refresh_on(&world, "2018-11-02");
    world.on("2018-11-10");
    let waiting = waiting.renew("2018-10-31");
    world.on("2018-11-20");
    waiting.approve();
    assert_eq!(waiting.stands(), right);
    assert_eq!(waiting.windows(), [window("2018-11-01", "")]);
}

#[test]
fn a_gap_that_ended_before_the_approval_starts_anew_with_it() {
    let world = World::new();
    let waiting = Waiting::new(&world);
    refresh_on(&world, "2018-11-02");
    world.on("2018-11-20");
    waiting.approve();
    world.on("2018-12-05");
    let waiting = waiting.renew("2018-12-03");
    assert_eq!(waiting.stands(), (json!("invited"), Value::Null));
    let path = format!("/v1/enrollments/{}/acceptance", waiting.enrollment);
    world.admin_of(&waiting.case.id).post(&path, json!({})).send().ok();
    assert_eq!(waiting.stands(), (json!("enrolled"), json!("2018-12-01")));
    assert_eq!(waiting.windows(), [window("2018-12-01", "")]);
}

#[test]
fn a_loss_before_the_approval_takes_back_what_the_approval_began() {
    let end = json!({"terminated_on": "2018-11-10", "reason": "found late"});
    let terminate = |waiting: &Waiting<'_>| {
        let operator = waiting.case.world.operator();
        let listed =
            operator.get("/v1/reseller-agreements").query("partner_id", &waiting.case.id).send().ok();
        let path =
            format!("/v1/reseller-agreements/{}/termination", listed["items"][0]["id"].as_str().unwrap());
        operator.post(&path, end.clone()).send().ok();
    };
    for told_late in [false, true] {
        let world = World::new();
        let waiting = Waiting::new(&world).renew("2018-10-31");
        world.on("2018-11-12");
        if !told_late {
            terminate(&waiting);
        }
        world.on("2018-11-20");
        waiting.approve();
        if told_late {
            assert_eq!(waiting.windows(), [window("2018-11-01", "")]);
            world.on("2018-12-05");
            terminate(&waiting);
        }
        assert_eq!(waiting.stands(), (json!("ineligible"), Value::Null), "told late: {told_late}");
        assert_eq!(waiting.windows(), [], "told late: {told_late}");
    }
}

/// A partner enrolled from July 2018, whose agreement lapses on a day; the next program year asks for one too.
fn lapsing<'w>(world: &'w World, last: &str) -> Story<'w> {
    let asks = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
    let story = Story::with(world, &asking(&asks, "2018-07-01", "2019-06-30"), |partner| {
        let body = json!({
            "partner_id": partner, "agreement_number": "A-1", "signed_by": "Sam Signer",
            "signed_on": "2018-07-01", "effective_on": "2018-07-01", "expires_on": last,
            "membership_level": "silver", "grace_days": 0,
        });
        world.operator().post("/v1/mpn-agreements", body).send().ok();
    });
    publish(&story, 2, asking(&asks, "2019-07-01", "2020-06-30"));
    story
}

fn ended_on(story: &Story<'_>, day: &str) {
    let listed = story.operator.get("/v1/mpn-agreements").query("partner_id", &story.partner).send().ok();
    let path = format!("/v1/mpn-agreements/{}/termination", listed["items"][0]["id"].as_str().unwrap());
    let operator = story.world.operator();
    operator.post(&path, json!({"terminated_on": day, "reason": "found late"})).send().ok();
}

/// The causes in the history of the story's enrollment, oldest first.
fn causes(story: &Story<'_>) -> Vec<String> {
    let path = format!("/v1/enrollments/{}/history", story.enrollment);
    let listed = story.world.operator().get(&path).send().ok();
    let items = listed["items"].as_array().unwrap();
    items.iter().rev().map(|change| change["cause"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_renewal_recorded_after_the_year_was_over_takes_the_enrollment_into_the_next() {
    let world = World::new();
    let story = lapsing(&world, "2019-06-20");
    refresh_on(&world, "2019-07-05");
    assert_eq!(newest(&story).0, "expired");
    world.on("2019-07-10");
    paper(&story, "A-2", "2019-06-21", "2020-12-31");
    assert_eq!(newest(&story), stands("enrolled", "2019-07-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "2019-06-30"), window("2019-07-01", "")]);
    assert_eq!(causes(&story), ["requested", "rules_lost", "year_ended", "cured", "year_ended"]);
    // Whoever stands right is left in peace.
    refresh_on(&world, "2019-07-11");
    assert_eq!(causes(&story).len(), 5);
}

#[test]
fn who_has_asked_again_by_then_turns_out_to_have_gone_on() {
    let world = World::new();
    let story = lapsing(&world, "2019-06-20");
    refresh_on(&world, "2019-07-05");
    world.on("2019-08-08");
    paper(&story, "A-2", "2019-08-01", "2020-12-31");
    let asked = json!({"partner_id": story.partner, "program": story.program, "reason": "By telephone"});
    world.operator().post("/v1/enrollments", asked).send().ok();
    assert_eq!(newest(&story), stands("enrolled", "2019-08-01"));
    world.on("2019-09-01");
    paper(&story, "A-3", "2019-06-21", "2019-07-31");
    assert_eq!(newest(&story), stands("enrolled", "2019-07-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "2019-06-30"), window("2019-07-01", "")]);
}

#[test]
fn a_loss_before_the_end_of_the_year_that_is_found_after_it_takes_the_new_year_back() {
    let world = World::new();
    let story = lapsing(&world, "2020-12-31");
    refresh_on(&world, "2019-07-05");
    assert_eq!(newest(&story), stands("enrolled", "2019-07-01"));
    world.on("2019-07-10");
    ended_on(&story, "2019-06-10");
    assert_eq!(newest(&story), lost("2019-07-01", "2019-07-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "2019-06-09")]);
    assert_eq!(causes(&story), ["requested", "year_ended", "rules_lost", "year_ended"]);
    paper(&story, "A-2", "2019-06-15", "2020-12-31");
    assert_eq!(newest(&story).0, "invited", "there was a gap: the partner accepts anew");
    assert_eq!(windows(&story), [window("2018-07-01", "2019-06-09")]);
    paper(&story, "A-3", "2019-06-10", "2019-06-14");
    assert_eq!(newest(&story), stands("enrolled", "2019-07-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "2019-06-30"), window("2019-07-01", "")]);
}

#[test]
fn a_loss_in_a_year_long_over_moves_to_its_own_day() {
    let world = World::new();
    let story = lapsing(&world, "2019-03-31");
    refresh_on(&world, "2019-04-05");
    refresh_on(&world, "2019-07-05");
    refresh_on(&world, "2020-07-05");
    world.on("2021-07-20");
    paper(&story, "A-2", "2019-04-01", "2019-04-20");
    assert_eq!(windows(&story), [window("2018-07-01", "2019-04-20")]);
    assert_eq!(newest(&story).0, "expired");
}

#[test]
fn an_invitation_that_ran_out_was_none_where_nothing_had_been_lost() {
    let world = World::new();
    let asks = json!([{"rule": "partner_active"}, {"rule": "mpn_agreement"}]);
    let mut short = asking(&asks, "2018-07-01", "2019-06-30");
    short["invitation_days"] = json!(10);
    let story = Story::with(&world, &short, |partner| {
        let body = json!({
            "partner_id": partner, "agreement_number": "A-1", "signed_by": "Sam Signer",
            "signed_on": "2018-07-01", "effective_on": "2018-07-01", "expires_on": "2018-09-30",
            "membership_level": "silver", "grace_days": 0,
        });
        world.operator().post("/v1/mpn-agreements", body).send().ok();
    });
    refresh_on(&world, "2018-10-01");
    world.on("2018-10-10");
    paper(&story, "A-2", "2018-10-05", "2019-12-31");
    assert_eq!(newest(&story).0, "invited");
    refresh_on(&world, "2018-10-25");
    assert_eq!(newest(&story).0, "expired");
    // What becomes of the rules after that is nothing to it.
    suspend(&story, "suspension");
    assert_eq!(newest(&story).0, "expired");
    suspend(&story, "reinstatement");
    world.on("2018-12-01");
    paper(&story, "A-3", "2018-10-01", "2018-10-04");
    assert_eq!(newest(&story), stands("enrolled", "2018-07-01"));
    assert_eq!(windows(&story), [window("2018-07-01", "")]);
    let told = ["requested", "rules_lost", "cured", "invitation_expired", "cured"];
    assert_eq!(causes(&story), told);
}

fn suspend(story: &Story<'_>, event: &str) {
    let path = format!("/v1/partners/{}/{event}", story.partner);
    story.world.operator().post(&path, json!({"reason": "ticket 4711"})).send().ok();
}

#[test]
fn what_people_have_ended_stays_and_nobody_can_take_an_ended_one_up() {
    let world = World::new();
    let story = lapsing(&world, "2019-06-20");
    let other_world = World::new();
    let another = lapsing(&other_world, "2019-06-20");
    refresh_on(&other_world, "2019-07-05");
    world.on("2019-06-15");
    let because = json!({"reason": "By telephone"});
    let path = format!("/v1/enrollments/{}", story.enrollment);
    world.operator().post(&format!("{path}/opt-out"), because.clone()).send().ok();
    refresh_on(&world, "2019-07-05");
    world.on("2019-07-10");
    paper(&story, "A-2", "2019-06-21", "2020-12-31");
    assert_eq!(newest(&story).0, "opted_out");
    let ended = format!("/v1/enrollments/{}", another.enrollment);
    for event in ["acceptance", "opt-out", "discontinuation"] {
        let refused = other_world.operator().post(&format!("{ended}/{event}"), because.clone()).send();
        refused.refused(409, "transition_not_allowed");
    }
}
