//! The declaration of a slice, `SLICE` in its `mod.rs`, from which the composition root builds the service.

use crate::{
    access::{
        self, ExpectedPayments, FollowUp, OpenClaims, ProductFamilies, RefersToPartner, SealedColumn, Sweep,
        Tx,
    },
    platform::{Code, Result, codes},
    work::{End, JobName, Schedule, Work},
};
use utoipa_actix_web::service_config::ServiceConfig;

/// Everything the service needs to know of a slice.
pub struct Slice {
    /// The floor and the name, as in `network::partners`.
    pub name: &'static str,
    /// Adds the slice's operations; the contract lists the operations in this order.
    pub routes: fn(&mut ServiceConfig<'_>),
    /// The tag of the slice's operations; none where the operations stand under another slice's tag.
    pub tag: Option<Tag>,
    /// The problem codes of the slice's answers.
    pub codes: &'static [&'static [&'static Code]],
    /// The slice's background work.
    pub work: &'static [Work],
    /// Adds the first records of a new database, such as catalogues.
    pub install: Option<fn(&mut Tx<'_>) -> Result<()>>,
    /// Refuses settings the slice cannot work with, before the service listens.
    pub settings: Option<fn(&access::AppState) -> Result<()>>,
    /// The columns in which the slice keeps secrets.
    pub sealed: &'static [SealedColumn],
    /// Removes rows that have expired.
    pub sweep: Option<Sweep>,
    /// The checks of the slice's records that `verify` runs.
    pub checks: &'static [VerifyCheck],
    /// The numbers of the slice's records that monitors watch, gathered when somebody asks for metrics.
    pub measures: Option<Measures>,
    /// Whether a record of the slice refers to a partner.
    pub refers_to_partner: Option<RefersToPartner>,
    /// Brings the slice's records up to date after facts about partners have changed.
    pub follow_up: Option<FollowUp>,
    /// The product families that the slice's records name.
    pub product_families: Option<ProductFamilies>,
    /// The payments that a partner can expect.
    pub expected_payments: Option<ExpectedPayments>,
    /// The co-op claims of a partner that are under way.
    pub open_claims: Option<OpenClaims>,
}

impl Slice {
    /// A slice with a name and nothing else.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self {
            name,
            routes: |_| (),
            tag: None,
            codes: &[],
            work: &[],
            install: None,
            settings: None,
            sealed: &[],
            sweep: None,
            checks: &[],
            measures: None,
            refers_to_partner: None,
            follow_up: None,
            product_families: None,
            expected_payments: None,
            open_claims: None,
        }
    }
}

/// A group of operations in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The name of the tag.
    pub name: &'static str,
    /// The subject of the operations, for readers of the contract.
    pub description: &'static str,
}

/// Gathers the numbers of a slice's records that monitors watch, by few statements.
pub type Measures = fn(&mut Tx<'_>) -> Result<Vec<Measure>>;

/// A number that monitors watch: a gauge of the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The name of the gauge, without the name of the service.
    pub name: &'static str,
    /// What the number counts.
    pub help: &'static str,
    /// The number now.
    pub value: i64,
}

impl Measure {
    /// A number of now.
    #[must_use]
    pub const fn of(name: &'static str, help: &'static str, value: i64) -> Self {
        Self { name, help, value }
    }
}

/// One check of `verify`, run in one snapshot of the database.
#[derive(Clone, Copy)]
pub struct VerifyCheck {
    /// The name people know the check by.
    pub name: &'static str,
    /// Checks the records. `noted` is the head of the audit chain that an earlier run printed.
    pub run: fn(&mut Tx<'_>, noted: Option<&str>) -> Result<VerifyFinding>,
}

/// The result of a check of `verify`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyFinding {
    /// The records are as the service wrote them; with a summary for the operator.
    Sound(String),
    /// The records differ from those the service wrote; the first difference.
    Broken(String),
}

/// The declaration of the modules that are no slices and stand below all of them.
pub const FOUNDATION: Slice = Slice {
    codes: &[codes::CODES, access::CODES],
    work: &[Work {
        name: JobName::ExpirySweep,
        schedule: |_| Schedule::Every(600),
        queue: None,
        run: |turn| turn.app().sweep().map(|_| End::Done),
    }],
    sealed: &[access::keys::SEALED],
    sweep: Some(access::sweep_idempotency_keys),
    checks: &[VerifyCheck {
        name: "database kind",
        run: |tx, _| Ok(VerifyFinding::Sound(tx.kind()?.to_string())),
    }],
    ..Slice::named("foundation")
};
