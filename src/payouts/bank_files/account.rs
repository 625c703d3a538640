//! Accounts and banks as a file names them: read once, and valid from then on.

use super::{
    fault::{FaultCode, Part},
    model::{Account, Routing, RoutingKind},
};
use sepa::{Bic, Iban, iban::iban_bban_format, validate_bic, validate_iban};

/// The countries whose accounts are held by banks that carry the code of a mother country, or the other way round.
const BANKS_OF: &[(&str, &[&str])] = &[
    ("ES", &["EA", "IC"]),
    ("FI", &["AX"]),
    ("FR", &["BL", "GF", "GP", "MC", "MF", "MQ", "NC", "PF", "PM", "RE", "TF", "WF", "YT"]),
    ("GB", &["GG", "IM", "JE"]),
    ("NO", &["SJ"]),
    ("US", &["AS", "GU", "MP", "PR", "VI"]),
];

/// An account as a file names it.
pub(super) enum NamedAccount {
    Iban(Iban),
    /// A number, with the code of the clearing system that knows the bank; none for a code of no system.
    Number {
        number: String,
        system: Option<&'static str>,
        bank: String,
    },
}

/// What is wrong with an account or bank, and with which part.
pub(super) type PartFault = (Part, FaultCode);

impl NamedAccount {
    pub(super) fn of(account: &Account) -> Result<Self, Vec<PartFault>> {
        match account {
            Account::Iban(iban) => {
                iban_of(iban).map(Self::Iban).ok_or_else(|| vec![(Part::Iban, FaultCode::IbanInvalid)])
            }
            Account::Number { number, routing } => number_of(number, routing),
        }
    }

    /// The IBAN, or the number.
    pub(super) fn number(&self) -> &str {
        match self {
            Self::Iban(iban) => iban.as_str(),
            Self::Number { number, .. } => number,
        }
    }

    /// The code of the bank beside a number; empty beside an IBAN, which holds it.
    pub(super) fn bank_code(&self) -> &str {
        match self {
            Self::Iban(_) => "",
            Self::Number { bank, .. } => bank,
        }
    }

    pub(super) fn is_in_sepa(&self) -> bool {
        matches!(self, Self::Iban(iban) if iban.is_sepa())
    }
}

/// The country that an account is held in, of an IBAN that may be wrong.
pub(super) fn country_of(account: &Account) -> Option<String> {
    match account {
        Account::Iban(iban) => iban_of(iban).map(|iban| iban.country_code().to_owned()),
        Account::Number { routing, .. } => Some(routing.bank_country.as_str().to_owned()),
    }
}

/// The bank; none where none is named.
pub(super) fn bank_of(bic: Option<&str>) -> Result<Option<Bic>, PartFault> {
    let Some(bic) = bic.map(str::trim).filter(|bic| !bic.is_empty()) else { return Ok(None) };
    // A BIC for tests belongs to no bank.
    match validate_bic(bic) {
        Ok(bic) if !bic.is_test() => Ok(Some(bic)),
        _ => Err((Part::Bic, FaultCode::BicInvalid)),
    }
}

/// Whether a bank may hold accounts of the country.
pub(super) fn may_hold(bic: &Bic, country: &str) -> bool {
    let banks = |country: &str| {
        BANKS_OF
            .iter()
            .find(|(mother, others)| *mother == country || others.contains(&country))
            .map(|(mother, _)| *mother)
    };
    let bank = bic.country_code();
    bank == country || banks(bank).is_some_and(|mother| banks(country) == Some(mother))
}

/// An IBAN of a country that has IBANs.
fn iban_of(text: &str) -> Option<Iban> {
    validate_iban(text).ok().filter(|iban| iban_bban_format(iban.country_code()).is_some())
}

fn number_of(number: &str, routing: &Routing) -> Result<NamedAccount, Vec<PartFault>> {
    let mut faults = Vec::new();
    let number: String = plain(number);
    let bank = plain(&routing.code);
    let country = routing.bank_country.as_str();
    let rule = Rule::of(routing.kind);
    if routing.kind == RoutingKind::Other && iban_bban_format(country).is_some() {
        faults.push((Part::Iban, FaultCode::IbanRequired));
    }
    if !rule.countries.is_empty() && !rule.countries.contains(&country) {
        faults.push((Part::Routing, FaultCode::BankCountryMismatch));
    }
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let lettered = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_written = |text: &str| if rule.has_letters { lettered(text) } else { digits(text) };
    let checks = routing.kind != RoutingKind::Aba || is_aba(&bank);
    if !rule.code.contains(&bank.len()) || !is_written(&bank) || !checks {
        faults.push((Part::Routing, FaultCode::RoutingInvalid));
    }
    if !rule.number.contains(&number.len()) || !is_written(&number) {
        faults.push((Part::Number, FaultCode::AccountNumberInvalid));
    }
    if faults.is_empty() {
        Ok(NamedAccount::Number { number, system: rule.system, bank })
    } else {
        Err(faults)
    }
}

/// How a kind of bank codes is written, and the numbers of the accounts beside them.
struct Rule {
    system: Option<&'static str>,
    /// Empty for every country.
    countries: &'static [&'static str],
    code: std::ops::RangeInclusive<usize>,
    number: std::ops::RangeInclusive<usize>,
    has_letters: bool,
}

impl Rule {
    const fn of(kind: RoutingKind) -> Self {
        match kind {
            RoutingKind::Aba => Self {
                system: Some("USABA"),
                countries: &["AS", "GU", "MP", "PR", "UM", "US", "VI"],
                code: 9..=9,
                number: 4..=17,
                has_letters: false,
            },
            RoutingKind::SortCode => Self {
                system: Some("GBDSC"),
                countries: &["GB", "GG", "IM", "JE"],
                code: 6..=6,
                number: 8..=8,
                has_letters: false,
            },
            RoutingKind::Bsb => Self {
                system: Some("AUBSB"),
                countries: &["AU", "CC", "CX", "NF"],
                code: 6..=6,
                number: 5..=10,
                has_letters: false,
            },
            RoutingKind::Zengin => Self {
                system: Some("JPZGN"),
                countries: &["JP"],
                code: 7..=7,
                number: 7..=7,
                has_letters: false,
            },
            RoutingKind::Other => {
                Self { system: None, countries: &[], code: 1..=35, number: 1..=34, has_letters: true }
            }
        }
    }
}

/// The weighted sum of an ABA routing number ends in 0.
fn is_aba(code: &str) -> bool {
    let weights = [3, 7, 1].into_iter().cycle();
    let sum: u32 =
        code.bytes().zip(weights).map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight).sum();
    sum > 0 && sum.is_multiple_of(10)
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect()
}
