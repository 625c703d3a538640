//! The binary as people start it.

use clap::Args;
use partner_incentives::config::Settings;
use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// A running service process on a database of its own; killed on drop.
pub struct Running {
    /// Where it listens.
    pub address: String,
    /// What it printed until it listened.
    pub printed: String,
    child: Child,
    folder: Option<tempfile::TempDir>,
}

/// Where people reach the instances that are started on one database, one beside the other or one after the other.
const PUBLIC_URL: &str = "http://incentives.test";

impl Running {
    /// Starts it on a fresh database. People reach it where it listens.
    pub fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let mut running = Self::started(command(&url).args(arguments), Stdio::null());
        running.folder = Some(folder);
        running
    }

    /// Starts it on a database. A token of one instance is good at every other.
    pub fn start_on(url: &str, arguments: &[&str]) -> Self {
        Self::start_with(url, arguments, &[])
    }

    /// Starts it on a database, with variables of its environment.
    pub fn start_with(url: &str, arguments: &[&str], environment: &[(&str, &Path)]) -> Self {
        let mut command = command(url);
        command.env("PUBLIC_URL", PUBLIC_URL).envs(environment.iter().copied());
        Self::started(command.args(arguments), Stdio::null())
    }

    /// Starts it on a database; its log lines go to `log`, and people reach it where it listens.
    pub fn start_with_log(url: &str, arguments: &[&str], log: Stdio) -> Self {
        Self::started(command(url).args(arguments), log)
    }

    #[expect(clippy::zombie_processes, reason = "dropping it waits for it")]
    fn started(command: &mut Command, log: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the binary starts");
        let mut printed = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        loop {
            let mut line = String::new();
            assert!(
                lines.read_line(&mut line).expect("a line") != 0,
                "it stopped before it listened; it printed\n{printed}"
            );
            printed.push_str(&line);
            if let Some(rest) = line.strip_prefix("Swagger UI: http://") {
                let address = rest.split('/').next().unwrap_or_default().to_owned();
                std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
                return Self { address, printed, child, folder: None };
            }
        }
    }

    /// Sends a signal by name, such as TERM.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill").success());
    }

    /// What it holds in memory of its own, in KiB: not what it maps of files.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or_default()
    }

    /// How many threads it has.
    pub fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.child.id())).map_or(0, Iterator::count)
    }

    /// How many threads it has with a name.
    pub fn threads_named(&self, name: &str) -> usize {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id()));
        let names = tasks.into_iter().flatten().flatten().map(|task| task.path().join("comm"));
        names.filter(|comm| std::fs::read_to_string(comm).is_ok_and(|found| found.trim() == name)).count()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its status") {
                return status;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "it does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary with a clean environment, for a database.
pub fn command(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partner-incentives"));
    without_settings(&mut command).env("DATABASE_URL", url).env("LISTEN", "127.0.0.1:0");
    command
}

/// Takes settings of this process from a command, so that it has its defaults.
pub fn without_settings(command: &mut Command) -> &mut Command {
    let settings = Settings::augment_args(clap::Command::new("settings"));
    settings.get_arguments().filter_map(|argument| argument.get_env()).fold(command, Command::env_remove)
}
