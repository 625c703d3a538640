//! Who asks, and what they may do.
//!
//! The state of the application is opaque: only [`Caller`] (a policy stands in its type) and [`Public`]
//! open it, so a handler that names neither cannot reach the database.

mod caller;
mod gate;
mod idempotency;
pub mod password;
pub mod policy;
mod role;
mod token;
mod unit;

pub use caller::{Caller, Public};
pub use gate::Gate;
pub use role::{Role, Scope};
pub use token::{ACCESS_TOKEN_SECONDS, JsonWebKeySet, Tokens};
pub use unit::{Actor, Tx};

crate::problem_codes! {
    PASSWORD_CHANGE_REQUIRED = "password_change_required" 403 "Change your temporary password first",
        "A temporary password opens nothing but `PUT /v1/me/password`. Change it there, then sign in again.";
    SIGN_IN_FAILED = "sign_in_failed" 401 "User name or password is wrong",
        "Check both. After several failures the service slows down: wait as long as `Retry-After` says.";
}
