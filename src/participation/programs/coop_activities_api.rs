//! The activities of program versions over HTTP.

use super::{
    Program, ProgramKey, ProgramVersion,
    coop_activity::{CoopActivity, CoopActivityName, CoopLimit, CoopMetric, WantedProof},
    store,
};
use crate::{
    access::{Caller, policy::ListCoopActivities},
    platform::{
        Result,
        http::{Answer, Query},
        values::{CalendarDate, Locale},
    },
};
use actix_web::get;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The route of the activities.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_coop_activities);
}

/// Which activities to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CoopActivityFilter {
    /// Of this program: its code or its id.
    pub program: Option<ProgramKey>,
    /// Of the versions in effect on this day; left out, today.
    pub on: Option<CalendarDate>,
}

/// A marketing activity that a program version pays.
#[derive(Serialize, ToSchema)]
struct ListedCoopActivity {
    /// The code of the program.
    #[schema(max_length = 64, examples("csp-direct-bill"))]
    program: String,
    /// The number of the version.
    #[schema(minimum = 1, maximum = 2_147_483_647, examples(1))]
    version: i32,
    /// The code of the activity.
    #[schema(max_length = 64, examples("customer-seminar"))]
    code: String,
    /// The name in the language of the answer.
    #[schema(max_length = 200, examples("Customer seminar"))]
    title: String,
    /// The name in each language.
    name: CoopActivityName,
    /// The most that is paid; null where only the fund is the limit.
    limit: Option<CoopLimit>,
    /// The proofs that are wanted beside the invoice of each expense.
    #[schema(max_items = 10)]
    proofs: Vec<WantedProof>,
    /// The number that is asked for; null where there is none.
    metric: Option<CoopMetric>,
}

/// The activities, by program and in the order of the versions.
#[derive(Serialize, ToSchema)]
struct CoopActivities {
    /// The activities.
    #[schema(max_items = 10_000)]
    items: Vec<ListedCoopActivity>,
}

/// List the activities that co-op pays
///
/// The catalogue of each program version in effect on a day: what may be claimed, its limit, and the proofs that are wanted.
#[utoipa::path(tag = "coop", params(CoopActivityFilter), responses((status = 200, body = CoopActivities)))]
#[get("/v1/coop-activities")]
async fn list_coop_activities(
    caller: Caller<ListCoopActivities>,
    Query(filter): Query<CoopActivityFilter>,
) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let (language, on) = (tx.language, filter.on.unwrap_or(tx.today()));
            let program = filter.program.as_ref().map(|key| store::find(tx, key)).transpose()?;
            let mut found = store::in_effect(tx, on)?;
            found.retain(|one| program.as_ref().is_none_or(|program| program.id == one.program.id));
            found.sort_by(|one, other| one.program.code.cmp(&other.program.code));
            let items = found.iter().flat_map(|one| listed(&one.program, &one.version, language)).collect();
            Ok(Answer::ok(&CoopActivities { items }))
        })
        .await
}

fn listed<'a>(
    program: &'a Program,
    version: &'a ProgramVersion,
    language: Locale,
) -> impl Iterator<Item = ListedCoopActivity> + use<'a> {
    let shown = move |activity: &CoopActivity| ListedCoopActivity {
        program: program.code.clone(),
        version: version.version,
        code: activity.code.clone(),
        title: activity.name.in_language(language).to_owned(),
        name: activity.name.clone(),
        limit: activity.limit.clone(),
        proofs: activity.proofs.clone(),
        metric: activity.metric,
    };
    version.coop_activities.0.iter().map(shown)
}
