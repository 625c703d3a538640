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
    identity::users,
    notifications::Locale,
    platform::{
        Result,
        http::{Answer, Media, Path, Preferences, Query, Rendering},
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
/// `Accept: text/html` as a page to print, in the reader's language. The figures of a closed month never change.
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
    wanted: Preferences,
) -> Result<Either<Answer, Rendering>> {
    let ((partner, month), Query(filter)) = (path.into_inner(), filter);
    let media = wanted.media;
    let read = move |tx: &mut Tx<'_>| {
        let partner = partner.id(tx)?;
        let language = if media == Media::Html { language(tx, &wanted)? } else { Locale::En };
        Ok((statement(tx, partner, month, filter.currency, language)?, language))
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

/// The language of a page: the language of the user's account; of an API client, the language that the request asks
/// for.
fn language(tx: &mut Tx<'_>, wanted: &Preferences) -> Result<Locale> {
    let offers: Vec<&str> = Locale::ALL.iter().map(|locale| locale.as_str()).collect();
    match (tx.actor.user(), wanted.language(&offers)) {
        (Some(user), _) => Ok(users::load(tx, user)?.locale),
        (None, Some(named)) => Ok(named.parse().unwrap_or_default()),
        (None, None) => Ok(Locale::default()),
    }
}
