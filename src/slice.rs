//! What a slice hands over to the composition root: one declaration, `SLICE` in its `mod.rs`.

use crate::{
    access::{self, FollowUp, RefersToPartner, Sweep, Tx},
    platform::{Code, Result, codes},
    work::{End, JobName, Schedule, Work},
};
use utoipa_actix_web::service_config::ServiceConfig;

/// A slice, as the service knows it.
pub struct Slice {
    /// The floor and the name, as in `network::partners`.
    pub name: &'static str,
    /// Adds its operations; the contract has them in this order.
    pub routes: fn(&mut ServiceConfig<'_>),
    /// The tag of its operations; none where they stand under another slice's.
    pub tag: Option<Tag>,
    /// The problem codes it answers with.
    pub codes: &'static [&'static [&'static Code]],
    /// Its background work.
    pub work: &'static [Work],
    /// Adds what a new database needs to be useful at once.
    pub install: Option<fn(&mut Tx<'_>) -> Result<()>>,
    /// Refuses settings the slice cannot work with, before the service listens.
    pub settings: Option<fn(&access::AppState) -> Result<()>>,
    /// Removes rows whose time is over.
    pub sweep: Option<Sweep>,
    /// What `verify` checks of its records.
    pub checks: &'static [Check],
    /// Whether a record of its own refers to a partner.
    pub refers_to_partner: Option<RefersToPartner>,
    /// What rests on facts about partners that have changed.
    pub follow_up: Option<FollowUp>,
}

impl Slice {
    /// A slice that adds nothing yet.
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
            sweep: None,
            checks: &[],
            refers_to_partner: None,
            follow_up: None,
        }
    }
}

/// A group of operations in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its name.
    pub name: &'static str,
    /// What its operations are about, for people.
    pub description: &'static str,
}

/// One check of `verify`, in one snapshot of the database.
#[derive(Clone, Copy)]
pub struct Check {
    /// The name people know the check by.
    pub name: &'static str,
    /// Looks at the records. `noted` is the head of the audit chain as an earlier run printed it.
    pub run: fn(&mut Tx<'_>, noted: Option<&str>) -> Result<Finding>,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// In order; with what is worth noting.
    Sound(String),
    /// Not what the service wrote; the first difference.
    Broken(String),
}

/// What every slice stands on: the modules below this one declare themselves here.
pub const FOUNDATION: Slice = Slice {
    codes: &[codes::CODES, access::CODES],
    work: &[Work {
        name: JobName::ExpirySweep,
        schedule: |_| Schedule::Every(600),
        queue: None,
        run: |turn| turn.app().sweep().map(|_| End::Done),
    }],
    sweep: Some(access::sweep_idempotency_keys),
    ..Slice::named("foundation")
};
