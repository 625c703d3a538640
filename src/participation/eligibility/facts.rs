//! Facts about partners, gathered for many at once: the number of queries does not grow with the number of
//! partners, programs or records.

use super::model::{Facts, Held, OptOut, Sale, Terms};
use crate::{
    access::Tx,
    network::{
        agreements::{self, Agreement},
        competencies::{self, Attainment},
        partners::{self, Partner, PartnerStatus, PartnerType},
    },
    participation::{
        enrollments::{self, Participation, State},
        programs::{Program, ProgramVersion, Requirement},
    },
    platform::{
        Result,
        values::{CalendarDate, Country, Id, Money},
    },
    sales::transactions::{self, Recorded},
};
use std::collections::{HashMap, HashSet};

/// Whom facts are about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) id: Id,
    pub(super) headquarters_id: Option<Id>,
    pub(super) partner_type: PartnerType,
    pub(super) status: PartnerStatus,
    pub(super) country: Country,
}

impl From<&Partner> for Subject {
    fn from(partner: &Partner) -> Self {
        Self {
            id: partner.id,
            headquarters_id: partner.headquarters_id,
            partner_type: partner.partner_type,
            status: partner.status,
            country: partner.country,
        }
    }
}

/// What a program version asks, as the engine takes it.
pub(super) fn terms<'a>(program: &'a Program, version: &'a ProgramVersion) -> Terms<'a> {
    Terms {
        partner_types: &program.partner_types.0,
        status: program.status,
        effective_from: version.effective_from,
        effective_to: version.effective_to,
        requirements: &version.requirements.0,
    }
}

/// Which sales the requirements look at; sales are many, and most are asked for by nobody.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SalesAsked {
    first: bool,
    days: Option<u32>,
}

impl SalesAsked {
    pub(super) fn by(self, requirements: &[Requirement]) -> Self {
        requirements.iter().fold(self, |asked, requirement| match requirement {
            Requirement::FirstTransaction {} => Self { first: true, ..asked },
            Requirement::TrailingRevenue { days, .. } => Self { days: asked.days.max(Some(*days)), ..asked },
            Requirement::AnyOf { requirements } => asked.by(requirements),
            _ => asked,
        })
    }
}

/// What is on record about some partners.
#[derive(Debug, Default)]
pub(super) struct Known {
    agreements: HashMap<Id, Vec<Agreement>>,
    attainments: HashMap<Id, Vec<Attainment>>,
    sales: HashMap<Id, Vec<Sale>>,
    headquarters: HashSet<Id>,
    participations: HashMap<(Id, Id), Vec<Participation>>,
}

impl Known {
    /// Gathers what is known of the subjects, for a day and some programs.
    pub(super) fn gather(
        tx: &mut Tx<'_>,
        subjects: &[Subject],
        programs: &[Id],
        asked: SalesAsked,
        as_of: CalendarDate,
    ) -> Result<Self> {
        let ids: Vec<Id> = subjects.iter().map(|subject| subject.id).collect();
        let mut holders: Vec<Id> = subjects.iter().filter_map(|subject| subject.headquarters_id).collect();
        holders.extend(&ids);
        holders.sort_unstable();
        holders.dedup();
        let mut known = Self::default();
        for agreement in agreements::held_by(tx, &holders)? {
            known.agreements.entry(agreement.partner_id).or_default().push(agreement);
        }
        for attainment in competencies::attained_by(tx, &holders)? {
            known.attainments.entry(attainment.partner_id).or_default().push(attainment);
        }
        known.headquarters = partners::headquarters_among(tx, &ids)?;
        for taken in enrollments::participations(tx, &ids, programs)? {
            known.participations.entry((taken.partner_id, taken.program_id)).or_default().push(taken);
        }
        known.gather_sales(tx, subjects, asked, as_of)?;
        Ok(known)
    }

    /// Gathers what is known of one subject, for every day of a stretch.
    pub(super) fn gather_for_days(
        tx: &mut Tx<'_>,
        subject: &Subject,
        program: Id,
        asked: SalesAsked,
        (first, last): (CalendarDate, CalendarDate),
    ) -> Result<Self> {
        let mut known = Self::gather(tx, &[*subject], &[program], asked, last)?;
        let first_sale =
            known.sales.get(&subject.id).and_then(|s| s.iter().map(|sale| sale.occurred_on).min());
        let begun_before = first_sale.is_some_and(|on| on <= first);
        if asked.first && subject.partner_type == PartnerType::IndirectReseller && !begun_before {
            // Before the purchase that is kept, others may have been kept for a time.
            known.add_sales(transactions::recorded(tx, &[subject.id])?);
        }
        if let Some(days) = asked.days {
            let window = first.plus_days(-i32::try_from(days).unwrap_or(i32::MAX));
            known.add_sales(transactions::recorded_after(tx, &[subject.id], window)?);
        }
        Ok(known)
    }

    /// What is known of a subject, for a program and a program year.
    pub(super) fn facts(&self, subject: &Subject, program_id: Id, program_year: i32) -> Facts<'_> {
        let taken = self.participations.get(&(subject.id, program_id)).map_or([].as_slice(), Vec::as_slice);
        let opted_out =
            taken.iter().filter(|it| it.state == State::OptedOut && it.program_year == program_year);
        let first = opted_out.min_by_key(|taken| taken.ended_on);
        // An enrollment is kept from one program year to the next.
        let lasting = |it: &&Participation| (program_year - 1..=program_year).contains(&it.program_year);
        Facts {
            partner_id: subject.id,
            partner_type: subject.partner_type,
            status: subject.status,
            country: subject.country,
            is_headquarters: self.headquarters.contains(&subject.id),
            agreements: held(&self.agreements, subject),
            attainments: held(&self.attainments, subject),
            sales: self.sales.get(&subject.id).map_or(&[], Vec::as_slice),
            enrolled: taken.iter().filter(lasting).any(Participation::earns),
            opt_out: first.map(|taken| OptOut {
                enrollment_id: taken.id,
                on: taken.ended_on.unwrap_or(CalendarDate::MIN),
            }),
        }
    }

    /// Adds an agreement nobody has signed.
    pub(super) fn suppose_agreement(&mut self, agreement: Agreement) {
        self.agreements.entry(agreement.partner_id).or_default().push(agreement);
    }

    /// Adds an attainment nobody has earned; it stands for the one of the same competency on record.
    pub(super) fn suppose_attainment(&mut self, attainment: Attainment) {
        let attainments = self.attainments.entry(attainment.partner_id).or_default();
        attainments.retain(|a| a.competency_code != attainment.competency_code);
        attainments.push(attainment);
    }

    /// Adds a sale nobody has made.
    pub(super) fn suppose_sale(&mut self, partner_id: Id, sale: Sale) {
        self.sales.entry(partner_id).or_default().push(sale);
    }

    fn gather_sales(
        &mut self,
        tx: &mut Tx<'_>,
        subjects: &[Subject],
        asked: SalesAsked,
        as_of: CalendarDate,
    ) -> Result<()> {
        if asked.first {
            let buyers = subjects.iter().filter(|s| s.partner_type == PartnerType::IndirectReseller);
            let buyers: Vec<Id> = buyers.map(|subject| subject.id).collect();
            self.add_sales(transactions::first_kept(tx, &buyers, as_of)?);
            // Whoever has none needs a closer look: what was taken back, when, and what came later.
            let others: Vec<Id> = buyers.into_iter().filter(|id| !self.sales.contains_key(id)).collect();
            self.add_sales(transactions::recorded(tx, &others)?);
        }
        if let Some(days) = asked.days {
            let everyone: Vec<Id> = subjects.iter().map(|subject| subject.id).collect();
            let window = as_of.plus_days(-i32::try_from(days).unwrap_or(i32::MAX));
            self.add_sales(transactions::recorded_after(tx, &everyone, window)?);
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

fn held<'a, T>(records: &'a HashMap<Id, Vec<T>>, subject: &Subject) -> Held<'a, T> {
    let of = |id: Id| records.get(&id).map_or([].as_slice(), Vec::as_slice);
    Held { own: of(subject.id), headquarters: subject.headquarters_id.map_or(&[], of) }
}
