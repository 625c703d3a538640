//! Gathers the statements of a month from sums, by a number of queries that grows neither with the sales nor with the
//! partners.

use super::{
    owed_view::{StatementBalance, StatementFund, StatementPayment, StatementRebate},
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
        accounting::{
            self, AccountingMonthState, Balance, MonthOfBooks,
            coop_funds::{self, CoopFund, FundRange},
        },
        adjustments::{self, Adjustment},
        forfeitures::{self, Forfeiture, UpcomingLoss},
    },
    network::partners::Partner,
    participation::{
        enrollments::{self, Enrollment},
        programs::{self, Lever, Program, ProgramVersion},
    },
    platform::{
        Result,
        values::{Currency, Id, Locale, Money, Month, Timestamp},
    },
};
use std::collections::{BTreeMap, HashMap};

/// The sums and terms of the enrollments of some partners for their statements of one month.
pub(super) struct StatementFacts {
    month: Month,
    closed_at: Option<Timestamp>,
    enrolled: Vec<(Enrollment, Program)>,
    /// Program code and version by enrollment and number of the version.
    terms: HashMap<(Id, i32), (String, ProgramVersion)>,
    levers: Vec<LeverMonth>,
    rates: Vec<LeverRate>,
    ineligible: Vec<IneligibleMonth>,
    adjusted: Vec<Adjustment>,
    books: MonthOfBooks,
    /// The co-op funds, the oldest half-year first.
    funds: Vec<CoopFund>,
    /// What is announced to be lost now.
    losses: Vec<Forfeiture>,
}

/// The statement of one partner in the making.
struct Writer<'a> {
    facts: &'a StatementFacts,
    language: Locale,
}

impl StatementFacts {
    /// Gathers the facts of these partners.
    pub(super) fn gather(tx: &mut Tx<'_>, partners: &[Id], month: Month) -> Result<Self> {
        let year = programs::program_year_of(month.first_day());
        let enrolled = enrollments::until(tx, partners, year)?;
        let ids: Vec<Id> = enrolled.iter().map(|(enrollment, _)| enrollment.id).collect();
        let begins = programs::program_year(year).map_or(month, |days| Month::of(days.from));
        Ok(Self {
            month,
            closed_at: accounting::closed_at(tx, month)?,
            enrolled,
            terms: calculation::terms_of(tx, &ids)?,
            levers: calculation::lever_months(tx, partners, &ids, (begins, month))?,
            rates: calculation::lever_rates(tx, partners, &ids, month)?,
            ineligible: calculation::ineligible_months(tx, partners, &ids, month)?,
            adjusted: adjustments::posted_in(tx, partners, month)?,
            books: accounting::month_of_books(tx, partners, &ids, month)?,
            funds: coop_funds::of_partners(tx, partners, FundRange::All)?,
            losses: forfeitures::announced(tx, partners)?,
        })
    }

    /// The statement of one of the partners in a language. `as_of` is the last calculation, for an open month.
    pub(super) fn statement(
        &self,
        partner: &Partner,
        as_of: Option<Timestamp>,
        language: Locale,
    ) -> Statement {
        let year = programs::program_year_of(self.month.first_day());
        let writer = Writer { facts: self, language };
        let own = self.enrolled.iter().filter(|(enrollment, _)| enrollment.partner_id == partner.id);
        let programs = own.map(|(enrollment, program)| writer.program(enrollment, program));
        let programs: Vec<StatementProgram> =
            programs.filter(|program| program.program_year == year || !program.is_empty()).collect();
        let mut totals = BTreeMap::new();
        for total in programs.iter().flat_map(|program| &program.totals) {
            let currency = total.amount.currency;
            totals.entry(currency).or_insert_with(|| StatementTotal::none(currency)).add(total);
        }
        let closed = self.closed_at.is_some();
        Statement {
            partner: partner.clone().into(),
            month: self.month,
            state: if closed { AccountingMonthState::Closed } else { AccountingMonthState::Open },
            closed_at: self.closed_at,
            as_of: self.closed_at.or(as_of),
            sha256: None,
            programs,
            totals: totals.into_values().collect(),
        }
    }
}

impl Writer<'_> {
    fn program(&self, enrollment: &Enrollment, program: &Program) -> StatementProgram {
        let (id, facts) = (enrollment.id, self.facts);
        let lines = facts.levers.iter().filter(|row| row.enrollment_id == id && row.posted_in == facts.month);
        let mut lines: Vec<&LeverMonth> = lines.collect();
        lines.sort_by_key(|row| (row.version, self.place(row), row.earned_in, row.currency));
        let lines = lines.into_iter().map(|row| self.line(row));
        let (earnings, corrections): (Vec<_>, Vec<_>) = lines.partition(|line| line.earned_in == facts.month);
        let adjusted = facts.adjusted.iter().filter(|adjustment| adjustment.enrollment_id == id);
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
        let of_enrollment = facts.books.rebates.iter().filter(|waiting| waiting.rebate.enrollment_id == id);
        let rebates: Vec<_> =
            of_enrollment.map(|waiting| StatementRebate::of(waiting, self.language)).collect();
        for converted in rebates.iter().filter_map(|rebate| rebate.converted) {
            total(converted.currency, &|total| total.convert(converted));
        }
        let totals = totals.into_values().collect();
        let ineligible = facts.ineligible.iter().filter(|row| row.enrollment_id == id);
        let balances = facts.books.balances.iter().filter(|balance| balance.enrollment_id == id);
        let payments = facts.books.payments.iter().filter(|payment| payment.enrollment_id == id);
        let funds = facts.funds.iter().filter(|fund| fund.enrollment_id == id);
        let balance =
            |of: &Balance| StatementBalance::of(of, UpcomingLoss::of(&facts.losses, id, of.new.currency));
        StatementProgram {
            enrollment_id: id,
            program: program.code.clone(),
            name: program.name.clone(),
            program_year: enrollment.program_year,
            ineligible: ineligible.map(|row| self.refusal(row)).collect(),
            months: self.months(id),
            rebates,
            balances: balances.map(balance).collect(),
            payments: payments.map(StatementPayment::from).collect(),
            coop_funds: funds.filter_map(|fund| StatementFund::in_month(fund, facts.month)).collect(),
            earnings,
            corrections,
            adjustments,
            totals,
        }
    }

    fn lever(&self, enrollment: Id, version: i32, code: &str) -> Option<&Lever> {
        let (_, version) = self.facts.terms.get(&(enrollment, version))?;
        version.levers.0.iter().find(|lever| lever.code() == code)
    }

    /// The place of the lever in the program version, which orders the lines of the statement.
    fn place(&self, row: &LeverMonth) -> Option<usize> {
        let (_, version) = self.facts.terms.get(&(row.enrollment_id, row.version))?;
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
        let slices: Vec<_> = self.facts.rates.iter().filter(is_of_line).map(slice).collect();
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
            remedy: calculation::remedy(&reason, self.language).map(str::to_owned),
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
        for row in self.facts.levers.iter().filter(|row| row.enrollment_id == enrollment) {
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
