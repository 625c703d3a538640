//! The callers of the service, and their permissions.
//!
//! The application state is opaque: only [`Caller`], whose type names a policy, and [`Public`] open the state, so a
//! handler that names neither cannot reach the database.

mod app_state;
mod background;
mod caller;
mod changes;
mod guard;
mod hooks;
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
mod public;
mod refusal;
mod role;
mod sealed;
mod standing;
mod token;
mod unit;

pub use app_state::{AppState, Parts};
pub use background::BackgroundContext;
pub use caller::Caller;
pub use changes::{Changes, Unaudited};
pub use guard::Guard;
pub use hooks::{
    ExpectedPayment, ExpectedPayments, FollowUp, Hooks, OpenClaim, OpenClaims, ProductFamilies,
    RefersToPartner, Sweep,
};
pub use idempotency::sweep as sweep_idempotency_keys;
pub use issuer::{Identity, refused as identity_refused};
pub use keys::JsonWebKeySet;
pub use list::FilePlace;
pub use origin::RequestOrigin;
pub use partner_key::PartnerKey;
pub use public::Public;
pub use refusal::{Permission, Refusal, RefusalReason};
pub use role::{Role, Scope};
pub use sealed::SealedColumn;
pub use standing::{ClientStanding, Directory, LockPartners, UserStanding};
pub use token::{ACCESS_TOKEN_SECONDS, Claims, TokenSubject, Tokens};
pub use unit::{Actor, EarlierReads, Tx, Who};

crate::problem_codes! {
    PASSWORD_CHANGE_REQUIRED = "password_change_required" 403 ["Change your temporary password first", "先に仮パスワードを変更してください"],
        ["A temporary password opens nothing but `PUT /v1/me/password`. Change it there, then sign in again.", "仮パスワードでは `PUT /v1/me/password` 以外の操作は行えません。パスワードを変更したうえで、再度サインインしてください。"];
    SECOND_FACTOR_REQUIRED = "second_factor_required" 403 ["Set up your second factor first", "先に二要素認証を設定してください"],
        ["Operators of this service sign in with a second factor. Enrol one at `POST /v1/me/second-factor`, confirm it, then sign in again.", "本サービスの運営担当者は、二要素認証を使用してサインインします。`POST /v1/me/second-factor` で登録し、確認したうえで、再度サインインしてください。"];
    SETUP_INCOMPLETE = "setup_incomplete" 403 ["The organisation's set-up is not completed yet", "貴社の利用者設定が完了していません"],
        ["Incentive data becomes visible once the incentive admin has completed user set-up: `next` leads to what is missing.", "インセンティブ管理者が利用者設定を完了すると、インセンティブ情報を閲覧できるようになります。不足している内容は `next` から確認できます。"];
    INSUFFICIENT_SCOPE = "insufficient_scope" 403 ["The client lacks the scope for this", "クライアントに必要なスコープがありません"],
        ["`scope` names what it takes. An operator gives scopes at `/v1/api-clients`; some operations are for people only.", "必要なスコープは `scope` に示されます。スコープは運営担当者が `/v1/api-clients` で付与します。一部の操作は API クライアントからは実行できません。"];
    INVALID_GRANT = "invalid_grant" 400 ["What was sent opens nothing", "送信された認証情報は使用できません"],
        ["The refresh token or the identity token is wrong, expired, used before, or revoked. Sign in again.", "リフレッシュトークンまたは ID トークンが誤っているか、期限切れ、使用済み、または失効済みです。再度サインインしてください。"];
    SIGN_IN_FAILED = "sign_in_failed" 401 ["User name or password is wrong", "ユーザー名またはパスワードが正しくありません"],
        ["Check both. After several failures the service slows down: wait as long as `Retry-After` says.", "両方をご確認ください。失敗が続くと応答が制限されます。その場合は `Retry-After` に示された時間だけお待ちください。"];
    TEMPORARY_PASSWORD_EXPIRED = "temporary_password_expired" 401 ["The temporary password has expired", "仮パスワードの有効期限が切れています"],
        ["A temporary password is good for 72 hours. Ask whoever gave it to you for a new one: `POST /v1/users/{id}/password-reset`.", "仮パスワードの有効期間は 72 時間です。発行した方に再発行（`POST /v1/users/{id}/password-reset`）をご依頼ください。"];
}
