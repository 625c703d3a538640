//! What is read from a statement or a notification of a bank.

use super::{
    samples::{day, money},
    schema::assert_valid,
};
use partner_incentives::payouts::bank_files::{Amount, BankEntry, Direction, Statement, Unreadable, Why};

pub fn entries(text: &str) -> Result<Vec<BankEntry>, Unreadable> {
    Statement::read(text.as_bytes())?.collect()
}

pub fn statement(entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt>\
         <GrpHdr><MsgId>CAMT-1</MsgId><CreDtTm>2026-12-02T06:00:00Z</CreDtTm></GrpHdr>\
         <Stmt><Id>STATEMENT-1</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>\
         <Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>\
         <Dt><Dt>2026-12-01</Dt></Dt></Bal>{entries}</Stmt></BkToCstmrStmt></Document>"
    )
}

fn notification(entries: &str) -> String {
    let balance = "<Bal><Tp>";
    let text =
        statement(entries).replace("camt.053", "camt.054").replace("BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn");
    let text = text.replace("<Stmt>", "<Ntfctn>").replace("</Stmt>", "</Ntfctn>");
    let (before, rest) = text.split_once(balance).unwrap();
    format!("{before}{}", rest.split_once("</Bal>").unwrap().1)
}

fn entry(amount: &str, direction: &str, details: &str) -> String {
    format!(
        "<Ntry><NtryRef>1</NtryRef><Amt Ccy=\"EUR\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd>\
         <Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-12-01</Dt></BookgDt><ValDt><DtTm>2026-12-02T00:00:00Z</DtTm></ValDt>\
         <AcctSvcrRef>BANK-1</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>\
         {details}<AddtlNtryInf>SEPA transfer</AddtlNtryInf></Ntry>"
    )
}

fn payment(end_to_end_id: &str, amount: &str, more: &str) -> String {
    let amount = if amount.is_empty() { String::new() } else { format!("<Amt Ccy=\"EUR\">{amount}</Amt>") };
    format!("<TxDtls><Refs><EndToEndId>{end_to_end_id}</EndToEndId></Refs>{amount}{more}</TxDtls>")
}

fn whole() -> BankEntry {
    BankEntry {
        statement_id: Some("STATEMENT-1".to_owned()),
        account: Some("DE89370400440532013000".to_owned()),
        bank_reference: Some("BANK-1".to_owned()),
        amount: Some(Amount::Read(money("30.00", "EUR"))),
        direction: Some(Direction::Debit),
        status: Some("BOOK".to_owned()),
        booked_on: Some(day("2026-12-01")),
        valued_on: Some(day("2026-12-02")),
        additional_info: Some("SEPA transfer".to_owned()),
        entry: 1,
        ..BankEntry::default()
    }
}

#[test]
fn an_entry_without_payments_is_one_line() {
    for text in [statement(&entry("30", "DBIT", "")), notification(&entry("30.00", "DBIT", ""))] {
        let message = if text.contains("camt.054") { "camt.054.001.08" } else { "camt.053.001.08" };
        assert_valid(message, &[&text]);
        assert_eq!(entries(&text).unwrap(), [whole()]);
    }
    assert_eq!(entries(&statement("")).unwrap(), []);
}

#[test]
fn the_payments_of_a_batch_are_lines_with_the_names_of_the_batch() {
    let batch = "<NtryDtls><Btch><MsgId>FILE-1</MsgId><PmtInfId>GROUP-1</PmtInfId><NbOfTxs>3</NbOfTxs></Btch>"
        .to_owned()
        + &payment("E1", "10.00", "<RmtInf><Ustrd>Rebate</Ustrd><Ustrd>October</Ustrd></RmtInf>")
        + &payment("E2", "", "")
        + &payment("NOTPROVIDED", "20.00", "") + "</NtryDtls>";
    let text = statement(&(entry("30.00", "DBIT", &batch) + &entry("5.00", "CRDT", "")));
    assert_valid("camt.053.001.08", &[&text]);
    let read = entries(&text).unwrap();
    let [first, second, third, other] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!((first.message_id.as_deref(), first.group_id.as_deref()), (Some("FILE-1"), Some("GROUP-1")));
    assert_eq!(first.end_to_end_id.as_deref(), Some("E1"));
    assert_eq!(first.amount, Some(Amount::Read(money("10.00", "EUR"))));
    assert_eq!(first.remittance.as_deref(), Some("Rebate October"));
    // One of several without an amount: the entry's is not its.
    assert_eq!((second.end_to_end_id.as_deref(), &second.amount), (Some("E2"), &None));
    assert_eq!((&third.end_to_end_id, third.entry, third.payment), (&None, 1, 3));
    assert_eq!((other.entry, other.payment, other.direction), (2, 0, Some(Direction::Credit)));
    assert_eq!((&other.message_id, &other.group_id), (&None, &None));
}

#[test]
fn the_only_payment_of_an_entry_has_the_entry_s_amount() {
    let only = format!("<NtryDtls>{}</NtryDtls>", payment("E1", "", ""));
    let read = entries(&statement(&entry("30.00", "DBIT", &only))).unwrap();
    let expected = BankEntry { end_to_end_id: Some("E1".to_owned()), payment: 1, ..whole() };
    assert_eq!(read, [expected]);
}

#[test]
fn a_return_says_why() {
    let back = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Account closed</AddtlInf></RtrInf>";
    let details = format!("<NtryDtls>{}</NtryDtls>", payment("E1", "30.00", back));
    let text = notification(&entry("30.00", "CRDT", &details));
    assert_valid("camt.054.001.08", &[&text]);
    let read = entries(&text).unwrap();
    assert_eq!(read[0].return_reason.as_deref(), Some("AC04"));
    assert_eq!(read[0].direction, Some(Direction::Credit));
    assert_eq!(read[0].additional_info.as_deref(), Some("Account closed"));
}

#[test]
fn older_versions_write_status_and_amount_elsewhere() {
    let old_amount = payment("E1", "", "<AmtDtls><TxAmt><Amt Ccy=\"EUR\">12.00</Amt></TxAmt></AmtDtls>");
    let text = statement(&entry(
        "30.00",
        "DBIT",
        &format!("<NtryDtls>{old_amount}{}</NtryDtls>", payment("E2", "18", "")),
    ))
    .replace("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>")
    .replace("001.08", "001.02");
    let read = entries(&text).unwrap();
    assert_eq!(read[0].status.as_deref(), Some("BOOK"));
    assert_eq!(read[0].amount, Some(Amount::Read(money("12.00", "EUR"))));
}

#[test]
fn several_statements_of_several_accounts_stand_in_one_file() {
    let text = statement(&entry("30.00", "DBIT", ""));
    let (before, rest) = text.split_once("<Stmt>").unwrap();
    let one = rest.split_once("</Stmt>").unwrap().0;
    let other = one
        .replace("STATEMENT-1", "STATEMENT-2")
        .replace("<IBAN>DE89370400440532013000</IBAN>", "<Othr><Id>777</Id></Othr>");
    let nameless = other
        .replace("<Id>STATEMENT-2</Id><Acct><Id><Othr><Id>777</Id></Othr></Id><Ccy>EUR</Ccy></Acct>", "");
    let text = format!(
        "{before}<Stmt>{one}</Stmt><Stmt>{other}</Stmt><Stmt>{nameless}</Stmt></BkToCstmrStmt></Document>"
    );
    let read = entries(&text).unwrap();
    let seen: Vec<_> =
        read.iter().map(|line| (line.statement_id.as_deref(), line.account.as_deref(), line.entry)).collect();
    let expected = [
        (Some("STATEMENT-1"), Some("DE89370400440532013000"), 1),
        (Some("STATEMENT-2"), Some("777"), 2),
        (None, None, 3),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn what_a_bank_leaves_out_of_an_entry_is_missing() {
    let read = entries(&statement(
        "<Ntry/><Ntry><Amt Ccy=\"EUR\">x</Amt><RvslInd>true</RvslInd><BookgDt><Dt>soon</Dt></BookgDt></Ntry>",
    ))
    .unwrap();
    let named =
        BankEntry { statement_id: whole().statement_id, account: whole().account, ..BankEntry::default() };
    assert_eq!(read[0], BankEntry { entry: 1, ..named.clone() });
    let amount = Some(Amount::Unread("EUR x".to_owned()));
    assert_eq!(read[1], BankEntry { entry: 2, amount, is_reversal: true, ..named });
}

#[test]
fn another_message_is_no_statement() {
    for text in
        [super::reports::report("", ""), super::samples::yen().xml(), "<Document></Document>".to_owned()]
    {
        assert_eq!(entries(&text).unwrap_err().why, Why::OtherMessage);
    }
}
