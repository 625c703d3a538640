//! Health and metrics over HTTP.

use crate::{
    access::Public,
    config::DatabaseKind,
    platform::{Error, Result, codes, http::Closing},
};
use actix_web::{HttpResponse, Responder, get, web};
use prometheus::{Encoder, Registry, TextEncoder};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_liveness).service(get_readiness).service(get_metrics);
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
        return Err(Error::new(&codes::UNAVAILABLE, "the service is about to stop"));
    }
    let database = public.readiness()?;
    Ok(HttpResponse::Ok().json(Readiness { status: "up", database }))
}

/// Metrics
///
/// Counts and durations of requests by route, method and status, in the text format of Prometheus.
#[utoipa::path(
    tag = "service",
    responses((status = 200, description = "The metrics.", content_type = "text/plain", body = String, example = "# HELP"))
)]
#[get("/metrics")]
async fn get_metrics(registry: web::Data<Registry>) -> Result<impl Responder> {
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text).map_err(Error::internal)?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
