//! The extractors that check a caller's authority, and open the application state to the caller.

use super::{
    AppState, Permission, Role, Tx,
    app_state::GuessedName,
    idempotency,
    issuer::Issuer,
    list::FilePlace,
    password::Hasher,
    policy::{self, Policy, Rule},
    refusal::CallerStanding,
    token::Claims,
};
use crate::{
    platform::{
        Error, Result, codes,
        db::{Conn, Done},
        http::{Answer, Body, Reader, Repeatable, RequestId, SignedIn, address_of, network_of},
        values::{Id, Text},
    },
    text,
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
    reader: Reader,
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
        let reader = Reader::of(request);
        // Faults that are found before the unit reads the account are told in the language the token names.
        reader.has_account_in(claims.locale.unwrap_or_default());
        let quota = app.0.users.check(&claims.sub)?;
        request.extensions_mut().insert(quota);
        if let Some(refusal) = P::RULE.refuses_token(&claims) {
            return Err(refusal.error);
        }
        let repeatable = if request.method().is_safe() { None } else { Repeatable::of(request, None)? };
        let request_id = RequestId::of(request);
        Ok(Self { app, claims, request_id, reader, repeatable, policy: PhantomData })
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

    /// Who reads the answer.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
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
                let answer = Answer { language: Some(tx.language), ..work(tx, &value)? };
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
        self.same().read(work).await
    }

    /// Writes one unit before a file is read, for a reading that is an event itself. The reader has the place already: what
    /// is refused for want of a place was not read.
    pub async fn note<F>(&self, _: &FilePlace, work: F) -> Result<()>
    where
        F: Fn(&mut Tx<'_>) -> Result<()> + Send + 'static,
    {
        self.same().act(move |tx| work(tx).map(|()| Answer::nothing())).await.map(drop)
    }

    fn same(&self) -> Self {
        let (app, claims) = (self.app.clone(), Arc::clone(&self.claims));
        let (request_id, reader) = (self.request_id.clone(), self.reader.clone());
        Self { app, claims, request_id, reader, repeatable: None, policy: PhantomData }
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
        self.reader.has_account_in(locale);
        tx.language = self.reader.language();
        Ok(tx)
    }
}

/// The application state of the server that a request has come to.
pub(super) fn app_state_of(request: &HttpRequest) -> Result<AppState> {
    let app = request
        .app_data::<Data<AppState>>()
        .ok_or_else(|| Error::internal("the application state is missing"))?;
    Ok(app.get_ref().clone())
}

/// The bearer token of a request, from its one `Authorization` field (RFC 6750, 2.1).
fn bearer(request: &HttpRequest) -> Result<&str> {
    let refused = |detail: Text| Error::new(&codes::UNAUTHENTICATED, detail);
    let mut fields = request.headers().get_all(header::AUTHORIZATION);
    let field = fields.next().ok_or_else(|| {
        refused(text!(
            "send Authorization: Bearer <access_token>",
            "Authorization: Bearer <access_token> を送信してください。"
        ))
    })?;
    if fields.next().is_some() {
        return Err(refused(text!(
            "send one Authorization field",
            "Authorization ヘッダーは 1 つだけ送信してください。"
        )));
    }
    let field = field.to_str().map_err(|_| {
        refused(text!(
            "the Authorization field is not text",
            "Authorization ヘッダーを文字として読み取れません。"
        ))
    })?;
    match field.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.contains(' ') => Ok(token),
        _ => Err(refused(text!(
            "send Authorization: Bearer <access_token>",
            "Authorization: Bearer <access_token> を送信してください。"
        ))),
    }
}
