//! A PostgreSQL server of a test's own, its standby, and a gate before them.

use crate::{flag, ports::free_port};
use std::{
    fs::Permissions,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
};

/// The user and group `nobody`: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65534;

/// A running server; stopped on drop.
pub struct Postgres {
    /// Its port on 127.0.0.1.
    pub port: u16,
    data: PathBuf,
    folder: Arc<tempfile::TempDir>,
}

impl Postgres {
    /// A fresh server with the database `p`; none where the machine has no PostgreSQL.
    pub fn start() -> Option<Self> {
        if binaries().is_none() {
            let how = "no PostgreSQL: install the server";
            assert!(!flag("CI") && !flag("REQUIRE_POSTGRES"), "{how}");
            _ = writeln!(std::io::stderr(), "\nSKIPPED: outages of PostgreSQL; {how}\n");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("a folder to enter");
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("hand the folder over");
        }
        let server =
            Self { port: free_port(), data: folder.path().join("primary"), folder: Arc::new(folder) };
        server.run(
            "initdb",
            &["-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-D", "primary"],
        );
        let hba = server.data.join("pg_hba.conf");
        let rules = std::fs::read_to_string(&hba).expect("its rules");
        std::fs::write(&hba, format!("{rules}host replication postgres 127.0.0.1/32 trust\n"))
            .expect("rules");
        server.up();
        let made = server.run(
            "psql",
            &["-h", "127.0.0.1", "-p", &server.port.to_string(), "-U", "postgres", "-c", "CREATE DATABASE p"],
        );
        assert!(made.contains("CREATE"), "{made}");
        Some(server)
    }

    /// A hot standby of this server.
    pub fn standby(&self) -> Self {
        let standby = Self {
            port: free_port(),
            data: self.folder.path().join("standby"),
            folder: Arc::clone(&self.folder),
        };
        let port = self.port.to_string();
        let copy = [
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            "postgres",
            "-D",
            "standby",
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
        ];
        standby.run("pg_basebackup", &copy);
        standby.up();
        standby
    }

    /// Starts it.
    pub fn up(&self) {
        let settings = format!("-p {} -k '' -c listen_addresses=127.0.0.1 -c fsync=off", self.port);
        let log = format!("{}.log", self.data.display());
        self.run("pg_ctl", &["-D", &self.data.to_string_lossy(), "-l", &log, "-o", &settings, "-w", "start"]);
    }

    /// Stops it at once.
    pub fn down(&self) {
        self.run("pg_ctl", &["-D", &self.data.to_string_lossy(), "-m", "immediate", "-w", "stop"]);
    }

    /// Runs statements in its database.
    pub fn sql(&self, statements: &str) {
        let port = self.port.to_string();
        let how =
            ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-d", "p", "-v", "ON_ERROR_STOP=1", "-c"];
        self.run("psql", &[&how[..], &[statements]].concat());
    }

    /// Sends a signal to every process of it.
    pub fn signal(&self, name: &str) {
        let pid = std::fs::read_to_string(self.data.join("postmaster.pid")).expect("it runs");
        let pid = pid.lines().next().expect("its process");
        let children =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let all = children.split_whitespace().chain([pid]);
        // One of them may have ended meanwhile.
        _ = Command::new("kill").arg(format!("-{name}")).args(all).stderr(Stdio::null()).status();
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(binaries().expect("PostgreSQL").join(program));
        command.current_dir(self.folder.path()).args(arguments);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        // The server inherits what its starter writes to: nobody waits for that to be closed.
        let said = self.folder.path().join("said");
        let file = std::fs::File::create(&said).expect("a file");
        command.stdout(file.try_clone().expect("a file")).stderr(file);
        let status = command.status().expect("it runs");
        let said = std::fs::read_to_string(&said).unwrap_or_default();
        assert!(status.success(), "{program}: {said}");
        said
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.data.join("postmaster.pid").exists() {
            self.signal("CONT");
            self.down();
        }
    }
}

/// The URL of the database at a port.
pub fn url_at(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/p")
}

/// Whether this process is root's.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    std::env::split_paths(&path)
        .chain(installed.map(|version| version.path().join("bin")))
        .find(|folder| folder.join("initdb").is_file() && Path::join(folder, "pg_basebackup").is_file())
}

/// A gate on a port of its own: passes bytes on to another port, or to nobody.
pub struct Gate {
    /// Where it listens.
    pub port: u16,
    listener: TcpListener,
    way: Arc<AtomicU16>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Gate {
    const SILENT: u16 = 1;

    /// A gate that passes to a port.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let way = Arc::new(AtomicU16::new(port));
        let open = Arc::<Mutex<Vec<TcpStream>>>::default();
        let gate = Self {
            port: listener.local_addr().expect("a port").port(),
            listener: listener.try_clone().expect("a handle"),
            way: way.clone(),
            open: open.clone(),
        };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let port = way.load(Ordering::SeqCst);
                open.lock().expect("a list").push(client.try_clone().expect("a handle"));
                if port == Self::SILENT {
                    continue;
                }
                if let Ok(server) = TcpStream::connect(("127.0.0.1", port)) {
                    let pair = [(&client, &server), (&server, &client)];
                    for (from, to) in
                        pair.map(|(a, b)| (a.try_clone().expect("a"), b.try_clone().expect("b")))
                    {
                        let way = way.clone();
                        std::thread::spawn(move || pass(from, to, &way, port));
                    }
                }
            }
        });
        gate
    }

    /// From now on passes to another port; the connections there are break.
    pub fn passes_to(&self, port: u16) {
        self.way.store(port, Ordering::SeqCst);
        self.cut();
    }

    /// From now on nothing passes on any connection, and none breaks.
    pub fn falls_silent(&self) {
        self.way.store(Self::SILENT, Ordering::SeqCst);
    }

    /// From now on every packet that comes is dropped by the kernel before anybody acknowledges it, as of a host that is gone.
    #[cfg(target_os = "linux")]
    pub fn vanishes(&self) {
        use socket2::{SockFilter, SockRef};
        const RETURN: u16 = 0x06;
        let nothing = [SockFilter::new(RETURN, 0, 0, 0)];
        self.falls_silent();
        SockRef::from(&self.listener).attach_filter(&nothing).expect("a filter");
        for client in self.open.lock().expect("a list").iter() {
            SockRef::from(client).attach_filter(&nothing).expect("a filter");
        }
    }

    /// From now on passes new connections to a port; those there are stay silent for ever.
    pub fn speaks_again(&self, port: u16) {
        self.way.store(port, Ordering::SeqCst);
    }

    fn cut(&self) {
        for client in self.open.lock().expect("a list").drain(..) {
            _ = client.shutdown(Shutdown::Both);
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, way: &AtomicU16, port: u16) {
    let mut bytes = [0; 16384];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if way.load(Ordering::SeqCst) == Gate::SILENT {
            // What has come stays here, and the connection with it.
            std::thread::sleep(std::time::Duration::from_secs(3600));
        }
        if way.load(Ordering::SeqCst) != port || to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    if way.load(Ordering::SeqCst) != Gate::SILENT {
        _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}
