//! What holds for any facts: found by trying many, with every day of three years looked at.

use super::worlds::{
    DAYS, World, answer, some_agreement, some_attainment, some_day, some_rule, some_versions, some_world,
    start, with_a_shuffled_copy,
};
use super::{
    EligibilityCheck, ProgramStanding, ProgramTerms, evaluate,
    samples::{id, purchase, terms},
};
use crate::{
    network::{
        agreements::{Agreement, Kind},
        competencies::Attainment,
        partners::{PartnerStatus, PartnerType},
    },
    participation::programs::{ProgramStatus, Requirement, rule_sets},
    platform::values::{CalendarDate, Locale, Text},
};
use proptest::{collection::vec, prelude::*};

proptest! {
    // Each looks at every day of three years.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn an_eligible_partner_stays_so_exactly_until_the_day_that_was_named(
        world in some_world(),
        rules in some_versions(),
    ) {
        let facts = world.facts();
        let program = rules.terms();
        let judged = |on| evaluate(&facts, &program, on);
        let days = || (0..DAYS).map(|days| start().plus_days(days));
        let eligible: Vec<bool> = days().map(|on| judged(on).is_eligible()).collect();
        // From the back: the first day on or after each at which the partner is not eligible.
        let mut lost_on = None;
        for (on, eligible) in days().zip(eligible).collect::<Vec<_>>().into_iter().rev() {
            if !eligible {
                lost_on = Some(on);
            }
            let until = judged(on).eligible_until();
            let expected = if eligible { lost_on } else { None };
            // What lies beyond the days looked at is only known to lie beyond.
            let seen = until.filter(|until| *until < start().plus_days(DAYS));
            prop_assert_eq!(seen, expected, "as of {}", on);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_same_facts_in_any_order_give_the_same_verdict(
        (world, copy) in with_a_shuffled_copy(),
        rules in vec(some_rule(), 1..5),
        on in some_day(),
    ) {
        let first = world.judged(&rules, on, answer);
        prop_assert_eq!(&world.judged(&rules, on, answer), &first);
        prop_assert_eq!(&copy.judged(&rules, on, answer), &first);
    }

    #[test]
    fn each_rule_lapses_exactly_when_it_is_first_unmet(
        world in some_world(),
        rule in some_rule(),
        on in some_day(),
    ) {
        let rules = [rule];
        let met = |on| world.judged(&rules, on, |verdict| verdict.checks[2].code.is_none());
        let lapses_on = world.judged(&rules, on, |verdict| verdict.checks[2].lapses_on);
        if met(on) {
            let scanned = (1..2 * DAYS).map(|days| on.plus_days(days)).find(|on| !met(*on));
            prop_assert_eq!(lapses_on, scanned);
        } else {
            prop_assert_eq!(lapses_on, None);
        }
    }

    #[test]
    fn another_record_never_makes_a_met_rule_unmet(
        world in some_world(),
        rule in some_rule().prop_filter("money may also go back", |rule| !has_revenue(rule)),
        paper in some_agreement(),
        award in some_attainment(),
        on in some_day(),
    ) {
        let rules = [rule];
        let mut richer = world.clone();
        richer.agreements.push(Agreement { id: id(40), ..paper });
        richer.attainments.push(Attainment { id: id(90), ..award });
        richer.sales.push(purchase(900, "2018-07-01", 1));
        prop_assert!(!world.eligible(&rules, on) || richer.eligible(&rules, on));
        let until = |world: &World| {
            world.judged(&rules, on, |verdict| verdict.eligible_until().unwrap_or(CalendarDate::MAX))
        };
        prop_assert!(!world.eligible(&rules, on) || until(&world) <= until(&richer));
    }

    #[test]
    fn another_alternative_never_hurts_and_another_rule_never_helps(
        world in some_world(),
        rules in vec(some_rule(), 1..4),
        more in some_rule(),
        on in some_day(),
    ) {
        let applies = |rule: &Requirement| {
            world.judged(std::slice::from_ref(rule), on, |v| v.checks[2].status != super::CheckStatus::NotApplicable)
        };
        let extended: Vec<_> = rules.iter().cloned().chain([more]).collect();
        prop_assert!(!world.eligible(&extended, on) || world.eligible(&rules, on));
        let one_of = |requirements: &[Requirement]| [Requirement::AnyOf { requirements: requirements.to_vec() }];
        // Alternatives of which none is asked are met by default; one that is asked may then fail.
        if rules.iter().any(applies) {
            prop_assert!(!world.eligible(&one_of(&rules), on) || world.eligible(&one_of(&extended), on));
        }
    }

    #[test]
    fn founding_asks_an_indirect_provider_for_a_competency_and_the_guide_does_not(
        mut world in some_world(),
        on in some_day(),
    ) {
        world.partner_type = PartnerType::IndirectProvider;
        world.attainments.clear();
        prop_assert!(!world.eligible(&rule_sets::founding(), on));
        let bare: Vec<_> = rule_sets::guide(PartnerType::IndirectProvider);
        let counts = |kind, authorized: bool| {
            let fits = |a: &&Agreement| a.kind == kind && (!authorized || a.distributor_authorization == Some(true));
            let facts = world.facts();
            facts.agreements.on(on).filter(fits).any(|a| a.counts_on(on))
        };
        let expected = counts(Kind::Mpn, false)
            && counts(Kind::Distributor, true)
            && world.facts().standing_on(on).status == PartnerStatus::Active
            && !world.as_headquarters.iter().any(|days| days.contains(on))
            && world.opted_out_on.is_none_or(|out| on < out)
            && on <= terms(&[]).versions[0].days.to;
        prop_assert_eq!(world.eligible(&bare, on), expected);
    }

    #[test]
    fn every_finding_and_remedy_is_said_in_each_language(
        world in some_world(),
        rules in vec(some_rule(), 1..4),
        on in some_day(),
    ) {
        fn texts(checks: &[EligibilityCheck]) -> Vec<&Text> {
            let mut found = Vec::new();
            for check in checks {
                found.push(&check.message);
                found.extend(check.remedy.as_ref());
                found.extend(texts(&check.checks));
            }
            found
        }
        #[expect(clippy::redundant_closure_for_method_calls, reason = "a path to the method fixes the lifetime")]
        let view = world.judged(&rules, on, |verdict| verdict.view());
        for text in texts(&view) {
            let [english, japanese] = [Locale::En, Locale::Ja].map(|language| text.in_language(language));
            prop_assert!(english.is_ascii() && !english.is_empty(), "{english}");
            prop_assert!(!japanese.is_ascii(), "{japanese}");
        }
    }

    #[test]
    fn a_program_that_is_not_open_takes_nobody(world in some_world(), on in some_day()) {
        for status in [ProgramStatus::Closed, ProgramStatus::Discontinued] {
            let terms = terms(&[]);
            let standing = ProgramStanding { status, ..terms.standing };
            let (facts, terms) = (world.facts(), ProgramTerms { standing, ..terms });
            prop_assert!(!evaluate(&facts, &terms, on).is_eligible());
        }
    }
}

fn has_revenue(rule: &Requirement) -> bool {
    match rule {
        Requirement::TrailingRevenue { .. } => true,
        Requirement::AnyOf { requirements } => requirements.iter().any(has_revenue),
        _ => false,
    }
}
