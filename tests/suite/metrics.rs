//! What monitors are told: what waits, what failed, what is in use, and requests as their clients saw them.

use crate::{
    suite::{
        calculation::{Story, flat},
        law::{refuse_earnings_of, take_earnings_again},
        partners::partner,
    },
    support::{World, free_port, statements::behind_the_service, wait_for},
};
use diesel::connection::SimpleConnection;
use partner_incentives::{
    access::Role,
    operations::jobs::refresh,
    platform::db::Conn,
    work::{JobName, Turn},
};
use serde_json::json;
use std::{
    net::SocketAddr,
    sync::{Arc, Barrier, Mutex, mpsc::channel},
    time::Duration,
};

pub fn scraped(world: &World) -> String {
    String::from_utf8(world.nobody().get("/metrics").send().ok().bytes).unwrap()
}

/// The number of a series, such as a gauge; none where the series is not shown.
pub fn number(metrics: &str, series: &str) -> Option<u64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("partner_incentives_{series} ")));
    line.map(|number| number.parse().unwrap_or_else(|_| panic!("{series} is {number}")))
}

#[test]
fn what_waits_is_gathered_once_for_all_who_ask_within_some_seconds() {
    let world = World::with(|settings| {
        // Nobody listens there: mails wait.
        settings.smtp_url = Some("smtp://127.0.0.1:9".parse().unwrap());
        settings.mail_from = Some("incentives@vendor.example".parse().unwrap());
    });
    let story = Story::new(&world, &json!([flat("free", "0.01")]));
    world.on("2018-09-10");
    story.calculate();
    story.sale("e1", "2018-07-01", "100.00 USD");
    world.on("2018-09-11");
    // A second sale does not make the partner wait less.
    story.sale("e2", "2018-07-02", "100.00 USD");
    let another = world.operator().post("/v1/partners", partner(2, "direct_bill")).send().ok().id();
    world.newcomer_of(&another, Role::IncentiveAdmin);
    world.operator().ask("POST", &format!("/v1/partners/{another}/setup/notification")).send().ok();
    let metrics = scraped(&world);
    let shown = |series: &str| number(&metrics, series);
    assert_eq!(shown("database_up"), Some(1), "{metrics}");
    assert_eq!(shown("calculation_backlog_partners"), Some(1));
    assert_eq!(shown("calculation_backlog_oldest_age_seconds"), Some(24 * 3600));
    assert_eq!(shown("calculation_partners_put_aside"), Some(0));
    assert_eq!(shown("imports_at_work"), Some(0));
    assert_eq!((shown("calculation_runs_at_work"), shown("job_runs_at_work")), (Some(0), Some(0)));
    assert!(shown("mails_waiting").is_some_and(|mails| mails > 0), "{metrics}");
    assert_eq!(shown("mails_failed"), Some(0));
    assert_eq!(shown("daily_refresh_success_age_seconds"), None, "there was none yet");
    assert_eq!(shown("database_connections_most"), Some(8));
    assert!(shown("database_connections_in_use") <= shown("database_connections"));
    let is_sqlite = world.service.db.reads_in_place();
    assert_eq!(shown("sqlite_write_queue_length").is_some(), is_sqlite, "{metrics}");
    world.on("2018-09-12");
    let later = scraped(&world);
    let age = number(&later, "calculation_backlog_oldest_age_seconds");
    assert_eq!(age, Some(24 * 3600), "the same scrape storm asks the database once");
}

#[test]
fn what_failed_and_what_is_at_work_is_counted() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.10")]));
    world.on("2018-08-20");
    refuse_earnings_of(&story);
    story.sale("1", "2018-08-02", "100.00");
    assert_eq!(story.calculate()["put_aside"], 1);
    take_earnings_again(&story);
    let imports = world.operator().ask("POST", "/v1/transaction-imports");
    imports.bytes("application/x-ndjson", b"{}".to_vec()).send().ok();
    // Nobody goes on with the import and the run that are at work again.
    let take = |job| Turn::wait_for(&world.service.app, job, Duration::from_secs(30)).unwrap().unwrap();
    let _turns = [JobName::TransactionImports, JobName::Calculation].map(take);
    let mut conn = world.service.db.target().open().unwrap();
    let at_work = "UPDATE transaction_imports SET state = 'receiving', failure = NULL, finished_at = NULL; \
                   UPDATE calculation_runs SET state = 'running', finished_at = NULL;";
    behind_the_service(|| conn.batch_execute(at_work)).unwrap();

    let metrics = std::thread::scope(|scope| {
        let (db, begun, (let_go, waits)) = (&world.service.db, Arc::new(Barrier::new(2)), channel::<()>());
        let (begins, waits) = (Arc::clone(&begun), Mutex::new(waits));
        scope.spawn(move || {
            let hold = move |_: &mut Conn| {
                begins.wait();
                _ = waits.lock().unwrap().recv();
                Ok(())
            };
            db.write(hold).unwrap();
        });
        begun.wait();
        if db.reads_in_place() {
            scope.spawn(|| db.write(|_| Ok(())).unwrap());
            wait_for("a unit waits", || match db.load().queued {
                Some(1..) => Ok(()),
                other => Err(format!("{other:?}")),
            });
        }
        let metrics = scraped(&world);
        drop(let_go);
        metrics
    });
    let shown = |series: &str| number(&metrics, series);
    assert_eq!(shown("calculation_partners_put_aside"), Some(1), "{metrics}");
    assert_eq!((shown("imports_at_work"), shown("calculation_runs_at_work")), (Some(1), Some(1)));
    if world.service.db.reads_in_place() {
        assert!(shown("sqlite_write_queue_length") > Some(0), "{metrics}");
    }
}

#[test]
fn the_age_of_the_last_daily_refresh_that_did_everything_is_told() {
    let world = World::new();
    refresh::run_now(&world.service.app, |_| ()).unwrap();
    world.on("2018-07-03");
    let metrics = scraped(&world);
    assert_eq!(number(&metrics, "daily_refresh_success_age_seconds"), Some(2 * 24 * 3600), "{metrics}");
}

#[test]
fn a_database_that_is_away_is_told_and_fails_no_scrape() {
    let world = World::with(|settings| settings.database_connections = 1);
    world.nobody().get("/health/live").send().ok();
    let metrics = world.service.db.query(|_| Ok(scraped(&world))).unwrap();
    assert_eq!(number(&metrics, "database_up"), Some(0), "{metrics}");
    assert_eq!(number(&metrics, "calculation_backlog_partners"), None, "no number is better than an old one");
    assert_eq!(number(&metrics, "database_connections_in_use"), Some(1));
    assert!(metrics.contains("http_requests_total"), "{metrics}");
}

#[test]
fn requests_are_counted_as_their_clients_saw_them() {
    let world = World::with(|settings| settings.allowed_origins = vec!["https://portal.example".into()]);
    let operator = world.operator();
    let made = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok();
    let path = format!("/v1/partners/{}", made.id());
    operator.ask("HEAD", &path).send();
    let unchanged = operator.get(&path).header("if-none-match", &made.etag()).send();
    assert_eq!(unchanged.status, 304);
    let preflight = world.nobody().ask("OPTIONS", "/v1/partners").header("origin", "https://portal.example");
    preflight.header("access-control-request-method", "POST").send();
    world.operator().get(&path).header("accept", "image/png").send().refused(406, "not_acceptable");
    let metrics = scraped(&world);
    for (endpoint, method, status) in [
        ("/v1/partners", "POST", 201),
        ("/v1/partners/{id}", "HEAD", 200),
        ("/v1/partners/{id}", "GET", 304),
        ("/v1/partners", "OPTIONS", 200),
        ("/v1/partners/{id}", "GET", 406),
    ] {
        let labels = format!("{{endpoint=\"{endpoint}\",method=\"{method}\",status=\"{status}\"}}");
        assert_eq!(number(&metrics, &format!("http_requests_total{labels}")), Some(1), "{labels}\n{metrics}");
        let seconds = format!("http_requests_duration_seconds_count{labels}");
        assert_eq!(number(&metrics, &seconds), Some(1), "{labels}\n{metrics}");
    }
}

#[test]
fn the_metrics_can_have_an_address_of_their_own() {
    let free: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let world = World::with(|settings| settings.metrics_listen = Some(free));
    world.nobody().get("/metrics").send().refused(404, "not_found");
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let get = |path: &str| {
        let mut answer = agent.get(format!("http://{free}{path}")).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    let (status, metrics) = get("/metrics");
    assert_eq!((status, number(&metrics, "database_up")), (200, Some(1)), "{metrics}");
    assert!(metrics.contains("status=\"404\""), "the requests of the service: {metrics}");
    assert_eq!(get("/v1/partners").0, 404, "and nothing else");
    assert_eq!(get("/health/live").0, 404);
}

#[test]
fn runs_of_the_engine_are_counted_and_a_file_is_counted_as_a_request() {
    let world = World::new();
    let runs = |job: &str| number(&scraped(&world), &format!("job_runs_total{{job=\"{job}\"}}"));
    // A row nobody can read: the job's turn is taken all the same.
    let file = b"{}".to_vec();
    world.operator().ask("POST", "/v1/transaction-imports").bytes("application/x-ndjson", file).send().ok();
    world.clock.set(world.clock.now().plus_seconds(3600));
    wait_for("the sweep has run", || runs("expiry-sweep").map(drop).ok_or_else(|| scraped(&world)));
    assert_eq!(runs("transaction-imports"), None);
    let metrics = scraped(&world);
    let help = metrics.lines().find(|line| line.starts_with("# HELP partner_incentives_job_runs_total"));
    assert!(help.is_some_and(|help| help.contains("imported over HTTP is a request")), "{metrics}");
    assert!(metrics.contains("/v1/transaction-imports"), "{metrics}");
}
