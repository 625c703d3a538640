//! Facts about partners, gathered for many at once: the number of queries does not grow with the number of
//! partners, programs or records.

use super::model::{Facts, Held, OptOut, Sale, SaleKind, Terms};
use crate::{
    access::Tx,
    network::{
        agreements::Agreement,
        competencies::Attainment,
        partners::{Partner, PartnerStatus, PartnerType},
    },
    participation::programs::{Program, ProgramVersion, Requirement},
    platform::{
        Result,
        db::types::Guid,
        values::{CalendarDate, Country, Currency, Id, Money},
    },
    schema::{agreements, attainments, enrollments, partners, transactions},
};
use diesel::{dsl::sql, prelude::*, sql_types::Date};
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
    standings: HashMap<(Id, Id), Vec<Standing>>,
}

/// Where an enrollment stands, as far as eligibility looks at it.
#[derive(Debug, Queryable)]
struct Standing {
    enrollment_id: Id,
    program_year: i32,
    state: String,
    earnings_start_on: Option<CalendarDate>,
    ended_on: Option<CalendarDate>,
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
        let papers = agreements::table.filter(agreements::partner_id.eq_any(holders.clone()));
        for agreement in papers.select(Agreement::as_select()).load(tx.conn)? {
            known.agreements.entry(agreement.partner_id).or_default().push(agreement);
        }
        let attained = attainments::table.filter(attainments::partner_id.eq_any(holders));
        for attainment in attained.select(Attainment::as_select()).load(tx.conn)? {
            known.attainments.entry(attainment.partner_id).or_default().push(attainment);
        }
        known.headquarters = headquarters(tx, &ids)?;
        known.standings = standings(tx, &ids, programs)?;
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
            known.add_sales(sales_after(tx, &[subject.id], CalendarDate::MIN)?);
        }
        if let Some(days) = asked.days {
            let window = first.plus_days(-i32::try_from(days).unwrap_or(i32::MAX));
            known.add_sales(sales_after(tx, &[subject.id], window)?);
        }
        Ok(known)
    }

    /// What is known of a subject, for a program and a program year.
    pub(super) fn facts(&self, subject: &Subject, program_id: Id, program_year: i32) -> Facts<'_> {
        let standings = self.standings.get(&(subject.id, program_id)).map_or([].as_slice(), Vec::as_slice);
        let opted_out = standings.iter().filter(|s| s.state == "opted_out" && s.program_year == program_year);
        let first = opted_out.min_by_key(|standing| standing.ended_on);
        // An enrollment is kept from one program year to the next.
        let lasting = |s: &&Standing| (program_year - 1..=program_year).contains(&s.program_year);
        Facts {
            partner_id: subject.id,
            partner_type: subject.partner_type,
            status: subject.status,
            country: subject.country,
            is_headquarters: self.headquarters.contains(&subject.id),
            agreements: held(&self.agreements, subject),
            attainments: held(&self.attainments, subject),
            sales: self.sales.get(&subject.id).map_or(&[], Vec::as_slice),
            enrolled: standings.iter().filter(lasting).any(Standing::earns),
            opt_out: first.map(|standing| OptOut {
                enrollment_id: standing.enrollment_id,
                on: standing.ended_on.unwrap_or(CalendarDate::MIN),
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
            self.add_sales(first_kept(tx, &buyers, as_of)?);
            // Whoever has none needs a closer look: what was taken back, when, and what came later.
            let others: Vec<Id> = buyers.into_iter().filter(|id| !self.sales.contains_key(id)).collect();
            self.add_sales(sales_after(tx, &others, CalendarDate::MIN)?);
        }
        if let Some(days) = asked.days {
            let everyone: Vec<Id> = subjects.iter().map(|subject| subject.id).collect();
            let window = as_of.plus_days(-i32::try_from(days).unwrap_or(i32::MAX));
            self.add_sales(sales_after(tx, &everyone, window)?);
        }
        Ok(())
    }

    fn add_sales(&mut self, rows: Vec<SaleRow>) {
        for (partner_id, id, kind, original_id, occurred_on, minor, currency) in rows {
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

impl Standing {
    /// Whether it lets the partner earn: payment may wait for a profile, earning does not.
    fn earns(&self) -> bool {
        let state = self.state.as_str();
        self.earnings_start_on.is_some() && matches!(state, "enrolled" | "validating" | "action_required")
    }
}

fn held<'a, T>(records: &'a HashMap<Id, Vec<T>>, subject: &Subject) -> Held<'a, T> {
    let of = |id: Id| records.get(&id).map_or([].as_slice(), Vec::as_slice);
    Held { own: of(subject.id), headquarters: subject.headquarters_id.map_or(&[], of) }
}

fn headquarters(tx: &mut Tx<'_>, ids: &[Id]) -> Result<HashSet<Id>> {
    let named = partners::headquarters_id.eq_any(ids.iter().copied().map(Some).collect::<Vec<_>>());
    let query = partners::table.filter(named.assume_not_null()).select(partners::headquarters_id).distinct();
    Ok(query.load::<Option<Id>>(tx.conn)?.into_iter().flatten().collect())
}

fn standings(tx: &mut Tx<'_>, ids: &[Id], programs: &[Id]) -> Result<HashMap<(Id, Id), Vec<Standing>>> {
    let query = enrollments::table
        .filter(enrollments::partner_id.eq_any(ids.to_vec()))
        .filter(enrollments::program_id.eq_any(programs.to_vec()))
        .select((
            (enrollments::partner_id, enrollments::program_id),
            (
                enrollments::id,
                enrollments::program_year,
                enrollments::state,
                enrollments::earnings_start_on,
                enrollments::ended_on,
            ),
        ));
    let mut standings: HashMap<_, Vec<Standing>> = HashMap::new();
    for (whose, standing) in query.load::<((Id, Id), Standing)>(tx.conn)? {
        standings.entry(whose).or_default().push(standing);
    }
    Ok(standings)
}

type SaleRow = (Id, Id, SaleKind, Option<Id>, CalendarDate, i64, Currency);

macro_rules! sale_columns {
    () => {
        (
            transactions::partner_id,
            transactions::id,
            transactions::kind,
            transactions::original_transaction_id,
            transactions::occurred_on,
            transactions::amount,
            transactions::currency,
        )
    };
}

/// Of each partner the first purchase that nothing was taken back of, where it was not after the day. One such purchase
/// is all that the first-transaction rule wants.
fn first_kept(tx: &mut Tx<'_>, ids: &[Id], as_of: CalendarDate) -> Result<Vec<SaleRow>> {
    let first = sql::<Guid>(
        "(SELECT f.id FROM transactions f WHERE f.partner_id = partners.id AND f.kind = 'purchase' \
         AND NOT EXISTS (SELECT 1 FROM transactions r \
         WHERE r.partner_id = f.partner_id AND r.original_transaction_id = f.id) AND f.occurred_on <= ",
    )
    .bind::<Date, _>(as_of)
    .sql(" ORDER BY f.occurred_on, f.id LIMIT 1)");
    // By way of the partners, so that the first is looked up once for each and not once for every sale.
    let firsts = partners::table.filter(partners::id.eq_any(ids.to_vec())).select(first);
    let query = transactions::table
        .filter(transactions::partner_id.eq_any(ids.to_vec()))
        .filter(transactions::id.eq_any(firsts));
    Ok(query.select(sale_columns!()).load(tx.conn)?)
}

fn sales_after(tx: &mut Tx<'_>, ids: &[Id], before: CalendarDate) -> Result<Vec<SaleRow>> {
    let query = transactions::table
        .filter(transactions::partner_id.eq_any(ids.to_vec()))
        .filter(transactions::occurred_on.gt(before));
    Ok(query.select(sale_columns!()).load(tx.conn)?)
}
