//! The worked examples of the domain, E1 to E8, as pure questions.

use super::{
    CheckStatus, CheckWarning, EligibilityCheckView, EligibilityRule as Rule, EvidenceKind, Verdict,
    samples::{Sample, agreement, codes, day, id, judged, purchase, refund},
};
use crate::{
    network::{agreements::Kind, partners::PartnerType},
    participation::programs::{Requirement, rule_sets},
    platform::values::Locale,
};

const NONE: [&str; 0] = [];

fn check(verdict: &Verdict<'_>, rule: Rule) -> EligibilityCheckView {
    let found = verdict.view().into_iter().find(|check| check.rule == rule).unwrap();
    EligibilityCheckView::of(found, Locale::En)
}

fn lapse(partner: &Sample, requirement: &Requirement, as_of: &str) -> Option<String> {
    judged(partner, std::slice::from_ref(requirement), as_of, |verdict| {
        verdict.checks[2].lapses_on.map(|on| on.to_string())
    })
}

#[test]
fn e1_a_sound_direct_bill_partner_is_eligible_and_the_rules_of_others_do_not_apply() {
    let mut partner = Sample::sound(PartnerType::DirectBill);
    partner.agreements[0].expires_on = Some(day("2019-06-30"));
    judged(&partner, &rule_sets::founding(), "2018-11-01", |verdict| {
        assert!(verdict.is_eligible());
        assert_eq!(verdict.eligible_until(), Some(day("2019-07-31")));
        for rule in [Rule::DistributorAgreement, Rule::FirstTransaction] {
            assert_eq!(check(verdict, rule).status, CheckStatus::NotApplicable);
        }
        let order: Vec<&str> = verdict.checks.iter().map(|check| check.rule.as_str()).collect();
        let founding = rule_sets::founding();
        assert_eq!(order[..2], ["program_open", "not_opted_out"]);
        assert_eq!(order[2..], founding.iter().map(Requirement::rule).collect::<Vec<_>>());
    });
}

#[test]
fn e2_an_indirect_reseller_without_a_transaction_lacks_exactly_that() {
    let partner = Sample { sales: vec![], ..Sample::sound(PartnerType::IndirectReseller) };
    assert_eq!(codes(&partner, &rule_sets::founding(), "2018-11-01"), ["first_transaction_missing"]);
}

#[test]
fn e3_the_first_purchase_makes_it_eligible_and_its_full_refund_ends_that() {
    let mut partner = Sample::sound(PartnerType::IndirectReseller);
    partner.sales = vec![
        purchase(30, "2018-11-20", 10_000),
        refund(31, 30, "2018-11-25", -4_000),
        refund(32, 30, "2018-11-28", -6_000),
    ];
    let rules = rule_sets::founding();
    assert_eq!(codes(&partner, &rules, "2018-11-19"), ["first_transaction_missing"]);
    assert_eq!(codes(&partner, &rules, "2018-11-20"), NONE);
    assert_eq!(codes(&partner, &rules, "2018-11-27"), NONE);
    assert_eq!(codes(&partner, &rules, "2018-11-28"), ["first_transaction_missing"]);
    assert_eq!(lapse(&partner, &Requirement::FirstTransaction {}, "2018-11-20").unwrap(), "2018-11-28");
    partner.sales.push(purchase(33, "2018-11-28", 500));
    assert_eq!(lapse(&partner, &Requirement::FirstTransaction {}, "2018-11-20"), None);
    assert_eq!(codes(&partner, &rules, "2018-11-28"), NONE);
}

#[test]
fn e4_an_indirect_provider_needs_a_distributor_agreement() {
    let mut partner = Sample::sound(PartnerType::IndirectProvider).without(Kind::Distributor);
    partner.agreements.push(agreement(12, Kind::Reseller, "2018-07-01", ""));
    assert_eq!(codes(&partner, &rule_sets::founding(), "2018-11-01"), ["distributor_agreement_missing"]);
}

#[test]
fn e5_the_two_rule_sets_differ_on_an_authorized_distributor_without_a_competency() {
    let mut partner = Sample { attainments: vec![], ..Sample::sound(PartnerType::IndirectProvider) };
    let guide = rule_sets::guide(PartnerType::IndirectProvider);
    assert_eq!(codes(&partner, &guide, "2018-11-01"), ["distributor_authorization_missing"]);
    partner.agreements[1].distributor_authorization = Some(true);
    assert_eq!(codes(&partner, &rule_sets::founding(), "2018-11-01"), ["competency_missing"]);
    assert_eq!(codes(&partner, &guide, "2018-11-01"), NONE);
}

#[test]
fn e6_everything_unmet_is_said_at_once() {
    let mut partner = Sample::sound(PartnerType::DirectBill).without(Kind::Reseller);
    partner.agreements[0].expires_on = Some(day("2018-09-30"));
    partner.attainments.clear();
    assert_eq!(
        codes(&partner, &rule_sets::founding(), "2018-11-01"),
        ["mpn_agreement_expired", "reseller_agreement_missing", "competency_missing"]
    );
}

#[test]
fn e7_an_mpn_agreement_counts_through_its_grace_with_a_warning() {
    let mut partner = Sample::sound(PartnerType::DirectBill);
    partner.agreements[0].expires_on = Some(day("2019-09-01"));
    let rules = [Requirement::MpnAgreement {}];
    judged(&partner, &rules, "2019-09-01", |v| assert_eq!(v.checks[2].warning, None));
    judged(&partner, &rules, "2019-09-02", |verdict| {
        let mpn = check(verdict, Rule::MpnAgreement);
        assert_eq!((mpn.status, mpn.warning), (CheckStatus::Met, Some(CheckWarning::InGrace)));
        assert_eq!(mpn.lapses_on, Some(day("2019-10-02")));
        assert_eq!(
            mpn.message,
            "MPN agreement A-10 expired on 2019-09-01; its renewal window ends on 2019-10-01."
        );
        let href = format!("/v1/mpn-agreements/{}", id(10));
        assert_eq!(mpn.remedy.unwrap(), format!("Renew the MPN agreement: POST {href}/renewal"));
        assert_eq!((mpn.evidence[0].kind, &mpn.evidence[0].href), (EvidenceKind::MpnAgreement, &href));
    });
    assert_eq!(codes(&partner, &rules, "2019-10-01"), NONE);
    assert_eq!(codes(&partner, &rules, "2019-10-02"), ["mpn_agreement_expired"]);
}

#[test]
fn e8_a_competency_counts_from_the_day_it_was_attained() {
    let mut partner = Sample::sound(PartnerType::DirectBill);
    partner.attainments[0].attained_on = day("2019-01-10");
    assert_eq!(codes(&partner, &rule_sets::founding(), "2019-01-09"), ["competency_missing"]);
    assert_eq!(codes(&partner, &rule_sets::founding(), "2019-01-10"), NONE);
}
