//! The disk of SQLite, or of the files that people send, does not do what it is told: nobody is told more than is known.

use crate::{
    claimants::{Admin, Claimants, document, files, hex},
    operator::{Operator, started, url_in},
    running::Running,
};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Fails to write or to flush SQLite's log, or the files of proofs, where a file in the folder FAULTS says so.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int is_log(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 4) return 0;
    path[length] = 0;
    return strcmp(path + length - 4, "-wal") == 0;
}
static int is_proof(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "/proofs/") != NULL;
}
static int told(const char *fault) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("FAULTS"), fault);
    return access(path, F_OK) == 0;
}
static int told_once(const char *fault) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("FAULTS"), fault);
    return unlink(path) == 0;
}
#define FLUSH(name) int name(int fd) { \
    static int (*real)(int); if (!real) real = dlsym(RTLD_NEXT, #name); \
    if (is_log(fd) && (told("no-flush") || told_once("one-flush"))) { errno = EIO; return -1; } \
    if (is_proof(fd) && told("no-flush-of-proofs")) { errno = EIO; return -1; } \
    return real(fd); }
FLUSH(fsync)
FLUSH(fdatasync)
#define WRITE(name) ssize_t name(int fd, const void *bytes, size_t count, off64_t at) { \
    static ssize_t (*real)(int, const void *, size_t, off64_t); if (!real) real = dlsym(RTLD_NEXT, #name); \
    if (is_log(fd) && told("no-room")) { errno = ENOSPC; return -1; } \
    if (is_proof(fd) && told("no-room-for-proofs")) { \
        if (count > 1 && told_once("room-for-half")) return real(fd, bytes, count / 2, at); \
        errno = ENOSPC; return -1; } \
    return real(fd, bytes, count, at); }
WRITE(pwrite)
WRITE(pwrite64)
ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*real)(int, const void *, size_t); if (!real) real = dlsym(RTLD_NEXT, "write");
    if (is_log(fd) && told("no-room")) { errno = ENOSPC; return -1; }
    if (is_proof(fd) && told("no-room-for-proofs")) {
        if (count > 1 && told_once("room-for-half")) return real(fd, bytes, count / 2);
        errno = ENOSPC; return -1; }
    return real(fd, bytes, count); }
"#;

struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shim.c"), SHIM).unwrap();
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o", "shim.so", "shim.c", "-ldl"])
            .current_dir(folder.path())
            .output()
            .expect("the C compiler that links this test");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn shim(&self) -> PathBuf {
        self.path().join("shim.so")
    }

    fn start(&self) -> Running {
        let shim = self.shim();
        let environment = [("LD_PRELOAD", shim.as_path()), ("FAULTS", self.path())];
        Running::start_with(&url_in(self.path()), &["--requests-per-minute", "1000000000"], &environment)
    }

    fn fails(&self, fault: &str) {
        std::fs::write(self.path().join(fault), "").unwrap();
    }

    fn is_well(&self, fault: &str) {
        std::fs::remove_file(self.path().join(fault)).unwrap();
    }
}

/// The service on a disk, and an operator who has signed in.
fn on(disk: &Disk) -> (Running, Operator) {
    let (service, mut operator) = started(&url_in(disk.path()));
    drop(service);
    let service = disk.start();
    operator.address.clone_from(&service.address);
    assert_eq!(operator.write(0), Some(201));
    (service, operator)
}

fn is_there(operator: &Operator, number: u32) -> bool {
    let found = operator.get(&format!("/v1/partners?mpn_id={}", 4_800_000 + number));
    !found["items"].as_array().unwrap().is_empty()
}

#[test]
fn a_flush_that_fails_once_is_looked_into_before_anybody_is_told() {
    let disk = Disk::new();
    let (mut service, mut operator) = on(&disk);
    for number in 1..6 {
        disk.fails("one-flush");
        let told = operator.write(number);
        assert!(!disk.path().join("one-flush").exists(), "no flush has failed");
        // Nobody writes in between: what stands now is what the log holds.
        service.signal("KILL");
        service.wait();
        service = disk.start();
        operator.address.clone_from(&service.address);
        match told {
            Some(201) => assert!(is_there(&operator, number), "{number} was made, and is gone"),
            Some(503) => assert!(!is_there(&operator, number), "{number} was not made, and is there"),
            other => panic!("{other:?}"),
        }
        assert_eq!(operator.write(number + 100), Some(201));
    }
}

#[test]
fn a_disk_that_flushes_no_more_takes_no_writes_until_somebody_has_looked() {
    let disk = Disk::new();
    let (_service, operator) = on(&disk);
    disk.fails("no-flush");
    std::thread::scope(|scope| {
        let doubtful = scope.spawn(|| operator.write(1));
        operator.within(Duration::from_secs(3), "not ready", || operator.readiness() == Some(503));
        // A unit that comes now is not begun.
        assert_eq!(operator.write(2), Some(503));
        assert_eq!(doubtful.join().unwrap(), Some(503));
    });
    assert_eq!(operator.readiness(), Some(503));
    disk.is_well("no-flush");
    operator.within(Duration::from_secs(5), "ready", || operator.readiness() == Some(200));
    assert!(!is_there(&operator, 2));
    assert!(matches!(operator.write(1), Some(201 | 409)));
    assert_eq!(operator.write(2), Some(201));
}

#[test]
fn a_full_disk_is_said_as_such_until_there_is_room() {
    let disk = Disk::new();
    let (_service, operator) = on(&disk);
    disk.fails("no-room");
    std::thread::scope(|scope| {
        for client in 0..8 {
            let operator = &operator;
            scope.spawn(move || {
                for number in 0..25 {
                    let told = operator.write(1000 + client * 100 + number);
                    assert_eq!(told, Some(503), "a full disk is no mistake of the service");
                }
            });
        }
    });
    operator.within(Duration::from_secs(3), "not ready", || operator.readiness() == Some(503));
    // Who reads is not held up.
    assert!(is_there(&operator, 0));
    disk.is_well("no-room");
    operator.within(Duration::from_secs(5), "ready", || operator.readiness() == Some(200));
    assert_eq!(operator.write(1), Some(201));
    assert!(!is_there(&operator, 1000));
}

#[test]
fn of_a_proof_that_finds_no_room_nothing_stays_and_the_claim_goes_on_when_there_is_room() {
    let disk = Disk::new();
    let kept = Claimants::prepared(url_in(disk.path()), disk.path(), 2);
    // The half-year before ends as well, and its fund is lost.
    (0..2).for_each(|_| kept.refresh());
    let email = kept.admin_of(2);
    let shim = disk.shim();
    let service = kept.start_with(&[("LD_PRELOAD", &shim), ("FAULTS", disk.path())]);
    let admin = Admin::of(&service, &email);
    let claim = admin.draft(&kept, 60_000);
    let seen = || {
        let proofs = admin.get(&format!("/v1/coop-claims/{claim}/proofs"));
        (proofs, admin.get(&format!("/v1/coop-claims/{claim}")), files(&kept.proofs))
    };
    // One that is put as a whole, and one that is put part by part.
    for (length, what) in [1_000, 11 << 20].into_iter().zip(admin.missing(&claim)) {
        let bytes = document(length, length);
        for faults in
            [&["no-room-for-proofs"][..], &["room-for-half", "no-room-for-proofs"], &["no-flush-of-proofs"]]
        {
            let before = seen();
            for fault in faults {
                disk.fails(fault);
            }
            let told = admin.prove(&claim, &what, &bytes[..]);
            let answer = (told.status, &told.body["code"], told.retry_after);
            assert_eq!(answer, (503, &json!("unavailable"), Some(5)), "{faults:?} {}", told.body);
            assert!(!disk.path().join("room-for-half").exists(), "no half was written");
            assert_eq!(seen(), before, "{faults:?}");
            disk.is_well(faults.last().expect("a fault"));
        }
        let made = admin.prove(&claim, &what, &bytes[..]);
        assert_eq!(made.status, 201, "{}", made.body);
        let proof = made.body["id"].as_str().expect("an id");
        assert_eq!(admin.download(proof).map_err(|told| told.body), Ok((bytes.len() as u64, hex(&bytes))));
    }
    for (nth, what) in (0..).zip(admin.missing(&claim)) {
        assert_eq!(admin.prove(&claim, &what, &document(nth, 100)[..]).status, 201);
    }
    let sent = admin.post(&format!("/v1/coop-claims/{claim}/submission"), &json!({}));
    assert_eq!((sent.status, &sent.body["state"]), (200, &json!("submitted")), "{}", sent.body);
    drop(service);
    kept.expect_files_of_proofs();
    kept.expect_nothing_loose_after_the_sweep();
    kept.verify();
}
