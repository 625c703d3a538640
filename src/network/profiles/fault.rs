//! The faults by which a bank would refuse an account, each with its words in English and in Japanese.

use crate::platform::{
    FieldError,
    values::{Locale, Words, text_enum},
};
use std::borrow::Cow;

text_enum! {
    /// What makes an account useless for a payment.
    pub enum AccountFaultCode {
        /// The holder's name cannot be written in the letters of bank files, and no other spelling is given.
        NameNotLatin = "name_not_latin",
        /// The holder's name has more letters than bank files carry.
        NameTooLong = "name_too_long",
        /// The bank's country has IBANs, and none is given.
        AccountMissing = "account_missing",
        /// The IBAN is none: its check digits or its structure do not fit.
        IbanInvalid = "iban_invalid",
        /// The bank's country has no IBANs.
        AccountUnexpected = "account_unexpected",
        /// A part of the account belongs to another country than the bank.
        BankCountryMismatch = "bank_country_mismatch",
        /// The bank's country has no IBANs, and no number of the account is given.
        AccountNumberMissing = "account_number_missing",
        /// The number of the account has another form than those of the country.
        AccountNumberInvalid = "account_number_invalid",
        /// The account is known by its IBAN alone.
        AccountNumberUnexpected = "account_number_unexpected",
        /// Nothing says which bank has an account without an IBAN.
        RoutingMissing = "routing_missing",
        /// The number of the bank is none: its check digit or its form does not fit.
        RoutingInvalid = "routing_invalid",
        /// An IBAN names its bank.
        RoutingUnexpected = "routing_unexpected",
        /// A bank outside SEPA is reached by its BIC alone.
        BicMissing = "bic_missing",
        /// The BIC is none.
        BicInvalid = "bic_invalid",
        /// The holder's address has no town.
        TownMissing = "town_missing",
        /// A part of the address cannot be written in the letters of bank files.
        AddressNotLatin = "address_not_latin",
        /// A part of the address has more letters than bank files carry.
        AddressTooLong = "address_too_long",
    }
}

impl AccountFaultCode {
    /// What is wrong and how to mend it.
    #[must_use]
    pub const fn words(self) -> Words<'static> {
        match self {
            Self::NameNotLatin => Words::new(
                "bank files carry Latin letters: give the holder's name in them as `holder_latin`, as the bank writes it",
                "銀行のファイルではラテン文字のみ使用できます。口座名義のローマ字表記を `holder_latin` に記入してください。",
            ),
            Self::NameTooLong => Words::new(
                "bank files carry 70 letters of a name: give a shorter one as `holder_latin`, as the bank writes it",
                "銀行のファイルに記載できる名義は 70 文字までです。短縮したローマ字表記を `holder_latin` に記入してください。",
            ),
            Self::AccountMissing => Words::new(
                "banks of this country know accounts by their IBAN: give it as `account`",
                "この国の銀行口座は IBAN で識別されます。`account` に IBAN を記入してください。",
            ),
            Self::IbanInvalid => Words::new(
                "no IBAN: its check digits or its structure do not fit; compare it with the one your bank wrote",
                "IBAN の検査数字または桁構成が正しくありません。銀行から通知された番号をご確認ください。",
            ),
            Self::AccountUnexpected => Words::new(
                "banks of this country have no IBANs: give `account_number` and `routing` instead",
                "この国の銀行には IBAN がありません。`account_number` と `routing` を記入してください。",
            ),
            Self::BankCountryMismatch => Words::new(
                "this belongs to another country than `bank_country`: correct the one that is wrong",
                "`bank_country` の国と一致していません。誤っている方を訂正してください。",
            ),
            Self::AccountNumberMissing => Words::new(
                "banks of this country have no IBANs: give the number of the account",
                "この国の銀行には IBAN がありません。口座番号を記入してください。",
            ),
            Self::AccountNumberInvalid => Words::new(
                "accounts of this country have numbers of another form; compare it with the one your bank wrote",
                "この国の口座番号の形式と一致していません。銀行から通知された番号をご確認ください。",
            ),
            Self::AccountNumberUnexpected => Words::new(
                "the IBAN says all of it: leave `account_number` out",
                "IBAN があれば不要です。`account_number` は記入しないでください。",
            ),
            Self::RoutingMissing => Words::new(
                "say which bank has the account: its `kind` and `number`",
                "口座のある銀行を `kind` と `number` で指定してください。",
            ),
            Self::RoutingInvalid => Words::new(
                "no number of a bank of this kind: its check digit or its form does not fit",
                "銀行コードの検査数字または形式が正しくありません。",
            ),
            Self::RoutingUnexpected => Words::new(
                "the IBAN names the bank: leave `routing` out",
                "IBAN に銀行が含まれています。`routing` は記入しないでください。",
            ),
            Self::BicMissing => Words::new(
                "a bank outside SEPA is reached by its BIC: give it",
                "SEPA 域外の銀行への支払いには BIC（SWIFT コード）が必要です。",
            ),
            Self::BicInvalid => Words::new(
                "no BIC: it has 8 or 11 characters, of which the fifth and sixth are the country",
                "BIC が正しくありません。8 桁または 11 桁で、5・6 桁目は国コードです。",
            ),
            Self::TownMissing => Words::new(
                "banks refuse payments without the town of the holder's address: give it",
                "住所の市区町村がない支払いは銀行に拒否されます。市区町村を記入してください。",
            ),
            Self::AddressNotLatin => Words::new(
                "bank files carry Latin letters: write this part of the address in them",
                "銀行のファイルではラテン文字のみ使用できます。住所のこの部分をローマ字で記入してください。",
            ),
            Self::AddressTooLong => Words::new(
                "in Latin letters this part of the address is too long for bank files: shorten it",
                "住所のこの部分は、ローマ字にすると銀行のファイルに記載できる長さを超えます。短くしてください。",
            ),
        }
    }
}

/// A fault of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFault {
    /// The faulty field, as a JSON pointer into the account as it is filed.
    pub field: Cow<'static, str>,
    /// The kind of the fault.
    pub code: AccountFaultCode,
}

impl AccountFault {
    /// A fault of a field.
    pub(super) fn new(field: impl Into<Cow<'static, str>>, code: AccountFaultCode) -> Self {
        Self { field: field.into(), code }
    }

    /// What is wrong and how to mend it.
    #[must_use]
    pub const fn detail(&self, language: Locale) -> &'static str {
        language.of(self.code.words())
    }
}

impl From<AccountFault> for FieldError {
    fn from(fault: AccountFault) -> Self {
        Self::new(fault.field, fault.code.as_str(), fault.code.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_said_in_each_language() {
        for code in AccountFaultCode::ALL {
            let Words { en, ja } = code.words();
            assert!(en.is_ascii() && !ja.is_ascii() && en.len() < 200, "{code}");
        }
    }
}
