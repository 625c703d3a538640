//! Query parameters, bodies and views of the catalogue and of attainments.

use super::{Attainment, Competency, Level, NewAttainment};
use crate::platform::{
    http::{double_option, faultless, page_of},
    values::{CalendarDate, Id, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

/// A competency of the catalogue.
#[derive(Serialize, ToSchema)]
#[schema(as = Competency, example = json!({
    "id": "01936f2e-4b00-7000-8000-0000000000c1", "code": "cloud-productivity", "name": "Cloud Productivity",
    "retired_on": null, "retired": false, "created_at": "2026-07-01T09:30:00.000000Z",
    "updated_at": "2026-07-01T09:30:00.000000Z", "revision": 1
}))]
pub(super) struct CompetencyView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// Stable lower-case slug; never changes.
    #[schema(max_length = 64)]
    code: String,
    /// Name shown to people.
    #[schema(max_length = 200)]
    name: String,
    /// The first day the competency can no longer be attained; earlier attainments run out on their own.
    retired_on: Option<CalendarDate>,
    /// Whether the competency can no longer be attained today.
    retired: bool,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes.
    #[schema(minimum = 1)]
    revision: i64,
}

impl CompetencyView {
    /// The view on a day.
    pub(super) fn on(day: CalendarDate, competency: Competency) -> Self {
        Self {
            retired: competency.is_retired_on(day),
            id: competency.id,
            code: competency.code,
            name: competency.name,
            retired_on: competency.retired_on,
            created_at: competency.created_at,
            updated_at: competency.updated_at,
            revision: competency.revision,
        }
    }
}

page_of!(
    /// One page of the catalogue.
    pub(super) CompetencyPage of CompetencyView
);

/// A competency to add to the catalogue.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "quantum-computing", "name": "Quantum Computing"}))]
pub(super) struct CompetencyCreate {
    /// Stable lower-case slug, unique for ever.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    pub(super) code: String,
    /// Name shown to people.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
    pub(super) name: String,
    /// The first day the competency can no longer be attained.
    #[serde(default)]
    pub(super) retired_on: Option<CalendarDate>,
}

/// A change of a competency: the members given replace those on record. Its code never changes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"retired_on": "2031-07-01"}))]
#[expect(clippy::option_option, reason = "in a merge patch a null is not an absent member")]
pub(super) struct CompetencyUpdate {
    /// Name shown to people.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", nullable = false)]
    pub(super) name: Option<String>,
    /// The first day the competency can no longer be attained; null brings a retired competency back.
    #[serde(default, deserialize_with = "double_option::deserialize")]
    #[schema(value_type = Option<CalendarDate>)]
    pub(super) retired_on: Option<Option<CalendarDate>>,
}

/// Which competencies to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CompetencyFilter {
    /// Competencies that can no longer be attained today, or competencies that can.
    #[param(example = false)]
    pub(super) retired: Option<bool>,
}

/// In which order to list competencies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) enum CompetencySort {
    /// By code.
    #[default]
    #[serde(rename = "code")]
    Code,
    /// By code, backwards.
    #[serde(rename = "-code")]
    CodeDescending,
    /// Newest record first.
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest record first.
    #[serde(rename = "created_at")]
    Oldest,
}

/// The order of the catalogue.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the parameter; `PageRequest` reads it")]
pub(super) struct CompetencyOrder {
    /// The order; a leading minus turns it round.
    #[param(inline)]
    sort: Option<CompetencySort>,
}

/// A period in which a partner holds a competency.
#[derive(Serialize, ToSchema)]
#[schema(as = Attainment, example = json!({
    "id": "01936f2e-4b00-7000-8000-0000000000d1", "partner_id": "01936f2e-4b00-7000-8000-000000000001",
    "competency_code": "cloud-productivity", "level": "silver", "attained_on": "2026-07-01",
    "expires_on": "2027-06-30", "grace_days": 30, "at_risk_since": null, "revoked_on": null, "counts": true,
    "created_at": "2026-07-01T09:30:00.000000Z", "updated_at": "2026-07-01T09:30:00.000000Z", "revision": 1
}))]
pub(super) struct AttainmentView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The partner that has attained the competency.
    partner_id: Id,
    /// The code of the competency.
    #[schema(max_length = 64)]
    competency_code: String,
    /// The attained level; gold satisfies a requirement of silver.
    level: Level,
    /// The first day the attainment counts.
    attained_on: CalendarDate,
    /// The last regular day.
    expires_on: CalendarDate,
    /// Days after `expires_on` in which the attainment still counts, with a warning.
    #[schema(minimum = 0, maximum = 365)]
    grace_days: i32,
    /// The day from which the renewal is in doubt; the attainment still counts, with a warning.
    at_risk_since: Option<CalendarDate>,
    /// The first day the attainment no longer counts; null unless it was revoked.
    revoked_on: Option<CalendarDate>,
    /// Whether the attainment counts today, grace included.
    counts: bool,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes.
    #[schema(minimum = 1)]
    revision: i64,
}

impl AttainmentView {
    /// The view on a day.
    pub(super) fn on(day: CalendarDate, attainment: Attainment) -> Self {
        Self {
            counts: attainment.counts_on(day),
            id: attainment.id,
            partner_id: attainment.partner_id,
            competency_code: attainment.competency_code,
            level: attainment.level,
            attained_on: attainment.attained_on,
            expires_on: attainment.expires_on,
            grace_days: attainment.grace_days,
            at_risk_since: attainment.at_risk_since,
            revoked_on: attainment.revoked_on,
            created_at: attainment.created_at,
            updated_at: attainment.updated_at,
            revision: attainment.revision,
        }
    }
}

page_of!(
    /// One page of a partner's attainments.
    pub(super) AttainmentPage of AttainmentView
);

/// What a partner has attained in a competency.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[validate(schema(function = in_order))]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"level": "gold", "attained_on": "2031-07-01", "expires_on": "2032-06-30"}))]
pub(super) struct AttainmentUpdate {
    /// The attained level; gold satisfies a requirement of silver.
    level: Level,
    /// The first day the attainment counts.
    attained_on: CalendarDate,
    /// The last regular day.
    expires_on: CalendarDate,
    /// Days after `expires_on` in which the attainment still counts, with a warning: the renewal window.
    #[serde(default = "renewal_window")]
    #[schema(minimum = 0, maximum = 365, default = 30)]
    grace_days: i32,
    /// The day from which the renewal is in doubt; the attainment still counts, with a warning.
    #[serde(default)]
    at_risk_since: Option<CalendarDate>,
}

fn renewal_window() -> i32 {
    30
}

fn in_order(update: &AttainmentUpdate) -> Result<(), ValidationError> {
    faultless(NewAttainment::from(update.clone()).out_of_order())
}

impl From<AttainmentUpdate> for NewAttainment {
    fn from(update: AttainmentUpdate) -> Self {
        Self {
            level: update.level,
            attained_on: update.attained_on,
            expires_on: update.expires_on,
            grace_days: update.grace_days,
            at_risk_since: update.at_risk_since,
        }
    }
}

/// Which attainments to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AttainmentFilter {
    /// At this level.
    #[param(inline)]
    pub(super) level: Option<Level>,
    /// Revoked attainments, or attainments that are not revoked.
    #[param(example = false)]
    pub(super) revoked: Option<bool>,
}

/// Under which condition to act.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "documents the field; `IfMatch` reads it")]
pub(super) struct AttainmentIfMatch {
    /// The `ETag` of the record you read; where it has changed since, nothing is done and the answer is 412.
    #[param(rename = "If-Match", min_length = 1, max_length = 1000, nullable = false)]
    if_match: Option<String>,
}
