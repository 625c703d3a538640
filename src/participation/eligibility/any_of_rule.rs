//! The rule of alternatives: at least one of several requirements holds.

use super::{
    model::{Account, Asked, Case, Check},
    rules::{check, reach},
    wording::{listed, not_asked},
    words::{CheckStatus, CheckWarning, EligibilityCode as Code, EligibilityRule as Rule},
};
use crate::{
    participation::programs::Requirement,
    platform::values::{CalendarDate, Locale, Text, Words},
};

/// Holds while one alternative does. Where the one that holds now lapses, another may take over, even one
/// that does not hold yet; so the alternatives are judged again on each lapse until none is left.
pub(super) fn holds<'a>(case: Case<'a>, asked: Asked<'a>, alternatives: &'a [Requirement]) -> Check<'a> {
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

/// The check of the alternatives in words.
pub(super) fn in_words(check: &Check<'_>) -> Account {
    let number = check.nested.len();
    match check.status {
        CheckStatus::NotApplicable => Account::of(not_asked()),
        CheckStatus::Unmet => {
            let codes: Vec<&str> = check.codes().into_iter().map(Code::as_str).collect();
            let [en, ja] = [Locale::En, Locale::Ja].map(|language| listed(&codes, language));
            Account::of(Text::new(
                format!("None of the {number} alternatives is met: {en}."),
                format!("{number} 件の選択要件がいずれも満たされていません：{ja}"),
            ))
            .mended_by(ALTERNATIVE.into())
        }
        CheckStatus::Met => {
            let met = check.nested.iter().filter(|nested| nested.is(CheckStatus::Met));
            let met: Vec<&str> = met.map(|nested| nested.rule.as_str()).collect();
            let [en, ja] = [Locale::En, Locale::Ja].map(|language| listed(&met, language));
            let account = Account::of(Text::new(
                format!("Met by {} of {number} alternatives: {en}.", met.len()),
                format!("{number} 件の選択要件のうち {} 件が満たされています：{ja}", met.len()),
            ));
            if check.warning.is_some() { account.mended_by(ALTERNATIVE.into()) } else { account }
        }
    }
}

const ALTERNATIVE: Words<'static> = Words::new(
    "Follow the remedy of one of the alternatives.",
    "いずれかの選択要件の対応方法に従ってください。",
);

fn met_until(check: &Check<'_>) -> Option<CalendarDate> {
    check.is(CheckStatus::Met).then(|| check.lapses_on.unwrap_or(CalendarDate::MAX))
}
