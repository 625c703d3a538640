//! Exchange rates: one for each month and pair, published once and never changed.

use super::{FxRate, fx_rates_api::FxRateFilter};
use crate::{
    access::{Guard, Tx, Unaudited},
    audit,
    platform::{
        Error, Result,
        db::{MultiBackend, insert_many},
        http::PageRequest,
        values::{Currency, ExchangeRate, ExchangeRates, Month, Period},
    },
    schema::fx_rates,
    text,
};
use diesel::prelude::*;
use serde_json::json;

crate::problem_codes! {
    FX_RATE_PUBLISHED = "fx_rate_published" 409 ["The rate is published already", "この為替レートはすでに公表されています"],
        ["A published rate is never changed, and a pair is published in one direction: the other is its inverse. `published` is the rate on record. Leave the pair out; what was earned by a wrong rate is put right by an adjustment.", "公表済みの為替レートは変更されません。通貨の組は一方向のみ公表され、逆方向はその逆数です。登録済みのレートは `published` に示されます。この組を除いて送信してください。誤ったレートによる獲得額は個別調整で訂正します。"];
    FX_MONTH_AHEAD = "fx_month_ahead" 409 ["The month has not begun", "対象月がまだ始まっていません"],
        ["A month's rates are published when it has begun, because they are never changed.", "為替レートは公表後に変更できないため、対象月が始まってから公表します。"];
}

/// The published rates of a month, by base and quote.
pub fn of_month(tx: &mut Tx<'_>, month: Month) -> Result<Vec<FxRate>> {
    let query = fx_rates::table.filter(fx_rates::month.eq(month)).order((fx_rates::base, fx_rates::quote));
    Ok(query.select(FxRate::as_select()).load(tx.conn)?)
}

fn matching(filter: &FxRateFilter) -> fx_rates::BoxedQuery<'static, MultiBackend> {
    let mut query = fx_rates::table.into_boxed();
    if let Some(month) = filter.month {
        query = query.filter(fx_rates::month.eq(month));
    }
    if let Some(base) = filter.base {
        query = query.filter(fx_rates::base.eq(base));
    }
    if let Some(quote) = filter.quote {
        query = query.filter(fx_rates::quote.eq(quote));
    }
    query
}

/// A page of rates, the newest month first.
pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<FxRateFilter>) -> Result<Vec<FxRate>> {
    let mut query = matching(&page.filter);
    let place = page.after.as_ref().and_then(|after| Some((after.key.as_ref()?.parse().ok()?, after.id)));
    if let Some((month, id)) = place {
        let month: Month = month;
        query =
            query.filter(fx_rates::month.lt(month).or(fx_rates::month.eq(month).and(fx_rates::id.lt(id))));
    }
    let query = query.order((fx_rates::month.desc(), fx_rates::id.desc())).limit(page.limit + 1);
    Ok(query.select(FxRate::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &FxRateFilter) -> Result<i64> {
    Ok(matching(filter).count().get_result(tx.conn)?)
}

/// The published rates of the months that a period touches.
pub fn rates(tx: &mut Tx<'_>, period: Period) -> Result<ExchangeRates> {
    let months = (Month::of(period.from), Month::of(period.to));
    let query = fx_rates::table.filter(fx_rates::month.between(months.0, months.1));
    let mut rates = ExchangeRates::default();
    for FxRate { month, base, quote, rate, .. } in query.select(FxRate::as_select()).load(tx.conn)? {
        rates.publish(month, base, quote, rate);
    }
    Ok(rates)
}

/// A rate to publish: `rate` units of `quote` for one unit of `base`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewFxRate {
    /// The currency of which one unit is priced.
    pub base: Currency,
    /// The currency of the price.
    pub quote: Currency,
    /// The price of one unit of `base`.
    pub rate: ExchangeRate,
}

/// Adds rates to the published rates of a month. Sales that waited for a new rate are calculated with the next run.
pub fn publish(tx: &mut Tx<'_>, month: Month, new: &[NewFxRate]) -> Result<Vec<FxRate>> {
    if month > Month::of(tx.today()) {
        let detail = text!("{month} begins on {}", "{month} は {} に始まります。", month.first_day());
        return Err(Error::new(&FX_MONTH_AHEAD, detail));
    }
    // A unit that posts relies on the published rates: one of the two units waits for the other.
    tx.take(Guard::Books)?;
    let before = of_month(tx, month)?;
    let added = added(tx, month, &before, new)?;
    if added.is_empty() {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(before);
    }
    insert_many!(tx.conn, fx_rates::table, &added);
    tx.rates_published(month);
    let after = of_month(tx, month)?;
    let show = |rates: &[FxRate]| json!({"month": month, "rates": rates});
    let id = tx.new_id();
    audit::Event::on("fx_rates", id).before(&show(&before)).after(&show(&after)).record(tx)?;
    Ok(after)
}

/// The new rates that the month does not have yet; refuses a rate that differs from the published one of its pair.
fn added(tx: &Tx<'_>, month: Month, known: &[FxRate], new: &[NewFxRate]) -> Result<Vec<FxRate>> {
    let mut added = Vec::new();
    for NewFxRate { base, quote, rate } in new.iter().copied() {
        let pair = [base, quote];
        match known.iter().find(|known| pair.contains(&known.base) && pair.contains(&known.quote)) {
            Some(known) if (known.base, known.rate) == (base, rate) => {}
            Some(known) => {
                let detail = text!(
                    "1 {} is {} {} in {month}",
                    "{month} の為替レートは 1 {} ＝ {} {} です。",
                    known.base,
                    known.rate,
                    known.quote
                );
                return Err(Error::new(&FX_RATE_PUBLISHED, detail).with("published", known));
            }
            None => {
                let (published_at, published_by) = (tx.now, tx.actor.id());
                added.push(FxRate { id: tx.new_id(), month, base, quote, rate, published_at, published_by });
            }
        }
    }
    Ok(added)
}
