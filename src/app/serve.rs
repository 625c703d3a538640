//! Opening the service, and serving requests.

use super::{
    SLICES, contract, cors, directory::DIRECTORY, hooks, install, measures, problem_codes, routes, sealed,
    works,
};
use crate::{
    access::{AppState, Parts, Public, TokenSubject},
    audit,
    config::{DatabaseKind, Settings, web_address_of},
    identity::users,
    operations::health::{Monitor, api::MetricsDoor, api::metrics_alone},
    platform::{
        Error, Result,
        db::Db,
        http::{self, BodyLimits, Closing, Door, Edge, Line, PublicAddress, TrustedProxies, docs},
        objects::Objects,
        values::Id,
    },
    work::Engine,
};
use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    middleware::{Condition, from_fn},
    web::{self, Data},
};
use prometheus::Registry;
use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinHandle;
use utoipa_actix_web::AppExt;

/// The running service. Cheap to clone; every clone is the same service.
#[derive(Clone)]
pub struct Service {
    /// The settings the service was opened with.
    pub settings: Settings,
    /// The application state.
    pub app: AppState,
    /// The database.
    pub db: Db,
    /// The flag that the service is about to stop.
    pub closing: Closing,
}

impl Service {
    /// Opens the database, brings the schema up to date, and installs the first records of a new database. A database that
    /// must not be opened is refused before anything is written.
    pub fn open(settings: Settings) -> Result<Self> {
        let target = &settings.database_url;
        refuse_plaintext(&settings)?;
        let mail = settings.mail()?;
        let asked = settings.database_kind;
        settings.with_vault(|known| {
            Db::look(target, |conn| AppState::look(conn, known, sealed(), asked, audit::has_begun))
        })?;
        let vault = settings.vault_of_new_database()?;
        let objects = Objects::open(&settings.proof_store())?;
        let migrated = Db::migrate(target)?;
        if migrated > 0 {
            log::info!("the database {target} was brought up to date by {migrated} migrations");
        }
        let db = Db::open(target, settings.database_connections)?;
        let parts = Parts {
            clock: settings.clock.clone(),
            ids: settings.ids.clone(),
            limits: settings.limits(),
            pace: settings.pace(),
            accounts: settings.accounts(),
            vault,
            objects,
            trust: settings.trust(),
            mail,
            directory: DIRECTORY,
            schedules: settings.schedules(),
            hooks: hooks(),
            contract: || contract().into_inner(),
        };
        let app = AppState::open(db.clone(), parts)?;
        app.write_unless(asked, audit::has_begun, install)?;
        let sealed = app.seal_what_is_clear()?;
        if sealed > 0 {
            log::info!("{sealed} secrets that the database kept in the clear were sealed");
        }
        let closing = app.closing().clone();
        Ok(Self { settings, app, db, closing })
    }

    /// Refuses to serve a sandbox to other machines: everybody knows its passwords.
    pub fn refuse_to_listen(&self, address: SocketAddr) -> Result<()> {
        if self.app.kind()? == DatabaseKind::Sandbox && !address.ip().is_loopback() {
            return Err(Error::internal(format!(
                "LISTEN: {address} is reached from other machines, and {} is a sandbox, whose passwords everybody knows: \
                 listen on 127.0.0.1, or name a database of production",
                self.db.target()
            )));
        }
        Ok(())
    }

    /// An access token for a user, without a password: for tests and the benchmark.
    pub fn token_for(&self, user: Id) -> Result<String> {
        let access = self.app.read_as_system(|tx| users::access_of(tx, user))?;
        let subject = TokenSubject::User { id: user, session: None, locale: access.locale };
        self.app.tokens().issue(subject, access.role, access.token_epoch)
    }

    /// An engine of background work for commands and tests; a server has its own engine. `registry` takes the metrics.
    pub fn engine(&self, registry: &Registry) -> Result<Engine> {
        Engine::new(self.app.clone(), works(), registry)
    }

    /// Seals the last audit events, finishes the queued units and copies SQLite's write-ahead log into its file.
    pub fn close(&self) {
        if let Err(error) = audit::seal(&self.app) {
            log::warn!("the last audit events could not be sealed: {error}");
        }
        self.db.close();
    }
}

/// Refuses a database to which rows would cross a network in plain text.
pub(super) fn refuse_plaintext(settings: &Settings) -> Result<()> {
    let target = &settings.database_url;
    if settings.allow_plaintext_database || !target.is_remote() {
        return Ok(());
    }
    let fault = if !cfg!(feature = "pg-tls") {
        "names a remote server and this build has no TLS: build with --features pg-tls"
    } else if !target.insists_on_tls() {
        "names a remote server, and nothing says that the connection must be encrypted: add ?sslmode=verify-full"
    } else {
        return Ok(());
    };
    Err(Error::internal(format!(
        "DATABASE_URL, with PGHOST, PGHOSTADDR and PGSERVICE where they are set, {fault}, or set \
         ALLOW_PLAINTEXT_DATABASE=true where the network is trusted"
    )))
}

/// The time between two looks at the keys that sign access tokens.
const KEYS: Duration = Duration::from_secs(5);
/// The time from shutting the door to the end of listening: those who were let in before are accepted.
const DOORSTEP: Duration = Duration::from_millis(300);

/// A running server with its background work.
pub struct Serving {
    server: Server,
    /// The listener of the metrics, where they have their own.
    metrics: Option<ServerHandle>,
    background: JoinHandle<()>,
    keys: JoinHandle<()>,
    app: AppState,
    door: Door,
}

/// Stops a server so that no request is lost.
pub struct Stopper {
    handle: ServerHandle,
    closing: Closing,
    door: Door,
}

impl Stopper {
    /// Turns readiness to 503, listens on for the time of `drain`, answers everybody who was accepted, and ends.
    pub async fn stop(self, drain: Duration) {
        self.closing.begin();
        tokio::time::sleep(drain).await;
        if let Err(error) = self.door.shut() {
            log::warn!("connections that are being opened may be reset: {error}");
        }
        tokio::time::sleep(DOORSTEP).await;
        self.handle.stop(true).await;
    }
}

impl Serving {
    /// The handle that stops the server.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// What stops the server so that no request is lost.
    pub fn stopper(&self) -> std::io::Result<Stopper> {
        let (handle, closing) = (self.server.handle(), self.app.closing().clone());
        Ok(Stopper { handle, closing, door: self.door.try_clone()? })
    }

    /// Serves until the handle stops the server, and then until running background work has ended its current step.
    pub async fn until_stopped(self) -> std::io::Result<()> {
        let served = self.server.await;
        self.app.closing().begin();
        self.app.wake();
        self.keys.abort();
        if let Some(metrics) = self.metrics {
            metrics.stop(true).await;
        }
        self.background.await.map_err(std::io::Error::other)?;
        served
    }
}

/// Serves requests on a listener, and runs background work, until the handle stops the server.
pub fn listen(service: Service, listener: TcpListener) -> std::io::Result<Serving> {
    let app = service.app.clone();
    service.refuse_to_listen(listener.local_addr()?).map_err(std::io::Error::other)?;
    for check in SLICES.iter().filter_map(|slice| slice.settings) {
        check(&app).map_err(std::io::Error::other)?;
    }
    http::allow_many_files();
    let door = Door::of(&listener)?;
    let registry = Registry::new();
    let engine = service.engine(&registry).map_err(std::io::Error::other)?;
    let monitor = Arc::new(Monitor::new(app.clone(), registry, measures()));
    let settings = &service.settings;
    let edge = Data::new(Edge {
        ids: settings.ids.clone(),
        clock: settings.clock.clone(),
        https: settings.behind_https,
        closing: service.closing.clone(),
        metrics: monitor.requests().map_err(std::io::Error::other)?,
    });
    let metrics =
        settings.metrics_listen.map(|address| serve_metrics(address, &edge, &monitor)).transpose()?;
    let metrics_door = if metrics.is_some() { MetricsDoor::Elsewhere } else { MetricsDoor::Open(monitor) };
    let server = serve(&service, &edge, metrics_door, engine.clone(), listener)?;
    let keys = actix_web::rt::spawn(learn_keys(app.clone()));
    Ok(Serving { server, metrics, background: actix_web::rt::spawn(engine.run()), keys, app, door })
}

/// Loads the keys that sign access tokens again and again: no request waits for a key.
async fn learn_keys(app: AppState) {
    loop {
        tokio::time::sleep(KEYS).await;
        let app = app.clone();
        match web::block(move || app.refresh_keys()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::debug!("the signing keys are not loaded again: {error}"),
            Err(error) => log::debug!("the signing keys are not loaded again: {error}"),
        }
    }
}

/// Serves the metrics, and nothing else, at an address of their own; the handle ends that.
fn serve_metrics(
    address: SocketAddr,
    edge: &Data<Edge>,
    monitor: &Arc<Monitor>,
) -> std::io::Result<ServerHandle> {
    let named =
        |error| std::io::Error::other(format!("METRICS_LISTEN: {address} cannot be listened on: {error}"));
    let listener = TcpListener::bind(address).map_err(named)?;
    let (edge, door) = (edge.clone(), Data::new(MetricsDoor::Open(Arc::clone(monitor))));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(edge.clone())
            .app_data(door.clone())
            .configure(metrics_alone)
            .default_service(web::to(http::no_such_address))
            .wrap(from_fn(http::faults))
            .wrap(from_fn(http::edge))
    });
    let server = server.workers(1).disable_signals().listen(listener)?.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    Ok(handle)
}

fn serve(
    service: &Service,
    edge: &Data<Edge>,
    door: MetricsDoor,
    engine: Engine,
    listener: TcpListener,
) -> std::io::Result<Server> {
    let settings = service.settings.clone();
    let (edge, door) = (edge.clone(), Data::new(door));
    let app = Data::new(service.app.clone());
    let engine = Data::new(engine);
    let closing = Data::new(service.closing.clone());
    let security = Data::new(docs::SecurityContact {
        address: settings.security_contact.clone(),
        expires: settings.clock.now().plus_seconds(180 * 24 * 3600),
    });
    let catalogue = Data::new(docs::ProblemCatalogue(problem_codes()));
    let contract = contract();
    let limits = BodyLimits {
        deadline: Duration::from_secs(settings.body_seconds),
        pace: settings.pace(),
        upload_bytes: settings.import_bytes,
    };
    let address =
        PublicAddress { told: settings.public_url.clone(), own: web_address_of(listener.local_addr()?) };
    let document = Data::new(docs::ServedDocument::of(&contract, settings.public_url.as_deref()));
    let proxies = TrustedProxies::of(&settings.trusted_proxies);
    let origins = Arc::new(settings.allowed_origins.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(contract.clone())
            .app_data(edge.clone())
            .app_data(app.clone())
            .app_data(engine.clone())
            .app_data(door.clone())
            .app_data(closing.clone())
            .app_data(catalogue.clone())
            .app_data(security.clone())
            .app_data(limits)
            .app_data(proxies.clone())
            .app_data(address.clone())
            .app_data(document.clone())
            .app_data(web::PayloadConfig::new(1024 * 1024))
            .app_data(
                web::PathConfig::default().error_handler(|_, _| Error::not_found("record", "データ").into()),
            )
            .into_utoipa_app()
            .configure(routes)
            .map(|app| {
                app.route("/", web::get().to(|| async { web::Redirect::to("docs/") }))
                    .configure(docs::swagger_ui)
                    .default_service(web::to(|_: Public, request| http::no_such_address(request)))
                    .wrap(from_fn(http::faults))
                    .wrap(Condition::new(!origins.is_empty(), cors::allow(&origins)))
                    .wrap(from_fn(http::edge))
            })
            .into_app()
    });
    let server = match settings.workers {
        0 => server,
        workers => server.workers(usize::from(workers)),
    };
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => usize::from(workers),
    };
    // Threads are left where every connection waits for a server that has stopped answering.
    let connections = usize::try_from(settings.database_connections).unwrap_or(usize::MAX);
    let threads = 16.max(connections.div_ceil(workers) + 8);
    Ok(server
        .on_connect(Line::keep)
        .worker_max_blocking_threads(threads)
        .client_request_timeout(Duration::from_secs(5))
        .client_disconnect_timeout(Duration::from_secs(1))
        .keep_alive(Duration::from_secs(75))
        .tcp_nodelay(true)
        .shutdown_timeout(30)
        .disable_signals()
        .listen(listener)?
        .run())
}
