//! Set-up over HTTP.

use super::{Missing, SetupState, SetupStatus, model::Remedy, service};
use crate::{
    access::{
        Caller, PartnerKey,
        policy::{CompletePartnerSetup, GetPartnerSetup, SendUserList},
    },
    network::partners::Transition,
    platform::{
        Result,
        http::{Answer, Path},
        values::{Id, Timestamp},
    },
};
use actix_web::{get, post};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_partner_setup).service(send_user_list).service(complete_partner_setup);
}

/// How far a partner's set-up has come.
#[derive(Serialize, ToSchema)]
#[schema(as = PartnerSetup)]
pub struct PartnerSetupView {
    /// Whose.
    partner_id: Id,
    /// Where it stands; completed is for good.
    state: SetupState,
    /// The headquarters whose completed set-up counts for this location; null where none does.
    covered_by: Option<Id>,
    /// When the list of users was sent last; null before.
    list_sent_at: Option<Timestamp>,
    /// When it was completed; null before.
    completed_at: Option<Timestamp>,
    /// By which incentive admin; null before.
    completed_by: Option<Id>,
    /// What stands between the partner's people and its incentive data, in the order in which it is best mended;
    /// empty once the data is visible.
    #[schema(max_items = 4)]
    missing: Vec<MissingStep>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 2, examples(json!(["notification"])))]
    allowed_transitions: Vec<Transition>,
    /// Counts changes; 0 where it has not started.
    #[schema(minimum = 0)]
    revision: i64,
}

/// Something that is missing, and where it is mended.
#[derive(Serialize, ToSchema)]
pub struct MissingStep {
    /// Stable kind of what is missing.
    code: Missing,
    /// What it is and how to mend it.
    #[schema(
        max_length = 200,
        examples("The incentive admins have not been sent the list of users: POST it")
    )]
    message: &'static str,
    /// The address where that is done.
    #[schema(
        max_length = 200,
        examples("/v1/partners/01936f2e-4b00-7000-8000-000000000001/setup/notification")
    )]
    link: String,
}

impl From<SetupStatus> for PartnerSetupView {
    fn from(status: SetupStatus) -> Self {
        let (state, partner_id) = (status.state(), status.partner.id);
        let step = |code: Missing| {
            let Remedy { message, link } = code.remedy(partner_id);
            MissingStep { code, message, link }
        };
        let setup = status.setup.as_ref();
        Self {
            partner_id,
            state,
            covered_by: status.covered_by,
            list_sent_at: setup.map(|setup| setup.list_sent_at),
            completed_at: setup.and_then(|setup| setup.completed_at),
            completed_by: setup.and_then(|setup| setup.completed_by),
            missing: status.missing.into_iter().map(step).collect(),
            allowed_transitions: state.allowed().into_iter().map(Transition).collect(),
            revision: setup.map_or(0, |setup| setup.revision),
        }
    }
}

/// Read how far a partner's set-up has come
///
/// Until the set-up of a partner, or of its headquarters, is completed, its people and API clients are refused its
/// incentive data with `setup_incomplete`. What is missing rests on the partner's users too, so there is no `ETag`.
#[utoipa::path(tag = "partners", responses((status = 200, body = PartnerSetupView)))]
#[get("/v1/partners/{id}/setup")]
async fn get_partner_setup(caller: Caller<GetPartnerSetup>, id: Path<PartnerKey>) -> Result<Answer> {
    caller
        .snapshot(move |tx| {
            let id = id.id(tx)?;
            service::status(tx, id).map(record)
        })
        .await
}

/// Send the list of users
///
/// Mails the partner's incentive admins who of its people, and of its locations' people, may use the service. It can
/// be repeated until the set-up is completed.
#[utoipa::path(tag = "partners", responses((status = 200, body = PartnerSetupView)))]
#[post("/v1/partners/{id}/setup/notification")]
async fn send_user_list(caller: Caller<SendUserList>, id: Path<PartnerKey>) -> Result<Answer> {
    caller
        .act_once(move |tx| {
            let id = id.id(tx)?;
            service::send_list(tx, id).map(record)
        })
        .await
}

/// Complete the set-up
///
/// An incentive admin confirms that the list of users is complete. It is final, and makes the incentive data of the
/// partner and of its locations visible to their people.
#[utoipa::path(tag = "partners", responses((status = 200, body = PartnerSetupView)))]
#[post("/v1/partners/{id}/setup/completion")]
async fn complete_partner_setup(
    caller: Caller<CompletePartnerSetup>,
    id: Path<PartnerKey>,
) -> Result<Answer> {
    caller
        .act_once(move |tx| {
            let id = id.id(tx)?;
            service::complete(tx, id).map(record)
        })
        .await
}

fn record(status: SetupStatus) -> Answer {
    Answer::ok(&PartnerSetupView::from(status))
}
