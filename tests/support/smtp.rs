//! A real SMTP server for stories: aiosmtpd as a process, with a certificate that nobody has signed.

use super::flag;
use serde_json::Value;
use std::{
    io::Write,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// A mail server, and the folder with what it got. It may be down.
pub struct MailServer {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl MailServer {
    /// One that is not running yet; none where this machine has no server, which is said once, and no pass in CI.
    pub fn down() -> Option<Self> {
        python()?;
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("the port").port();
        let server = Self { folder: tempfile::tempdir().expect("a folder"), port, child: None };
        make_certificate(server.folder.path());
        Some(server)
    }

    /// A running one.
    pub fn running() -> Option<Self> {
        let mut server = Self::down()?;
        server.start();
        Some(server)
    }

    /// Starts it, and waits until it answers.
    pub fn start(&mut self) {
        let child = Command::new(python().expect("python3 with aiosmtpd"))
            .args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{}", self.port)])
            .arg("--tlscert")
            .arg(self.certificate())
            .arg("--tlskey")
            .arg(self.folder.path().join("key.pem"))
            .args(["-c", "smtp.Mailbox"])
            .arg(self.folder.path())
            .env("PYTHONPATH", Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("the mail server starts"));
        wait_for("the mail server", || {
            TcpStream::connect(("127.0.0.1", self.port)).map_err(|error| error.to_string())
        });
    }

    /// The setting that names it; it is spoken to by STARTTLS.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=required", self.port)
    }

    /// The certificate it shows.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// Answers every recipient so, as in `550 5.1.1 nobody`; takes mails again without it.
    pub fn answer(&self, answer: Option<&str>) {
        self.tell("answer", answer);
    }

    /// Takes mails, and leaves the sender without an answer.
    pub fn hang(&self, hang: bool) {
        self.tell("hang", hang.then_some(""));
    }

    fn tell(&self, name: &str, text: Option<&str>) {
        let path = self.folder.path().join(name);
        match text {
            Some(text) => std::fs::write(path, text).expect("tell the mail server"),
            None => std::fs::remove_file(path).expect("tell the mail server"),
        }
    }

    /// What it got, in order.
    pub fn mails(&self) -> Vec<Value> {
        let read = |n: usize| std::fs::read(self.folder.path().join(format!("{n}.json"))).ok();
        (0..).map_while(read).map(|mail| serde_json::from_slice(&mail).expect("a mail")).collect()
    }

    /// Waits until it got so many.
    pub fn wait_for(&self, count: usize) -> Vec<Value> {
        wait_for("mails", || {
            let mails = self.mails();
            if mails.len() >= count { Ok(mails) } else { Err(format!("{} of {count}", mails.len())) }
        })
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits for something that happens by itself; what is seen instead is told where it does not.
#[track_caller]
pub fn wait_for<T>(what: &str, look: impl Fn() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(start.elapsed() < Duration::from_secs(30), "{what}: not yet, but {seen}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The interpreter that has aiosmtpd.
fn python() -> Option<&'static str> {
    static PYTHON: OnceLock<Option<&str>> = OnceLock::new();
    *PYTHON.get_or_init(|| {
        let has_it = |python: &&str| {
            let asked = Command::new(python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
            asked.is_ok_and(|status| status.success())
        };
        let found = ["python3", "/usr/bin/python3"].into_iter().find(has_it);
        if found.is_none() {
            let how = "no SMTP server: apt-get install python3-aiosmtpd openssl";
            assert!(!flag("CI"), "{how}");
            let _ = writeln!(std::io::stderr(), "\nSKIPPED: every story about mail; {how}\n");
        }
        found
    })
}

fn make_certificate(folder: &Path) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl").success(), "a certificate");
}
