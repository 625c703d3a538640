//! The rules. Each is one function, which says whether the rule holds, until when, and, where it is asked, why: in a
//! sentence, with what to do about it and the records it rests on.

use super::{
    agreement_rule, competency_rule,
    evidence::{enrollment, partner},
    facts::Facts,
    model::{Account, Asked, Case, Check, ProgramTerms, Ruling, Verdict, VersionTerms},
    sales_rules,
    wording::{channel, listed},
    words::{
        CheckStatus, CheckWarning, EligibilityCode as Code, EligibilityOutcome, EligibilityRule as Rule,
    },
};
use crate::{
    network::{
        agreements::Kind,
        partners::{PartnerStatus, PartnerType},
    },
    participation::programs::{ProgramStatus, Requirement},
    platform::values::{CalendarDate, Country},
};

/// Judges a partner for a program on a day, by the version in effect on that day, else by the nearest. Every rule is
/// judged, whatever the others gave.
#[must_use]
pub fn evaluate<'a>(facts: &'a Facts<'a>, program: &'a ProgramTerms<'a>, as_of: CalendarDate) -> Verdict<'a> {
    evaluate_by(facts, program, program.judging(as_of), as_of)
}

/// The same, by a version that is named.
pub(super) fn evaluate_by<'a>(
    facts: &'a Facts<'a>,
    program: &'a ProgramTerms<'a>,
    version: Option<VersionTerms<'a>>,
    as_of: CalendarDate,
) -> Verdict<'a> {
    let case = Case { facts, program, version, as_of, in_words: false };
    let requirements = version.map_or([].as_slice(), |version| version.requirements);
    let mut checks = Vec::with_capacity(requirements.len() + 2);
    checks.push(check(case, Asked::ProgramOpen));
    checks.push(check(case, Asked::NotOptedOut));
    checks.extend(requirements.iter().map(|requirement| check(case, Asked::Requirement(requirement))));
    let lost = checks.iter().any(|check| check.is(CheckStatus::Unmet));
    let outcome = if lost { EligibilityOutcome::Ineligible } else { EligibilityOutcome::Eligible };
    Verdict { as_of, outcome, checks, case }
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

/// A check in words.
pub(super) fn account(check: &Check<'_>) -> Account {
    let case = Case { in_words: true, ..check.case };
    let account = match check.asked {
        Asked::Requirement(Requirement::AnyOf { .. }) => Some(any_of_in_words(check)),
        asked => judge(case, asked).1.account,
    };
    account.unwrap_or_else(|| Account::of(""))
}

fn check<'a>(case: Case<'a>, asked: Asked<'a>) -> Check<'a> {
    if let Asked::Requirement(Requirement::AnyOf { requirements }) = asked {
        return any_of(case, asked, requirements);
    }
    let (rule, Ruling { status, code, warning, lapses_on, account: _ }) = judge(case, asked);
    Check { rule, status, code, warning, lapses_on, nested: Vec::new(), asked, case }
}

/// The one list of rules: what each requirement asks, and of whom.
fn judge<'a>(case: Case<'a>, asked: Asked<'a>) -> (Rule, Ruling) {
    let requirement = match asked {
        Asked::ProgramOpen => return (Rule::ProgramOpen, program_open(case)),
        Asked::NotOptedOut => return (Rule::NotOptedOut, not_opted_out(case)),
        Asked::Requirement(requirement) => requirement,
    };
    let only_for = |partner_type, ruling: &dyn Fn() -> Ruling| {
        if case.facts.partner_type == partner_type { ruling() } else { Ruling::not_applicable(case) }
    };
    match requirement {
        Requirement::PartnerActive {} => (Rule::PartnerActive, partner_active(case)),
        Requirement::PartnerType {} => (Rule::PartnerType, partner_type(case)),
        Requirement::MpnAgreement {} => (Rule::MpnAgreement, agreement_rule::holds(case, Kind::Mpn)),
        Requirement::DistributorAgreement { authorization_required } => {
            let ruling = || agreement_rule::distributor(case, *authorization_required);
            (Rule::DistributorAgreement, only_for(PartnerType::IndirectProvider, &ruling))
        }
        Requirement::ResellerAgreement {} => {
            let ruling = || agreement_rule::holds(case, Kind::Reseller);
            (Rule::ResellerAgreement, only_for(PartnerType::DirectBill, &ruling))
        }
        Requirement::Competency { min_count, min_level, any_of } => {
            let (min_count, min_level, any_of) = (*min_count, *min_level, any_of.as_deref());
            let asked = competency_rule::Competencies { min_count, min_level, any_of };
            (Rule::Competency, competency_rule::holds(case, asked))
        }
        Requirement::FirstTransaction {} => {
            let ruling = || sales_rules::first_transaction(case);
            (Rule::FirstTransaction, only_for(PartnerType::IndirectReseller, &ruling))
        }
        Requirement::TrailingRevenue { days, amount, keep_once_enrolled } => {
            let ruling = sales_rules::trailing_revenue(case, *days, *amount, *keep_once_enrolled);
            (Rule::TrailingRevenue, ruling)
        }
        Requirement::Country { countries } => (Rule::Country, country(case, countries)),
        Requirement::MinimumUsers { min_count } => (Rule::MinimumUsers, minimum_users(case, *min_count)),
        // Judged with its alternatives, before.
        Requirement::AnyOf { .. } => (Rule::AnyOf, Ruling::not_applicable(case)),
    }
}

fn program_open(case: Case<'_>) -> Ruling {
    let Case { program, version, as_of, .. } = case;
    let elsewhere = || Account::of("The program is not open.").mended_by(OTHER_PROGRAM);
    match program.standing_on(as_of).status {
        ProgramStatus::Discontinued => {
            let account = || Account::of("The program has been discontinued.").mended_by(OTHER_PROGRAM);
            Ruling::unmet(Code::ProgramDiscontinued, case.tell(account))
        }
        ProgramStatus::Closed => {
            let account = || Account::of("The program is closed.").mended_by(OTHER_PROGRAM);
            Ruling::unmet(Code::ProgramNotOpen, case.tell(account))
        }
        ProgramStatus::Open => match version {
            None => Ruling::unmet(Code::ProgramNotOpen, case.tell(elsewhere)),
            Some(version) if version.days.contains(as_of) => {
                let covered = reach(as_of, |day| {
                    let next =
                        if version.days.contains(day) { Some(version) } else { program.in_effect_on(day) };
                    next.map_or(day, |next| next.days.to.plus_days(1))
                });
                let open = program.fits_until(as_of, |standing| standing.status == ProgramStatus::Open);
                let to = version.days.to;
                let account =
                    || Account::of(format!("The program is open and the version in effect until {to}."));
                Ruling::met(covered.min(open), case.tell(account))
            }
            Some(version) => {
                let account = || not_in_effect(version, as_of);
                Ruling::unmet(Code::ProgramNotOpen, case.tell(account))
            }
        },
    }
}

const OTHER_PROGRAM: &str = "Choose a program and version in effect: GET /v1/programs";

fn not_in_effect(version: VersionTerms<'_>, as_of: CalendarDate) -> Account {
    let (from, to) = (version.days.from, version.days.to);
    let account = Account::of(format!("The version is in effect from {from} to {to}, not on {as_of}."));
    if as_of < from {
        account.mended_by(format!("Ask again from {from} on."))
    } else {
        account.mended_by(OTHER_PROGRAM)
    }
}

fn not_opted_out(case: Case<'_>) -> Ruling {
    let year = case.version.map(|version| version.program_year);
    let of_year = case.facts.opt_outs.iter().filter(|out| Some(out.program_year) == year);
    match of_year.min_by_key(|out| out.on) {
        Some(out) if out.on <= case.as_of => {
            let account = || {
                let day = out.on;
                Account::of(format!("The partner opted out on {day} for the rest of the program year."))
                    .mended_by("Ask again in the next program year.")
                    .resting_on([enrollment(out.enrollment_id)])
            };
            Ruling::unmet(Code::OptedOutThisYear, case.tell(account))
        }
        later => {
            let account = || Account::of("The partner has not opted out this program year.");
            Ruling::met(later.map_or(CalendarDate::MAX, |out| out.on), case.tell(account))
        }
    }
}

fn partner_active(case: Case<'_>) -> Ruling {
    let Case { facts, as_of, .. } = case;
    let id = facts.partner_id;
    let status = facts.standing_on(as_of).status;
    if status != PartnerStatus::Active {
        let account = || {
            let account =
                Account::of(format!("The partner is {status}, not active.")).resting_on([partner(case)]);
            if status == PartnerStatus::Closed {
                return account
                    .mended_by("A closed partner stays closed; ask for another partner of the group.");
            }
            account.mended_by(format!("Let an operator activate it: POST /v1/partners/{id}/reinstatement"))
        };
        return Ruling::unmet(Code::PartnerNotActive, case.tell(account));
    }
    if facts.as_headquarters.iter().any(|days| days.contains(as_of)) {
        let account = || {
            Account::of("The partner is a headquarters: it groups locations and never enrolls itself.")
                .mended_by(format!("Enroll its locations: GET /v1/partners?headquarters_id={id}"))
                .resting_on([partner(case)])
        };
        return Ruling::unmet(Code::HeadquartersCannotEnroll, case.tell(account));
    }
    let active = facts.fits_until(as_of, |period| period.status == PartnerStatus::Active);
    let firsts = facts.as_headquarters.iter().map(|days| days.from).filter(|from| as_of < *from);
    let until = firsts.min().unwrap_or(CalendarDate::MAX).min(active);
    let account =
        || Account::of("The partner is active and no headquarters of others.").resting_on([partner(case)]);
    Ruling::met(until, case.tell(account))
}

fn partner_type(case: Case<'_>) -> Ruling {
    let own = case.facts.partner_type;
    let standing = case.program.standing_on(case.as_of);
    if standing.partner_types.contains(&own) {
        let until = case.program.fits_until(case.as_of, |standing| standing.partner_types.contains(&own));
        let account = || {
            Account::of(format!("The program is for {} partners.", channel(own))).resting_on([partner(case)])
        };
        return Ruling::met(until, case.tell(account));
    }
    let account = || {
        let wanted: Vec<&str> = standing.partner_types.iter().map(|t| channel(*t)).collect();
        let (wanted, own) = (listed(&wanted), channel(own));
        Account::of(format!("The program is for {wanted} partners; this one is {own}."))
            .mended_by(format!("Choose a program for {own} partners: GET /v1/programs"))
            .resting_on([partner(case)])
    };
    Ruling::unmet(Code::WrongPartnerType, case.tell(account))
}

fn country(case: Case<'_>, countries: &[Country]) -> Ruling {
    let country = case.facts.standing_on(case.as_of).country;
    if countries.contains(&country) {
        let until = case.facts.fits_until(case.as_of, |period| countries.contains(&period.country));
        let account = || Account::of(format!("The program covers {country}.")).resting_on([partner(case)]);
        return Ruling::met(until, case.tell(account));
    }
    let account = || {
        Account::of(format!("The program does not cover {country}."))
            .mended_by(format!("Choose a program that covers {country}: GET /v1/programs"))
            .resting_on([partner(case)])
    };
    Ruling::unmet(Code::CountryNotCovered, case.tell(account))
}

fn minimum_users(case: Case<'_>, min_count: u32) -> Ruling {
    let Case { facts, as_of, .. } = case;
    let (count, needed) = (facts.users.on(as_of), i32::try_from(min_count).unwrap_or(i32::MAX));
    if needed <= count {
        let account = || {
            let message = format!("{count} active users on {as_of}, of {needed} asked for.");
            Account::of(message).resting_on([partner(case)])
        };
        return Ruling::met(facts.users.enough_until(as_of, needed), case.tell(account));
    }
    let account = || {
        Account::of(format!("{count} of {needed} active users on {as_of}."))
            .mended_by("Make users, and let them set themselves up: POST /v1/users")
            .resting_on([partner(case)])
    };
    Ruling::unmet(Code::TooFewUsers, case.tell(account))
}

/// Holds while one alternative does. Where the one that holds now lapses, another may take over, even one
/// that does not hold yet; so the alternatives are judged again on each lapse until none is left.
fn any_of<'a>(case: Case<'a>, asked: Asked<'a>, alternatives: &'a [Requirement]) -> Check<'a> {
    let judged_on =
        |day| alternatives.iter().map(move |one| check(Case { as_of: day, ..case }, Asked::Requirement(one)));
    let nested: Vec<Check<'a>> = judged_on(case.as_of).collect();
    let met = || nested.iter().filter(|check| check.is(CheckStatus::Met));
    let (status, code, warning, until) = if met().next().is_some() {
        let now = nested.iter().filter_map(met_until).max().unwrap_or(case.as_of);
        let until =
            reach(now, |day| judged_on(day).filter_map(|check| met_until(&check)).max().unwrap_or(day));
        let mut warnings = met().map(|check| check.warning);
        let first: Option<CheckWarning> = warnings.next().flatten();
        let warning = first.filter(|_| warnings.all(|warning| warning.is_some()));
        (CheckStatus::Met, None, warning, until)
    } else if nested.iter().all(|check| check.is(CheckStatus::NotApplicable)) {
        (CheckStatus::NotApplicable, None, None, CalendarDate::MAX)
    } else {
        (CheckStatus::Unmet, nested.iter().find_map(|check| check.code), None, CalendarDate::MAX)
    };
    let lapses_on = (until < CalendarDate::MAX).then_some(until);
    Check { rule: Rule::AnyOf, status, code, warning, lapses_on, nested, asked, case }
}

fn any_of_in_words(check: &Check<'_>) -> Account {
    let number = check.nested.len();
    match check.status {
        CheckStatus::NotApplicable => Account::of("Not asked of this type of partner."),
        CheckStatus::Unmet => {
            let codes: Vec<&str> = check.codes().into_iter().map(Code::as_str).collect();
            Account::of(format!("None of the {number} alternatives is met: {}.", listed(&codes)))
                .mended_by(ALTERNATIVE)
        }
        CheckStatus::Met => {
            let met = check.nested.iter().filter(|nested| nested.is(CheckStatus::Met));
            let met: Vec<&str> = met.map(|nested| nested.rule.as_str()).collect();
            let account =
                Account::of(format!("Met by {} of {number} alternatives: {}.", met.len(), listed(&met)));
            if check.warning.is_some() { account.mended_by(ALTERNATIVE) } else { account }
        }
    }
}

const ALTERNATIVE: &str = "Follow the remedy of one of the alternatives.";

fn met_until(check: &Check<'_>) -> Option<CalendarDate> {
    check.is(CheckStatus::Met).then(|| check.lapses_on.unwrap_or(CalendarDate::MAX))
}
