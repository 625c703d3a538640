//! The rules: one function per requirement, each a finding and the first day it no longer holds.

use super::{
    agreement_rule, competency_rule,
    model::{Asked, Case, Check, Facts, Finding, Gap, Ground, Terms, Verdict},
    sales_rules,
    words::{CheckStatus, EligibilityOutcome, EligibilityRule as Rule},
};
use crate::{
    network::{
        agreements::Kind,
        partners::{PartnerStatus, PartnerType},
    },
    participation::programs::{ProgramStatus, Requirement},
    platform::values::{CalendarDate, Country},
};

/// Judges a partner by a program version on a day. Every rule is judged, whatever the others gave.
#[must_use]
pub fn evaluate<'a>(facts: &'a Facts<'a>, program: &'a Terms<'a>, as_of: CalendarDate) -> Verdict<'a> {
    let case = Case { facts, terms: program, as_of };
    let mut checks = Vec::with_capacity(program.requirements.len() + 2);
    checks.push(program_open(case).on(Rule::ProgramOpen, case));
    checks.push(not_opted_out(case).on(Rule::NotOptedOut, case));
    checks.extend(program.requirements.iter().map(|requirement| judge(case, requirement)));
    if checks.iter().any(|check| check.is(CheckStatus::Unmet)) {
        return Verdict { as_of, outcome: EligibilityOutcome::Ineligible, eligible_until: None, checks };
    }
    let eligible_until = checks.iter().filter_map(|check| check.lapses_on).min();
    Verdict { as_of, outcome: EligibilityOutcome::Eligible, eligible_until, checks }
}

/// What a rule answers.
pub(super) struct Ruling<'a> {
    finding: Finding<'a>,
    lapses_on: Option<CalendarDate>,
}

impl<'a> Ruling<'a> {
    /// It holds up to the day before `until`; for ever where that is [`CalendarDate::MAX`].
    pub(super) fn met(ground: Ground<'a>, until: CalendarDate) -> Self {
        Self { finding: Finding::Met(ground), lapses_on: (until < CalendarDate::MAX).then_some(until) }
    }

    /// It does not hold.
    pub(super) const fn unmet(gap: Gap<'a>) -> Self {
        Self { finding: Finding::Unmet(gap), lapses_on: None }
    }

    const fn not_applicable() -> Self {
        Self { finding: Finding::NotApplicable, lapses_on: None }
    }

    /// It depends on nothing that has a date.
    fn undated(holds: bool, ground: Ground<'a>, gap: Gap<'a>) -> Self {
        if holds { Self::met(ground, CalendarDate::MAX) } else { Self::unmet(gap) }
    }

    fn on(self, rule: Rule, case: Case<'a>) -> Check<'a> {
        Check { rule, finding: self.finding, lapses_on: self.lapses_on, nested: Vec::new(), case }
    }
}

/// How far a rule reaches from a day on which it holds: the first day nothing carries it any more.
/// `carried_until` gives, for a day, the first day on which what counts on that day no longer does, and a
/// day no later where nothing counts. Following it day by day's end looks through renewals without a gap.
pub(super) fn reach(day: CalendarDate, carried_until: impl Fn(CalendarDate) -> CalendarDate) -> CalendarDate {
    let mut end = day;
    while end < CalendarDate::MAX {
        let next = carried_until(end);
        if next <= end {
            break;
        }
        end = next;
    }
    end
}

fn judge<'a>(case: Case<'a>, requirement: &'a Requirement) -> Check<'a> {
    let only_for = |partner_type, rule: fn(Case<'a>) -> Ruling<'a>| {
        if case.facts.partner_type == partner_type { rule(case) } else { Ruling::not_applicable() }
    };
    let (rule, ruling) = match requirement {
        Requirement::PartnerActive {} => (Rule::PartnerActive, partner_active(case)),
        Requirement::PartnerType {} => (Rule::PartnerType, partner_type(case)),
        Requirement::MpnAgreement {} => (Rule::MpnAgreement, agreement_rule::holds(case, Kind::Mpn)),
        Requirement::DistributorAgreement { authorization_required } => {
            let holds = if *authorization_required { agreement_rule::authorized } else { distributor };
            (Rule::DistributorAgreement, only_for(PartnerType::IndirectProvider, holds))
        }
        Requirement::ResellerAgreement {} => {
            (Rule::ResellerAgreement, only_for(PartnerType::DirectBill, reseller))
        }
        Requirement::Competency { min_count, min_level, any_of } => {
            let asked = Asked { min_count: *min_count, min_level: *min_level, any_of: any_of.as_deref() };
            (Rule::Competency, competency_rule::holds(case, asked))
        }
        Requirement::FirstTransaction {} => {
            (Rule::FirstTransaction, only_for(PartnerType::IndirectReseller, sales_rules::first_transaction))
        }
        Requirement::TrailingRevenue { days, amount, keep_once_enrolled } => {
            let kept = *keep_once_enrolled && case.facts.enrolled;
            (Rule::TrailingRevenue, sales_rules::trailing_revenue(case, *days, *amount, kept))
        }
        Requirement::Country { countries } => (Rule::Country, country(case, countries)),
        Requirement::AnyOf { requirements } => return any_of(case, requirements),
    };
    ruling.on(rule, case)
}

fn program_open(case: Case<'_>) -> Ruling<'_> {
    let terms = case.terms;
    let in_effect = terms.effective_from <= case.as_of && case.as_of <= terms.effective_to;
    match terms.status {
        ProgramStatus::Discontinued => Ruling::unmet(Gap::ProgramDiscontinued),
        ProgramStatus::Open if in_effect => Ruling::met(Ground::ProgramOpen, terms.effective_to.plus_days(1)),
        ProgramStatus::Open | ProgramStatus::Closed => Ruling::unmet(Gap::ProgramNotOpen),
    }
}

fn not_opted_out(case: Case<'_>) -> Ruling<'_> {
    match case.facts.opt_out {
        Some(opt_out) if opt_out.on <= case.as_of => Ruling::unmet(Gap::OptedOut(opt_out)),
        later => Ruling::met(Ground::NotOptedOut, later.map_or(CalendarDate::MAX, |opt_out| opt_out.on)),
    }
}

fn partner_active(case: Case<'_>) -> Ruling<'_> {
    if case.facts.status != PartnerStatus::Active {
        return Ruling::unmet(Gap::PartnerNotActive);
    }
    Ruling::undated(!case.facts.is_headquarters, Ground::PartnerActive, Gap::Headquarters)
}

fn partner_type(case: Case<'_>) -> Ruling<'_> {
    let fits = case.terms.partner_types.contains(&case.facts.partner_type);
    Ruling::undated(fits, Ground::PartnerType, Gap::WrongPartnerType)
}

fn country<'a>(case: Case<'a>, countries: &[Country]) -> Ruling<'a> {
    Ruling::undated(countries.contains(&case.facts.country), Ground::Country, Gap::Country)
}

fn distributor(case: Case<'_>) -> Ruling<'_> {
    agreement_rule::holds(case, Kind::Distributor)
}

fn reseller(case: Case<'_>) -> Ruling<'_> {
    agreement_rule::holds(case, Kind::Reseller)
}

/// Holds while one alternative does. Where the one that holds now lapses, another may take over, even one
/// that does not hold yet; so the alternatives are judged again on each lapse until none is left.
fn any_of<'a>(case: Case<'a>, alternatives: &'a [Requirement]) -> Check<'a> {
    let judged_on = |day| alternatives.iter().map(move |a| judge(Case { as_of: day, ..case }, a));
    let nested: Vec<Check<'a>> = judged_on(case.as_of).collect();
    let ruling = if nested.iter().any(|check| check.is(CheckStatus::Met)) {
        let now = nested.iter().filter_map(met_until).max().unwrap_or(case.as_of);
        let until =
            reach(now, |day| judged_on(day).filter_map(|check| met_until(&check)).max().unwrap_or(day));
        Ruling::met(Ground::AnyOf, until)
    } else if nested.iter().all(|check| check.is(CheckStatus::NotApplicable)) {
        Ruling::not_applicable()
    } else {
        Ruling::unmet(Gap::AnyOf)
    };
    Check { nested, ..ruling.on(Rule::AnyOf, case) }
}

fn met_until(check: &Check<'_>) -> Option<CalendarDate> {
    check.is(CheckStatus::Met).then(|| check.lapses_on.unwrap_or(CalendarDate::MAX))
}
