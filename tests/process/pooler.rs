//! PgBouncer between the service and PostgreSQL, in both of its modes.

use crate::{
    flag,
    operator::{started, wait_until},
    ports::free_port,
    postgres::{Postgres, is_root, url_at},
};
use std::{
    io::Write,
    net::TcpStream,
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
};

/// The user and group `nobody`: PgBouncer refuses to run as root.
const NOBODY: u32 = 65534;

struct PgBouncer {
    port: u16,
    process: Child,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    fn before(server: &Postgres, mode: &str) -> Option<Self> {
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
        let Some(program) = program.iter().find(|program| Path::new(program).is_file()) else {
            let how = "no PgBouncer: install pgbouncer";
            assert!(!flag("CI"), "{how}");
            _ = writeln!(std::io::stderr(), "\nSKIPPED: the service behind PgBouncer; {how}\n");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let (users, settings) = (folder.path().join("users"), folder.path().join("settings"));
        let port = free_port();
        std::fs::write(&users, "\"postgres\" \"\"\n").expect("its users");
        let text = format!(
            "[databases]\np = host=127.0.0.1 port={} dbname=p\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\n\
             auth_type=trust\nauth_file={}\npool_mode={mode}\ndefault_pool_size=30\nunix_socket_dir=\n",
            server.port,
            users.display()
        );
        std::fs::write(&settings, text).expect("its settings");
        let mut command = Command::new(program);
        if is_root() {
            for path in [folder.path(), &users, &settings] {
                chown(path, Some(NOBODY), Some(NOBODY)).expect("hand it over");
            }
            command.uid(NOBODY).gid(NOBODY);
        }
        let process =
            command.arg(&settings).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
        wait_until("a pooler", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(Self { port, process, _folder: folder })
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        _ = (self.process.kill(), self.process.wait());
    }
}

/// Many units side by side, reads and writes, on a database that the service itself has made through the pooler.
fn serves_behind(mode: &str) {
    let Some(server) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::before(&server, mode) else { return };
    let (service, operator) = started(&url_at(pooler.port));
    std::thread::scope(|scope| {
        for client in 0..12 {
            let operator = &operator;
            scope.spawn(move || {
                for number in 0..15 {
                    assert_eq!(operator.write(client * 100 + number), Some(201));
                    assert_eq!(operator.status_of("GET", "/v1/partners?include_total=true", None), Some(200));
                }
            });
        }
    });
    assert_eq!(operator.get("/v1/partners?limit=1&include_total=true")["total"], 12 * 15);
    assert_eq!(operator.readiness(), Some(200));
    drop(service);
    // Another start migrates nothing, and finds the pooler's connections as the first has left them.
    let (_, operator) = (crate::running::Running::start_on(&url_at(pooler.port), &[]), operator);
    drop(operator);
}

#[test]
fn the_service_works_behind_a_pooler_of_transactions() {
    serves_behind("transaction");
}

#[test]
fn the_service_works_behind_a_pooler_of_sessions() {
    serves_behind("session");
}
