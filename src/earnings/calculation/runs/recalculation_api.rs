//! Recalculation over HTTP: everything on record of a partner computed again, shown first, then posted where it differs.

use super::{
    proof::{self, PostedDifference},
    run,
    runs_api::{RunView, begun},
};
use crate::{
    access::{
        Caller, PartnerKey,
        policy::{PreviewRecalculation, RecalculatePartner},
    },
    network::partners,
    platform::{
        Result,
        http::{Answer, Body, Path},
        values::{Id, Money, Month, Timestamp},
    },
};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of recalculation.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(preview_recalculation).service(recalculate_partner);
}

/// What is posted for a lever and month differs from what everything on record gives.
#[derive(Serialize, ToSchema)]
struct RecalculationDifference {
    /// The enrollment.
    enrollment_id: Id,
    /// The code of the lever.
    #[schema(max_length = 64, examples("core"))]
    lever: String,
    /// The month the amounts apply to.
    earned_in: Month,
    /// What would be posted; negative where more is posted than everything on record gives. Null where no amount differs but
    /// what the month passes on to later ones.
    missing: Option<Money>,
    /// Ineligible records that would be made or would cease to stand.
    #[schema(minimum = 0, maximum = 1_000_000_000_i64)]
    records: usize,
}

/// What a recalculation would change.
#[derive(Serialize, ToSchema)]
struct RecalculationPreview {
    /// The partner.
    partner_id: Id,
    /// The differences, a hundred at most; empty where the books are right.
    #[schema(max_items = 1000)]
    differences: Vec<RecalculationDifference>,
    /// When they were computed.
    as_of: Timestamp,
}

/// Why a partner is computed again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "verify found a difference"}))]
struct Recalculation {
    /// In your own words, for the audit trail.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: String,
}

impl From<PostedDifference> for RecalculationDifference {
    fn from(difference: PostedDifference) -> Self {
        let PostedDifference { enrollment_id, lever, earned_in, missing, records } = difference;
        Self { enrollment_id, lever, earned_in, missing, records }
    }
}

/// Preview a recalculation
///
/// Computes the partner's enrollment years again from everything on record, and shows by how much what is posted differs. Sales
/// that wait for the calculation count as differences too. It reads only.
#[utoipa::path(tag = "earnings", responses((status = 200, body = RecalculationPreview)))]
#[get("/v1/partners/{id}/recalculation")]
async fn preview_recalculation(caller: Caller<PreviewRecalculation>, id: Path<PartnerKey>) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let partner_id = id.id(tx)?;
            let found = proof::differences(tx, Some(partner_id))?;
            let differences = found.into_iter().map(RecalculationDifference::from).collect();
            Ok(Answer::ok(&RecalculationPreview { partner_id, differences, as_of: tx.now }))
        })
        .await
}

/// Recalculate a partner
///
/// Starts a run that computes the partner's enrollment years again from everything on record and posts the differences, in the
/// open month where their month is closed. Where the books are right nothing is posted. `Location` tells the run's progress;
/// while a run over others is at work, this one is refused (`run_at_work`).
#[utoipa::path(tag = "earnings", request_body = Recalculation, responses((status = 202, body = RunView)))]
#[post("/v1/partners/{id}/recalculation")]
async fn recalculate_partner(
    caller: Caller<RecalculatePartner>,
    id: Path<PartnerKey>,
    body: Body<Recalculation>,
) -> Result<Answer> {
    let app = caller.app().clone();
    let answer = caller
        .write(body, move |tx, asked| {
            let id = id.id(tx)?;
            partners::get(tx, id)?;
            let run = run::recalculate(tx, id, &asked.reason)?;
            begun(run, Some(id))
        })
        .await?;
    app.wake();
    Ok(answer)
}
