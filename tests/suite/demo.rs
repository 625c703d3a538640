//! The demo shows every situation, whatever day it is started on.

use crate::support::Database;
use diesel::prelude::*;
use partner_incentives::{
    app::Service,
    config::Settings,
    demo, eligibility,
    eligibility::{EligibilityCheck, EligibilityCode},
    enrollments::State,
    partners::{self, Partner, PartnerType},
    platform::values::{CalendarDate, Clock, Id, Ids},
    programs,
    schema::{enrollments, partners as table},
};
use std::collections::BTreeSet;

fn codes(checks: &[EligibilityCheck], into: &mut BTreeSet<EligibilityCode>) {
    for check in checks {
        into.extend(check.code);
        codes(&check.checks, into);
    }
}

fn shows_everything_on(today: &str) {
    let today: CalendarDate = today.parse().unwrap();
    let database = Database::empty();
    let clock = Clock::standing_at(demo::begins(today));
    let settings = Settings::for_tests(database.target.clone(), clock.clone(), Ids::random());
    let service = Service::open(settings).unwrap();
    demo::fill(&service.gate, &clock, today).unwrap();
    demo::fill(&service.gate, &clock, today).unwrap();
    let (everybody, reasons, states) = service
        .gate
        .read_as_system(|tx| {
            let ids: Vec<Id> = table::table.select(table::id).load(tx.conn)?;
            let everybody: Vec<Partner> = partners::family(tx, &ids)?;
            let offers = programs::in_effect(tx, today)?;
            let mut reasons = BTreeSet::new();
            for assessment in eligibility::assess_all(tx, &everybody, &offers, today)? {
                codes(&assessment.checks, &mut reasons);
            }
            let states: Vec<State> =
                enrollments::table.select(enrollments::state).distinct().load(tx.conn)?;
            Ok((everybody, reasons, states.into_iter().collect::<BTreeSet<_>>()))
        })
        .unwrap();
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
    service.close();
}

#[test]
fn every_reason_and_every_state_is_shown_in_autumn() {
    shows_everything_on("2026-11-22");
}

#[test]
fn every_reason_and_every_state_is_shown_on_the_first_day_of_a_program_year() {
    shows_everything_on("2027-07-01");
}

#[test]
fn every_reason_and_every_state_is_shown_in_a_young_program_year() {
    shows_everything_on("2026-08-15");
}

#[test]
fn every_reason_and_every_state_is_shown_on_the_last_day_of_a_program_year() {
    shows_everything_on("2027-06-30");
}
