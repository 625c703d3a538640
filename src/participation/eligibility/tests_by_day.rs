//! What changes from one day to another, and by which version a day is judged.

use super::tests::{check, competency, revenue};
use super::{
    EligibilityRule as Rule, Facts, FormerProgramStanding, Held, Lent, ProgramStanding, evaluate,
    samples::{Sample, day, id, standing, terms},
};
use crate::{
    identity::users::{UserCount, UserCounts},
    network::{
        competencies::Level,
        partners::{PartnerPeriod, PartnerStatus, PartnerType},
    },
    participation::programs::{ProgramStatus::Closed, Requirement, rule_sets},
    platform::values::Period,
};

#[test]
fn a_day_is_judged_by_how_the_partner_and_the_program_stood_on_that_day() {
    let partner = Sample::sound(PartnerType::DirectBill);
    let rules =
        [Requirement::PartnerActive {}, Requirement::Country { countries: vec!["DE".parse().unwrap()] }];
    let until = |last_day: &str, status, country: &str| PartnerPeriod {
        last_day: day(last_day),
        ..standing(status, country)
    };
    let before = [
        until("2018-09-30", PartnerStatus::Active, "DE"),
        until("2018-10-31", PartnerStatus::Suspended, "DE"),
        until("2018-12-31", PartnerStatus::Active, "JP"),
    ];
    let facts = Facts { before: &before, ..partner.facts() };
    let mut terms = terms(&rules);
    let closed = ProgramStanding { status: Closed, ..terms.standing };
    terms.before = vec![
        FormerProgramStanding { last_day: day("2019-01-31"), standing: terms.standing },
        FormerProgramStanding { last_day: day("2019-02-28"), standing: closed },
    ];
    let told = |as_of: &str| {
        let verdict = evaluate(&facts, &terms, day(as_of));
        let until = verdict.eligible_until().map(|until| until.to_string());
        (verdict.codes().first().map(ToString::to_string), until)
    };
    let good = |until: &str| (None, Some(until.to_owned()));
    let bad = |code: &str| (Some(code.to_owned()), None);
    assert_eq!(told("2018-07-01"), good("2018-10-01"));
    assert_eq!(told("2018-10-01"), bad("partner_not_active"));
    assert_eq!(told("2018-11-01"), bad("country_not_covered"));
    assert_eq!(told("2019-01-01"), good("2019-02-01"));
    assert_eq!(told("2019-02-01"), bad("program_not_open"));
    assert_eq!(told("2019-03-01"), good("2021-07-01"));
}

#[test]
fn a_following_version_takes_over_on_its_day_with_its_rules() {
    let partner = Sample { attainments: vec![], ..Sample::sound(PartnerType::DirectBill) };
    let (first, second) = (vec![Requirement::MpnAgreement {}], vec![competency(1, Level::Silver, &[])]);
    let mut terms = terms(&first);
    let version = terms.versions[0];
    let days = |from: &str, to: &str| Period { from: day(from), to: day(to) };
    terms.versions = vec![
        super::VersionTerms { days: days("2018-07-01", "2018-12-31"), ..version },
        super::VersionTerms { days: days("2019-01-01", "2019-03-31"), ..version },
        super::VersionTerms { days: days("2019-04-01", "2019-06-30"), requirements: &second, ..version },
        super::VersionTerms { days: days("2019-07-02", "2020-06-30"), ..version },
    ];
    let facts = partner.facts();
    let until = |as_of| evaluate(&facts, &terms, day(as_of)).eligible_until();
    assert_eq!(until("2018-08-01"), Some(day("2019-04-01")));
    assert_eq!(until("2019-04-01"), None);
    assert_eq!(until("2019-07-02"), Some(day("2020-07-01")));
    terms.versions[2].requirements = &first;
    let until = |as_of| evaluate(&facts, &terms, day(as_of)).eligible_until();
    assert_eq!(until("2018-08-01"), Some(day("2019-07-01")), "a day without a version");
    let gap = evaluate(&facts, &terms, day("2019-07-01")).codes();
    assert_eq!(gap, [super::EligibilityCode::ProgramNotOpen]);
}

#[test]
fn what_the_headquarters_holds_counts() {
    let partner = Sample::sound(PartnerType::DirectBill);
    let days = Period { from: day("2018-10-01"), to: day("2019-02-28") };
    let facts = Facts {
        agreements: Held { own: &[], lent: vec![Lent { days, records: &partner.agreements }] },
        attainments: Held { own: &[], lent: vec![Lent { days, records: &partner.attainments }] },
        ..partner.facts()
    };
    let rules = rule_sets::founding();
    let terms = terms(&rules);
    let on = |as_of| evaluate(&facts, &terms, day(as_of));
    assert!(!on("2018-09-30").is_eligible(), "before it was one");
    assert_eq!(on("2019-01-01").eligible_until(), Some(day("2019-03-01")));
    let codes: Vec<String> = on("2019-03-01").codes().iter().map(ToString::to_string).collect();
    assert_eq!(codes, ["mpn_agreement_missing", "reseller_agreement_missing", "competency_missing"]);
}

#[test]
fn enough_active_users_are_counted_day_by_day() {
    let partner = Sample::sound(PartnerType::DirectBill);
    let count =
        |last_day, active_users| UserCount { partner_id: id(1), last_day: day(last_day), active_users };
    let before = vec![count("2018-09-30", 0), count("2018-12-31", 2), count("2019-03-31", 1)];
    let facts = Facts { users: UserCounts { now: 3, before }, ..partner.facts() };
    let rules = [Requirement::MinimumUsers { min_count: 2 }];
    let terms = terms(&rules);
    for (as_of, code, until) in [
        ("2018-09-30", Some("too_few_users"), None),
        ("2018-10-01", None, Some("2019-01-01")),
        ("2019-03-31", Some("too_few_users"), None),
        ("2019-04-01", None, Some("2021-07-01")),
    ] {
        let verdict = evaluate(&facts, &terms, day(as_of));
        assert_eq!(verdict.codes().first().map(|code| code.as_str()), code, "{as_of}");
        assert_eq!(verdict.eligible_until(), until.map(day), "{as_of}");
    }
    let on = evaluate(&facts, &terms, day("2019-03-31"));
    let check = check(&on, Rule::MinimumUsers);
    assert_eq!(check.message, "1 of 2 active users on 2019-03-31.");
}

#[test]
fn an_enrolled_partner_keeps_its_revenue_where_the_rule_says_so() {
    let partner = Sample { sales: vec![], ..Sample::sound(PartnerType::DirectBill) };
    let days = Period { from: day("2018-12-01"), to: day("2019-01-31") };
    let facts = Facts { enrolled: vec![days], ..partner.facts() };
    for (keep, as_of, kept) in [
        (false, "2019-01-01", false),
        (true, "2018-11-30", false),
        (true, "2018-12-01", true),
        (true, "2019-01-31", true),
        // Who was enrolled on the eve goes into the day with what it kept.
        (true, "2019-02-01", true),
        (true, "2019-02-02", false),
    ] {
        let rules = [revenue(365, 1, keep)];
        let terms = terms(&rules);
        let verdict = evaluate(&facts, &terms, day(as_of));
        let until = kept.then(|| day("2019-02-02"));
        assert_eq!((verdict.is_eligible(), verdict.eligible_until()), (kept, until), "{as_of}");
    }
}
