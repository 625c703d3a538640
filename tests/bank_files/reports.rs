//! What is read from a status report of a bank.

use super::schema::assert_valid;
use partner_incentives::payouts::bank_files::{
    Amount, BankReason, Level, Meaning, StatusLine, StatusReport, Task, Unreadable, Why,
};

pub const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10";

pub fn lines(text: &str) -> Result<Vec<StatusLine>, Unreadable> {
    StatusReport::read(text.as_bytes())?.collect()
}

/// A report with some groups, of the file that the samples make.
pub fn report(group_status: &str, groups: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"{NAMESPACE}\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>REPORT-1</MsgId><CreDtTm>2026-12-01T10:00:00Z</CreDtTm></GrpHdr>\
         <OrgnlGrpInfAndSts><OrgnlMsgId>01936f2e4b007000800000000000f11e</OrgnlMsgId>\
         <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{group_status}</OrgnlGrpInfAndSts>{groups}\
         </CstmrPmtStsRpt></Document>"
    )
}

pub fn group(payments: &str) -> String {
    format!("<OrgnlPmtInfAndSts><OrgnlPmtInfId>GROUP-1</OrgnlPmtInfId>{payments}</OrgnlPmtInfAndSts>")
}

fn payment(status: &str, reason: &str) -> String {
    let status = if status.is_empty() { String::new() } else { format!("<TxSts>{status}</TxSts>") };
    let reason = if reason.is_empty() {
        String::new()
    } else {
        format!(
            "<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn><AddtlInf>In words</AddtlInf><AddtlInf>of the bank</AddtlInf></StsRsnInf>"
        )
    };
    format!(
        "<TxInfAndSts><OrgnlEndToEndId>01936f2e4b0070008000000000000001</OrgnlEndToEndId>{status}{reason}\
         <OrgnlTxRef><Amt><InstdAmt Ccy=\"EUR\">1234.5</InstdAmt></Amt><RmtInf><Ustrd>x</Ustrd></RmtInf></OrgnlTxRef></TxInfAndSts>"
    )
}

#[test]
fn a_line_says_what_the_bank_says() {
    let text = report("", &group(&payment("RJCT", "AC04")));
    assert_valid("pain.002.001.10", &[&text]);
    let expected = StatusLine {
        level: Level::Payment,
        original_message_id: Some("01936f2e4b007000800000000000f11e".to_owned()),
        original_group_id: Some("GROUP-1".to_owned()),
        end_to_end_id: Some("01936f2e4b0070008000000000000001".to_owned()),
        transaction_status: Some("RJCT".to_owned()),
        reasons: vec!["AC04".to_owned()],
        additional_info: Some("In words of the bank".to_owned()),
        amount: Some(Amount::Read(super::samples::money("1234.50", "EUR"))),
    };
    assert_eq!(lines(&text).unwrap(), [expected]);

    let mut report = StatusReport::read(text.as_bytes()).unwrap();
    assert_eq!(report.report_id(), None);
    assert!(report.next().is_some_and(|line| line.is_ok()));
    assert_eq!(report.report_id(), Some("REPORT-1"));
    assert!(report.next().is_none() && report.next().is_none());
}

#[test]
fn every_code_is_read_and_means_something() {
    let statuses = [
        "ACTC", "ACCP", "ACSP", "ACSC", "ACCC", "PDNG", "RCVC", "RVMC", "RVNM", "RVNA", "ACWC", "ACWP",
        "ACFC", "PATC", "RCVD", "BLCK", "CANC",
    ];
    let rejections = BankReason::all().iter().map(|reason| ("RJCT", reason.code));
    let all: Vec<(&str, &str)> = statuses.iter().map(|status| (*status, "")).chain(rejections).collect();
    let payments: String = all.iter().map(|(status, reason)| payment(status, reason)).collect();
    let text = report("<GrpSts>PART</GrpSts>", &group(&payments));
    assert_valid("pain.002.001.10", &[&text]);

    let read = lines(&text).unwrap();
    let (file, payments) = read.split_first().unwrap();
    assert_eq!((file.level, file.transaction_status.as_deref()), (Level::File, Some("PART")));
    assert_eq!(Meaning::of("PART", []), Meaning::InParts);
    assert_eq!(payments.len(), all.len());
    for (line, (status, reason)) in payments.iter().zip(&all) {
        assert_eq!(line.transaction_status.as_deref(), Some(*status));
        assert_eq!(line.reasons.first().map_or("", String::as_str), *reason);
        let meaning = Meaning::of(status, line.reasons.iter().map(String::as_str));
        assert_ne!(meaning, Meaning::Unknown, "{status}");
        let expected = match BankReason::of(reason).map(|reason| reason.task) {
            Some(Task::Compliance) => Meaning::OnHoldRegulatory,
            Some(task) => Meaning::Failed(task),
            None => continue,
        };
        assert_eq!(meaning, expected, "{reason}");
    }
}

#[test]
fn what_a_bank_leaves_out_is_missing_and_the_line_stays() {
    let nothing = "<TxInfAndSts></TxInfAndSts>";
    let no_status = payment("", "AC01");
    let not_provided =
        "<TxInfAndSts><OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId><TxSts> ACSC </TxSts></TxInfAndSts>";
    let read =
        lines(&report("", &group(&format!("{nothing}{no_status}{not_provided}<TxInfAndSts/>")))).unwrap();
    let [empty, reason_only, unnamed, shut] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!((&empty.end_to_end_id, &empty.transaction_status, &empty.amount), (&None, &None, &None));
    assert_eq!(empty.original_group_id.as_deref(), Some("GROUP-1"));
    assert_eq!(
        (&reason_only.transaction_status, reason_only.reasons.as_slice()),
        (&None, &["AC01".to_owned()][..])
    );
    assert_eq!((&unnamed.end_to_end_id, unnamed.transaction_status.as_deref()), (&None, Some("ACSC")));
    assert_eq!(shut, empty);

    let no_message = report("", &group(&payment("ACSC", ""))).replace("OrgnlMsgId", "Unheard");
    let read = lines(&no_message).unwrap();
    assert_eq!(read[0].original_message_id, None);
    assert!(read[0].end_to_end_id.is_some());
}

#[test]
fn a_status_of_the_file_or_of_a_group_is_a_line_of_its_own() {
    let rejected = "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Prtry>EV-0042</Prtry></Rsn></StsRsnInf>";
    let text = report(rejected, "");
    assert_valid("pain.002.001.10", &[&text]);
    let read = lines(&text).unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!((read[0].level, read[0].reasons.as_slice()), (Level::File, &["EV-0042".to_owned()][..]));
    assert_eq!((&read[0].original_group_id, &read[0].end_to_end_id), (&None, &None));

    let first = "<PmtInfSts>ACCP</PmtInfSts>".to_owned() + &payment("RJCT", "AC04") + &payment("ACSP", "");
    let second = "<OrgnlPmtInfAndSts><OrgnlPmtInfId>GROUP-2</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>";
    let text = report("", &(group(&first) + second + &group("")));
    assert_valid("pain.002.001.10", &[&text]);
    let read = lines(&text).unwrap();
    let seen: Vec<_> = read
        .iter()
        .map(|line| {
            (
                line.level,
                line.original_group_id.as_deref().unwrap(),
                line.transaction_status.as_deref().unwrap(),
            )
        })
        .collect();
    let expected = [
        (Level::Group, "GROUP-1", "ACCP"),
        (Level::Payment, "GROUP-1", "RJCT"),
        (Level::Payment, "GROUP-1", "ACSP"),
        (Level::Group, "GROUP-2", "RJCT"),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn the_real_name_comes_with_a_close_match() {
    let close = "<TxInfAndSts><OrgnlEndToEndId>1</OrgnlEndToEndId><TxSts>RVMC</TxSts>\
                 <StsRsnInf><AddtlInf>Müller &amp; Söhne&#32;GmbH</AddtlInf></StsRsnInf></TxInfAndSts>";
    let read = lines(&report("", &group(close))).unwrap();
    assert_eq!(read[0].additional_info.as_deref(), Some("Müller & Söhne GmbH"));
}

#[test]
fn any_namespace_version_and_prefix_is_read() {
    let plain = report("", &group(&payment("ACSC", "")));
    let expected = lines(&plain).unwrap();
    let old = plain.replace("001.10", "001.03");
    let none = plain.replace(&format!(" xmlns=\"{NAMESPACE}\""), "");
    let prefixed = plain
        .replace("</", "</p:")
        .replace('<', "<p:")
        .replace("<p:/p:", "</p:")
        .replace("<p:?xml", "<?xml")
        .replace("xmlns=", "xmlns:p=");
    let marked = format!("\u{feff}{plain}\n\n");
    let commented = plain
        .replace("<TxSts>", "<!-- <TxSts>RJCT</TxSts> --><?x y?><TxSts>")
        .replace("ACSC", "<![CDATA[ACSC]]>");
    let split = plain.replace("ACSC", "AC<!-- -->S&#67;").replace('>', " >");
    let split = split.replace("? >", "?>").replace("- >", "->").replace("/ >", "/>");
    for text in [old, none, prefixed, marked, commented, split] {
        assert_eq!(lines(&text).as_ref(), Ok(&expected), "{text}");
    }
}

#[test]
fn the_same_report_gives_the_same_lines() {
    let text = report("<GrpSts>PART</GrpSts>", &group(&(payment("ACSC", "") + &payment("ACSC", ""))));
    let read = lines(&text).unwrap();
    assert_eq!(read, lines(&text).unwrap());
    assert_eq!(read.len(), 3);
    assert_eq!(read[1], read[2]);
}

#[test]
fn an_amount_that_is_none_stays_as_text() {
    let text = report("", &group(&payment("ACSC", ""))).replace("1234.5<", "1.234,50<");
    assert_eq!(lines(&text).unwrap()[0].amount, Some(Amount::Unread("EUR 1.234,50".to_owned())));
}

#[test]
fn another_message_is_refused() {
    let others = [
        super::samples::euro().xml(),
        super::statements::statement(""),
        "<Document/>".to_owned(),
        "<Document><Other/></Document>".to_owned(),
        "<html><body/></html>".to_owned(),
        "<CstmrPmtStsRpt/>".to_owned(),
    ];
    for text in others {
        assert_eq!(lines(&text).unwrap_err().why, Why::OtherMessage, "{text}");
    }
}
