//! Tokens as OAuth clients ask for them (RFC 6749, 7009, 8414, 8693).

use super::grants::{self, ClientCredentials, Granted};
use crate::{
    access::{Public, policy},
    platform::{
        Error, Result, codes,
        http::{Answer, Form, OauthError},
        values::Text,
    },
    text,
};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, dev::Payload, get, http::header, post};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use std::future::{Ready, ready};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The routes of tokens.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(issue_token).service(revoke_token).service(get_oauth_metadata);
}

/// A grant: what shall be exchanged for an access token.
#[derive(Clone, Deserialize, ToSchema)]
#[schema(example = json!({
    "grant_type": "client_credentials", "client_id": "01936f2e-4b00-7000-8000-000000000002",
    "client_secret": "pis_Zm9yIHRoZSBkb2N1bWVudCwgbm90IGEgc2VjcmV0IGF0IGFsbA", "scope": "partners:read"
}))]
pub struct TokenRequest {
    /// `refresh_token`, `client_credentials`, or `urn:ietf:params:oauth:grant-type:token-exchange`.
    #[schema(min_length = 1, max_length = 100)]
    grant_type: String,
    /// The refresh token, for `refresh_token`.
    #[schema(max_length = 200, nullable = false)]
    refresh_token: Option<String>,
    /// The API client, for `client_credentials` without HTTP Basic.
    #[schema(max_length = 100, nullable = false)]
    client_id: Option<String>,
    /// Its secret.
    #[schema(max_length = 200, format = "password", nullable = false)]
    client_secret: Option<String>,
    /// Some of the client's scopes, separated by spaces; left out, all of them.
    #[schema(max_length = 2000, pattern = "^[!-~]+( [!-~]+)*$", nullable = false)]
    scope: Option<String>,
    /// The identity token of the trusted issuer, for the token exchange.
    #[schema(max_length = 16384, nullable = false)]
    subject_token: Option<String>,
    /// `urn:ietf:params:oauth:token-type:id_token`.
    #[schema(max_length = 100, nullable = false)]
    subject_token_type: Option<String>,
}

/// What a grant gives (RFC 6749, 5.1).
#[derive(Serialize, ToSchema)]
pub struct TokenAnswer {
    /// A signed JWT (RFC 9068); opaque to the client. Send it as `Authorization: Bearer <access_token>`.
    #[schema(max_length = 4096, examples("eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln"))]
    access_token: String,
    /// How it is sent.
    #[schema(max_length = 10, examples("Bearer"))]
    token_type: &'static str,
    /// Seconds until it expires.
    #[schema(minimum = 1, maximum = 86400, examples(900))]
    expires_in: i64,
    /// Good for once: it is exchanged for the next access token and its own successor. API clients get none.
    #[schema(
        max_length = 200,
        nullable = false,
        examples("Zm9yIHRoZSBkb2N1bWVudCwgbm90IGEgdG9rZW4gYXQgYWxs")
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// Seconds until the refresh token expires.
    #[schema(minimum = 0, maximum = 31_536_000, nullable = false, examples(604_800))]
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_expires_in: Option<i64>,
    /// What an API client may do with it, separated by spaces.
    #[schema(max_length = 2000, nullable = false, examples("partners:read"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// What an identity token was exchanged for.
    #[schema(max_length = 100, nullable = false, examples("urn:ietf:params:oauth:token-type:access_token"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

/// A token to make worthless.
#[derive(Clone, Deserialize, ToSchema)]
#[schema(example = json!({"token": "Zm9yIHRoZSBkb2N1bWVudCwgbm90IGEgdG9rZW4gYXQgYWxs"}))]
pub struct RevocationRequest {
    /// A refresh token or an access token.
    #[schema(min_length = 1, max_length = 4096)]
    token: String,
    /// What it is; not needed.
    #[schema(max_length = 100, nullable = false)]
    #[expect(dead_code, reason = "a hint that is not needed")]
    token_type_hint: Option<String>,
}

/// Where and how tokens are issued (RFC 8414).
#[derive(Serialize, ToSchema)]
pub struct OauthMetadata {
    /// The address of this service.
    #[schema(max_length = 2000, format = "uri", examples("https://incentives.example.com"))]
    issuer: String,
    /// Where tokens are issued.
    #[schema(max_length = 2000, format = "uri", examples("https://incentives.example.com/v1/auth/token"))]
    token_endpoint: String,
    /// Where they are revoked.
    #[schema(max_length = 2000, format = "uri", examples("https://incentives.example.com/v1/auth/revoke"))]
    revocation_endpoint: String,
    /// Where the keys are that verify them.
    #[schema(
        max_length = 2000,
        format = "uri",
        examples("https://incentives.example.com/.well-known/jwks.json")
    )]
    jwks_uri: String,
    /// What an API client can be given.
    #[schema(max_items = 100, value_type = Vec<crate::identity::api_clients::api::ScopeName>)]
    scopes_supported: Vec<&'static str>,
    /// None: there is no authorization endpoint.
    #[schema(max_items = 10, value_type = Vec<OauthName>)]
    response_types_supported: Vec<&'static str>,
    /// The grant types taken.
    #[schema(max_items = 10, value_type = Vec<OauthName>)]
    grant_types_supported: Vec<&'static str>,
    /// How a client proves itself where tokens are issued.
    #[schema(max_items = 10, value_type = Vec<OauthName>)]
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// How it proves itself where they are revoked: who has the token may.
    #[schema(max_items = 10, value_type = Vec<OauthName>)]
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
}

/// A name that an OAuth specification registers.
#[derive(ToSchema)]
#[schema(max_length = 100, examples("client_credentials"))]
#[expect(dead_code, reason = "documents the items of lists")]
pub struct OauthName(String);

/// Get an access token
///
/// Three grants (RFC 6749, 8693). `refresh_token`: exchanges the refresh token of a sign-in, which is good for once; used
/// again within 10 seconds, while its successor is unused, one gives the same successor, and later ends its session.
/// `client_credentials`: an API client sends its id and secret, by HTTP Basic or in the form.
/// `urn:ietf:params:oauth:grant-type:token-exchange`: a user of a trusted OpenID Connect issuer sends an identity token,
/// where the service is told to trust one. Refusals are as RFC 6749, 5.2 says, with the members of a problem beside.
#[utoipa::path(tag = "auth", request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = TokenAnswer), (status = 401, description = "The API client is not known by this id and secret.", body = OauthError)))]
#[post("/v1/auth/token")]
async fn issue_token(public: Public, basic: Basic, form: Form<TokenRequest>) -> Result<Answer> {
    let request = form.0;
    let (granted, exchanged) = match request.grant_type.as_str() {
        "refresh_token" => {
            let token = needed("refresh_token", request.refresh_token)?;
            (grants::refresh(&public, token).await?, false)
        }
        "client_credentials" => {
            let credentials = basic.or(request.client_id, request.client_secret)?;
            (grants::client(&public, credentials, request.scope).await?, false)
        }
        TOKEN_EXCHANGE => {
            let token = needed("subject_token", request.subject_token)?;
            if request.subject_token_type.as_deref() != Some(ID_TOKEN) {
                return Err(invalid(text!(
                    "subject_token_type: send {ID_TOKEN}",
                    "subject_token_type には {ID_TOKEN} を指定してください。"
                )));
            }
            (grants::exchange(&public, &token).await?, true)
        }
        _ => return Err(grants::unsupported_grant()),
    };
    Ok(answer(granted, exchanged))
}

/// Revoke a token
///
/// Ends the session of a refresh token or of an access token (RFC 7009). The answer is the same for a token that nobody
/// knows.
#[utoipa::path(tag = "auth", request_body(content = RevocationRequest, content_type = "application/x-www-form-urlencoded"), responses((status = 200, description = "It opens nothing any more.")))]
#[post("/v1/auth/revoke")]
async fn revoke_token(public: Public, form: Form<RevocationRequest>) -> Result<impl Responder> {
    grants::revoke(&public, form.0.token).await?;
    Ok(HttpResponse::Ok().finish())
}

/// Where and how tokens are issued
///
/// The metadata that OAuth libraries configure themselves by (RFC 8414).
#[utoipa::path(tag = "auth", responses((status = 200, body = OauthMetadata)))]
#[get("/.well-known/oauth-authorization-server")]
async fn get_oauth_metadata(public: Public) -> impl Responder {
    let issuer = public.public_url().to_owned();
    let exchange = public.issuer().map(|_| TOKEN_EXCHANGE);
    Answer::ok(&OauthMetadata {
        token_endpoint: format!("{issuer}/v1/auth/token"),
        revocation_endpoint: format!("{issuer}/v1/auth/revoke"),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        issuer,
        scopes_supported: policy::scopes(),
        response_types_supported: Vec::new(),
        grant_types_supported: ["refresh_token", "client_credentials"].into_iter().chain(exchange).collect(),
        token_endpoint_auth_methods_supported: vec!["client_secret_basic", "client_secret_post", "none"],
        revocation_endpoint_auth_methods_supported: vec!["none"],
    })
}

fn answer(granted: Granted, exchanged: bool) -> Answer {
    let refresh = granted.refresh.map(|refresh| (refresh.token, refresh.expires_in));
    let (refresh_token, refresh_expires_in) = refresh.unzip();
    Answer::ok(&TokenAnswer {
        access_token: granted.access_token,
        token_type: "Bearer",
        expires_in: granted.expires_in,
        refresh_token,
        refresh_expires_in,
        scope: granted.scope,
        issued_token_type: exchanged.then_some(ACCESS_TOKEN),
    })
}

/// What HTTP Basic says, where it is used (RFC 6749, 2.3.1: both parts are form-encoded before).
struct Basic(Option<ClientCredentials>);

impl FromRequest for Basic {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Basic {
    fn of(request: &HttpRequest) -> Result<Self> {
        let field = request.headers().get(header::AUTHORIZATION).and_then(|field| field.to_str().ok());
        let Some((scheme, text)) = field.and_then(|field| field.split_once(' ')) else {
            return Ok(Self(None));
        };
        if !scheme.eq_ignore_ascii_case("basic") {
            return Ok(Self(None));
        }
        let decoded =
            BASE64_STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
        let (id, secret) = pair.ok_or_else(grants::unknown_client)?;
        Ok(Self(Some(ClientCredentials { id: unescaped(id), secret: unescaped(secret) })))
    }

    /// The credentials, which are sent in one way only.
    fn or(self, id: Option<String>, secret: Option<String>) -> Result<ClientCredentials> {
        match (self.0, id, secret) {
            (Some(_), _, Some(_)) => Err(invalid(text!(
                "send the secret once: by HTTP Basic, or in the form",
                "シークレットは HTTP Basic またはフォームのいずれか一方で送信してください。"
            ))),
            (Some(basic), Some(other), None) if basic.id != other => Err(invalid(text!(
                "client_id is another one than HTTP Basic says",
                "client_id が HTTP Basic の内容と一致しません。"
            ))),
            (Some(credentials), _, None) => Ok(credentials),
            (None, Some(id), Some(secret)) => Ok(ClientCredentials { id, secret }),
            _ => Err(grants::unknown_client()),
        }
    }
}

fn unescaped(text: &str) -> String {
    form_urlencoded::parse(text.as_bytes()).map(|(name, _)| name.into_owned()).next().unwrap_or_default()
}

fn needed(name: &str, value: Option<String>) -> Result<String> {
    value.ok_or_else(|| {
        invalid(text!("{name}: this grant type needs it", "このグラントタイプには {name} が必要です。"))
    })
}

fn invalid(detail: Text) -> Error {
    Error::new(&codes::INVALID_REQUEST, detail)
}
