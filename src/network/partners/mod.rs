//! Partners: who sells, enrolls and is paid; and headquarters, which group locations.

pub mod api;
mod model;
mod service;
mod store;

pub use api::{Reason, Transition};
pub use model::{Event, Partner, PartnerStatus, PartnerType};
pub use service::{CODES, NewPartner, PARTNER_CLOSED, TRANSITION_NOT_ALLOWED, apply, create, refuse_closed};
pub use store::{
    after, family, family_of, get, get_by_mpn_id, headquarters_among, is_narrow, keep, keep_all, lock, many,
    number,
};

pub(crate) use store::{each_of, headquarters_of, in_scope, is_mpn_id, locations_of, partner_currency};
