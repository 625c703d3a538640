//! A world for one story: a database, a clock that stands still, and the service answering over HTTP.

use super::{
    client::Client,
    database::{Database, Staff, person},
};
use actix_web::{dev::ServerHandle, rt::System};
use partner_incentives::{
    access::Role,
    app::{self, Service},
    config::Settings,
    platform::values::{CalendarDate, Clock, Id, Ids, Timestamp},
    users,
};
use std::{net::TcpListener, sync::mpsc::sync_channel, thread::JoinHandle, time::Duration};

/// One running service and what surrounds it. It stops when this is dropped.
pub struct World {
    /// Where it is; no slash at the end.
    pub base: String,
    /// The service, for what no operation offers.
    pub service: Service,
    /// Stands until it is set.
    pub clock: Clock,
    /// Counts up, so that ids are the same in every run.
    pub ids: Ids,
    staff: Staff,
    agent: ureq::Agent,
    server: Running,
    /// Last: it goes after everything that uses it.
    #[expect(dead_code, reason = "held for its drop")]
    database: Database,
}

impl World {
    /// A world at noon on 1 July 2018, the first day of a programme year.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same world, set up otherwise.
    pub fn with(set: impl FnOnce(&mut Settings)) -> Self {
        let (database, staff) = Database::prepared();
        let clock = Clock::standing_at(noon("2018-07-01"));
        let ids = Ids::counting();
        let mut settings = Settings::for_tests(database.target.clone(), clock.clone(), ids.clone());
        set(&mut settings);
        let service = Service::open(settings).expect("open the service");
        let listener = TcpListener::bind("127.0.0.1:0").expect("find a free port");
        let base = format!("http://{}", listener.local_addr().expect("the port"));
        let server = Running::start(service.clone(), listener);
        Self { base, service, clock, ids, staff, agent: agent(), server, database }
    }

    /// Makes it noon in UTC on a date such as `2018-11-20`.
    pub fn on(&self, date: &str) {
        self.clock.set(noon(date));
    }

    /// Someone who has not signed in.
    pub fn nobody(&self) -> Client {
        Client::new(self.agent.clone(), self.base.clone(), None)
    }

    /// The vendor's operator.
    pub fn operator(&self) -> Client {
        self.signed_in(self.staff.operator)
    }

    /// The vendor's auditor.
    pub fn auditor(&self) -> Client {
        self.signed_in(self.staff.auditor)
    }

    /// A new incentive admin of the partner with this id.
    pub fn admin_of(&self, partner: &str) -> Client {
        self.works_for(partner, "admin", Role::IncentiveAdmin)
    }

    /// A new viewer of the partner with this id.
    pub fn viewer_of(&self, partner: &str) -> Client {
        self.works_for(partner, "viewer", Role::Viewer)
    }

    fn works_for(&self, partner: &str, name: &str, role: Role) -> Client {
        let partner: Id = partner.parse().expect("the id of a partner");
        let email = format!("{name}-{}@partner.example", self.ids.next(self.clock.now()));
        let user = users::provision(&self.service.gate, person(&email, name, role, Some(partner)));
        self.signed_in(user.expect("add a user"))
    }

    fn signed_in(&self, user: Id) -> Client {
        Client::new(self.agent.clone(), self.base.clone(), Some((self.service.clone(), user)))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.stop();
        self.service.db.close();
    }
}

fn noon(date: &str) -> Timestamp {
    let date: CalendarDate = date.parse().expect("a date such as 2018-11-20");
    format!("{date}T12:00:00Z").parse().expect("noon of a date")
}

/// Connections are kept and reused; what the service answers is taken as it is.
fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(30)))
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
                let server = app::listen(service, listener).expect("listen");
                tell.send(server.handle()).expect("the story waits");
                server.await.expect("serve");
            });
        });
        Self { handle: started.recv().expect("the server starts"), thread: Some(thread) }
    }

    fn stop(&mut self) {
        // The order is given at once; what is returned only waits for it, as the join does too.
        drop(self.handle.stop(false));
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.expect("stopped once").expect("the server ends in order");
        }
    }
}
