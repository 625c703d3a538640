//! Summaries and statements over HTTP.

use super::{
    kept::{self, KeptStatement},
    link,
    page::{self, page},
    statement_view::Statement,
    summary::summary,
    summary_view::PartnerSummary,
    table::table,
};
use crate::{
    access::{
        Caller, PartnerKey, Public, Tx,
        policy::{GetPartnerSummary, GetStatement, ListStatements, MakeStatementLink},
    },
    network::partners,
    participation::programs,
    platform::{
        Result,
        http::{
            Answer, Cursor, Listing, Media, NoFilter, PageParams, PageRequest, Path, Problem, PublicAddress,
            Query, Rendering, page_of,
        },
        values::{Currency, Id, Month, Timestamp},
    },
};
use actix_web::{Either, HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of summaries and statements.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_partner_summary)
        .service(list_statements)
        .service(get_statement)
        .service(make_statement_link)
        .service(open_statement_link);
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

/// A stored statement of a closed month, in a list.
#[derive(Serialize, ToSchema)]
struct StatementEntry {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The month, which names the statement in its address.
    month: Month,
    /// When the month was closed and the statement stored.
    closed_at: Timestamp,
    /// The SHA-256 of the stored statement, in lower-case hexadecimal.
    #[schema(
        min_length = 64,
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        examples("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
    )]
    sha256: String,
}

page_of!(
    /// One page of statements.
    pub StatementPage of StatementEntry
);

impl From<KeptStatement> for StatementEntry {
    fn from(kept: KeptStatement) -> Self {
        let KeptStatement { id, month, closed_at, sha256, .. } = kept;
        Self { id, month, closed_at, sha256 }
    }
}

/// List the statements of a partner
///
/// The closed months that the partner has a statement of, the newest first. The statement of the open month stands under
/// its month, and is not in the list.
#[utoipa::path(tag = "statements", params(PageParams), responses((status = 200, body = StatementPage)))]
#[get("/v1/partners/{id}/statements")]
async fn list_statements(
    caller: Caller<ListStatements>,
    id: Path<PartnerKey>,
    page: PageRequest<NoFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let partner = id.id(tx)?;
            partners::get(tx, partner)?;
            let total = page.include_total.then(|| kept::count(tx, partner)).transpose()?;
            let found = kept::list(tx, partner, page)?;
            let end = |kept: &KeptStatement| Cursor { key: None, id: kept.id };
            Ok(page.answer(found, total, end, StatementEntry::from))
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
/// account. The statement of a closed month is the one that was stored when the month was closed: it never changes, and
/// later facts go on later statements. A month without a statement is not found.
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
        let mut statement = kept::read(tx, partner, month)?;
        if let Some(currency) = filter.currency {
            statement.keep_currency(currency, programs::program_year_of(month.first_day()));
        }
        Ok((statement, tx.language))
    };
    let (statement, language) = caller.snapshot(read).await?;
    Ok(match media {
        Media::Json => Either::Left(Answer::ok(&statement)),
        Media::Csv => {
            let name = format!("statement-{}-{month}", statement.partner.mpn_id);
            Either::Right(Rendering::csv(&name, table(&statement, language)))
        }
        Media::Html => Either::Right(Rendering::page(page::STYLE, page(&statement, language)?)),
    })
}

/// A link that opens a statement as a page.
#[derive(Serialize, ToSchema)]
struct StatementPageLink {
    /// The address of the page, for a browser. Whoever has it can read the statement until it expires.
    #[schema(
        max_length = 2000,
        format = "uri",
        examples("https://incentives.example/v1/statement-pages/AQ")
    )]
    url: String,
    /// When the address ceases to open the page.
    expires_at: Timestamp,
}

/// Make a link to a statement's page
///
/// The link opens the page of that statement, and nothing else, in a browser that has not signed in, for five minutes; in
/// the language that this request asks for. The audit trail notes who made the link.
#[utoipa::path(
    tag = "statements",
    params(("month" = Month, Path, description = "The month of payment.", example = "2027-01")),
    responses((status = 200, body = StatementPageLink))
)]
#[post("/v1/partners/{id}/statements/{month}/link")]
async fn make_statement_link(
    caller: Caller<MakeStatementLink>,
    path: Path<(PartnerKey, Month)>,
    request: HttpRequest,
) -> Result<Answer> {
    let address = PublicAddress::of(&request);
    let (partner, month) = path.into_inner();
    caller
        .act(move |tx| {
            let partner = partner.id(tx)?;
            let (token, link) = link::make(tx, partner, month)?;
            let url = format!("{address}/v1/statement-pages/{token}");
            Ok(Answer::ok(&StatementPageLink { url, expires_at: link.expires_at }))
        })
        .await
}

/// Open a statement by its link
///
/// The page of one statement, for whoever has a link of `POST /v1/partners/{id}/statements/{month}/link`. A link that has
/// expired is gone; one that the service has not made is not found.
#[utoipa::path(
    tag = "statements",
    params(("token" = String, Path, description = "The token of the link.", max_length = 1000, pattern = "^[A-Za-z0-9_-]{1,1000}$", example = "AQ")),
    responses(
        (status = 200, content_type = "text/html", body = String, example = "<!doctype html>"),
        (status = 410, description = "The link has expired.", body = Problem, content_type = "application/problem+json")
    )
)]
#[get("/v1/statement-pages/{token}")]
async fn open_statement_link(public: Public, token: Path<String>) -> Result<Rendering> {
    let read = move |tx: &mut Tx<'_>| {
        let link = link::open(tx, &token)?;
        tx.language = link.language;
        Ok((kept::read(tx, link.partner_id, link.month)?, link.language))
    };
    let (statement, language) = public.snapshot(read).await?;
    Ok(Rendering::page(page::STYLE, page(&statement, language)?).in_language(language))
}
