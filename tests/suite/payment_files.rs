//! Files for banks: made of an approved run, downloaded, sent; status reports and statements of banks; reconciliation.

use crate::{
    suite::{
        calculation::{text, verify},
        payer_accounts::{payer, payer_in_america},
        payments::{Payer, all_rebate, at_once},
        profiles::{payout_in_japan, payout_to},
    },
    support::{Answer, World, statements::behind_the_service},
};
use diesel::{RunQueryDsl, sql_query};
use partner_incentives::{
    access::{Tx, Unaudited},
    operations::verify::sums_of_payments,
    payouts::{bank_reports, sealed_files},
    platform::values::Id,
    work::{JobName, Turn},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Mutex};

/// A programme that is paid in euro, with a partner more for each of some numbers.
struct Bank<'w> {
    payer: Payer<'w>,
}

impl<'w> Bank<'w> {
    fn new(world: &'w World) -> Self {
        let mut version = all_rebate("0.10");
        for threshold in ["payment_threshold", "coop_threshold"] {
            version[threshold]["currency"] = json!("EUR");
        }
        let payer_of_all = Payer::by(world, &version);
        payer_of_all.maker.post("/v1/payer-accounts", payer()).send().ok();
        Self { payer: payer_of_all }
    }

    /// An approved run over July, in which this partner and so many others are paid.
    fn approved(&self, others: u32) -> Answer {
        let world = self.payer.story.world;
        let others: Vec<_> = (2..2 + others).map(|n| self.payer.story.another(n)).collect();
        world.on("2018-07-20");
        self.payer.story.sale("0", "2018-07-10", "5000.00 EUR");
        for (n, other) in (1..).zip(&others) {
            other.sale(&n.to_string(), "2018-07-10", &format!("{}000.00 EUR", 5 + n));
        }
        self.payer.close("2018-07");
        let run = self.payer.run("2018-07");
        self.payer.approve(&run).ok()
    }

    fn make(&self, run: &Answer) -> Answer {
        self.payer.maker.post("/v1/payment-files", json!({"run_id": run.id()})).send()
    }

    fn content(&self, file: &Answer, media: &str) -> Answer {
        let path = format!("/v1/payment-files/{}/content", file.id());
        self.payer.maker.get(&path).header("accept", media).send()
    }

    fn post(&self, path: &str, xml: &str) -> Answer {
        self.payer.maker.ask("POST", path).bytes("application/xml", xml.as_bytes()).send()
    }

    fn report(&self, file: &Answer, xml: &str) -> Answer {
        self.post(&format!("/v1/payment-files/{}/status-reports", file.id()), xml)
    }

    fn now(&self, file: &Answer) -> Answer {
        self.payer.maker.get(&format!("/v1/payment-files/{}", file.id())).send().ok()
    }

    fn payments(&self, file: &Answer) -> Vec<Value> {
        self.payer.story.list(&format!("/v1/payments?file_id={}", file.id()))
    }

    fn states(&self, file: &Answer) -> Vec<String> {
        self.payments(file).iter().map(|payment| text(&payment["state"])).collect()
    }

    fn exceptions(&self, report: &Answer) -> Vec<(i64, String)> {
        let listed = self.payer.story.list(&format!("/v1/bank-exceptions?report_id={}", report.id()));
        let reason = |item: &Value| (item["entry"].as_i64().unwrap(), text(&item["reason"]));
        listed.iter().map(reason).collect()
    }

    fn reconciliation(&self, run: &Answer) -> Answer {
        self.payer.maker.get(&format!("/v1/payment-runs/{}/reconciliation", run.id())).send().ok()
    }

    /// A file that was downloaded, so that the bank can have it.
    fn downloaded(&self, others: u32) -> (Answer, Answer) {
        let run = self.approved(others);
        let file = self.make(&run).ok();
        self.content(&file, "application/xml").ok();
        (run, file)
    }
}

/// Changes, lines that told nothing new, and exceptions of a report.
fn effect(report: &Answer) -> [i64; 3] {
    assert_eq!(report["state"], "applied", "{report}");
    assert_eq!(report["applied"], report["entries"], "{report}");
    ["changed", "unchanged", "exceptions"].map(|name| report[name].as_i64().unwrap())
}

/// A status report of a file; each payment with a status and perhaps a reason.
fn pain002(file: &Answer, payments: &[(&str, &str, &str)]) -> String {
    let payment = |(reference, status, reason): &(&str, &str, &str)| {
        let reason = match *reason {
            "" => String::new(),
            code => format!("<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>"),
        };
        format!(
            "<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}</TxInfAndSts>"
        )
    };
    let payments: String = payments.iter().map(payment).collect();
    let group = format!("<OrgnlPmtInfAndSts><OrgnlPmtInfId>X</OrgnlPmtInfId>{payments}</OrgnlPmtInfAndSts>");
    of_file(file, "", &group)
}

pub fn of_file(file: &Answer, status: &str, groups: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\">\
         <CstmrPmtStsRpt><GrpHdr><MsgId>REPORT-1</MsgId><CreDtTm>2018-08-04T10:00:00Z</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>{}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{status}\
         </OrgnlGrpInfAndSts>{groups}</CstmrPmtStsRpt></Document>",
        text(&file["message_id"])
    )
}

/// An entry of a statement about one payment.
pub struct Entry<'e> {
    pub reference: &'e str,
    pub amount: &'e str,
    pub direction: &'e str,
    pub code: &'e str,
}

impl Entry<'_> {
    /// A fee of the bank, which is about no payment.
    pub const fn fee() -> Self {
        Self { reference: "NOTPROVIDED", amount: "3.50", direction: "DBIT", code: "" }
    }
}

pub fn camt053(id: &str, entries: &[Entry<'_>]) -> String {
    let entry = |(n, entry): (usize, &Entry<'_>)| {
        let returned = match entry.code {
            "" => String::new(),
            code => format!("<RtrInf><Rsn><Cd>{code}</Cd></Rsn></RtrInf>"),
        };
        format!(
            "<Ntry><Amt Ccy=\"EUR\">{0}</Amt><CdtDbtInd>{1}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>2018-08-05</Dt></BookgDt><AcctSvcrRef>{id}-{n}</AcctSvcrRef><BkTxCd/><NtryDtls><TxDtls><Refs>\
             <EndToEndId>{2}</EndToEndId></Refs>{returned}</TxDtls></NtryDtls></Ntry>",
            entry.amount, entry.direction, entry.reference
        )
    };
    let entries: String = entries.iter().enumerate().map(entry).collect();
    statement(id, &entries)
}

fn statement(id: &str, entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\
         <BkToCstmrStmt><GrpHdr><MsgId>{id}</MsgId><CreDtTm>2018-08-06T06:00:00Z</CreDtTm></GrpHdr><Stmt><Id>{id}</Id>\
         <Acct><Id><IBAN>DE75512108001245126199</IBAN></Id></Acct>{entries}</Stmt></BkToCstmrStmt></Document>"
    )
}

/// The SHA-256 of bytes, in hexadecimal digits.
fn sha256(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn references(payments: &[Value]) -> Vec<String> {
    payments.iter().map(|payment| text(&payment["reference"])).collect()
}

#[test]
fn a_file_is_made_once_and_every_download_has_the_same_bytes() {
    let world = World::new();
    let bank = Bank::new(&world);
    let run = bank.approved(1);
    let file = bank.make(&run).ok();
    assert_eq!((file.status, &file["state"], &file["payments"]), (201, &json!("made"), &json!(2)), "{file}");
    assert_eq!(file["total"], json!({"amount": "1100.00", "currency": "EUR"}));
    // The third of August 2018 is a Friday.
    assert_eq!(file["execution_on"], "2018-08-03");
    assert_eq!(file["allowed_transitions"], json!(["dispatch", "withdrawal"]));
    assert_eq!(bank.states(&file), ["in_file", "in_file"]);
    // The partner is told the day.
    let path = format!("/v1/partners/{}/summary", text(&bank.payments(&file)[0]["partner_id"]));
    let expected = bank.payer.maker.get(&path).send().ok()["payments"][0].clone();
    assert_eq!((&expected["execution_on"], &expected["sent_on"]), (&json!("2018-08-03"), &Value::Null));
    bank.make(&run).refused(409, "payments_missing");
    bank.payer.dispatch(&run).refused(409, "payments_in_file");

    let xml = bank.content(&file, "application/xml").ok();
    assert_eq!(xml.header("content-type"), Some("application/xml"));
    let name = format!("attachment; filename=\"payments-{}.xml\"", text(&file["message_id"]));
    assert_eq!(xml.header("content-disposition"), Some(&*name));
    let written = String::from_utf8(xml.bytes.clone()).unwrap();
    assert!(
        written.contains("<CtrlSum>1100.00</CtrlSum>") && written.contains("<NbOfTxs>2</NbOfTxs>"),
        "{written}"
    );
    for payment in bank.payments(&file) {
        assert!(written.contains(&format!("<EndToEndId>{}</EndToEndId>", text(&payment["reference"]))));
        assert!(written.contains(&format!("<Ustrd>{}</Ustrd>", text(&payment["document_number"]))));
    }
    let csv = bank.content(&file, "text/csv").ok();
    for (content, got) in file["contents"].as_array().unwrap().iter().zip([&xml, &csv]) {
        let digest = sha256(&got.bytes);
        assert_eq!((&content["sha256"], &content["bytes"]), (&json!(digest), &json!(got.bytes.len())));
    }
    assert!(String::from_utf8(csv.bytes).unwrap().lines().last().unwrap().contains("1100.00,EUR"));
    assert_eq!(bank.content(&file, "*/*").ok().bytes, xml.bytes);
    let events = bank.payer.story.list("/v1/audit-events?operation=getPaymentFileContent");
    assert_eq!(events.len(), 3, "each download is an event");

    // A file that somebody has downloaded may be at the bank.
    let withdrawal = format!("/v1/payment-files/{}/withdrawal", file.id());
    let reason = json!({"reason": "Made for the wrong day"});
    bank.payer.maker.post(&withdrawal, reason).send().refused(409, "transition_not_allowed");
    let sent =
        bank.payer.maker.post(&format!("/v1/payment-files/{}/dispatch", file.id()), json!({})).send().ok();
    assert_eq!((&sent["state"], &sent["sent_on"]), (&json!("sent"), &json!("2018-08-03")));
    assert_eq!(bank.states(&file), ["sent", "sent"]);
    let run = bank.payer.maker.get(&format!("/v1/payment-runs/{}", run.id())).send().ok();
    assert_eq!(run["state"], "sent", "the bank has all of the run");
    assert_eq!(bank.content(&file, "application/xml").ok().bytes, xml.bytes);
    verify(&world.service);
}

/// Asserts that of requests at once some were done, as often as given, and the others were refused or told to come again.
fn assert_done(statuses: &[u16], done: u16, times: usize) {
    let of = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!(of(done), times, "{statuses:?}");
    assert_eq!(
        of(done) + of(200) * usize::from(done != 200) + of(409) + of(503),
        statuses.len(),
        "{statuses:?}"
    );
}

#[test]
fn what_is_asked_thirty_times_at_once_happens_once() {
    let world = World::new();
    let bank = Bank::new(&world);
    let run = bank.approved(2);
    let maker = &bank.payer.maker;
    let asked = json!({"run_id": run.id()});
    let makings = at_once(30, |_| maker.post("/v1/payment-files", asked.clone()).send().status);
    assert_done(&makings, 201, 1);
    let file = bank.payer.story.list("/v1/payment-files").remove(0);
    let path = format!("/v1/payment-files/{}", text(&file["id"]));
    let file = bank.payer.maker.get(&path).send().ok();
    let known = references(&bank.payments(&file));
    assert_eq!(known.len(), 3);

    let (contents, content) = (Mutex::new(BTreeSet::new()), format!("{path}/content"));
    let downloads = at_once(30, |_| {
        let content = maker.get(&content).header("accept", "application/xml").send();
        if content.status == 200 {
            contents.lock().unwrap().insert(content.bytes);
        }
        content.status
    });
    // Each person downloads so many files a minute.
    assert!(downloads.iter().all(|status| [200, 429, 503].contains(status)), "{downloads:?}");
    let contents = contents.into_inner().unwrap();
    assert_eq!(contents.len(), 1, "every download has the same bytes");
    assert_eq!(sha256(contents.first().unwrap()), text(&file["contents"][0]["sha256"]));
    let events = bank.payer.story.list("/v1/audit-events?operation=getPaymentFileContent");
    // What was refused was not downloaded.
    assert_eq!(events.len(), downloads.iter().filter(|status| **status == 200).count(), "{downloads:?}");

    let dispatch = format!("{path}/dispatch");
    let dispatches = at_once(30, |_| maker.post(&dispatch, json!({})).send().status);
    assert_done(&dispatches, 200, 1);
    let xml =
        pain002(&file, &[(&known[0], "ACSC", ""), (&known[1], "RJCT", "AM04"), (&known[2], "PDNG", "")]);
    let sent = |path: &str, xml: &str| {
        let send = |_| maker.ask("POST", path).bytes("application/xml", xml).send().status;
        assert_done(&at_once(30, send), 201, 1);
    };
    let reports = format!("{path}/status-reports");
    sent(&reports, &xml);
    let reports = bank.payer.story.list(&reports);
    assert_eq!(
        (reports.len(), &reports[0]["state"], &reports[0]["changed"]),
        (1, &json!("applied"), &json!(3))
    );
    assert_eq!(bank.states(&file), ["settled", "failed", "pending_at_bank"]);

    world.on("2018-08-06");
    let entries = [
        Entry { reference: &known[0], amount: "500.00", direction: "DBIT", code: "" },
        Entry { reference: &known[2], amount: "700.00", direction: "DBIT", code: "" },
        Entry { reference: &known[2], amount: "700.00", direction: "CRDT", code: "MS03" },
    ];
    let xml = camt053("2018-08-05", &entries);
    sent("/v1/bank-statements", &xml);
    let statements = bank.payer.story.list("/v1/bank-statements");
    let first = &statements[0];
    assert_eq!((statements.len(), &first["state"], &first["changed"]), (1, &json!("applied"), &json!(2)));
    assert_eq!(bank.states(&file), ["settled", "failed", "returned"]);
    verify(&world.service);
}

#[test]
fn a_file_is_downloaded_or_withdrawn_and_never_both() {
    let world = World::new();
    let bank = Bank::new(&world);
    let run = bank.approved(0);
    let file = bank.make(&run).ok();
    let withdrawal = format!("/v1/payment-files/{}/withdrawal", file.id());
    let (maker, content) = (&bank.payer.maker, format!("/v1/payment-files/{}/content", file.id()));
    let statuses = at_once(30, |n| {
        let asked = if n % 2 == 0 {
            maker.get(&content)
        } else {
            maker.post(&withdrawal, json!({"reason": "Made for the wrong day"}))
        };
        asked.send().status
    });
    assert!(statuses.iter().all(|status| [200, 409, 429, 503].contains(status)), "{statuses:?}");
    let done = |kind: usize| (0..30).filter(|n| n % 2 == kind && statuses[*n] == 200).count();
    let (downloads, withdrawals) = (done(0), done(1));
    let state = text(&bank.now(&file)["state"]);
    assert!(downloads == 0 || withdrawals == 0, "{statuses:?}");
    assert_eq!((withdrawals == 1, downloads > 0), (state == "withdrawn", state == "made"), "{statuses:?}");
    verify(&world.service);
}

#[test]
fn a_withdrawn_file_frees_its_payments_for_another() {
    let world = World::new();
    let bank = Bank::new(&world);
    let run = bank.approved(0);
    let first = bank.make(&run).ok();
    let withdrawal = format!("/v1/payment-files/{}/withdrawal", first.id());
    let reason = json!({"reason": "Made for the wrong day"});
    let withdrawn = bank.payer.maker.post(&withdrawal, reason).send().ok();
    assert_eq!((&withdrawn["state"], &withdrawn["allowed_transitions"]), (&json!("withdrawn"), &json!([])));
    bank.content(&first, "application/xml").refused(409, "payment_file_withdrawn");
    bank.report(&first, &pain002(&first, &[])).refused(409, "payment_file_not_sent");
    let asked = json!({"run_id": run.id(), "execution_on": "2018-08-06"});
    let second = bank.payer.maker.post("/v1/payment-files", asked).send().ok();
    assert_ne!(first["message_id"], second["message_id"]);
    assert_eq!(bank.states(&second), ["in_file"]);
    assert!(bank.payments(&first).is_empty());
    verify(&world.service);
}

#[test]
fn a_file_that_holds_what_a_bank_has_booked_already_goes_to_no_bank_and_is_withdrawn() {
    let world = World::new();
    let bank = Bank::new(&world);
    let run = bank.approved(1);
    let file = bank.make(&run).ok();
    world.on("2018-08-06");
    let booked = bank.payments(&file).remove(0);
    let entry =
        Entry { reference: &text(&booked["reference"]), amount: "500.00", direction: "DBIT", code: "" };
    bank.post("/v1/bank-statements", &camt053("A", &[entry])).ok();
    assert_eq!(bank.states(&file), ["settled", "in_file"]);
    // Nobody took the file to a bank, and nobody takes it now: the payment would be paid twice.
    let refused = bank.content(&file, "application/xml").refused(409, "payment_file_outdated");
    assert_eq!(refused["payments"], json!([booked["id"]]));
    let path = |what: &str| format!("/v1/payment-files/{}/{what}", file.id());
    bank.payer.maker.post(&path("dispatch"), json!({})).send().refused(409, "payment_file_outdated");
    let withdrawn =
        bank.payer.maker.post(&path("withdrawal"), json!({"reason": "Booked already"})).send().ok();
    assert_eq!(withdrawn["state"], "withdrawn");
    assert_eq!(bank.payer.whole(&booked)["state"], "settled");
    let again = bank.make(&run).ok();
    assert_eq!((&again["payments"], bank.states(&again)), (&json!(1), vec!["in_file".to_owned()]));
    verify(&world.service);
}

#[test]
fn what_a_bank_would_refuse_is_refused_together_and_no_file_exists() {
    let world = World::new();
    let bank = Bank::new(&world);
    let others: Vec<_> = (2..4).map(|n| bank.payer.story.another(n)).collect();
    // An account that takes yen alone is paid in euro.
    let profile = format!("/v1/partners/{}/payout-profile", others[0].partner);
    let admin = world.admin_of(&others[0].partner);
    admin.put(&profile, payout_in_japan()).if_match("*").send().ok();
    bank.payer.maker.post(&format!("{profile}/approval"), json!({})).send().ok();
    world.on("2018-07-20");
    for (n, story) in others.iter().chain([&bank.payer.story]).enumerate() {
        story.sale(&n.to_string(), "2018-07-10", "5000.00 EUR");
    }
    bank.payer.close("2018-07");
    let run = bank.payer.run("2018-07");
    bank.make(&run).refused(409, "payment_run_not_approved");
    bank.payer.approve(&run).ok();
    // A Saturday.
    let asked = json!({"run_id": run.id(), "execution_on": "2018-08-04"});
    let refused =
        bank.payer.maker.post("/v1/payment-files", asked).send().refused(422, "payment_file_faulty");
    let faults: Vec<(String, String, bool)> = refused["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            let is_of_payee = fault["partner_id"] == json!(others[0].partner);
            (text(&fault["field"]), text(&fault["code"]), is_of_payee)
        })
        .collect();
    let fault = |field: &str, code: &str, of_payee| (field.to_owned(), code.to_owned(), of_payee);
    assert!(
        faults.contains(&fault("group.execution_on", "execution_date_not_a_banking_day", false)),
        "{refused}"
    );
    assert!(
        faults.contains(&fault("payee.currency", "currency_not_supported_by_account", true)),
        "{refused}"
    );
    assert_eq!(refused["fault_count"], json!(faults.len()));
    assert!(bank.payer.story.list("/v1/payment-files").is_empty());
    let states: Vec<String> =
        bank.payer.payments(&run).iter().map(|payment| text(&payment["state"])).collect();
    assert_eq!(states, ["approved"; 3]);
    let words = refused["faults"][0]["remedy"].as_str().unwrap().to_owned();
    let asked = json!({"run_id": run.id(), "execution_on": "2018-08-04"});
    let japanese = bank.payer.maker.post("/v1/payment-files", asked).header("accept-language", "ja").send();
    assert_ne!(japanese["faults"][0]["remedy"], json!(words));

    // The payment is stopped, and the rest is paid.
    let in_yen = bank
        .payer
        .payments(&run)
        .into_iter()
        .find(|payment| payment["partner_id"] == json!(others[0].partner));
    bank.payer.tell(&in_yen.unwrap(), "stop", json!({"reason": "The account takes yen"})).ok();
    let file = bank.make(&run).ok();
    assert_eq!(file["payments"], 2);
    verify(&world.service);
}

#[test]
fn what_a_new_file_names_exists() {
    let world = World::new();
    let bank = Bank::new(&world);
    let run = bank.approved(0);
    let nowhere = "01936f2e-4b00-7000-8000-00000000dead";
    for (run_id, payer_account_id, pointer) in
        [(nowhere.to_owned(), None, "/run_id"), (run.id(), Some(nowhere), "/payer_account_id")]
    {
        let body = json!({"run_id": run_id, "payer_account_id": payer_account_id});
        let refused = bank.payer.maker.post("/v1/payment-files", body).send().refused(422, "invalid");
        assert_eq!(
            (&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]),
            (&json!(pointer), &json!("unknown"))
        );
    }
    assert!(bank.payer.story.list("/v1/payment-files").is_empty());
}

#[test]
fn an_account_that_changes_after_the_approval_is_not_paid() {
    let world = World::new();
    let bank = Bank::new(&world);
    let run = bank.approved(1);
    let file = bank.make(&run).ok();
    let profile = format!("/v1/partners/{}/payout-profile", bank.payer.story.partner);
    let admin = world.admin_of(&bank.payer.story.partner);
    admin.put(&profile, payout_to("Partner", "DE02120300000000202051")).if_match("*").send().ok();
    let refused = bank.content(&file, "application/xml").refused(409, "payment_file_outdated");
    assert_eq!(refused["payments"].as_array().unwrap().len(), 1, "{refused}");
    let withdrawal = format!("/v1/payment-files/{}/withdrawal", file.id());
    bank.payer.maker.post(&withdrawal, json!({"reason": "An account has changed"})).send().ok();
    let file = bank.make(&run).ok();
    assert_eq!(file["payments"], 1);
    let own = format!("/v1/payments?partner_id={}", bank.payer.story.partner);
    let stopped = bank.payer.story.list(&own).remove(0);
    assert_eq!(stopped["state"], "stopped");
    let notice = bank.payer.notice("payment_failed");
    assert!(notice.contains("was stopped before the bank had it"), "{notice}");
    let events = format!("/v1/audit-events?resource_type=payment&resource_id={}", text(&stopped["id"]));
    let events = bank.payer.story.list(&events);
    assert_eq!(events.last().unwrap()["after"]["state"], "stopped", "{events:?}");
    assert_eq!(bank.payer.states()[0].2, "on_hold");
    let xml = String::from_utf8(bank.content(&file, "application/xml").ok().bytes).unwrap();
    assert!(!xml.contains("DE02120300000000202051"), "{xml}");
    verify(&world.service);
}

#[test]
fn a_bank_without_xml_gets_a_table() {
    let world = World::new();
    let mut version = all_rebate("0.10");
    version["payment_threshold"] = json!({"amount": "200.00", "currency": "USD"});
    let payer = Payer::by(&world, &version);
    let bank = Bank { payer };
    let profile = format!("/v1/partners/{}/payout-profile", bank.payer.story.partner);
    let admin = world.admin_of(&bank.payer.story.partner);
    let mut account = payout_to("Partner", "DE02120300000000202051");
    account["currency"] = json!("USD");
    account["bic"] = json!("BYLADEM1001");
    admin.put(&profile, account).if_match("*").send().ok();
    bank.payer.maker.post(&format!("{profile}/approval"), json!({})).send().ok();
    world.on("2018-07-20");
    bank.payer.story.sale("0", "2018-07-10", "5000.00");
    bank.payer.close("2018-07");
    let run = bank.payer.run("2018-07");
    bank.payer.approve(&run).ok();
    let refused = bank.make(&run).refused(422, "payment_file_faulty");
    assert_eq!(refused["faults"][0]["code"], "payer_account_missing", "{refused}");
    bank.payer.maker.post("/v1/payer-accounts", payer_in_america()).send().ok();
    let file = bank.make(&run).ok();
    assert_eq!(file["contents"][0]["media_type"], "text/csv", "{file}");
    bank.content(&file, "application/xml").refused(406, "not_acceptable");
    let table = String::from_utf8(bank.content(&file, "*/*").ok().bytes).unwrap();
    assert!(table.starts_with("line,message_id,") && table.contains(",500.00,USD,"), "{table}");
    verify(&world.service);
}

#[test]
fn a_status_report_moves_each_payment_and_sent_again_changes_nothing() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (_, file) = bank.downloaded(4);
    let payments = bank.payments(&file);
    let known = references(&payments);
    let foreign = "00000000000070008000000000000001";
    let xml = pain002(
        &file,
        &[
            (&known[0], "ACSP", ""),
            (&known[0], "ACSC", ""),
            (&known[1], "RJCT", "AC04"),
            (&known[2], "RJCT", "AM04"),
            (&known[3], "RJCT", "RR04"),
            (&known[4], "PDNG", ""),
            (&known[4], "RVMC", ""),
            (foreign, "ACSC", ""),
            (&known[4], "QQQQ", ""),
        ],
    );
    let report = bank.report(&file, &xml).ok();
    assert_eq!((report.status, &report["bank_id"]), (201, &json!("REPORT-1")), "{report}");
    // The file was not noted as sent: whose bank speaks of it has it.
    assert_eq!(bank.now(&file)["state"], "sent");
    assert_eq!(effect(&report), [5, 1, 3]);
    assert_eq!(bank.states(&file), ["settled", "failed", "failed", "failed", "pending_at_bank"]);
    assert_eq!(
        bank.exceptions(&report),
        [(7, "name_check".to_owned()), (8, "unmatched".to_owned()), (9, "status_unknown".to_owned())]
    );
    let code = |n: usize| bank.payments(&file)[n]["state_code"].clone();
    assert_eq!([code(1), code(2), code(3)], [json!("AC04"), json!("AM04"), json!("RR04")]);
    let profile = format!("/v1/partners/{}/payout-profile", text(&payments[1]["partner_id"]));
    assert_eq!(bank.payer.maker.get(&profile).send().ok()["state"], "action_required");
    let rebate = |n: usize| {
        let rebates = format!("/v1/rebates?partner_id={}", text(&payments[n]["partner_id"]));
        let rebate = bank.payer.story.list(&rebates).remove(0);
        (text(&rebate["state"]), rebate["state_reason"]["code"].clone())
    };
    assert_eq!(rebate(1), ("on_hold".to_owned(), json!("profile_action_required")));
    assert_eq!(rebate(2).0, "payable");
    assert_eq!(rebate(3), ("on_hold".to_owned(), json!("held_by_operator")), "no automatic retry");

    let again = bank.report(&file, &xml);
    assert_eq!((again.status, again.id()), (200, report.id()));
    // The same in another spelling.
    let spelled = bank.report(&file, &format!("{xml}\n")).ok();
    assert_eq!(effect(&spelled)[0], 0, "{spelled}");
    assert_eq!(bank.states(&file), ["settled", "failed", "failed", "failed", "pending_at_bank"]);

    let exception = &bank.payer.story.list("/v1/bank-exceptions?reason=name_check&state=open")[0];
    assert_eq!(exception["payment_id"], payments[4]["id"]);
    let resolution = format!("/v1/bank-exceptions/{}/resolution", text(&exception["id"]));
    let words = json!({"resolution": "The partner has another trade name"});
    let resolved = bank.payer.maker.post(&resolution, words.clone()).send().ok();
    assert_eq!((&resolved["state"], &resolved["allowed_transitions"]), (&json!("resolved"), &json!([])));
    bank.payer.maker.post(&resolution, words).send().refused(409, "transition_not_allowed");
    verify(&world.service);
}

#[test]
fn a_status_of_the_whole_file_is_one_of_each_payment() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (_, file) = bank.downloaded(2);
    let accepted = bank.report(&file, &of_file(&file, "<GrpSts>ACCP</GrpSts>", "")).ok();
    assert_eq!(effect(&accepted), [0, 3, 0], "the bank has the file");
    let rejected = of_file(
        &file,
        "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn><AddtlInf>Account DE89370400440532013000</AddtlInf></StsRsnInf>",
        "",
    );
    assert_eq!(effect(&bank.report(&file, &rejected).ok()), [3, 0, 0]);
    assert_eq!(bank.states(&file), ["failed"; 3]);
    assert_eq!(bank.payments(&file)[0]["state_comment"], "Account ****3000");
    let of_other = rejected.replace(&text(&file["message_id"]), "00000000000070008000000000000001");
    let other = bank.report(&file, &of_other).ok();
    assert_eq!(bank.exceptions(&other), [(1, "other_file".to_owned())]);
    assert!(bank.payer.states().iter().all(|(.., state)| state == "payable"));
    verify(&world.service);
}

#[test]
fn a_statement_matches_settles_and_returns_and_the_run_is_reconciled() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (run, file) = bank.downloaded(3);
    let known = references(&bank.payments(&file));
    // Two are settled by the bank's report, two by its statement.
    let settled = [(&*known[0], "ACSC", ""), (&*known[1], "ACSC", "")];
    bank.report(&file, &pain002(&file, &settled)).ok();
    let open = bank.reconciliation(&run);
    let euro = &open["currencies"][0];
    let part = |name: &str| euro[name]["payments"].as_i64().unwrap();
    assert_eq!((&open["is_reconciled"], part("at_bank"), part("unmatched")), (&json!(false), 2, 2), "{open}");
    world.on("2018-08-06");
    let debit =
        |n: usize, amount: &'static str| Entry { reference: &known[n], amount, direction: "DBIT", code: "" };
    let entries =
        [debit(0, "500.00"), debit(1, "600.00"), debit(2, "700.00"), debit(3, "799.99"), Entry::fee()];
    let xml = camt053("2018-08-05", &entries);
    let first = bank.post("/v1/bank-statements", &xml).ok();
    assert_eq!((first.status, &first["kind"]), (201, &json!("statement")), "{first}");
    assert_eq!(effect(&first), [1, 0, 2]);
    assert_eq!(bank.exceptions(&first), [(4, "amount_differs".to_owned()), (5, "unmatched".to_owned())]);
    assert_eq!(bank.post("/v1/bank-statements", &xml).status, 200);
    let third = &bank.payments(&file)[2];
    assert_eq!(
        (&third["state"], &third["settled_on"], &third["reconciliation"]),
        (&json!("settled"), &json!("2018-08-05"), &json!("matched"))
    );
    assert_eq!(
        (&third["statement_id"], &third["statement_entry"], &third["bank_reference"]),
        (&json!(first.id()), &json!(3), &json!("2018-08-05-2"))
    );
    // The right amount comes, the first is shown again, and the second comes back.
    let entries = [
        debit(3, "800.00"),
        debit(0, "500.00"),
        Entry { reference: &known[1], amount: "600.00", direction: "CRDT", code: "AC04" },
    ];
    let second = bank.post("/v1/bank-statements", &camt053("2018-08-06", &entries)).ok();
    assert_eq!(effect(&second), [2, 0, 1]);
    assert_eq!(bank.exceptions(&second), [(2, "booked_twice".to_owned())]);
    assert_eq!(bank.states(&file), ["settled", "returned", "settled", "settled"]);
    let done = bank.reconciliation(&run);
    let euro = &done["currencies"][0];
    assert_eq!(done["is_reconciled"], true, "{done}");
    assert_eq!(euro["matched"], json!({"payments": 3, "net": {"amount": "2000.00", "currency": "EUR"}}));
    assert_eq!(euro["not_paid"], json!({"payments": 1, "net": {"amount": "600.00", "currency": "EUR"}}));
    verify(&world.service);
}

#[test]
fn one_booking_of_a_whole_file_matches_all_of_its_payments() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (run, file) = bank.downloaded(1);
    bank.payer.maker.post(&format!("/v1/payment-files/{}/dispatch", file.id()), json!({})).send().ok();
    let booking = |amount: &str| {
        format!(
            "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt>\
             <Dt>2018-08-03</Dt></BookgDt><BkTxCd/><NtryDtls><Btch><MsgId>{}</MsgId></Btch></NtryDtls></Ntry>",
            text(&file["message_id"])
        )
    };
    let wrong = bank.post("/v1/bank-statements", &statement("A", &booking("1099.99"))).ok();
    assert_eq!(bank.exceptions(&wrong), [(1, "amount_differs".to_owned())]);
    let right = bank.post("/v1/bank-statements", &statement("B", &booking("1100.00"))).ok();
    assert_eq!(effect(&right), [2, 0, 0]);
    assert_eq!(bank.reconciliation(&run)["is_reconciled"], true);
    verify(&world.service);
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_changes_nothing() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (_, file) = bank.downloaded(0);
    let known = references(&bank.payments(&file));
    let xml = pain002(&file, &[(&known[0], "ACSC", "")]);
    for broken in [&xml[..xml.len() - 9], "", "no xml", "<Document/>"] {
        bank.report(&file, broken).refused(422, "bank_file_unreadable");
        bank.post("/v1/bank-statements", broken).refused(422, "bank_file_unreadable");
    }
    bank.post("/v1/bank-statements", &xml).refused(422, "bank_file_unreadable");
    let path = format!("/v1/payment-files/{}/status-reports", file.id());
    bank.payer
        .maker
        .ask("POST", &path)
        .bytes("application/json", "{}")
        .send()
        .refused(415, "unsupported_media_type");
    assert_eq!(bank.states(&file), ["in_file"]);
    assert!(bank.payer.story.list(&path).is_empty());
    verify(&world.service);
}

/// The partner is paid to another account, which two operators have looked at.
fn moves_to_another_account(bank: &Bank<'_>) {
    bank.payer.changes_the_account();
    let release = format!("/v1/partners/{}/payout-profile/cooling-off-release", bank.payer.story.partner);
    bank.payer.checker.post(&release, json!({"reason": "Confirmed by telephone"})).send().ok();
}

#[test]
fn a_file_never_pays_an_account_that_was_replaced_even_once_the_new_one_may_be_paid() {
    let world = World::new();
    let bank = Bank::new(&world);
    let run = bank.approved(1);
    let file = bank.make(&run).ok();
    moves_to_another_account(&bank);
    let refused = bank.content(&file, "application/xml").refused(409, "payment_file_outdated");
    let own = bank.payer.story.list(&format!("/v1/payments?partner_id={}", bank.payer.story.partner));
    assert_eq!(refused["payments"], json!([own[0]["id"]]), "{refused}");
    let dispatch = format!("/v1/payment-files/{}/dispatch", file.id());
    bank.payer.maker.post(&dispatch, json!({})).send().refused(409, "payment_file_outdated");
    assert_eq!(bank.states(&file), ["in_file", "in_file"]);
    let withdrawal = format!("/v1/payment-files/{}/withdrawal", file.id());
    bank.payer.maker.post(&withdrawal, json!({"reason": "An account has changed"})).send().ok();
    let file = bank.make(&run).ok();
    assert_eq!(file["payments"], 2);
    let xml = String::from_utf8(bank.content(&file, "application/xml").ok().bytes).unwrap();
    assert!(xml.contains("DE02120300000000202051"), "the account of now: {xml}");
    verify(&world.service);
}

#[test]
fn nothing_goes_to_a_partner_that_was_suspended_since_the_run_was_made() {
    let world = World::new();
    let bank = Bank::new(&world);
    let others: Vec<_> = (2..5).map(|n| bank.payer.story.another(n)).collect();
    world.on("2018-07-20");
    for (n, story) in others.iter().chain([&bank.payer.story]).enumerate() {
        story.sale(&n.to_string(), "2018-07-10", "5000.00 EUR");
    }
    bank.payer.close("2018-07");
    let suspend = |partner: &str| {
        let path = format!("/v1/partners/{partner}/suspension");
        bank.payer.maker.post(&path, json!({"reason": "Figures are being clarified"})).send().ok();
    };
    let payment_of =
        |partner: &str| bank.payer.story.list(&format!("/v1/payments?partner_id={partner}")).pop().unwrap();
    let run = bank.payer.run("2018-07");
    suspend(&others[0].partner);
    bank.payer.approve(&run).ok();
    let stopped = payment_of(&others[0].partner);
    assert_eq!((&stopped["state"], &stopped["state_code"]), (&json!("stopped"), &json!("partner_suspended")));
    suspend(&others[1].partner);
    let file = bank.make(&run).ok();
    assert_eq!(file["payments"], 2, "{file}");
    assert_eq!(payment_of(&others[1].partner)["state_code"], "partner_suspended");
    suspend(&others[2].partner);
    bank.content(&file, "*/*").refused(409, "payment_file_outdated");
    let withdrawal = format!("/v1/payment-files/{}/withdrawal", file.id());
    bank.payer.maker.post(&withdrawal, json!({"reason": "A partner is suspended"})).send().ok();
    // Without a file, the run is sent by hand.
    let refused = bank.payer.dispatch(&run).refused(409, "payments_barred");
    let barred = payment_of(&others[2].partner);
    assert_eq!(refused["payments"], json!([barred["id"]]));
    bank.payer.tell(&barred, "stop", json!({"reason": "The partner is suspended"})).ok();
    bank.payer.dispatch(&run).ok();
    let sent = payment_of(&bank.payer.story.partner);
    assert_eq!(sent["state"], "sent");
    bank.payer.tell(&sent, "failure", json!({"code": "AM04", "reason": "Too little money"})).ok();
    suspend(&bank.payer.story.partner);
    let reissue = json!({"reason": "Funded by now"});
    bank.payer.tell(&sent, "reissue", reissue.clone()).refused(409, "payment_not_payable");
    let path = format!("/v1/partners/{}/reinstatement", bank.payer.story.partner);
    bank.payer.maker.post(&path, json!({"reason": "Clarified"})).send().ok();
    bank.payer.tell(&sent, "reissue", reissue).ok();
    verify(&world.service);
}

#[test]
fn a_run_that_is_sent_by_hand_waits_for_accounts_that_were_changed_after_the_approval() {
    let world = World::new();
    let bank = Bank::new(&world);
    let run = bank.approved(1);
    bank.payer.changes_the_account();
    bank.payer.dispatch(&run).refused(409, "payments_barred");
    let states = || -> Vec<String> {
        bank.payer.payments(&run).iter().map(|payment| text(&payment["state"])).collect()
    };
    assert_eq!(states(), ["approved", "approved"]);
    let release = format!("/v1/partners/{}/payout-profile/cooling-off-release", bank.payer.story.partner);
    bank.payer.checker.post(&release, json!({"reason": "Confirmed by telephone"})).send().ok();
    bank.payer.dispatch(&run).ok();
    assert_eq!(states(), ["sent", "sent"]);
    verify(&world.service);
}

#[test]
fn a_fault_of_a_former_account_says_nothing_of_the_account_of_now() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (_, file) = bank.downloaded(1);
    moves_to_another_account(&bank);
    let payments = bank.payments(&file);
    let known = references(&payments);
    // A code that the partner's profile mends, for each: of the former account, and of the only one.
    let lines = [(&*known[0], "RJCT", "AC04"), (&*known[1], "RJCT", "AC03")];
    bank.report(&file, &pain002(&file, &lines)).ok();
    assert_eq!(bank.states(&file), ["failed", "failed"]);
    let profile = |n: usize| {
        let path = format!("/v1/partners/{}/payout-profile", text(&payments[n]["partner_id"]));
        text(&bank.payer.maker.get(&path).send().ok()["state"])
    };
    let own = payments.iter().position(|it| it["partner_id"] == json!(bank.payer.story.partner)).unwrap();
    assert_eq!((profile(own), profile(1 - own)), ("approved".to_owned(), "action_required".to_owned()));
    let rebates = format!("/v1/rebates?partner_id={}", bank.payer.story.partner);
    assert_eq!(bank.payer.story.list(&rebates)[0]["state"], "payable");
    let notice = bank.payer.notice("payment_failed");
    assert!(notice.contains("to the account that you had given before"), "{notice}");
    verify(&world.service);
}

/// A booked debit that takes a credit back.
fn undone_return(reference: &str, amount: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts><Cd>BOOK</Cd></Sts>\
         <BookgDt><Dt>2018-08-07</Dt></BookgDt><BkTxCd/><NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>\
         </TxDtls></NtryDtls></Ntry>"
    )
}

#[test]
fn a_return_that_the_bank_takes_back_is_looked_at_and_not_paid_again() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (_, file) = bank.downloaded(1);
    world.on("2018-08-08");
    let known = references(&bank.payments(&file));
    let entries = [
        Entry { reference: &known[0], amount: "500.00", direction: "DBIT", code: "" },
        Entry { reference: &known[0], amount: "500.00", direction: "CRDT", code: "AM04" },
        Entry { reference: &known[1], amount: "600.00", direction: "DBIT", code: "" },
    ];
    bank.post("/v1/bank-statements", &camt053("A", &entries)).ok();
    assert_eq!(bank.states(&file), ["returned", "settled"]);
    let undone = undone_return(&known[0], "500.00") + &undone_return(&known[1], "600.00");
    let report = bank.post("/v1/bank-statements", &statement("B", &undone)).ok();
    assert_eq!(effect(&report), [0, 0, 2]);
    let why = "return_undone".to_owned();
    assert_eq!(bank.exceptions(&report), [(1, why.clone()), (2, why)]);
    assert_eq!(bank.states(&file), ["returned", "settled"], "a person decides");
    let partner = text(&bank.payments(&file)[0]["partner_id"]);
    let rebate = bank.payer.story.list(&format!("/v1/rebates?partner_id={partner}")).remove(0);
    assert_eq!(rebate["state_reason"]["code"], "held_by_operator", "{rebate}");
    assert_eq!(bank.payer.run("2018-07")["totals"][0]["payments"], 0);
    verify(&world.service);
}

#[test]
fn two_bookings_without_a_reference_in_one_statement_are_two_payments() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (_, file) = bank.downloaded(0);
    let known = references(&bank.payments(&file));
    world.on("2018-08-06");
    let booked = |id: &str, times: usize| {
        let entry = [Entry { reference: &known[0], amount: "500.00", direction: "DBIT", code: "" }];
        let xml = camt053(id, &entry).replace(&format!("<AcctSvcrRef>{id}-0</AcctSvcrRef>"), "");
        let (begin, end) = (xml.find("<Ntry>").unwrap(), xml.find("</Stmt>").unwrap());
        format!("{}{}{}", &xml[..begin], xml[begin..end].repeat(times), &xml[end..])
    };
    let report = bank.post("/v1/bank-statements", &booked("A", 2)).ok();
    assert_eq!(effect(&report), [2, 0, 1]);
    assert_eq!(bank.exceptions(&report), [(2, "booked_twice".to_owned())]);
    // The same booking in another statement may be the one that was notified before.
    let report = bank.post("/v1/bank-statements", &booked("B", 1)).ok();
    assert_eq!(effect(&report), [0, 1, 0]);
    verify(&world.service);
}

/// A booking of a whole file.
fn booking_of(file: &Answer, amount: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt>\
         <Dt>2018-08-03</Dt></BookgDt><BkTxCd/><NtryDtls><Btch><MsgId>{}</MsgId></Btch></NtryDtls></Ntry>",
        text(&file["message_id"])
    )
}

#[test]
fn one_booking_of_a_file_leaves_out_what_the_bank_had_rejected() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (run, file) = bank.downloaded(2);
    let known = references(&bank.payments(&file));
    bank.report(&file, &pain002(&file, &[(&known[1], "RJCT", "AM04")])).ok();
    let report = bank.post("/v1/bank-statements", &statement("A", &booking_of(&file, "1200.00"))).ok();
    assert_eq!(effect(&report), [2, 1, 0]);
    assert_eq!(bank.states(&file), ["settled", "failed", "settled"]);
    assert_eq!(bank.reconciliation(&run)["is_reconciled"], true);
    verify(&world.service);
}

#[test]
fn an_operator_says_which_payment_an_entry_shows_and_the_run_is_reconciled() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (run, file) = bank.downloaded(1);
    bank.payer.maker.post(&format!("/v1/payment-files/{}/dispatch", file.id()), json!({})).send().ok();
    world.on("2018-08-06");
    let (one, other) = {
        let payments = bank.payments(&file);
        (payments[0].clone(), payments[1].clone())
    };
    // The bank names its own references.
    let entry = |reference, amount, direction| Entry { reference, amount, direction, code: "" };
    let entries = [
        entry("BANK-1", "500.00", "DBIT"),
        entry("BANK-2", "600.00", "DBIT"),
        entry("BANK-3", "600.00", "CRDT"),
        Entry::fee(),
    ];
    let report = bank.post("/v1/bank-statements", &camt053("A", &entries)).ok();
    assert_eq!(effect(&report), [0, 0, 4]);
    let open = bank.payer.story.list(&format!("/v1/bank-exceptions?report_id={}", report.id()));
    let resolve = |n: usize, payment: Option<&Value>| {
        let path = format!("/v1/bank-exceptions/{}/resolution", text(&open[n]["id"]));
        let payment = payment.map(|payment| payment["id"].clone());
        let told = json!({"resolution": "Compared with the bank", "payment_id": payment});
        bank.payer.maker.post(&path, told).send()
    };
    resolve(0, Some(&other)).refused(409, "payment_not_shown");
    resolve(3, Some(&one)).refused(409, "payment_not_shown");
    resolve(2, Some(&one)).refused(409, "payment_not_shown");
    let resolved = resolve(0, Some(&one)).ok();
    assert_eq!((&resolved["state"], &resolved["payment_id"]), (&json!("resolved"), &one["id"]));
    let shown = bank.payer.whole(&one);
    assert_eq!(
        (&shown["state"], &shown["reconciliation"], &shown["settled_on"], &shown["statement_entry"]),
        (&json!("settled"), &json!("matched"), &json!("2018-08-05"), &json!(1))
    );
    assert_eq!(bank.reconciliation(&run)["is_reconciled"], false);
    resolve(1, Some(&other)).ok();
    assert_eq!(bank.reconciliation(&run)["is_reconciled"], true);
    resolve(1, Some(&one)).refused(409, "transition_not_allowed");
    resolve(2, Some(&other)).ok();
    assert_eq!(bank.states(&file), ["settled", "returned"]);
    resolve(3, None).ok();
    verify(&world.service);
}

#[test]
fn a_kept_file_that_was_changed_behind_the_service_s_back_is_found() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (_, file) = bank.downloaded(0);
    bank.report(&file, &of_file(&file, "<GrpSts>ACCP</GrpSts>", "")).ok();
    let broken = |change: &'static str| -> Vec<&'static str> {
        let tamper = move |tx: &mut Tx<'_>| {
            tx.exempt_from_audit(Unaudited::NotPublished);
            behind_the_service(|| sql_query(change).execute(tx.conn))?;
            Ok(())
        };
        world.service.app.write_as_system("Test", tamper).unwrap();
        let sums = world.service.app.read_as_system(sums_of_payments).unwrap();
        sums.into_iter().filter(|sum| sum.difference.is_some()).map(|sum| sum.name).collect()
    };
    assert_eq!(broken("UPDATE payment_files SET csv_bytes = csv_bytes"), Vec::<&str>::new());
    let changed = ["files of banks have their SHA-256"];
    assert_eq!(broken("UPDATE payment_files SET csv_bytes = csv_bytes + 1"), changed);
    assert_eq!(broken("UPDATE payment_files SET csv_bytes = csv_bytes - 1"), Vec::<&str>::new());
    assert_eq!(broken("UPDATE bank_reports SET sha256 = lower(sha256) WHERE bytes < 0"), Vec::<&str>::new());
    assert_eq!(broken("UPDATE bank_file_pieces SET place = place + 1"), {
        let missing = "files of banks are whole";
        [missing, changed[0]]
    });
}

#[test]
fn a_booking_of_a_day_that_cannot_be_is_looked_at() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (_, file) = bank.downloaded(0);
    world.on("2018-08-06");
    bank.payer.maker.post(&format!("/v1/payment-files/{}/dispatch", file.id()), json!({})).send().ok();
    // The statement books on the fifth, and the bank got the file on the sixth.
    let known = references(&bank.payments(&file));
    let entry = [Entry { reference: &known[0], amount: "500.00", direction: "DBIT", code: "" }];
    let report = bank.post("/v1/bank-statements", &camt053("A", &entry)).ok();
    assert_eq!(bank.exceptions(&report), [(1, "day_implausible".to_owned())]);
    assert_eq!(bank.states(&file), ["sent"]);
    let open = bank.payer.story.list("/v1/bank-exceptions?state=open").remove(0);
    let path = format!("/v1/bank-exceptions/{}/resolution", text(&open["id"]));
    let told = json!({"resolution": "Sent on the third", "payment_id": open["payment_id"]});
    bank.payer.maker.post(&path, told).send().ok();
    let settled = bank.payments(&file).remove(0);
    assert_eq!((&settled["state"], &settled["settled_on"]), (&json!("settled"), &json!("2018-08-06")));
    verify(&world.service);
}

#[test]
fn a_report_that_cannot_be_applied_keeps_no_other_waiting() {
    let world = World::new();
    let bank = Bank::new(&world);
    let (_, file) = bank.downloaded(0);
    world.on("2018-08-06");
    let known = references(&bank.payments(&file));
    let entry = [Entry { reference: &known[0], amount: "500.00", direction: "DBIT", code: "" }];
    // Both arrive while another turn is at work.
    let turn = Turn::take(&world.service.app, JobName::BankReports).unwrap().expect("nobody is at work");
    let broken = bank.post("/v1/bank-statements", &camt053("FEE", &[Entry::fee()])).ok();
    let whole = bank.post("/v1/bank-statements", &camt053("A", &entry)).ok();
    assert_eq!((&broken["state"], &whole["state"]), (&json!("applying"), &json!("applying")));
    let id: Id = broken.id().parse().unwrap();
    let without = move |tx: &mut Tx<'_>| {
        tx.exempt_from_audit(Unaudited::NotPublished);
        sealed_files::remove(tx, id).map(drop)
    };
    world.service.app.write_as_system("Test", without).unwrap();
    bank_reports::apply_in(&turn, 10).unwrap();
    let now =
        |report: &Answer| bank.payer.maker.get(&format!("/v1/bank-statements/{}", report.id())).send().ok();
    assert_eq!(now(&whole)["state"], "applied");
    assert_eq!(bank.states(&file), ["settled"]);
    let put_off = now(&broken);
    assert_eq!(
        (&put_off["state"], &put_off["problem"]),
        (&json!("applying"), &json!("bank_file_unreadable")),
        "{put_off}"
    );
    assert!(put_off["next_try_at"].is_string());
    // Once it can be read again, the next try applies it.
    let xml = camt053("FEE", &[Entry::fee()]);
    let restored = move |tx: &mut Tx<'_>| {
        tx.exempt_from_audit(Unaudited::NotPublished);
        sealed_files::keep(tx, id, 0, xml.as_bytes())?;
        sealed_files::make_whole(tx, id)
    };
    world.service.app.write_as_system("Test", restored).unwrap();
    bank_reports::apply_in(&turn, 10).unwrap();
    assert_eq!(now(&broken)["state"], "applying", "not before its time");
    world.on("2018-08-07");
    bank_reports::apply_in(&turn, 10).unwrap();
    let applied = now(&broken);
    assert_eq!((&applied["state"], &applied["problem"]), (&json!("applied"), &Value::Null));
    verify(&world.service);
}
