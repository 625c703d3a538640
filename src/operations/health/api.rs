//! Health and metrics over HTTP.

use super::Monitor;
use crate::{
    access::Public,
    config::DatabaseKind,
    platform::{Error, Result, codes, http::Closing},
    text,
};
use actix_web::{HttpResponse, Responder, get, web};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_liveness).service(get_readiness).service(get_metrics);
}

/// The route of a listener that shows the metrics and nothing else.
pub fn metrics_alone(config: &mut web::ServiceConfig) {
    config.service(get_metrics);
}

/// The health of the service.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `up`; anything else is a problem document.
    #[schema(max_length = 10, examples("up"))]
    status: &'static str,
}

/// The readiness of the service.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    /// `up`; anything else is a problem document.
    #[schema(max_length = 10, examples("up"))]
    status: &'static str,
    /// The kind of the database: whether the records are real.
    database: DatabaseKind,
}

/// Whether the process lives
///
/// Looks at nothing else: a restart would not mend a database that is away.
#[utoipa::path(tag = "service", responses((status = 200, body = Health)))]
#[get("/health/live")]
async fn get_liveness() -> impl Responder {
    HttpResponse::Ok().json(Health { status: "up" })
}

/// Whether the service can answer requests
///
/// 503 while the database does not answer or takes no writes, and while the service is about to stop; `detail` says which.
/// The answer comes at once: the service asks the database in the background, every second.
#[utoipa::path(tag = "service", responses((status = 200, body = Readiness)))]
#[get("/health/ready")]
async fn get_readiness(public: Public, closing: web::Data<Closing>) -> Result<impl Responder> {
    if closing.has_begun() {
        return Err(Error::new(
            &codes::UNAVAILABLE,
            text!("the service is about to stop", "サービスを停止しようとしています。"),
        ));
    }
    let database = public.readiness()?;
    Ok(HttpResponse::Ok().json(Readiness { status: "up", database }))
}

/// Where the metrics are shown, for the app data of a listener.
pub enum MetricsDoor {
    /// At `/metrics` of this listener.
    Open(Arc<Monitor>),
    /// At another address: this listener has no metrics.
    Elsewhere,
}

/// Metrics
///
/// In the text format of Prometheus: counts and durations of requests by route, method and status, runs of background
/// work, what waits, what failed, and what is in use. What is counted in the database is counted anew every five
/// seconds at most; while the database does not answer, `partner_incentives_database_up` is 0 and these are left out.
/// With `METRICS_LISTEN` they are shown at that address alone.
#[utoipa::path(
    tag = "service",
    responses((status = 200, description = "The metrics.", content_type = "text/plain", body = String, example = "# HELP"))
)]
#[get("/metrics")]
async fn get_metrics(door: web::Data<MetricsDoor>) -> Result<impl Responder> {
    let MetricsDoor::Open(monitor) = door.get_ref() else {
        return Err(Error::new(
            &codes::NOT_FOUND,
            text!("the metrics are shown at another address", "メトリクスは別のアドレスで提供しています。"),
        ));
    };
    let text = if let Some(text) = monitor.recent() {
        text?
    } else {
        let monitor = Arc::clone(monitor);
        web::block(move || monitor.show()).await.map_err(Error::unavailable)??
    };
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
