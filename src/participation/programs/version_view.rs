//! A version as it is sent, and what is sent to write one.

use super::{
    CoopActivity, Lever, ProgramVersion, ProgramVersionState, Requirement, Rounding, shipped_activities,
    versions::{NewVersion, USUAL_FAST_TRACK},
};
use crate::{
    network::partners::Transition,
    platform::{
        http::page_of,
        values::{CalendarDate, Id, Money, Rate, Timestamp},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a program asks and gives in one program year, or part of it. Published ones are never changed.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgramVersion)]
pub struct ProgramVersionView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The program.
    program_id: Id,
    /// Counts the program's versions, from 1; addresses name a version by it.
    #[schema(minimum = 1, maximum = 2_147_483_647, examples(1))]
    version: i32,
    /// The program year, July to June, named by the calendar year it ends in.
    #[schema(minimum = 1901, maximum = 9999, examples(2027))]
    program_year: i32,
    /// The first day it is in effect.
    effective_from: CalendarDate,
    /// The last day it is in effect.
    effective_to: CalendarDate,
    /// What it asks of a partner.
    #[schema(min_items = 1, max_items = 20)]
    requirements: Vec<Requirement>,
    /// The ways to earn.
    #[schema(min_items = 1, max_items = 20)]
    levers: Vec<Lever>,
    /// How an earning is split.
    split: EarningSplit,
    /// The least that is paid; less is carried forward.
    payment_threshold: Money,
    /// The least co-op of a half-year that stays co-op; less becomes rebate.
    coop_threshold: Money,
    /// How many days an invitation stands.
    #[schema(minimum = 1, maximum = 365, examples(30))]
    invitation_days: i32,
    /// How earnings are rounded to the currency's minor unit.
    rounding: Rounding,
    /// The marketing activities that co-op pays.
    #[schema(min_items = 1, max_items = 50)]
    coop_activities: Vec<CoopActivity>,
    /// The most that one reviewer decides alone of a co-op claim without a risk; more takes two.
    fast_track_amount: Money,
    /// Draft or published.
    state: ProgramVersionState,
    /// When it was published; null for a draft.
    published_at: Option<Timestamp>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 5, examples(json!(["publication"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// How an earning is split into rebate and co-op.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"rebate_rate": "0.6"}))]
pub struct EarningSplit {
    /// The part that is rebate; the rest is co-op.
    rebate_rate: Rate,
}

impl From<ProgramVersion> for ProgramVersionView {
    fn from(version: ProgramVersion) -> Self {
        let open = if version.is_published() { Vec::new() } else { vec![Transition("publication")] };
        let (payment_threshold, coop_threshold) = (version.payment_threshold(), version.coop_threshold());
        let fast_track_amount = version.fast_track_amount();
        Self {
            id: version.id,
            program_id: version.program_id,
            version: version.version,
            program_year: version.program_year,
            effective_from: version.effective_from,
            effective_to: version.effective_to,
            requirements: version.requirements.0,
            levers: version.levers.0,
            split: EarningSplit { rebate_rate: version.rebate_rate },
            payment_threshold,
            coop_threshold,
            invitation_days: version.invitation_days,
            rounding: version.rounding,
            coop_activities: version.coop_activities.0,
            fast_track_amount,
            state: version.state,
            published_at: version.published_at,
            allowed_transitions: open,
            created_at: version.created_at,
            updated_at: version.updated_at,
            revision: version.revision,
        }
    }
}

page_of!(
    /// One page of a program's versions.
    pub ProgramVersionPage of ProgramVersionView
);

/// A version to write; it is a draft until it is published.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "program_year": 2032,
    "requirements": [
        {"rule": "partner_active"}, {"rule": "partner_type"}, {"rule": "mpn_agreement"},
        {"rule": "reseller_agreement"},
        {"rule": "competency", "min_count": 1, "min_level": "silver", "any_of": ["cloud-platform", "cloud-productivity"]}
    ],
    "levers": [
        {"type": "core", "code": "core", "name": "Core rate", "scale": {"type": "flat", "rate": "0.08"}},
        {
            "type": "accelerator", "code": "strategic", "name": "Strategic products",
            "scale": {"type": "marginal", "period": "half_year", "tiers": [
                {"from": {"amount": "0.00", "currency": "USD"}, "rate": "0.02"},
                {"from": {"amount": "50000.00", "currency": "USD"}, "rate": "0.04"}
            ]},
            "applies_to": {"product_families": ["azure"]},
            "cap": {"scope": "customer", "amount": {"amount": "4000.00", "currency": "USD"}}
        }
    ],
    "split": {"rebate_rate": "0.6"},
    "payment_threshold": {"amount": "200.00", "currency": "USD"},
    "coop_threshold": {"amount": "10000.00", "currency": "USD"}
}))]
pub struct ProgramVersionCreate {
    /// The program year, July to June, named by the calendar year it ends in.
    #[schema(minimum = 1901, maximum = 9999)]
    program_year: i32,
    /// The first day it is in effect; the year's first where left out.
    #[serde(default)]
    effective_from: Option<CalendarDate>,
    /// The last day it is in effect; the year's last where left out.
    #[serde(default)]
    effective_to: Option<CalendarDate>,
    /// What it asks of a partner.
    #[schema(min_items = 1, max_items = 20)]
    requirements: Vec<Requirement>,
    /// The ways to earn.
    #[schema(min_items = 1, max_items = 20)]
    levers: Vec<Lever>,
    /// How an earning is split.
    split: EarningSplit,
    /// The least that is paid.
    payment_threshold: Money,
    /// The least co-op of a half-year that stays co-op, in the same currency.
    coop_threshold: Money,
    /// How many days an invitation stands.
    #[serde(default = "month")]
    #[schema(minimum = 1, maximum = 365, default = 30)]
    invitation_days: i32,
    /// How earnings are rounded.
    #[serde(default)]
    rounding: Rounding,
    /// The marketing activities that co-op pays; left out, those that the service ships.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 50, nullable = false)]
    coop_activities: Option<Vec<CoopActivity>>,
    /// The most that one reviewer decides alone of a co-op claim, in the same currency; left out, 100,000 minor units.
    #[serde(default)]
    #[schema(nullable = false)]
    fast_track_amount: Option<Money>,
}

const fn month() -> i32 {
    30
}

/// A change of a draft: the members given replace those on record, lists as a whole.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"invitation_days": 45, "split": {"rebate_rate": "0.7"}}))]
pub struct ProgramVersionUpdate {
    /// The program year, July to June, named by the calendar year it ends in.
    #[schema(minimum = 1901, maximum = 9999, nullable = false)]
    program_year: Option<i32>,
    /// The first day it is in effect.
    #[schema(nullable = false)]
    effective_from: Option<CalendarDate>,
    /// The last day it is in effect.
    #[schema(nullable = false)]
    effective_to: Option<CalendarDate>,
    /// What it asks of a partner.
    #[schema(min_items = 1, max_items = 20, nullable = false)]
    requirements: Option<Vec<Requirement>>,
    /// The ways to earn.
    #[schema(min_items = 1, max_items = 20, nullable = false)]
    levers: Option<Vec<Lever>>,
    /// How an earning is split.
    #[schema(nullable = false)]
    split: Option<EarningSplit>,
    /// The least that is paid.
    #[schema(nullable = false)]
    payment_threshold: Option<Money>,
    /// The least co-op of a half-year that stays co-op, in the same currency.
    #[schema(nullable = false)]
    coop_threshold: Option<Money>,
    /// How many days an invitation stands.
    #[schema(minimum = 1, maximum = 365, nullable = false)]
    invitation_days: Option<i32>,
    /// How earnings are rounded.
    #[schema(nullable = false)]
    rounding: Option<Rounding>,
    /// The marketing activities that co-op pays.
    #[schema(min_items = 1, max_items = 50, nullable = false)]
    coop_activities: Option<Vec<CoopActivity>>,
    /// The most that one reviewer decides alone of a co-op claim, in the same currency.
    #[schema(nullable = false)]
    fast_track_amount: Option<Money>,
}

/// A word on why a version is published.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Approved by the incentive board"}))]
pub struct ProgramVersionPublication {
    /// In your own words, for the audit trail.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    pub(super) reason: Option<String>,
}

impl From<ProgramVersionCreate> for NewVersion {
    fn from(new: ProgramVersionCreate) -> Self {
        let usual = || Money { minor: USUAL_FAST_TRACK, ..new.payment_threshold };
        Self {
            program_year: new.program_year,
            effective_from: new.effective_from,
            effective_to: new.effective_to,
            requirements: new.requirements,
            levers: new.levers,
            rebate_rate: new.split.rebate_rate,
            payment_threshold: new.payment_threshold,
            coop_threshold: new.coop_threshold,
            invitation_days: new.invitation_days,
            rounding: new.rounding,
            coop_activities: new.coop_activities.unwrap_or_else(shipped_activities),
            fast_track_amount: new.fast_track_amount.unwrap_or_else(usual),
        }
    }
}

impl ProgramVersionUpdate {
    pub(super) fn applied_to(&self, version: NewVersion) -> NewVersion {
        let change = self.clone();
        NewVersion {
            program_year: change.program_year.unwrap_or(version.program_year),
            effective_from: change.effective_from.or(version.effective_from),
            effective_to: change.effective_to.or(version.effective_to),
            requirements: change.requirements.unwrap_or(version.requirements),
            levers: change.levers.unwrap_or(version.levers),
            rebate_rate: change.split.map_or(version.rebate_rate, |split| split.rebate_rate),
            payment_threshold: change.payment_threshold.unwrap_or(version.payment_threshold),
            coop_threshold: change.coop_threshold.unwrap_or(version.coop_threshold),
            invitation_days: change.invitation_days.unwrap_or(version.invitation_days),
            rounding: change.rounding.unwrap_or(version.rounding),
            coop_activities: change.coop_activities.unwrap_or(version.coop_activities),
            fast_track_amount: change.fast_track_amount.unwrap_or(version.fast_track_amount),
        }
    }
}
