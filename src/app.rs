//! The composition root: the only list of slices, and how they are served.

mod cors;
mod directory;

use crate::{
    access::{self, AppState, Subject, Terms, Tx, policy},
    audit,
    config::Settings,
    earnings::{calculation, statements},
    identity::{api_clients, second_factors, sessions, setup, users},
    ledger::{accounting, adjustments},
    network::{agreements, competencies, partners, profiles},
    notifications,
    operations::{health, jobs},
    participation::{admission, eligibility, enrollments, programs},
    platform::{
        Code, Error, Result, codes,
        db::Db,
        http::{self, BodyLimits, Closing, Contract, Edge, Finishing, Guard, TrustedProxies, docs},
        values::{Country, Currency, Id},
    },
    sales::{imports, transactions},
};
use actix_web::{
    App, HttpServer,
    dev::Server,
    middleware::{Condition, from_fn},
    web::{self, Data},
};
use actix_web_prom::PrometheusMetricsBuilder;
use std::{
    net::TcpListener,
    sync::{Arc, LazyLock},
    time::Duration,
};
use utoipa::OpenApi;
use utoipa_actix_web::{AppExt, service_config::ServiceConfig};

/// How often what has expired is removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);

/// How often somebody looks whether an import was left behind by a crash.
const CLEAR_UP_INTERVAL: Duration = Duration::from_secs(5);

/// How often audit events are sealed.
const SEAL_INTERVAL: Duration = Duration::from_secs(1);
/// How often a runner looks whether a job is asked for or its time has come; one small statement.
const JOBS_INTERVAL: Duration = Duration::from_secs(1);

/// The partner that examples speak of; the demo has it.
pub const EXAMPLE_PARTNER: &str = "01936f2e-4b00-7000-8000-000000000001";

/// Every slice that answers requests, in the order of the document.
fn routes(config: &mut ServiceConfig<'_>) {
    sessions::api::routes(config);
    second_factors::api::routes(config);
    sessions::token_api::routes(config);
    sessions::me_api::routes(config);
    sessions::permissions_api::routes(config);
    users::api::routes(config);
    api_clients::api::routes(config);
    partners::api::routes(config);
    setup::api::routes(config);
    agreements::api::routes(config);
    competencies::api::routes(config);
    programs::api::routes(config);
    eligibility::api::routes(config);
    eligibility::simulation_api::routes(config);
    transactions::api::routes(config);
    imports::api::routes(config);
    profiles::api::routes(config);
    enrollments::api::routes(config);
    admission::api::routes(config);
    calculation::earnings_api::routes(config);
    calculation::ineligible_api::routes(config);
    calculation::simulation_api::routes(config);
    calculation::runs_api::routes(config);
    statements::api::routes(config);
    accounting::rebates_api::routes(config);
    accounting::months_api::routes(config);
    accounting::fx_rates_api::routes(config);
    adjustments::api::routes(config);
    jobs::api::routes(config);
    notifications::api::routes(config);
    audit::api::routes(config);
    health::api::routes(config);
    config
        .service(docs::get_openapi)
        .service(docs::get_openapi_yaml)
        .service(docs::list_problems)
        .service(docs::get_problem)
        .service(docs::get_security_contact);
}

/// Every documented problem code.
#[must_use]
pub fn problem_codes() -> Vec<&'static Code> {
    [
        codes::CODES,
        access::CODES,
        users::CODES,
        second_factors::CODES,
        sessions::CODES,
        partners::CODES,
        setup::CODES,
        agreements::CODES,
        competencies::CODES,
        programs::CODES,
        transactions::CODES,
        imports::CODES,
        admission::CODES,
        accounting::CODES,
        accounting::fx_rates::CODES,
        adjustments::CODES,
        calculation::CODES,
        calculation::runs_api::CODES,
        jobs::CODES,
    ]
    .concat()
}

/// What a new database needs to be useful at once: the competency catalogue and the founding programs.
fn install(tx: &mut Tx<'_>) -> Result<()> {
    competencies::install(tx)?;
    programs::install(tx)
}

/// The running service. Cheap to clone; every clone is the same one.
#[derive(Clone)]
pub struct Service {
    /// The settings it was opened with.
    pub settings: Settings,
    /// The application state.
    pub app: AppState,
    /// The database.
    pub db: Db,
    /// Whether it is about to stop.
    pub closing: Closing,
}

impl Service {
    /// Opens the database, brings its schema up to date, and installs what a new one needs.
    pub fn open(settings: Settings) -> Result<Self> {
        let target = &settings.database_url;
        if target.is_remote() && !cfg!(feature = "pg-tls") && !settings.allow_plaintext_database {
            return Err(Error::internal(
                "DATABASE_URL names a remote server and this build has no TLS: build with --features pg-tls, \
                 or set ALLOW_PLAINTEXT_DATABASE=true where the network is trusted",
            ));
        }
        let migrated = Db::migrate(target)?;
        if migrated > 0 {
            log::info!("the database {target} was brought up to date by {migrated} migrations");
        }
        let db = Db::open(target, settings.database_connections)?;
        let moment = (settings.clock.clone(), settings.ids.clone());
        let terms = Terms {
            limits: settings.limits(),
            accounts: settings.accounts(),
            vault: settings.vault()?,
            trust: settings.trust(),
            mail: settings.mail()?,
            directory: directory::DIRECTORY,
            settle: calculation::follow_up,
            sweep: sessions::sweep,
        };
        let app = AppState::open(db.clone(), moment, terms)?;
        app.write_unless(audit::has_begun, install)?;
        sessions::keys::rotate_if_due(&app, settings.key_rotation_days)?;
        Ok(Self { settings, app, db, closing: Closing::default() })
    }

    /// An access token for a user, without a password: for tests and the benchmark.
    pub fn token_for(&self, user: Id) -> Result<String> {
        let standing = self.app.read_as_system(|tx| users::standing(tx, user))?;
        let subject = Subject::User { id: user, session: None };
        self.app.tokens().issue(subject, standing.role, standing.token_epoch)
    }

    /// What works on jobs here.
    #[must_use]
    pub fn runner(&self) -> jobs::Runner {
        let holder = self.settings.ids.next(self.settings.clock.now());
        jobs::Runner::new(self.app.clone(), holder, self.settings.daily_refresh_at, self.closing.clone())
    }

    /// Seals the last audit events, finishes what is queued and folds SQLite's log into its file.
    pub fn close(&self) {
        if let Err(error) = audit::seal(&self.db) {
            log::warn!("the last audit events could not be sealed: {error}");
        }
        self.db.close();
    }
}

/// The contract: the OpenAPI document and what is checked with it. Built once; needs no database.
pub fn contract() -> Data<Contract> {
    static CONTRACT: LazyLock<Data<Contract>> = LazyLock::new(|| Data::new(Contract::new(document())));
    CONTRACT.clone()
}

/// The OpenAPI document as the handlers make it.
#[must_use]
pub fn document() -> serde_json::Value {
    let (_, collected) =
        App::new().into_utoipa_app().openapi(Base::openapi()).configure(routes).split_for_parts();
    let document = serde_json::to_value(collected).unwrap_or_default();
    let guard = |operation: &str| {
        let rule = policy::rule_of(operation)?;
        let roles = rule.roles.iter().map(|role| role.as_str()).collect();
        Some(Guard { roles, scope: rule.scope, without_scope: rule.without_scope })
    };
    let example_id = |path: &str| path.starts_with("/v1/partners/{id}").then_some(EXAMPLE_PARTNER);
    http::finish(document, &Finishing { guard: &guard, example_id: &example_id })
}

/// Serves requests on a listener until its handle is told to stop.
pub fn listen(service: Service, listener: TcpListener) -> std::io::Result<Server> {
    let settings = service.settings.clone();
    let metrics = PrometheusMetricsBuilder::new("partner_incentives")
        .mask_unmatched_patterns("unmatched")
        .build()
        .map_err(std::io::Error::other)?;
    let edge = Data::new(Edge {
        ids: settings.ids.clone(),
        clock: settings.clock.clone(),
        https: settings.behind_https,
        closing: service.closing.clone(),
    });
    let app = Data::new(service.app.clone());
    let registry = Data::new(metrics.registry.clone());
    let closing = Data::new(service.closing.clone());
    let security = Data::new(docs::SecurityContact {
        address: settings.security_contact.clone(),
        expires: settings.clock.now().plus_seconds(180 * 24 * 3600),
    });
    let daily = Data::new(settings.daily_refresh_at);
    let catalogue = Data::new(docs::ProblemCatalogue(problem_codes()));
    let contract = contract();
    let limits = BodyLimits {
        deadline: Duration::from_secs(settings.body_seconds),
        upload_bytes: settings.import_bytes,
    };
    let proxies = TrustedProxies::of(&settings.trusted_proxies);
    let origins = Arc::new(settings.allowed_origins.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(contract.clone())
            .app_data(edge.clone())
            .app_data(app.clone())
            .app_data(registry.clone())
            .app_data(closing.clone())
            .app_data(catalogue.clone())
            .app_data(security.clone())
            .app_data(daily.clone())
            .app_data(limits)
            .app_data(proxies.clone())
            .app_data(web::PayloadConfig::new(1024 * 1024))
            .app_data(web::PathConfig::default().error_handler(|_, _| Error::not_found("record").into()))
            .into_utoipa_app()
            .configure(routes)
            .map(|app| {
                app.route("/", web::get().to(|| async { web::Redirect::to("/docs/") }))
                    .configure(docs::swagger_ui)
                    .default_service(web::to(http::no_such_address))
                    .wrap(metrics.clone())
                    .wrap(Condition::new(!origins.is_empty(), cors::allow(&origins)))
                    .wrap(from_fn(http::edge))
            })
            .into_app()
    });
    let server = match settings.workers {
        0 => server,
        workers => server.workers(usize::from(workers)),
    };
    let post = notifications::post::Post::open(&service.app).map_err(std::io::Error::other)?;
    actix_web::rt::spawn(notifications::post::run(service.app.clone(), post));
    let runner = service.runner();
    actix_web::rt::spawn(repeat("work on jobs", JOBS_INTERVAL, move || runner.tick().map(drop)));
    let (app, db) = (service.app.clone(), service.db.clone());
    let (keys, days) = (app.clone(), settings.key_rotation_days);
    let rotate = move || sessions::keys::rotate_if_due(&keys, days);
    actix_web::rt::spawn(repeat("replacing the signing key", SWEEP_INTERVAL, rotate));
    let left = app.clone();
    let clear_up = move || imports::recover(&left);
    actix_web::rt::spawn(repeat("clearing up after an import", CLEAR_UP_INTERVAL, clear_up));
    actix_web::rt::spawn(repeat("removing what has expired", SWEEP_INTERVAL, move || app.sweep().map(drop)));
    actix_web::rt::spawn(repeat("sealing audit events", SEAL_INTERVAL, move || audit::seal(&db).map(drop)));
    Ok(server
        .worker_max_blocking_threads(16)
        .client_request_timeout(Duration::from_secs(5))
        .client_disconnect_timeout(Duration::from_secs(1))
        .keep_alive(Duration::from_secs(75))
        .tcp_nodelay(true)
        .shutdown_timeout(30)
        .disable_signals()
        .listen(listener)?
        .run())
}

/// Does something from time to time, off the request threads. What fails is told, and tried again the next time.
async fn repeat<F>(what: &'static str, interval: Duration, work: F)
where
    F: Fn() -> Result<()> + Clone + Send + 'static,
{
    loop {
        tokio::time::sleep(interval).await;
        match web::block(work.clone()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("{what} failed: {error}"),
            Err(error) => log::warn!("{what} failed: {error}"),
        }
    }
}

/// What the document says beside the operations.
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
            that explains them, all of them are listed at `/problems`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(name = "Partner Incentives", url = "https://example.org/partner-incentives")
    ),
    servers((url = "/", description = "This service, local or in production.")),
    components(schemas(http::Problem, crate::platform::FieldError, Currency, Country)),
    tags(
        (name = "auth", description = "Signing in, and one's own account."),
        (name = "users", description = "Who may sign in, as what, and for which partner."),
        (name = "api-clients", description = "The machines that may call the service, and what each may do."),
        (name = "partners", description = "Who sells, enrolls and is paid; and headquarters, which group locations."),
        (name = "programs", description = "What partners enroll in, and what each version of it asks and gives."),
        (name = "eligibility", description = "Whether a partner meets what a program asks, on any day, and why."),
        (name = "transactions", description = "What partners sold, and what of it was taken back."),
        (name = "profiles", description = "Where a partner's money goes, and how it is taxed."),
        (name = "enrollments", description = "A partner's part in a program for a program year."),
        (name = "earnings", description = "What sales earned, what did not, and the calculation that says so."),
        (name = "statements", description = "Where a partner stands, and its statement of each month."),
        (name = "rebates", description = "What is owed, and the accounting months it is posted in."),
        (name = "notifications", description = "What the service tells a partner's incentive admins."),
        (name = "agreements", description = "The papers a partner signs: MPN, distributor and reseller agreements."),
        (name = "competencies", description = "The catalogue of competencies, and what each partner has attained of it."),
        (name = "jobs", description = "Work that runs by the clock, and how far it has come."),
        (name = "audit", description = "Who did what, when and why."),
        (name = "service", description = "Health, metrics, this document, the problem pages."),
    ),
    modifiers(&Schemes)
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
