//! Sessions: signing in, staying signed in, the keys that verify tokens, and the caller's own account.
//!
//! A session begins with a sign-in and lives as long as its refresh token is renewed. Other slices call [`start`],
//! [`renew`], [`end`] and [`end_all`].

pub mod api;
mod brakes;
mod grants;
pub mod keys;
pub mod me_api;
mod model;
pub mod permissions_api;
mod service;
mod sign_in;
mod store;
pub mod token_api;

pub use grants::CODES;
pub use model::Session;
pub use service::{Begun, Renewal, end, end_all, renew, start, sweep};
pub use store::standing;
