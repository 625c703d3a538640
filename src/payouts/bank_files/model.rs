//! What is ordered from a bank: payments, from an account of the payer to accounts of payees.

use crate::platform::values::{CalendarDate, Country, Currency, Id, Money, Timestamp};
use std::fmt;

/// What a payment file says once. It is sent by the payer of its first group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// The identifier of the file at the bank; no two files have one. [`reference()`] makes one of an [`Id`].
    pub message_id: String,
    /// When the file was made.
    pub created_at: Timestamp,
}

/// What the payments of a part of a file have in common. A file has one group for each payer account, execution date,
/// currency and scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The identifier of the group at the bank; no two groups of a file have one.
    pub id: String,
    /// The account that pays; a group without one is refused.
    pub payer: Option<PayerAccount>,
    /// The day on which the bank is to execute the payments.
    pub execution_on: CalendarDate,
    /// The currency of every amount.
    pub currency: Currency,
    /// The rules that the banks follow.
    pub scheme: Scheme,
}

/// The rules that the banks follow for a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// A SEPA credit transfer: euro, between accounts inside SEPA. Each side pays its own bank.
    Sepa,
    /// Any other transfer; each side pays its own bank, and the payee's bank must be named.
    Other,
}

/// An account that payments are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayerAccount {
    /// The name of the account's holder, in the letters the bank knows it by.
    pub holder: String,
    /// The account.
    pub account: Account,
    /// The bank, 8 or 11 characters.
    pub bic: Option<String>,
    /// Where the holder is.
    pub address: Address,
    /// The currency of the account.
    pub currency: Currency,
    /// What the file says where the payee's bank is not named.
    pub creditor_agent_without_bic: CreditorAgentWithoutBic,
    /// Whether the bank books the payments of a group as one amount.
    pub batch_booking: bool,
}

/// What a file says about the payee's bank where it is known from the IBAN alone. Banks contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum CreditorAgentWithoutBic {
    /// Nothing.
    #[default]
    Omit,
    /// `NOTPROVIDED`.
    NotProvided,
}

/// Who is paid.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Payee {
    /// The name of the account's holder as the bank knows it, in any script.
    pub holder: String,
    /// The name in Latin letters; needed where `holder` has words that cannot be written in Latin letters by themselves.
    pub holder_latin: Option<String>,
    /// The account.
    pub account: Account,
    /// The bank, 8 or 11 characters.
    pub bic: Option<String>,
    /// Where the holder is.
    pub address: Address,
    /// The currency that the account takes.
    pub currency: Currency,
}

impl Payee {
    /// The name that is written into a file.
    #[must_use]
    pub fn name(&self) -> &str {
        self.holder_latin.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(&self.holder)
    }
}

/// A bank account. Whoever prints one for a developer sees its last four characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Account {
    /// An International Bank Account Number, with or without spaces.
    Iban(String),
    /// The number of an account in a country without IBANs, or where payments at home go by another number.
    Number {
        /// The number as the bank writes it.
        number: String,
        /// The bank that holds the account.
        routing: Routing,
    },
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Iban(number) | Self::Number { number, .. }) = self;
        let hidden = number.chars().count().saturating_sub(4);
        write!(f, "…{}", number.chars().skip(hidden).collect::<String>())
    }
}

/// How a country names its banks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Routing {
    /// The kind of the code.
    pub kind: RoutingKind,
    /// The code, with or without hyphens and spaces.
    pub code: String,
    /// The country of the bank.
    pub bank_country: Country,
}

/// A kind of bank codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoutingKind {
    /// An ABA routing number of the United States: 9 digits.
    Aba,
    /// A sort code of the United Kingdom: 6 digits.
    SortCode,
    /// A Bank-State-Branch code of Australia: 6 digits.
    Bsb,
    /// A bank and branch of Japan: 4 and 3 digits.
    Zengin,
    /// A code of any other country.
    Other,
}

/// An address, its town and country in fields of their own. Addresses in free lines alone are refused since November 2026.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The street, at most 70 characters.
    pub street: Option<String>,
    /// The number of the house, at most 16 characters.
    pub building_number: Option<String>,
    /// The post code, at most 16 characters.
    pub post_code: Option<String>,
    /// The town, at most 35 characters.
    pub town: String,
    /// The country.
    pub country: Country,
    /// What has no field of its own: at most two lines of 70 characters.
    pub lines: Vec<String>,
}

/// One payment to one payee.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Payment {
    /// The payment; banks name it by its [`reference()`] in every answer.
    pub id: Id,
    /// What the payee gets, above zero.
    pub amount: Money,
    /// Who is paid.
    pub payee: Payee,
    /// What the payee reads on the statement, at most 140 characters.
    pub remittance: Option<String>,
}

impl Payment {
    /// What banks name the payment by.
    #[must_use]
    pub fn end_to_end_id(&self) -> String {
        reference(self.id)
    }
}

/// An id as banks write it. They take at most 35 characters, and a UUID with hyphens has 36.
///
/// ```
/// use partner_incentives::payouts::bank_files::reference;
///
/// let id = "01936f2e-4b00-7000-8000-000000000001".parse()?;
/// assert_eq!(reference(id), "01936f2e4b0070008000000000000001");
/// # Ok::<(), partner_incentives::platform::values::Unparsable>(())
/// ```
#[must_use]
pub fn reference(id: Id) -> String {
    id.0.simple().to_string()
}
