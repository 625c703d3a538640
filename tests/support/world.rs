//! A world for one story: a database, a clock that stands still, and the service answering over HTTP.

use super::{
    client::Client,
    database::{Database, Staff, person},
    secrets::{self, Numbers},
};
use actix_web::{dev::ServerHandle, rt::System};
use diesel::prelude::*;
use partner_incentives::{
    access::{Role, TokenSubject},
    app::{self, Service},
    config::Settings,
    identity::users,
    platform::{
        db::{Conn, Target, types::Json},
        objects::StoreAddress,
        values::{CalendarDate, Clock, Id, Ids, Timestamp},
    },
};
use std::{
    net::TcpListener,
    sync::{Arc, mpsc::sync_channel},
    thread::JoinHandle,
    time::Duration,
};

/// A running service with its clock, ids, staff and database. The service stops when this value is dropped.
pub struct World {
    /// The address of the service; no slash at the end.
    pub base: String,
    /// The service itself, for steps that no operation offers.
    pub service: Service,
    /// The clock of the service, which stands until a story sets it.
    pub clock: Clock,
    /// The source of ids, which counts up, so that ids are the same in every run.
    pub ids: Ids,
    /// The account and tax numbers that the story has sent.
    pub numbers: Arc<Numbers>,
    staff: Staff,
    agent: ureq::Agent,
    server: Running,
    /// The folder of the files that the story sends.
    #[expect(dead_code, reason = "the folder is there until the story ends")]
    files: tempfile::TempDir,
    /// The last field, so that the database is dropped after everything that uses it.
    database: Option<Database>,
}

impl World {
    /// A world at noon on 1 July 2018, the first day of a programme year.
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    /// A world at the same time with changed settings.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        secrets::watch_the_log();
        let (database, staff) = Database::prepared();
        let clock = Clock::standing_at(noon("2018-07-01"));
        let ids = Ids::counting();
        let mut settings = Settings::for_tests(database.target.clone(), clock.clone(), ids.clone());
        let files = tempfile::tempdir().expect("a folder");
        settings.proof_store = Some(StoreAddress::Folder(files.path().join("proofs")));
        let listener = TcpListener::bind("127.0.0.1:0").expect("find a free port");
        settings.listen = listener.local_addr().expect("the port");
        let base = format!("http://{}", settings.listen);
        change(&mut settings);
        let service = Service::open(settings).expect("open the service");
        let server = Running::start(service.clone(), listener);
        let numbers = Arc::default();
        let (agent, database) = (agent(), Some(database));
        Self { base, service, clock, ids, numbers, staff, agent, server, files, database }
    }

    /// Sets the clock to noon in UTC on a date such as `2018-11-20`.
    pub fn on(&self, date: &str) {
        self.clock.set(noon(date));
    }

    /// Stops the service and hands over its database.
    pub fn leave(mut self) -> Database {
        self.database.take().expect("left once")
    }

    /// A client who has not signed in.
    pub fn nobody(&self) -> Client {
        Client::new(self.agent.clone(), self.base.clone(), None, Arc::clone(&self.numbers))
    }

    /// The vendor's operator.
    pub fn operator(&self) -> Client {
        self.signed_in(self.staff.operator)
    }

    /// Another operator of the vendor.
    pub fn another_operator(&self) -> Client {
        let new = person("second@vendor.example", "Otto Operator", Role::Operator, None);
        self.signed_in(users::provision(&self.service.app, new).expect("hire"))
    }

    /// The vendor's auditor.
    pub fn auditor(&self) -> Client {
        self.signed_in(self.staff.auditor)
    }

    /// A new incentive admin of the partner with this id, whose set-up is completed.
    pub fn admin_of(&self, partner: &str) -> Client {
        self.set_up(partner);
        self.newcomer_of(partner, Role::IncentiveAdmin)
    }

    /// A new viewer of the partner with this id, whose set-up is completed.
    pub fn viewer_of(&self, partner: &str) -> Client {
        self.set_up(partner);
        self.newcomer_of(partner, Role::Viewer)
    }

    /// A new user of the partner with this id, whose set-up is left as it is.
    pub fn newcomer_of(&self, partner: &str, role: Role) -> Client {
        let email = format!("{role}-{}@partner.example", self.ids.next(self.clock.now()));
        let new = person(&email, role.as_str(), role, Some(partner.parse().expect("the id of a partner")));
        self.signed_in(users::provision(&self.service.app, new).expect("add a user"))
    }

    /// An API client with these scopes, separated by spaces; of a partner, or of the vendor.
    pub fn api_client(&self, role: Role, partner: Option<&str>, scopes: &str) -> Client {
        let (id, now) = (self.ids.next(self.clock.now()), self.clock.now());
        let partner: Option<Id> = partner.map(|partner| partner.parse().expect("the id of a partner"));
        let listed = Json(serde_json::json!(scopes.split(' ').collect::<Vec<_>>()));
        let make = move |conn: &mut Conn| {
            use partner_incentives::schema::api_clients::dsl as column;
            diesel::insert_into(column::api_clients)
                .values((
                    (column::id.eq(id), column::name.eq("Integration"), column::role.eq(role)),
                    (column::partner_id.eq(partner), column::scopes.eq(listed.clone())),
                    (column::status.eq("active"), column::token_epoch.eq(1), column::revision.eq(1)),
                    (column::created_at.eq(now), column::updated_at.eq(now)),
                ))
                .execute(conn)?;
            Ok(())
        };
        self.service.db.write(make).expect("add an API client");
        let subject = TokenSubject::Client { id, scope: scopes.to_owned() };
        let token = self.service.app.tokens().issue(subject, role, 1).expect("a token");
        self.nobody().with_token(&token)
    }

    /// Completes the set-up of a partner, so that its people see its data.
    fn set_up(&self, partner: &str) {
        let (partner, now): (Id, _) = (partner.parse().expect("the id of a partner"), self.clock.now());
        let complete = move |conn: &mut Conn| {
            use partner_incentives::schema::partner_setups::dsl as column;
            let known: i64 = column::partner_setups.find(partner).count().get_result(conn)?;
            if known == 0 {
                diesel::insert_into(column::partner_setups)
                    .values((
                        (column::partner_id.eq(partner), column::state.eq("completed")),
                        (column::list_sent_at.eq(now), column::completed_at.eq(now)),
                        (column::created_at.eq(now), column::updated_at.eq(now), column::revision.eq(2)),
                    ))
                    .execute(conn)?;
            }
            Ok(())
        };
        self.service.db.write(complete).expect("complete the set-up");
    }

    /// A user of the service, signed in.
    pub fn signed_in(&self, user: Id) -> Client {
        let user = Some((self.service.clone(), user));
        Client::new(self.agent.clone(), self.base.clone(), user, Arc::clone(&self.numbers))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.stop();
        let hidden = |world: &Self| {
            if !std::thread::panicking() {
                world.numbers.expect_hidden(world.service.db.target());
            }
        };
        // The log of SQLite is in its file afterwards.
        hidden(self);
        self.service.db.close();
        if matches!(self.service.db.target(), Target::Sqlite(_)) {
            hidden(self);
        }
    }
}

fn noon(date: &str) -> Timestamp {
    let date: CalendarDate = date.parse().expect("a date such as 2018-11-20");
    format!("{date}T12:00:00Z").parse().expect("noon of a date")
}

/// An HTTP agent that reuses connections, and takes every status and redirect as the answer.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(120)))
        .build()
        .into()
}

/// A server on a thread of its own.
struct Running {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(service: Service, listener: TcpListener) -> Self {
        let (tell, started) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            System::new().block_on(async {
                let serving = app::listen(service, listener).expect("listen");
                tell.send(serving.handle()).expect("the story waits");
                serving.until_stopped().await.expect("serve");
            });
        });
        Self { handle: started.recv().expect("the server starts"), thread: Some(thread) }
    }

    fn stop(&mut self) {
        // `stop` gives the order at once; the returned future only waits for the end, as the join below does.
        drop(self.handle.stop(false));
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.expect("stopped once").expect("the server ends in order");
        }
    }
}
