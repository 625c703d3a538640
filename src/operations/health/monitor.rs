//! The numbers that monitors watch beside requests: what waits, what failed, what is in use.
//!
//! The numbers of the records are gathered when somebody asks, by few statements, and kept for some seconds: however
//! many ask, the database is asked once. Where the database does not answer, the gauge `database_up` says so, and the
//! numbers of the records are left out.

use crate::{
    access::AppState,
    platform::{
        Error, Result,
        http::{NAMESPACE, RequestMetrics},
    },
    slice::{Measure, Measures},
};
use prometheus::{Encoder, IntGauge, Opts, Registry, TextEncoder};
use std::{
    sync::{Mutex, PoisonError, TryLockError},
    time::{Duration, Instant},
};

/// How long gathered numbers are shown.
const KEPT: Duration = Duration::from_secs(5);

/// Gathers the numbers.
pub struct Monitor {
    app: AppState,
    /// The counters of requests and of background work.
    registry: Registry,
    measures: Vec<Measures>,
    /// Held by whoever gathers.
    gathering: Mutex<()>,
    gathered: Mutex<Option<Gathered>>,
}

/// The numbers of the records at one instant; none of a database that did not answer.
#[derive(Clone)]
struct Gathered {
    at: Instant,
    measures: Option<Vec<Measure>>,
}

impl Gathered {
    fn is_recent(&self) -> bool {
        self.at.elapsed() < KEPT
    }
}

impl Monitor {
    /// A monitor of an application and of the slices' numbers; `registry` holds what is counted all the time.
    #[must_use]
    pub fn new(app: AppState, registry: Registry, measures: Vec<Measures>) -> Self {
        Self { app, registry, measures, gathering: Mutex::default(), gathered: Mutex::default() }
    }

    /// The metrics of requests, which the registry shows.
    pub fn requests(&self) -> Result<RequestMetrics> {
        RequestMetrics::open(&self.registry)
    }

    /// Everything there is to show, in the text format of Prometheus, where the numbers of the records are recent;
    /// none where they have to be gathered.
    pub fn recent(&self) -> Option<Result<String>> {
        self.kept().filter(Gathered::is_recent).map(|gathered| self.shown(&gathered))
    }

    /// Everything there is to show, in the text format of Prometheus. May ask the database, and waits for its answer.
    pub fn show(&self) -> Result<String> {
        let gathering = match self.gathering.try_lock() {
            Ok(gathering) => gathering,
            // While another caller asks the database, the numbers of before do.
            Err(TryLockError::WouldBlock) => match self.kept() {
                Some(kept) => return self.shown(&kept),
                None => self.gathering.lock().unwrap_or_else(PoisonError::into_inner),
            },
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        };
        let gathered = self.kept().filter(Gathered::is_recent).unwrap_or_else(|| self.gather());
        drop(gathering);
        self.shown(&gathered)
    }

    fn kept(&self) -> Option<Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn gather(&self) -> Gathered {
        let found = self.app.query_as_system(|tx| {
            self.measures.iter().try_fold(Vec::new(), |mut all, measures| {
                all.extend(measures(tx)?);
                Ok(all)
            })
        });
        let measures = found.inspect_err(|error| log::warn!("metrics without records: {error}")).ok();
        let gathered = Gathered { at: Instant::now(), measures };
        *self.gathered.lock().unwrap_or_else(PoisonError::into_inner) = Some(gathered.clone());
        gathered
    }

    fn shown(&self, gathered: &Gathered) -> Result<String> {
        let gauges = Registry::new();
        for Measure { name, help, value } in
            self.own(gathered).iter().chain(gathered.measures.iter().flatten())
        {
            let gauge = IntGauge::with_opts(Opts::new(*name, *help).namespace(NAMESPACE));
            let gauge = gauge.map_err(Error::internal)?;
            gauge.set(*value);
            gauges.register(Box::new(gauge)).map_err(Error::internal)?;
        }
        let mut families = self.registry.gather();
        families.extend(gauges.gather());
        let mut text = Vec::new();
        TextEncoder::new().encode(&families, &mut text).map_err(Error::internal)?;
        String::from_utf8(text).map_err(Error::internal)
    }

    /// The numbers of this instance, for which nobody has to be asked.
    fn own(&self, gathered: &Gathered) -> Vec<Measure> {
        let load = self.app.load();
        let mut own = vec![
            Measure::of(
                "database_up",
                "1 where the database answered when it was last asked, else 0",
                gathered.measures.is_some().into(),
            ),
            Measure::of(
                "database_connections_in_use",
                "Connections to the database that work now",
                load.in_use.into(),
            ),
            Measure::of(
                "database_connections",
                "Connections to the database that are open",
                load.open.into(),
            ),
            Measure::of("database_connections_most", "DATABASE_CONNECTIONS", load.most.into()),
        ];
        if let Some(queued) = load.queued {
            let help = "Units that wait for SQLite's one writer";
            own.push(Measure::of(
                "sqlite_write_queue_length",
                help,
                i64::try_from(queued).unwrap_or(i64::MAX),
            ));
        }
        own
    }
}
