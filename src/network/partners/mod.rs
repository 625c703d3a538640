//! Partners: the companies that sell, enroll and are paid; and headquarters, which group locations.

pub mod api;
mod model;
mod periods;
mod service;
mod store;
mod view;

use crate::slice::{Slice, Tag};
pub use api::TransitionReason;
pub use model::{Partner, PartnerPeriod, PartnerStatus, PartnerTransition, PartnerType};
pub use periods::{days_as_headquarters, periods_of};
pub use service::{CODES, NewPartner, PARTNER_CLOSED, TRANSITION_NOT_ALLOWED, apply, create, refuse_closed};
pub use store::{
    after, all_numbered, count_all, family, family_of, get, get_by_mpn_id, is_narrow, keep, keep_all, lock,
    many, numbered,
};
pub use view::{PartnerView, Transition};

pub(crate) use store::{
    each_of, headquarters_of, ids_with_record, in_scope, is_mpn_id, locations_of, page_of_ids,
    partner_currency, without_record,
};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag {
        name: "partners",
        description: "Who sells, enrolls and is paid; and headquarters, which group locations.",
    }),
    codes: &[CODES],
    refers_to_partner: Some(|tx, partner| Ok(store::has_locations(tx, partner)?.then_some("location"))),
    ..Slice::named("network::partners")
};
