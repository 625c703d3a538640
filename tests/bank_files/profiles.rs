//! Random payout profiles. Whatever profile the service accepts can be paid: its payments make files without a fault, which
//! the schema of banks takes. `PROFILE_PAYMENTS=200000 cargo test --test bank_files profiles` tries more.

use super::{
    generated::some_of,
    samples::{File, currency, day, id},
    schema::complaints,
};
use partner_incentives::{
    network::profiles::{BankAccount, PostalAddress, Routing, RoutingKind, Secret},
    payouts::{
        bank_files::{self, FaultCode, Subject, banking_day_from},
        payer_accounts::{CreditorAgentWithoutBic, PayerAccount, PayerAccountState},
        payment_files,
        payments::{DocumentKind, FileGroup, Payment, PaymentState, Reconciliation},
    },
    platform::values::{Country, Currency, Id, Timestamp},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use sepa::iban::{iban_bban_format, iban_check_digits};
use std::collections::BTreeMap;

const CURRENCIES: [&str; 8] = ["EUR", "EUR", "EUR", "EUR", "USD", "JPY", "KWD", "CHF"];

/// Countries whose banks have no IBANs, with the kind of their numbers.
const NUMBERED: [(&str, RoutingKind); 20] = [
    ("AS", RoutingKind::Aba),
    ("GU", RoutingKind::Aba),
    ("MP", RoutingKind::Aba),
    ("PR", RoutingKind::Aba),
    ("UM", RoutingKind::Aba),
    ("US", RoutingKind::Aba),
    ("VI", RoutingKind::Aba),
    ("AU", RoutingKind::Bsb),
    ("CC", RoutingKind::Bsb),
    ("CX", RoutingKind::Bsb),
    ("NF", RoutingKind::Bsb),
    ("JP", RoutingKind::Zengin),
    ("CA", RoutingKind::Other),
    ("CN", RoutingKind::Other),
    ("HK", RoutingKind::Other),
    ("IN", RoutingKind::Other),
    ("MX", RoutingKind::Other),
    ("NZ", RoutingKind::Other),
    ("SG", RoutingKind::Other),
    ("ZA", RoutingKind::Other),
];

/// Territories that bank with the IBANs of another country.
const TERRITORIES: [(&str, &[&str]); 4] = [
    ("FI", &["AX"]),
    ("FR", &["BL", "GF", "GP", "MF", "MQ", "NC", "PF", "PM", "RE", "TF", "WF", "YT"]),
    ("GB", &["GG", "IM", "JE"]),
    ("NO", &["SJ"]),
];

/// The account itself, as it is filed.
#[derive(Clone, Debug)]
struct Numbers {
    account: Option<Secret>,
    account_number: Option<Secret>,
    routing: Option<Routing>,
    bank_country: Country,
    /// The country that the bank's BIC may name too.
    iban_country: Option<Country>,
}

/// Every country that has IBANs.
fn iban_countries() -> Vec<String> {
    let letters = || (b'A'..=b'Z').map(char::from);
    let codes = letters().flat_map(|one| letters().map(move |other| format!("{one}{other}")));
    codes.filter(|code| iban_bban_format(code).is_some() && code.parse::<Country>().is_ok()).collect()
}

fn letter(class: char, noise: u8) -> char {
    match class {
        'n' => char::from(b'0' + noise % 10),
        'a' => char::from(b'A' + noise % 26),
        _ if noise.is_multiple_of(2) => char::from(b'0' + noise / 2 % 10),
        _ => char::from(b'A' + noise / 2 % 26),
    }
}

fn some_iban() -> impl Strategy<Value = Numbers> {
    (select(iban_countries()), vec(any::<u8>(), 30), any::<usize>()).prop_map(|(code, noise, pick)| {
        let format = iban_bban_format(&code).unwrap();
        let bban: String = format.chars().zip(&noise).map(|(class, noise)| letter(class, *noise)).collect();
        let territories = TERRITORIES.iter().find(|(mother, _)| *mother == code).map_or(&[][..], |it| it.1);
        let place = territories.get(pick % (territories.len() + 1)).copied().unwrap_or(&code);
        Numbers {
            account: Some(Secret::new(&format!("{code}{}{bban}", iban_check_digits(&code, &bban)))),
            account_number: None,
            routing: None,
            bank_country: place.parse().unwrap(),
            iban_country: Some(code.parse().unwrap()),
        }
    })
}

fn some_number() -> impl Strategy<Value = Numbers> {
    let numbers =
        (some_of("[0-9]{8}"), some_of("[0-9]{4,17}"), some_of("[A-Z0-9]{1,20}"), some_of("[A-Z0-9]{4,34}"));
    (select(&NUMBERED[..]), numbers).prop_map(|((code, kind), (digits, number, bank, any_number))| {
        let weighted = digits.bytes().zip([3, 7, 1].into_iter().cycle());
        let sum: u32 = weighted.map(|(digit, by)| u32::from(digit - b'0') * by).sum();
        let (bank, number) = match kind {
            RoutingKind::Aba => (format!("{digits}{}", (10 - sum % 10) % 10), number),
            RoutingKind::Bsb | RoutingKind::SortCode => (digits[..6].to_owned(), number),
            RoutingKind::Zengin => (digits[..7].to_owned(), digits[1..].to_owned()),
            RoutingKind::Other => (bank, any_number),
        };
        Numbers {
            account: None,
            account_number: Some(Secret::new(&number)),
            routing: Some(Routing { kind, number: bank }),
            bank_country: code.parse().unwrap(),
            iban_country: None,
        }
    })
}

/// A text within the limits of the operation: of so many characters, without spaces at its ends.
fn some_text(most: usize) -> BoxedStrategy<String> {
    let text = prop_oneof![
        30 => some_of("[A-Za-zÀ-ÿ]{1,12}( [A-Za-z0-9&<>\"'./_-]{1,12}){0,3}"),
        2 => some_of("[Ά-ώА-яĀ-ž]{1,20}( [A-Z]{1,5})?"),
        1 => some_of("[A-Za-z]{1,9} [.…–-]{1,3}"),
        1 => some_of("[ａ-ｚĀ-ſẠ-ỹ]{1,12}"),
        1 => some_of("[0-9.,/ -]{1,12}"),
        1 => some_of("\\PC{1,40}"),
        1 => vec(any::<char>(), 1..20).prop_map(|letters| letters.into_iter().collect::<String>()),
        1 => (1..220_usize).prop_map(|length| "Ä".repeat(length)),
        1 => (1..220_usize).prop_map(|length| "a".repeat(length)),
    ];
    text.prop_filter_map("a text that the operation takes", move |text| {
        let text: String = text.chars().filter(|letter| *letter != '\n').take(most).collect();
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    })
    .boxed()
}

fn some_bic(numbers: &Numbers) -> BoxedStrategy<Option<String>> {
    let countries: Vec<Country> =
        [Some(numbers.bank_country), numbers.iban_country].into_iter().flatten().collect();
    let bic = (some_of("[A-Z]{4}"), select(countries), some_of("[A-Z0-9]{2}([A-Z0-9]{3})?"))
        .prop_map(|(bank, country, rest)| format!("{bank}{country}{rest}"));
    option::weighted(0.8, bic).boxed()
}

fn some_address() -> impl Strategy<Value = PostalAddress> {
    let country = select(vec!["AT", "DE", "FR", "GR", "JP", "KW", "SE", "US", "VN"]);
    let parts = (option::of(some_text(70)), option::of(some_text(16)), option::of(some_text(16)));
    (country, option::weighted(0.95, some_text(35)), parts, vec(some_text(70), 0..3)).prop_map(
        |(country, town, (street, building_number, post_code), lines)| PostalAddress {
            country: country.parse().unwrap(),
            town,
            street,
            building_number,
            post_code,
            lines,
        },
    )
}

fn some_account() -> impl Strategy<Value = BankAccount> {
    let numbers = prop_oneof![3 => some_iban().boxed(), 1 => some_number().boxed()];
    let numbers = numbers.prop_flat_map(|numbers| {
        let bic = some_bic(&numbers);
        (Just(numbers), bic)
    });
    let latin = prop_oneof![some_of("[A-Za-z][A-Za-z0-9 .,'()+-]{0,68}[A-Za-z0-9.]"), some_text(70)];
    (numbers, some_text(200), option::weighted(0.3, latin), some_address(), select(&CURRENCIES[..])).prop_map(
        |((numbers, bic), holder, holder_latin, address, code)| BankAccount {
            holder,
            holder_latin,
            account: numbers.account,
            account_number: numbers.account_number,
            routing: numbers.routing,
            bank_country: numbers.bank_country,
            bic,
            address: Some(address),
            currency: currency(code),
        },
    )
}

fn at() -> Timestamp {
    "2026-11-30T09:30:05.123456Z".parse().unwrap()
}

/// An approved payment of an amount, as a run has made it.
fn payment(number: u32, minor: i64, currency: Currency) -> Payment {
    Payment {
        id: id(number),
        partner_id: id(number),
        run_id: id(0),
        currency,
        state: PaymentState::Approved,
        reconciliation: Reconciliation::Unreconciled,
        document_kind: DocumentKind::CreditNote,
        document_number: Some(i64::from(number)),
        gross: minor,
        withheld: 0,
        withholding_rate_id: id(0),
        net: minor,
        replaces: None,
        sent_on: None,
        settled_on: None,
        state_code: None,
        state_comment: None,
        created_at: at(),
        updated_at: at(),
        revision: 1,
        file_id: None,
        file_group: None,
        bank_reference: None,
        statement_id: None,
        statement_entry: None,
        payout_revision: None,
        execution_on: None,
    }
}

/// An account of ours in a currency, whose bank is named.
fn payer(code: Currency, creditor_agent_without_bic: CreditorAgentWithoutBic) -> PayerAccount {
    let account = BankAccount {
        holder: "Vendor Europe GmbH".to_owned(),
        holder_latin: None,
        account: Some(Secret::new("DE75512108001245126199")),
        account_number: None,
        routing: None,
        bank_country: "DE".parse().unwrap(),
        bic: Some("SOGEDEFF".to_owned()),
        address: Some(PostalAddress {
            country: "DE".parse().unwrap(),
            town: Some("Frankfurt".to_owned()),
            street: None,
            building_number: None,
            post_code: None,
            lines: Vec::new(),
        }),
        currency: code,
    };
    assert_eq!(account.faults(), []);
    PayerAccount {
        id: id(0),
        name: "Payouts".to_owned(),
        account,
        creditor_agent_without_bic,
        batch_booking: false,
        speaks_pain001: true,
        state: PayerAccountState::Active,
        created_at: at(),
        updated_at: at(),
        revision: 1,
    }
}

/// The file of some payments in a currency, put together as the service does it.
fn file_of(code: Currency, paid: &[(Payment, BankAccount)]) -> File {
    let without_bic = match paid.len() % 2 {
        0 => CreditorAgentWithoutBic::Omit,
        _ => CreditorAgentWithoutBic::NotProvided,
    };
    let payer = payer(code, without_bic);
    let mut groups: BTreeMap<FileGroup, Vec<bank_files::Payment>> = BTreeMap::new();
    for (payment, account) in paid {
        let group = payment_files::group(payment, account, Some(&payer));
        groups.entry(group).or_default().push(payment_files::order(payment, account));
    }
    let group = |(group, payments): (FileGroup, Vec<bank_files::Payment>)| {
        let group = bank_files::Group {
            id: format!("G-{group}"),
            payer: Some(payment_files::payer(&payer)),
            execution_on: banking_day_from(day("2026-11-30"), code),
            currency: code,
            scheme: payment_files::scheme(group),
        };
        (group, payments)
    };
    File::of(groups.into_iter().map(group).collect())
}

#[test]
fn every_profile_that_is_accepted_is_paid_by_a_file_that_no_bank_refuses() {
    let asked = std::env::var_os("PROFILE_PAYMENTS").and_then(|number| number.to_str()?.parse().ok());
    let most: u32 = asked.unwrap_or(10_000);
    let mut runner = TestRunner::new(Config::default());
    let strategy = (some_account(), prop_oneof![1..100_000_000_i64, 1..=99_999_999_999_i64]);
    let (mut accepted, mut refused) = (0, 0_u32);
    let mut waiting: BTreeMap<Currency, Vec<(Payment, BankAccount)>> = BTreeMap::new();
    let mut texts = Vec::new();
    while accepted < most {
        let (account, minor) = strategy.new_tree(&mut runner).unwrap().current();
        if !account.faults().is_empty() {
            refused += 1;
            continue;
        }
        let code = account.currency;
        if account.bic.is_none() && code.as_str() != "EUR" {
            bank_is_asked_for(&account, minor);
            continue;
        }
        accepted += 1;
        let of_currency = waiting.entry(code).or_default();
        of_currency.push((payment(accepted, minor, code), account));
        if of_currency.len() >= 499 + usize::from(minor % 2 == 0) || accepted == most {
            texts.push(written(code, of_currency));
            of_currency.clear();
        }
    }
    for (code, paid) in waiting.iter().filter(|(_, paid)| !paid.is_empty()) {
        texts.push(written(*code, paid));
    }
    assert!(refused > most / 10 && refused < most * 10, "{refused} refused of {accepted} accepted");
    let payments: usize = texts.iter().map(|text| text.matches("<CdtTrfTxInf>").count()).sum();
    assert_eq!(payments, usize::try_from(most).unwrap());
    for some in texts.chunks(40) {
        let texts: Vec<&str> = some.iter().map(String::as_str).collect();
        let complaints = complaints("pain.001.001.09", &texts);
        assert!(complaints.is_empty(), "{complaints}");
    }
}

/// Inside SEPA a profile need not name the bank. A payment in another currency has to: that is said before a file exists.
fn bank_is_asked_for(account: &BankAccount, minor: i64) {
    let faults = file_of(account.currency, &[(payment(1, minor, account.currency), account.clone())]).check();
    let codes: Vec<FaultCode> = faults.unwrap_err().iter().map(|fault| fault.code).collect();
    assert_eq!(codes, [FaultCode::BicMissing], "{account:?}");
}

/// The file, which the check finds without a fault.
fn written(code: Currency, paid: &[(Payment, BankAccount)]) -> String {
    let file = file_of(code, paid);
    if let Err(faults) = file.check() {
        let account_of =
            |id: Id| paid.iter().find(|(payment, _)| payment.id == id).map(|(_, account)| account);
        let told = faults.iter().map(|fault| match &fault.subject {
            Subject::Payment(id) => format!("{} {} of {:?}", fault.field, fault.code, account_of(*id)),
            Subject::File | Subject::Group(_) => format!("{} {}", fault.field, fault.code),
        });
        panic!("accepted, and refused by the check:\n{}", told.collect::<Vec<_>>().join("\n"));
    }
    file.xml()
}
