//! The facts about a partner, gathered for many partners at once: the number of queries does not grow with the number of
//! partners, programs or records.

use super::held::{Held, Lent};
use crate::{
    access::Tx,
    identity::users::{self, UserCounts},
    network::{
        agreements::{self, Agreement},
        competencies::{self, Attainment},
        partners::{self, Partner, PartnerPeriod, PartnerType},
    },
    participation::{
        enrollments::{self, Participation, State},
        programs::Requirement,
    },
    platform::{
        Result,
        values::{CalendarDate, Id, Money, Period},
    },
    sales::transactions::{self, Recorded, TransactionKind},
};
use std::collections::HashMap;

/// The facts about a partner. No fact depends on the day that is asked about, and the order of records never matters.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The partner.
    pub partner_id: Id,
    /// Its channel.
    pub partner_type: PartnerType,
    /// How the partner stands now.
    pub standing: PartnerPeriod,
    /// How it stood before, in the order of the days.
    pub before: &'a [PartnerPeriod],
    /// The days on which other partners name it as their headquarters, in any order.
    pub as_headquarters: &'a [Period],
    /// Its agreements and its headquarters', of every kind and period.
    pub agreements: Held<'a, Agreement>,
    /// Its attainments and its headquarters'.
    pub attainments: Held<'a, Attainment>,
    /// Its sales: everything for a trailing revenue rule, from `days` before the day asked about; for the
    /// first-transaction rule alone any purchases with all their refunds will do.
    pub sales: &'a [Sale],
    /// The days on which it is enrolled in the program, in any order; a kept revenue rule asks.
    pub enrolled: Vec<Period>,
    /// Its opting out of the program, year by year.
    pub opt_outs: Vec<OptOut>,
    /// How many active users it has, and had.
    pub users: UserCounts,
}

/// A partner's decision to stay out for the rest of a program year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptOut {
    /// The enrollment it ended.
    pub enrollment_id: Id,
    /// The program year.
    pub program_year: i32,
    /// The first day it counts.
    pub on: CalendarDate,
}

/// A transaction, as far as eligibility looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale {
    /// The transaction.
    pub id: Id,
    /// Made or taken back.
    pub kind: TransactionKind,
    /// The purchase a refund takes back.
    pub original_id: Option<Id>,
    /// The day it counts on.
    pub occurred_on: CalendarDate,
    /// Its amount; negative for a refund.
    pub amount: Money,
}

impl Facts<'_> {
    /// How the partner stood on a day.
    #[must_use]
    pub fn standing_on(&self, day: CalendarDate) -> &PartnerPeriod {
        self.before.iter().find(|period| day <= period.last_day).unwrap_or(&self.standing)
    }

    /// The first day from one on on which the partner's standing no longer fits.
    pub(super) fn fits_until(
        &self,
        day: CalendarDate,
        fits: impl Fn(&PartnerPeriod) -> bool,
    ) -> CalendarDate {
        let mut from = day;
        for period in self.before.iter().filter(|period| day <= period.last_day) {
            if !fits(period) {
                return from;
            }
            from = period.last_day.plus_days(1);
        }
        if fits(&self.standing) { CalendarDate::MAX } else { from }
    }
}

/// Whom facts are about.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub(super) id: Id,
    pub(super) partner_type: PartnerType,
    pub(super) standing: PartnerPeriod,
    /// The days the partner is judged on.
    pub(super) days: Period,
}

impl Subject {
    pub(super) fn of(partner: &Partner, days: Period) -> Self {
        let standing = partner.period_to(CalendarDate::MAX);
        Self { id: partner.id, partner_type: partner.partner_type, standing, days }
    }
}

/// The facts that requirements ask for beyond the papers of the partner; sales are many, and few rules ask for them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    first_purchase: bool,
    revenue_days: Option<u32>,
    enrolled_days: bool,
    users: bool,
}

impl Wanted {
    pub(super) fn by(self, requirements: &[Requirement]) -> Self {
        requirements.iter().fold(self, |wanted, requirement| match requirement {
            Requirement::FirstTransaction {} => Self { first_purchase: true, ..wanted },
            Requirement::TrailingRevenue { days, keep_once_enrolled, .. } => Self {
                revenue_days: wanted.revenue_days.max(Some(*days)),
                enrolled_days: wanted.enrolled_days || *keep_once_enrolled,
                ..wanted
            },
            Requirement::MinimumUsers { .. } => Self { users: true, ..wanted },
            Requirement::AnyOf { requirements } => wanted.by(requirements),
            _ => wanted,
        })
    }
}

/// The records about some partners.
#[derive(Debug, Default)]
pub(super) struct Known {
    agreements: HashMap<Id, Vec<Agreement>>,
    attainments: HashMap<Id, Vec<Attainment>>,
    sales: HashMap<Id, Vec<Sale>>,
    periods: HashMap<Id, Vec<PartnerPeriod>>,
    as_headquarters: HashMap<Id, Vec<Period>>,
    participations: HashMap<(Id, Id), Vec<Participation>>,
    enrolled: HashMap<(Id, Id), Vec<Period>>,
    users: HashMap<Id, UserCounts>,
}

impl Known {
    /// Gathers the records about the subjects in some programs, for judging each subject on any of its days.
    pub(super) fn gather(
        tx: &mut Tx<'_>,
        subjects: &[Subject],
        programs: &[Id],
        wanted: Wanted,
    ) -> Result<Self> {
        let ids: Vec<Id> = subjects.iter().map(|subject| subject.id).collect();
        let mut known = Self { periods: partners::periods_of(tx, &ids)?, ..Self::default() };
        let mut holders = ids.clone();
        let all = known.periods.values().flatten().chain(subjects.iter().map(|subject| &subject.standing));
        holders.extend(all.filter_map(|period| period.headquarters_id));
        holders.sort_unstable();
        holders.dedup();
        for agreement in agreements::held_by(tx, &holders)? {
            known.agreements.entry(agreement.partner_id).or_default().push(agreement);
        }
        for attainment in competencies::attained_by(tx, &holders)? {
            known.attainments.entry(attainment.partner_id).or_default().push(attainment);
        }
        known.as_headquarters = partners::days_as_headquarters(tx, &ids)?;
        for taken in enrollments::participations(tx, &ids, programs)? {
            known.participations.entry((taken.partner_id, taken.program_id)).or_default().push(taken);
        }
        if wanted.enrolled_days {
            known.enrolled = enrollments::earning_days(tx, &ids, programs)?;
        }
        if wanted.users {
            known.users = users::counts_of(tx, &ids)?;
        }
        known.gather_sales(tx, subjects, wanted)?;
        Ok(known)
    }

    /// The facts about a subject, for a program.
    pub(super) fn facts(&self, subject: &Subject, program_id: Id) -> Facts<'_> {
        let taken = self.participations.get(&(subject.id, program_id)).map_or([].as_slice(), Vec::as_slice);
        let opt_out = |taken: &Participation| {
            let on = taken.ended_on.filter(|_| taken.state == State::OptedOut)?;
            Some(OptOut { enrollment_id: taken.id, program_year: taken.program_year, on })
        };
        let before = slice(&self.periods, subject.id);
        Facts {
            partner_id: subject.id,
            partner_type: subject.partner_type,
            standing: subject.standing.clone(),
            before,
            as_headquarters: slice(&self.as_headquarters, subject.id),
            agreements: held(&self.agreements, subject, before),
            attainments: held(&self.attainments, subject, before),
            sales: slice(&self.sales, subject.id),
            enrolled: self.enrolled.get(&(subject.id, program_id)).cloned().unwrap_or_default(),
            opt_outs: taken.iter().filter_map(opt_out).collect(),
            users: self.users.get(&subject.id).cloned().unwrap_or_default(),
        }
    }

    /// Adds an agreement nobody has signed.
    pub(super) fn suppose_agreement(&mut self, agreement: Agreement) {
        self.agreements.entry(agreement.partner_id).or_default().push(agreement);
    }

    /// Adds an attainment nobody has earned; it stands for those of the same competency on record.
    pub(super) fn suppose_attainment(&mut self, attainment: Attainment) {
        let attainments = self.attainments.entry(attainment.partner_id).or_default();
        attainments.retain(|a| a.competency_code != attainment.competency_code);
        attainments.push(attainment);
    }

    /// Adds a sale nobody has made.
    pub(super) fn suppose_sale(&mut self, partner_id: Id, sale: Sale) {
        self.sales.entry(partner_id).or_default().push(sale);
    }

    fn gather_sales(&mut self, tx: &mut Tx<'_>, subjects: &[Subject], wanted: Wanted) -> Result<()> {
        let last = subjects.iter().map(|subject| subject.days.to).max();
        let first = subjects.iter().map(|subject| subject.days.from).min();
        let (Some(first), Some(last)) = (first, last) else { return Ok(()) };
        if wanted.first_purchase {
            let resellers = || subjects.iter().filter(|s| s.partner_type == PartnerType::IndirectReseller);
            let ids: Vec<Id> = resellers().map(|subject| subject.id).collect();
            self.add_sales(transactions::first_kept(tx, &ids, last)?);
            // Before the purchase that is kept, others may have been kept for a time; where none is kept, what was taken
            // back, when, and what came later tell more.
            let kept_throughout = |subject: &&Subject| {
                slice(&self.sales, subject.id).iter().any(|sale| sale.occurred_on <= subject.days.from)
            };
            let others = resellers().filter(|subject| !kept_throughout(subject));
            let others: Vec<Id> = others.map(|subject| subject.id).collect();
            self.add_sales(transactions::recorded(tx, &others)?);
        }
        if let Some(window) = wanted.revenue_days {
            let everyone: Vec<Id> = subjects.iter().map(|subject| subject.id).collect();
            let before = first.plus_days(-i32::try_from(window).unwrap_or(i32::MAX));
            self.add_sales(transactions::recorded_after(tx, &everyone, before)?);
        }
        Ok(())
    }

    fn add_sales(&mut self, recorded: Vec<Recorded>) {
        for Recorded { partner_id, id, kind, original_id, occurred_on, minor, currency } in recorded {
            let amount = Money { minor, currency };
            let sales = self.sales.entry(partner_id).or_default();
            sales.push(Sale { id, kind, original_id, occurred_on, amount });
        }
        for sales in self.sales.values_mut() {
            sales.sort_unstable_by_key(|sale| sale.id);
            sales.dedup_by_key(|sale| sale.id);
        }
    }
}

fn slice<T>(records: &HashMap<Id, Vec<T>>, of: Id) -> &[T] {
    records.get(&of).map_or(&[], Vec::as_slice)
}

/// The subject's records, and those of each headquarters on the days the subject belonged there.
fn held<'a, T>(records: &'a HashMap<Id, Vec<T>>, subject: &Subject, before: &[PartnerPeriod]) -> Held<'a, T> {
    let mut lent: Vec<Lent<'a, T>> = Vec::new();
    let mut latest = None;
    // From the back: of several periods of one membership the last one covers all.
    for period in std::iter::once(&subject.standing).chain(before.iter().rev()) {
        let belonging = period.headquarters_id.zip(period.headquarters_since);
        if let Some((headquarters, since)) = belonging.filter(|now| latest != Some(*now)) {
            let days = Period { from: since, to: period.last_day };
            lent.push(Lent { days, records: slice(records, headquarters) });
        }
        latest = belonging.or(latest);
    }
    Held { own: slice(records, subject.id), lent }
}
