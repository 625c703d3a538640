//! The set-ups of all partners over HTTP: those that are not completed.

use super::{Setup, SetupState, store};
use crate::{
    access::{Caller, policy::ListPartnerSetups},
    platform::{
        Result,
        http::{Cursor, Listing, PageParams, PageRequest, page_of},
        values::{Id, Timestamp},
    },
};
use actix_web::get;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of the list.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_partner_setups);
}

/// A partner's set-up in a list; the address of the partner's set-up tells what is missing.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedPartnerSetup)]
pub struct ListedSetupView {
    /// The partner of the set-up.
    partner_id: Id,
    /// The state of the partner's own set-up.
    state: SetupState,
    /// When the list of users was last sent; null before.
    list_sent_at: Option<Timestamp>,
    /// When the set-up was completed; null before.
    completed_at: Option<Timestamp>,
    /// Counts changes; 0 of a set-up that has not started.
    #[schema(minimum = 0)]
    revision: i64,
}

impl ListedSetupView {
    /// The set-up of a partner without a record.
    pub(super) fn not_started(partner_id: Id) -> Self {
        let state = SetupState::NotStarted;
        Self { partner_id, state, list_sent_at: None, completed_at: None, revision: 0 }
    }
}

impl From<Setup> for ListedSetupView {
    fn from(setup: Setup) -> Self {
        Self {
            partner_id: setup.partner_id,
            state: setup.state,
            list_sent_at: Some(setup.list_sent_at),
            completed_at: setup.completed_at,
            revision: setup.revision,
        }
    }
}

page_of!(
    /// One page of set-ups.
    pub PartnerSetupPage of ListedSetupView
);

/// Which set-ups to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SetupFilter {
    /// In this state. `not_started` gives the partners, other than closed ones, that nobody has been sent a list for.
    #[param(inline)]
    pub state: Option<SetupState>,
}

/// List partner set-ups
///
/// Of all partners, the newest partner first. Without `state`, the set-ups that have started.
#[utoipa::path(tag = "partners", params(SetupFilter, PageParams), responses((status = 200, body = PartnerSetupPage)))]
#[get("/v1/partner-setups")]
async fn list_partner_setups(
    caller: Caller<ListPartnerSetups>,
    page: PageRequest<SetupFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let cursor = |setup: &ListedSetupView| Cursor { key: None, id: setup.partner_id };
            Ok(page.answer(found, total, cursor, |setup| setup))
        })
        .await
}
