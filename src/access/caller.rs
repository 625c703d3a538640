//! The extractors that check a caller's authority, and open the application state to the caller.

use super::{
    Actor, AppState, Identity, JsonWebKeySet, Permission, Role, TokenSubject, Tx,
    app_state::GuessedName,
    idempotency,
    issuer::Issuer,
    origin::RequestOrigin,
    password::Hasher,
    policy::{self, Policy, Rule},
    refusal::CallerStanding,
    token::Claims,
};
use crate::platform::{
    Error, Result, codes,
    db::{Conn, Done},
    http::{Answer, Body, Repeatable, RequestId, SignedIn, address_of, language_of, network_of},
    values::{Id, Locale},
};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web::Data};
use std::{
    future::{Ready, ready},
    marker::PhantomData,
    sync::Arc,
};

/// A caller with a valid token whose role the policy admits. The first argument of every guarded handler,
/// so that 401 and 403 win over other faults of the request.
pub struct Caller<P> {
    app: AppState,
    claims: Arc<Claims>,
    request_id: RequestId,
    language: Option<Locale>,
    repeatable: Option<Repeatable>,
    policy: PhantomData<fn() -> P>,
}

impl<P: Policy> FromRequest for Caller<P> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::admit(request))
    }
}

impl<P: Policy> Caller<P> {
    fn admit(request: &HttpRequest) -> Result<Self> {
        let app = app_state_of(request)?;
        let claims = bearer(request).and_then(|token| app.0.tokens.verify(token)).map_err(|error| {
            // A wrong token counts against the limit of the address.
            match app.0.addresses.check(&network_of(address_of(request))) {
                Ok(_) => error,
                Err(too_many) => too_many,
            }
        })?;
        request.extensions_mut().insert(SignedIn(claims.sub));
        let quota = app.0.users.check(&claims.sub)?;
        request.extensions_mut().insert(quota);
        if let Some(refusal) = P::RULE.refuses_token(&claims) {
            return Err(refusal.error);
        }
        let repeatable = if request.method().is_safe() { None } else { Repeatable::of(request, None)? };
        let (request_id, language) = (RequestId::of(request), language_of(request));
        Ok(Self { app, claims, request_id, language, repeatable, policy: PhantomData })
    }

    /// The application state, for work of the service itself that goes on after the answer.
    #[must_use]
    pub fn app(&self) -> &AppState {
        &self.app
    }

    /// The id of the user or the API client.
    #[must_use]
    pub fn id(&self) -> Id {
        self.claims.sub
    }

    /// The session of the token; none for an API client.
    #[must_use]
    pub fn session(&self) -> Option<Id> {
        self.claims.sid
    }

    /// The role of the user or the API client.
    #[must_use]
    pub fn role(&self) -> Role {
        self.claims.role
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.request_id.as_str()
    }

    /// Reads without a snapshot, for a single statement.
    pub async fn read<T, F>(self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let db = self.app.0.db.clone();
        db.off_thread(move |db| db.query(|conn| work(&mut self.enter(conn)?))).await
    }

    /// Reads in one snapshot, for several statements that must agree with each other.
    pub async fn snapshot<T, F>(self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let db = self.app.0.db.clone();
        db.off_thread(move |db| db.read(|conn| work(&mut self.enter(conn)?))).await
    }

    /// Writes one unit with its audit event and, where the request carries an idempotency key, the stored answer.
    pub async fn write<B, F>(self, body: Body<B>, work: F) -> Result<Answer>
    where
        B: Send + Sync + 'static,
        F: Fn(&mut Tx<'_>, &B) -> Result<Answer> + Send + 'static,
    {
        let db = self.app.0.db.clone();
        let Body { value, repeatable } = body;
        let this = Arc::new((self, repeatable));
        let known = Arc::clone(&this);
        let look = move |conn: &mut Conn| {
            let (caller, Some(repeatable)) = &*known else { return Ok(None) };
            let now = caller.app.0.clock.now();
            match idempotency::recall(conn, &caller.app.0.vault, now, caller.claims.sub, repeatable) {
                Ok(None) => Ok(None),
                // A caller who has been barred since reads neither the stored answer nor the refusal of the key.
                found => caller.enter(conn).and(found),
            }
        };
        let unit = move |conn: &mut Conn| {
            let (caller, repeatable) = &*this;
            caller.enter(conn)?.run(|tx| {
                let answer = work(tx, &value)?;
                tx.finish()?;
                if let Some(repeatable) = repeatable {
                    idempotency::remember(tx, caller.claims.sub, repeatable, &answer)?;
                }
                Ok(answer)
            })
        };
        db.write_unless(look, unit).await
    }

    /// Writes for a request without a body, such as a deletion, or for an answer that is not stored for a repeat.
    pub async fn act<F>(self, work: F) -> Result<Answer>
    where
        F: Fn(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    {
        self.write(Body { value: (), repeatable: None }, move |tx, ()| work(tx)).await
    }

    /// Writes for a `POST` without a body; a repeat with the same idempotency key gets the stored answer.
    pub async fn act_once<F>(mut self, work: F) -> Result<Answer>
    where
        F: Fn(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    {
        let repeatable = self.repeatable.take();
        self.write(Body { value: (), repeatable }, move |tx, ()| work(tx)).await
    }

    /// Reads before the unit, for slow work that must not happen inside the unit, such as hashing a password.
    pub async fn peek<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (app, claims) = (self.app.clone(), Arc::clone(&self.claims));
        let request_id = self.request_id.clone();
        let language = self.language;
        let same = Self { app, claims, request_id, language, repeatable: None, policy: PhantomData };
        same.read(work).await
    }

    /// Counts a guess at the caller's own password or code. Guesses from all addresses count together, because a thief who
    /// guesses holds the token already, and a restart forgets none.
    pub async fn count_guess(&self) -> Result<()> {
        let name = GuessedName { name: self.claims.sub.to_string(), from: None };
        let app = Arc::clone(&self.app.0);
        app.sign_ins_by_name.check(&name)?;
        let (user, now, guess) = (self.claims.sub, app.clock.now(), app.directory.guess);
        app.db.write_async(move |conn| Ok(Done { value: guess(conn, user, now)?, witness: None })).await
    }

    /// The address of the trusted outside issuer of identities; none where no issuer is trusted.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.app.0.issuer.as_ref().map(Issuer::name)
    }

    /// Hashes or compares passwords, off the request threads.
    pub async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> T + Send + 'static,
    ) -> Result<T> {
        self.app.hashing(work).await
    }

    /// The caller's permission for every guarded operation now, in the order of the policy table.
    pub async fn permissions(self) -> Result<Vec<Permission>> {
        let db = self.app.0.db.clone();
        let ask = move |conn: &mut Conn| {
            let standing = self.standing(conn)?;
            let set_up = self.app.0.directory.is_set_up(conn, standing.actor)?;
            let answer = |rule: &'static Rule| {
                let refusal = rule.refuses(&self.claims, standing, || Ok(set_up))?;
                Ok(Permission { operation: rule.operation, refusal })
            };
            policy::TABLE.iter().map(answer).collect()
        };
        db.off_thread(move |db| db.read(ask)).await
    }

    /// The caller's standing; refuses a caller whom the policy does not admit now.
    fn standing(&self, conn: &mut Conn) -> Result<CallerStanding> {
        let app = &self.app.0;
        let standing = app.directory.standing(conn, &self.claims, app.accounts, app.clock.now())?;
        let set_up = || app.directory.is_set_up(conn, standing.actor);
        P::RULE.refuses(&self.claims, standing, set_up)?.map_or(Ok(standing), |refusal| Err(refusal.error))
    }

    /// The unit of an admitted caller.
    pub(super) fn enter<'a>(&'a self, conn: &'a mut Conn) -> Result<Tx<'a>> {
        let CallerStanding { actor, locale, .. } = self.standing(conn)?;
        let mut tx = Tx::new(conn, actor, &self.app.0, self.request_id.as_str(), P::RULE.operation);
        tx.language = self.language.unwrap_or(locale);
        Ok(tx)
    }
}

/// A caller who has not signed in.
pub struct Public {
    app: AppState,
    request_id: RequestId,
    origin: RequestOrigin,
}

impl FromRequest for Public {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::admit(request))
    }
}

impl Public {
    fn admit(request: &HttpRequest) -> Result<Self> {
        let app = app_state_of(request)?;
        let origin = RequestOrigin { address: address_of(request), user_agent: user_agent_of(request) };
        let quota = app.0.addresses.check(&network_of(origin.address))?;
        request.extensions_mut().insert(quota);
        Ok(Self { app, request_id: RequestId::of(request), origin })
    }

    /// Counts a sign-in attempt against the address, and against the user name at that address.
    pub fn count_sign_in(&self, name: &str) -> Result<()> {
        let address = self.origin.address;
        self.app.0.sign_ins_by_address.check(&network_of(address))?;
        let name = GuessedName { name: name.to_owned(), from: Some(address) };
        self.app.0.sign_ins_by_name.check(&name).map(drop)
    }

    /// Counts an attempt with an unguessable secret, such as an API client's, against the address only, so that nobody
    /// locks out another caller.
    pub fn count_attempt(&self) -> Result<()> {
        self.app.0.sign_ins_by_address.check(&network_of(self.origin.address)).map(drop)
    }

    /// Reads without a snapshot, for a single statement.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        self.app.0.db.off_thread(move |db| db.query(work)).await
    }

    /// Reads in one snapshot, for several statements that must agree with each other.
    pub async fn snapshot<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (app, request_id) = (self.app.clone(), self.request_id.clone());
        let db = self.app.0.db.clone();
        let read = move |conn: &mut Conn| {
            work(&mut Tx::new(conn, Actor::NOBODY, &app.0, request_id.as_str(), "Read"))
        };
        db.off_thread(move |db| db.read(read)).await
    }

    /// Writes one unit on behalf of the actor who is just signing in, or of nobody.
    pub async fn write<T, F>(&self, actor: Actor, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (app, request_id) = (self.app.clone(), self.request_id.clone());
        let db = self.app.0.db.clone();
        db.write_async(move |conn| Tx::new(conn, actor, &app.0, request_id.as_str(), operation).run(&work))
            .await
    }

    /// Issues an access token.
    pub fn issue(&self, subject: TokenSubject, role: Role, epoch: i64) -> Result<String> {
        self.app.0.tokens.issue(subject, role, epoch)
    }

    /// The address of the trusted outside issuer of identities; none where no issuer is trusted.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.app.0.issuer.as_ref().map(Issuer::name)
    }

    /// The person that an identity token of the trusted issuer stands for; none where no issuer is trusted. May ask the
    /// issuer for its keys.
    pub async fn identity(&self, token: &str) -> Result<Option<Identity>> {
        match &self.app.0.issuer {
            Some(issuer) => issuer.verify(token, self.app.0.clock.now()).await.map(Some),
            None => Ok(None),
        }
    }

    /// The address at which people reach the service; no slash at the end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.app.0.mail.public_url
    }

    /// Whether operators need a second factor.
    #[must_use]
    pub fn operators_need_second_factor(&self) -> bool {
        self.app.0.accounts.operators_need_second_factor
    }

    /// The claims of an access token of this service; refuses a token that is not valid now.
    pub fn claims(&self, token: &str) -> Result<Arc<Claims>> {
        self.app.0.tokens.verify(token)
    }

    /// The address and the program the request comes from.
    #[must_use]
    pub fn origin(&self) -> &RequestOrigin {
        &self.origin
    }

    /// The public keys that verify access tokens.
    pub async fn key_set(self) -> Result<JsonWebKeySet> {
        let app = self.app;
        app.0.db.clone().off_thread(move |_| app.0.tokens.key_set()).await
    }

    /// The kind of the database, where the database answers and takes writes, as far as known: nobody waits for the answer.
    pub fn readiness(&self) -> Result<crate::config::DatabaseKind> {
        self.app.readiness()?;
        self.app.kind()
    }

    /// Hashes or compares passwords, off the request threads.
    pub async fn hashing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> T + Send + 'static,
    ) -> Result<T> {
        self.app.hashing(work).await
    }
}

fn app_state_of(request: &HttpRequest) -> Result<AppState> {
    let app = request
        .app_data::<Data<AppState>>()
        .ok_or_else(|| Error::internal("the application state is missing"))?;
    Ok(app.get_ref().clone())
}

fn user_agent_of(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get(header::USER_AGENT)?.to_str().ok()?.trim();
    (!text.is_empty()).then(|| text.chars().take(200).collect())
}

/// The bearer token of a request, from its one `Authorization` field (RFC 6750, 2.1).
fn bearer(request: &HttpRequest) -> Result<&str> {
    let refused = |detail| Error::new(&codes::UNAUTHENTICATED, detail);
    let mut fields = request.headers().get_all(header::AUTHORIZATION);
    let field = fields.next().ok_or_else(|| refused("send Authorization: Bearer <access_token>"))?;
    if fields.next().is_some() {
        return Err(refused("send one Authorization field"));
    }
    let field = field.to_str().map_err(|_| refused("the Authorization field is not text"))?;
    match field.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.contains(' ') => Ok(token),
        _ => Err(refused("send Authorization: Bearer <access_token>")),
    }
}
