//! An operator of a running service.

use crate::running::{Running, command};
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// An operator of a running service.
pub struct Operator {
    /// Where the service listens.
    pub address: String,
    /// The `Authorization` field.
    pub bearer: String,
}

impl Operator {
    const NAME: &str = "olga@programme.example";
    const PASSWORD: &str = "a much longer passphrase";

    /// The first one, with a password of its own.
    fn first_of(service: &Running, temporary: &str) -> Self {
        let nobody = Self { address: service.address.clone(), bearer: String::new() };
        let bearer = nobody.token(temporary);
        let change = json!({"current_password": temporary, "new_password": Self::PASSWORD});
        let url = format!("http://{}/v1/me/password", nobody.address);
        let changed = agent().put(url).header("authorization", &bearer).send_json(change).unwrap();
        assert_eq!(changed.status().as_u16(), 204);
        Self::of(service)
    }

    /// One who has signed in before.
    pub fn of(service: &Running) -> Self {
        let nobody = Self { address: service.address.clone(), bearer: String::new() };
        Self { bearer: nobody.token(Self::PASSWORD), ..nobody }
    }

    fn token(&self, password: &str) -> String {
        let body = json!({"username": Self::NAME, "password": password});
        let url = format!("http://{}/v1/auth/login", self.address);
        let session: Value = agent().post(url).send_json(body).unwrap().body_mut().read_json().unwrap();
        format!("Bearer {}", session["access_token"].as_str().unwrap())
    }

    /// Reads.
    pub fn get(&self, path: &str) -> Value {
        let ask = agent().get(format!("http://{}{path}", self.address)).header("authorization", &self.bearer);
        ask.call().unwrap().body_mut().read_json().unwrap()
    }

    /// Sends.
    pub fn post(&self, path: &str, media: &str, body: impl ureq::AsSendBody) -> Value {
        let ask = agent().post(format!("http://{}{path}", self.address));
        let ask = ask.header("authorization", &self.bearer).header("content-type", media);
        ask.send(body).unwrap().body_mut().read_json().unwrap()
    }

    /// Makes the partner.
    pub fn partner(&self) -> String {
        let partner = json!({
            "mpn_id": "4711001", "legal_name": "Contoso Ltd", "country": "DE", "currency": "EUR",
            "partner_type": "direct_bill", "contact_email": "partner@contoso.example",
        });
        let made = self.post("/v1/partners", "application/json", partner.to_string());
        made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    /// How many sales there are.
    pub fn total(&self) -> i64 {
        self.get("/v1/transactions?limit=1&include_total=true")["total"].as_i64().unwrap()
    }

    /// Waits until the latest import is as wanted.
    pub fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let import = self.get("/v1/transaction-imports?limit=1")["items"][0].clone();
            if wanted(&import) {
                return import;
            }
            assert!(start.elapsed() < Duration::from_secs(180), "still {import}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A client that takes every status for an answer.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

/// The URL of a database in a folder.
pub fn url_in(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("data.db").display())
}

/// A service on a fresh database with an operator of its own.
pub fn started(url: &str) -> (Running, Operator) {
    let made = command(url)
        .args(["user", "create", "--email", Operator::NAME, "--name", "Olga", "--role", "operator"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&made.stdout).into_owned();
    let temporary = said.split("shown this once: ").nth(1).unwrap_or_else(|| panic!("{said}")).trim();
    let service = Running::start_on(url, &["--requests-per-minute", "1000000000", "--body-seconds", "600"]);
    let operator = Operator::first_of(&service, temporary);
    (service, operator)
}

impl Operator {
    /// The status of an answer, and how long it took; none where the connection broke.
    pub fn status_of(&self, method: &str, path: &str, body: Option<&Value>) -> Option<u16> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();
        let url = format!("http://{}{path}", self.address);
        let answer = match (method, body) {
            ("GET", _) => agent.get(url).header("authorization", &self.bearer).call(),
            (_, Some(body)) => agent.post(url).header("authorization", &self.bearer).send_json(body),
            (_, None) => agent.post(url).header("authorization", &self.bearer).send_empty(),
        };
        answer.ok().map(|answer| answer.status().as_u16())
    }

    /// Records a partner with this number; the status of the answer.
    pub fn write(&self, number: u32) -> Option<u16> {
        let partner = json!({
            "mpn_id": (4_800_000 + number).to_string(), "legal_name": "Contoso Ltd", "country": "DE", "currency": "EUR",
            "partner_type": "direct_bill", "contact_email": "partner@contoso.example",
        });
        self.status_of("POST", "/v1/partners", Some(&partner))
    }

    /// The status of the readiness check, which answers within a second. Where this machine has stood still for a moment, it
    /// is asked once more.
    #[track_caller]
    pub fn readiness(&self) -> Option<u16> {
        let mut took = Duration::ZERO;
        for _ in 0..3 {
            let begun = Instant::now();
            let status = self.status_of("GET", "/health/ready", None);
            took = begun.elapsed();
            if took < Duration::from_secs(1) || took < self.limit(Duration::from_secs(1)) {
                return status;
            }
        }
        panic!("readiness took {took:?}, with patience for this machine")
    }

    /// How long something may take that is promised within `promised` on a machine with nothing else to do: this machine's
    /// slowness is what the service takes now to say that it is alive, which waits for nothing.
    pub fn limit(&self, promised: Duration) -> Duration {
        let took = (0..5).map(|_| {
            let begun = Instant::now();
            assert_eq!(self.status_of("GET", "/health/live", None), Some(200));
            begun.elapsed()
        });
        promised + 50 * took.max().unwrap_or_default()
    }

    /// Waits until something holds, with patience for this machine.
    #[track_caller]
    pub fn within(&self, promised: Duration, wanted: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        let mut limit = promised;
        while !holds() {
            if begun.elapsed() > limit {
                limit = limit.max(self.limit(promised));
                assert!(begun.elapsed() < limit, "after {:?} still not: {wanted}", begun.elapsed());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// How long something takes.
pub fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

/// Waits until something holds that nothing is promised of.
#[track_caller]
pub fn wait_until(wanted: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(120), "still not: {wanted}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
