//! A real SMTP server for stories: aiosmtpd as a process, with a self-signed certificate.

use super::{flag, ports::free_port};
use serde_json::Value;
use std::{
    io::Write,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// A mail server, which may be down, and the folder with the mails it got.
pub struct MailServer {
    folder: tempfile::TempDir,
    port: u16,
    child: Option<Child>,
}

impl MailServer {
    /// A server that is not running yet; none where this machine has no aiosmtpd, which one line says and CI refuses.
    pub fn down() -> Option<Self> {
        python()?;
        let server = Self { folder: tempfile::tempdir().expect("a folder"), port: free_port(), child: None };
        make_certificate(server.folder.path());
        Some(server)
    }

    /// A running server.
    pub fn running() -> Option<Self> {
        let mut server = Self::down()?;
        server.start();
        Some(server)
    }

    /// Starts the server, and waits until the server answers.
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

    /// The value of `SMTP_URL` for this server, with STARTTLS.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=required", self.port)
    }

    /// The file of the server's certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// Makes the server answer every recipient with a line such as `550 5.1.1 nobody`, or take mails again.
    pub fn answer(&self, answer: Option<&str>) {
        self.tell("answer", answer);
    }

    /// Makes the server take mails without an answer to the sender, or answer again.
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

    /// The mails the server got, in order.
    pub fn mails(&self) -> Vec<Value> {
        let read = |n: usize| std::fs::read(self.folder.path().join(format!("{n}.json"))).ok();
        (0..).map_while(read).map(|mail| serde_json::from_slice(&mail).expect("a mail")).collect()
    }

    /// Waits until the server got `count` mails.
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

/// Waits until `look` succeeds; fails with the last error of `look` after two minutes: the limit is for what hangs.
#[track_caller]
pub fn wait_for<T>(what: &str, look: impl Fn() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(start.elapsed() < Duration::from_secs(120), "{what}: not yet, but {seen}"),
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
