//! The competency rule: enough different competencies of a level count.
//!
//! Two attainments of one competency, such as an early renewal or the headquarters' own, are one competency.

use super::{
    model::{Asked, Case, CompetencyFault, Gap, Ground},
    rules::{Ruling, reach},
    words::CheckWarning,
};
use crate::{network::competencies::Attainment, platform::values::CalendarDate};

pub(super) fn holds<'a>(case: Case<'a>, asked: Asked<'a>) -> Ruling<'a> {
    let day = case.as_of;
    if !enough(case, asked, |attainment| attainment.counts_on(day)) {
        let held = distinct(case, asked, |attainment| attainment.counts_on(day));
        return Ruling::unmet(Gap::Competencies(asked, held, fault(case, asked, held)));
    }
    let until = reach(day, |day| carried_until(case, asked, day));
    Ruling::met(Ground::Competencies(asked, warning(case, asked)), until)
}

impl Asked<'_> {
    /// Whether an attainment is of the level and the list asked for.
    #[must_use]
    pub fn admits(&self, attainment: &Attainment) -> bool {
        self.min_level <= attainment.level
            && self.any_of.is_none_or(|codes| codes.contains(&attainment.competency_code))
    }
}

fn admitted<'a>(case: Case<'a>, asked: Asked<'a>) -> impl Iterator<Item = &'a Attainment> {
    case.facts.attainments.iter().filter(move |attainment| asked.admits(attainment))
}

fn enough(case: Case<'_>, asked: Asked<'_>, counts: impl Fn(&Attainment) -> bool) -> bool {
    match asked.min_count {
        0 | 1 => admitted(case, asked).any(counts),
        more => more <= distinct(case, asked, counts),
    }
}

fn distinct(case: Case<'_>, asked: Asked<'_>, counts: impl Fn(&Attainment) -> bool) -> u32 {
    let mut codes: Vec<&str> =
        admitted(case, asked).filter(|a| counts(a)).map(|a| a.competency_code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    u32::try_from(codes.len()).unwrap_or(u32::MAX)
}

/// The first day on which fewer of those that count on `day` are left than are asked for.
fn carried_until(case: Case<'_>, asked: Asked<'_>, day: CalendarDate) -> CalendarDate {
    let spans = admitted(case, asked)
        .filter(|a| a.attained_on <= day)
        .map(|a| (a.competency_code.as_str(), a.first_day_without()))
        .filter(|(_, end)| day < *end);
    if asked.min_count <= 1 {
        return spans.map(|(_, end)| end).max().unwrap_or(day);
    }
    let mut spans: Vec<_> = spans.collect();
    spans.sort_unstable_by(|a, b| b.cmp(a));
    spans.dedup_by_key(|(code, _)| *code);
    spans.sort_unstable_by_key(|(_, end)| std::cmp::Reverse(*end));
    let last_needed = asked.min_count as usize - 1;
    spans.get(last_needed).map_or(day, |(_, end)| *end)
}

/// Warns only where the rule would fail without the attainments in doubt.
fn warning(case: Case<'_>, asked: Asked<'_>) -> Option<CheckWarning> {
    let day = case.as_of;
    let regular = |a: &Attainment| a.counts_on(day) && day <= a.expires_on;
    let safe = |a: &Attainment| regular(a) && a.at_risk_since.is_none_or(|since| day < since);
    if enough(case, asked, safe) {
        None
    } else if enough(case, asked, regular) {
        Some(CheckWarning::AtRisk)
    } else {
        Some(CheckWarning::InGrace)
    }
}

/// The most telling reason: a qualifying one that ran out can be renewed; else one that does not qualify
/// shows what is there; else there is nothing.
fn fault<'a>(case: Case<'a>, asked: Asked<'a>, held: u32) -> CompetencyFault<'a> {
    let day = case.as_of;
    let still_held =
        |code: &str| admitted(case, asked).any(|a| a.competency_code == code && a.counts_on(day));
    let lapsed = admitted(case, asked)
        .filter(|a| a.attained_on <= day && !still_held(&a.competency_code))
        .max_by_key(|a| (a.first_day_without(), a.id));
    if let Some(lapsed) = lapsed {
        return CompetencyFault::Expired(lapsed);
    }
    case.facts
        .attainments
        .iter()
        .filter(|a| a.attained_on <= day && !asked.admits(a))
        // Beside others that do qualify, one that has run out explains nothing.
        .filter(|a| held == 0 || a.counts_on(day))
        .max_by_key(|a| (a.counts_on(day), a.level, a.first_day_without(), a.id))
        .map_or(CompetencyFault::Missing, CompetencyFault::NotQualifying)
}
