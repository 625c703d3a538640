//! Users: who may sign in, as what, and for which partner.

pub mod api;
mod model;
mod service;
mod store;

pub use model::{User, UserStatus, fold};
pub use service::{
    CODES, NewUser, WRONG_PASSWORD, change_password, create, first_operator, provision, refuse_oneself,
    revoke_sessions, set_second_factor, tell_admins,
};
pub use store::{admins_of, find_by_email, get, load, standing};
