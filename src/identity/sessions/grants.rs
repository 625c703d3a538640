//! Grants: the ways to an access token besides a user name and a password.

use super::{SessionRenewal, StartedSession, renew, service, start};
use crate::{
    access::{
        ACCESS_TOKEN_SECONDS, Actor, INVALID_GRANT, Identity, Public, RequestOrigin, Role, TokenSubject, Tx,
        identity_refused,
    },
    audit,
    identity::{
        api_clients::{self, ApiClient},
        users::{self, User, UserStatus},
    },
    platform::{Error, Result, values::Id},
    text,
};
use serde_json::json;
use std::net::IpAddr;

const EXCHANGE: &str = "TokenExchange";

crate::problem_codes! {
    INVALID_CLIENT = "invalid_client" 401 ["The client is not known by this id and secret", "クライアントの ID またはシークレットが正しくありません"],
        ["Send the id and the secret of an API client, by HTTP Basic or as `client_id` and `client_secret`. A secret that was replaced works until its overlap has passed; a client works until it expires or is revoked.", "API クライアントの ID とシークレットを、HTTP Basic または `client_id` と `client_secret` で送信してください。更新前のシークレットは併用期間の終了まで有効です。クライアントは期限切れまたは失効まで有効です。"];
    INVALID_SCOPE = "invalid_scope" 400 ["The client has not all of these scopes", "クライアントに付与されていないスコープが含まれています"],
        ["Leave `scope` out for all the client has, or name some of them, separated by spaces.", "`scope` を省略すると、クライアントのすべてのスコープが対象になります。一部のみを使用する場合は、空白で区切って指定してください。"];
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type" 400 ["This grant type is not taken", "このグラントタイプには対応していません"],
        ["`/.well-known/oauth-authorization-server` lists those that are.", "対応しているものは `/.well-known/oauth-authorization-server` に示されます。"];
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type" 400 ["This kind of token cannot be revoked by itself", "この種類のトークンは単独では失効できません"],
        ["An API client's access token lives a quarter of an hour. To stop the client at once, revoke it at `/v1/api-clients`.", "API クライアントのアクセストークンの有効期間は 15 分です。クライアントを直ちに停止するには、`/v1/api-clients` で失効させてください。"];
}

/// The tokens that a grant gives.
pub(super) struct Granted {
    pub access_token: String,
    /// The lifetime of the access token, in seconds.
    pub expires_in: i64,
    /// The refresh token of a user; none for an API client, which has its secret.
    pub refresh: Option<GrantedRefresh>,
    /// The scopes of an API client, separated by spaces.
    pub scope: Option<String>,
}

/// A refresh token of a grant.
pub(super) struct GrantedRefresh {
    pub token: String,
    /// The seconds until the token can no longer be renewed.
    pub expires_in: i64,
}

/// The id and the secret by which an API client authenticates.
pub(super) struct ClientCredentials {
    pub id: String,
    pub secret: String,
}

/// Exchanges a refresh token.
pub(super) async fn refresh(public: &Public, token: String) -> Result<Granted> {
    let renewal = public.write(Actor::NOBODY, "RefreshToken", move |tx| renew(tx, &token)).await?;
    let SessionRenewal::Renewed { user, session, refresh_token, refresh_expires_in } = renewal else {
        let detail = text!(
            "the refresh token is not known, or was used or revoked, or has run out; sign in again",
            "リフレッシュトークンが不明であるか、使用済み、失効済み、または期限切れです。再度サインインしてください。"
        );
        return Err(Error::new(&INVALID_GRANT, detail));
    };
    of_session(
        public,
        &user,
        session,
        GrantedRefresh { token: refresh_token, expires_in: refresh_expires_in },
    )
}

/// Gives an API client a token for all its scopes, or for the scopes it asks for.
pub(super) async fn client(
    public: &Public,
    ClientCredentials { id, secret }: ClientCredentials,
    asked: Option<String>,
) -> Result<Granted> {
    public.count_attempt()?;
    let Ok(id) = id.parse::<Id>() else { return Err(unknown_client()) };
    let address = public.origin().address;
    let known = public.write(Actor::NOBODY, "ClientCredentials", move |tx| enter(tx, id, &secret, address));
    let client = known.await?.ok_or_else(unknown_client)?;
    let held = &client.scopes.0;
    let scope = match asked {
        None => held.join(" "),
        Some(asked) if asked.split(' ').all(|scope| held.iter().any(|known| known == scope)) => asked,
        Some(_) => {
            let detail =
                text!("the client may have: {}", "クライアントに付与できるスコープ：{}", held.join(" "));
            return Err(Error::new(&INVALID_SCOPE, detail));
        }
    };
    let subject = TokenSubject::Client { id: client.id, scope: scope.clone() };
    let access_token = public.issue(subject, client.role, client.token_epoch)?;
    Ok(Granted { access_token, expires_in: ACCESS_TOKEN_SECONDS, refresh: None, scope: Some(scope) })
}

fn enter(tx: &mut Tx<'_>, id: Id, secret: &str, from: IpAddr) -> Result<Option<ApiClient>> {
    if let Some(client) = api_clients::authenticate(tx, id, secret)? {
        tx.actor = Actor::of_client(client.id, client.role, client.partner_id);
        api_clients::used(tx, &client)?;
        return Ok(Some(client));
    }
    let event = api_clients::event_of(tx, id)?.unwrap_or_else(|| nobody(tx));
    event.after(&json!({"address": from, "reason": "client_credentials"})).record(tx)?;
    Ok(None)
}

/// Signs in the user of an outside issuer's identity token (RFC 8693).
pub(super) async fn exchange(public: &Public, identity_token: &str) -> Result<Granted> {
    public.count_attempt()?;
    let identity = match public.identity(identity_token).await {
        Ok(identity) => identity.ok_or_else(unsupported_grant)?,
        Err(error) if *error.code == INVALID_GRANT => {
            let reason = error.source.as_ref().map(ToString::to_string).unwrap_or_default();
            let facts = json!({"address": public.origin().address, "reason": reason});
            let trace = move |tx: &mut Tx<'_>| nobody(tx).after(&facts).record(tx);
            public.write(Actor::NOBODY, EXCHANGE, trace).await?;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    let (origin, needs_factors) = (public.origin().clone(), public.operators_need_second_factor());
    let begun = public.write(Actor::NOBODY, EXCHANGE, move |tx| begin(tx, &identity, &origin, needs_factors));
    let (user, session) = begun.await?.ok_or_else(|| identity_refused(""))?;
    let refresh = GrantedRefresh { token: session.refresh_token, expires_in: super::Session::IDLE_SECONDS };
    of_session(public, &user, session.id, refresh)
}

/// Begins the session of the user of an identity; `None` with an audit event where no user may sign in by the identity.
fn begin(
    tx: &mut Tx<'_>,
    identity: &Identity,
    from: &RequestOrigin,
    needs_factors: bool,
) -> Result<Option<(User, StartedSession)>> {
    let email = users::fold(&identity.email);
    let user = match users::find_vouched_to_change(tx, &identity.issuer, &identity.subject, &email)? {
        Some(user) => Some(user),
        None => {
            users::find_to_change(tx, &email)?.filter(|user| user.issuer.as_ref() == Some(&identity.issuer))
        }
    };
    let reason = user.as_ref().map_or(Some("unknown_user"), |user| barred(user, identity, needs_factors));
    match (user, reason) {
        (Some(user), None) => {
            tx.actor = Actor::of_user(user.id, user.role, user.partner_id);
            let user = users::vouch(tx, user, &identity.subject, &email)?;
            let session = start(tx, &user, from)?;
            let facts = json!({"address": from.address, "session_id": session.id});
            users::event(&user).after(&facts).record(tx)?;
            Ok(Some((user, session)))
        }
        (user, reason) => {
            let facts = json!({"address": from.address, "reason": reason});
            let event = user.as_ref().map_or_else(|| nobody(tx), users::event);
            event.after(&facts).record(tx)?;
            Ok(None)
        }
    }
}

/// The reason why a known user may not sign in; none where the user may.
fn barred(user: &User, identity: &Identity, needs_factors: bool) -> Option<&'static str> {
    let another = user.issuer_subject.as_ref().is_some_and(|subject| *subject != identity.subject);
    let one_factor = needs_factors && user.role == Role::Operator && !identity.by_several_factors;
    [
        (user.status == UserStatus::Disabled, "disabled"),
        (another, "another_subject"),
        (one_factor, "no_second_factor"),
    ]
    .into_iter()
    .find_map(|(applies, reason)| applies.then_some(reason))
}

/// An audit event about an attempt of an unknown caller.
fn nobody(tx: &Tx<'_>) -> audit::Event {
    audit::Event::on("sign_in", tx.new_id())
}

/// Ends the session of a refresh token or of an access token; an unknown token ends nothing (RFC 7009).
pub(super) async fn revoke(public: &Public, token: String) -> Result<()> {
    let claims = public.claims(&token).ok();
    if claims.as_ref().is_some_and(|claims| claims.is_of_client()) {
        let detail = text!(
            "a client's access token cannot be revoked by itself; revoke the client",
            "クライアントのアクセストークンは単独では失効できません。クライアントを失効させてください。"
        );
        return Err(Error::new(&UNSUPPORTED_TOKEN_TYPE, detail));
    }
    let session = claims.and_then(|claims| claims.sid);
    public
        .write(Actor::NOBODY, "RevokeToken", move |tx| match session {
            Some(session) => service::end_one(tx, session),
            None => service::end(tx, &token),
        })
        .await
}

/// The error of a grant type that the service does not take.
pub(super) fn unsupported_grant() -> Error {
    Error::new(
        &UNSUPPORTED_GRANT_TYPE,
        text!(
            "see /.well-known/oauth-authorization-server for those taken",
            "対応しているものは /.well-known/oauth-authorization-server に示されます。"
        ),
    )
}

/// The error of all faults of a client's credentials.
pub(super) fn unknown_client() -> Error {
    Error::new(
        &INVALID_CLIENT,
        text!(
            "client id and secret do not fit together, or the client has ended",
            "クライアントの ID とシークレットが一致しないか、クライアントの利用が終了しています。"
        ),
    )
}

fn of_session(public: &Public, user: &User, session: Id, refresh: GrantedRefresh) -> Result<Granted> {
    let subject = TokenSubject::User { id: user.id, session: Some(session), locale: user.locale };
    let access_token = public.issue(subject, user.role, user.token_epoch)?;
    Ok(Granted { access_token, expires_in: ACCESS_TOKEN_SECONDS, refresh: Some(refresh), scope: None })
}
