//! The profiles of all partners over HTTP: what waits for an operator.

use super::{
    BankAccount, ProfileState, TaxTerms,
    model::Profile,
    store::{self, StoredTerms},
    view::{PayoutProfileView, ShownTerms, TaxProfileView},
};
use crate::{
    access::{
        Caller,
        policy::{ListPayoutProfiles, ListTaxProfiles, Policy},
    },
    platform::{
        Result,
        http::{Cursor, Listing, PageParams, PageRequest, page_of},
    },
};
use actix_web::get;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of the lists.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_payout_profiles).service(list_tax_profiles);
}

page_of!(
    /// One page of payout profiles.
    pub(super) PayoutProfilePage of PayoutProfileView
);

page_of!(
    /// One page of tax profiles.
    pub(super) TaxProfilePage of TaxProfileView
);

/// Which profiles to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProfileFilter {
    /// In this state today: an expired profile is `action_required`.
    #[param(inline)]
    pub state: Option<ProfileState>,
}

/// List payout profiles
///
/// Of all partners, with masked numbers, the newest partner first. `state=pending` gives what waits for an approval.
#[utoipa::path(tag = "profiles", params(ProfileFilter, PageParams), responses((status = 200, body = PayoutProfilePage)))]
#[get("/v1/payout-profiles")]
async fn list_payout_profiles(
    caller: Caller<ListPayoutProfiles>,
    page: PageRequest<ProfileFilter>,
) -> Result<Listing> {
    list::<_, BankAccount>(caller, page).await
}

/// List tax profiles
///
/// Of all partners, with masked numbers, the newest partner first. `state=pending` gives what waits for an approval.
#[utoipa::path(tag = "profiles", params(ProfileFilter, PageParams), responses((status = 200, body = TaxProfilePage)))]
#[get("/v1/tax-profiles")]
async fn list_tax_profiles(
    caller: Caller<ListTaxProfiles>,
    page: PageRequest<ProfileFilter>,
) -> Result<Listing> {
    list::<_, TaxTerms>(caller, page).await
}

async fn list<P: Policy, T: StoredTerms + ShownTerms>(
    caller: Caller<P>,
    page: PageRequest<ProfileFilter>,
) -> Result<Listing>
where
    T::View: Serialize,
{
    caller
        .list(page, move |tx, page| {
            let total = page.include_total.then(|| T::count(tx, &page.filter)).transpose()?;
            let found = store::list::<T>(tx, page)?;
            let cursor = |profile: &Profile<T>| Cursor { key: None, id: profile.partner_id };
            let (today, language) = (tx.today(), tx.language);
            Ok(page.answer(found, total, cursor, |profile| T::shown(profile, today, language)))
        })
        .await
}
