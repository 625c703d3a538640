//! The payments as comma-separated values, for banks that take no XML. Lines `payment`, after the payments of a group a line
//! `group` with its total, and at the end a line `file` for each currency.

use super::{
    account::{NamedAccount, bank_of},
    check::CheckedFile,
    model::{PayerAccount, Payment},
    pass::{Pass, WriteError},
    total::Total,
};
use crate::{
    network::profiles::latin,
    platform::{csv, values::Currency},
};
use std::io::Write;

const COLUMNS: [&str; 21] = [
    "line",
    "message_id",
    "group_id",
    "execution_on",
    "payer_account",
    "payer_bic",
    "payments",
    "end_to_end_id",
    "amount",
    "currency",
    "payee",
    "payee_account",
    "payee_bank_code",
    "payee_bic",
    "street",
    "building_number",
    "post_code",
    "town",
    "country",
    "address_lines",
    "remittance",
];

/// A table that is being written, as [`super::Pain001`] is.
pub struct PaymentTable<'c, W: Write> {
    file: &'c CheckedFile,
    pass: Pass<'c>,
    out: W,
    line: String,
}

impl<'c, W: Write> PaymentTable<'c, W> {
    /// Begins a table with the names of its columns.
    pub fn begin(out: W, file: &'c CheckedFile) -> Result<Self, WriteError> {
        let mut this = Self { file, pass: Pass::of(file), out, line: String::new() };
        this.cells(COLUMNS)?;
        Ok(this)
    }

    /// Writes a payment.
    pub fn payment(&mut self, payment: &Payment) -> Result<(), WriteError> {
        let step = self.pass.next(payment)?;
        let group = &step.checked.group;
        let [from, from_bank] = of_payer(step.payer)?;
        let execution_on = group.execution_on.to_string();
        let payee = &payment.payee;
        let named = NamedAccount::of(&payee.account).map_err(|_| WriteError::Changed)?;
        let address = &payee.address;
        let text = |text: &str| latin(text, address.country);
        let optional = |value: &Option<String>| text(value.as_deref().unwrap_or_default());
        let message_id = &self.file.header().message_id;
        let cells = [
            "payment".to_owned(),
            message_id.clone(),
            group.id.clone(),
            execution_on.clone(),
            from.clone(),
            from_bank.clone(),
            String::new(),
            payment.end_to_end_id(),
            payment.amount.amount(),
            payment.amount.currency.to_string(),
            text(payee.name()),
            named.number().to_owned(),
            named.bank_code().to_owned(),
            bank(payee.bic.as_deref())?,
            optional(&address.street),
            optional(&address.building_number),
            optional(&address.post_code),
            text(&address.town),
            address.country.to_string(),
            text(&address.lines.join(", ")),
            optional(&payment.remittance),
        ];
        self.cells(cells.iter().map(String::as_str))?;
        if step.is_last {
            let (count, sum) =
                (step.checked.total.count().to_string(), step.checked.total.sum(group.currency));
            let message_id = self.file.header().message_id.as_str();
            let known = ["group", message_id, &group.id, &execution_on, &from, &from_bank, &count, ""];
            self.total(known, &sum, group.currency)?;
        }
        Ok(())
    }

    /// Ends the table with its totals, and gives what it was written to.
    pub fn end(mut self) -> Result<W, WriteError> {
        let groups = self.file.groups();
        let mut currencies: Vec<Currency> = groups.iter().map(|checked| checked.group.currency).collect();
        currencies.sort_unstable();
        currencies.dedup();
        for currency in currencies {
            let of_currency = groups.iter().filter(|checked| checked.group.currency == currency);
            let count: u64 = of_currency.clone().map(|checked| checked.total.count()).sum();
            let sum = Total::control_sum(of_currency.map(|checked| (&checked.total, currency)));
            let count = count.to_string();
            let known = ["file", &self.file.header().message_id, "", "", "", "", &count, ""];
            self.total(known, &sum.ok_or(WriteError::Changed)?, currency)?;
        }
        self.pass.end()?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn total(&mut self, known: [&str; 8], sum: &str, currency: Currency) -> Result<(), WriteError> {
        let empty = COLUMNS.len() - known.len() - 2;
        let cells = known.into_iter().chain([sum, currency.as_str()]).chain(std::iter::repeat_n("", empty));
        csv::line(&mut self.line, cells);
        self.flush()
    }

    fn cells<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> Result<(), WriteError> {
        csv::line(&mut self.line, cells);
        self.flush()
    }

    fn flush(&mut self) -> Result<(), WriteError> {
        self.out.write_all(self.line.as_bytes())?;
        self.line.clear();
        Ok(())
    }
}

/// The account that pays, and its bank.
fn of_payer(payer: &PayerAccount) -> Result<[String; 2], WriteError> {
    let named = NamedAccount::of(&payer.account).map_err(|_| WriteError::Changed)?;
    Ok([named.number().to_owned(), bank(payer.bic.as_deref())?])
}

fn bank(bic: Option<&str>) -> Result<String, WriteError> {
    let bic = bank_of(bic).map_err(|_| WriteError::Changed)?;
    Ok(bic.map(|bic| bic.as_str().to_owned()).unwrap_or_default())
}
