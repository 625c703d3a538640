//! Users: who may sign in, as what, and for which partner.

pub mod api;
mod model;
mod service;
mod store;

pub use model::{Delivery, Standing, User, UserStatus, fold};
pub use service::{
    CODES, Change, FirstOperator, NewUser, WRONG_PASSWORD, bind, change_password, create, event,
    first_operator, may_give, provision, refuse_elsewhere, refuse_oneself, reset_second_factor,
    revoke_sessions, set_second_factor, strengthen, tell_admins, update,
};
pub use store::{admins_of, find_by_email, get, load, people_of, refers_to, standing};
pub(crate) use store::{id_of_email, with_id};
