//! The extractor for callers who have not signed in.

use super::{
    Actor, AppState, Identity, JsonWebKeySet, Role, TokenSubject, Tx, app_state::GuessedName,
    caller::app_state_of, issuer::Issuer, origin::RequestOrigin, password::Hasher, token::Claims,
};
use crate::platform::{
    Result,
    db::Conn,
    http::{RequestId, address_of, network_of},
};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header};
use std::{
    future::{Ready, ready},
    sync::Arc,
};

/// A caller who has not signed in.
pub struct Public {
    app: AppState,
    request_id: RequestId,
    origin: RequestOrigin,
}

impl FromRequest for Public {
    type Error = crate::platform::Error;
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

    /// Counts a request for a new password against the address, and against the user name from all addresses together.
    pub fn count_reset_request(&self, name: &str) -> Result<()> {
        self.app.0.sign_ins_by_address.check(&network_of(self.origin.address))?;
        let name = GuessedName { name: format!("reset {name}"), from: None };
        self.app.0.sign_ins_by_name.check(&name).map(drop)
    }

    /// Wakes the engine of background work, for what the request has left to be done.
    pub fn wake(&self) {
        self.app.wake();
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

fn user_agent_of(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get(header::USER_AGENT)?.to_str().ok()?.trim();
    (!text.is_empty()).then(|| text.chars().take(200).collect())
}
