//! Sessions: signing in, the keys that verify tokens, and the caller's own account.

pub mod api;
pub mod permissions_api;
