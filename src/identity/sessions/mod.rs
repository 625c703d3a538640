//! Sessions: signing in, renewing tokens, the keys that verify tokens, and the caller's own account.
//!
//! A session begins with a sign-in and goes on as long as its refresh token is renewed. Other slices call [`start`],
//! [`renew`], [`end`] and [`end_all`].

pub mod api;
mod grants;
pub mod keys;
pub mod me_api;
mod model;
pub mod permissions_api;
mod service;
mod sign_in;
mod store;
mod throttle;
pub mod token_api;

use crate::slice::{Slice, Tag};
pub use grants::CODES;
pub use model::Session;
pub use service::{SessionRenewal, StartedSession, end, end_all, renew, start, sweep};
pub use store::{end_others, standing};
pub use throttle::{count_guess, forget_guesses};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        api::routes(config);
        token_api::routes(config);
        me_api::routes(config);
        permissions_api::routes(config);
    },
    tag: Some(Tag { name: "auth", description: "Signing in, and one's own account." }),
    codes: &[CODES],
    work: &[keys::WORK],
    sweep: Some(sweep),
    ..Slice::named("identity::sessions")
};
