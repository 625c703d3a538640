//! Claims, refunds, reviewers, the calendar and the end of the time for claims, in any order: the parts of a fund add up after
//! every step, and nothing of it is below zero.

use crate::{
    suite::{
        calculation::text,
        coop_claims::{Claimant, tell},
        coop_funds::on,
    },
    support::{Answer, World},
};
use partner_incentives::platform::values::{CalendarDate, Month};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::json;

/// What happens next; the numbers choose the claim, the amount and the decision.
#[derive(Clone, Copy, Debug)]
enum Step {
    Draft {
        activity: usize,
        dollars: i64,
    },
    Submit(usize),
    Recall(usize),
    Cancel(usize),
    Take(usize),
    HandBack(usize),
    Approve {
        claim: usize,
        by: usize,
        part: i64,
    },
    Reject {
        claim: usize,
        by: usize,
    },
    Ask(usize),
    Dispute(usize),
    Refund {
        dollars: i64,
    },
    DaysLater(i32),
    /// The month is closed, and a run pays what is approved.
    Pay,
    Arrive(usize),
    ComeBack {
        payment: usize,
        reversed: bool,
    },
    Release(usize),
    Plan {
        activity: usize,
        dollars: i64,
    },
    MovePlan(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let claim = 0..5_usize;
    prop_oneof![
        3 => (0..3_usize, 1..7000_i64).prop_map(|(activity, dollars)| Step::Draft { activity, dollars }),
        5 => claim.clone().prop_map(Step::Submit),
        2 => claim.clone().prop_map(Step::Recall),
        1 => claim.clone().prop_map(Step::Cancel),
        2 => claim.clone().prop_map(Step::Take),
        1 => claim.clone().prop_map(Step::HandBack),
        5 => (claim.clone(), 0..2_usize, 1..=4_i64).prop_map(|(claim, by, part)| Step::Approve { claim, by, part }),
        2 => (claim.clone(), 0..2_usize).prop_map(|(claim, by)| Step::Reject { claim, by }),
        2 => claim.clone().prop_map(Step::Ask),
        2 => claim.prop_map(Step::Dispute),
        1 => (1..50_000_i64).prop_map(|dollars| Step::Refund { dollars }),
        1 => (1..40_i32).prop_map(Step::DaysLater),
        2 => Just(Step::Pay),
        3 => (0..3_usize).prop_map(Step::Arrive),
        1 => (0..3_usize, any::<bool>()).prop_map(|(payment, reversed)| Step::ComeBack { payment, reversed }),
        1 => (0..5_usize).prop_map(Step::Release),
        2 => (0..3_usize, 1..4000_i64).prop_map(|(activity, dollars)| Step::Plan { activity, dollars }),
        5 => (0..6_usize).prop_map(Step::MovePlan),
    ]
}

const ACTIVITIES: [&str; 3] = ["website-search", "customer-offer", "demo-units"];

struct Play<'w> {
    it: Claimant<'w>,
    claims: Vec<String>,
    day: CalendarDate,
    sales: i64,
    payments: Vec<String>,
    plan: Option<String>,
    closed: Month,
}

impl Play<'_> {
    fn claim(&self, nth: usize) -> Option<&String> {
        self.claims.get(nth.checked_rem(self.claims.len())?)
    }

    /// Whatever is not allowed is refused by its rule, never by a fault.
    fn told(&self, nth: usize, by: usize, what: &str, body: serde_json::Value) -> Option<Answer> {
        let claim = self.claim(nth)?;
        let client = match what {
            "submission" | "recall" | "cancellation" | "dispute" => &self.it.admin,
            _ if by == 0 => &self.it.checker,
            _ => &self.it.story.operator,
        };
        let answer = tell(client, claim, what, body);
        assert!(answer.status < 500, "{what}: {}", answer.body);
        Some(answer)
    }

    fn does(&mut self, step: Step) {
        match step {
            Step::Draft { activity, dollars } => {
                let made = self.it.draft(ACTIVITIES[activity], &[&format!("{dollars}.50"), "1.25"]);
                assert!(made.status == 201 || made.status == 409, "{}", made.body);
                if made.status == 201 {
                    self.it.prove(&made.id());
                    self.claims.push(made.id());
                }
            }
            Step::Submit(claim) => drop(self.told(claim, 0, "submission", json!({}))),
            Step::Recall(claim) => drop(self.told(claim, 0, "recall", json!({}))),
            Step::Cancel(claim) => drop(self.told(claim, 0, "cancellation", json!({}))),
            Step::Take(claim) => drop(self.told(claim, 0, "review", json!({}))),
            Step::HandBack(claim) => drop(self.told(claim, 0, "hand-back", json!({}))),
            Step::Approve { claim, by, part } => self.approve(claim, by, part),
            Step::Reject { claim, by } => {
                let reason = json!({"reason_code": "duplicate", "reason": "Claimed before"});
                drop(self.told(claim, by, "rejection", reason));
            }
            Step::Ask(claim) => {
                drop(self.told(claim, 0, "information-request", json!({"question": "Which?"})));
            }
            Step::Dispute(claim) => drop(self.told(claim, 0, "dispute", json!({"reason": "It is right"}))),
            Step::Refund { dollars } => {
                self.sales += 1;
                let (story, day) = (&self.it.story, self.day.to_string());
                let sale = story.sale(&format!("s{}", self.sales), &day, "100.00");
                story.refund(&format!("r{}", self.sales), &sale, &day, &format!("-{}.00", dollars.min(100)));
                story.calculate();
            }
            Step::DaysLater(days) => {
                self.day = self.day.plus_days(days);
                on(self.it.story.world, &self.day.to_string());
            }
            Step::Pay => self.pay(),
            Step::Arrive(payment) => self.tell_payment(payment, "confirmation", &json!({})),
            Step::ComeBack { payment, reversed } => {
                let event = if reversed { "reversal" } else { "return" };
                self.tell_payment(payment, event, &json!({"reason": "Account closed"}));
            }
            Step::Plan { activity, dollars } => self.plan(ACTIVITIES[activity], dollars),
            Step::MovePlan(way) => self.move_plan(way),
            Step::Release(claim) => drop(self.told(claim, 0, "release", json!({"reason": "It is right"}))),
        }
    }

    /// Plans an activity for the end of the usage.
    fn plan(&mut self, activity: &str, dollars: i64) {
        let planned = json!({
            "activity": activity, "from": "2019-06-30", "to": "2019-06-30", "description": "Backup for the cloud",
            "budget": {"amount": format!("{dollars}.75"), "currency": "USD"},
        });
        let new = json!({"fund_id": self.it.fund, "activities": [planned]});
        let made = self.it.viewer.post("/v1/coop-plans", new).send();
        assert!(made.status == 201 || made.status == 409, "{}", made.body);
        if made.status == 201 {
            self.plan = Some(made.id());
        }
    }

    /// Does with the last plan one of the things that people do; most often it goes on its way.
    fn move_plan(&self, way: usize) {
        let Some(plan) = &self.plan else { return };
        let (client, step) = match way {
            0 | 1 => (&self.it.admin, "submission"),
            2 | 3 => (&self.it.checker, "approval"),
            4 => (&self.it.checker, "rejection"),
            _ => (&self.it.admin, "cancellation"),
        };
        let body = match step {
            "submission" => serde_json::Value::Null,
            "rejection" => json!({"reason": "Another year"}),
            _ => json!({}),
        };
        let answer = client.post(&format!("/v1/coop-plans/{plan}/{step}"), body).send();
        assert!(answer.status < 500, "{step}: {}", answer.body);
    }

    /// Closes the months up to the one of now, on the third of the next, and sends what a run finds.
    fn pay(&mut self) {
        let month = Month::of(self.day);
        self.day = month.plus(1).first_day().plus_days(2);
        on(self.it.story.world, &self.day.to_string());
        self.it.story.calculate();
        while self.closed < month {
            self.closed = self.closed.plus(1);
            self.it.story.close(&self.closed.to_string()).ok();
        }
        let operator = &self.it.story.operator;
        let run = operator.post("/v1/payment-runs", json!({"month": month.to_string()})).send().ok().id();
        self.it.checker.post(&format!("/v1/payment-runs/{run}/approval"), json!({})).send().ok();
        operator.post(&format!("/v1/payment-runs/{run}/dispatch"), json!({})).send().ok();
        let made = self.it.story.list(&format!("/v1/payments?run_id={run}"));
        self.payments.extend(made.iter().map(|payment| text(&payment["id"])));
    }

    fn tell_payment(&self, nth: usize, event: &str, body: &serde_json::Value) {
        let Some(at) = nth.checked_rem(self.payments.len()) else { return };
        let path = format!("/v1/payments/{}/{event}", self.payments[at]);
        let answer = self.it.story.operator.post(&path, body.clone()).send();
        assert!(answer.status < 500, "{event}: {}", answer.body);
    }

    /// Approves a part of the first expense, and the others whole.
    fn approve(&self, claim: usize, by: usize, part: i64) {
        let Some(id) = self.claim(claim) else { return };
        let shown = self.it.claim(id);
        let first = &shown["expenses"][0];
        let most = first["asked"]["reimbursable"]["amount"].as_str().map_or(0, cents);
        let line = json!({
            "expense_id": first["id"], "reason": "amount_not_proved",
            "approved": {"amount": dollars(most * part / 4), "currency": "USD"},
        });
        drop(self.told(claim, by, "approval", if part == 4 { json!({}) } else { json!({"lines": [line]}) }));
    }

    /// The fund holds what its claims say.
    fn adds_up(&self, after: Step) {
        let fund = self.it.story.operator.get(&format!("/v1/coop-funds/{}", self.it.fund)).send().ok();
        let part = |name: &str| cents(&text(&fund[name]["amount"]));
        let parts = ["planned", "committed", "paid", "forfeited", "remaining"].map(part);
        assert!(parts.iter().all(|part| *part >= 0), "{after:?}: {}", fund.body);
        assert_eq!(part("claimable"), parts.iter().sum::<i64>(), "{after:?}");
        assert_eq!(part("earned"), part("converted") + part("claimable"), "{after:?}");
        let planned = fund["planned_for"].as_array().unwrap().iter();
        let planned: i64 = planned.map(|one| cents(&text(&one["amount"]["amount"]))).sum();
        assert_eq!(part("planned"), planned, "{after:?}");
        let claims = self.it.story.list(&format!("/v1/coop-claims?fund_id={}", self.it.fund));
        let committed: i64 = claims.iter().map(|claim| cents(&text(&claim["committed"]["amount"]))).sum();
        assert_eq!(part("committed"), committed, "{after:?}");
        let is_paid = |claim: &&serde_json::Value| claim["state"] == "paid";
        let paid = claims.iter().filter(is_paid).map(|claim| cents(&text(&claim["approved"]["amount"])));
        assert_eq!(part("paid"), paid.sum::<i64>(), "{after:?}");
        for claim in &claims {
            if let Some(approved) = claim["approved"]["amount"].as_str() {
                let decided = claim["expenses"].as_array().unwrap().iter();
                let lines = decided.map(|one| cents(&text(&one["decision"]["approved"]["amount"])));
                assert_eq!(lines.sum::<i64>(), cents(approved), "{after:?}: {claim}");
            }
        }
    }
}

fn cents(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}

fn dollars(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[test]
fn the_parts_of_a_fund_add_up_after_every_step_whatever_the_order() {
    let usual = Config::default();
    // Whoever asks for more orders than usual gets them.
    let cases = if usual.cases > 256 { usual.cases } else { 4 };
    let mut runner =
        TestRunner::new(Config { cases, max_shrink_iters: 40, failure_persistence: None, ..usual });
    let orders = prop::collection::vec(step(), 20..45);
    let done = runner.run(&orders, |steps| {
        let world = World::new();
        let it = Claimant::new(&world);
        let day = "2019-02-20".parse().unwrap();
        let closed = "2018-12".parse().unwrap();
        let mut play =
            Play { it, claims: Vec::new(), day, sales: 0, payments: Vec::new(), plan: None, closed };
        for step in steps {
            play.does(step);
            play.adds_up(step);
        }
        play.it.story.verify();
        let end = play.day.max("2019-08-16".parse().unwrap());
        on(&world, &end.to_string());
        play.adds_up(Step::DaysLater(0));
        play.it.story.verify();
        Ok(())
    });
    done.unwrap();
}
