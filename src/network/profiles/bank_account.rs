//! The bank account that money goes to: what a bank file needs of it, and what a bank would refuse; no I/O, no clock, no
//! HTTP.

use super::{
    Secret,
    fault::{AccountFault, AccountFaultCode as Fault},
    letters::{is_kept, is_legible, latin},
};
use crate::platform::values::{Country, Currency, text_enum};
use sepa::{
    iban::{iban_country_length, is_sepa_country},
    is_sepa_text,
    validate::{MAX_BUILDING_LEN, MAX_NAME_LEN},
};

text_enum! {
    /// The kind of number by which the banks of a country know each other.
    pub enum RoutingKind {
        /// United States: nine digits, the last of which checks the others.
        Aba = "aba",
        /// United Kingdom: six digits.
        SortCode = "sort_code",
        /// Australia: six digits.
        Bsb = "bsb",
        /// Japan: the bank's four digits and the branch's three.
        Zengin = "zengin",
        /// Another kind.
        Other = "other",
    }
}

/// The bank of an account without an IBAN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// The kind of the number.
    pub kind: RoutingKind,
    /// The number of the bank, in upper case.
    pub number: String,
}

/// The address of an account's holder, in the parts that banks ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostalAddress {
    /// The country.
    pub country: Country,
    /// The town; an address without one is refused.
    pub town: Option<String>,
    /// The street.
    pub street: Option<String>,
    /// The number of the building.
    pub building_number: Option<String>,
    /// The post code.
    pub post_code: Option<String>,
    /// At most two lines for what has no part of its own.
    pub lines: Vec<String>,
}

/// A bank account, as its holder files it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankAccount {
    /// The holder, as the bank knows the holder, in any script.
    pub holder: String,
    /// The holder in Latin letters.
    pub holder_latin: Option<String>,
    /// The IBAN, where the bank's country has IBANs.
    pub account: Option<Secret>,
    /// The bank's own number of an account without an IBAN.
    pub account_number: Option<Secret>,
    /// The bank of an account without an IBAN.
    pub routing: Option<Routing>,
    /// The country of the bank.
    pub bank_country: Country,
    /// The bank's identifier (ISO 9362), in upper case.
    pub bic: Option<String>,
    /// The holder's address; none of an account that was filed before banks asked for addresses.
    pub address: Option<PostalAddress>,
    /// A currency the account takes.
    pub currency: Currency,
}

impl RoutingKind {
    /// The kind that the banks of a country without IBANs use.
    fn of(country: Country) -> Self {
        match country.as_str() {
            "US" | "PR" | "VI" | "GU" | "AS" | "MP" | "UM" => Self::Aba,
            "AU" | "CC" | "CX" | "NF" => Self::Bsb,
            "JP" => Self::Zengin,
            _ => Self::Other,
        }
    }

    /// Whether the numbers of accounts have this form.
    fn takes(self, account_number: &Secret) -> bool {
        let (digits, length) = (account_number.is_digits(), account_number.length());
        match self {
            Self::Aba => digits && (4..=17).contains(&length),
            Self::SortCode => digits && length == 8,
            Self::Bsb => digits && (5..=10).contains(&length),
            Self::Zengin => digits && length == 7,
            Self::Other => true,
        }
    }
}

impl Routing {
    /// Whether the number has the form of its kind, and fits its own check digit where it has one.
    fn is_sound(&self) -> bool {
        let digits: Option<Vec<u32>> = self.number.chars().map(|c| c.to_digit(10)).collect();
        let length = self.number.len();
        match (self.kind, digits) {
            (RoutingKind::Other, _) => true,
            (RoutingKind::Aba, Some(digits)) => {
                let sum: u32 = digits.iter().zip([3, 7, 1].into_iter().cycle()).map(|(d, by)| d * by).sum();
                length == 9 && sum > 0 && sum.is_multiple_of(10)
            }
            (RoutingKind::SortCode | RoutingKind::Bsb, Some(_)) => length == 6,
            (RoutingKind::Zengin, Some(_)) => length == 7,
            (_, None) => false,
        }
    }
}

/// The country that stands in the IBANs of a country's banks; none where the banks have no IBANs. Some territories use
/// the IBANs of another country.
fn iban_country(bank_country: Country) -> Option<&'static str> {
    let code = match bank_country.as_str() {
        "GG" | "IM" | "JE" => "GB",
        "BL" | "GF" | "GP" | "MF" | "MQ" | "NC" | "PF" | "PM" | "RE" | "TF" | "WF" | "YT" => "FR",
        "AX" => "FI",
        "SJ" => "NO",
        own => own,
    };
    iban_country_length(code).map(|_| code)
}

/// The longest name of a town that a bank file carries.
const LONGEST_TOWN: usize = 35;

/// Whether a text has more than so many of the letters of bank files: one letter can become several.
fn is_longer(text: &str, country: Country, most: usize) -> bool {
    latin(text, country).chars().count() > most
}

impl BankAccount {
    /// The number of the account, in whichever of its forms.
    #[must_use]
    pub fn number(&self) -> Option<&Secret> {
        self.account.as_ref().or(self.account_number.as_ref())
    }

    /// The end of the account's number, behind asterisks.
    #[must_use]
    pub fn masked_number(&self) -> String {
        self.number().map_or_else(|| "****?".to_owned(), Secret::masked)
    }

    /// The holder's name as bank files carry it.
    #[must_use]
    pub fn holder_in_files(&self) -> String {
        let name = self.holder_latin.as_deref().unwrap_or(&self.holder);
        latin(name, self.country_of_holder()).chars().take(MAX_NAME_LEN).collect()
    }

    /// The country in which the holder's name is read.
    fn country_of_holder(&self) -> Country {
        self.address.as_ref().map_or(self.bank_country, |address| address.country)
    }

    /// Whether payments are of SEPA, which finds the bank by the IBAN.
    #[must_use]
    pub fn is_in_sepa(&self) -> bool {
        iban_country(self.bank_country).is_some_and(is_sepa_country)
    }

    /// Whether money goes elsewhere than to the account `before`. What was not said before has not changed.
    #[must_use]
    pub fn is_elsewhere_than(&self, before: &Self) -> bool {
        let said = before.bic.is_some() && self.bic.is_some();
        self.number() != before.number()
            || self.bank_country != before.bank_country
            || before.routing.is_some() && self.routing != before.routing
            || said && self.bic != before.bic
    }

    /// Everything by which a bank would refuse a payment to the account.
    #[must_use]
    pub fn faults(&self) -> Vec<AccountFault> {
        let mut faults = Vec::new();
        faults.extend(self.fault_of_name());
        match iban_country(self.bank_country) {
            Some(country) => faults.extend(self.faults_of_iban(country)),
            None => faults.extend(self.faults_of_number()),
        }
        faults.extend(self.fault_of_bic());
        faults.extend(self.faults_of_address());
        faults
    }

    fn fault_of_name(&self) -> Option<AccountFault> {
        let country = self.country_of_holder();
        let is_written = |name: &str| is_sepa_text(name) && name.chars().any(|c| c.is_ascii_alphabetic());
        let given = self.holder_latin.as_deref();
        let code = if !given.map_or_else(|| is_legible(&self.holder, country), is_written) {
            Fault::NameNotLatin
        } else if is_longer(given.unwrap_or(&self.holder), country, MAX_NAME_LEN) {
            Fault::NameTooLong
        } else {
            return None;
        };
        Some(AccountFault::new("/holder_latin", code))
    }

    fn faults_of_iban(&self, country: &str) -> Vec<AccountFault> {
        let Some(account) = &self.account else {
            return vec![AccountFault::new("/account", Fault::AccountMissing)];
        };
        let mut faults = Vec::new();
        match account.country_of_iban() {
            None => faults.push(AccountFault::new("/account", Fault::IbanInvalid)),
            Some(of_iban) if of_iban != country => {
                faults.push(AccountFault::new("/account", Fault::BankCountryMismatch));
            }
            Some(_) => {}
        }
        if self.account_number.is_some() {
            faults.push(AccountFault::new("/account_number", Fault::AccountNumberUnexpected));
        }
        if self.routing.is_some() {
            faults.push(AccountFault::new("/routing", Fault::RoutingUnexpected));
        }
        faults
    }

    fn faults_of_number(&self) -> Vec<AccountFault> {
        let (mut faults, kind) = (Vec::new(), RoutingKind::of(self.bank_country));
        if self.account.is_some() {
            faults.push(AccountFault::new("/account", Fault::AccountUnexpected));
        }
        match &self.account_number {
            None => faults.push(AccountFault::new("/account_number", Fault::AccountNumberMissing)),
            Some(number) if !kind.takes(number) => {
                faults.push(AccountFault::new("/account_number", Fault::AccountNumberInvalid));
            }
            Some(_) => {}
        }
        match &self.routing {
            None => faults.push(AccountFault::new("/routing", Fault::RoutingMissing)),
            Some(routing) if routing.kind != kind => {
                faults.push(AccountFault::new("/routing/kind", Fault::BankCountryMismatch));
            }
            Some(routing) if !routing.is_sound() => {
                faults.push(AccountFault::new("/routing/number", Fault::RoutingInvalid));
            }
            Some(_) => {}
        }
        faults
    }

    fn fault_of_bic(&self) -> Option<AccountFault> {
        let Some(bic) = &self.bic else {
            return (!self.is_in_sepa()).then(|| AccountFault::new("/bic", Fault::BicMissing));
        };
        // A BIC for tests belongs to no bank.
        let Some(bic) = sepa::validate_bic(bic).ok().filter(|bic| !bic.is_test()) else {
            return Some(AccountFault::new("/bic", Fault::BicInvalid));
        };
        let countries = [Some(self.bank_country.as_str()), iban_country(self.bank_country)];
        let agrees = countries.contains(&Some(bic.country_code()));
        (!agrees).then(|| AccountFault::new("/bic", Fault::BankCountryMismatch))
    }

    fn faults_of_address(&self) -> Vec<AccountFault> {
        let Some(address) = &self.address else {
            return vec![AccountFault::new("/address/town", Fault::TownMissing)];
        };
        let country = address.country;
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        let parts = [
            ("/address/town".to_owned(), part(&address.town), LONGEST_TOWN),
            ("/address/street".to_owned(), part(&address.street), MAX_NAME_LEN),
            ("/address/building_number".to_owned(), part(&address.building_number), MAX_BUILDING_LEN),
            ("/address/post_code".to_owned(), part(&address.post_code), MAX_BUILDING_LEN),
        ];
        let lines = address.lines.iter().enumerate();
        let lines = lines.map(|(at, line)| (format!("/address/lines/{at}"), line.clone(), MAX_NAME_LEN));
        let mut faults = Vec::new();
        for (field, text, most) in parts.into_iter().chain(lines) {
            if !is_kept(&text, country) {
                faults.push(AccountFault::new(field, Fault::AddressNotLatin));
            } else if is_longer(&text, country, most) {
                faults.push(AccountFault::new(field, Fault::AddressTooLong));
            }
        }
        let town = part(&address.town);
        if is_kept(&town, country) && latin(&town, country).trim_matches('.').is_empty() {
            faults.push(AccountFault::new("/address/town", Fault::TownMissing));
        }
        faults
    }
}

#[cfg(test)]
mod tests;
