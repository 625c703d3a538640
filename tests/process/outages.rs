//! PostgreSQL goes away, is frozen, or turns into a standby: the service says so at once, and recovers by itself.

use crate::{
    operator::{Operator, started, within},
    postgres::{Gate, Postgres, url_at},
};
use std::time::{Duration, Instant};

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
    within(seconds, "a write", || match operator.write(number) {
        // 409: an earlier try whose outcome nobody could tell was done.
        Some(201 | 409) => true,
        Some(503) => false,
        other => panic!("{other:?}"),
    });
    within(3, "ready", || operator.readiness() == Some(200));
}

#[test]
fn a_standby_at_the_endpoint_takes_no_writes_and_is_left_as_soon_as_the_primary_is_back() {
    let Some((server, gate, _service, operator)) = behind_a_gate() else { return };
    let standby = server.standby();
    gate.passes_to(standby.port);
    within(5, "not ready", || operator.readiness() == Some(503));
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

#[test]
fn while_nobody_answers_everybody_is_told_at_once() {
    let Some((server, _gate, _service, operator)) = behind_a_gate() else { return };
    server.down();
    within(5, "not ready", || operator.readiness() == Some(503));
    let mut took: Vec<Duration> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..200)
            .map(|number| {
                let operator = &operator;
                scope.spawn(move || {
                    let begun = Instant::now();
                    assert_eq!(operator.write(100 + number), Some(503));
                    begun.elapsed()
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().expect("it was told")).collect()
    });
    took.sort_unstable();
    assert!(took[100] < Duration::from_millis(500), "half of 200 clients took {:?}", took[100]);
    assert!(took[199] < Duration::from_secs(3), "the last of 200 clients took {:?}", took[199]);
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
                let begun = Instant::now();
                assert_eq!(operator.write(10 + number), Some(503));
                assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
            });
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(8) {
            let asked = Instant::now();
            assert_eq!(stranger.status_of("GET", "/v1/partners", None), Some(401));
            assert_eq!(stranger.status_of("GET", "/health/live", None), Some(200));
            assert!(asked.elapsed() < Duration::from_secs(1), "a stranger took {:?}", asked.elapsed());
            operator.readiness();
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    within(1, "not ready", || operator.readiness() == Some(503));
    let begun = Instant::now();
    assert_eq!(operator.write(99), Some(503));
    assert!(begun.elapsed() < Duration::from_millis(300), "{:?}", begun.elapsed());
    // The connections there were never speak again.
    gate.speaks_again(server.port);
    recovers_within(15, &operator, 1);
}

#[test]
fn a_frozen_server_is_noticed_and_goes_on_where_it_was() {
    let Some((server, _gate, _service, operator)) = behind_a_gate() else { return };
    server.signal("STOP");
    within(6, "not ready", || operator.readiness() == Some(503));
    assert_eq!(operator.write(1), Some(503));
    server.signal("CONT");
    recovers_within(15, &operator, 2);
}
