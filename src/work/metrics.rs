//! The metrics of background work for Prometheus, by the name of the job.

use super::{End, JobName};
use crate::platform::{Error, Result};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use std::time::Duration;

/// The upper bounds of the histogram's buckets, in seconds: a sealing takes milliseconds, a daily refresh minutes.
const SECONDS: &[f64] = &[0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0, 300.0, 1800.0];

#[derive(Clone)]
pub(super) struct Metrics {
    runs: IntCounterVec,
    failures: IntCounterVec,
    duration: HistogramVec,
}

impl Metrics {
    pub(super) fn open(registry: &Registry) -> Result<Self> {
        let counter = |name: &str, help: &str| {
            let counter = IntCounterVec::new(Opts::new(name, help).namespace("partner_incentives"), &["job"]);
            let counter = counter.map_err(Error::internal)?;
            registry.register(Box::new(counter.clone())).map_err(Error::internal)?;
            Ok::<_, Error>(counter)
        };
        let durations = HistogramOpts::new(
            "job_duration_seconds",
            "How long runs of background work by the engine of this instance took",
        )
        .namespace("partner_incentives")
        .buckets(SECONDS.to_vec());
        let duration = HistogramVec::new(durations, &["job"]).map_err(Error::internal)?;
        registry.register(Box::new(duration.clone())).map_err(Error::internal)?;
        Ok(Self {
            runs: counter(
                "job_runs_total",
                "Runs of background work by the engine of this instance; a file that is imported over HTTP is a request, and counts there",
            )?,
            failures: counter(
                "job_failures_total",
                "Runs of background work by the engine of this instance that failed or met trouble",
            )?,
            duration,
        })
    }

    /// Counts a run, its duration and its failure.
    pub(super) fn note(&self, name: JobName, result: &Result<End>, took: Duration) {
        let label = &[name.as_str()];
        self.runs.with_label_values(label).inc();
        self.duration.with_label_values(label).observe(took.as_secs_f64());
        if matches!(result, Err(_) | Ok(End::Troubled(_))) {
            self.failures.with_label_values(label).inc();
        }
    }
}
