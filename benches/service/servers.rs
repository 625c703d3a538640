//! The servers that are measured, each in a process of its own: the service, a static answer, and the floor, which
//! answers the same by hand: the same statements and the same durability; no contract, no audit trail, no
//! idempotency, no limits, no header fields but its body's.

use crate::{data, statements};
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    rt::System,
    web::{self, Bytes, Data, Path},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use diesel::connection::SimpleConnection;
use partner_incentives::{
    app::{self, Service},
    network::partners::{Partner, PartnerStatus, PartnerType, PartnerView},
    platform::{
        db::{Conn, Target},
        values::{Clock, Country, Currency, Id, Ids},
    },
};
use serde::{Deserialize, Serialize};
use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};
use tokio::sync::oneshot;

/// Threads that answer.
const WORKERS: usize = 2;

/// A server in another process. It stops when this is dropped.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What lets one in; for the service.
    pub token: String,
    process: Child,
}

impl Running {
    /// Starts one: `static`, `service` or `floor`.
    pub fn start(kind: &str, database: Option<&data::Database>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["serve", kind]).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(database) = database {
            let url = match &database.target {
                Target::Sqlite(path) => format!("sqlite://{}", path.display()),
                Target::Postgres(url) => url.clone(),
            };
            command.args([url, database.operator.to_string()]);
        }
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let (address, token) = line.trim().split_once(' ').expect("the server says where it is");
        Self { address: address.parse().unwrap(), token: token.to_owned(), process }
    }

    /// Processor time it has used so far, in microseconds.
    pub fn cpu(&self) -> f64 {
        crate::cpu_of(self.process.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

/// What the process does that `Running::start` starts.
pub fn serve(arguments: &[String]) {
    // However the parent ends, the pipe closes, and this process with it.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let database = || -> (Target, Id) { (arguments[1].parse().unwrap(), arguments[2].parse().unwrap()) };
    let ready = |token: &str| {
        println!("{address} {token}");
        std::io::stdout().flush().unwrap();
    };
    match arguments[0].as_str() {
        "static" => {
            ready("none");
            let factory = || App::new().route("/v1/partners/{id}", web::get().to(canned));
            let server = HttpServer::new(factory).workers(WORKERS).listen(listener).unwrap();
            System::new().block_on(server.run()).unwrap();
        }
        "service" => {
            let (target, operator) = database();
            let service = Service::open(data::settings(target)).unwrap();
            ready(&service.token_for(operator).unwrap());
            System::new()
                .block_on(async { app::listen(service, listener).unwrap().until_stopped().await })
                .unwrap();
        }
        _ => {
            let (target, operator) = database();
            ready(&Service::open(data::settings(target.clone())).unwrap().token_for(operator).unwrap());
            serve_floor(target, operator, listener);
        }
    }
}

async fn canned() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(
        r#"{"id":"01936f2e-4b00-7000-8000-000000000001","mpn_id":"4567890","legal_name":"Contoso Cloud GmbH","country":"DE","currency":"EUR","partner_type":"direct_bill","headquarters_id":null,"contact_email":"partners@contoso.example","status":"active","allowed_transitions":["suspension","closure"],"created_at":"2026-07-01T09:30:00.000000Z","updated_at":"2026-07-01T09:30:00.000000Z","revision":1}"#,
    )
}

struct Floor {
    target: Target,
    /// A connection per worker: reads happen on the worker itself, on both databases.
    conn: RefCell<Conn>,
    ids: Ids,
    user: Id,
    /// The one token that it takes; a look-up of a verified token costs as much.
    token: RefCell<String>,
    /// SQLite only.
    writer: Option<SyncSender<(Partner, oneshot::Sender<()>)>>,
}

fn serve_floor(target: Target, user: Id, listener: TcpListener) {
    let writer = matches!(target, Target::Sqlite(_)).then(|| {
        let (jobs, queue) = sync_channel(2048);
        let conn = statements::connect(&target);
        std::thread::spawn(move || write(conn, user, &queue));
        jobs
    });
    let factory = move || {
        let floor = Floor {
            target: target.clone(),
            conn: RefCell::new(statements::connect(&target)),
            ids: Ids::random(),
            user,
            token: RefCell::default(),
            writer: writer.clone(),
        };
        App::new()
            .app_data(Data::new(floor))
            .route("/v1/partners", web::get().to(list))
            .route("/v1/partners", web::post().to(create))
            .route("/v1/partners/{id}", web::get().to(read))
    };
    let server = HttpServer::new(factory).workers(WORKERS).worker_max_blocking_threads(16);
    System::new().block_on(server.listen(listener).unwrap().run()).unwrap();
}

impl Floor {
    /// The first token is believed: its signature would be checked once and remembered.
    fn admit(&self, request: &HttpRequest) {
        let field = request.headers().get("authorization").unwrap().to_str().unwrap();
        let mut known = self.token.borrow_mut();
        if known.is_empty() {
            field.clone_into(&mut known);
        }
        assert_eq!(field, *known);
    }
}

async fn read(request: HttpRequest, floor: Data<Floor>, id: Path<String>) -> HttpResponse {
    floor.admit(&request);
    let conn = &mut floor.conn.borrow_mut();
    statements::check_user(conn, floor.user);
    let partner = statements::read(conn, id.parse().unwrap());
    let revision = format!("\"{}\"", partner.revision);
    HttpResponse::Ok().insert_header(("etag", revision)).json(PartnerView::from(partner))
}

#[derive(Deserialize)]
struct Query {
    cursor: String,
}

#[derive(Serialize)]
struct Page {
    items: Vec<PartnerView>,
    next_cursor: Option<String>,
}

async fn list(request: HttpRequest, floor: Data<Floor>, query: web::Query<Query>) -> HttpResponse {
    #[derive(Deserialize)]
    struct Cursor {
        i: Id,
    }
    floor.admit(&request);
    let cursor: Cursor =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(&query.cursor).unwrap()).unwrap();
    let conn = &mut floor.conn.borrow_mut();
    statements::check_user(conn, floor.user);
    let mut items = statements::list(conn, cursor.i);
    items.truncate(50);
    let next_cursor = items.last().map(|last| BASE64_URL_SAFE_NO_PAD.encode(last.id.to_string()));
    HttpResponse::Ok().json(Page { items: items.into_iter().map(PartnerView::from).collect(), next_cursor })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    mpn_id: String,
    legal_name: String,
    country: Country,
    currency: Currency,
    partner_type: PartnerType,
    contact_email: String,
}

async fn create(request: HttpRequest, floor: Data<Floor>, body: Bytes) -> HttpResponse {
    floor.admit(&request);
    let new: New = serde_json::from_slice(&body).unwrap();
    let digits = (6..=10).contains(&new.mpn_id.len()) && new.mpn_id.bytes().all(|b| b.is_ascii_digit());
    let sound = (1..=200).contains(&new.legal_name.trim().len()) && new.contact_email.contains('@');
    assert!(digits && sound, "the load sends what is valid");
    let now = Clock::System.now();
    let partner = Partner {
        id: floor.ids.next(now),
        mpn_id: new.mpn_id,
        legal_name: new.legal_name,
        country: new.country,
        currency: new.currency,
        partner_type: new.partner_type,
        headquarters_id: None,
        headquarters_since: None,
        contact_email: new.contact_email,
        status: PartnerStatus::Active,
        created_at: now,
        updated_at: now,
        revision: 1,
    };
    if let Some(writer) = &floor.writer {
        let (tell, hear) = oneshot::channel();
        writer.try_send((partner.clone(), tell)).unwrap();
        hear.await.unwrap();
    } else {
        let (target, user, partner) = (floor.target.clone(), floor.user, partner.clone());
        web::block(move || {
            thread_local!(static CONN: RefCell<Option<Conn>> = const { RefCell::new(None) });
            CONN.with_borrow_mut(|conn| {
                let conn = conn.get_or_insert_with(|| statements::connect(&target));
                statements::check_user(conn, user);
                statements::create(conn, &partner);
            });
        })
        .await
        .unwrap();
    }
    let location = format!("/v1/partners/{}", partner.id);
    HttpResponse::Created().insert_header(("location", location)).json(PartnerView::from(partner))
}

/// SQLite's one writer: what waits shares a commit.
fn write(mut conn: Conn, user: Id, queue: &Receiver<(Partner, oneshot::Sender<()>)>) {
    while let Ok(first) = queue.recv() {
        conn.batch_execute("BEGIN IMMEDIATE").unwrap();
        let done: Vec<_> = std::iter::once(first)
            .chain(queue.try_iter())
            .take(256)
            .map(|(partner, tell)| {
                statements::check_user(&mut conn, user);
                statements::create(&mut conn, &partner);
                tell
            })
            .collect();
        conn.batch_execute("COMMIT").unwrap();
        for tell in done {
            let _ = tell.send(());
        }
    }
}
