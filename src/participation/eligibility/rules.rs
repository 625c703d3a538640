//! The rules. Each is one function, which says whether the rule holds, until when, and, where it is asked, why: in a
//! sentence, with what to do about it and the records it rests on.

use super::{
    agreement_rule, any_of_rule, competency_rule,
    evidence::{enrollment, partner},
    facts::Facts,
    model::{Account, Asked, Case, Check, ProgramTerms, Ruling, Verdict, VersionTerms},
    sales_rules,
    wording::{channel, listed, not_asked},
    words::{CheckStatus, EligibilityCode as Code, EligibilityOutcome, EligibilityRule as Rule},
};
use crate::{
    network::{
        agreements::Kind,
        partners::{PartnerStatus, PartnerType},
    },
    participation::programs::{ProgramStatus, Requirement},
    platform::values::{CalendarDate, Country, Locale, Text, Words},
    text,
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
        Asked::Requirement(Requirement::AnyOf { .. }) => Some(any_of_rule::in_words(check)),
        asked => judge(case, asked).1.account,
    };
    account.unwrap_or_else(|| Account::of(not_asked()))
}

/// Judges one rule.
pub(super) fn check<'a>(case: Case<'a>, asked: Asked<'a>) -> Check<'a> {
    if let Asked::Requirement(Requirement::AnyOf { requirements }) = asked {
        return any_of_rule::holds(case, asked, requirements);
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
    let elsewhere = || {
        Account::of(text!("The program is not open.", "プログラムは受付中ではありません。"))
            .mended_by(OTHER_PROGRAM.into())
    };
    match program.standing_on(as_of).status {
        ProgramStatus::Discontinued => {
            let account = || {
                Account::of(text!("The program has been discontinued.", "プログラムは終了しています。"))
                    .mended_by(OTHER_PROGRAM.into())
            };
            Ruling::unmet(Code::ProgramDiscontinued, case.tell(account))
        }
        ProgramStatus::Closed => {
            let account = || {
                Account::of(text!("The program is closed.", "プログラムは受付を停止しています。"))
                    .mended_by(OTHER_PROGRAM.into())
            };
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
                let account = || {
                    Account::of(text!(
                        "The program is open and the version in effect until {to}.",
                        "プログラムは受付中で、この版は {to} まで適用されます。"
                    ))
                };
                Ruling::met(covered.min(open), case.tell(account))
            }
            Some(version) => {
                let account = || not_in_effect(version, as_of);
                Ruling::unmet(Code::ProgramNotOpen, case.tell(account))
            }
        },
    }
}

const OTHER_PROGRAM: Words<'static> = Words::new(
    "Choose a program and version in effect: GET /v1/programs",
    "適用中のプログラムと版を選択してください：GET /v1/programs",
);

fn not_in_effect(version: VersionTerms<'_>, as_of: CalendarDate) -> Account {
    let (from, to) = (version.days.from, version.days.to);
    let account = Account::of(text!(
        "The version is in effect from {from} to {to}, not on {as_of}.",
        "この版の適用期間は {from} から {to} までで、{as_of} には適用されません。"
    ));
    if as_of < from {
        account.mended_by(text!("Ask again from {from} on.", "{from} 以降に再度お申し込みください。"))
    } else {
        account.mended_by(OTHER_PROGRAM.into())
    }
}

fn not_opted_out(case: Case<'_>) -> Ruling {
    let year = case.version.map(|version| version.program_year);
    let of_year = case.facts.opt_outs.iter().filter(|out| Some(out.program_year) == year);
    match of_year.min_by_key(|out| out.on) {
        Some(out) if out.on <= case.as_of => {
            let account = || {
                let day = out.on;
                Account::of(text!(
                    "The partner opted out on {day} for the rest of the program year.",
                    "パートナーは {day} に、当プログラム年度の参加を辞退しています。"
                ))
                .mended_by(text!(
                    "Ask again in the next program year.",
                    "次のプログラム年度に再度お申し込みください。"
                ))
                .resting_on([enrollment(out.enrollment_id)])
            };
            Ruling::unmet(Code::OptedOutThisYear, case.tell(account))
        }
        later => {
            let account = || {
                Account::of(text!(
                    "The partner has not opted out this program year.",
                    "パートナーは当プログラム年度の参加を辞退していません。"
                ))
            };
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
            let account = Account::of(text!(
                "The partner is {status}, not active.",
                "パートナーの状態が {status} で、有効（active）ではありません。"
            ))
            .resting_on([partner(case)]);
            if status == PartnerStatus::Closed {
                return account.mended_by(text!(
                    "A closed partner stays closed; ask for another partner of the group.",
                    "閉鎖されたパートナーは再開できません。グループの別のパートナーでお申し込みください。"
                ));
            }
            account.mended_by(text!(
                "Let an operator activate it: POST /v1/partners/{id}/reinstatement",
                "運営担当者に有効化をご依頼ください：POST /v1/partners/{id}/reinstatement"
            ))
        };
        return Ruling::unmet(Code::PartnerNotActive, case.tell(account));
    }
    if facts.as_headquarters.iter().any(|days| days.contains(as_of)) {
        let account = || {
            Account::of(text!(
                "The partner is a headquarters: it groups locations and never enrolls itself.",
                "パートナーは本社です。本社は拠点をまとめるもので、それ自体は参加できません。"
            ))
            .mended_by(text!(
                "Enroll its locations: GET /v1/partners?headquarters_id={id}",
                "所属する拠点でお申し込みください：GET /v1/partners?headquarters_id={id}"
            ))
            .resting_on([partner(case)])
        };
        return Ruling::unmet(Code::HeadquartersCannotEnroll, case.tell(account));
    }
    let active = facts.fits_until(as_of, |period| period.status == PartnerStatus::Active);
    let firsts = facts.as_headquarters.iter().map(|days| days.from).filter(|from| as_of < *from);
    let until = firsts.min().unwrap_or(CalendarDate::MAX).min(active);
    let account = || {
        Account::of(text!(
            "The partner is active and no headquarters of others.",
            "パートナーは有効で、他のパートナーの本社ではありません。"
        ))
        .resting_on([partner(case)])
    };
    Ruling::met(until, case.tell(account))
}

fn partner_type(case: Case<'_>) -> Ruling {
    let own = case.facts.partner_type;
    let standing = case.program.standing_on(case.as_of);
    if standing.partner_types.contains(&own) {
        let until = case.program.fits_until(case.as_of, |standing| standing.partner_types.contains(&own));
        let account = || {
            let Words { en, ja } = channel(own);
            Account::of(text!(
                "The program is for {en} partners.",
                "このプログラムは{ja}のパートナーを対象としています。"
            ))
            .resting_on([partner(case)])
        };
        return Ruling::met(until, case.tell(account));
    }
    let account = || {
        let wanted = |language: Locale| {
            let names: Vec<&str> =
                standing.partner_types.iter().map(|wanted| language.of(channel(*wanted))).collect();
            listed(&names, language)
        };
        let (for_en, for_ja, Words { en, ja }) = (wanted(Locale::En), wanted(Locale::Ja), channel(own));
        Account::of(Text::new(
            format!("The program is for {for_en} partners; this one is {en}."),
            format!("このプログラムの対象は{for_ja}のパートナーで、このパートナーは{ja}です。"),
        ))
        .mended_by(text!(
            "Choose a program for {en} partners: GET /v1/programs",
            "{ja}のパートナーを対象とするプログラムを選択してください：GET /v1/programs"
        ))
        .resting_on([partner(case)])
    };
    Ruling::unmet(Code::WrongPartnerType, case.tell(account))
}

fn country(case: Case<'_>, countries: &[Country]) -> Ruling {
    let country = case.facts.standing_on(case.as_of).country;
    if countries.contains(&country) {
        let until = case.facts.fits_until(case.as_of, |period| countries.contains(&period.country));
        let account = || {
            Account::of(text!(
                "The program covers {country}.",
                "このプログラムは {country} を対象としています。"
            ))
            .resting_on([partner(case)])
        };
        return Ruling::met(until, case.tell(account));
    }
    let account = || {
        Account::of(text!(
            "The program does not cover {country}.",
            "このプログラムは {country} を対象としていません。"
        ))
        .mended_by(text!(
            "Choose a program that covers {country}: GET /v1/programs",
            "{country} を対象とするプログラムを選択してください：GET /v1/programs"
        ))
        .resting_on([partner(case)])
    };
    Ruling::unmet(Code::CountryNotCovered, case.tell(account))
}

fn minimum_users(case: Case<'_>, min_count: u32) -> Ruling {
    let Case { facts, as_of, .. } = case;
    let (count, needed) = (facts.users.on(as_of), i32::try_from(min_count).unwrap_or(i32::MAX));
    if needed <= count {
        let account = || {
            let message = text!(
                "{count} active users on {as_of}, of {needed} asked for.",
                "{as_of} 時点の有効な利用者は {count} 人です（必要数 {needed} 人）。"
            );
            Account::of(message).resting_on([partner(case)])
        };
        return Ruling::met(facts.users.enough_until(as_of, needed), case.tell(account));
    }
    let account = || {
        Account::of(text!(
            "{count} of {needed} active users on {as_of}.",
            "{as_of} 時点の有効な利用者は、必要数 {needed} 人に対し {count} 人です。"
        ))
        .mended_by(text!(
            "Make users, and let them set themselves up: POST /v1/users",
            "利用者を登録し、各自の初期設定を完了してください：POST /v1/users"
        ))
        .resting_on([partner(case)])
    };
    Ruling::unmet(Code::TooFewUsers, case.tell(account))
}
