//! Every fault is refused before a file exists, with its field and code; several faults are refused together.

use super::samples::{File, TODAY, currency, day, dinar, dollar, euro, iban, id, money, number, yen};
use partner_incentives::{
    payouts::bank_files::{
        Account, Check, Fault, FaultCode, Field, Group, Owner, Pain001, Part, PayerAccount, Payment,
        PaymentTable, RoutingKind, Scheme, Subject, WriteError,
    },
    platform::values::Money,
};
use std::collections::BTreeSet;

/// What spoils something, and the field and code of what is told.
type Seed<T> = (Box<dyn Fn(&mut T)>, &'static str, &'static str);

fn seed<T>(spoil: impl Fn(&mut T) + 'static, field: &'static str, code: &'static str) -> Seed<T> {
    (Box::new(spoil), field, code)
}

fn name(holder: &'static str, latin: Option<&'static str>) -> impl Fn(&mut Payment) {
    move |payment| {
        payment.payee.holder = holder.to_owned();
        payment.payee.holder_latin = latin.map(str::to_owned);
    }
}

fn long(holder: String) -> impl Fn(&mut Payment) {
    move |payment| {
        payment.payee.holder.clone_from(&holder);
        payment.payee.holder_latin = None;
    }
}

fn bic(bic: &'static str) -> impl Fn(&mut Payment) {
    move |payment| payment.payee.bic = Some(bic.to_owned())
}

/// Faults of a payment, whatever the file.
fn seeds_of_payment() -> Vec<Seed<Payment>> {
    vec![
        seed(|p: &mut Payment| p.amount.minor = 0, "payment.amount", "amount_out_of_range"),
        seed(|p: &mut Payment| p.amount.minor = -1, "payment.amount", "amount_out_of_range"),
        seed(|p: &mut Payment| p.amount.minor = -123_456, "payment.amount", "amount_out_of_range"),
        seed(|p: &mut Payment| p.amount.minor = 100_000_000_000_000, "payment.amount", "amount_out_of_range"),
        seed(
            |p: &mut Payment| p.payee.currency = currency("XOF"),
            "payee.currency",
            "currency_not_supported_by_account",
        ),
        seed(
            |p: &mut Payment| p.remittance = Some("x".repeat(141)),
            "payment.remittance",
            "remittance_too_long",
        ),
        seed(
            |p: &mut Payment| p.remittance = Some("Щ".repeat(71)),
            "payment.remittance",
            "remittance_too_long",
        ),
        seed(
            |p: &mut Payment| p.remittance = Some("リベート 10月".to_owned()),
            "payment.remittance",
            "remittance_not_latin",
        ),
        seed(
            |p: &mut Payment| p.remittance = Some("rebate 返金".to_owned()),
            "payment.remittance",
            "remittance_not_latin",
        ),
        seed(name("", None), "payee.holder", "name_missing"),
        seed(name(" \u{3000}\t", None), "payee.holder", "name_missing"),
        seed(name("株式会社サンプル", None), "payee.holder", "name_not_latin"),
        seed(name("Sample 株式会社", None), "payee.holder", "name_not_latin"),
        seed(name("شركة الخليج", None), "payee.holder", "name_not_latin"),
        seed(name("주식회사", Some("")), "payee.holder", "name_not_latin"),
        seed(name("...", None), "payee.holder", "name_not_latin"),
        seed(name("株式会社", Some("サンプル")), "payee.holder_latin", "name_not_latin"),
        seed(name("ok", Some("- -")), "payee.holder_latin", "name_not_latin"),
        seed(long("A".repeat(71)), "payee.holder", "name_too_long"),
        seed(long("Щ".repeat(24)), "payee.holder", "name_too_long"),
        seed(
            |p: &mut Payment| p.payee.holder_latin = Some("Ab ".repeat(24)),
            "payee.holder_latin",
            "name_too_long",
        ),
    ]
}

/// Faults of the payee's address.
fn seeds_of_address() -> Vec<Seed<Payment>> {
    vec![
        seed(|p: &mut Payment| p.payee.address.town = String::new(), "payee.address.town", "town_missing"),
        seed(|p: &mut Payment| p.payee.address.town = " \n".to_owned(), "payee.address.town", "town_missing"),
        seed(|p: &mut Payment| p.payee.address.town = "..".to_owned(), "payee.address.town", "town_missing"),
        seed(
            |p: &mut Payment| p.payee.address.town = "東京".to_owned(),
            "payee.address.town",
            "address_not_latin",
        ),
        seed(
            |p: &mut Payment| p.payee.address.town = "x".repeat(36),
            "payee.address.town",
            "address_too_long",
        ),
        seed(
            |p: &mut Payment| p.payee.address.street = Some("丸の内".to_owned()),
            "payee.address.street",
            "address_not_latin",
        ),
        seed(
            |p: &mut Payment| p.payee.address.street = Some("x".repeat(71)),
            "payee.address.street",
            "address_too_long",
        ),
        seed(
            |p: &mut Payment| p.payee.address.building_number = Some("1".repeat(17)),
            "payee.address.building_number",
            "address_too_long",
        ),
        seed(
            |p: &mut Payment| p.payee.address.building_number = Some("一".to_owned()),
            "payee.address.building_number",
            "address_not_latin",
        ),
        seed(
            |p: &mut Payment| p.payee.address.post_code = Some("1".repeat(17)),
            "payee.address.post_code",
            "address_too_long",
        ),
        seed(
            |p: &mut Payment| p.payee.address.post_code = Some("〒百".to_owned()),
            "payee.address.post_code",
            "address_not_latin",
        ),
        seed(
            |p: &mut Payment| p.payee.address.lines = vec!["x".repeat(71)],
            "payee.address.lines",
            "address_too_long",
        ),
        seed(
            |p: &mut Payment| p.payee.address.lines = vec!["a".to_owned(), "ビル".to_owned()],
            "payee.address.lines",
            "address_not_latin",
        ),
        seed(
            |p: &mut Payment| p.payee.address.lines = vec!["a".to_owned(); 3],
            "payee.address.lines",
            "address_lines_too_many",
        ),
    ]
}

/// Faults of the payee's bank.
fn seeds_of_bank() -> Vec<Seed<Payment>> {
    vec![
        seed(bic("ABC"), "payee.bic", "bic_invalid"),
        seed(bic("COBADEFFXX"), "payee.bic", "bic_invalid"),
        seed(bic("COBADEFFXXXX"), "payee.bic", "bic_invalid"),
        seed(bic("COBAZZFF"), "payee.bic", "bic_invalid"),
        seed(bic("COBA1EFF"), "payee.bic", "bic_invalid"),
        seed(bic("COBADE-F"), "payee.bic", "bic_invalid"),
        seed(bic("COBADEF0"), "payee.bic", "bic_invalid"),
        seed(bic("NOTPROVIDED"), "payee.bic", "bic_invalid"),
        seed(bic("コバデフフフフ"), "payee.bic", "bic_invalid"),
        seed(bic("BANKBRRJ"), "payee.bic", "bank_country_mismatch"),
    ]
}

/// Faults of the payee's account; they stand in for the account of any payment.
fn seeds_of_account() -> Vec<Seed<Payment>> {
    use RoutingKind::{Aba, Bsb, Other, SortCode, Zengin};
    let account = |account, field, code| {
        seed(
            move |p: &mut Payment| {
                p.payee.account = iban_or_number(account);
                p.payee.bic = Some(bank_in(account).to_owned());
            },
            field,
            code,
        )
    };
    let wrong = |text| account(Text::Iban(text), "payee.account.iban", "iban_invalid");
    let mut seeds: Vec<Seed<Payment>> = [
        "",
        "DE",
        "DE89370400440532013001",
        "DE8937040044053201300",
        "DE893704004405320130000",
        "DE8937O400440532013000",
        "NL92ABNA0417164300",
        "NL91ABN10417164300",
        "XX89370400440532013000",
        "ZZ81CBKU0000000000001234560101",
        "US89370400440532013000",
        "1289370400440532013000",
        "DEAA370400440532013000",
        "DE89 3704 0044 0532 0130 0ü",
        "KW81CBKU000000000000123456010",
        "GR1601101250000000012300696",
        "GB82WEST1234569876543",
        "FR1420041010050500013M02607",
        "\u{ff24}\u{ff25}89370400440532013000",
        "0123456789",
    ]
    .into_iter()
    .map(wrong)
    .collect();
    let numbers = [
        (Aba, "021000022", "US", "123456789", "account.routing routing_invalid"),
        (Aba, "02100002", "US", "123456789", "account.routing routing_invalid"),
        (Aba, "000000000", "US", "123456789", "account.routing routing_invalid"),
        (Aba, "0210O0021", "US", "123456789", "account.routing routing_invalid"),
        (Aba, "", "US", "123456789", "account.routing routing_invalid"),
        (Aba, "021000021", "US", "123", "account.number account_number_invalid"),
        (Aba, "021000021", "US", "123456789012345678", "account.number account_number_invalid"),
        (Aba, "021000021", "US", "12345678A", "account.number account_number_invalid"),
        (Aba, "021000021", "JP", "123456789", "account.routing bank_country_mismatch"),
        (SortCode, "60161", "GB", "31926819", "account.routing routing_invalid"),
        (SortCode, "601613", "GB", "3192681", "account.number account_number_invalid"),
        (SortCode, "601613", "GB", "", "account.number account_number_invalid"),
        (SortCode, "601613", "US", "31926819", "account.routing bank_country_mismatch"),
        (Bsb, "0620001", "AU", "12345678", "account.routing routing_invalid"),
        (Bsb, "062000", "AU", "1234", "account.number account_number_invalid"),
        (Bsb, "062000", "NZ", "12345678", "account.routing bank_country_mismatch"),
        (Zengin, "000500", "JP", "1234567", "account.routing routing_invalid"),
        (Zengin, "0005001", "JP", "123456", "account.number account_number_invalid"),
        (Zengin, "0005001", "JP", "12345678", "account.number account_number_invalid"),
        (Zengin, "0005001", "CN", "1234567", "account.routing bank_country_mismatch"),
        (Other, "", "CN", "1234567", "account.routing routing_invalid"),
        (Other, "10258400291410258400291410258400291400", "CN", "1234567", "account.routing routing_invalid"),
        (Other, "1025_", "CN", "1234567", "account.routing routing_invalid"),
        (Other, "1025", "CN", "12345678901234567890123456789012345", "account.number account_number_invalid"),
        (Other, "1025", "CN", "口座", "account.number account_number_invalid"),
        (Other, "1025", "DE", "1234567", "account.iban iban_required"),
        (Other, "1025", "SA", "1234567", "account.iban iban_required"),
    ];
    for (kind, code, place, text, told) in numbers {
        let (field, fault) = told.split_once(' ').unwrap();
        let field: &'static str = Box::leak(format!("payee.{field}").into_boxed_str());
        seeds.push(account(Text::Number(kind, code, place, text), field, fault));
    }
    seeds
}

#[derive(Clone, Copy)]
enum Text {
    Iban(&'static str),
    Number(RoutingKind, &'static str, &'static str, &'static str),
}

fn iban_or_number(text: Text) -> Account {
    match text {
        Text::Iban(text) => iban(text),
        Text::Number(kind, code, place, text) => number(text, kind, code, place),
    }
}

/// A bank of the account's country, so that nothing but the account is wrong.
fn bank_in(text: Text) -> &'static str {
    match text {
        Text::Iban(_) | Text::Number(_, _, "DE", _) => "COBADEFF",
        Text::Number(_, _, "US", _) => "CHASUS33",
        Text::Number(_, _, "GB", _) => "NWBKGB2L",
        Text::Number(_, _, "AU", _) => "CTBAAU2S",
        Text::Number(_, _, "NZ", _) => "ANZBNZ22",
        Text::Number(_, _, "CN", _) => "ICBKCNBJ",
        Text::Number(_, _, "SA", _) => "NCBKSAJE",
        Text::Number(..) => "BOTKJPJT",
    }
}

/// Faults of a group and its payer account, whatever the file.
fn seeds_of_group() -> Vec<Seed<Group>> {
    let payer = |spoil: fn(&mut PayerAccount), field, code| {
        seed(move |group: &mut Group| spoil(group.payer.as_mut().unwrap()), field, code)
    };
    let with_id = |id: &'static str| {
        seed(move |group: &mut Group| id.clone_into(&mut group.id), "group.id", "identifier_invalid")
    };
    let on = |date: &'static str, code| {
        seed(move |group: &mut Group| group.execution_on = day(date), "group.execution_on", code)
    };
    let mut seeds = vec![
        seed(|group: &mut Group| group.payer = None, "group.account", "payer_account_missing"),
        on("2026-12-05", "execution_date_not_a_banking_day"),
        on("2026-12-06", "execution_date_not_a_banking_day"),
        on("2026-11-27", "execution_date_past"),
        on("1999-12-31", "execution_date_past"),
        payer(|p| p.holder = String::new(), "payer.holder", "name_missing"),
        payer(|p| p.holder = "株式会社".to_owned(), "payer.holder", "name_not_latin"),
        payer(|p| p.holder = "A".repeat(71), "payer.holder", "name_too_long"),
        payer(|p| p.account = iban("DE89370400440532013001"), "payer.account.iban", "iban_invalid"),
        payer(|p| p.bic = Some("COBA".to_owned()), "payer.bic", "bic_invalid"),
        payer(|p| p.bic = Some("BNPAFRPP".to_owned()), "payer.bic", "bank_country_mismatch"),
        payer(|p| p.currency = currency("XOF"), "payer.currency", "currency_not_supported_by_account"),
        payer(|p| p.address.town = String::new(), "payer.address.town", "town_missing"),
        payer(|p| p.address.town = "東京".to_owned(), "payer.address.town", "address_not_latin"),
        payer(|p| p.address.street = Some("x".repeat(71)), "payer.address.street", "address_too_long"),
        payer(|p| p.address.lines = vec![String::new(); 3], "payer.address.lines", "address_lines_too_many"),
    ];
    seeds.extend(["", " ", "/a", "a/", "a//b", "ü", "a_b", " a", "a\n"].map(with_id));
    seeds.push(with_id("012345678901234567890123456789012345"));
    seeds
}

/// What is told, as texts, each once.
fn told(file: &File) -> BTreeSet<String> {
    let faults = file.check().err().unwrap_or_default();
    faults
        .iter()
        .map(|Fault { subject, field, code }| {
            let subject = match subject {
                Subject::File => "file".to_owned(),
                Subject::Group(_) => "group".to_owned(),
                Subject::Payment(id) => id.to_string(),
            };
            format!("{subject} {field} {code}")
        })
        .collect()
}

fn files() -> [File; 4] {
    [euro(), yen(), dinar(), dollar()]
}

#[test]
fn each_fault_is_told_with_its_field_and_code_and_so_are_two_at_once() {
    let of_group = seeds_of_group();
    let of_payment: Vec<Seed<Payment>> =
        [seeds_of_payment(), seeds_of_address(), seeds_of_bank(), seeds_of_account()]
            .into_iter()
            .flatten()
            .collect();
    let mut seeded = 0;
    for file in files() {
        assert!(told(&file).is_empty(), "{:?}", told(&file));
        for (spoil_payment, field, code) in &of_payment {
            let mut one = file.clone();
            let payment = one.groups[0].1.last_mut().unwrap();
            spoil_payment(payment);
            let expected = format!("{} {field} {code}", payment.id);
            assert_eq!(told(&one), BTreeSet::from([expected.clone()]));
            seeded += 1;
            for (spoil_group, field, code) in &of_group {
                let mut both = one.clone();
                spoil_group(&mut both.groups[0].0);
                let of_group = format!("group {field} {code}");
                assert_eq!(told(&both), BTreeSet::from([expected.clone(), of_group]));
                seeded += 1;
            }
        }
        for (spoil_group, field, code) in &of_group {
            let mut one = file.clone();
            spoil_group(&mut one.groups[0].0);
            assert_eq!(told(&one), BTreeSet::from([format!("group {field} {code}")]));
            seeded += 1;
        }
    }
    assert!(seeded > 500, "{seeded}");
}

#[test]
fn faults_of_the_whole_file_are_told() {
    let nothing = File::of(Vec::new());
    assert_eq!(told(&nothing), BTreeSet::from(["file file.payments payments_missing".to_owned()]));

    let mut empty = euro();
    empty.groups[0].1.clear();
    assert_eq!(told(&empty), BTreeSet::from(["group group.payments payments_missing".to_owned()]));

    for id in ["", "with space ", "x/", "//", "ä", "0123456789012345678901234567890123456"] {
        let mut file = euro();
        file.header.message_id = id.to_owned();
        assert_eq!(told(&file), BTreeSet::from(["file file.id identifier_invalid".to_owned()]), "{id}");
    }

    let mut twice = euro();
    let first = twice.groups[0].1[0].clone();
    twice.groups[0].1.push(first.clone());
    assert_eq!(told(&twice), BTreeSet::from([format!("{} payment.id repeated", first.id)]));

    let mut groups = euro();
    groups.groups.extend(yen().groups);
    groups.groups[1].0.id = groups.groups[0].0.id.clone();
    assert_eq!(told(&groups), BTreeSet::from(["group group.id repeated".to_owned()]));
}

#[test]
fn euro_has_rules_of_its_own() {
    let mut file = euro();
    file.groups[0].1[0].amount = money("1000000000.00", "EUR");
    file.groups[0].1[1].payee.account = iban("KW81CBKU0000000000001234560101");
    file.groups[0].1[1].payee.bic = None;
    // The company holiday of the banks of Europe, and a day of the past beside.
    file.groups[0].0.execution_on = day("2026-05-01");
    let [first, second] = [0, 1].map(|place| file.groups[0].1[place].id);
    let expected = [
        format!("{first} payment.amount amount_out_of_range"),
        format!("{second} payment.scheme group_mismatch"),
        "group group.execution_on execution_date_not_a_banking_day".to_owned(),
        "group group.execution_on execution_date_past".to_owned(),
    ];
    assert_eq!(told(&file), BTreeSet::from(expected));

    // Outside SEPA the bank must be named, on both sides.
    let mut outside = euro();
    outside.groups[0].0.scheme = Scheme::Other;
    outside.groups[0].0.payer.as_mut().unwrap().bic = None;
    outside.groups[0].1.truncate(1);
    let id = outside.groups[0].1[0].id;
    outside.groups[0].1[0].payee.account = iban("KW81CBKU0000000000001234560101");
    let expected = [format!("{id} payee.bic bic_missing"), "group payer.bic bic_missing".to_owned()];
    assert_eq!(told(&outside), BTreeSet::from(expected));
}

#[test]
fn a_bank_may_hold_accounts_of_the_territories_of_its_country() {
    for (account, bic) in [
        ("GB29NWBK60161331926819", "RBOSGGSX"),
        ("FR1420041010050500013M02606", "BNPAGPGX"),
        ("FI2112345600000785", "AABAFI22"),
    ] {
        let mut file = euro();
        let payee = &mut file.groups[0].1[0].payee;
        payee.account = iban(account);
        payee.bic = Some(bic.to_owned());
        assert_eq!(told(&file), BTreeSet::new(), "{account} {bic}");
    }
    let mut file = euro();
    file.groups[0].1[0].payee.account = iban("GB29NWBK60161331926819");
    file.groups[0].1[0].payee.bic = Some("BNPAGPGX".to_owned());
    assert_eq!(told(&file).len(), 1);
}

#[test]
fn the_sum_of_a_file_has_at_most_eighteen_digits() {
    // The dinar's three digits make the sum of the yen longer.
    let mut file = File::of([dinar(), yen()].into_iter().flat_map(|file| file.groups).collect());
    let payment = file.groups[1].1[0].clone();
    let many = (100..110).map(|number| {
        let amount = Money { minor: 99_999_999_999_999, ..payment.amount };
        Payment { id: id(number), amount, ..payment.clone() }
    });
    file.groups[1].1 = many.collect();
    assert_eq!(told(&file), BTreeSet::from(["file file.amount sum_out_of_range".to_owned()]));
    file.groups[1].1.truncate(9);
    assert_eq!(told(&file), BTreeSet::new());
}

#[test]
fn every_code_has_a_remedy_in_both_languages() {
    let mut remedies = BTreeSet::new();
    for code in FaultCode::ALL {
        let remedy = code.remedy();
        assert!(remedy.en.len() > 20 && remedy.en.contains([':', '.']), "{code}");
        assert!(remedy.ja.chars().any(|letter| letter > '\u{3040}') && remedy.ja.ends_with('。'), "{code}");
        assert!(remedies.insert(remedy.en), "{code} has the remedy of another");
    }
}

#[test]
fn nothing_that_developers_print_shows_an_account() {
    let shown = format!("{:?} {:?}", euro().groups, dollar().groups);
    for digits in ["0417164300", "0532013000", "000123456789", "3704 0044"] {
        assert!(!shown.contains(digits), "{digits}");
    }
    assert!(shown.contains("…4300"));
}

#[test]
fn what_was_not_checked_is_not_written() {
    let file = euro();
    let checked = file.check().unwrap();
    let written = |payments: &[Payment]| {
        let mut xml = Pain001::begin(Vec::new(), &checked)?;
        let mut table = PaymentTable::begin(Vec::new(), &checked)?;
        for payment in payments {
            let (first, second) = (xml.payment(payment), table.payment(payment));
            assert_eq!(first.is_err(), second.is_err());
            first?;
        }
        let (first, second) = (xml.end(), table.end());
        assert_eq!(first.is_err(), second.is_err());
        first
    };
    let payments = &file.groups[0].1;
    assert!(written(payments).is_ok());
    let mut changed = payments.clone();
    changed[1].payee.account = iban("NL91ABNA0417164300");
    let mut turned = payments.clone();
    turned.swap(0, 1);
    let mut longer = payments.clone();
    longer.push(payments[0].clone());
    for wrong in [&changed[..], &turned, &longer, &payments[..2], &[]] {
        assert!(matches!(written(wrong), Err(WriteError::Changed)));
    }
}

#[test]
fn today_is_no_past_day() {
    let mut file = euro();
    file.groups[0].0.execution_on = day(TODAY);
    assert_eq!(told(&file), BTreeSet::new());
    let field = Field { of: Owner::Payee, part: Part::Iban };
    assert_eq!(field.to_string(), "payee.account.iban");
}

#[test]
fn of_more_than_a_thousand_faults_the_first_are_listed_and_all_are_counted() {
    let File { header, groups, today } = euro();
    let (group, payments) = groups.into_iter().next().unwrap();
    let mut check = Check::of(header, today);
    check.group(group);
    let payment = payments.into_iter().next().unwrap();
    for _ in 0..1501 {
        // The same payment, each time but the first a fault.
        check.payment(&payment);
    }
    let faults = check.end().unwrap_err();
    assert_eq!((faults.listed.len(), faults.count), (1000, 1500));
}
