//! The composition root: the only list of slices, and the contract of all slices together.

pub mod backups;
mod cors;
mod directory;
mod serve;

use serve::refuse_plaintext;
pub use serve::{Service, Serving, listen};

use crate::{
    access::{Hooks, PartnerKey, SealedColumn, Tx, policy},
    audit,
    earnings::{calculation, closing, statements},
    identity::{api_clients, password_resets, second_factors, sessions, setup, users},
    ledger::{accounting, adjustments, forfeitures},
    network::{agreements, competencies, partners, profiles},
    notifications,
    operations::{health, jobs, verify},
    participation::{admission, eligibility, enrollments, programs},
    payouts::{
        bank_reports, coop_audits, coop_claims, coop_plans, coop_proofs, disputes, half_years,
        payer_accounts, payment_files, payment_runs, payments, sealed_files, withholding,
    },
    platform::{
        Code, Result,
        http::{self, Admission, Contract, Finishing, PathKey},
        values::{Country, Currency},
    },
    sales::{imports, transactions},
    slice::{FOUNDATION, Measures, Slice, VerifyCheck},
    work::Work,
};
use actix_web::{App, web::Data};
use std::sync::LazyLock;
use utoipa::{OpenApi, openapi::tag::TagBuilder};
use utoipa_actix_web::{AppExt, service_config::ServiceConfig};

/// The id of the partner in examples; the demo has a partner with this id.
pub const EXAMPLE_PARTNER: &str = "01936f2e-4b00-7000-8000-000000000001";

/// Every slice, in the order of the contract.
pub const SLICES: &[Slice] = &[
    FOUNDATION,
    sessions::SLICE,
    password_resets::SLICE,
    second_factors::SLICE,
    users::SLICE,
    api_clients::SLICE,
    partners::SLICE,
    setup::SLICE,
    agreements::SLICE,
    competencies::SLICE,
    programs::SLICE,
    eligibility::SLICE,
    transactions::SLICE,
    imports::SLICE,
    profiles::SLICE,
    enrollments::SLICE,
    admission::SLICE,
    calculation::SLICE,
    statements::SLICE,
    closing::SLICE,
    accounting::SLICE,
    adjustments::SLICE,
    forfeitures::SLICE,
    withholding::SLICE,
    payer_accounts::SLICE,
    coop_claims::SLICE,
    coop_proofs::SLICE,
    coop_plans::SLICE,
    coop_audits::SLICE,
    half_years::SLICE,
    payment_runs::SLICE,
    payments::SLICE,
    sealed_files::SLICE,
    payment_files::SLICE,
    bank_reports::SLICE,
    disputes::SLICE,
    jobs::SLICE,
    notifications::SLICE,
    audit::SLICE,
    health::SLICE,
    verify::SLICE,
];

/// Every documented problem code.
#[must_use]
pub fn problem_codes() -> Vec<&'static Code> {
    SLICES.iter().flat_map(|slice| slice.codes.iter().copied().flatten().copied()).collect()
}

/// The checks of all slices, for `verify`.
pub fn checks() -> impl Iterator<Item = &'static VerifyCheck> {
    SLICES.iter().flat_map(|slice| slice.checks)
}

fn routes(config: &mut ServiceConfig<'_>) {
    for slice in SLICES {
        (slice.routes)(config);
    }
}

fn install(tx: &mut Tx<'_>) -> Result<()> {
    SLICES.iter().filter_map(|slice| slice.install).try_for_each(|install| install(tx))
}

fn works() -> impl Iterator<Item = Work> {
    SLICES.iter().flat_map(|slice| slice.work).copied()
}

/// The columns in which slices keep secrets.
pub fn sealed() -> impl Iterator<Item = SealedColumn> {
    SLICES.iter().flat_map(|slice| slice.sealed).copied()
}

fn measures() -> Vec<Measures> {
    SLICES.iter().filter_map(|slice| slice.measures).collect()
}

fn hooks() -> Hooks {
    Hooks {
        sealed: sealed().collect(),
        follow_ups: SLICES.iter().filter_map(|slice| slice.follow_up).collect(),
        sweeps: SLICES.iter().filter_map(|slice| slice.sweep).collect(),
        references: SLICES.iter().filter_map(|slice| slice.refers_to_partner).collect(),
        product_families: SLICES.iter().filter_map(|slice| slice.product_families).collect(),
        expected_payments: SLICES.iter().filter_map(|slice| slice.expected_payments).collect(),
        open_claims: SLICES.iter().filter_map(|slice| slice.open_claims).collect(),
    }
}

/// The contract: the OpenAPI document with its validators. Built once; needs no database.
pub fn contract() -> Data<Contract> {
    static CONTRACT: LazyLock<Data<Contract>> = LazyLock::new(|| Data::new(Contract::new(document())));
    CONTRACT.clone()
}

/// The OpenAPI document, built from the handlers.
#[must_use]
pub fn document() -> serde_json::Value {
    let (_, collected) =
        App::new().into_utoipa_app().openapi(Base::openapi()).configure(routes).split_for_parts();
    let document = serde_json::to_value(collected).unwrap_or_default();
    let admission = |operation: &str| {
        let rule = policy::rule_of(operation)?;
        let roles = rule.roles.iter().map(|role| role.as_str()).collect();
        Some(Admission { roles, scope: rule.scope, without_scope: rule.without_scope })
    };
    let path_key = |path: &str| {
        let partner = PathKey { schema: "PartnerKey", example: EXAMPLE_PARTNER };
        path.starts_with("/v1/partners/{id}").then_some(partner)
    };
    http::finish(document, &Finishing { admission: &admission, path_key: &path_key })
}

/// The part of the document beside the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Partner Incentives",
        description = "Runs a vendor's partner incentive programme: partners sign agreements, earn competencies, \
            become eligible, enroll, and earn rebates and co-op funds.\n\n\
            **Start here**: execute `login` (below, under *auth*); the page is then authorised. Read \
            `GET /v1/partners`, then `GET /v1/partners/{id}/eligibility`.\n\n\
            Money is a decimal text with exactly its currency's digits, never a number. Lists are walked with \
            `next_cursor`. A change names the revision it was made from in `If-Match`. A `POST` with an \
            `Idempotency-Key` is safe to repeat. Errors are problem documents (RFC 9457); their `type` is a page \
            that explains them, all of them are listed at `/problems`. What people read is in the language that \
            `Accept-Language` prefers, English or Japanese, else in that of the caller's account; `Content-Language` \
            names it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(name = "Partner Incentives", url = "https://example.org/partner-incentives")
    ),
    servers((url = "/", description = "This service, local or in production.")),
    components(schemas(http::Problem, crate::platform::FieldErrorView<'static>, Currency, Country, PartnerKey)),
    modifiers(&Schemes, &Tags)
)]
struct Base;

struct Schemes;

impl utoipa::Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{
            ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes, SecurityScheme,
        };
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "An access token of `POST /v1/auth/login`: a JWT after RFC 9068, checked as RFC8725 asks.",
            ))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.security_schemes.insert("bearer".into(), SecurityScheme::Http(scheme).into());
        let scopes = policy::scopes().into_iter().map(|scope| match scope.split_once(':') {
            Some((area, "read")) => (scope.to_owned(), format!("Reads {area}.")),
            Some((area, _)) => (scope.to_owned(), format!("Writes {area}.")),
            None => (scope.to_owned(), String::new()),
        });
        let flow =
            Flow::ClientCredentials(ClientCredentials::new("/v1/auth/token", scopes.collect::<Scopes>()));
        let clients =
            OAuth2::with_description([flow], "API clients: a token for some scopes (RFC 6749, 4.4).");
        components.security_schemes.insert("oauth2".into(), SecurityScheme::OAuth2(clients).into());
    }
}

struct Tags;

impl utoipa::Modify for Tags {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let tag = |slice: &Slice| {
            let tag = slice.tag?;
            Some(TagBuilder::new().name(tag.name).description(Some(tag.description)).build())
        };
        openapi.tags = Some(SLICES.iter().filter_map(tag).collect());
    }
}
