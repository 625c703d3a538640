//! What keeps a payment file from being made. A fault names the field and never shows its value: account numbers stay out of
//! answers and logs.

use crate::platform::values::{Id, Words, text_enum};
use std::fmt;

/// A reason why a file cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is to be mended.
    pub subject: Subject,
    /// The field of it.
    pub field: Field,
    /// What is wrong with the field.
    pub code: FaultCode,
}

impl Fault {
    /// What is wrong, and what mends it.
    #[must_use]
    pub const fn remedy(&self) -> Words<'static> {
        self.code.remedy()
    }
}

/// What a fault is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The file as a whole.
    File,
    /// The group with this identifier, or its payer account.
    Group(String),
    /// A payment, or its payee.
    Payment(Id),
}

/// A field of a file, shown as a path such as `payee.account.iban`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Whose field.
    pub of: Owner,
    /// The field.
    pub part: Part,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.of.as_str(), self.part.as_str())
    }
}

/// Whose field a fault is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The file.
    File,
    /// A group.
    Group,
    /// The payer account of a group.
    Payer,
    /// A payment.
    Payment,
    /// The payee of a payment.
    Payee,
}

impl Owner {
    /// The first step of a field's path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Group => "group",
            Self::Payer => "payer",
            Self::Payment => "payment",
            Self::Payee => "payee",
        }
    }
}

/// A field, or the part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the field of the same name in the types of an instruction")]
pub enum Part {
    Id,
    Payments,
    Account,
    ExecutionOn,
    Currency,
    Scheme,
    Amount,
    Remittance,
    Holder,
    HolderLatin,
    Iban,
    Number,
    Routing,
    Bic,
    Street,
    BuildingNumber,
    PostCode,
    Town,
    Lines,
}

impl Part {
    /// The last steps of a field's path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Payments => "payments",
            Self::Account => "account",
            Self::ExecutionOn => "execution_on",
            Self::Currency => "currency",
            Self::Scheme => "scheme",
            Self::Amount => "amount",
            Self::Remittance => "remittance",
            Self::Holder => "holder",
            Self::HolderLatin => "holder_latin",
            Self::Iban => "account.iban",
            Self::Number => "account.number",
            Self::Routing => "account.routing",
            Self::Bic => "bic",
            Self::Street => "address.street",
            Self::BuildingNumber => "address.building_number",
            Self::PostCode => "address.post_code",
            Self::Town => "address.town",
            Self::Lines => "address.lines",
        }
    }
}

text_enum! {
    /// What is wrong with a field of a payment file.
    pub enum FaultCode {
        /// The IBAN does not hold: its country, length, form or check digits.
        IbanInvalid = "iban_invalid",
        /// A number stands where the bank's country has IBANs.
        IbanRequired = "iban_required",
        /// The account number is not one of its country.
        AccountNumberInvalid = "account_number_invalid",
        /// The bank code is not one of its kind.
        RoutingInvalid = "routing_invalid",
        /// The BIC does not hold.
        BicInvalid = "bic_invalid",
        /// A payment outside SEPA names no bank.
        BicMissing = "bic_missing",
        /// The bank's country is not the account's.
        BankCountryMismatch = "bank_country_mismatch",
        /// The address has no town of its own.
        TownMissing = "town_missing",
        /// A part of the address cannot be written in Latin letters.
        AddressNotLatin = "address_not_latin",
        /// A part of the address is too long for its field.
        AddressTooLong = "address_too_long",
        /// The address has more than two free lines.
        AddressLinesTooMany = "address_lines_too_many",
        /// There is no name.
        NameMissing = "name_missing",
        /// The name cannot be written in Latin letters.
        NameNotLatin = "name_not_latin",
        /// The name has more than 70 letters.
        NameTooLong = "name_too_long",
        /// The text for the payee cannot be written in Latin letters.
        RemittanceNotLatin = "remittance_not_latin",
        /// The text for the payee has more than 140 letters.
        RemittanceTooLong = "remittance_too_long",
        /// The account does not take the currency of the payment.
        CurrencyNotSupportedByAccount = "currency_not_supported_by_account",
        /// Banks are closed on the execution date.
        ExecutionDateNotABankingDay = "execution_date_not_a_banking_day",
        /// The execution date is past.
        ExecutionDatePast = "execution_date_past",
        /// The amount is zero, below zero or above what a bank takes.
        AmountOutOfRange = "amount_out_of_range",
        /// The amounts add up to more than a file can say.
        SumOutOfRange = "sum_out_of_range",
        /// No account is there to pay from.
        PayerAccountMissing = "payer_account_missing",
        /// The payment belongs into another group.
        GroupMismatch = "group_mismatch",
        /// There is no payment.
        PaymentsMissing = "payments_missing",
        /// The identifier stands in the file before.
        Repeated = "repeated",
        /// The identifier is not one that banks take.
        IdentifierInvalid = "identifier_invalid",
    }
}

impl FaultCode {
    /// What is wrong, and what mends it.
    #[must_use]
    pub const fn remedy(self) -> Words<'static> {
        match self {
            Self::IbanInvalid
            | Self::IbanRequired
            | Self::AccountNumberInvalid
            | Self::RoutingInvalid
            | Self::BicInvalid
            | Self::BicMissing
            | Self::BankCountryMismatch => self.remedy_of_account(),
            Self::TownMissing
            | Self::AddressNotLatin
            | Self::AddressTooLong
            | Self::AddressLinesTooMany
            | Self::NameMissing
            | Self::NameNotLatin
            | Self::NameTooLong => self.remedy_of_party(),
            _ => self.remedy_of_order(),
        }
    }

    const fn remedy_of_account(self) -> Words<'static> {
        match self {
            Self::IbanRequired => Words::new(
                "Banks of this country go by IBANs: give the IBAN instead of the account number.",
                "この国の銀行ではIBANが使われています。口座番号の代わりにIBANを登録してください。",
            ),
            Self::AccountNumberInvalid => Words::new(
                "The account number is not one of this country: copy it from a bank statement.",
                "口座番号の形式がこの国のものと異なります。銀行の明細から正確に転記してください。",
            ),
            Self::RoutingInvalid => Words::new(
                "The bank code is wrong: copy the routing number, sort code, BSB or bank and branch code from a bank statement.",
                "銀行コードが正しくありません。ルーティング番号、ソートコード、BSB、または銀行・支店コードを銀行の明細から転記してください。",
            ),
            Self::BicInvalid => Words::new(
                "The BIC is wrong: it has 8 or 11 characters, such as COBADEFF; ask the bank for it.",
                "BICが正しくありません。COBADEFFのような8桁または11桁のコードを銀行に確認してください。",
            ),
            Self::BicMissing => Words::new(
                "Payments other than in euro inside SEPA need the bank's BIC: add it.",
                "SEPA域内のユーロ送金以外では銀行のBICが必要です。BICを登録してください。",
            ),
            Self::BankCountryMismatch => Words::new(
                "The bank is in another country than the account: check both the bank's code and the account.",
                "銀行の国と口座の国が一致しません。銀行コードと口座の両方を確認してください。",
            ),
            _ => Words::new(
                "The IBAN is wrong: its country, length or check digits do not hold. Copy it from a bank statement.",
                "IBANが正しくありません。国コード、桁数またはチェックディジットが一致しないため、銀行の明細から転記してください。",
            ),
        }
    }

    const fn remedy_of_party(self) -> Words<'static> {
        match self {
            Self::AddressNotLatin => Words::new(
                "This part of the address cannot be read by banks: write it in Latin letters.",
                "住所のこの項目は銀行で読み取れません。ローマ字で登録してください。",
            ),
            Self::AddressTooLong => Words::new(
                "This part of the address is too long: a street or line has 70 characters, a town 35, a number or post code 16.",
                "住所のこの項目が長すぎます。番地名と行は70文字、市区町村は35文字、建物番号と郵便番号は16文字までです。",
            ),
            Self::AddressLinesTooMany => Words::new(
                "The address has at most two free lines: put street, number, post code and town into their fields.",
                "住所の自由記入行は2行までです。番地名、建物番号、郵便番号、市区町村はそれぞれの項目に入力してください。",
            ),
            Self::NameMissing => Words::new(
                "The name of the account's holder is missing: add it.",
                "口座名義がありません。名義を登録してください。",
            ),
            Self::NameNotLatin => Words::new(
                "Banks take Latin letters only: give the account holder's name in Latin letters as well.",
                "銀行ではローマ字しか使用できません。口座名義のローマ字表記も登録してください。",
            ),
            Self::NameTooLong => Words::new(
                "The name has more than 70 letters as banks write it: shorten it the way the bank does.",
                "銀行での表記で名義が70文字を超えています。銀行での表記に合わせて短くしてください。",
            ),
            _ => Words::new(
                "The town is missing: banks refuse addresses without a town in a field of its own.",
                "市区町村がありません。市区町村の項目がない住所は銀行で受け付けられません。",
            ),
        }
    }

    const fn remedy_of_order(self) -> Words<'static> {
        match self {
            Self::RemittanceNotLatin => Words::new(
                "The text for the payee cannot be read by banks: write it in Latin letters.",
                "受取人への通信文が銀行で読み取れません。ローマ字で入力してください。",
            ),
            Self::RemittanceTooLong => Words::new(
                "The text for the payee has more than 140 letters: shorten it.",
                "受取人への通信文が140文字を超えています。短くしてください。",
            ),
            Self::CurrencyNotSupportedByAccount => Words::new(
                "The account does not take this currency: pay in the account's currency, or use another account.",
                "口座がこの通貨に対応していません。口座の通貨で支払うか、別の口座を使用してください。",
            ),
            Self::ExecutionDateNotABankingDay => Words::new(
                "Banks are closed on this day: choose the next banking day.",
                "この日は銀行休業日です。次の銀行営業日を指定してください。",
            ),
            Self::ExecutionDatePast => Words::new(
                "This day is past: choose a banking day from today on.",
                "過去の日付です。本日以降の銀行営業日を指定してください。",
            ),
            Self::AmountOutOfRange => Words::new(
                "The amount is not above zero, or above what banks take in one payment (EUR 999,999,999.99): split it.",
                "金額がゼロ以下か、1件の上限（999,999,999.99ユーロ）を超えています。分割してください。",
            ),
            Self::SumOutOfRange => Words::new(
                "The amounts add up to more than one file can say: make several files.",
                "金額の合計が1つのファイルの上限を超えています。複数のファイルに分けてください。",
            ),
            Self::PayerAccountMissing => Words::new(
                "There is no account to pay this currency from: register a payer account.",
                "この通貨の支払元口座がありません。支払元口座を登録してください。",
            ),
            Self::GroupMismatch => Words::new(
                "The payment differs from its group in currency or scheme: put it into a group of its own kind.",
                "支払の通貨または送金方式がグループと異なります。該当するグループに入れてください。",
            ),
            Self::PaymentsMissing => Words::new(
                "There is nothing to pay: leave the empty file or group out.",
                "支払がありません。空のファイルまたはグループは除いてください。",
            ),
            Self::Repeated => Words::new(
                "The identifier stands in this file before: a payment and a group stand in a file once.",
                "同じ識別子がこのファイルに既にあります。支払とグループは1つのファイルに1回だけ含められます。",
            ),
            _ => Words::new(
                "The identifier has 1 to 35 characters of a-z A-Z 0-9 / - ? : ( ) . , ' + and spaces, no / at its ends and no //.",
                "識別子は a-z A-Z 0-9 / - ? : ( ) . , ' + と空白からなる1～35文字で、先頭と末尾の / および // は使えません。",
            ),
        }
    }
}
