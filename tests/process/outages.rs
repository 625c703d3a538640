//! PostgreSQL goes away, is frozen, or turns into a standby: the service says so at once, and recovers by itself.

use crate::{
    operator::{Operator, started, timed},
    postgres::{Gate, Postgres, url_at},
};
use serde_json::json;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Behind a gate, with an operator who has written.
fn behind_a_gate() -> Option<(Postgres, Gate, crate::running::Running, Operator)> {
    let server = Postgres::start()?;
    let gate = Gate::to(server.port);
    let (service, operator) = started(&url_at(gate.port));
    assert_eq!((operator.write(0), operator.readiness()), (Some(201), Some(200)));
    Some((server, gate, service, operator))
}

/// Writes until the first write succeeds; every refusal on the way is 503.
#[track_caller]
fn recovers_within(seconds: u64, operator: &Operator, number: u32) {
    operator.within(Duration::from_secs(seconds), "a write", || match operator.write(number) {
        // 409: an earlier try whose outcome nobody could tell was done.
        Some(201 | 409) => true,
        Some(503) => false,
        other => panic!("{other:?}"),
    });
    operator.within(Duration::from_secs(3), "ready", || operator.readiness() == Some(200));
}

#[test]
fn a_standby_at_the_endpoint_takes_no_writes_and_is_left_as_soon_as_the_primary_is_back() {
    let Some((server, gate, _service, operator)) = behind_a_gate() else { return };
    let standby = server.standby();
    gate.passes_to(standby.port);
    operator.within(Duration::from_secs(5), "not ready", || operator.readiness() == Some(503));
    for number in 1..20 {
        assert_eq!(operator.write(number), Some(503));
    }
    gate.passes_to(server.port);
    recovers_within(15, &operator, 20);
    // Of several hosts the one that takes writes is found.
    let hosts = format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}/p", standby.port, server.port);
    let service = crate::running::Running::start_on(&hosts, &[]);
    let operator = Operator { address: service.address.clone(), bearer: operator.bearer };
    assert_eq!(operator.write(21), Some(201));
}

/// How long it takes each of 200 clients at once, the shortest first.
fn crowd(ask: impl Fn(u32) + Sync) -> Vec<Duration> {
    let mut took: Vec<Duration> = std::thread::scope(|scope| {
        let ask = &ask;
        let clients: Vec<_> = (0..200).map(|client| scope.spawn(move || timed(|| ask(client)))).collect();
        clients.into_iter().map(|client| client.join().expect("it was told")).collect()
    });
    took.sort_unstable();
    took
}

/// How long it takes 21 times in a row at the median.
fn median(ask: impl Fn(u32)) -> Duration {
    let mut took: Vec<Duration> = (0..21).map(|number| timed(|| ask(number))).collect();
    took.sort_unstable();
    took[10]
}

#[test]
fn while_nobody_answers_everybody_is_told_at_once() {
    let Some((server, _gate, _service, operator)) = behind_a_gate() else { return };
    let is_alive = |_| assert_eq!(operator.status_of("GET", "/health/live", None), Some(200));
    // What this machine takes where nobody waits for anything.
    let alone = median(is_alive);
    server.down();
    while operator.write(1) != Some(503) {}
    let refused = median(|number| assert_eq!(operator.write(2 + number), Some(503)));
    assert!(refused < Duration::from_millis(100) + 5 * alone, "a refusal took {refused:?} after the first");
    operator.within(Duration::from_secs(5), "not ready", || operator.readiness() == Some(503));
    // A shared machine stands still now and then; what is really slow is slow each time.
    let late: Vec<_> = (0..3)
        .map_while(|_| {
            let took = crowd(|client| assert_eq!(operator.write(100 + client), Some(503)));
            let calm = crowd(is_alive);
            let half = Duration::from_millis(500) + 5 * calm[100];
            let last = Duration::from_secs(3) + 5 * calm[199];
            let is_prompt = took[100] < half && took[199] < last;
            (!is_prompt).then(|| [took[100], took[199], calm[100], calm[199]])
        })
        .collect();
    assert!(late.len() < 3, "half and last of 200 clients, and both in calm: {late:?}");
    server.up();
    recovers_within(15, &operator, 1);
}

#[test]
fn a_server_that_falls_silent_is_noticed_and_left_for_the_one_that_speaks() {
    let Some((server, gate, _service, operator)) = behind_a_gate() else { return };
    let stranger = Operator { address: operator.address.clone(), bearer: "Bearer a.b.c".into() };
    gate.falls_silent();
    std::thread::scope(|scope| {
        // Those who are asking at the moment wait for a silent server, but not for long.
        for number in 0..40 {
            let operator = &operator;
            scope.spawn(move || {
                let took = timed(|| assert_eq!(operator.write(10 + number), Some(503)));
                let limit = operator.limit(Duration::from_secs(15));
                assert!(took < limit, "{took:?}, and the limit is {limit:?}");
            });
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(8) {
            let took = timed(|| {
                assert_eq!(stranger.status_of("GET", "/v1/partners", None), Some(401));
                assert_eq!(stranger.status_of("GET", "/health/live", None), Some(200));
            });
            if took > Duration::from_secs(1) {
                let limit = stranger.limit(Duration::from_secs(1));
                assert!(took < limit, "a stranger took {took:?}, and the limit is {limit:?}");
            }
            operator.readiness();
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    operator.within(Duration::from_secs(1), "not ready", || operator.readiness() == Some(503));
    let limit = operator.limit(Duration::from_millis(100));
    let refused = median(|number| assert_eq!(operator.write(99 + number), Some(503)));
    assert!(refused < limit, "a refusal took {refused:?}, and the limit is {limit:?}");
    // The connections there were never speak again.
    gate.speaks_again(server.port);
    recovers_within(15, &operator, 1);
}

#[test]
fn a_host_that_falls_silent_is_left_for_the_second_one_of_the_url() {
    let Some(server) = Postgres::start() else { return };
    let gate = Gate::to(server.port);
    let hosts = format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}/p", gate.port, server.port);
    let (service, operator) = started(&hosts);
    assert_eq!(operator.write(0), Some(201));
    // The service has asked for the database's health before.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(operator.write(1), Some(201));
    gate.falls_silent();
    recovers_within(15, &operator, 2);
    drop(service);
    gate.passes_to(server.port);
    // The service asks for the first time when the host is silent already: a second after the start.
    let service = crate::running::Running::start_on(&hosts, &[]);
    let operator = Operator { address: service.address.clone(), bearer: operator.bearer };
    assert_eq!(operator.write(3), Some(201));
    gate.falls_silent();
    recovers_within(15, &operator, 4);
    drop(service);
    // Nor does a start wait for ever for the first.
    let service = crate::running::Running::start_on(&hosts, &[]);
    let operator = Operator { address: service.address.clone(), bearer: operator.bearer };
    recovers_within(15, &operator, 5);
}

/// The service takes writes within 15 seconds, and says that it is ready. Each new connection asks the host that is gone first.
#[cfg(target_os = "linux")]
fn writes_again(operator: &Operator, number: u32) {
    operator.within(Duration::from_secs(15), "ready, and a write", || {
        operator.readiness() == Some(200) && matches!(operator.write(number), Some(201 | 409))
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_host_whose_packets_are_dropped_is_left_for_the_second_one_of_the_url() {
    let Some(server) = Postgres::start() else { return };
    let gate = Gate::to(server.port);
    let hosts = format!("postgres://postgres@127.0.0.1:{},127.0.0.1:{}/p", gate.port, server.port);
    let (service, operator) = started(&hosts);
    assert_eq!(operator.write(0), Some(201));
    // The service has asked for the database's health before.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(operator.write(1), Some(201));
    let before = service.threads();
    gate.vanishes();
    let asking = &operator;
    std::thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || asking.write(100 + number));
        }
        writes_again(asking, 2);
    });
    // Nothing is said to the host any more, so that the system itself ends its connections.
    operator.within(Duration::from_secs(60), "no thread waits for a host that is gone", || {
        service.threads() <= before + 4
    });
    // Nor does a start wait for ever for the first.
    drop(service);
    let service = crate::running::Running::start_on(&hosts, &[]);
    let operator = Operator { address: service.address.clone(), bearer: operator.bearer };
    writes_again(&operator, 200);
}

#[test]
fn what_an_instance_held_that_has_vanished_is_free_for_the_others() {
    let Some((server, gate, service, operator)) = behind_a_gate() else { return };
    let other = crate::running::Running::start_on(&url_at(server.port), &[]);
    let there = Operator { address: other.address.clone(), bearer: operator.bearer.clone() };
    let partner = operator.get("/v1/partners?limit=1")["items"][0]["id"].as_str().unwrap().to_owned();
    // 409: another one was faster. Each of them takes the lock of the partner.
    let change = |operator: &Operator, event: &str| {
        let (path, reason) =
            (format!("/v1/partners/{partner}/{event}"), json!({"reason": "Told by telephone"}));
        matches!(operator.status_of("POST", &path, Some(&reason)), Some(200 | 409))
    };
    let (silent, here) = (AtomicBool::new(false), &operator);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !silent.load(Ordering::SeqCst) {
                    change(here, "suspension");
                    change(here, "reinstatement");
                }
            });
        }
        std::thread::sleep(Duration::from_secs(1));
        // One of the three holds the lock, and nobody will ever commit or give up for it.
        gate.falls_silent();
        silent.store(true, Ordering::SeqCst);
        there.within(Duration::from_secs(40), "a change by the other instance", || {
            change(&there, "suspension")
        });
    });
    drop(service);
}

/// A disk that is full, and a server that only reads, as a server says so whose operator reads no English.
const FAULTS: &str = "
    CREATE FUNCTION kein_platz() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'konnte Datei nicht erweitern: Auf dem Gerät ist kein Speicherplatz mehr verfügbar'
            USING ERRCODE = '53100'; END $$;
    CREATE FUNCTION keine_tabelle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'konnte Datei nicht erweitern: Auf dem Gerät ist kein Speicherplatz mehr verfügbar'
            USING ERRCODE = '53100'; END $$;
    CREATE FUNCTION nur_lesen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION '»INSERT« kann nicht in einer Read-Only-Transaktion ausgeführt werden'
            USING ERRCODE = '25006'; END $$;";

#[test]
fn faults_of_the_database_are_known_in_every_language() {
    let Some(server) = Postgres::start() else { return };
    let (_service, operator) = started(&url_at(server.port));
    assert_eq!(operator.write(0), Some(201));
    server.sql(FAULTS);
    server.sql("CREATE TRIGGER nur_lesen BEFORE INSERT ON partners EXECUTE FUNCTION nur_lesen()");
    for number in 1..5 {
        assert_eq!(operator.write(number), Some(503), "a server that only reads");
    }
    server.sql("DROP TRIGGER nur_lesen ON partners");
    recovers_within(15, &operator, 5);
    server.sql(
        "CREATE TRIGGER kein_platz BEFORE INSERT ON partners EXECUTE FUNCTION kein_platz();
         CREATE EVENT TRIGGER keine_tabelle ON ddl_command_start WHEN TAG IN ('CREATE TABLE AS')
         EXECUTE FUNCTION keine_tabelle()",
    );
    for number in 6..16 {
        assert_eq!(operator.write(number), Some(503), "a full disk is no mistake of the service");
    }
    operator.within(Duration::from_secs(3), "not ready", || operator.readiness() == Some(503));
    let ready = operator.get("/health/ready");
    assert!(ready["detail"].as_str().unwrap().contains("its disk may be full"), "{ready}");
    server.sql("DROP EVENT TRIGGER keine_tabelle; DROP TRIGGER kein_platz ON partners");
    recovers_within(15, &operator, 16);
}

#[test]
fn a_frozen_server_is_noticed_and_goes_on_where_it_was() {
    let Some((server, _gate, _service, operator)) = behind_a_gate() else { return };
    server.signal("STOP");
    operator.within(Duration::from_secs(6), "not ready", || operator.readiness() == Some(503));
    assert_eq!(operator.write(1), Some(503));
    server.signal("CONT");
    recovers_within(15, &operator, 2);
}
