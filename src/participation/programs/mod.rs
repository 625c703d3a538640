//! Programs and their yearly, immutable versions: requirements, levers and money terms as data.
//!
//! A program is what partners enroll in; a version is what it asks and gives in one program year. A version is
//! written as a draft and published once; published ones of a program never share a day, so that at most one is
//! in effect on any day, and whoever refers to a version may rely on what it says.

pub mod api;
mod business_days;
pub mod coop_activities_api;
mod coop_activity;
mod coop_catalogue;
mod lever;
mod lever_faults;
mod lever_filter;
mod lever_scale;
mod model;
mod requirement;
pub mod rule_sets;
mod service;
mod store;
mod version_api;
pub mod version_view;
mod versions;

use crate::slice::{Slice, Tag};
pub use business_days::business_days_after;
pub use coop_activity::{
    CoopActivity, CoopActivityName, CoopLimit, CoopMetric, CoopProofKind, WantedProof, validate_activities,
};
pub use coop_catalogue::shipped_activities;
pub use lever::{CapScope, GrowthBaseline, Lever, LeverCap, LeverGrain, Method};
pub use lever_faults::validate_levers;
pub use lever_filter::{CustomerFilter, LeverFilter};
pub use lever_scale::{LeverScale, LeverTier, TierPeriod, Tiers};
pub use model::{
    Offer, PaymentTerms, Program, ProgramCode, ProgramInEffect, ProgramKey, ProgramPeriod, ProgramStatus,
    ProgramVersion, ProgramVersionState, Rounding, program_year, program_year_of,
};
pub use requirement::{Requirement, competency_codes, validate_requirements};
pub use service::{CODES, NewProgram, create, discontinue, has_no_version, install, update, version_for};
pub use store::{
    all, codes_of, find, get, get_version, in_effect, keep, nearest_version, offer_of, offers, offers_of,
    published_versions, version_in_effect, versions_of_year,
};
pub(crate) use store::{id_of_code, join_program, join_version};
pub use versions::{NewVersion, create_version, founding_version, publish, requirement_faults};

/// What the composition root needs of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        api::routes(config);
        coop_activities_api::routes(config);
    },
    tag: Some(Tag {
        name: "programs",
        description: "What partners enroll in, and what each version of it asks and gives.",
    }),
    codes: &[CODES],
    install: Some(install),
    product_families: Some(store::product_families),
    ..Slice::named("participation::programs")
};
