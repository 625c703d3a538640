//! Payments of a service that is killed again and again: nothing is paid twice, and nothing is lost.

use crate::{
    operator::agent,
    postgres::{Postgres, url_at},
    running::{Running, command},
};
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
use partner_incentives::platform::db::{Conn, Target};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The rounds of a run of the pipeline, on SQLite and on PostgreSQL; `PAYMENT_ROUNDS` sets others.
const ROUNDS: [u64; 2] = [12, 4];
/// How long the job that applies the bank's reports may take, on a machine with other work.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a broken connection leaves of a step.
struct Broken;

type Step<T> = Result<T, Broken>;

/// How a bank answers.
#[derive(Clone, Copy)]
enum Bank {
    /// It rejects more than it pays, by reports and by statements, and sends back what it has paid: there is always something to pay.
    Contrary,
    /// It pays everything.
    Paying,
}

/// What a bank tells of a file.
enum Told {
    /// A report tells one status of the whole file.
    Status(&'static str),
    /// A statement books each payment.
    Booked,
}

impl Bank {
    const fn tells(self, number: u64) -> Told {
        match (self, number % 4) {
            (Self::Contrary, 0 | 2) => Told::Status("RJCT"),
            (Self::Contrary, 1) | (Self::Paying, 1 | 3) => Told::Booked,
            _ => Told::Status("ACSC"),
        }
    }

    const fn sends_back(self) -> bool {
        matches!(self, Self::Contrary)
    }
}

/// Two operators of a service that may be killed at any moment.
#[derive(Clone)]
struct Operators {
    address: String,
    maker: String,
    checker: String,
    /// How many times a bank spoke, for the next time to differ.
    told: Arc<AtomicU64>,
}

impl Operators {
    fn of(address: &str, told: &Arc<AtomicU64>) -> Self {
        let token = |name: &str| {
            let body = json!({"username": format!("{name}@programme.example"), "password": "demo-operator-passphrase"});
            let url = format!("http://{address}/v1/auth/login");
            let session: Value = agent().post(url).send_json(body).unwrap().body_mut().read_json().unwrap();
            format!("Bearer {}", session["access_token"].as_str().unwrap())
        };
        let (maker, checker) = (token("olivia"), token("oscar"));
        Self { address: address.to_owned(), maker, checker, told: Arc::clone(told) }
    }

    fn read(&self, path: &str) -> Step<Value> {
        let ask = agent().get(format!("http://{}{path}", self.address)).header("authorization", &self.maker);
        ask.call().map_err(|_| Broken)?.body_mut().read_json().map_err(|_| Broken)
    }

    fn items(&self, path: &str) -> Step<Vec<Value>> {
        Ok(self.read(path)?["items"].as_array().cloned().unwrap_or_default())
    }

    /// A step; whatever the service answers, the next pass looks at the records.
    fn send(&self, bearer: &str, path: &str, media: &str, body: &str) -> Step<Value> {
        let ask = agent().post(format!("http://{}{path}", self.address));
        let ask = ask.header("authorization", bearer).header("content-type", media);
        let mut answer = ask.send(body).map_err(|_| Broken)?;
        assert!(answer.status().as_u16() < 500 || answer.status().as_u16() == 503, "{path}: {answer:?}");
        answer.body_mut().read_json().map_err(|_| Broken)
    }

    fn post(&self, bearer: &str, path: &str, body: &Value) -> Step<Value> {
        self.send(bearer, path, "application/json", &body.to_string())
    }

    /// Does what is due, from whatever point: makes a run, approves, makes files, sends them, and tells what the bank says.
    fn pass(&self, month: &str, bank: Bank) -> Step<()> {
        self.post(&self.maker, "/v1/payment-runs", &json!({"month": month}))?;
        for run in self.items("/v1/payment-runs?state=created")? {
            let path = format!("/v1/payment-runs/{}/approval", text(&run["id"]));
            self.post(&self.checker, &path, &json!({}))?;
        }
        for run in self.items("/v1/payment-runs?state=approved")? {
            let run = text(&run["id"]);
            for currency in self.currencies(&run)? {
                let file = json!({"run_id": run, "currency": currency});
                self.post(&self.maker, "/v1/payment-files", &file)?;
            }
        }
        for file in self.items("/v1/payment-files?state=made")? {
            let path = format!("/v1/payment-files/{}", text(&file["id"]));
            self.content(&path)?;
            self.post(&self.maker, &format!("{path}/dispatch"), &json!({}))?;
        }
        for file in self.items("/v1/payment-files?state=sent")? {
            let id = text(&file["id"]);
            let sent = self.items(&format!("/v1/payments?file_id={id}&state=sent&limit=200"))?;
            if sent.is_empty() {
                continue;
            }
            let number = self.told.fetch_add(1, Ordering::SeqCst);
            match bank.tells(number) {
                Told::Status(status) => {
                    let path = format!("/v1/payment-files/{id}/status-reports");
                    self.send(&self.maker, &path, "application/xml", &report(&file, status))?;
                }
                Told::Booked => self.state(number, "DBIT", &sent)?,
            }
        }
        if bank.sends_back() {
            let settled = self.items("/v1/payments?state=settled&limit=7")?;
            let number = self.told.fetch_add(1, Ordering::SeqCst);
            self.state(number, "CRDT", &settled)?;
        }
        Ok(())
    }

    /// The bank's statement of some payments arrives, and arrives again.
    fn state(&self, number: u64, direction: &str, payments: &[Value]) -> Step<()> {
        if payments.is_empty() {
            return Ok(());
        }
        let xml = statement(number, direction, payments);
        for _ in 0..2 {
            self.send(&self.maker, "/v1/bank-statements", "application/xml", &xml)?;
        }
        Ok(())
    }

    fn currencies(&self, run: &str) -> Step<Vec<Value>> {
        let mut found: Vec<Value> = Vec::new();
        for payment in self.items(&format!("/v1/payments?run_id={run}&state=approved&limit=200"))? {
            if !found.contains(&payment["currency"]) {
                found.push(payment["currency"].clone());
            }
        }
        Ok(found)
    }

    fn content(&self, file: &str) -> Step<Vec<u8>> {
        let url = format!("http://{}{file}/content", self.address);
        let ask = agent().get(url).header("authorization", &self.maker).header("accept", "text/csv");
        ask.call().map_err(|_| Broken)?.body_mut().read_to_vec().map_err(|_| Broken)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A report that tells one status of the whole file.
fn report(file: &Value, status: &str) -> String {
    let reason = if status == "RJCT" { "<StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>" } else { "" };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\">\
         <CstmrPmtStsRpt><GrpHdr><MsgId>R</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{}</OrgnlMsgId>\
         <GrpSts>{status}</GrpSts>{reason}</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>",
        text(&file["message_id"])
    )
}

/// A statement of what left the account, or of what came back to it; the booking is of the day the payment was sent.
fn statement(number: u64, direction: &str, payments: &[Value]) -> String {
    let returned = if direction == "CRDT" { "<RtrInf><Rsn><Cd>MS03</Cd></Rsn></RtrInf>" } else { "" };
    let entry = |(place, payment): (usize, &Value)| {
        format!(
            "<Ntry><Amt Ccy=\"{}\">{}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{}</Dt>\
             </BookgDt><AcctSvcrRef>S{number}-{place}</AcctSvcrRef><BkTxCd/><NtryDtls><TxDtls><Refs><EndToEndId>{}</EndToEndId>\
             </Refs>{returned}</TxDtls></NtryDtls></Ntry>",
            text(&payment["net"]["currency"]),
            text(&payment["net"]["amount"]),
            text(&payment["sent_on"]),
            text(&payment["reference"])
        )
    };
    let entries: String = payments.iter().enumerate().map(entry).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\
         <BkToCstmrStmt><GrpHdr><MsgId>S{number}</MsgId></GrpHdr><Stmt><Id>S{number}</Id>{entries}</Stmt></BkToCstmrStmt>\
         </Document>"
    )
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A database that outlives the service.
struct Kept {
    url: String,
}

impl Kept {
    fn open(&self) -> Conn {
        self.url.parse::<Target>().expect("an address").open().expect("open")
    }

    fn count(&self, query: &str) -> i64 {
        let found: Count = sql_query(query).get_result(&mut self.open()).expect("a count");
        found.count
    }

    /// The demo's data.
    fn fill(&self) {
        let mut demo = Running::start_on(&self.url, &["demo"]);
        demo.signal("TERM");
        demo.wait();
    }

    fn start(&self) -> Running {
        Running::start_on(&self.url, &["--requests-per-minute", "1000000000"])
    }
}

#[test]
fn payments_of_a_service_that_is_killed_again_and_again_are_made_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("paying.db").display());
    killed_again_and_again(&Kept { url }, ROUNDS[0]);
}

#[test]
fn payments_on_postgresql_are_made_once_too() {
    let Some(server) = Postgres::start() else { return };
    killed_again_and_again(&Kept { url: url_at(server.port) }, ROUNDS[1]);
}

fn killed_again_and_again(kept: &Kept, usual: u64) {
    kept.fill();
    let rounds =
        std::env::var_os("PAYMENT_ROUNDS").and_then(|rounds| rounds.to_str()?.parse().ok()).unwrap_or(usual);
    let told = Arc::new(AtomicU64::new(0));
    let last = {
        let service = kept.start();
        let months = Operators::of(&service.address, &told).items("/v1/accounting-months?state=closed");
        text(&months.ok().expect("the months")[0]["month"])
    };
    let mut broken = 0;
    for round in 0..rounds {
        let mut service = kept.start();
        let operators = Operators::of(&service.address, &told);
        let month = last.clone();
        let working = thread::spawn(move || while operators.pass(&month, Bank::Contrary).is_ok() {});
        // The moment of the kill, another one in each round; nothing waits for a state here.
        thread::sleep(Duration::from_millis(20 + round * 131 % 1100));
        service.signal("KILL");
        service.wait();
        broken += u64::from(working.join().is_ok());
        let give_back = "UPDATE jobs SET holder = NULL, leased_until = NULL";
        sql_query(give_back).execute(&mut kept.open()).expect("give back");
    }
    assert_eq!(broken, rounds, "every step was answered, or the connection broke");

    let service = kept.start();
    let operators = Operators::of(&service.address, &told);
    let waiting = "SELECT COUNT(*) AS count FROM payments WHERE state IN ('created', 'approved', 'in_file', 'sent', 'pending_at_bank')
        AND currency IN ('EUR', 'USD', 'JPY', 'KWD')";
    let unapplied = "SELECT COUNT(*) AS count FROM bank_reports WHERE state <> 'applied'";
    let end = Instant::now() + PATIENCE;
    while kept.count(waiting) + kept.count(unapplied) > 0 && Instant::now() < end {
        operators.pass(&last, Bank::Paying).ok().expect("nobody kills the service now");
    }
    assert_eq!(kept.count(waiting), 0, "everything that the bank got has arrived");
    let made = kept.count("SELECT COUNT(*) AS count FROM payment_files");
    assert!(made > 2, "{made} files");
    assert_eq!(kept.count(unapplied), 0, "every report was applied to its end");
    // Each file has the bytes that were told when the file was made.
    for file in operators.items("/v1/payment-files?state=sent&limit=200").ok().expect("the files") {
        let content =
            operators.content(&format!("/v1/payment-files/{}", text(&file["id"]))).ok().expect("the file");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &content);
        let digest = digest.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let csv = file["contents"].as_array().and_then(|contents| contents.last()).expect("the table");
        assert_eq!(csv["sha256"], json!(digest));
    }
    drop(service);
    let twice =
        "SELECT COUNT(*) AS count FROM (SELECT l.rebate_id, l.claim_id FROM payment_lines l JOIN payments p
        ON p.partner_id = l.partner_id AND p.id = l.payment_id WHERE p.state = 'settled'
        GROUP BY l.partner_id, l.rebate_id, l.claim_id HAVING COUNT(*) > 1) paid_twice";
    assert_eq!(kept.count(twice), 0, "no rebate and no claim is paid by two payments");
    let verified = command(&kept.url).arg("verify").output().expect("run");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}
