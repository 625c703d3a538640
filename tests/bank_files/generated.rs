//! Random files. Whatever the check lets pass is valid, however odd it looks.

use super::{
    samples::{File, currency, day, id},
    schema::complaints,
};
use partner_incentives::{
    payouts::bank_files::{
        Account, Address, CreditorAgentWithoutBic, Group, Payee, PayerAccount, Payment, Routing, RoutingKind,
        Scheme, banking_day_from,
    },
    platform::values::{Country, Currency, Money},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

/// Countries with the structure of their IBANs: digits, capitals, or both.
const IN_SEPA: &[(&str, &str)] = &[
    ("AT", "nnnnnnnnnnnnnnnn"),
    ("BE", "nnnnnnnnnnnn"),
    ("CH", "nnnnncccccccccccc"),
    ("DE", "nnnnnnnnnnnnnnnnnn"),
    ("ES", "nnnnnnnnnnnnnnnnnnnn"),
    ("FI", "nnnnnnnnnnnnnn"),
    ("FR", "nnnnnnnnnncccccccccccnn"),
    ("IE", "aaaannnnnnnnnnnnnn"),
    ("IT", "annnnnnnnnncccccccccccc"),
    ("NL", "aaaannnnnnnnnn"),
    ("SE", "nnnnnnnnnnnnnnnnnnnn"),
];
const ELSEWHERE: &[(&str, &str)] =
    &[("AE", "nnnnnnnnnnnnnnnnnnn"), ("KW", "aaaacccccccccccccccccccccc"), ("SA", "nncccccccccccccccccc")];

pub fn some_of(pattern: &'static str) -> impl Strategy<Value = String> {
    proptest::string::string_regex(pattern).unwrap()
}

fn some_iban(
    countries: &'static [(&'static str, &'static str)],
) -> impl Strategy<Value = (Account, Country)> {
    (select(countries), vec(any::<u8>(), 30), any::<bool>()).prop_map(
        |((code, structure), noise, is_spaced)| {
            let letter = |(class, noise): (char, &u8)| match class {
                'n' => char::from(b'0' + noise % 10),
                'a' => char::from(b'A' + noise % 26),
                _ if noise % 2 == 0 => char::from(b'0' + noise / 2 % 10),
                _ => char::from(b'A' + noise / 2 % 26),
            };
            let bban: String = structure.chars().zip(&noise).map(letter).collect();
            let text = format!("{code}{}{bban}", sepa::iban_check_digits(code, &bban));
            let spaced: Vec<&str> =
                text.as_bytes().chunks(4).map(|four| std::str::from_utf8(four).unwrap()).collect();
            let text = if is_spaced { spaced.join(" ").to_lowercase() } else { text };
            (Account::Iban(text), code.parse().unwrap())
        },
    )
}

fn some_number() -> impl Strategy<Value = (Account, Country)> {
    let kinds = select(vec![
        (RoutingKind::Aba, "021000021", "US", "000123456789"),
        (RoutingKind::Aba, "0210-0002-1", "PR", "1234"),
        (RoutingKind::SortCode, "60-16-13", "GB", "31926819"),
        (RoutingKind::Bsb, "062 000", "AU", "12345678"),
        (RoutingKind::Zengin, "0005001", "JP", "1234567"),
        (RoutingKind::Other, "102584002914", "CN", "6222021234567890123"),
        (RoutingKind::Other, "A1", "IN", "X"),
    ]);
    kinds.prop_map(|(kind, code, place, number)| {
        let routing = Routing { kind, code: code.to_owned(), bank_country: place.parse().unwrap() };
        (Account::Number { number: number.to_owned(), routing }, place.parse().unwrap())
    })
}

/// Mostly names that banks take, and some that they do not.
fn some_text(most: usize) -> BoxedStrategy<String> {
    prop_oneof![
        40 => some_of("[A-Za-zÀ-ÿ]{1,12}( [A-Za-z0-9&<>\"'./_-]{1,12}){0,3}"),
        1 => some_of("[Ά-ώА-яĀ-ž]{1,20}"),
        1 => some_of("[A-Z \u{3000}]{0,30}株式会社"),
        1 => some_of("\\PC{0,40}"),
        1 => vec(any::<char>(), 0..20).prop_map(|letters| letters.into_iter().collect()),
        1 => (1..most + 20).prop_map(|length| "Ä".repeat(length)),
    ]
    .boxed()
}

fn some_country() -> impl Strategy<Value = Country> {
    select(vec!["AT", "DE", "FR", "JP", "KW", "SE", "US"]).prop_map(|code| code.parse().unwrap())
}

fn some_address() -> BoxedStrategy<Address> {
    let parts = (
        option::of(some_text(70)),
        option::of(some_of("[0-9]{1,4}[a-z]?")),
        option::of(some_of("[0-9A-Z -]{1,16}")),
    );
    (parts, some_text(35), some_country(), vec(some_text(70), 0..3))
        .prop_map(|((street, building_number, post_code), town, country, lines)| Address {
            street,
            building_number,
            post_code,
            town,
            country,
            lines,
        })
        .boxed()
}

fn some_bic(place: Country) -> BoxedStrategy<Option<String>> {
    let branch = option::of(some_of("[A-Z0-9]{3}"));
    let bic = (some_of("[A-Z]{4}"), some_of("[A-Z2-9][A-NP-Z2-9]"), branch).prop_map(
        move |(bank, location, branch)| format!("{bank}{place}{location}{}", branch.unwrap_or_default()),
    );
    prop_oneof![1 => Just(None), 4 => bic.prop_map(Some)].boxed()
}

fn some_payee(
    account: impl Strategy<Value = (Account, Country)> + 'static,
    code: Currency,
) -> BoxedStrategy<Payee> {
    let account = account.prop_flat_map(|(account, place)| (Just(account), some_bic(place)));
    (account, some_text(70), option::weighted(0.2, some_text(70)), some_address())
        .prop_map(move |((account, bic), holder, holder_latin, address)| Payee {
            holder,
            holder_latin,
            account,
            bic,
            address,
            currency: code,
        })
        .boxed()
}

fn some_payment(payee: BoxedStrategy<Payee>, code: Currency) -> BoxedStrategy<Payment> {
    let amount = prop_oneof![8 => 1..100_000_000_i64, 1 => 1..99_999_999_999_i64, 1 => -5..2_i64];
    (payee, amount, option::of(some_text(140)), any::<u32>())
        .prop_map(move |(payee, minor, remittance, number)| Payment {
            id: id(number),
            amount: Money { minor, currency: code },
            payee,
            remittance,
        })
        .boxed()
}

fn some_payer(code: Currency) -> BoxedStrategy<PayerAccount> {
    let account = some_iban(IN_SEPA).prop_flat_map(|(account, place)| (Just(account), some_bic(place)));
    (account, some_text(70), some_address(), any::<[bool; 2]>())
        .prop_map(move |((account, bic), holder, address, [batch_booking, is_omitted])| PayerAccount {
            holder,
            account,
            bic,
            address,
            currency: code,
            creditor_agent_without_bic: if is_omitted {
                CreditorAgentWithoutBic::Omit
            } else {
                CreditorAgentWithoutBic::NotProvided
            },
            batch_booking,
        })
        .boxed()
}

fn some_group(code: &'static str) -> BoxedStrategy<(Group, Vec<Payment>)> {
    let code = currency(code);
    let inside = some_payment(some_payee(some_iban(IN_SEPA), code), code);
    let outside = some_payment(some_payee(prop_oneof![some_iban(ELSEWHERE), some_number()], code), code);
    let payments = if code.as_str() == "EUR" {
        prop_oneof![
            vec(inside, 1..30).prop_map(|payments| (Scheme::Sepa, payments)),
            vec(outside, 1..4).prop_map(|payments| (Scheme::Other, payments)),
        ]
        .boxed()
    } else {
        vec(prop_oneof![inside, outside], 1..20).prop_map(|payments| (Scheme::Other, payments)).boxed()
    };
    (some_payer(code), payments, 0..900_i32, some_of("[A-Za-z0-9]([A-Za-z0-9+?:().,' /-]{0,33}[A-Za-z0-9])?"))
        .prop_map(move |(payer, (scheme, payments), days, id)| {
            let execution_on = banking_day_from(day("2026-11-30").plus_days(days), code);
            (Group { id, payer: Some(payer), execution_on, currency: code, scheme }, payments)
        })
        .boxed()
}

/// Without what has a fault: the check says which payments these are.
fn mended(mut file: File) -> Option<File> {
    use partner_incentives::payouts::bank_files::{Field, Owner, Part, Subject};
    for _ in 0..3 {
        let Err(faults) = file.check() else { return Some(file) };
        let of = |subject: &Subject| faults.iter().any(|fault| fault.subject == *subject);
        file.groups.retain_mut(|(group, payments)| {
            payments.retain(|payment| !of(&Subject::Payment(payment.id)));
            !payments.is_empty() && !of(&Subject::Group(group.id.clone()))
        });
        let whole = Field { of: Owner::File, part: Part::Payments };
        if faults.iter().all(|fault| fault.field == whole) || file.groups.is_empty() {
            return None;
        }
    }
    None
}

fn some_file() -> impl Strategy<Value = File> {
    let group = prop_oneof![
        some_group("EUR"),
        some_group("JPY"),
        some_group("KWD"),
        some_group("USD"),
        some_group("CHF")
    ];
    vec(group, 1..4).prop_map(File::of)
}

/// A file of one group inside SEPA, in letters that the other writer knows as well.
pub fn some_sepa_file() -> impl Strategy<Value = File> {
    let plain = || some_of("[A-Za-zÀ-ÖØ-öø-ÿΆ-ώА-я]{1,12}( [A-Za-z0-9&<>\"'./_-]{1,10}){0,2}");
    let place = || {
        (plain(), option::of(plain()), select(vec!["FR", "SE", "US"]), vec(plain(), 0..3)).prop_map(
            |(town, street, code, lines)| Address {
                street,
                building_number: None,
                post_code: Some("75007".to_owned()),
                town: town.chars().take(20).collect::<String>().trim().to_owned(),
                country: code.parse().unwrap(),
                lines,
            },
        )
    };
    let euro = currency("EUR");
    let payments = vec(
        (
            some_payment(some_payee(some_iban(IN_SEPA), euro), euro),
            plain(),
            place(),
            option::of(plain()),
            1..99_999_999_999_i64,
        ),
        1..6,
    );
    (some_payer(euro), plain(), place(), payments).prop_filter_map(
        "a file without faults",
        move |(payer, holder, address, payments)| {
            let payer = PayerAccount {
                holder,
                address,
                creditor_agent_without_bic: CreditorAgentWithoutBic::Omit,
                ..payer
            };
            // The other writer always names the payer's bank, if by a word that says it is not known.
            let payments = payments.into_iter().zip(1..).map(
                |((payment, holder, address, remittance, minor), number)| Payment {
                    id: id(number),
                    amount: Money { minor, currency: euro },
                    payee: Payee { holder, holder_latin: None, address, ..payment.payee },
                    remittance,
                },
            );
            let group = Group {
                id: "GROUP".to_owned(),
                payer: Some(payer),
                execution_on: day("2026-12-01"),
                currency: euro,
                scheme: Scheme::Sepa,
            };
            mended(File::of(vec![(group, payments.collect())]))
        },
    )
}

/// Thousands of payments, held against the schema in few runs of the validator.
#[test]
fn what_passes_the_check_is_valid() {
    let mut runner = TestRunner::new(Config::default());
    let strategy = some_file();
    let cases =
        std::env::var_os("PROPTEST_CASES").and_then(|cases| cases.to_str()?.parse().ok()).unwrap_or(400);
    let (mut made, mut payments) = (Vec::new(), 0);
    for _ in 0..cases {
        let drawn = strategy.new_tree(&mut runner).unwrap().current();
        if let Some(file) = mended(drawn) {
            payments += file.payments().count();
            made.push(file);
        }
    }
    assert!(payments >= 4 * cases, "{payments} payments of {cases} files are too few to tell");
    for files in made.chunks(200) {
        let texts: Vec<String> = files.iter().map(File::xml).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let complaints = complaints("pain.001.001.09", &texts);
        assert!(complaints.is_empty(), "{complaints}");
        for (text, file) in texts.iter().zip(files) {
            assert_eq!(text.matches("<CdtTrfTxInf>").count(), file.payments().count());
            assert!(text.is_ascii());
            assert_eq!(
                file.table().lines().filter(|line| line.starts_with("payment,")).count(),
                file.payments().count()
            );
        }
    }
}
