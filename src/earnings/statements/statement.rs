//! Gathers the statement of a month from sums, by a number of queries that does not grow with the sales.

use super::{
    statement_view::{
        Statement, StatementAdjustment, StatementIneligible, StatementLine, StatementMonth, StatementProgram,
        StatementSlice, StatementTotal,
    },
    words,
};
use crate::{
    access::Tx,
    earnings::{
        calculation::{self, IneligibleMonth, LeverMonth, LeverRate},
        engine::Reason,
    },
    ledger::{
        accounting::{self, AccountingMonthState, CarriedOver, RebateView},
        adjustments::{self, Adjustment},
    },
    network::partners,
    participation::{
        enrollments::{self, Enrollment, EnrollmentKeys},
        programs::{self, Lever, Program, ProgramVersion},
    },
    platform::{
        Result,
        values::{Currency, Id, Locale, Money, Month},
    },
};
use std::collections::{BTreeMap, HashMap};

/// The sums and terms of a partner's enrollments for the statement of one month.
struct StatementFacts {
    month: Month,
    /// Program code and version by enrollment and number of the version.
    terms: HashMap<(Id, i32), (String, ProgramVersion)>,
    levers: Vec<LeverMonth>,
    rates: Vec<LeverRate>,
    ineligible: Vec<IneligibleMonth>,
    adjusted: Vec<Adjustment>,
    rebates: Vec<RebateView>,
    carried: Vec<CarriedOver>,
    language: Locale,
}

/// The statement of a partner's month, in all currencies or in one.
pub(super) fn statement(
    tx: &mut Tx<'_>,
    partner: Id,
    month: Month,
    currency: Option<Currency>,
) -> Result<Statement> {
    let partner = partners::get(tx, partner)?;
    let closed_at = accounting::closed_at(tx, month)?;
    let as_of = match closed_at {
        Some(at) => Some(at),
        None => calculation::last_calculated(tx, partner.id)?,
    };
    let year = programs::program_year_of(month.first_day());
    let enrolled = enrollments::until(tx, partner.id, year)?;
    let ids: Vec<Id> = enrolled.iter().map(|(enrollment, _)| enrollment.id).collect();
    let of_partner = EnrollmentKeys { partner_id: partner.id, ids: &ids };
    let begins = programs::program_year(year).map_or(month, |days| Month::of(days.from));
    let mut known = StatementFacts {
        month,
        terms: calculation::terms_of(tx, &ids)?,
        levers: calculation::lever_months(tx, of_partner, (begins, month))?,
        rates: calculation::lever_rates(tx, of_partner, month)?,
        ineligible: calculation::ineligible_months(tx, of_partner, month)?,
        adjusted: adjustments::posted_in(tx, partner.id, month)?,
        rebates: accounting::rebate_views(tx, of_partner, month)?,
        carried: accounting::carried_over(tx, of_partner, month, closed_at)?,
        language: tx.language,
    };
    if let Some(currency) = currency {
        known.keep_currency(currency);
    }
    let programs = enrolled.into_iter().map(|enrolled| known.program(enrolled));
    let programs: Vec<StatementProgram> =
        programs.filter(|program| program.program_year == year || !program.is_empty()).collect();
    let mut totals = BTreeMap::new();
    for total in programs.iter().flat_map(|program| &program.totals) {
        let currency = total.amount.currency;
        totals.entry(currency).or_insert_with(|| StatementTotal::none(currency)).add(total);
    }
    let state = if closed_at.is_some() { AccountingMonthState::Closed } else { AccountingMonthState::Open };
    let totals = totals.into_values().collect();
    Ok(Statement { partner: partner.into(), month, state, closed_at, as_of, programs, totals })
}

impl StatementProgram {
    fn is_empty(&self) -> bool {
        self.totals.is_empty() && self.ineligible.is_empty() && self.carried.is_empty()
    }
}

impl StatementFacts {
    /// Leaves out the sums in other currencies.
    fn keep_currency(&mut self, currency: Currency) {
        self.levers.retain(|row| row.currency == currency);
        self.ineligible.retain(|row| row.currency == currency);
        self.adjusted.retain(|adjustment| adjustment.currency == currency);
        self.rebates.retain(|rebate| rebate.currency() == currency);
        self.carried.retain(|carried| carried.amount.currency == currency);
    }

    fn program(&mut self, (enrollment, program): (Enrollment, Program)) -> StatementProgram {
        let id = enrollment.id;
        let lines = self.levers.iter().filter(|row| row.enrollment_id == id && row.posted_in == self.month);
        let mut lines: Vec<&LeverMonth> = lines.collect();
        lines.sort_by_key(|row| (row.version, self.place(row), row.earned_in, row.currency));
        let lines = lines.into_iter().map(|row| self.line(row));
        let (earnings, corrections): (Vec<_>, Vec<_>) = lines.partition(|line| line.earned_in == self.month);
        let adjusted = self.adjusted.iter().filter(|adjustment| adjustment.enrollment_id == id);
        let adjustments: Vec<_> = adjusted.cloned().map(StatementAdjustment::from).collect();
        let mut totals = BTreeMap::new();
        let mut total = |currency: Currency, add: &dyn Fn(&mut StatementTotal)| {
            add(totals.entry(currency).or_insert_with(|| StatementTotal::none(currency)));
        };
        for line in earnings.iter().chain(&corrections) {
            total(line.amount.currency, &|total| total.earn(line));
        }
        for adjustment in &adjustments {
            total(adjustment.amount.currency, &|total| total.adjust(adjustment.amount));
        }
        let totals = totals.into_values().collect();
        let ineligible = self.ineligible.iter().filter(|row| row.enrollment_id == id);
        let (rebates, others) =
            std::mem::take(&mut self.rebates).into_iter().partition(|rebate| rebate.enrollment_id() == id);
        self.rebates = others;
        let carried = self.carried.iter().filter(|carried| carried.enrollment_id == id);
        StatementProgram {
            enrollment_id: id,
            program: program.code,
            name: program.name,
            program_year: enrollment.program_year,
            ineligible: ineligible.map(|row| self.refusal(row)).collect(),
            months: self.months(id),
            rebates,
            carried: carried.map(|carried| carried.amount).collect(),
            earnings,
            corrections,
            adjustments,
            totals,
        }
    }

    fn lever(&self, enrollment: Id, version: i32, code: &str) -> Option<&Lever> {
        let (_, version) = self.terms.get(&(enrollment, version))?;
        version.levers.0.iter().find(|lever| lever.code() == code)
    }

    /// The place of the lever in the program version, which orders the lines of the statement.
    fn place(&self, row: &LeverMonth) -> Option<usize> {
        let (_, version) = self.terms.get(&(row.enrollment_id, row.version))?;
        version.levers.0.iter().position(|lever| lever.code() == row.lever)
    }

    fn name_of(&self, enrollment: Id, version: i32, code: &str) -> String {
        self.lever(enrollment, version, code).map_or(code, Lever::name).to_owned()
    }

    fn line(&self, row: &LeverMonth) -> StatementLine {
        let money = |minor| Money { minor, currency: row.currency };
        let lever = self.lever(row.enrollment_id, row.version, &row.lever);
        StatementLine {
            version: row.version,
            name: lever.map_or(row.lever.as_str(), Lever::name).to_owned(),
            terms: lever.map(|lever| words::terms(lever, self.language)).unwrap_or_default(),
            lever: row.lever.clone(),
            earned_in: row.earned_in,
            earnings: row.earnings,
            base: money(row.base),
            amount: money(row.amount),
            rebate: money(row.rebate),
            coop: money(row.coop),
            slices: self.slices(row),
        }
    }

    /// The slices of a line whose amount was given at more than one rate.
    fn slices(&self, row: &LeverMonth) -> Vec<StatementSlice> {
        let money = |minor| Money { minor, currency: row.currency };
        let is_of_line = |rate: &&LeverRate| {
            (rate.enrollment_id, rate.version, rate.earned_in, rate.currency)
                == (row.enrollment_id, row.version, row.earned_in, row.currency)
                && rate.lever == row.lever
                && (rate.base, rate.amount) != (0, 0)
        };
        let slice = |rate: &LeverRate| StatementSlice {
            rate: rate.rate,
            base: money(rate.base),
            amount: money(rate.amount),
        };
        let slices: Vec<_> = self.rates.iter().filter(is_of_line).map(slice).collect();
        if slices.len() > 1 { slices } else { Vec::new() }
    }

    fn refusal(&self, row: &IneligibleMonth) -> StatementIneligible {
        let money = |minor| Money { minor, currency: row.currency };
        let reason = Reason::of(&row.code);
        StatementIneligible {
            version: row.version,
            name: self.name_of(row.enrollment_id, row.version, &row.lever),
            lever: row.lever.clone(),
            earned_in: row.earned_in,
            message: calculation::message(&reason, None, self.language),
            remedy: calculation::remedy(&reason, self.language),
            code: row.code.clone(),
            records: row.records,
            cured: row.cured,
            billed: money(row.billed),
            capped: money(row.capped),
        }
    }

    /// The months of an enrollment; versions and corrections are summed up.
    fn months(&self, enrollment: Id) -> Vec<StatementMonth> {
        let mut months: BTreeMap<(Month, &str, Currency), StatementMonth> = BTreeMap::new();
        for row in self.levers.iter().filter(|row| row.enrollment_id == enrollment) {
            let nothing = Money { minor: 0, currency: row.currency };
            let month = months.entry((row.posted_in, &row.lever, row.currency)).or_insert_with(|| {
                let name = self.name_of(enrollment, row.version, &row.lever);
                let (month, lever) = (row.posted_in, row.lever.clone());
                StatementMonth { month, lever, name, amount: nothing, rebate: nothing, coop: nothing }
            });
            month.amount.minor += row.amount;
            month.rebate.minor += row.rebate;
            month.coop.minor += row.coop;
        }
        months.into_values().collect()
    }
}

impl From<Adjustment> for StatementAdjustment {
    fn from(adjustment: Adjustment) -> Self {
        Self {
            amount: adjustment.amount(),
            id: adjustment.id,
            earned_in: adjustment.earned_in,
            reason_code: adjustment.reason_code,
            comment: adjustment.comment,
        }
    }
}
