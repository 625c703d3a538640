//! The agreement rules: an agreement of the kind counts.

use super::{
    model::{AgreementFault, Case, Gap, Ground},
    rules::{Ruling, reach},
};
use crate::{
    network::agreements::{Agreement, AgreementStatus, Kind},
    platform::values::CalendarDate,
};

/// An agreement of the kind counts, grace included.
pub(super) fn holds(case: Case<'_>, kind: Kind) -> Ruling<'_> {
    judge(case, kind, |_| true)
}

/// A distributor agreement counts and carries the authorization to distribute.
pub(super) fn authorized(case: Case<'_>) -> Ruling<'_> {
    judge(case, Kind::Distributor, |agreement| agreement.distributor_authorization == Some(true))
}

fn judge(case: Case<'_>, kind: Kind, fits: impl Fn(&Agreement) -> bool + Copy) -> Ruling<'_> {
    let fitting = || of_kind(case, kind).filter(move |agreement| fits(agreement));
    let best = fitting().filter_map(|agreement| counting(agreement, case.as_of)).max_by_key(
        |(agreement, status)| (*status == AgreementStatus::Active, until(agreement), agreement.id),
    );
    match best {
        Some((agreement, status)) => {
            let carried = |day| fitting().filter(|a| a.counts_on(day)).map(until).max().unwrap_or(day);
            Ruling::met(Ground::Agreement(agreement, status), reach(case.as_of, carried))
        }
        None => Ruling::unmet(Gap::Agreement(kind, fault(case, kind))),
    }
}

fn of_kind(case: Case<'_>, kind: Kind) -> impl Iterator<Item = &Agreement> {
    case.facts.agreements.iter().filter(move |agreement| agreement.kind == kind)
}

fn counting(agreement: &Agreement, day: CalendarDate) -> Option<(&Agreement, AgreementStatus)> {
    let status = agreement.status_on(day);
    matches!(status, AgreementStatus::Active | AgreementStatus::Grace).then_some((agreement, status))
}

fn until(agreement: &Agreement) -> CalendarDate {
    agreement.first_day_without()
}

/// The most telling reason why none counts: what became of the one that began last, else what is to come.
fn fault(case: Case<'_>, kind: Kind) -> AgreementFault<'_> {
    let day = case.as_of;
    let all = || of_kind(case, kind);
    if let Some(bare) = all().filter(|a| a.counts_on(day)).max_by_key(|a| (until(a), a.id)) {
        return AgreementFault::Unauthorized(bare);
    }
    let latest = all().filter(|a| a.effective_on <= day).max_by_key(|a| (a.effective_on, until(a), a.id));
    // One ended before it began never comes.
    let to_come = |a: &&Agreement| day < a.effective_on && a.effective_on < until(a);
    let next = all().filter(to_come).min_by_key(|a| (a.effective_on, a.id));
    let cancelled = || all().max_by_key(|a| (a.effective_on, a.id));
    match (latest, next) {
        (Some(last), next) if last.status_on(day) == AgreementStatus::Terminated => {
            AgreementFault::Terminated(last, next)
        }
        (Some(last), next) => AgreementFault::Expired(last, next),
        (None, Some(next)) => AgreementFault::NotEffective(next),
        (None, None) => {
            cancelled().map_or(AgreementFault::Missing, |last| AgreementFault::Terminated(last, None))
        }
    }
}
