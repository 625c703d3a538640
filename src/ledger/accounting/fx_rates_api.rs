//! Exchange rates over HTTP.

use super::{
    FxRate,
    fx_rates::{self, NewFxRate},
};
use crate::{
    access::{
        Caller,
        policy::{GetFxRates, ListFxRates, PutFxRates},
    },
    platform::{
        FieldError, Result,
        http::{Answer, Checked, Cursor, Listing, PageParams, PageRequest, Path, faultless, page_of},
        values::{Currency, ExchangeRate, Id, Month, Timestamp},
    },
    text,
};
use actix_web::{get, put};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::{Validate, ValidationError};

/// The routes of exchange rates.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_fx_rates).service(get_fx_rates).service(put_fx_rates);
}

/// The exchange rates of a month.
#[derive(Serialize, ToSchema)]
struct FxRates {
    /// The month that the rates hold for.
    month: Month,
    /// The published pairs, by base and quote.
    #[schema(max_items = 32_000)]
    rates: Vec<FxRateView>,
}

/// The price of one unit of a currency in another currency, for one month.
#[derive(Serialize, ToSchema)]
#[schema(as = FxRate)]
pub struct FxRateView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The month that the rate holds for.
    month: Month,
    /// The currency of which one unit is priced.
    base: Currency,
    /// The currency of the price.
    quote: Currency,
    /// Units of `quote` for one unit of `base`. The rate of the other direction is the inverse, at full precision.
    rate: ExchangeRate,
    /// When the rate was published. A published rate never changes.
    published_at: Timestamp,
}

impl From<FxRate> for FxRateView {
    fn from(rate: FxRate) -> Self {
        let FxRate { id, month, base, quote, rate, published_at, .. } = rate;
        Self { id, month, base, quote, rate, published_at }
    }
}

page_of!(
    /// One page of exchange rates.
    pub FxRatePage of FxRateView
);

/// Exchange rates to publish.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[validate(schema(function = no_doubtful_pair))]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"rates": [{"base": "USD", "quote": "CHF", "rate": "0.9871"}]}))]
struct FxRatesPublication {
    /// The pairs; a published pair may stand here again with the same rate.
    #[schema(min_items = 1, max_items = 200)]
    rates: Vec<FxRatePublication>,
}

/// Refuses a pair of a currency with itself, and a pair that stands twice, in either direction.
fn no_doubtful_pair(publication: &FxRatesPublication) -> std::result::Result<(), ValidationError> {
    let mut seen = BTreeMap::new();
    let mut faults = Vec::new();
    for (at, FxRatePublication { base, quote, .. }) in publication.rates.iter().enumerate() {
        if base == quote {
            let message = text!("a currency has no rate to itself", "同じ通貨の間に為替レートはありません。");
            faults.push(FieldError::new(format!("/rates/{at}/quote"), "same_currency", message));
        } else if let Some(first) = seen.insert((base.min(quote), base.max(quote)), at) {
            let message = text!(
                "this pair stands at /rates/{first} already; one direction is enough",
                "この通貨の組は /rates/{first} に指定されています。一方向のみ指定してください。"
            );
            faults.push(FieldError::new(format!("/rates/{at}"), "duplicate", message));
        }
    }
    faultless(faults)
}

/// A rate to publish.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FxRatePublication {
    /// The currency of which one unit is priced.
    base: Currency,
    /// The currency of the price.
    quote: Currency,
    /// Units of `quote` for one unit of `base`.
    rate: ExchangeRate,
}

/// Which exchange rates to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FxRateFilter {
    /// For this month.
    pub month: Option<Month>,
    /// Of this currency.
    pub base: Option<Currency>,
    /// In this currency.
    pub quote: Option<Currency>,
}

/// List exchange rates
///
/// The published rates, the newest month first.
#[utoipa::path(tag = "rebates", params(FxRateFilter, PageParams), responses((status = 200, body = FxRatePage)))]
#[get("/v1/fx-rates")]
async fn list_fx_rates(caller: Caller<ListFxRates>, page: PageRequest<FxRateFilter>) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| fx_rates::count(tx, &page.filter)).transpose()?;
            let found = fx_rates::list(tx, page)?;
            let cursor = |rate: &FxRate| Cursor { key: Some(rate.month.to_string()), id: rate.id };
            Ok(page.answer(found, total, cursor, FxRateView::from))
        })
        .await
}

/// Read a month's exchange rates
///
/// Tiers, caps and reports convert by the rate of the month of the sale. A month may have no rates.
#[utoipa::path(
    tag = "rebates",
    params(("month" = Month, Path, description = "The month.", example = "2026-07")),
    responses((status = 200, body = FxRates))
)]
#[get("/v1/fx-rates/{month}")]
async fn get_fx_rates(caller: Caller<GetFxRates>, month: Path<Month>) -> Result<Answer> {
    let month = *month;
    caller.read(move |tx| Ok(Answer::ok(&view(month, fx_rates::of_month(tx, month)?)))).await
}

/// Publish exchange rates for a month
///
/// Adds pairs to the pairs of the month. A published rate never changes: the same rate again changes nothing, another
/// rate is refused. The next calculation judges sales again that waited for a rate (`exchange_rate_missing`).
#[utoipa::path(
    tag = "rebates",
    params(("month" = Month, Path, description = "The month.", example = "2026-07")),
    request_body = FxRatesPublication,
    responses((status = 200, body = FxRates))
)]
#[put("/v1/fx-rates/{month}")]
async fn put_fx_rates(
    caller: Caller<PutFxRates>,
    month: Path<Month>,
    Checked(body): Checked<FxRatesPublication>,
) -> Result<Answer> {
    let month = *month;
    caller
        .write(body, move |tx, publication| {
            let new = |FxRatePublication { base, quote, rate }: &_| NewFxRate {
                base: *base,
                quote: *quote,
                rate: *rate,
            };
            let new: Vec<NewFxRate> = publication.rates.iter().map(new).collect();
            Ok(Answer::ok(&view(month, fx_rates::publish(tx, month, &new)?)))
        })
        .await
}

fn view(month: Month, rates: Vec<FxRate>) -> FxRates {
    FxRates { month, rates: rates.into_iter().map(FxRateView::from).collect() }
}
