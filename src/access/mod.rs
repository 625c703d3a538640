//! The callers of the service, and their permissions.
//!
//! The application state is opaque: only [`Caller`], whose type names a policy, and [`Public`] open the state, so a
//! handler that names neither cannot reach the database.

mod app_state;
mod background;
mod caller;
mod guard;
mod idempotency;
mod issuer;
pub mod keys;
mod kind;
mod list;
pub mod opaque;
mod origin;
mod partner_key;
pub mod password;
pub mod policy;
mod refusal;
mod role;
mod sealed;
mod standing;
mod token;
mod unit;

pub use app_state::{AppState, FollowUp, Hooks, Parts, ProductFamilies, RefersToPartner, Sweep};
pub use background::BackgroundContext;
pub use caller::{Caller, Public};
pub use guard::Guard;
pub use idempotency::sweep as sweep_idempotency_keys;
pub use issuer::{Identity, refused as identity_refused};
pub use keys::JsonWebKeySet;
pub use origin::RequestOrigin;
pub use partner_key::PartnerKey;
pub use refusal::{Permission, Refusal, RefusalReason};
pub use role::{Role, Scope};
pub use sealed::SealedColumn;
pub use standing::{ClientStanding, Directory, LockPartners, UserStanding};
pub use token::{ACCESS_TOKEN_SECONDS, Claims, TokenSubject, Tokens};
pub use unit::{Actor, Changes, EarlierReads, Tx, Unaudited, Who};

crate::problem_codes! {
    PASSWORD_CHANGE_REQUIRED = "password_change_required" 403 "Change your temporary password first",
        "A temporary password opens nothing but `PUT /v1/me/password`. Change it there, then sign in again.";
    SECOND_FACTOR_REQUIRED = "second_factor_required" 403 "Set up your second factor first",
        "Operators of this service sign in with a second factor. Enrol one at `POST /v1/me/second-factor`, confirm it, then sign in again.";
    SETUP_INCOMPLETE = "setup_incomplete" 403 "The organisation's set-up is not completed yet",
        "Incentive data becomes visible once the incentive admin has completed user set-up: `next` leads to what is missing.";
    INSUFFICIENT_SCOPE = "insufficient_scope" 403 "The client lacks the scope for this",
        "`scope` names what it takes. An operator gives scopes at `/v1/api-clients`; some operations are for people only.";
    INVALID_GRANT = "invalid_grant" 400 "What was sent opens nothing",
        "The refresh token or the identity token is wrong, expired, used before, or revoked. Sign in again.";
    SIGN_IN_FAILED = "sign_in_failed" 401 "User name or password is wrong",
        "Check both. After several failures the service slows down: wait as long as `Retry-After` says.";
    TEMPORARY_PASSWORD_EXPIRED = "temporary_password_expired" 401 "The temporary password has expired",
        "A temporary password is good for 72 hours. Ask whoever gave it to you for a new one: `POST /v1/users/{id}/password-reset`.";
}
