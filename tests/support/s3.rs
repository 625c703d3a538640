//! A real server that speaks like S3: moto as a process.

use super::{flag, ports::free_port, wait_for};
use partner_incentives::platform::objects::{Objects, StoreAddress};
use std::{
    io::Write,
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// A server with an empty bucket, which may be down.
pub struct Bucket {
    program: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Bucket {
    /// A running server; none where this machine has none, which one line says and CI refuses.
    pub fn running() -> Option<Self> {
        let mut bucket = Self { program: program()?, port: free_port(), child: None };
        bucket.start();
        Some(bucket)
    }

    /// Starts the server with an empty bucket.
    pub fn start(&mut self) {
        let child = Command::new(&self.program)
            .args(["-H", "127.0.0.1", "-p", &self.port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("the server of the bucket starts"));
        wait_for("the server of the bucket", || {
            TcpStream::connect(("127.0.0.1", self.port)).map_err(|error| error.to_string())
        });
        ureq::put(format!("{}/files", self.endpoint())).send_empty().expect("a bucket");
    }

    /// Stops the server; what it has is lost.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The bucket as the service sees it, with what keys in it begin with.
    pub fn objects(&self, prefix: &str) -> Objects {
        let builder = object_store::aws::AmazonS3Builder::new()
            .with_endpoint(self.endpoint())
            .with_allow_http(true)
            .with_region("eu-central-1")
            .with_access_key_id("key")
            .with_secret_access_key("secret");
        let address = StoreAddress::Bucket { name: "files".into(), prefix: prefix.into() };
        Objects::bucket(&address, builder).expect("a bucket")
    }

    /// What the bucket has, as the server lists it: objects, and uploads that have begun.
    pub fn listed(&self) -> String {
        let list = |query: &str| {
            let address = format!("{}/files?{query}", self.endpoint());
            ureq::get(address).call().expect("a list").body_mut().read_to_string().expect("a list")
        };
        list("list-type=2") + &list("uploads")
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The server's program: as `MOTO_SERVER` says, where `.ci/run` puts it, or on the path.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("MOTO_SERVER").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let kept = cache.map(|cache| cache.join("partner-incentives/moto/bin/moto_server"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("moto_server"));
    let found = named.into_iter().chain(kept).chain(on_path).find(|program| program.is_file());
    if found.is_none() {
        let how = "no S3: pip install 'moto[server]', or MOTO_SERVER=/path/to/moto_server";
        assert!(!flag("CI") && !flag("REQUIRE_POSTGRES"), "{how}");
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: every story about a bucket; {how}\n");
    }
    found
}
