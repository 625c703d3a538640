//! The enrollment year: one partner's part in a program for a program year, by which sales are judged.

use super::{out_of_range, purchases::Chunk};
use crate::{
    access::Tx,
    earnings::engine::{Attained, EarningFacts, SoldMonths, Year},
    ledger::accounting,
    network::{competencies, partners::Partner},
    participation::{
        eligibility::{self, UnmetDay},
        enrollments::{EnrollmentHistory, EnrollmentKey},
        programs::{Lever, LeverCap, LeverFilter, Program, ProgramVersion},
    },
    platform::{
        Result,
        values::{CalendarDate, Id, Month, Period},
    },
    sales::transactions::{self, DaySum, SalesFilter},
};
use std::collections::{BTreeSet, HashMap};

/// One partner's enrollments in one program for one program year.
pub(in crate::earnings::calculation) struct EnrollmentYear<'a> {
    pub partner: &'a Partner,
    pub program: &'a Program,
    /// The versions of the year, in the order of their days.
    pub versions: &'a [ProgramVersion],
    pub enrolled: &'a [EnrollmentHistory],
    /// Days on which the partner is taken for enrolled and every rule for met, whatever is on record: a what-if.
    pub assumed: Option<Period>,
    /// The days of the program year.
    pub days: Period,
    pub facts: EarningFacts,
}

impl<'a> EnrollmentYear<'a> {
    /// An enrollment year whose facts are yet to be gathered.
    pub fn new(
        partner: &'a Partner,
        program: &'a Program,
        versions: &'a [ProgramVersion],
        enrolled: &'a [EnrollmentHistory],
        days: Period,
    ) -> Self {
        let facts = EarningFacts::default();
        Self { partner, program, versions, enrolled, assumed: None, days, facts }
    }

    /// The enrollment whose books the year has: the first one that was accepted. An invitation that nobody accepted has no
    /// outcomes.
    pub fn home(&self) -> Option<Id> {
        let accepted = self.enrolled.iter().find(|history| history.was_accepted());
        accepted.map(|history| history.enrollment.id)
    }

    pub fn key(&self, enrollment: Id) -> EnrollmentKey {
        EnrollmentKey { partner_id: self.partner.id, id: enrollment }
    }

    pub fn law(&self) -> Year<'_> {
        Year { versions: self.versions, facts: &self.facts }
    }

    /// Gathers the facts that decide about the sales of a chunk.
    pub fn gather(&mut self, tx: &mut Tx<'_>, chunk: &Chunk) -> Result<()> {
        let windows = self.enrolled.iter().flat_map(EnrollmentHistory::earning_windows);
        self.facts.windows = windows.chain(self.assumed).collect();
        let with_baselines = Period { from: self.days.from.plus_months(-24), to: self.days.to };
        self.facts.rates = accounting::rates(tx, with_baselines)?;
        self.facts.attained = self.attainments(tx)?;
        let attained_on = self.facts.attained.iter().map(|attained| attained.on);
        let days: BTreeSet<CalendarDate> = chunk.days().chain(attained_on).collect();
        self.look_at_days(tx, &days)?;
        self.sum_baselines(tx, chunk)
    }

    /// Looks at which days a rule was not met.
    fn look_at_days(&mut self, tx: &mut Tx<'_>, days: &BTreeSet<CalendarDate>) -> Result<()> {
        self.facts.lost.clear();
        for version in self.versions {
            let judged = |day: &CalendarDate| {
                version.period().contains(*day) && !self.assumed.is_some_and(|days| days.contains(*day))
            };
            let days: Vec<_> = days.iter().copied().filter(judged).collect();
            for UnmetDay { day, code } in
                eligibility::unmet_on(tx, self.partner, self.program, version, &days)?
            {
                self.facts.lost.insert(day, code.to_string());
            }
        }
        Ok(())
    }

    /// The competencies attained in the year, where a lever asks.
    fn attainments(&self, tx: &mut Tx<'_>) -> Result<Vec<Attained>> {
        if !self.levers().any(|(_, lever)| lever.earns_on_attainments()) {
            return Ok(Vec::new());
        }
        let found = competencies::attained_by(tx, &[self.partner.id])?;
        let in_year = found.into_iter().filter(|attainment| self.days.contains(attainment.attained_on));
        let mut attained: Vec<Attained> = in_year
            .map(|attainment| Attained { on: attainment.attained_on, competency: attainment.competency_code })
            .collect();
        attained.sort_unstable();
        Ok(attained)
    }

    /// The months in which a competency was attained, where a lever asks.
    pub fn months_of_attainments(&self, tx: &mut Tx<'_>) -> Result<Vec<Month>> {
        Ok(self.attainments(tx)?.into_iter().map(|attained| Month::of(attained.on)).collect())
    }

    /// Sums what growth levers compare the months of a chunk with: the months of the chunk by its purchases, earlier months by two
    /// statements for each such lever.
    fn sum_baselines(&mut self, tx: &mut Tx<'_>, chunk: &Chunk) -> Result<()> {
        let mut sold = SoldMonths::default();
        for (version, lever) in self.levers() {
            let Some(back) = lever.compares_months_back() else { continue };
            let back = i32::try_from(back).unwrap_or(i32::MAX);
            let of_version = |month: &&Month| month.period().overlaps(version.period());
            let mut months = chunk.months.keys().filter(of_version);
            let Some(first) = months.next() else { continue };
            let days = Period { from: first.plus(-back).first_day(), to: chunk.from.plus(-1).last_day() };
            let filter = filter_of(lever.applies_to());
            let mut add = |month, currency, minor| {
                sold.add(version.version, lever.code(), month, currency, minor).map_err(out_of_range)
            };
            for DaySum { day, currency, minor } in
                transactions::sums_by_day(tx, self.partner.id, days, &filter)?
            {
                add(Month::of(day), currency, minor)?;
            }
            for purchase in chunk.purchases().filter(|purchase| purchase.passes(lever.applies_to())) {
                let net = purchase.net().map_err(out_of_range)?;
                add(Month::of(purchase.on), purchase.currency, net)?;
            }
        }
        self.facts.sold = sold;
        Ok(())
    }

    /// The caps of the levers.
    pub fn caps(&self) -> impl Iterator<Item = LeverCap> + use<'a> {
        self.levers().filter_map(|(_, lever)| lever.cap())
    }

    fn levers(&self) -> impl Iterator<Item = (&'a ProgramVersion, &'a Lever)> + use<'a> {
        self.versions.iter().flat_map(|version| version.levers.0.iter().map(move |lever| (version, lever)))
    }

    /// When the customers of a chunk last bought before it, where a lever asks who is new.
    pub fn last_bought(&self, tx: &mut Tx<'_>, chunk: &Chunk) -> Result<HashMap<String, CalendarDate>> {
        if !self.law().asks_who_is_new() {
            return Ok(HashMap::new());
        }
        let first = chunk.from.first_day();
        transactions::last_kept_before(tx, self.partner.id, &chunk.customers(), first)
    }
}

/// A lever's filter, as sales are summed by it.
fn filter_of(filter: &LeverFilter) -> SalesFilter {
    let LeverFilter { products, product_families, customers } = filter.clone();
    SalesFilter {
        products,
        product_families,
        countries: customers.countries,
        to_public_sector: customers.public_sector,
        to_partners: customers.partners,
    }
}
