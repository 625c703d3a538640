//! Password resets: whoever has forgotten a password asks for a token by mail, and sets a new password with the token.
//!
//! A request is kept as a row, the same row whether or not there is a user of that name, and is answered in the background:
//! neither the answer of the service nor its time tells who has an account. A token is good once, for half an hour, and
//! stored as a digest. Second factors stay as they are.

pub mod api;
mod model;
mod service;
mod store;

use crate::slice::Slice;
pub use service::{CODES, WORK};

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: api::routes,
    codes: &[CODES],
    work: &[WORK],
    sweep: Some(store::sweep),
    // What was mailed to the address of before opens nothing.
    follow_up: Some(|tx, changes| changes.renamed.iter().try_for_each(|user| store::remove(tx, *user))),
    ..Slice::named("identity::password_resets")
};
