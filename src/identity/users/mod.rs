//! Users: the people who may sign in, each with a role, and a partner for the partner's people.

mod account_warning;
mod addresses;
pub mod api;
mod counts;
mod model;
mod notices;
mod passwords;
mod service;
mod store;

use crate::slice::{Slice, Tag};
pub use addresses::vouch;
pub use counts::{UserCount, UserCounts, counts_of};
pub use model::{Delivery, User, UserAccess, UserStatus, fold};
pub use notices::{AdminNotice, notify_admins, notify_admins_of_each, notify_operators};
pub use passwords::{change_password, refuse_elsewhere, refuse_oneself, set_password, strengthen};
pub use service::{
    CODES, FirstOperator, NewUser, SignInBy, UserChange, WRONG_PASSWORD, create, event, first_operator,
    may_give, provision, reset_second_factor, revoke_sessions, set_second_factor, update,
};
use service::{MAIL_NOT_SENT, NOT_ONESELF, SIGNS_IN_ELSEWHERE};
pub use store::{
    access_of, admins_of, are_one_person, find_by_email, find_to_change, find_vouched_to_change, get, load,
    load_to_change, people_of, refers_to, to_change,
};
pub(crate) use store::{id_of_email, with_id};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    tag: Some(Tag { name: "users", description: "Who may sign in, as what, and for which partner." }),
    codes: &[CODES],
    follow_up: Some(account_warning::warn_of_new_accounts),
    refers_to_partner: Some(|tx, partner| Ok(store::refers_to(tx.conn, partner)?.then_some("user"))),
    ..Slice::named("identity::users")
};
