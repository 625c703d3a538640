//! One test per rule and per worked example of the domain.

use super::{
    CheckStatus, CheckWarning, EligibilityCheck, EligibilityCheckView, EligibilityRule as Rule, Facts,
    OptOut, ProgramStanding, ProgramTerms, Verdict, evaluate,
    samples::{
        Sample, agreement, attainment, codes, day, id, judged, purchase, refund, standing, terms, usd,
    },
};
use crate::{
    network::{
        agreements::Kind,
        competencies::Level,
        partners::{PartnerStatus, PartnerType},
    },
    participation::programs::{
        ProgramStatus::{Closed, Discontinued, Open},
        Requirement, rule_sets,
    },
    platform::values::{Locale, Period},
};

const NONE: [&str; 0] = [];

pub(super) fn check(verdict: &Verdict<'_>, rule: Rule) -> EligibilityCheckView {
    let found = verdict.view().into_iter().find(|check| check.rule == rule).unwrap();
    EligibilityCheckView::of(found, Locale::En)
}

fn lapse(partner: &Sample, requirement: &Requirement, as_of: &str) -> Option<String> {
    judged(partner, std::slice::from_ref(requirement), as_of, |verdict| {
        verdict.checks[2].lapses_on.map(|on| on.to_string())
    })
}

pub(super) fn competency(min_count: u32, min_level: Level, any_of: &[&str]) -> Requirement {
    let any_of = (!any_of.is_empty()).then(|| any_of.iter().map(|code| (*code).to_owned()).collect());
    Requirement::Competency { min_count, min_level, any_of }
}

pub(super) fn revenue(days: u32, minor: i64, keep_once_enrolled: bool) -> Requirement {
    Requirement::TrailingRevenue { days, amount: usd(minor), keep_once_enrolled }
}

#[test]
fn the_built_in_checks_look_at_the_program_and_the_opt_out() {
    let partner = Sample::sound(PartnerType::DirectBill);
    let codes_of = |status, opted_out_on: &str, as_of: &str| {
        let opt_out = (!opted_out_on.is_empty()).then(|| OptOut {
            enrollment_id: id(40),
            program_year: 2019,
            on: day(opted_out_on),
        });
        let facts = Facts { opt_outs: opt_out.into_iter().collect(), ..partner.facts() };
        let terms = terms(&[]);
        let terms = ProgramTerms { standing: ProgramStanding { status, ..terms.standing }, ..terms };
        let verdict = evaluate(&facts, &terms, day(as_of));
        (verdict.codes().iter().map(ToString::to_string).collect::<Vec<_>>(), verdict.eligible_until())
    };
    let none = Vec::<String>::new();
    assert_eq!(codes_of(Open, "", "2018-07-01"), (none.clone(), Some(day("2021-07-01"))));
    assert_eq!(codes_of(Open, "2019-02-01", "2019-01-31"), (none, Some(day("2019-02-01"))));
    for (status, opted_out_on, as_of, code) in [
        (Open, "", "2018-06-30", "program_not_open"),
        (Open, "", "2021-07-01", "program_not_open"),
        (Closed, "", "2019-07-01", "program_not_open"),
        (Discontinued, "", "2019-07-01", "program_discontinued"),
        (Open, "2019-02-01", "2019-02-01", "opted_out_this_year"),
    ] {
        assert_eq!(codes_of(status, opted_out_on, as_of), (vec![code.to_owned()], None));
    }
}

#[test]
fn the_partner_itself_must_fit() {
    let partner = Sample::sound(PartnerType::DirectBill);
    let rules = [
        Requirement::PartnerActive {},
        Requirement::PartnerType {},
        Requirement::Country { countries: vec!["DE".parse().unwrap(), "FR".parse().unwrap()] },
    ];
    let codes_of = |facts: &Facts<'_>, partner_types| {
        let terms = terms(&rules);
        let terms = ProgramTerms { standing: ProgramStanding { partner_types, ..terms.standing }, ..terms };
        let verdict = evaluate(facts, &terms, day("2019-01-01"));
        verdict.codes().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let facts = partner.facts();
    assert_eq!(codes_of(&facts, PartnerType::ALL), NONE);
    for status in [PartnerStatus::Pending, PartnerStatus::Suspended, PartnerStatus::Closed] {
        let facts = Facts { standing: standing(status, "DE"), ..facts.clone() };
        assert_eq!(codes_of(&facts, PartnerType::ALL), ["partner_not_active"]);
    }
    let days = [Period { from: day("2018-12-31"), to: day("2019-01-01") }];
    let headquarters = Facts { as_headquarters: &days, ..facts.clone() };
    assert_eq!(codes_of(&headquarters, PartnerType::ALL), ["headquarters_cannot_enroll"]);
    assert_eq!(codes_of(&facts, &[PartnerType::IndirectReseller]), ["wrong_partner_type"]);
    let abroad = Facts { standing: standing(PartnerStatus::Active, "JP"), ..facts };
    assert_eq!(codes_of(&abroad, PartnerType::ALL), ["country_not_covered"]);
}

#[test]
fn the_code_tells_what_became_of_the_agreements() {
    let rules = [Requirement::ResellerAgreement {}];
    let of = |agreements: Vec<_>| {
        let partner = Sample { agreements, ..Sample::sound(PartnerType::DirectBill) };
        codes(&partner, &rules, "2019-01-01").join(" ")
    };
    let paper = |number, from, to| agreement(number, Kind::Reseller, from, to);
    let ended = |on, mut paper: crate::network::agreements::Agreement| {
        paper.terminated_on = Some(day(on));
        paper
    };
    let old = || paper(1, "2017-01-01", "2017-12-31");
    let future = || paper(3, "2019-01-02", "");
    assert_eq!(of(vec![]), "reseller_agreement_missing");
    assert_eq!(of(vec![future()]), "reseller_agreement_not_effective");
    assert_eq!(of(vec![old()]), "reseller_agreement_expired");
    assert_eq!(of(vec![old(), future()]), "reseller_agreement_expired");
    assert_eq!(of(vec![ended("2019-01-01", paper(2, "2018-01-01", ""))]), "reseller_agreement_terminated");
    assert_eq!(
        of(vec![ended("2018-06-01", paper(2, "2018-01-01", "")), old()]),
        "reseller_agreement_terminated"
    );
    assert_eq!(
        of(vec![ended("2017-06-01", old()), paper(2, "2018-01-01", "2018-12-31")]),
        "reseller_agreement_expired"
    );
    assert_eq!(of(vec![ended("2018-12-01", future())]), "reseller_agreement_terminated");
    assert_eq!(of(vec![paper(2, "2018-01-01", "2019-01-01")]), "");
    assert_eq!(of(vec![ended("2019-01-02", paper(2, "2018-01-01", ""))]), "");
}

#[test]
fn a_lapse_looks_through_renewals_without_a_gap() {
    let mut partner = Sample::sound(PartnerType::DirectBill);
    let mpn = |number, from, to| agreement(number, Kind::Mpn, from, to);
    // The second begins within the first one's grace, the third on the day after the second one's.
    partner.agreements = vec![
        mpn(1, "2018-07-01", "2019-06-30"),
        mpn(3, "2020-08-31", ""),
        mpn(2, "2019-07-15", "2020-07-31"),
    ];
    let rule = Requirement::MpnAgreement {};
    assert_eq!(lapse(&partner, &rule, "2018-11-01"), None);
    partner.agreements[1].effective_on = day("2020-09-01");
    assert_eq!(lapse(&partner, &rule, "2018-11-01").unwrap(), "2020-08-31");
}

#[test]
fn the_code_tells_what_is_wrong_with_the_competencies() {
    let mut partner = Sample::sound(PartnerType::DirectBill);
    let mut of = |attainments: Vec<_>, rule: Requirement| {
        partner.attainments = attainments;
        codes(&partner, &[rule], "2019-01-01").join(" ")
    };
    let held = |number, code, level, to| attainment(number, code, level, "2017-07-01", to);
    let gone = || held(1, "erp", Level::Silver, "2018-11-30");
    let crm = || held(2, "cloud-crm", Level::Gold, "2019-12-31");
    let erp = || held(3, "erp", Level::Silver, "2018-12-15");
    assert_eq!(of(vec![], competency(1, Level::Silver, &[])), "competency_missing");
    assert_eq!(of(vec![gone()], competency(1, Level::Silver, &[])), "competency_expired");
    assert_eq!(of(vec![gone()], competency(1, Level::Gold, &[])), "competency_not_qualifying");
    assert_eq!(of(vec![erp()], competency(1, Level::Gold, &[])), "competency_not_qualifying");
    assert_eq!(of(vec![erp()], competency(1, Level::Silver, &["cloud-crm"])), "competency_not_qualifying");
    assert_eq!(of(vec![crm()], competency(1, Level::Silver, &["cloud-crm"])), "");
    assert_eq!(of(vec![crm()], competency(2, Level::Silver, &[])), "competency_missing");
    assert_eq!(of(vec![crm(), gone()], competency(2, Level::Silver, &[])), "competency_expired");
    assert_eq!(of(vec![crm(), erp()], competency(2, Level::Gold, &[])), "competency_not_qualifying");
    assert_eq!(of(vec![crm(), erp()], competency(2, Level::Silver, &[])), "");
    // An early renewal is the same competency.
    assert_eq!(
        of(vec![erp(), held(4, "erp", Level::Gold, "2020-01-01")], competency(2, Level::Silver, &[])),
        "competency_missing"
    );
}

#[test]
fn the_message_counts_what_is_held() {
    let partner = Sample::sound(PartnerType::DirectBill);
    judged(&partner, &[competency(2, Level::Silver, &[])], "2019-01-01", |verdict| {
        let check = check(verdict, Rule::Competency);
        assert_eq!(check.message, "1 of 2 competencies (silver or gold) count on 2019-01-01.");
        assert_eq!(check.evidence[0].id, id(20));
    });
}

#[test]
fn a_competency_in_doubt_warns_only_where_it_is_needed() {
    let mut partner = Sample::sound(PartnerType::DirectBill);
    partner.attainments[0].at_risk_since = Some(day("2019-01-01"));
    let warning = |partner: &Sample, as_of: &str| {
        judged(partner, &[competency(1, Level::Silver, &[])], as_of, |verdict| verdict.checks[2].warning)
    };
    assert_eq!(warning(&partner, "2018-12-31"), None);
    assert_eq!(warning(&partner, "2019-01-01"), Some(CheckWarning::AtRisk));
    assert_eq!(warning(&partner, "2021-01-30"), Some(CheckWarning::InGrace));
    partner.attainments.push(attainment(21, "erp", Level::Gold, "2018-07-01", "2022-01-01"));
    assert_eq!(warning(&partner, "2019-01-01"), None);
}

#[test]
fn several_competencies_lapse_when_too_few_are_left() {
    let mut partner = Sample::sound(PartnerType::DirectBill);
    let held = |number, code, from, to| attainment(number, code, Level::Silver, from, to);
    partner.attainments = vec![
        held(1, "erp", "2018-07-01", "2018-12-31"),
        held(2, "devops", "2018-07-01", "2020-12-31"),
        held(3, "messaging", "2019-01-20", "2019-06-30"),
    ];
    assert_eq!(lapse(&partner, &competency(2, Level::Silver, &[]), "2018-10-01").unwrap(), "2019-07-31");
    assert_eq!(lapse(&partner, &competency(3, Level::Silver, &[]), "2019-01-25").unwrap(), "2019-01-31");
    assert_eq!(lapse(&partner, &competency(1, Level::Silver, &[]), "2018-10-01").unwrap(), "2021-01-31");
    partner.attainments[1].revoked_on = Some(day("2019-02-01"));
    assert_eq!(lapse(&partner, &competency(2, Level::Silver, &[]), "2018-10-01").unwrap(), "2019-02-01");
}

#[test]
fn trailing_revenue_follows_its_window() {
    let mut partner = Sample::sound(PartnerType::DirectBill);
    partner.sales = vec![
        purchase(30, "2019-01-01", 60_000),
        purchase(31, "2019-01-05", 50_000),
        refund(32, 31, "2019-01-08", -5_000),
        purchase(33, "2019-01-11", 55_000),
    ];
    let rule = revenue(10, 100_000, false);
    let rules = std::slice::from_ref(&rule);
    assert_eq!(codes(&partner, rules, "2019-01-04"), ["revenue_threshold_not_met"]);
    assert_eq!(lapse(&partner, &rule, "2019-01-05").unwrap(), "2019-01-15");
    judged(&partner, rules, "2019-01-15", |verdict| {
        let check = check(verdict, Rule::TrailingRevenue);
        assert_eq!(
            check.message,
            "USD 500.00 of USD 1000.00 reached in the 10 days to 2019-01-15; USD 500.00 missing."
        );
        let ids: Vec<_> = check.evidence.iter().map(|evidence| evidence.id).collect();
        assert_eq!(ids, [id(33), id(32)]);
    });
}

#[test]
fn one_alternative_is_enough_and_another_may_take_over() {
    let mut partner = Sample::sound(PartnerType::DirectBill);
    partner.agreements[1].expires_on = Some(day("2019-03-31"));
    partner.attainments[0].attained_on = day("2019-04-01");
    let any = competency(1, Level::Silver, &[]);
    let rule = Requirement::AnyOf { requirements: vec![Requirement::ResellerAgreement {}, any] };
    assert_eq!(lapse(&partner, &rule, "2018-11-01").unwrap(), "2021-01-31");
    partner.attainments[0].attained_on = day("2019-04-02");
    assert_eq!(lapse(&partner, &rule, "2018-11-01").unwrap(), "2019-04-01");
    judged(&partner, &[rule], "2019-04-01", |verdict| {
        let check = check(verdict, Rule::AnyOf);
        assert_eq!(check.code, Some(super::EligibilityCode::ResellerAgreementExpired));
        assert_eq!(check.checks.len(), 2);
        assert_eq!(
            check.message,
            "None of the 2 alternatives is met: reseller_agreement_expired, competency_missing."
        );
    });
    assert_eq!(
        codes(
            &partner,
            &[Requirement::AnyOf { requirements: rule_sets::founding()[3..5].to_vec() }],
            "2019-04-01"
        ),
        ["reseller_agreement_expired"]
    );
}

#[test]
fn alternatives_that_are_not_asked_count_as_neither() {
    let any_of = |requirements| [Requirement::AnyOf { requirements }];
    let partner = Sample::sound(PartnerType::IndirectProvider);
    let others = vec![Requirement::ResellerAgreement {}, Requirement::FirstTransaction {}];
    judged(&partner, &any_of(others), "2019-01-01", |verdict| {
        assert!(verdict.is_eligible());
        assert_eq!(check(verdict, Rule::AnyOf).status, CheckStatus::NotApplicable);
    });
    let unmet = vec![Requirement::ResellerAgreement {}, competency(1, Level::Gold, &[])];
    assert_eq!(codes(&partner, &any_of(unmet), "2019-01-01"), ["competency_not_qualifying"]);
}

#[test]
fn checks_survive_being_stored() {
    let mut partner = Sample::sound(PartnerType::IndirectReseller);
    partner.attainments.clear();
    let mut rules = rule_sets::founding();
    rules.push(Requirement::AnyOf { requirements: rules.clone() });
    judged(&partner, &rules, "2018-11-01", |verdict| {
        let view = verdict.view();
        let stored = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<Vec<EligibilityCheck>>(&stored).unwrap(), view);
    });
}

#[test]
fn the_last_day_of_the_calendar_is_a_day_like_any_other() {
    let partner = Sample::sound(PartnerType::DirectBill);
    let rules = [Requirement::MpnAgreement {}, Requirement::ResellerAgreement {}];
    judged(&partner, &rules, "9999-12-31", |verdict| {
        assert_eq!(verdict.checks[2].status, CheckStatus::Met);
        assert_eq!(verdict.checks[2].lapses_on, None);
    });
}
