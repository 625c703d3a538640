//! The metrics of requests for Prometheus: every request that reaches the service, by its route, method and status as
//! the client sees them.

use crate::platform::{Error, Result};
use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::ServiceResponse,
    http::StatusCode,
    web::Bytes,
};
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

/// The service's name before the names of metrics.
pub const NAMESPACE: &str = "partner_incentives";
/// The route of requests for addresses that the service does not have.
const UNMATCHED: &str = "unmatched";
const LABELS: &[&str] = &["endpoint", "method", "status"];

/// The metrics of requests. Cheap to clone.
#[derive(Clone)]
pub struct RequestMetrics {
    requests: IntCounterVec,
    duration: HistogramVec,
}

impl RequestMetrics {
    /// Metrics that `registry` shows.
    pub fn open(registry: &Registry) -> Result<Self> {
        let requests = Opts::new(
            "http_requests_total",
            "Requests that were answered, refusals and preflights among them",
        );
        let durations = HistogramOpts::new(
            "http_requests_duration_seconds",
            "Seconds from a request's head to the last byte of its answer",
        );
        let requests = IntCounterVec::new(requests.namespace(NAMESPACE), LABELS).map_err(Error::internal)?;
        let duration = HistogramVec::new(durations.namespace(NAMESPACE), LABELS).map_err(Error::internal)?;
        registry.register(Box::new(requests.clone())).map_err(Error::internal)?;
        registry.register(Box::new(duration.clone())).map_err(Error::internal)?;
        Ok(Self { requests, duration })
    }

    /// Counts a request now, and its duration when the answer has been sent or given up.
    pub(super) fn note(
        &self,
        response: ServiceResponse<BoxBody>,
        method: &str,
        started: Instant,
    ) -> ServiceResponse<BoxBody> {
        let route = response.request().match_pattern();
        let duration = self.count(route.as_deref(), method, response.status());
        response.map_body(|_, body| BoxBody::new(Timed { body, started, duration }))
    }

    /// Counts a request whose handler was lost in a panic.
    pub(super) fn note_lost(&self, route: Option<&str>, method: &str, status: StatusCode, started: Instant) {
        self.count(route, method, status).observe(started.elapsed().as_secs_f64());
    }

    fn count(&self, route: Option<&str>, method: &str, status: StatusCode) -> Histogram {
        let labels = [route.unwrap_or(UNMATCHED), method, status.as_str()];
        self.requests.with_label_values(&labels).inc();
        self.duration.with_label_values(&labels)
    }
}

/// A body whose end is the end of its request.
struct Timed {
    body: BoxBody,
    started: Instant,
    duration: Histogram,
}

impl Drop for Timed {
    fn drop(&mut self) {
        self.duration.observe(self.started.elapsed().as_secs_f64());
    }
}

impl MessageBody for Timed {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
