//! The extractors that check authority, and hand out what it opens.

use super::{
    Actor, Gate, Role, Subject, Tx, idempotency, policy::Policy, standing, token::Claims,
    token::JsonWebKeySet,
};
use crate::platform::{
    Error, Result, codes,
    db::Conn,
    http::{Answer, Body, RequestId},
    values::Id,
};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web::Data};
use std::{
    future::{Ready, ready},
    marker::PhantomData,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

/// A caller with a good token whose role the policy lets in. The first argument of every guarded handler,
/// so that 401 and 403 win over whatever else is wrong with the request.
pub struct Caller<P> {
    gate: Gate,
    claims: Arc<Claims>,
    request_id: RequestId,
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
        let gate = gate_of(request)?;
        let claims = bearer(request).and_then(|token| gate.0.tokens.verify(token)).map_err(|error| {
            // Guessing tokens costs the address its quota.
            match gate.0.addresses.check(&address_of(request)) {
                Ok(_) => error,
                Err(too_many) => too_many,
            }
        })?;
        let quota = gate.0.users.check(&claims.sub)?;
        request.extensions_mut().insert(quota);
        P::RULE.admits(claims.role)?;
        P::RULE.grants(&claims)?;
        Ok(Self { gate, claims, request_id: RequestId::of(request), policy: PhantomData })
    }

    /// The id of the user or the client.
    #[must_use]
    pub fn id(&self) -> Id {
        self.claims.sub
    }

    /// The user's role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.claims.role
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.request_id.as_str()
    }

    /// The gate, for work that goes on when the answer is sent: the service itself does it.
    #[must_use]
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Reads by one statement, which needs no snapshot.
    pub async fn read<T, F>(self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let db = self.gate.0.db.clone();
        db.off_thread(move |db| db.glance(|conn| work(&mut self.enter(conn)?))).await
    }

    /// Reads by several statements that must agree with each other.
    pub async fn snapshot<T, F>(self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let db = self.gate.0.db.clone();
        db.off_thread(move |db| db.read(|conn| work(&mut self.enter(conn)?))).await
    }

    /// Reads one page: by one statement, or by two that must agree where the page comes with its list's total.
    pub async fn read_page<T, F>(self, with_total: bool, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        if with_total { self.snapshot(work).await } else { self.read(work).await }
    }

    /// Writes: one serialisable unit with its audit event and, where the request carries an idempotency key,
    /// its stored answer.
    pub async fn write<B, F>(self, body: Body<B>, work: F) -> Result<Answer>
    where
        B: Send + Sync + 'static,
        F: Fn(&mut Tx<'_>, &B) -> Result<Answer> + Send + 'static,
    {
        let db = self.gate.0.db.clone();
        let Body { value, repeatable } = body;
        let this = Arc::new((self, repeatable));
        let known = Arc::clone(&this);
        let look = move |conn: &mut Conn| {
            let (caller, Some((key, fingerprint))) = &*known else { return Ok(None) };
            let now = caller.gate.0.clock.now();
            match idempotency::recall(conn, now, caller.claims.sub, key, fingerprint) {
                Ok(None) => Ok(None),
                // Whatever it is, it is told to nobody who has been barred since.
                found => caller.enter(conn).and(found),
            }
        };
        let unit = move |conn: &mut Conn| {
            let (caller, repeatable) = &*this;
            let mut tx = caller.enter(conn)?;
            let answer = work(&mut tx, &value)?;
            tx.settle(caller.gate.0.settle)?;
            if let Some((key, fingerprint)) = repeatable {
                idempotency::remember(&mut tx, caller.claims.sub, key, fingerprint, &answer)?;
            }
            Ok(answer)
        };
        db.write_unless(look, unit).await
    }

    /// Writes for a request without a body, such as a deletion.
    pub async fn act<F>(self, work: F) -> Result<Answer>
    where
        F: Fn(&mut Tx<'_>) -> Result<Answer> + Send + 'static,
    {
        self.write(Body { value: (), repeatable: None }, move |tx, ()| work(tx)).await
    }

    /// Reads before the unit what its slow preparation needs, such as a password's hash.
    pub async fn peek<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (gate, claims) = (self.gate.clone(), Arc::clone(&self.claims));
        let same = Self { gate, claims, request_id: self.request_id.clone(), policy: PhantomData };
        same.read(work).await
    }

    /// Counts a guess at the caller's own password as a sign-in attempt.
    pub fn count_guess(&self) -> Result<()> {
        self.gate.0.sign_ins_by_name.check(&self.claims.sub.to_string()).map(drop)
    }

    /// Hashes or compares passwords, off the request threads.
    pub async fn hashing<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        self.gate.hashing(work).await
    }

    /// Who calls, as of now: whoever is barred, or whose tokens were revoked, is out although the token is good.
    fn enter<'a>(&'a self, conn: &'a mut Conn) -> Result<Tx<'a>> {
        let now = self.gate.0.clock.now();
        let actor = match self.claims.client_id {
            Some(_) => standing::of_client(conn, &self.claims, now)?,
            None => standing::of_user(conn, &self.claims, &P::RULE, &self.gate.0.accounts)?,
        };
        Ok(Tx::new(conn, actor, (now, &self.gate.0.ids), self.request_id.as_str(), P::RULE.operation))
    }
}

/// Somebody who has not signed in.
pub struct Public {
    gate: Gate,
    request_id: RequestId,
    address: IpAddr,
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
        let gate = gate_of(request)?;
        let address = address_of(request);
        let quota = gate.0.addresses.check(&address)?;
        request.extensions_mut().insert(quota);
        Ok(Self { gate, request_id: RequestId::of(request), address })
    }

    /// Counts a sign-in attempt against the address and against the name.
    pub fn count_sign_in(&self, name: &str) -> Result<()> {
        self.gate.0.sign_ins_by_address.check(&self.address)?;
        self.gate.0.sign_ins_by_name.check(&name.to_owned()).map(|_| ())
    }

    /// Reads by one statement.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    {
        self.gate.0.db.off_thread(move |db| db.glance(work)).await
    }

    /// Writes on behalf of an actor that the sign-in has just made known, or of nobody.
    pub async fn write<T, F>(&self, actor: Actor, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (gate, request_id) = (self.gate.clone(), self.request_id.clone());
        let db = self.gate.0.db.clone();
        db.write_async(move |conn| {
            let moment = (gate.0.clock.now(), &gate.0.ids);
            let mut tx = Tx::new(conn, actor, moment, request_id.as_str(), operation);
            let done = work(&mut tx)?;
            tx.settle(gate.0.settle)?;
            Ok(done)
        })
        .await
    }

    /// Issues an access token.
    pub fn issue(&self, subject: Subject, role: Role, epoch: i64) -> Result<String> {
        self.gate.0.tokens.issue(subject, role, epoch)
    }

    /// From where the request came.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The public keys.
    pub async fn key_set(self) -> Result<JsonWebKeySet> {
        let gate = self.gate;
        gate.0.db.clone().off_thread(move |_| gate.0.tokens.key_set()).await
    }

    /// Whether the database answers.
    pub async fn ping(self) -> Result<()> {
        actix_web::web::block(move || self.gate.ping()).await.map_err(Error::unavailable)?
    }

    /// Hashes or compares passwords, off the request threads.
    pub async fn hashing<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        self.gate.hashing(work).await
    }
}

fn gate_of(request: &HttpRequest) -> Result<Gate> {
    let gate = request.app_data::<Data<Gate>>().ok_or_else(|| Error::internal("the gate is missing"))?;
    Ok(gate.get_ref().clone())
}

fn address_of(request: &HttpRequest) -> IpAddr {
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip())
}

/// The bearer token of a request: one field, one token (RFC 6750, 2.1).
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
