//! Rates of withheld tax over HTTP.

use super::{
    EarningKind, FormState, NewWithholdingRate, WithholdingKey, WithholdingKind, WithholdingRate, service,
    store,
};
use crate::{
    access::{
        Caller,
        policy::{CreateWithholdingRate, GetWithholdingRate, ListWithholdingRates},
    },
    platform::{
        Result,
        http::{Answer, Body, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{CalendarDate, Country, Id, Rate, Timestamp},
    },
};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_withholding_rates).service(create_withholding_rate).service(get_withholding_rate);
}

/// A rate of withheld tax, and the days it holds on.
#[derive(Serialize, ToSchema)]
#[schema(as = WithholdingRate)]
pub struct WithholdingRateView {
    /// Identifier, a UUID of version 7 (RFC 9562); a payment names the rate that its tax was withheld by.
    id: Id,
    /// The country of the payee; null of a rate for every country that has no rate of its own.
    payee_country: Option<Country>,
    /// What is known of the payee's tax form.
    form_state: FormState,
    /// What is paid.
    earning: EarningKind,
    /// Why tax is withheld.
    kind: WithholdingKind,
    /// The part of each line that is withheld.
    rate: Rate,
    /// The first day the rate holds.
    valid_from: CalendarDate,
    /// The last day the rate holds; null of a rate without an end.
    valid_to: Option<CalendarDate>,
    /// When the rate was added.
    created_at: Timestamp,
}

impl From<WithholdingRate> for WithholdingRateView {
    fn from(of: WithholdingRate) -> Self {
        Self {
            id: of.id,
            payee_country: of.payee_country,
            form_state: of.form_state,
            earning: of.earning,
            kind: of.kind,
            rate: of.rate,
            valid_from: of.valid_from,
            valid_to: of.valid_to,
            created_at: of.created_at,
        }
    }
}

page_of!(
    /// One page of rates of withheld tax.
    pub WithholdingRatePage of WithholdingRateView
);

/// A rate of withheld tax to add. It ends the rate of the same country, form and earning on record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "payee_country": "IN", "form_state": "w8", "earning": "co_op", "kind": "treaty", "rate": "0.15",
    "valid_from": "2031-01-01"
}))]
struct WithholdingRateCreate {
    /// The country of the payee; leave it out for every country that has no rate of its own.
    #[serde(default)]
    payee_country: Option<Country>,
    /// What is known of the payee's tax form.
    form_state: FormState,
    /// What is paid.
    earning: EarningKind,
    /// Why tax is withheld; of the kind `none` the rate is 0.
    kind: WithholdingKind,
    /// The part of each line that is withheld.
    rate: Rate,
    /// The first day the rate holds: today or later, and after the first day of the rate on record.
    valid_from: CalendarDate,
}

/// Which rates to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WithholdingRateFilter {
    /// For payees of this country, without the rates for every country.
    pub payee_country: Option<Country>,
    /// For payees of whose tax form so much is known.
    #[param(inline)]
    pub form_state: Option<FormState>,
    /// For this kind of earning.
    #[param(inline)]
    pub earning: Option<EarningKind>,
    /// That hold on this day.
    pub on: Option<CalendarDate>,
}

/// List rates of withheld tax
///
/// The newest first. `on` gives those that hold on a day.
#[utoipa::path(
    tag = "withholding",
    params(WithholdingRateFilter, PageParams),
    responses((status = 200, body = WithholdingRatePage))
)]
#[get("/v1/withholding-rates")]
async fn list_withholding_rates(
    caller: Caller<ListWithholdingRates>,
    page: PageRequest<WithholdingRateFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let cursor = |rate: &WithholdingRate| Cursor { key: None, id: rate.id };
            Ok(page.answer(found, total, cursor, WithholdingRateView::from))
        })
        .await
}

/// Add a rate of withheld tax
///
/// Rates are never changed: the new one ends the rate of the same country, form and earning on record, the day before it
/// begins. Payments keep the rate they were withheld by.
#[utoipa::path(
    tag = "withholding", request_body = WithholdingRateCreate,
    responses((status = 201, body = WithholdingRateView))
)]
#[post("/v1/withholding-rates")]
async fn create_withholding_rate(
    caller: Caller<CreateWithholdingRate>,
    body: Body<WithholdingRateCreate>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, new| {
            let WithholdingRateCreate { payee_country, form_state, earning, kind, rate, valid_from } =
                new.clone();
            let key = WithholdingKey { payee_country, form_state, earning };
            let id = tx.new_id();
            let added = service::add(tx, id, NewWithholdingRate { key, kind, rate, valid_from })?;
            let location = format!("/v1/withholding-rates/{id}");
            Ok(Answer::created(location, &WithholdingRateView::from(added), 1))
        })
        .await
}

/// Read a rate of withheld tax
#[utoipa::path(tag = "withholding", responses((status = 200, body = WithholdingRateView)))]
#[get("/v1/withholding-rates/{id}")]
async fn get_withholding_rate(caller: Caller<GetWithholdingRate>, id: Path<Id>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let rate = store::get(tx, *id)?;
            // The end of a rate is the one thing that changes of it, once.
            let revision = 1 + i64::from(rate.valid_to.is_some());
            Ok(Answer::record(&WithholdingRateView::from(rate), revision))
        })
        .await
}
