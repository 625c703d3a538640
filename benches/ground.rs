//! What the benchmarks of bulk work share: where they run, what is asked of them, what they measure.

#![expect(unreachable_pub, reason = "`pub` is what the parts of a benchmark offer to each other")]

#[path = "../tests/support/postgres.rs"]
#[expect(dead_code, reason = "the benchmarks use one of its two kinds of databases")]
pub mod postgres;

/// What the tests' support asks of its surroundings.
mod database {
    /// The staff of a story; no benchmark has one.
    #[derive(Clone, Copy)]
    pub(crate) struct Staff;

    /// Where the databases go: on a disk, which has to do what a commit promises.
    pub(crate) fn scratch() -> std::path::PathBuf {
        std::env::temp_dir()
    }
}

/// As in production: what was committed is on the disk.
const SERVER_SETTINGS: &[&str] = &["-cshared_buffers=256MB", "-cmax_wal_size=4GB"];

fn flag(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| value == "1" || value == "true")
}

// As in the service's own binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Which database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// The server.
    Postgres,
}

impl Engine {
    /// As it is asked for and printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// What is asked of a benchmark: `[--large] [--size N]... [--rounds N] [--only sqlite|postgres] [--check]`.
pub struct Options {
    /// How many rows, one size after the other.
    pub sizes: Vec<u32>,
    rounds: Option<usize>,
    only: Option<String>,
    check: bool,
}

impl Options {
    /// From the command line. The sizes are those given, else 100,000 and a million, and ten million where it is large.
    pub fn read() -> Self {
        let mut options = Self { sizes: Vec::new(), rounds: None, only: None, check: false };
        let mut large = false;
        let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument}: which?"));
            match argument.as_str() {
                "--large" => large = true,
                "--check" => options.check = true,
                "--size" => options.sizes.push(value().parse().expect("a number of rows")),
                "--rounds" => options.rounds = Some(value().parse().expect("a number of rounds")),
                "--only" => options.only = Some(value()),
                other => panic!("{other}: unknown; see the head of this file"),
            }
        }
        if options.sizes.is_empty() {
            options.sizes = vec![100_000, 1_000_000];
        }
        if large {
            options.sizes.push(10_000_000);
        }
        options
    }

    /// The databases to measure.
    pub fn engines(&self) -> impl Iterator<Item = Engine> {
        let only = self.only.clone();
        let asked = move |engine: &Engine| only.as_ref().is_none_or(|only| only == engine.name());
        [Engine::Sqlite, Engine::Postgres].into_iter().filter(asked)
    }

    /// How often a size is measured: three times, the largest once.
    pub fn rounds(&self, rows: u32) -> usize {
        self.rounds.unwrap_or(if rows > 1_000_000 { 1 } else { 3 })
    }

    /// Ends a benchmark that was to check its goals and has missed one.
    pub fn judge(&self, missed: &[String]) {
        for goal in missed {
            println!("MISSED: {goal}");
        }
        if self.check && !missed.is_empty() {
            std::process::exit(1);
        }
    }
}

/// The middle one.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// What work gives, and how many megabytes of memory of its own the process held at most meanwhile. Pages of files
/// that are mapped do not count: the system takes them back when it needs them.
pub fn with_peak<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut peak = 0;
            while !over.load(Ordering::Relaxed) {
                peak = peak.max(held());
                std::thread::sleep(Duration::from_millis(10));
            }
            peak
        });
        let done = work();
        over.store(true, Ordering::Relaxed);
        (done, watcher.join().unwrap() / 1024)
    })
}

/// Kilobytes of memory of its own that this process holds.
fn held() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Removes a database's files.
pub fn remove(file: &Path) {
    for ending in ["db", "db-wal", "db-shm", "lock"] {
        let _ = std::fs::remove_file(file.with_extension(ending));
    }
}
