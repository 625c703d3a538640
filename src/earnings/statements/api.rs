//! Summaries and statements over HTTP.

use super::{
    page::{self, page},
    statement::statement,
    statement_view::Statement,
    summary::summary,
    summary_view::PartnerSummary,
    table::table,
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{GetPartnerSummary, GetStatement},
    },
    platform::{
        Result,
        http::{Answer, Media, Path, Query, Rendering},
        values::{Currency, Month},
    },
};
use actix_web::{Either, get};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of summaries and statements.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_partner_summary).service(get_statement);
}

/// Read where a partner stands
///
/// For each enrollment of the partner: the earnings of this month and this program year, the volume missing to the next
/// tier, the balance under caps, the next payment, the papers that end soon, and the partner's next action.
#[utoipa::path(tag = "statements", responses((status = 200, body = PartnerSummary)))]
#[get("/v1/partners/{id}/summary")]
async fn get_partner_summary(caller: Caller<GetPartnerSummary>, id: Path<PartnerKey>) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let id = id.id(tx)?;
            Ok(Answer::ok(&summary(tx, id)?))
        })
        .await
}

/// What of a statement to show.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StatementFilter {
    /// In this currency alone.
    currency: Option<Currency>,
}

/// Read a month's statement
///
/// The earnings that are paid with the month, by program and lever; corrections of earlier months, adjustments, and
/// sales that did not earn; the amounts owed and carried over. As JSON, as a table with `Accept: text/csv`, and with
/// `Accept: text/html` as a page to print; in the language that `Accept-Language` asks for, else in that of the user's
/// account. The figures of a closed month never change.
#[utoipa::path(
    tag = "statements",
    params(
        ("month" = Month, Path, description = "The month of payment.", example = "2027-01"),
        StatementFilter
    ),
    responses((status = 200, content(
        (Statement = "application/json"),
        (String = "text/csv", example = "section,program\r\nearning,csp-direct-bill\r\n"),
        (String = "text/html", example = "<!doctype html>"),
    )))
)]
#[get("/v1/partners/{id}/statements/{month}")]
async fn get_statement(
    caller: Caller<GetStatement>,
    path: Path<(PartnerKey, Month)>,
    filter: Query<StatementFilter>,
    media: Media,
) -> Result<Either<Answer, Rendering>> {
    let ((partner, month), Query(filter)) = (path.into_inner(), filter);
    let read = move |tx: &mut Tx<'_>| {
        let partner = partner.id(tx)?;
        Ok((statement(tx, partner, month, filter.currency)?, tx.language))
    };
    let (statement, language) = caller.snapshot(read).await?;
    Ok(match media {
        Media::Json => Either::Left(Answer::ok(&statement)),
        Media::Csv => {
            let name = format!("statement-{}-{month}", statement.partner.mpn_id);
            Either::Right(Rendering::csv(&name, table(&statement)))
        }
        Media::Html => Either::Right(Rendering::page(page::STYLE, page(&statement, language)?)),
    })
}
