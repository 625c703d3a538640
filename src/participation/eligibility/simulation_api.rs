//! Simulations over HTTP: asking about what is not on record.

use super::{EligibilityCheckView, EligibilityOutcome, api::ProgramReference, simulation};
use crate::{
    access::{Caller, PartnerKey, policy::SimulateEligibility},
    network::{
        agreements::Kind,
        competencies::Level,
        partners::{PartnerStatus, PartnerType},
    },
    participation::programs::{ProgramKey, Requirement},
    platform::{
        Result,
        http::{Answer, Body, Problem},
        values::{CalendarDate, Country, Id, Money, Timestamp},
    },
};
use actix_web::post;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice that are about simulations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(simulate_eligibility);
}

/// A question about what is not on record: what if the partner had signed, attained or sold this, and what if the
/// program asked that? Start from a partner on record, or describe one.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "program": "csp-direct-bill",
    "partner_id": "01936f2e-4b00-7000-8000-000000000001",
    "agreements": [{"kind": "reseller", "effective_on": "2018-07-01"}],
    "attainments": [{
        "competency_code": "cloud-platform", "level": "gold", "attained_on": "2018-07-01", "expires_on": "2099-06-30"
    }]
}))]
pub struct EligibilitySimulation {
    /// For which program, by its code or id.
    pub(super) program: ProgramKey,
    /// By which of its versions, a draft included for programme staff; left out, by the one in effect on the day,
    /// else the nearest.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub(super) version: Option<i32>,
    /// By these requirements instead of the version's; operators only. Without `version` they count for the
    /// whole program year of the day.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 20)]
    pub(super) requirements: Option<Vec<Requirement>>,
    /// On which day, past or future; today where left out.
    #[serde(default)]
    pub(super) as_of: Option<CalendarDate>,
    /// The partner to start from, with everything on record about it. Give it, or `partner`.
    #[serde(default)]
    pub(super) partner_id: Option<PartnerKey>,
    /// A partner that is not on record, about which nothing is known but what stands here.
    #[serde(default)]
    pub(super) partner: Option<SupposedPartner>,
    /// Agreements to suppose beside those on record.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub(super) agreements: Vec<SupposedAgreement>,
    /// Attainments to suppose; each stands for the one of the same competency on record.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(super) attainments: Vec<SupposedAttainment>,
    /// Purchases to suppose beside those on record.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(super) purchases: Vec<SupposedPurchase>,
}

/// A partner that is not on record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"partner_type": "direct_bill", "country": "DE"}))]
pub struct SupposedPartner {
    /// Its channel.
    pub(super) partner_type: PartnerType,
    /// Where it is registered.
    pub(super) country: Country,
    /// Where it stands.
    #[serde(default = "active")]
    #[schema(default = "active")]
    pub(super) status: PartnerStatus,
}

const fn active() -> PartnerStatus {
    PartnerStatus::Active
}

/// An agreement to suppose.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "mpn", "effective_on": "2018-07-01", "expires_on": "2019-06-30"}))]
pub struct SupposedAgreement {
    /// The kind of the agreement, which must fit the partner's type.
    pub(super) kind: Kind,
    /// The first day it counts.
    pub(super) effective_on: CalendarDate,
    /// The last regular day; open where left out.
    #[serde(default)]
    pub(super) expires_on: Option<CalendarDate>,
    /// Days after `expires_on` in which it still counts; 30 for an MPN agreement, none for the others.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 365)]
    pub(super) grace_days: Option<i32>,
    /// Whether a distributor agreement carries the distributor authorization.
    #[serde(default)]
    #[schema(default = false)]
    pub(super) distributor_authorization: bool,
}

/// An attainment to suppose.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "competency_code": "cloud-platform", "level": "silver", "attained_on": "2018-07-01", "expires_on": "2019-06-30"
}))]
pub struct SupposedAttainment {
    /// The competency of the catalogue.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    pub(super) competency_code: String,
    /// At which level.
    pub(super) level: Level,
    /// The first day it counts.
    pub(super) attained_on: CalendarDate,
    /// The last regular day.
    pub(super) expires_on: CalendarDate,
    /// Days after `expires_on` in which it still counts.
    #[serde(default = "month")]
    #[schema(minimum = 0, maximum = 365, default = 30)]
    pub(super) grace_days: i32,
}

const fn month() -> i32 {
    30
}

/// A purchase to suppose; nothing of it is taken back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"occurred_on": "2018-11-20", "amount": {"amount": "1500.00", "currency": "USD"}}))]
pub struct SupposedPurchase {
    /// The day it counts on.
    pub(super) occurred_on: CalendarDate,
    /// What was bought for; more than nothing.
    pub(super) amount: Money,
}

/// Whether the partner would be eligible, and why. Nothing of it is on record.
#[derive(Serialize, ToSchema)]
pub struct SimulatedVerdict {
    /// Always true: this is no statement about what is on record.
    #[schema(examples(true))]
    pub(super) simulated: bool,
    /// The partner it started from; null for a hypothetical one.
    pub(super) partner_id: Option<Id>,
    /// The program.
    pub(super) program: ProgramReference,
    /// The version it was judged by; null where the requirements were sent without one.
    #[schema(minimum = 1, maximum = 2_147_483_647, examples(1))]
    pub(super) version: Option<i32>,
    /// The day asked about.
    pub(super) as_of: CalendarDate,
    /// When it was computed.
    pub(super) evaluated_at: Timestamp,
    /// Eligible where nothing is unmet.
    pub(super) outcome: EligibilityOutcome,
    /// The first day it would no longer be eligible if nothing changed.
    pub(super) eligible_until: Option<CalendarDate>,
    /// Every rule's check; a hypothetical record is no evidence.
    #[schema(max_items = 22)]
    pub(super) checks: Vec<EligibilityCheckView>,
}

/// Simulate eligibility
///
/// The same judgement as `GET /v1/partners/{id}/eligibility`, about facts that are not on record, a draft version, or
/// requirements nobody has written down yet. It reads only: nothing is stored, however often it is sent.
#[utoipa::path(
    tag = "eligibility",
    request_body = EligibilitySimulation,
    responses(
        (status = 200, body = SimulatedVerdict),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "The partner, program or version does not exist, or lies outside what the caller may see."
        )
    )
)]
#[post("/v1/eligibility/simulations")]
async fn simulate_eligibility(
    caller: Caller<SimulateEligibility>,
    body: Body<EligibilitySimulation>,
) -> Result<Answer> {
    caller.snapshot(move |tx| simulation::simulate(tx, body.value).map(|verdict| Answer::ok(&verdict))).await
}
