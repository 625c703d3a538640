//! Many proofs that come and go at once: the service holds the memory of a few, and everybody is served in turn.

use crate::{
    claimants::{Admin, Answer, Claimants, hex},
    operator::url_in,
    proof_files::{pdf_of, stream},
    running::Running,
};
use serde_json::json;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How many come at once: a few, and many; and their MiB. `PROOFS_AT_ONCE=full` takes 10 and 100 of 20 MiB.
const USUAL: AtOnce = AtOnce { few: 10, many: 20, mebibytes: 5 };
const FULL: AtOnce = AtOnce { few: 10, many: 100, mebibytes: 20 };
/// How much more memory many may take than a few, in KiB: less than that of the files that the others send.
const MORE: u64 = 64 << 10;
/// How long a client is served in turn, on a machine with other work.
const PATIENCE: Duration = Duration::from_secs(900);
/// The partners, of whom two of three have a fund to claim from.
const PARTNERS: u32 = 153;

#[derive(Clone, Copy)]
struct AtOnce {
    few: usize,
    many: usize,
    mebibytes: usize,
}

impl AtOnce {
    fn asked() -> Self {
        if std::env::var_os("PROOFS_AT_ONCE").is_some_and(|asked| asked == "full") { FULL } else { USUAL }
    }
}

/// Somebody with a claim, and the proof that was sent for the claim.
struct Sender {
    admin: Admin,
    claim: String,
    proof: Mutex<Option<(String, String)>>,
}

/// A scan of so many bytes, unlike all others.
fn scan(number: usize, mebibytes: usize) -> Vec<u8> {
    let seed = u32::try_from(number).expect("a number").wrapping_mul(2_654_435_761) | 1;
    let mut state = seed;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    let bytes: Vec<u8> = (0..mebibytes << 20).map(next).collect();
    pdf_of(&[stream("/Type/XObject/Subtype/Image/Filter/DCTDecode", &bytes)], "")
}

/// Asks until the service takes it, and waits as the service says; how often it was put off.
fn in_turn<T>(ask: impl Fn() -> Result<T, Answer>) -> (T, usize) {
    let begun = Instant::now();
    for put_off in 0.. {
        match ask() {
            Ok(done) => return (done, put_off),
            Err(told) => {
                assert!([429, 503].contains(&told.status), "{} {}", told.status, told.body);
                let after =
                    told.retry_after.unwrap_or_else(|| panic!("put off, and not until when: {}", told.body));
                thread::sleep(Duration::from_secs(after));
            }
        }
        assert!(begun.elapsed() < PATIENCE, "put off {put_off} times");
    }
    unreachable!("a client asks again and again")
}

impl Sender {
    fn send(&self, number: usize, mebibytes: usize) -> usize {
        let bytes = scan(number, mebibytes);
        let (proof, put_off) = in_turn(|| {
            let told = self.admin.prove(&self.claim, "kind=photo", &bytes[..]);
            if told.status == 201 {
                Ok(told.body["id"].as_str().expect("an id").to_owned())
            } else {
                Err(told)
            }
        });
        *self.proof.lock().expect("a proof") = Some((proof, hex(&bytes)));
        put_off
    }

    fn download(&self) -> usize {
        let (proof, sha256) = self.proof.lock().expect("a proof").clone().expect("a proof was sent");
        let ((_, got), put_off) = in_turn(|| self.admin.download(&proof));
        assert_eq!(got, sha256, "what came is what was sent");
        put_off
    }
}

/// The most memory that the service holds while all do something at once, in KiB, and how often they were put off.
fn peak(service: &Running, all: &[Sender], work: impl Fn(usize, &Sender) -> usize + Sync) -> (u64, usize) {
    let (over, put_off) = (AtomicBool::new(false), AtomicUsize::new(0));
    let most = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = 0;
            while !over.load(Ordering::SeqCst) {
                most = most.max(service.memory());
                thread::sleep(Duration::from_millis(5));
            }
            most
        });
        let working: Vec<_> = all
            .iter()
            .enumerate()
            .map(|(number, sender)| {
                let (put_off, work) = (&put_off, &work);
                scope.spawn(move || _ = put_off.fetch_add(work(number, sender), Ordering::SeqCst))
            })
            .collect();
        let served = working.into_iter().all(|one| one.join().is_ok());
        over.store(true, Ordering::SeqCst);
        assert!(served, "somebody was not served");
        watcher.join().expect("the most")
    });
    (most, put_off.into_inner())
}

#[test]
fn many_proofs_at_once_take_the_memory_of_a_few() {
    let at_once = AtOnce::asked();
    let folder = tempfile::tempdir().expect("a folder");
    let kept = Claimants::prepared(url_in(folder.path()), folder.path(), PARTNERS);
    (0..2).for_each(|_| kept.refresh());
    kept.admins_of_all();
    // Who is signed in at one instance is so at every other: hashing passwords takes memory too.
    let first = kept.start();
    let admins: Vec<Admin> = (1..=PARTNERS)
        .filter(|n| n % 3 != 1)
        .take(at_once.many)
        .map(|n| Admin::of(&first, &format!("admin-{n}@partner.example")))
        .collect();
    drop(first);
    let mut told = Vec::new();
    let mut peaks = Vec::new();
    for count in [at_once.few, at_once.many] {
        // Each in a process of its own, which holds nothing of the one before.
        let service = kept.start();
        let sender = |admin: &Admin| {
            let admin = Admin { address: service.address.clone(), bearer: admin.bearer.clone() };
            let claim = admin.draft(&kept, 60_000);
            Sender { admin, claim, proof: Mutex::default() }
        };
        let all: Vec<Sender> = admins[..count].iter().map(sender).collect();
        let before = service.memory();
        let begun = Instant::now();
        let (sending, sent) =
            peak(&service, &all, |n, sender| sender.send(count * 1000 + n, at_once.mebibytes));
        let took = begun.elapsed();
        let (reading, read) = peak(&service, &all, |_, sender| sender.download());
        told.push(format!(
            "{count} of {} MiB: {} MiB before, {} MiB while they come in {took:?} ({sent} put off), {} MiB while they go \
             in {:?} ({read} put off)",
            at_once.mebibytes,
            before >> 10,
            sending >> 10,
            reading >> 10,
            begun.elapsed().saturating_sub(took),
        ));
        peaks.push([sending, reading]);
        let proofs = all[0].admin.get(&format!("/v1/coop-claims/{}/proofs", all[0].claim));
        assert_eq!(proofs["items"].as_array().map(Vec::len), Some(1), "{}", json!(proofs));
    }
    let told = told.join("\n");
    println!("{told}");
    for (few, many) in peaks[0].iter().zip(peaks[1]) {
        assert!(many < few + MORE, "{told}");
    }
    kept.expect_files_of_proofs();
    kept.verify();
}
