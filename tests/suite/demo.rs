//! The demo shows every situation, whatever day it is started on.

use crate::support::{Database, secrets::Numbers};
use diesel::prelude::*;
use partner_incentives::{
    access::Tx,
    app::Service,
    config::{DatabaseKind, Settings},
    identity::setup::{self, Missing, SetupState},
    ledger::accounting::{
        RebateReason,
        coop_funds::{CoopFund, CoopFundState},
    },
    network::partners::{self, Partner, PartnerType},
    operations::demo,
    participation::{
        eligibility,
        eligibility::{EligibilityCheck, EligibilityCode},
        enrollments::State,
        programs,
    },
    payouts::{
        coop_audits::CoopAuditState,
        coop_claims::ClaimState,
        coop_plans::PlanState,
        disputes::DisputeState,
        payment_runs::{PaymentRun, RunWait, RunWaitReason},
        payments::{Payment, PaymentState},
    },
    platform::{
        Result,
        values::{CalendarDate, Clock, Id, Ids, Timestamp},
    },
    schema::{
        audit_events, coop_audits, coop_claims, coop_funds, coop_plans, disputes, enrollments, notifications,
        partners as table, payment_runs, payments, rebates,
    },
};
use std::collections::BTreeSet;

fn codes(checks: &[EligibilityCheck], into: &mut BTreeSet<EligibilityCode>) {
    for check in checks {
        into.extend(check.code);
        codes(&check.checks, into);
    }
}

fn evening_of(day: CalendarDate) -> Timestamp {
    format!("{day}T20:00:00Z").parse().unwrap()
}

/// Fills a demo on a day; `look` looks at it.
fn demo_on(today: &str, look: impl FnOnce(&mut Tx<'_>) -> Result<()> + Send) {
    let day: CalendarDate = today.parse().unwrap();
    let database = Database::empty();
    let clock = Clock::standing_at(demo::begins(day));
    let settings = Settings::for_tests(database.target.clone(), clock.clone(), Ids::random());
    let settings = Settings { database_kind: DatabaseKind::Sandbox, ..settings };
    let service = Service::open(settings).unwrap();
    demo::fill(&service.app, &clock, evening_of(day)).unwrap();
    // A filled demo is left as it is.
    demo::fill(&service.app, &clock, evening_of(day)).unwrap();
    service.app.read_as_system(look).unwrap();
    // The numbers that the story files for its partners.
    let numbers = Numbers::default();
    (1..=demo::PARTNERS).for_each(|n| {
        numbers.add(&format!("9900{:08}", n * 7919));
        numbers.add(&format!("US{:09}", n * 104_729));
    });
    numbers.expect_hidden(&database.target);
    service.close();
}

fn shows_every_reason_and_state(tx: &mut Tx<'_>) -> Result<()> {
    let today = tx.today();
    let ids: Vec<Id> = table::table.select(table::id).load(tx.conn)?;
    let everybody: Vec<Partner> = partners::family(tx, &ids)?;
    let offers = programs::in_effect(tx, today)?;
    let mut reasons = BTreeSet::new();
    for assessment in eligibility::assess_all(tx, &everybody, &offers, today)? {
        codes(&assessment.checks, &mut reasons);
    }
    let states: Vec<State> = enrollments::table.select(enrollments::state).distinct().load(tx.conn)?;
    assert!(everybody.len() >= 60, "{} partners", everybody.len());
    assert_eq!(
        everybody.iter().map(|p| p.partner_type).collect::<BTreeSet<_>>().len(),
        PartnerType::ALL.len()
    );
    assert!(everybody.iter().map(|p| p.country).collect::<BTreeSet<_>>().len() >= 10);
    let missing: Vec<_> = EligibilityCode::ALL.iter().filter(|code| !reasons.contains(code)).collect();
    assert!(missing.is_empty(), "on {today} nobody shows {missing:?}");
    let missing: Vec<_> = State::ALL.iter().filter(|state| !states.contains(state)).collect();
    assert!(missing.is_empty(), "on {today} nobody is {missing:?}");
    Ok(())
}

fn shows_a_first_day(tx: &mut Tx<'_>) -> Result<()> {
    let status = setup::status(tx, demo::just_set_up())?;
    let told: Vec<String> = notifications::table
        .filter(notifications::partner_id.eq(demo::just_set_up()))
        .order(notifications::id)
        .select(notifications::kind)
        .load(tx.conn)?;
    let steps: Vec<(String, String, Timestamp)> = audit_events::table
        .filter(audit_events::partner_id.eq(demo::just_set_up()))
        .filter(audit_events::resource_type.eq_any(["user", "partner_setup", "enrollment"]))
        .order(audit_events::id)
        .select((audit_events::actor_role, audit_events::resource_type, audit_events::occurred_at))
        .load(tx.conn)?;
    assert_eq!((status.state(), status.missing.len()), (SetupState::Completed, 0));
    assert_eq!(told, ["temporary_password", "password_changed", "user_list", "enrollment_action_required"]);
    let who: Vec<_> = steps.iter().map(|(who, what, _)| (who.as_str(), what.as_str())).collect();
    assert_eq!(
        who,
        [
            ("operator", "user"),
            ("incentive_admin", "user"),
            ("incentive_admin", "user"),
            ("incentive_admin", "partner_setup"),
            ("incentive_admin", "partner_setup"),
            ("incentive_admin", "enrollment"),
        ]
    );
    assert!(steps.is_sorted_by_key(|(.., when)| *when) && steps[0].2 < steps[4].2, "{steps:?}");
    assert_eq!(steps[0].2.date(), steps[5].2.date(), "one day");
    Ok(())
}

fn shows_set_ups_everywhere_they_can_stand(tx: &mut Tx<'_>) -> Result<()> {
    let ids: Vec<Id> = table::table.select(table::id).load(tx.conn)?;
    let states = ids.into_iter().map(|id| setup::status(tx, id)).collect::<Result<Vec<_>>>()?;
    let newcomer = setup::status(tx, demo::newcomer())?;
    let seen: BTreeSet<SetupState> = states.iter().map(setup::SetupStatus::state).collect();
    assert_eq!(seen.len(), SetupState::ALL.len(), "{seen:?}");
    assert!(states.iter().any(|status| status.covered_by.is_some()), "no location is covered");
    assert_eq!(newcomer.missing, [Missing::UserList, Missing::Completion]);
    Ok(())
}

fn shows_payments_of_every_fate(tx: &mut Tx<'_>) -> Result<()> {
    let paid: Vec<Payment> = payments::table.select(Payment::as_select()).load(tx.conn)?;
    let held: i64 = rebates::table
        .filter(rebates::state_reason.eq(RebateReason::HeldByOperator))
        .count()
        .get_result(tx.conn)?;
    let runs: Vec<PaymentRun> = payment_runs::table.select(PaymentRun::as_select()).load(tx.conn)?;
    let disputed: Vec<DisputeState> = disputes::table.select(disputes::state).load(tx.conn)?;
    let of = |state| paid.iter().filter(move |payment| payment.state == state);
    let is_replaced = |failed: &Payment| paid.iter().any(|payment| payment.replaces == Some(failed.id));
    assert!(of(PaymentState::Failed).any(is_replaced), "no payment failed and was made anew");
    let anew = paid.iter().find(|payment| payment.replaces.is_some()).unwrap();
    assert_eq!(anew.state, PaymentState::Settled, "the new payment has arrived");
    assert!(of(PaymentState::Returned).next().is_some(), "no payment came back");
    assert!(of(PaymentState::Settled).any(|payment| payment.withheld > 0), "no tax was withheld");
    assert!(held > 0, "no rebate is held");
    let waits =
        |run: &PaymentRun| run.totals.0.iter().flat_map(|total| total.carried.clone()).collect::<Vec<_>>();
    let below = |wait: &RunWait| wait.reason == RunWaitReason::BelowPaymentThreshold;
    assert!(runs.iter().any(|run| waits(run).iter().any(below)), "nothing is below the threshold");
    assert_eq!(disputed, [DisputeState::Open], "one payment is disputed");
    Ok(())
}

fn shows_co_op_in_every_state(tx: &mut Tx<'_>) -> Result<()> {
    let today = tx.today();
    let claims: Vec<ClaimState> = coop_claims::table.select(coop_claims::state).load(tx.conn)?;
    let funds: Vec<CoopFund> = coop_funds::table.select(CoopFund::as_select()).load(tx.conn)?;
    let plans: Vec<PlanState> = coop_plans::table.select(coop_plans::state).load(tx.conn)?;
    let audits: Vec<CoopAuditState> = coop_audits::table.select(coop_audits::state).load(tx.conn)?;
    let drawn_from_a_plan: i64 =
        coop_claims::table.filter(coop_claims::from_plan.gt(0)).count().get_result(tx.conn)?;
    let risky: i64 = coop_claims::table.filter(coop_claims::is_risky).count().get_result(tx.conn)?;
    let lacking = |shown: &[&str], all: &[&'static str]| -> Vec<&'static str> {
        all.iter().copied().filter(|state| !shown.contains(state)).collect()
    };
    let names = |states: &[ClaimState]| states.iter().map(|state| state.as_str()).collect::<Vec<_>>();
    assert_eq!(lacking(&names(&claims), &names(ClaimState::ALL)), [] as [&str; 0], "claims on {today}");
    let names = |states: &[CoopFundState]| states.iter().map(|state| state.as_str()).collect::<Vec<_>>();
    // The story may be too short for a fund that is over.
    let is_over = |fund: &CoopFund| fund.half().claims().to < today && fund.state != CoopFundState::Converted;
    let over: Vec<CoopFundState> = funds.iter().filter(|fund| is_over(fund)).map(|fund| fund.state).collect();
    assert!(over.iter().all(|state| *state == CoopFundState::Ended), "{over:?} on {today}");
    let states: Vec<CoopFundState> = funds.iter().map(|fund| fund.state).collect();
    let expected: &[&str] = if over.is_empty() { &[CoopFundState::Ended.as_str()] } else { &[] };
    assert_eq!(lacking(&names(&states), &names(CoopFundState::ALL)), expected, "funds on {today}");
    for state in [PlanState::Draft, PlanState::Submitted, PlanState::Approved, PlanState::Cancelled] {
        assert!(plans.contains(&state), "no plan is {state} on {today}");
    }
    for state in [CoopAuditState::Requested, CoopAuditState::Passed, CoopAuditState::Recovered] {
        assert!(audits.contains(&state), "no audit is {state} on {today}: {audits:?}");
    }
    assert!(drawn_from_a_plan > 0, "no claim uses a plan on {today}");
    assert!(risky > 0, "no claim has a risk on {today}");
    Ok(())
}

#[test]
fn autumn_shows_everything() {
    demo_on("2026-11-22", |tx| {
        shows_every_reason_and_state(tx)?;
        shows_a_first_day(tx)?;
        shows_set_ups_everywhere_they_can_stand(tx)?;
        shows_payments_of_every_fate(tx)?;
        shows_co_op_in_every_state(tx)
    });
}

/// Days on which program years, half-years and windows for claims begin and end; `DEMO_DAYS`, with commas, sets others.
const BORDERS: &str = "2026-08-15,2026-08-16,2027-01-20,2027-06-30,2027-07-01";

#[test]
fn every_reason_and_every_state_is_shown_whatever_the_day() {
    let days = std::env::var_os("DEMO_DAYS").unwrap_or_else(|| BORDERS.into());
    let days: Vec<&str> = days.to_str().unwrap().split(',').collect();
    // One after the other on each of two threads.
    std::thread::scope(|scope| {
        days.chunks(days.len().div_ceil(2)).for_each(|days| {
            scope.spawn(move || {
                for day in days {
                    demo_on(day, |tx| {
                        shows_every_reason_and_state(tx)?;
                        shows_co_op_in_every_state(tx)
                    });
                }
            });
        });
    });
}
