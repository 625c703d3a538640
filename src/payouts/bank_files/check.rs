//! The check of a file before it exists: all faults together, and what the file says of its payments as a whole.

use super::{
    account::{NamedAccount, PartFault, bank_of, country_of, may_hold},
    banking_day::is_banking_day,
    fault::{Fault, FaultCode, Field, Owner, Part, Subject},
    model::{Account, Address, FileHeader, Group, Payee, PayerAccount, Payment, Scheme},
    total::Total,
};
use crate::{
    network::profiles::{is_kept, is_legible, latin},
    platform::values::{CalendarDate, Country, Currency, Id, Money},
};
use sepa::validate::{
    MAX_AMOUNT_CT, MAX_BUILDING_LEN, MAX_ID_LEN, MAX_NAME_LEN, MAX_REMITTANCE_LEN, check_id,
};
use std::collections::HashSet;

/// The largest amount in another currency than euro, in minor units: banks take 14 digits across borders.
const MOST_ELSEWHERE: i64 = 99_999_999_999_999;
const MOST_LINES: usize = 2;
const TOWN: usize = MAX_ID_LEN;

/// A check that goes on: groups are begun, and payments put into the group begun last.
///
/// The check keeps the ids of payments and the first faults, and no payment.
#[derive(Debug)]
pub struct Check {
    header: FileHeader,
    today: CalendarDate,
    groups: Vec<CheckedGroup>,
    seen: HashSet<Id>,
    faults: FoundFaults,
}

/// The most faults of a file that are kept; what is found beyond is counted.
const MOST_FAULTS: usize = 1000;

/// What keeps a file from being made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundFaults {
    /// The first faults.
    pub listed: Vec<Fault>,
    /// The number of all faults.
    pub count: usize,
}

/// A file without a fault, as a writer writes it.
#[derive(Debug)]
pub struct CheckedFile {
    header: FileHeader,
    groups: Vec<CheckedGroup>,
}

/// A group with what its payments are together.
#[derive(Debug)]
pub(super) struct CheckedGroup {
    pub(super) group: Group,
    pub(super) total: Total,
}

impl CheckedFile {
    /// The number of payments.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.groups.iter().map(|group| group.total.count()).sum()
    }

    /// The sum of all amounts as banks check it, whatever their currencies.
    #[must_use]
    pub fn control_sum(&self) -> String {
        Total::control_sum(self.groups.iter().map(|group| (&group.total, group.group.currency)))
            .unwrap_or_default()
    }

    pub(super) fn header(&self) -> &FileHeader {
        &self.header
    }

    pub(super) fn groups(&self) -> &[CheckedGroup] {
        &self.groups
    }
}

impl Check {
    /// Begins the check of a file on a day.
    #[must_use]
    pub fn of(header: FileHeader, today: CalendarDate) -> Self {
        let mut check =
            Self { header, today, groups: Vec::new(), seen: HashSet::new(), faults: FoundFaults::default() };
        if !is_identifier(&check.header.message_id) {
            let file = Field { of: Owner::File, part: Part::Id };
            check.add((Subject::File, file), FaultCode::IdentifierInvalid);
        }
        check
    }

    /// Begins a group.
    pub fn group(&mut self, group: Group) {
        let mut faults = Vec::new();
        let mut found = |part, code| faults.push((Owner::Group, part, code));
        if !is_identifier(&group.id) {
            found(Part::Id, FaultCode::IdentifierInvalid);
        }
        if self.groups.iter().any(|before| before.group.id == group.id) {
            found(Part::Id, FaultCode::Repeated);
        }
        if !is_banking_day(group.execution_on, group.currency) {
            found(Part::ExecutionOn, FaultCode::ExecutionDateNotABankingDay);
        }
        if group.execution_on < self.today {
            found(Part::ExecutionOn, FaultCode::ExecutionDatePast);
        }
        match &group.payer {
            None => found(Part::Account, FaultCode::PayerAccountMissing),
            Some(payer) => {
                let faults_of_payer = faults_of_payer(payer, &group);
                faults.extend(faults_of_payer.into_iter().map(|(part, code)| (Owner::Payer, part, code)));
            }
        }
        for (of, part, code) in faults {
            self.add((Subject::Group(group.id.clone()), Field { of, part }), code);
        }
        self.groups.push(CheckedGroup { group, total: Total::default() });
    }

    /// Puts a payment into the group that was begun last.
    pub fn payment(&mut self, payment: &Payment) {
        let subject = Subject::Payment(payment.id);
        let mut faults = Vec::new();
        if !self.seen.insert(payment.id) {
            faults.push((Owner::Payment, Part::Id, FaultCode::Repeated));
        }
        match self.groups.last_mut() {
            None => faults.push((Owner::Payment, Part::Scheme, FaultCode::GroupMismatch)),
            Some(checked) => {
                checked.total.add(payment);
                faults.extend(faults_of_order(payment, &checked.group));
                let of_payee = faults_of_payee(&payment.payee, &checked.group);
                faults.extend(of_payee.into_iter().map(|(part, code)| (Owner::Payee, part, code)));
            }
        }
        for (of, part, code) in faults {
            self.add((subject.clone(), Field { of, part }), code);
        }
    }

    /// Ends the check: a file that can be written, or all that keeps it from being made.
    pub fn end(mut self) -> Result<CheckedFile, FoundFaults> {
        let file = |part| (Subject::File, Field { of: Owner::File, part });
        if self.groups.is_empty() {
            self.add(file(Part::Payments), FaultCode::PaymentsMissing);
        }
        let empty = self.groups.iter().filter(|group| group.total.count() == 0);
        for id in empty.map(|group| group.group.id.clone()).collect::<Vec<_>>() {
            let field = Field { of: Owner::Group, part: Part::Payments };
            self.add((Subject::Group(id), field), FaultCode::PaymentsMissing);
        }
        let totals = self.groups.iter().map(|group| (&group.total, group.group.currency));
        if Total::control_sum(totals).is_none() {
            self.add(file(Part::Amount), FaultCode::SumOutOfRange);
        }
        let Self { header, groups, faults, .. } = self;
        if faults.count == 0 { Ok(CheckedFile { header, groups }) } else { Err(faults) }
    }

    fn add(&mut self, (subject, field): (Subject, Field), code: FaultCode) {
        self.faults.count += 1;
        if self.faults.listed.len() < MOST_FAULTS {
            self.faults.listed.push(Fault { subject, field, code });
        }
    }
}

impl Scheme {
    /// The scheme of a payment in a currency from one account to another; none where an account does not hold.
    #[must_use]
    pub fn of(from: &Account, to: &Account, currency: Currency) -> Option<Self> {
        let (from, to) = (NamedAccount::of(from).ok()?, NamedAccount::of(to).ok()?);
        let is_sepa = currency.as_str() == "EUR" && from.is_in_sepa() && to.is_in_sepa();
        Some(if is_sepa { Self::Sepa } else { Self::Other })
    }
}

fn faults_of_order(payment: &Payment, group: &Group) -> Vec<(Owner, Part, FaultCode)> {
    let mut faults = Vec::new();
    let mut found = |part, code| faults.push((Owner::Payment, part, code));
    let Money { minor, currency } = payment.amount;
    let most = if currency.as_str() == "EUR" { MAX_AMOUNT_CT } else { MOST_ELSEWHERE };
    if !(1..=most).contains(&minor) {
        found(Part::Amount, FaultCode::AmountOutOfRange);
    }
    if currency != group.currency {
        found(Part::Currency, FaultCode::GroupMismatch);
    }
    if let Some(payer) = &group.payer {
        let scheme = Scheme::of(&payer.account, &payment.payee.account, currency);
        if currency == group.currency && scheme.is_some_and(|scheme| scheme != group.scheme) {
            found(Part::Scheme, FaultCode::GroupMismatch);
        }
    }
    if let Some(remittance) = &payment.remittance {
        let country = payment.payee.address.country;
        if !is_kept(remittance, country) {
            found(Part::Remittance, FaultCode::RemittanceNotLatin);
        }
        if length(&latin(remittance, country)) > MAX_REMITTANCE_LEN {
            found(Part::Remittance, FaultCode::RemittanceTooLong);
        }
    }
    faults
}

fn faults_of_payer(payer: &PayerAccount, group: &Group) -> Vec<PartFault> {
    let mut faults = Vec::new();
    let country = payer.address.country;
    faults.extend(faults_of_name(&payer.holder, country).into_iter().map(|code| (Part::Holder, code)));
    faults.extend(faults_of_account(&payer.account, payer.bic.as_deref(), group.scheme));
    faults.extend(faults_of_address(&payer.address));
    if payer.currency != group.currency {
        faults.push((Part::Currency, FaultCode::CurrencyNotSupportedByAccount));
    }
    faults
}

fn faults_of_payee(payee: &Payee, group: &Group) -> Vec<PartFault> {
    let mut faults = Vec::new();
    let has_latin = payee.holder_latin.as_deref().is_some_and(|latin| !latin.trim().is_empty());
    let part = if has_latin { Part::HolderLatin } else { Part::Holder };
    let country = payee.address.country;
    faults.extend(faults_of_name(payee.name(), country).into_iter().map(|code| (part, code)));
    faults.extend(faults_of_account(&payee.account, payee.bic.as_deref(), group.scheme));
    faults.extend(faults_of_address(&payee.address));
    if payee.currency != group.currency {
        faults.push((Part::Currency, FaultCode::CurrencyNotSupportedByAccount));
    }
    faults
}

fn faults_of_account(account: &Account, bic: Option<&str>, scheme: Scheme) -> Vec<PartFault> {
    let mut faults = NamedAccount::of(account).err().unwrap_or_default();
    match bank_of(bic) {
        Err(fault) => faults.push(fault),
        Ok(None) if scheme == Scheme::Other => faults.push((Part::Bic, FaultCode::BicMissing)),
        Ok(None) => {}
        Ok(Some(bic)) => {
            if country_of(account).is_some_and(|country| !may_hold(&bic, &country)) {
                faults.push((Part::Bic, FaultCode::BankCountryMismatch));
            }
        }
    }
    faults
}

fn faults_of_name(name: &str, country: Country) -> Vec<FaultCode> {
    if name.trim().is_empty() {
        return vec![FaultCode::NameMissing];
    }
    let mut faults = Vec::new();
    if !is_legible(name, country) {
        faults.push(FaultCode::NameNotLatin);
    }
    if length(&latin(name, country)) > MAX_NAME_LEN {
        faults.push(FaultCode::NameTooLong);
    }
    faults
}

fn faults_of_address(address: &Address) -> Vec<PartFault> {
    let mut faults = Vec::new();
    let single = [
        (Part::Street, address.street.as_deref(), MAX_NAME_LEN),
        (Part::BuildingNumber, address.building_number.as_deref(), MAX_BUILDING_LEN),
        (Part::PostCode, address.post_code.as_deref(), MAX_BUILDING_LEN),
        (Part::Town, Some(address.town.as_str()), TOWN),
    ];
    let lines = address.lines.iter().map(|line| (Part::Lines, Some(line.as_str()), MAX_NAME_LEN));
    for (part, text, most) in single.into_iter().chain(lines) {
        let text = text.unwrap_or_default();
        if !is_kept(text, address.country) {
            faults.push((part, FaultCode::AddressNotLatin));
        }
        if length(&latin(text, address.country)) > most {
            faults.push((part, FaultCode::AddressTooLong));
        }
    }
    if latin(&address.town, address.country).trim_matches('.').is_empty()
        && is_kept(&address.town, address.country)
    {
        faults.push((Part::Town, FaultCode::TownMissing));
    }
    if address.lines.len() > MOST_LINES {
        faults.push((Part::Lines, FaultCode::AddressLinesTooMany));
    }
    faults
}

/// Whether banks take an identifier, which they give back as it is.
fn is_identifier(text: &str) -> bool {
    text == text.trim() && check_id("", text).is_ok()
}

fn length(text: &str) -> usize {
    text.chars().count()
}
