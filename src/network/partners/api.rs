//! Partners over HTTP.

use super::{
    Partner, PartnerStatus, PartnerTransition, PartnerType,
    service::{self, NewPartner},
    store,
    view::{PartnerView, whole},
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{
            ClosePartner, CreatePartner, DeletePartner, GetPartner, ListPartners, Policy, ReinstatePartner,
            SuspendPartner, UpdatePartner,
        },
    },
    platform::{
        Result,
        http::{
            Answer, Body, Cursor, IfMatch, Listing, PageParams, PageRequest, Path, double_option, page_of,
        },
        values::{CalendarDate, Country, Currency, Id},
    },
};
use actix_web::{delete, get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_partners)
        .service(create_partner)
        .service(get_partner)
        .service(update_partner)
        .service(delete_partner)
        .service(suspend_partner)
        .service(reinstate_partner)
        .service(close_partner);
}

page_of!(
    /// One page of partners.
    pub PartnerPage of PartnerView
);

/// A partner to record.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "mpn_id": "7654321", "legal_name": "Fabrikam Services Ltd", "country": "GB", "currency": "GBP",
    "partner_type": "direct_bill", "contact_email": "incentives@fabrikam.example"
}))]
pub struct PartnerCreate {
    /// Number in the partner network, 6 to 10 digits, unique.
    #[schema(min_length = 6, max_length = 10, pattern = "^[0-9]{6,10}$")]
    mpn_id: String,
    /// Registered name.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
    legal_name: String,
    /// The country of registration.
    country: Country,
    /// The currency of payments to the partner.
    currency: Currency,
    /// The channel that the partner sells through.
    partner_type: PartnerType,
    /// The headquarters of a location.
    #[serde(default)]
    headquarters_id: Option<PartnerKey>,
    /// The day from which the location belongs to its headquarters, today or earlier, on which neither belonged elsewhere;
    /// today where none is given.
    #[serde(default)]
    headquarters_since: Option<CalendarDate>,
    /// The e-mail address of the partner's contact.
    #[schema(format = "email", min_length = 3, max_length = 254)]
    contact_email: String,
    /// Whether the partner is active from the start; else the partner is `pending` until its reinstatement.
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
}

fn yes() -> bool {
    true
}

/// A change of a partner's record: the members given replace those on record. The status has operations of its own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"contact_email": "alliances@fabrikam.example"}))]
pub struct PartnerUpdate {
    /// Number in the partner network.
    #[schema(min_length = 6, max_length = 10, pattern = "^[0-9]{6,10}$", nullable = false)]
    mpn_id: Option<String>,
    /// Registered name.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", nullable = false)]
    legal_name: Option<String>,
    /// The country of registration.
    #[schema(nullable = false)]
    country: Option<Country>,
    /// The currency of payments to the partner.
    #[schema(nullable = false)]
    currency: Option<Currency>,
    /// The headquarters of a location; null makes the partner stand alone.
    #[serde(default, deserialize_with = "double_option::deserialize")]
    #[schema(value_type = Option<PartnerKey>)]
    headquarters_id: Option<Option<PartnerKey>>,
    /// The day from which the partner belongs to its headquarters, the new one or the one on record: today or earlier, on
    /// which neither belonged elsewhere. A new headquarters without a day counts from today on; a day without a new
    /// headquarters corrects the record, and every day concerned is judged anew.
    #[schema(nullable = false)]
    headquarters_since: Option<CalendarDate>,
    /// The e-mail address of the partner's contact.
    #[schema(format = "email", min_length = 3, max_length = 254, nullable = false)]
    contact_email: Option<String>,
}

/// Why an operator changes a record's state.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Reason, example = json!({"reason": "Payment dispute, ticket 4711"}))]
pub struct TransitionReason {
    /// In your own words, for the audit trail.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    pub reason: String,
}

/// Which partners to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PartnerFilter {
    /// With this status.
    #[param(inline)]
    pub status: Option<PartnerStatus>,
    /// Of this channel.
    #[param(inline)]
    pub partner_type: Option<PartnerType>,
    /// Registered in this country.
    pub country: Option<Country>,
    /// Locations of this headquarters.
    pub headquarters_id: Option<PartnerKey>,
    /// With this number in the partner network.
    #[param(max_length = 10, example = "4567890")]
    pub mpn_id: Option<String>,
    /// With this text in the name or in the MPN id, whatever its case and accents.
    #[param(min_length = 1, max_length = 200, example = "contoso")]
    pub q: Option<String>,
}

/// In which order to list partners.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum PartnerSort {
    /// Newest record first.
    #[default]
    #[serde(rename = "-created_at")]
    Newest,
    /// Oldest record first.
    #[serde(rename = "created_at")]
    Oldest,
    /// By name.
    #[serde(rename = "legal_name")]
    LegalName,
    /// By name, backwards.
    #[serde(rename = "-legal_name")]
    LegalNameDescending,
}

/// The order of a list of partners.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the parameter; `PageRequest` reads it")]
struct PartnerOrder {
    /// The order; a leading minus turns it round.
    #[param(inline)]
    sort: Option<PartnerSort>,
}

/// List partners
///
/// The partners the caller may see: all of them for programme staff, else the own one and its locations.
#[utoipa::path(
    tag = "partners",
    params(PartnerFilter, PartnerOrder, PageParams),
    responses((status = 200, body = PartnerPage))
)]
#[get("/v1/partners")]
async fn list_partners(
    caller: Caller<ListPartners>,
    page: PageRequest<PartnerFilter, PartnerSort>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let partners = store::list(tx, page)?;
            let by_name = matches!(page.sort, PartnerSort::LegalName | PartnerSort::LegalNameDescending);
            let cursor = |p: &Partner| Cursor { key: by_name.then(|| p.legal_name.clone()), id: p.id };
            Ok(page.answer(partners, total, cursor, PartnerView::from))
        })
        .await
}

/// Record a partner
///
/// The MPN id must be new. A headquarters is a partner that others name as theirs; it groups locations on one level.
#[utoipa::path(tag = "partners", request_body = PartnerCreate, responses((status = 201, body = PartnerView)))]
#[post("/v1/partners")]
async fn create_partner(caller: Caller<CreatePartner>, body: Body<PartnerCreate>) -> Result<Answer> {
    caller
        .write(body, |tx, new| {
            let id = tx.new_id();
            let new = new.clone().found(tx)?;
            let partner = service::create(tx, id, new)?;
            let (location, revision) = (format!("/v1/partners/{id}"), partner.revision);
            Ok(Answer::created(location, &whole(tx, partner)?, revision))
        })
        .await
}

/// Read a partner
///
/// One partner, with the state changes that are possible now.
#[utoipa::path(tag = "partners", responses((status = 200, body = PartnerView)))]
#[get("/v1/partners/{id}")]
async fn get_partner(caller: Caller<GetPartner>, id: Path<PartnerKey>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let id = id.id(tx)?;
            let partner = store::get(tx, id)?;
            record(tx, partner)
        })
        .await
}

/// Change a partner's record
///
/// A merge patch (RFC 7396): members given replace those on record, null removes an optional one.
#[utoipa::path(tag = "partners", request_body = PartnerUpdate, responses((status = 200, body = PartnerView)))]
#[patch("/v1/partners/{id}")]
async fn update_partner(
    caller: Caller<UpdatePartner>,
    id: Path<PartnerKey>,
    body: Body<PartnerUpdate>,
    revision: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, change| {
            let id = id.id(tx)?;
            let headquarters = change.headquarters(tx)?;
            let before = service::to_change(tx, id, headquarters.flatten())?;
            revision.permits(before.revision)?;
            if *change == PartnerUpdate::default() {
                let answer = record(tx, before)?;
                return tx.unchanged(answer);
            }
            let partner = service::update(tx, before, change.headquarters_since, |partner| {
                change.apply(partner, headquarters);
            })?;
            record(tx, partner)
        })
        .await
}

/// Delete a partner
///
/// Only where no record refers to the partner; a partner with records is closed instead.
#[utoipa::path(tag = "partners", responses((status = 204)))]
#[delete("/v1/partners/{id}")]
async fn delete_partner(caller: Caller<DeletePartner>, id: Path<PartnerKey>) -> Result<Answer> {
    caller
        .act(move |tx| {
            let id = id.id(tx)?;
            let partner = service::to_change(tx, id, None)?;
            service::delete(tx, &partner)?;
            Ok(Answer::nothing())
        })
        .await
}

/// Suspend a partner
///
/// Bars the partner for a time: a suspended partner is not eligible.
#[utoipa::path(tag = "partners", request_body = TransitionReason, responses((status = 200, body = PartnerView)))]
#[post("/v1/partners/{id}/suspension")]
async fn suspend_partner(
    caller: Caller<SuspendPartner>,
    id: Path<PartnerKey>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    apply(caller, id.into_inner(), body, PartnerTransition::Suspension).await
}

/// Reinstate a partner
///
/// Lets a suspended partner back in, or activates a pending one.
#[utoipa::path(tag = "partners", request_body = TransitionReason, responses((status = 200, body = PartnerView)))]
#[post("/v1/partners/{id}/reinstatement")]
async fn reinstate_partner(
    caller: Caller<ReinstatePartner>,
    id: Path<PartnerKey>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    apply(caller, id.into_inner(), body, PartnerTransition::Reinstatement).await
}

/// Close a partner
///
/// The partner leaves for good; closing is final.
#[utoipa::path(tag = "partners", request_body = TransitionReason, responses((status = 200, body = PartnerView)))]
#[post("/v1/partners/{id}/closure")]
async fn close_partner(
    caller: Caller<ClosePartner>,
    id: Path<PartnerKey>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    apply(caller, id.into_inner(), body, PartnerTransition::Closure).await
}

async fn apply<P: Policy>(
    caller: Caller<P>,
    id: PartnerKey,
    body: Body<TransitionReason>,
    transition: PartnerTransition,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let id = id.id(tx)?;
            let before = service::to_change(tx, id, None)?;
            let partner = service::apply(tx, before, transition, &because.reason)?;
            record(tx, partner)
        })
        .await
}

fn record(tx: &mut Tx<'_>, partner: Partner) -> Result<Answer> {
    let revision = partner.revision;
    Ok(Answer::record(&whole(tx, partner)?, revision))
}

impl PartnerCreate {
    /// The partner to record, with the headquarters that the body names.
    fn found(self, tx: &mut Tx<'_>) -> Result<NewPartner> {
        Ok(NewPartner {
            mpn_id: self.mpn_id,
            legal_name: self.legal_name,
            country: self.country,
            currency: self.currency,
            partner_type: self.partner_type,
            headquarters_id: self.headquarters_id.map(|headquarters| headquarters.id(tx)).transpose()?,
            headquarters_since: self.headquarters_since,
            contact_email: self.contact_email,
            active: self.active,
        })
    }
}

impl PartnerUpdate {
    /// The headquarters that the body names: absent, null, or the partner on record.
    fn headquarters(&self, tx: &mut Tx<'_>) -> Result<Option<Option<Id>>> {
        let Some(named) = &self.headquarters_id else { return Ok(None) };
        Ok(Some(named.as_ref().map(|headquarters| headquarters.id(tx)).transpose()?))
    }

    fn apply(&self, partner: &mut Partner, headquarters: Option<Option<Id>>) {
        let Self { mpn_id, legal_name, country, currency, contact_email, .. } = self.clone();
        partner.mpn_id = mpn_id.unwrap_or(std::mem::take(&mut partner.mpn_id));
        partner.legal_name = legal_name.unwrap_or(std::mem::take(&mut partner.legal_name));
        partner.country = country.unwrap_or(partner.country);
        partner.currency = currency.unwrap_or(partner.currency);
        partner.headquarters_id = headquarters.unwrap_or(partner.headquarters_id);
        partner.contact_email = contact_email.unwrap_or(std::mem::take(&mut partner.contact_email));
    }
}
