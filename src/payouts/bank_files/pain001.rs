//! The payment file that banks take: ISO 20022 pain.001.001.09, written payment by payment.

use super::{
    account::{NamedAccount, bank_of},
    check::{CheckedFile, CheckedGroup},
    model::{Account, Address, CreditorAgentWithoutBic, Payee, PayerAccount, Payment, Scheme},
    pass::{Pass, WriteError},
};
use crate::{
    network::profiles::latin,
    platform::values::{Country, Timestamp},
};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};
use std::io::Write;

/// The namespace of the message.
const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// A file that is being written. It gets the payments of the check, in the same order, and begins and ends the groups by
/// itself; it holds one payment at a time.
pub struct Pain001<'c, W: Write> {
    file: &'c CheckedFile,
    pass: Pass<'c>,
    xml: Writer<W>,
}

impl<'c, W: Write> Pain001<'c, W> {
    /// Begins a file.
    pub fn begin(out: W, file: &'c CheckedFile) -> Result<Self, WriteError> {
        let mut this = Self { file, pass: Pass::of(file), xml: Writer::new_with_indent(out, b' ', 2) };
        this.write(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        this.write(Event::Start(BytesStart::new("Document").with_attributes([("xmlns", NAMESPACE)])))?;
        this.open("CstmrCdtTrfInitn")?;
        this.header()?;
        Ok(this)
    }

    /// Writes a payment.
    pub fn payment(&mut self, payment: &Payment) -> Result<(), WriteError> {
        let step = self.pass.next(payment)?;
        if step.is_first {
            self.group(step.checked, step.payer)?;
        }
        self.transfer(payment, step.payer)?;
        if step.is_last { self.close("PmtInf") } else { Ok(()) }
    }

    /// Ends the file, and gives what it was written to.
    pub fn end(mut self) -> Result<W, WriteError> {
        self.close("CstmrCdtTrfInitn")?;
        self.close("Document")?;
        self.pass.end()?;
        let mut out = self.xml.into_inner();
        out.write_all(b"\n")?;
        out.flush()?;
        Ok(out)
    }

    fn header(&mut self) -> Result<(), WriteError> {
        let header = self.file.header();
        let sender = self.file.groups().first().and_then(|checked| checked.group.payer.as_ref());
        let sender = sender.ok_or(WriteError::Changed)?;
        self.open("GrpHdr")?;
        self.leaf("MsgId", &header.message_id)?;
        self.leaf("CreDtTm", &seconds(header.created_at))?;
        self.leaf("NbOfTxs", &self.file.count().to_string())?;
        self.leaf("CtrlSum", &self.file.control_sum())?;
        self.open("InitgPty")?;
        self.leaf("Nm", &latin(&sender.holder, sender.address.country))?;
        self.close("InitgPty")?;
        self.close("GrpHdr")
    }

    fn group(&mut self, checked: &CheckedGroup, payer: &PayerAccount) -> Result<(), WriteError> {
        let CheckedGroup { group, total } = checked;
        self.open("PmtInf")?;
        self.leaf("PmtInfId", &group.id)?;
        self.leaf("PmtMtd", "TRF")?;
        self.leaf("BtchBookg", if payer.batch_booking { "true" } else { "false" })?;
        self.leaf("NbOfTxs", &total.count().to_string())?;
        self.leaf("CtrlSum", &total.sum(group.currency))?;
        if group.scheme == Scheme::Sepa {
            self.nested(&["PmtTpInf", "SvcLvl", "Cd"], "SEPA")?;
        }
        self.nested(&["ReqdExctnDt", "Dt"], &group.execution_on.to_string())?;
        self.party("Dbtr", &payer.holder, &payer.address)?;
        self.open("DbtrAcct")?;
        let account = self.account(&payer.account)?;
        self.leaf("Ccy", payer.currency.as_str())?;
        self.close("DbtrAcct")?;
        self.bank("DbtrAgt", payer.bic.as_deref(), &account, CreditorAgentWithoutBic::NotProvided)?;
        self.leaf(
            "ChrgBr",
            match group.scheme {
                Scheme::Sepa => "SLEV",
                Scheme::Other => "SHAR",
            },
        )
    }

    fn transfer(&mut self, payment: &Payment, payer: &PayerAccount) -> Result<(), WriteError> {
        let Payee { account, bic, address, .. } = &payment.payee;
        self.open("CdtTrfTxInf")?;
        self.nested(&["PmtId", "EndToEndId"], &payment.end_to_end_id())?;
        self.open("Amt")?;
        let amount = BytesStart::new("InstdAmt").with_attributes([("Ccy", payment.amount.currency.as_str())]);
        self.write(Event::Start(amount))?;
        self.write(Event::Text(BytesText::new(&payment.amount.amount())))?;
        self.close("InstdAmt")?;
        self.close("Amt")?;
        let named = NamedAccount::of(account).map_err(|_| WriteError::Changed)?;
        self.bank("CdtrAgt", bic.as_deref(), &named, payer.creditor_agent_without_bic)?;
        self.party("Cdtr", payment.payee.name(), address)?;
        self.open("CdtrAcct")?;
        self.account(account)?;
        self.close("CdtrAcct")?;
        let remittance = payment.remittance.as_deref().map(|text| latin(text, address.country));
        if let Some(text) = remittance.filter(|text| !text.is_empty()) {
            self.nested(&["RmtInf", "Ustrd"], &text)?;
        }
        self.close("CdtTrfTxInf")
    }

    fn party(&mut self, element: &str, name: &str, address: &Address) -> Result<(), WriteError> {
        let Address { street, building_number, post_code, town, country, lines } = address;
        self.open(element)?;
        self.leaf("Nm", &latin(name, *country))?;
        self.open("PstlAdr")?;
        self.text_of("StrtNm", street.as_deref(), *country)?;
        self.text_of("BldgNb", building_number.as_deref(), *country)?;
        self.text_of("PstCd", post_code.as_deref(), *country)?;
        self.text_of("TwnNm", Some(town), *country)?;
        self.leaf("Ctry", country.as_str())?;
        for line in lines {
            self.text_of("AdrLine", Some(line), *country)?;
        }
        self.close("PstlAdr")?;
        self.close(element)
    }

    /// A text in the letters of banks, where there is one.
    fn text_of(&mut self, element: &str, text: Option<&str>, country: Country) -> Result<(), WriteError> {
        let text = latin(text.unwrap_or_default(), country);
        if text.is_empty() { Ok(()) } else { self.leaf(element, &text) }
    }

    fn account(&mut self, account: &Account) -> Result<NamedAccount, WriteError> {
        let named = NamedAccount::of(account).map_err(|_| WriteError::Changed)?;
        match &named {
            NamedAccount::Iban(iban) => self.nested(&["Id", "IBAN"], iban.as_str())?,
            NamedAccount::Number { number, .. } => self.nested(&["Id", "Othr", "Id"], number)?,
        }
        Ok(named)
    }

    fn bank(
        &mut self,
        element: &str,
        bic: Option<&str>,
        account: &NamedAccount,
        without: CreditorAgentWithoutBic,
    ) -> Result<(), WriteError> {
        let bic = bank_of(bic).map_err(|_| WriteError::Changed)?;
        if bic.is_none() && matches!(account, NamedAccount::Iban(_)) {
            return match without {
                CreditorAgentWithoutBic::Omit => Ok(()),
                CreditorAgentWithoutBic::NotProvided => {
                    self.nested(&[element, "FinInstnId", "Othr", "Id"], "NOTPROVIDED")
                }
            };
        }
        self.open(element)?;
        self.open("FinInstnId")?;
        if let Some(bic) = bic {
            self.leaf("BICFI", bic.as_str())?;
        }
        if let NamedAccount::Number { system, bank, .. } = account {
            self.open("ClrSysMmbId")?;
            if let Some(system) = system {
                self.nested(&["ClrSysId", "Cd"], system)?;
            }
            self.leaf("MmbId", bank)?;
            self.close("ClrSysMmbId")?;
        }
        self.close("FinInstnId")?;
        self.close(element)
    }

    fn nested(&mut self, elements: &[&str], text: &str) -> Result<(), WriteError> {
        let Some((last, outer)) = elements.split_last() else { return Ok(()) };
        for element in outer {
            self.open(element)?;
        }
        self.leaf(last, text)?;
        outer.iter().rev().try_for_each(|element| self.close(element))
    }

    fn leaf(&mut self, element: &str, text: &str) -> Result<(), WriteError> {
        self.open(element)?;
        self.write(Event::Text(BytesText::new(text)))?;
        self.close(element)
    }

    fn open(&mut self, element: &str) -> Result<(), WriteError> {
        self.write(Event::Start(BytesStart::new(element)))
    }

    fn close(&mut self, element: &str) -> Result<(), WriteError> {
        self.write(Event::End(BytesEnd::new(element)))
    }

    fn write(&mut self, event: Event<'_>) -> Result<(), WriteError> {
        Ok(self.xml.write_event(event)?)
    }
}

/// An instant as banks write it, in whole seconds.
fn seconds(instant: Timestamp) -> String {
    let of_day = instant.as_seconds().rem_euclid(86_400);
    format!("{}T{:02}:{:02}:{:02}Z", instant.date(), of_day / 3600, of_day / 60 % 60, of_day % 60)
}
