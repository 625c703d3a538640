//! The question the engine is asked and the answer it gives; no I/O, no clock, no HTTP.

use super::{
    facts::Facts,
    rules,
    view::EligibilityEvidence,
    wording::not_asked,
    words::{CheckStatus, CheckWarning, EligibilityCode, EligibilityOutcome, EligibilityRule},
};
use crate::{
    network::partners::PartnerType,
    participation::programs::{ProgramStatus, Requirement},
    platform::values::{CalendarDate, Period, Text},
};

/// Where a program stands for a while.
#[derive(Clone, Copy, Debug)]
pub struct ProgramStanding<'a> {
    /// The types of partner the program is for.
    pub partner_types: &'a [PartnerType],
    /// Whether the program takes part at all.
    pub status: ProgramStatus,
}

/// Where a program stood before, up to a day.
#[derive(Clone, Copy, Debug)]
pub struct FormerProgramStanding<'a> {
    /// The last day.
    pub last_day: CalendarDate,
    /// Where the program stood until then.
    pub standing: ProgramStanding<'a>,
}

/// One version of a program, as far as the engine looks at it.
#[derive(Clone, Copy, Debug)]
pub struct VersionTerms<'a> {
    /// The program year, named by the calendar year it ends in.
    pub program_year: i32,
    /// The days on which the version is in effect.
    pub days: Period,
    /// The requirements of the version.
    pub requirements: &'a [Requirement],
}

/// A program, as far as the engine looks at it: where the program stands, and its versions.
#[derive(Clone, Debug)]
pub struct ProgramTerms<'a> {
    /// Where the program stands now.
    pub standing: ProgramStanding<'a>,
    /// Where it stood before, in the order of the days.
    pub before: Vec<FormerProgramStanding<'a>>,
    /// The versions, in the order of their days; no two share a day.
    pub versions: Vec<VersionTerms<'a>>,
}

impl<'a> ProgramTerms<'a> {
    /// Where the program stood on a day.
    #[must_use]
    pub fn standing_on(&self, day: CalendarDate) -> ProgramStanding<'a> {
        let former = self.before.iter().find(|former| day <= former.last_day);
        former.map_or(self.standing, |former| former.standing)
    }

    /// The first day after one on which the program's standing no longer fits.
    pub(super) fn fits_until(
        &self,
        day: CalendarDate,
        fits: impl Fn(&ProgramStanding<'a>) -> bool,
    ) -> CalendarDate {
        let mut from = day;
        for former in self.before.iter().filter(|former| day <= former.last_day) {
            if !fits(&former.standing) {
                return from;
            }
            from = former.last_day.plus_days(1);
        }
        if fits(&self.standing) { CalendarDate::MAX } else { from }
    }

    /// The version in effect on a day.
    #[must_use]
    pub fn in_effect_on(&self, day: CalendarDate) -> Option<VersionTerms<'a>> {
        self.versions.iter().find(|version| version.days.contains(day)).copied()
    }

    /// The version to judge a day by: the one in effect, else the nearest.
    pub(super) fn judging(&self, day: CalendarDate) -> Option<VersionTerms<'a>> {
        let away = |version: &&VersionTerms<'a>| {
            version.days.to.days_until(day).max(day.days_until(version.days.from)).max(0)
        };
        self.versions.iter().min_by_key(away).copied()
    }
}

/// One question: these facts, the rules of this version of the program, this day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) program: &'a ProgramTerms<'a>,
    /// The version to judge by; none where the program has none.
    pub(super) version: Option<VersionTerms<'a>>,
    pub(super) as_of: CalendarDate,
    /// Whether the answer is to be put into words as well.
    pub(super) in_words: bool,
}

impl Case<'_> {
    /// The account of a rule, where words are asked for.
    pub(super) fn tell(&self, account: impl FnOnce() -> Account) -> Option<Account> {
        self.in_words.then(account)
    }
}

/// A check in words: its message, its remedy, and the records it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) message: Text,
    pub(super) remedy: Option<Text>,
    pub(super) evidence: Vec<EligibilityEvidence>,
}

impl Account {
    pub(super) fn of(message: Text) -> Self {
        Self { message, remedy: None, evidence: Vec::new() }
    }

    pub(super) fn mended_by(self, remedy: Text) -> Self {
        Self { remedy: Some(remedy), ..self }
    }

    pub(super) fn resting_on(self, evidence: impl IntoIterator<Item = EligibilityEvidence>) -> Self {
        Self { evidence: evidence.into_iter().collect(), ..self }
    }
}

/// The answer of a rule.
#[derive(Debug)]
pub(super) struct Ruling {
    pub(super) status: CheckStatus,
    pub(super) code: Option<EligibilityCode>,
    pub(super) warning: Option<CheckWarning>,
    pub(super) lapses_on: Option<CalendarDate>,
    pub(super) account: Option<Account>,
}

impl Ruling {
    /// The rule holds up to the day before `until`; for ever where that is [`CalendarDate::MAX`].
    pub(super) fn met(until: CalendarDate, account: Option<Account>) -> Self {
        let lapses_on = (until < CalendarDate::MAX).then_some(until);
        Self { status: CheckStatus::Met, code: None, warning: None, lapses_on, account }
    }

    /// The rule holds, and may soon not.
    pub(super) fn warning(self, warning: Option<CheckWarning>) -> Self {
        Self { warning, ..self }
    }

    /// The rule does not hold.
    pub(super) const fn unmet(code: EligibilityCode, account: Option<Account>) -> Self {
        Self { status: CheckStatus::Unmet, code: Some(code), warning: None, lapses_on: None, account }
    }

    /// The rule is not asked of this partner.
    pub(super) fn not_applicable(case: Case<'_>) -> Self {
        let account = case.tell(|| Account::of(not_asked()));
        let status = CheckStatus::NotApplicable;
        Self { status, code: None, warning: None, lapses_on: None, account }
    }
}

/// The question of a check.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked<'a> {
    /// Whether the program is open and a version in effect; built in.
    ProgramOpen,
    /// Whether the partner takes part this year; built in.
    NotOptedOut,
    /// A requirement of the version.
    Requirement(&'a Requirement),
}

/// How one rule came out. A check is put into words when they are asked for.
#[derive(Clone, Debug)]
pub struct Check<'a> {
    /// The rule.
    pub rule: EligibilityRule,
    /// How the rule came out.
    pub status: CheckStatus,
    /// The stable reason where the rule is unmet; an alternative gives the first of its parts.
    pub code: Option<EligibilityCode>,
    /// Why a rule that holds may soon not hold; an alternative warns where all that hold do.
    pub warning: Option<CheckWarning>,
    /// The first day the rule no longer holds if nothing changes; only where it holds now.
    pub lapses_on: Option<CalendarDate>,
    /// The checks of the alternatives, for `any_of`.
    pub nested: Vec<Check<'a>>,
    pub(super) asked: Asked<'a>,
    pub(super) case: Case<'a>,
}

impl Check<'_> {
    /// Every reason where the rule is unmet: its own, or those of its alternatives.
    #[must_use]
    pub fn codes(&self) -> Vec<EligibilityCode> {
        if self.is(CheckStatus::Unmet) && !self.nested.is_empty() {
            return self.nested.iter().flat_map(Check::codes).collect();
        }
        self.code.into_iter().collect()
    }

    /// The message of the check, for people.
    #[must_use]
    pub fn message(&self) -> Text {
        self.account().message
    }

    /// The check in words: the rule is judged again, and this time says why.
    pub(super) fn account(&self) -> Account {
        rules::account(self)
    }

    pub(super) fn is(&self, status: CheckStatus) -> bool {
        self.status == status
    }
}

/// Whether a partner is eligible on a day, and why. Borrows from the facts and terms it was made from.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    /// The day asked about.
    pub as_of: CalendarDate,
    /// Eligible where nothing is unmet.
    pub outcome: EligibilityOutcome,
    /// Every rule's check: the built-in ones, then the version's requirements in their order.
    pub checks: Vec<Check<'a>>,
    pub(super) case: Case<'a>,
}

impl Verdict<'_> {
    /// Whether nothing is unmet.
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        self.outcome == EligibilityOutcome::Eligible
    }

    /// Every reason against, in the order of the checks; an unmet alternative gives those of its parts.
    #[must_use]
    pub fn codes(&self) -> Vec<EligibilityCode> {
        self.checks.iter().flat_map(Check::codes).collect()
    }

    /// The first day on which the partner is no longer eligible if nothing changes, whichever version is in effect by
    /// then; none where the partner is not eligible, or where nothing known ends it.
    #[must_use]
    pub fn eligible_until(&self) -> Option<CalendarDate> {
        if !self.is_eligible() {
            return None;
        }
        let Case { facts, program, mut version, .. } = self.case;
        let mut lapses_on = self.lapses_on();
        loop {
            let over = version.map_or(CalendarDate::MAX, |version| version.days.to.plus_days(1));
            // From the day after its last one, a version no longer asks: the next one does.
            if over == CalendarDate::MAX || lapses_on.is_some_and(|day| day < over) {
                return lapses_on;
            }
            let next = rules::evaluate(facts, program, over);
            if !next.is_eligible() {
                return Some(over);
            }
            (version, lapses_on) = (next.case.version, next.lapses_on());
        }
    }

    /// The first day on which a rule of this version no longer holds.
    fn lapses_on(&self) -> Option<CalendarDate> {
        self.checks.iter().filter_map(|check| check.lapses_on).min()
    }
}
