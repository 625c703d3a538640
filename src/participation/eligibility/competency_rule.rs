//! The competency rule: enough different competencies of a level count.
//!
//! Two attainments of one competency, such as a renewal or the headquarters' own, are one competency.

use super::{
    held::Holding,
    model::{Account, Case, Ruling},
    rules::reach,
    view::EligibilityEvidence,
    wording::listed,
    words::{CheckWarning, EligibilityCode as Code},
};
use crate::{
    network::competencies::{Attainment, Level},
    platform::values::{CalendarDate, Locale, Text},
    text,
};
use std::cmp::Reverse;

/// How many records a check names at most.
const MOST: usize = 20;

/// The competencies the rule asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Competencies<'a> {
    /// How many different ones.
    pub(super) min_count: u32,
    /// At which level at least.
    pub(super) min_level: Level,
    /// From which; none takes every competency.
    pub(super) any_of: Option<&'a [String]>,
}

/// Why too few competencies count.
#[derive(Clone, Copy, Debug)]
enum CompetencyFault<'a> {
    /// No more competencies were attained by the day.
    Missing,
    /// This attainment qualified but no longer counts.
    Expired(&'a Attainment),
    /// This attainment has the wrong level or is not listed.
    NotQualifying(&'a Attainment),
}

pub(super) fn holds(case: Case<'_>, asked: Competencies<'_>) -> Ruling {
    let day = case.as_of;
    if !enough(case, asked, |held| held.counts_on(day)) {
        let count = distinct(case, asked, |held| held.counts_on(day));
        let fault = fault(case, asked, count);
        let code = match fault {
            CompetencyFault::Missing => Code::CompetencyMissing,
            CompetencyFault::Expired(_) => Code::CompetencyExpired,
            CompetencyFault::NotQualifying(_) => Code::CompetencyNotQualifying,
        };
        return Ruling::unmet(code, case.tell(|| unmet(case, asked, count, fault)));
    }
    let until = reach(day, |day| carried_until(case, asked, day));
    let warning = warning(case, asked);
    Ruling::met(until, case.tell(|| met(case, asked, warning))).warning(warning)
}

impl Competencies<'_> {
    /// Whether an attainment is of the level and the list asked for.
    fn admits(&self, attainment: &Attainment) -> bool {
        self.min_level <= attainment.level
            && self.any_of.is_none_or(|codes| codes.contains(&attainment.competency_code))
    }
}

fn admitted<'a>(case: Case<'a>, asked: Competencies<'a>) -> impl Iterator<Item = Holding<'a, Attainment>> {
    case.facts.attainments.iter().filter(move |held| asked.admits(held.record))
}

fn enough(
    case: Case<'_>,
    asked: Competencies<'_>,
    counts: impl Fn(&Holding<'_, Attainment>) -> bool,
) -> bool {
    match asked.min_count {
        0 | 1 => admitted(case, asked).any(|held| counts(&held)),
        more => more <= distinct(case, asked, counts),
    }
}

fn distinct(
    case: Case<'_>,
    asked: Competencies<'_>,
    counts: impl Fn(&Holding<'_, Attainment>) -> bool,
) -> u32 {
    let counting = admitted(case, asked).filter(|held| counts(held));
    let mut codes: Vec<&str> = counting.map(|held| held.record.competency_code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    u32::try_from(codes.len()).unwrap_or(u32::MAX)
}

/// The first day on which fewer of those that count on `day` are left than are asked for.
fn carried_until(case: Case<'_>, asked: Competencies<'_>, day: CalendarDate) -> CalendarDate {
    let spans = admitted(case, asked)
        .filter(|held| held.counts_on(day))
        .map(|held| (held.record.competency_code.as_str(), held.until()));
    if asked.min_count <= 1 {
        return spans.map(|(_, end)| end).max().unwrap_or(day);
    }
    let mut spans: Vec<_> = spans.collect();
    spans.sort_unstable_by(|a, b| b.cmp(a));
    spans.dedup_by_key(|(code, _)| *code);
    spans.sort_unstable_by_key(|(_, end)| Reverse(*end));
    let last_needed = asked.min_count as usize - 1;
    spans.get(last_needed).map_or(day, |(_, end)| *end)
}

/// Warns only where the rule would fail without the attainments in doubt.
fn warning(case: Case<'_>, asked: Competencies<'_>) -> Option<CheckWarning> {
    let day = case.as_of;
    let regular = |held: &Holding<'_, Attainment>| held.counts_on(day) && day <= held.record.expires_on;
    let safe = |held: &Holding<'_, Attainment>| {
        regular(held) && held.record.at_risk_since.is_none_or(|since| day < since)
    };
    if enough(case, asked, safe) {
        None
    } else if enough(case, asked, regular) {
        Some(CheckWarning::AtRisk)
    } else {
        Some(CheckWarning::InGrace)
    }
}

/// The most telling reason: a qualifying attainment that ran out, which can be renewed; else one that does not qualify;
/// else that there is none.
fn fault<'a>(case: Case<'a>, asked: Competencies<'a>, count: u32) -> CompetencyFault<'a> {
    let day = case.as_of;
    let all = || case.facts.attainments.on(day).filter(|a| a.attained_on <= day);
    let still_held =
        |code: &str| all().any(|a| asked.admits(a) && a.competency_code == code && a.counts_on(day));
    let lapsed = all()
        .filter(|a| asked.admits(a) && !still_held(&a.competency_code))
        .max_by_key(|a| (a.first_day_without(), a.id));
    if let Some(lapsed) = lapsed {
        return CompetencyFault::Expired(lapsed);
    }
    all()
        .filter(|a| !asked.admits(a))
        // Beside attainments that do qualify, one that has run out explains nothing.
        .filter(|a| count == 0 || a.counts_on(day))
        .max_by_key(|a| (a.counts_on(day), a.level, a.first_day_without(), a.id))
        .map_or(CompetencyFault::Missing, CompetencyFault::NotQualifying)
}

/// The attainments that count towards what is asked on the day, those that count longest first.
fn counting<'a>(case: Case<'a>, asked: Competencies<'_>) -> Vec<&'a Attainment> {
    let day = case.as_of;
    let mut counting: Vec<&Attainment> =
        case.facts.attainments.on(day).filter(|a| asked.admits(a) && a.counts_on(day)).collect();
    counting.sort_unstable_by_key(|a| (Reverse(a.first_day_without()), a.id));
    counting
}

fn met(case: Case<'_>, asked: Competencies<'_>, warning: Option<CheckWarning>) -> Account {
    let attainments = counting(case, asked);
    let day = case.as_of;
    let counting = |language| {
        let each: Vec<String> = attainments.iter().map(|a| named(a, language)).collect();
        listed(&each, language)
    };
    let (en, ja) = (counting(Locale::En), counting(Locale::Ja));
    let message = match warning {
        Some(CheckWarning::InGrace) => Text::new(
            format!("Counting on {day}: {en}. Without those past their expiry it would be too few."),
            format!("{day} 時点で有効：{ja}。期限を過ぎたものを除くと必要数に達しません。"),
        ),
        Some(CheckWarning::AtRisk) => Text::new(
            format!("Counting on {day}: {en}. Without those at risk it would be too few."),
            format!("{day} 時点で有効：{ja}。更新が危ぶまれるものを除くと必要数に達しません。"),
        ),
        None => Text::new(format!("Counting on {day}: {en}."), format!("{day} 時点で有効：{ja}。")),
    };
    let account =
        Account::of(message).resting_on(attainments.into_iter().take(MOST).map(EligibilityEvidence::from));
    match warning {
        Some(_) => account.mended_by(text!(
            "Renew the competencies in doubt before the rule lapses.",
            "要件を満たさなくなる前に、該当するコンピテンシーを更新してください。"
        )),
        None => account,
    }
}

fn unmet(case: Case<'_>, asked: Competencies<'_>, count: u32, fault: CompetencyFault<'_>) -> Account {
    let (needed, day, partner) = (asked.min_count, case.as_of, case.facts.partner_id);
    let count = Text::in_each(|language| {
        let from = asked.any_of.map(|codes| listed(codes, language));
        let gold = asked.min_level == Level::Gold;
        match language {
            Locale::En => {
                let level = if gold { "gold" } else { "silver or gold" };
                let from = from.map_or_else(String::new, |from| format!(" from {from}"));
                format!("{count} of {needed} competencies ({level}{from}) count on {day}")
            }
            Locale::Ja => {
                let level = if gold { "ゴールド" } else { "シルバーまたはゴールド" };
                let from = from.map_or_else(String::new, |from| format!("、対象：{from}"));
                format!("{day} 時点で有効なコンピテンシー（{level}{from}）は {needed} 件中 {count} 件です")
            }
        }
    });
    let [en, ja] = [Locale::En, Locale::Ja].map(|language| count.in_language(language));
    let attain = text!(
        "Attain a qualifying competency: PUT /v1/partners/{partner}/competencies/{{code}}",
        "条件に該当するコンピテンシーを取得してください：PUT /v1/partners/{partner}/competencies/{{code}}"
    );
    let (account, at_fault) = match fault {
        CompetencyFault::Missing => (Account::of(text!("{en}.", "{ja}。")).mended_by(attain), None),
        CompetencyFault::Expired(a) => {
            let (holder, code, end) = (a.partner_id, &a.competency_code, a.first_day_without());
            let account = Account::of(text!(
                "{en}: {code} has not counted since {end}.",
                "{ja}。{code} は {end} 以降無効です。"
            ))
            .mended_by(text!(
                "Renew {code}: PUT /v1/partners/{holder}/competencies/{code}",
                "{code} を更新してください：PUT /v1/partners/{holder}/competencies/{code}"
            ));
            (account, Some(a))
        }
        CompetencyFault::NotQualifying(a) => {
            let message = Text::new(
                format!("{en}: {} does not qualify.", named(a, Locale::En)),
                format!("{ja}。{}は条件に該当しません。", named(a, Locale::Ja)),
            );
            (Account::of(message).mended_by(attain), Some(a))
        }
    };
    let others = counting(case, asked).into_iter().take(MOST - 1);
    account.resting_on(at_fault.into_iter().chain(others).map(EligibilityEvidence::from))
}

fn named(Attainment { level, competency_code, expires_on, .. }: &Attainment, language: Locale) -> String {
    match language {
        Locale::En => format!("{level} {competency_code} to {expires_on}"),
        Locale::Ja => {
            let level = match level {
                Level::Silver => "シルバー",
                Level::Gold => "ゴールド",
            };
            format!("{competency_code}（{level}、{expires_on} まで）")
        }
    }
}
