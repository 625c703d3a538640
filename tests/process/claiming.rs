//! Co-op of a service that is killed again and again: no claim is half sent, nothing is decided twice, no half-year ends twice, and
//! nothing that was answered is lost.

use crate::{
    claimants::{Claimants, REVIEWERS, bearer, document, hex, stand},
    operator::agent,
    postgres::{Postgres, url_at},
};
use partner_incentives::platform::values::Id;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io::{self, Read},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The rounds of a run of the pipeline, on SQLite and on PostgreSQL; `CLAIM_ROUNDS` sets others.
const ROUNDS: [u64; 2] = [6, 3];
/// The partners that claim: those whose funds reach the threshold.
const CLAIMING: [u32; 4] = [2, 3, 5, 6];
/// The parts of the work within which the service is killed, one after the other.
const PARTS: [Part; 4] = [Part::Upload, Part::Submission, Part::Upload, Part::Decision];
/// How long people take to finish every claim, on a machine with other work.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a broken connection leaves of a step.
struct Broken;

type Step<T> = Result<T, Broken>;

/// An answer: its status and its body.
struct Told {
    status: u16,
    body: Value,
}

/// What was answered with success, and has to be there whatever happens to the service.
#[derive(Default)]
struct Answered {
    /// The SHA-256 of proofs by their ids.
    proofs: HashMap<String, String>,
    submitted: Vec<String>,
    /// The states of claims by their ids.
    decided: HashMap<String, String>,
}

/// Whether people begin new claims.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Appetite {
    More,
    Enough,
}

/// A part of the work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Draft,
    Upload,
    Submission,
    Decision,
}

/// The partners' people and two reviewers of a service that may be killed at any moment.
#[derive(Clone)]
struct People {
    address: String,
    admins: Vec<String>,
    reviewers: [String; 2],
    /// A day on which activities take place.
    day: String,
    /// How many files were sent, for the next one to differ.
    sent: Arc<AtomicU64>,
    answered: Arc<Mutex<Answered>>,
    /// What is asked for now.
    part: Arc<Mutex<Option<Part>>>,
}

impl People {
    fn of(address: &str, kept: &Claimants, admins: &[String]) -> Self {
        Self {
            address: address.to_owned(),
            admins: admins.iter().map(|email| bearer(address, email)).collect(),
            reviewers: REVIEWERS.map(|email| bearer(address, email)),
            day: kept.half.usage().from.to_string(),
            sent: Arc::default(),
            answered: Arc::default(),
            part: Arc::default(),
        }
    }

    fn read(&self, bearer: &str, path: &str) -> Step<Value> {
        let ask = agent().get(format!("http://{}{path}", self.address)).header("authorization", bearer);
        let told = told(path, ask.call())?;
        assert!(told.status == 200 || told.status == 503, "{path}: {}", told.body);
        Ok(told.body)
    }

    fn items(&self, bearer: &str, path: &str) -> Step<Vec<Value>> {
        Ok(self.read(bearer, path)?["items"].as_array().cloned().unwrap_or_default())
    }

    /// A step; a refusal is an answer too, and the next pass looks at the records.
    fn post(&self, part: Part, bearer: &str, path: &str, body: &Value) -> Step<Told> {
        *self.part.lock().expect("a part") = Some(part);
        let ask = agent().post(format!("http://{}{path}", self.address)).header("authorization", bearer);
        told(path, ask.send_json(body))
    }

    /// Does what is due, from whatever point: the partners' people write, prove and submit, and the reviewers decide.
    fn pass(&self, appetite: Appetite) -> Step<()> {
        for admin in &self.admins {
            let drafts = self.items(admin, "/v1/coop-claims?state=draft")?;
            if drafts.is_empty() && appetite == Appetite::More {
                self.draft(admin)?;
            }
            for claim in drafts {
                self.prove_and_submit(admin, &text(&claim["id"]))?;
            }
        }
        for (place, claim) in
            self.items(&self.reviewers[0], "/v1/coop-claims?to_review=true&limit=200")?.iter().enumerate()
        {
            self.decide(place, &text(&claim["id"]))?;
        }
        Ok(())
    }

    /// A draft with an expense, which now and then is more than the fund holds.
    fn draft(&self, admin: &str) -> Step<()> {
        let Some(fund) = self.items(admin, "/v1/coop-funds?state=claimable")?.pop() else { return Ok(()) };
        let number = self.sent.fetch_add(1, Ordering::SeqCst);
        let net = if number % 7 == 6 { 2_000_000 } else { 20_000 + number * 7_919 % 150_000 };
        let claim = stand(&fund, &self.day, number, net);
        self.post(Part::Draft, admin, "/v1/coop-claims", &claim).map(drop)
    }

    fn prove_and_submit(&self, admin: &str, claim: &str) -> Step<()> {
        let shown = self.read(admin, &format!("/v1/coop-claims/{claim}"))?;
        for missing in shown["assessment"]["missing_proofs"].as_array().into_iter().flatten() {
            self.prove(admin, claim, missing)?;
        }
        let done =
            self.post(Part::Submission, admin, &format!("/v1/coop-claims/{claim}/submission"), &json!({}))?;
        match done.status {
            200 => self.answered().submitted.push(claim.to_owned()),
            // The fund has nothing left.
            422 => {
                let path = format!("/v1/coop-claims/{claim}/cancellation");
                self.post(Part::Submission, admin, &path, &json!({}))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends a file of another size each time, piece by piece, as over a slow line.
    fn prove(&self, admin: &str, claim: &str, missing: &Value) -> Step<()> {
        let number = self.sent.fetch_add(1, Ordering::SeqCst);
        let length = if number.is_multiple_of(6) { 6 << 20 } else { 1000 + number * 104_729 % 300_000 };
        let mut file = Trickle { bytes: document(number, length), at: 0 };
        let sha256 = hex(&file.bytes);
        let expense = missing["expense_id"].as_str().map_or(String::new(), |id| format!("&expense_id={id}"));
        let kind = text(&missing["any_of"][0]);
        let path = format!("/v1/coop-claims/{claim}/proofs?kind={kind}&name=proof.pdf{expense}");
        let ask = agent().post(format!("http://{}{path}", self.address)).header("authorization", admin);
        let ask = ask.header("content-type", "application/pdf");
        *self.part.lock().expect("a part") = Some(Part::Upload);
        let done = told(&path, ask.send(ureq::SendBody::from_reader(&mut file)))?;
        if done.status == 201 {
            self.answered().proofs.insert(text(&done.body["id"]), sha256);
        }
        Ok(())
    }

    /// Approves a claim, by two people where that takes two, or rejects it.
    fn decide(&self, place: usize, claim: &str) -> Step<()> {
        let [first, second] = &self.reviewers;
        let done = if place % 3 == 2 {
            let rejection = json!({"reason_code": "proof_missing", "reason": "The stand was never built"});
            self.post(Part::Decision, first, &format!("/v1/coop-claims/{claim}/rejection"), &rejection)?
        } else {
            let path = format!("/v1/coop-claims/{claim}/approval");
            let done = self.post(Part::Decision, first, &path, &json!({}))?;
            if done.body["state"] == "submitted" || done.status == 403 {
                self.post(Part::Decision, second, &path, &json!({}))?
            } else {
                done
            }
        };
        if done.status == 200 && done.body["decided_at"].is_string() {
            self.answered().decided.insert(claim.to_owned(), text(&done.body["state"]));
        }
        Ok(())
    }

    /// Waits until somebody asks for a part of the work anew.
    fn wait_for(&self, part: Part) {
        *self.part.lock().expect("a part") = None;
        let begun = Instant::now();
        while *self.part.lock().expect("a part") != Some(part) {
            assert!(begun.elapsed() < PATIENCE, "nobody comes to {part:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn answered(&self) -> std::sync::MutexGuard<'_, Answered> {
        self.answered.lock().expect("a list")
    }

    /// What was answered is there, funds hold what claims ask for, and no claim was decided twice.
    fn expect_what_was_answered(&self, kept: &Claimants) {
        let answered = self.answered();
        let operator = &self.reviewers[0];
        let claims = self.items(operator, "/v1/coop-claims?limit=200").ok().expect("the claims");
        let by_id: HashMap<String, &Value> = claims.iter().map(|claim| (text(&claim["id"]), claim)).collect();
        for id in &answered.submitted {
            assert_ne!(by_id[id]["state"], "draft", "{id} was submitted");
        }
        for (id, state) in &answered.decided {
            assert_eq!(by_id[id]["state"], *state, "{id} was decided");
        }
        for claim in &claims {
            let decisions: Vec<_> =
                steps(claim).filter(|step| ["approval", "rejection"].contains(&step.as_str())).collect();
            assert!(decisions.len() <= 1, "{claim}: decided twice");
        }
        for fund in self.items(operator, "/v1/coop-funds?limit=200").ok().expect("the funds") {
            let asked = claims.iter().filter(|claim| claim["fund_id"] == fund["id"]);
            let asked: u64 = asked.map(|claim| minor(&claim["committed"])).sum();
            assert_eq!(minor(&fund["committed"]), asked, "{fund}");
            assert!(asked <= minor(&fund["earned"]), "{fund}");
        }
        let known = kept.proofs();
        for (id, sha256) in &answered.proofs {
            let id: Id = id.parse().expect("an id");
            assert!(
                known.iter().any(|proof| (proof.id, &proof.sha256) == (id, sha256)),
                "the proof {id} is gone"
            );
        }
    }
}

/// An answer, which is no fault of the service.
fn told(path: &str, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Step<Told> {
    let mut answer = answer.map_err(|_| Broken)?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().read_json().map_err(|_| Broken)?;
    assert!(status < 500 || status == 503, "{path}: {body}");
    Ok(Told { status, body })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The minor units of an amount in dollars.
fn minor(money: &Value) -> u64 {
    text(&money["amount"]).replace('.', "").parse().unwrap_or_else(|_| panic!("{money}"))
}

fn steps(claim: &Value) -> impl Iterator<Item = String> {
    claim["history"].as_array().into_iter().flatten().map(|step| text(&step["step"]))
}

/// A file that comes piece by piece.
struct Trickle {
    bytes: Vec<u8>,
    at: usize,
}

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        thread::sleep(Duration::from_micros(300));
        let left = &self.bytes[self.at..];
        let count = left.len().min(buffer.len()).min(1 << 16);
        buffer[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(count)
    }
}

fn rounds(usual: u64) -> u64 {
    std::env::var_os("CLAIM_ROUNDS").and_then(|rounds| rounds.to_str()?.parse().ok()).unwrap_or(usual)
}

#[test]
fn claims_of_a_service_that_is_killed_again_and_again_are_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("claiming.db").display());
    claims_are_whole(&Claimants::prepared(url, folder.path(), 6), ROUNDS[0]);
}

#[test]
fn claims_on_postgresql_are_whole_too() {
    let Some(server) = Postgres::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    claims_are_whole(&Claimants::prepared(url_at(server.port), folder.path(), 6), ROUNDS[1]);
}

fn claims_are_whole(kept: &Claimants, usual: u64) {
    // The half-year before ends as well, and its fund is lost.
    (0..2).for_each(|_| kept.refresh());
    let admins: Vec<String> = CLAIMING.iter().map(|partner| kept.admin_of(*partner)).collect();
    let (rounds, mut broken, mut cut) = (rounds(usual), 0, 0);
    let mut people = People::of(&kept.start().address, kept, &admins);
    for round in 0..rounds {
        let mut service = kept.start();
        people.address.clone_from(&service.address);
        let at_work = people.clone();
        let working = thread::spawn(move || while at_work.pass(Appetite::More).is_ok() {});
        // The moment of the kill is another one in each round, while a part of the work is asked for.
        let part = PARTS[usize::try_from(round).expect("a round") % PARTS.len()];
        people.wait_for(part);
        let begun = Instant::now();
        while part == Part::Upload && service.threads_named("upload") == 0 && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_micros(round * 7_919 % 60_000));
        let uploads = service.threads_named("upload");
        service.signal("KILL");
        service.wait();
        broken += u64::from(working.join().is_ok());
        cut += uploads;
        kept.give_back();
        kept.expect_files_of_proofs();
        kept.verify();
        let service = kept.start();
        people.address.clone_from(&service.address);
        people.expect_what_was_answered(kept);
    }
    assert_eq!(broken, rounds, "every step was answered, or the connection broke");
    assert!(cut > 0, "no upload was under way when the service was killed");
    let unbound = kept.count("SELECT COUNT(*) AS count FROM coop_loose_objects");
    assert!(unbound > 0, "no upload was cut");

    let service = kept.start();
    people.address.clone_from(&service.address);
    let waiting =
        "SELECT COUNT(*) AS count FROM coop_claims WHERE state IN ('draft', 'submitted', 'under_review')";
    let end = Instant::now() + PATIENCE;
    while kept.count(waiting) > 0 && Instant::now() < end {
        people.pass(Appetite::Enough).ok().expect("nobody kills the service now");
    }
    assert_eq!(kept.count(waiting), 0, "every claim is finished");
    people.expect_what_was_answered(kept);
    let claims = people.items(&people.reviewers[0], "/v1/coop-claims?limit=200").ok().expect("the claims");
    let decided = claims.iter().filter(|claim| claim["decided_at"].is_string()).count();
    assert!(decided >= admins.len(), "{decided} of {} claims were decided", claims.len());
    drop(service);
    // Each decision was told once.
    let told = "SELECT COUNT(*) AS count FROM (SELECT resource_id FROM notifications WHERE kind = 'coop_claim_decided'
        GROUP BY user_id, resource_id HAVING COUNT(*) > 1) twice";
    assert_eq!(kept.count(told), 0);
    kept.expect_files_of_proofs();
    kept.expect_nothing_loose_after_the_sweep();
    kept.verify();
}

/// The partners of a half-year's end: more than one unit of the refresh takes.
const PARTNERS: u32 = 250;

#[test]
fn the_end_of_half_years_that_is_killed_happens_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("half-years.db").display());
    half_years_end_once(&Claimants::prepared(url, folder.path(), PARTNERS), ROUNDS[0]);
}

#[test]
fn the_end_of_half_years_on_postgresql_happens_once_too() {
    let Some(server) = Postgres::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    half_years_end_once(&Claimants::prepared(url_at(server.port), folder.path(), PARTNERS), ROUNDS[1]);
}

fn half_years_end_once(kept: &Claimants, usual: u64) {
    kept.admins_of_all();
    let estimated = "SELECT COUNT(*) AS count FROM coop_funds WHERE state = 'estimated'";
    let all = i64::from(PARTNERS) * 2;
    assert_eq!(kept.count(estimated), all, "each partner has two funds");
    let mut killed = 0;
    for round in 0..rounds(usual) {
        let mut refresh = kept.command(&["jobs", "run", "daily-refresh"]);
        let mut refresh = refresh.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("start");
        // The moment of the kill, another one in each round, from the step's begin on.
        let at_it = "SELECT COUNT(*) AS count FROM job_runs WHERE state = 'running' AND step = 'coop_funds'";
        let begun = Instant::now();
        while kept.count(at_it) == 0 && refresh.try_wait().expect("its status").is_none() {
            assert!(begun.elapsed() < PATIENCE, "the refresh does not come to the funds");
        }
        thread::sleep(Duration::from_millis(round * 337 % 2400));
        if refresh.try_wait().expect("its status").is_none() {
            refresh.kill().expect("kill -9");
            killed += 1;
        }
        refresh.wait().expect("its end");
        kept.give_back();
        kept.verify();
    }
    assert!(killed > 0, "it was too fast to be killed");
    // What the first run opens the second one may end.
    (0..3).for_each(|_| kept.refresh());
    let revisions = "SELECT CAST(SUM(revision) AS BIGINT) AS count FROM coop_funds";
    let before = kept.count(revisions);
    kept.refresh();
    assert_eq!(kept.count(revisions), before, "a repeat changes nothing");
    kept.verify();

    let below = i64::try_from((1..=PARTNERS).filter(|n| n % 3 == 1).count()).expect("a number");
    let in_state = |state: &str, half: &str| {
        let of = format!("SELECT COUNT(*) AS count FROM coop_funds WHERE state = '{state}' AND half_year");
        kept.count(&format!("{of} {half} '{}'", kept.half.first_month().first_day()))
    };
    assert_eq!((in_state("converted", "="), in_state("converted", "<")), (below, below));
    assert_eq!((in_state("claimable", "="), in_state("ended", "<")), (all / 2 - below, all / 2 - below));
    // The partner was told of each end, and the ledger moved each amount, once.
    let told = |kind: &str| {
        let told = "SELECT COUNT(*) AS count FROM notifications WHERE kind =";
        let funds = "SELECT COUNT(DISTINCT resource_id) AS count FROM notifications WHERE kind =";
        (kept.count(&format!("{told} '{kind}'")), kept.count(&format!("{funds} '{kind}'")))
    };
    assert_eq!(told("coop_fund_closed"), (all, all));
    assert_eq!(told("coop_fund_forfeited"), (all / 2 - below, all / 2 - below));
    for (credit, funds) in [("coop_converted", 2 * below), ("coop_forfeited", all / 2 - below)] {
        let moved =
            "SELECT COUNT(*) AS count FROM ledger_transfers WHERE debit = 'coop_available' AND credit =";
        assert_eq!(kept.count(&format!("{moved} '{credit}'")), funds, "{credit}");
    }
}
