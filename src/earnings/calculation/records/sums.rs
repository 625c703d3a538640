//! The books in sums: what each lever has given, and what has not earned, by the month it applies to and the month it
//! is paid with. Kept in the unit that posts what they sum, so that a statement reads a few rows whatever has been
//! sold; `accounting::verify` computes them again.

use super::model::{EarningRow, IneligibleRow};
use crate::{
    access::Tx,
    earnings::engine::Reason,
    participation::enrollments::EnrollmentKey,
    platform::{
        Result, amounts,
        db::upsert_many,
        values::{Currency, Id, Money, Month, Rate},
    },
    schema::{ineligible_months, lever_months, lever_rates},
};
use diesel::{dsl::sql, prelude::*, sql_types::Bool, upsert::excluded};
use std::collections::BTreeMap;

/// What one lever has given for a month, paid with a month, in one currency. Amounts are minor units.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = lever_months, treat_none_as_default_value = false)]
pub struct LeverMonth {
    /// The partner.
    pub partner_id: Id,
    /// The enrollment.
    pub enrollment_id: Id,
    /// The month it is paid with.
    pub posted_in: Month,
    /// The program version.
    pub version: i32,
    /// The lever's code.
    pub lever: String,
    /// The month it applies to.
    pub earned_in: Month,
    /// The currency.
    pub currency: Currency,
    /// How many earnings.
    pub earnings: i64,
    /// What was earned on.
    pub base: i64,
    /// The amount.
    pub amount: i64,
    /// The part that is rebate.
    pub rebate: i64,
    /// The part that is co-op.
    pub coop: i64,
}

/// What one lever with tiers has given at one rate for a month, paid with a month, in one currency. Amounts are minor units.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = lever_rates, treat_none_as_default_value = false)]
pub struct LeverRate {
    /// The partner.
    pub partner_id: Id,
    /// The enrollment.
    pub enrollment_id: Id,
    /// The month it is paid with.
    pub posted_in: Month,
    /// The program version.
    pub version: i32,
    /// The lever's code.
    pub lever: String,
    /// The month it applies to.
    pub earned_in: Month,
    /// The currency.
    pub currency: Currency,
    /// The rate; zero below the first tier.
    pub rate: Rate,
    /// What was earned on.
    pub base: i64,
    /// The amount.
    pub amount: i64,
}

/// What one lever has not given for one reason, reported with a month, in one currency. Amounts are minor units.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = ineligible_months, treat_none_as_default_value = false)]
pub struct IneligibleMonth {
    /// The partner.
    pub partner_id: Id,
    /// The enrollment.
    pub enrollment_id: Id,
    /// The month it is told with: that one while it is open, else the first open one.
    pub posted_in: Month,
    /// The program version.
    pub version: i32,
    /// The lever's code.
    pub lever: String,
    /// The month it would have applied to.
    pub earned_in: Month,
    /// Why.
    pub code: String,
    /// The currency.
    pub currency: Currency,
    /// How many records were made.
    pub records: i64,
    /// How many ceased to stand, because they were mended.
    pub cured: i64,
    /// What the sales they are about were billed at, those that were mended taken off.
    pub billed: i64,
    /// What a cap cut off.
    pub capped: i64,
}

type LeverKey = (EnrollmentKey, Month, i32, String, Month, Currency);
type IneligibleKey = (EnrollmentKey, Month, i32, String, Month, String, Currency);

/// What a unit adds to the sums.
#[derive(Default)]
pub(in crate::earnings::calculation) struct Sums {
    levers: BTreeMap<LeverKey, LeverMonth>,
    rates: BTreeMap<(LeverKey, Rate), LeverRate>,
    ineligible: BTreeMap<IneligibleKey, IneligibleMonth>,
}

/// The sum that a record belongs to.
pub(in crate::earnings::calculation) struct RecordKey<'a> {
    pub enrollment: EnrollmentKey,
    pub version: i32,
    pub lever: &'a str,
    pub earned_in: Month,
    pub code: &'a str,
}

impl<'a> From<&'a IneligibleRow> for RecordKey<'a> {
    fn from(row: &'a IneligibleRow) -> Self {
        let IneligibleRow { enrollment_id, partner_id, version, lever, earned_in, code, .. } = row;
        let enrollment = EnrollmentKey { partner_id: *partner_id, id: *enrollment_id };
        Self { enrollment, version: *version, lever, earned_in: *earned_in, code }
    }
}

impl Sums {
    /// An earning.
    pub fn earned(&mut self, row: &EarningRow) -> Result<()> {
        let enrollment = EnrollmentKey { partner_id: row.partner_id, id: row.enrollment_id };
        let key = (enrollment, row.posted_in, row.version, row.lever.clone(), row.earned_in, row.currency);
        for part in row.by_rate.iter().flat_map(|by_rate| by_rate.0.parts()) {
            let sum = self.rates.entry((key.clone(), part.rate)).or_insert_with(|| LeverRate {
                partner_id: row.partner_id,
                enrollment_id: row.enrollment_id,
                posted_in: row.posted_in,
                version: row.version,
                lever: row.lever.clone(),
                earned_in: row.earned_in,
                currency: row.currency,
                rate: part.rate,
                base: 0,
                amount: 0,
            });
            amounts::add(&mut sum.base, part.base)?;
            amounts::add(&mut sum.amount, part.amount)?;
        }
        let sum = self.levers.entry(key).or_insert_with(|| LeverMonth {
            partner_id: row.partner_id,
            enrollment_id: row.enrollment_id,
            posted_in: row.posted_in,
            version: row.version,
            lever: row.lever.clone(),
            earned_in: row.earned_in,
            currency: row.currency,
            earnings: 0,
            base: 0,
            amount: 0,
            rebate: 0,
            coop: 0,
        });
        sum.earnings += 1;
        amounts::add(&mut sum.base, row.base)?;
        amounts::add(&mut sum.amount, row.amount)?;
        amounts::add(&mut sum.rebate, row.rebate)?;
        amounts::add(&mut sum.coop, row.coop)
    }

    /// A record, reported with a month: what its sale was billed at, or what a cap cut off.
    pub fn refused(&mut self, row: &IneligibleRow, posted_in: Month, billed: Money) -> Result<()> {
        let capped = row.capped();
        let sum = self.about(&RecordKey::from(row), posted_in, capped.unwrap_or(billed).currency);
        sum.records += 1;
        match capped {
            Some(capped) => amounts::add(&mut sum.capped, capped.minor),
            None => amounts::add(&mut sum.billed, billed.minor),
        }
    }

    /// A record ceases to stand: its sale was billed at so much, or a cap had cut off so much.
    pub fn cured(
        &mut self,
        record: &RecordKey<'_>,
        posted_in: Month,
        capped: Option<Money>,
        billed: Money,
    ) -> Result<()> {
        let sum = self.about(record, posted_in, capped.unwrap_or(billed).currency);
        sum.cured += 1;
        match capped {
            Some(capped) => amounts::add(&mut sum.capped, -capped.minor),
            None => amounts::add(&mut sum.billed, -billed.minor),
        }
    }

    fn about(
        &mut self,
        record: &RecordKey<'_>,
        posted_in: Month,
        currency: Currency,
    ) -> &mut IneligibleMonth {
        let RecordKey { enrollment, version, lever, earned_in, code } = *record;
        let (lever, code) = (lever.to_owned(), code.to_owned());
        let key = (enrollment, posted_in, version, lever.clone(), earned_in, code.clone(), currency);
        self.ineligible.entry(key).or_insert_with(|| IneligibleMonth {
            partner_id: enrollment.partner_id,
            enrollment_id: enrollment.id,
            posted_in,
            version,
            lever,
            earned_in,
            code,
            currency,
            records: 0,
            cured: 0,
            billed: 0,
            capped: 0,
        })
    }

    /// Adds them to what is kept.
    pub fn keep(self, tx: &mut Tx<'_>) -> Result<()> {
        use ineligible_months as i;
        use lever_months as l;
        use lever_rates as r;
        let levers: Vec<LeverMonth> = self.levers.into_values().collect();
        upsert_many!(
            tx.conn,
            l::table,
            &levers,
            (l::partner_id, l::enrollment_id, l::posted_in, l::version, l::lever, l::earned_in, l::currency),
            (
                l::earnings.eq(l::earnings + excluded(l::earnings)),
                l::base.eq(l::base + excluded(l::base)),
                l::amount.eq(l::amount + excluded(l::amount)),
                l::rebate.eq(l::rebate + excluded(l::rebate)),
                l::coop.eq(l::coop + excluded(l::coop)),
            )
        );
        let rates: Vec<LeverRate> = self.rates.into_values().collect();
        upsert_many!(
            tx.conn,
            r::table,
            &rates,
            (
                r::partner_id,
                r::enrollment_id,
                r::posted_in,
                r::version,
                r::lever,
                r::earned_in,
                r::currency,
                r::rate
            ),
            (r::base.eq(r::base + excluded(r::base)), r::amount.eq(r::amount + excluded(r::amount)))
        );
        let ineligible: Vec<IneligibleMonth> = self.ineligible.into_values().collect();
        upsert_many!(
            tx.conn,
            i::table,
            &ineligible,
            (
                i::partner_id,
                i::enrollment_id,
                i::posted_in,
                i::version,
                i::lever,
                i::earned_in,
                i::code,
                i::currency
            ),
            (
                i::records.eq(i::records + excluded(i::records)),
                i::cured.eq(i::cured + excluded(i::cured)),
                i::billed.eq(i::billed + excluded(i::billed)),
                i::capped.eq(i::capped + excluded(i::capped)),
            )
        );
        Ok(())
    }
}

/// What the levers of these enrollments, which belong to these partners, have given, paid with the months between two, in the order of the months.
pub fn lever_months(
    tx: &mut Tx<'_>,
    partners: &[Id],
    enrolled: &[Id],
    (from, to): (Month, Month),
) -> Result<Vec<LeverMonth>> {
    let query = lever_months::table
        .filter(lever_months::partner_id.eq_any(partners.to_vec()))
        .filter(lever_months::enrollment_id.eq_any(enrolled.to_vec()))
        .filter(lever_months::posted_in.between(from, to))
        .order((
            lever_months::enrollment_id,
            lever_months::posted_in,
            lever_months::version,
            lever_months::lever,
            lever_months::earned_in,
            lever_months::currency,
        ))
        .select(LeverMonth::as_select());
    Ok(query.load(tx.conn)?)
}

/// At which rates the tiered levers of these enrollments, which belong to these partners, have given what is paid with a month, in the order of the rates.
pub fn lever_rates(
    tx: &mut Tx<'_>,
    partners: &[Id],
    enrolled: &[Id],
    posted_in: Month,
) -> Result<Vec<LeverRate>> {
    let query = lever_rates::table
        .filter(lever_rates::partner_id.eq_any(partners.to_vec()))
        .filter(lever_rates::enrollment_id.eq_any(enrolled.to_vec()))
        .filter(lever_rates::posted_in.eq(posted_in))
        .order((
            lever_rates::enrollment_id,
            lever_rates::version,
            lever_rates::lever,
            lever_rates::earned_in,
            lever_rates::currency,
            lever_rates::rate,
        ))
        .select(LeverRate::as_select());
    Ok(query.load(tx.conn)?)
}

/// What these enrollments, which belong to these partners, have not earned, reported with a month.
pub fn ineligible_months(
    tx: &mut Tx<'_>,
    partners: &[Id],
    enrolled: &[Id],
    posted_in: Month,
) -> Result<Vec<IneligibleMonth>> {
    let query = ineligible_months::table
        .filter(ineligible_months::partner_id.eq_any(partners.to_vec()))
        .filter(ineligible_months::enrollment_id.eq_any(enrolled.to_vec()))
        .filter(ineligible_months::posted_in.eq(posted_in))
        .order((
            ineligible_months::enrollment_id,
            ineligible_months::version,
            ineligible_months::lever,
            ineligible_months::earned_in,
            ineligible_months::code,
            ineligible_months::currency,
        ))
        .select(IneligibleMonth::as_select());
    Ok(query.load(tx.conn)?)
}

/// The partners with something that did not earn, reported with a month.
pub fn partners_refused_in(tx: &mut Tx<'_>, posted_in: Month) -> Result<Vec<Id>> {
    let query = ineligible_months::table.filter(ineligible_months::posted_in.eq(posted_in));
    Ok(query.select(ineligible_months::partner_id).distinct().load(tx.conn)?)
}

/// Sales in one currency that wait for an exchange rate.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct RateWait {
    /// The month that the sales apply to.
    pub month: Month,
    /// The currency of the sales.
    pub currency: Currency,
}

/// What waits for exchange rates of the months up to one.
pub fn rate_waits(tx: &mut Tx<'_>, until: Month) -> Result<Vec<RateWait>> {
    let query = ineligible_months::table
        .filter(ineligible_months::code.eq(Reason::ExchangeRateMissing.code()))
        .filter(ineligible_months::earned_in.le(until))
        .group_by((ineligible_months::earned_in, ineligible_months::currency))
        .having(sql::<Bool>("SUM(records - cured) > 0"))
        .order((ineligible_months::earned_in, ineligible_months::currency))
        .select((ineligible_months::earned_in, ineligible_months::currency));
    Ok(query.load(tx.conn)?)
}
