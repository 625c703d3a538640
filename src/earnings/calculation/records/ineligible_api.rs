//! Ineligible records over HTTP.

use super::{
    model::{Grain, IneligibleRow},
    store, words,
};
use crate::{
    access::{
        Caller, PartnerKey,
        policy::{GetIneligibleRecord, ListIneligibleRecords},
    },
    participation::programs::ProgramKey,
    platform::{
        Result,
        http::{Answer, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{Id, Locale, Money, Month, Timestamp},
    },
};
use actix_web::get;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of ineligible records.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_ineligible_records).service(get_ineligible_record);
}

/// What did not earn by one lever, or what a cap cut off, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = IneligibleRecord)]
pub struct IneligibleView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The enrollment by whose program it was judged.
    enrollment_id: Id,
    /// Its partner.
    partner_id: Id,
    /// The program version whose lever it is.
    #[schema(minimum = 1)]
    version: i32,
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    lever: String,
    /// What it would have come from.
    grain: Grain,
    /// The sale; null where it is about several.
    transaction_id: Option<Id>,
    /// The purchase that sale is, or takes back.
    purchase_id: Option<Id>,
    /// The customer; null where it is about several.
    #[schema(max_length = 128, examples("C-20881"))]
    customer_id: Option<String>,
    /// The month it would have applied to.
    earned_in: Month,
    /// Stable reason; a rule of the program gives its own.
    #[schema(max_length = 64, examples("outside_enrollment"))]
    code: String,
    /// The reason in words.
    #[schema(max_length = 300, examples("The partner was not enrolled on the day of the sale."))]
    message: String,
    /// Whether it is judged again when something is mended.
    curable: bool,
    /// What to do; null where nothing can be done.
    #[schema(max_length = 300, examples("Complete the enrollment: what its start covers is judged again."))]
    remedy: Option<&'static str>,
    /// What a cap cut off; negative where a refund takes that back.
    capped: Option<Money>,
    /// When it ceased to stand, because it was mended; null while it stands.
    cured_at: Option<Timestamp>,
    /// When it was judged.
    as_of: Timestamp,
}

impl IneligibleView {
    fn of(row: IneligibleRow, language: Locale) -> Self {
        let (reason, capped) = (row.reason(), row.capped());
        Self {
            message: words::message(&reason, capped, language),
            remedy: words::remedy(&reason, language),
            capped,
            id: row.id,
            enrollment_id: row.enrollment_id,
            partner_id: row.partner_id,
            version: row.version,
            lever: row.lever,
            grain: row.grain,
            transaction_id: row.transaction_id,
            purchase_id: row.purchase_id,
            customer_id: row.customer_id,
            earned_in: row.earned_in,
            code: row.code,
            curable: row.curable,
            cured_at: row.cured_at,
            as_of: row.recorded_at,
        }
    }
}

page_of!(
    /// One page of ineligible records.
    pub IneligiblePage of IneligibleView
);

/// Which ineligible records to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IneligibleFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// Of this enrollment.
    pub enrollment_id: Option<Id>,
    /// Of this program: its code or its id.
    pub program: Option<ProgramKey>,
    /// By this lever.
    #[param(max_length = 64, example = "core")]
    pub lever: Option<String>,
    /// About this purchase and its refunds.
    pub purchase_id: Option<Id>,
    /// About this customer.
    #[param(max_length = 128, example = "C-20881")]
    pub customer_id: Option<String>,
    /// With this reason.
    #[param(max_length = 64, example = "outside_enrollment")]
    pub code: Option<String>,
    /// That can be mended, or cannot.
    pub curable: Option<bool>,
    /// That have been mended, or still stand.
    pub cured: Option<bool>,
    /// That apply to this month.
    pub earned_in: Option<Month>,
    /// That apply to this month or a later one.
    pub from: Option<Month>,
    /// That apply to this month or an earlier one.
    pub to: Option<Month>,
}

/// List ineligible records
///
/// Everything that did not earn, with its reason and what can be done about it, the latest first. A
/// reason, a lever or a customer is looked for from the latest on: name a partner, an enrollment or the month
/// (`earned_in`) beside it, and no more than theirs is gone through.
#[utoipa::path(
    tag = "earnings",
    params(IneligibleFilter, PageParams),
    responses((status = 200, body = IneligiblePage))
)]
#[get("/v1/ineligible-records")]
async fn list_ineligible_records(
    caller: Caller<ListIneligibleRecords>,
    page: PageRequest<IneligibleFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count_records(tx, &page.filter)).transpose()?;
            let found = store::list_records(tx, page)?;
            let cursor = |row: &IneligibleRow| Cursor { key: None, id: row.id };
            let language = tx.language;
            Ok(page.answer(found, total, cursor, |row| IneligibleView::of(row, language)))
        })
        .await
}

/// Read an ineligible record
///
/// One record.
#[utoipa::path(tag = "earnings", responses((status = 200, body = IneligibleView)))]
#[get("/v1/ineligible-records/{id}")]
async fn get_ineligible_record(caller: Caller<GetIneligibleRecord>, id: Path<Id>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let row = store::get_record(tx, *id)?;
            let revision = if row.cured_at.is_some() { 2 } else { 1 };
            Ok(Answer::record(&IneligibleView::of(row, tx.language), revision))
        })
        .await
}
