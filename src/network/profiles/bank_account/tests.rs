use super::*;

fn country(code: &str) -> Country {
    code.parse().unwrap()
}

fn german() -> BankAccount {
    BankAccount {
        holder: "Contoso".into(),
        holder_latin: None,
        account: Some(Secret::new("DE89370400440532013000")),
        account_number: None,
        routing: None,
        bank_country: country("DE"),
        bic: None,
        address: Some(PostalAddress {
            country: country("DE"),
            town: Some("Hamburg".into()),
            street: None,
            building_number: None,
            post_code: None,
            lines: Vec::new(),
        }),
        currency: Currency::USD,
    }
}

fn abroad(code: &str, kind: RoutingKind, bank: &str, number: &str) -> BankAccount {
    BankAccount {
        account: None,
        account_number: Some(Secret::new(number)),
        routing: Some(Routing { kind, number: bank.into() }),
        bank_country: country(code),
        bic: Some(format!("ABCD{code}22")),
        ..german()
    }
}

fn codes(account: &BankAccount) -> Vec<&'static str> {
    account.faults().iter().map(|fault| fault.code.as_str()).collect()
}

#[test]
fn a_name_survives_where_each_word_keeps_a_letter() {
    for name in ["Contoso", "Müller & Söhne GmbH", "3M", "Контосо", "Contoso株式会社", "Agentur 24"]
    {
        assert_eq!(codes(&BankAccount { holder: name.into(), ..german() }), Vec::<&str>::new(), "{name}");
    }
    for name in ["株式会社コントソ", "Contoso 株式会社", "คอนโทโซ", "コントソ Ltd"]
    {
        assert_eq!(codes(&BankAccount { holder: name.into(), ..german() }), ["name_not_latin"], "{name}");
    }
    assert_eq!(german().holder_in_files(), "Contoso");
    let long = BankAccount { holder: "Müller ".repeat(20), ..german() };
    assert_eq!(long.holder_in_files().len(), 70);
    assert_eq!(codes(&long), ["name_too_long"]);
    let both =
        BankAccount { holder: "株式会社".into(), holder_latin: Some("Contoso KK".into()), ..german() };
    assert_eq!((both.holder_in_files().as_str(), codes(&both)), ("Contoso KK", vec![]));
}

#[test]
fn a_bank_is_known_by_the_number_of_its_country() {
    use RoutingKind::{Aba, Bsb, Other, SortCode, Zengin};
    for (code, kind, bank, number) in [
        ("US", Aba, "021000021", "123456789"),
        ("PR", Aba, "021502011", "123456789"),
        ("AU", Bsb, "082902", "123456789"),
        ("JP", Zengin, "0005001", "1234567"),
        ("CA", Other, "000300010", "1234567"),
    ] {
        assert_eq!(codes(&abroad(code, kind, bank, number)), Vec::<&str>::new(), "{code}");
    }
    for (code, kind, bank, number, fault) in [
        ("US", Aba, "021000022", "123456789", "routing_invalid"),
        ("US", Aba, "000000000", "123456789", "routing_invalid"),
        ("US", Aba, "02100002", "123456789", "routing_invalid"),
        ("US", Aba, "021000021", "12A4", "account_number_invalid"),
        ("US", Other, "021000021", "123456789", "bank_country_mismatch"),
        ("AU", SortCode, "082902", "123456789", "bank_country_mismatch"),
        ("AU", Bsb, "08290", "123456789", "routing_invalid"),
        ("JP", Zengin, "0005001", "123456789", "account_number_invalid"),
        ("JP", Zengin, "000500A", "1234567", "routing_invalid"),
    ] {
        assert_eq!(codes(&abroad(code, kind, bank, number)), [fault], "{code} {bank} {number}");
    }
}

#[test]
fn a_territory_banks_with_the_ibans_of_another_country() {
    let jersey = |bic: Option<&str>| BankAccount {
        account: Some(Secret::new("GB29NWBK60161331926819")),
        bank_country: country("JE"),
        bic: bic.map(str::to_owned),
        ..german()
    };
    for bic in [None, Some("MIDLJESH"), Some("NWBKGB2L")] {
        assert_eq!(codes(&jersey(bic)), Vec::<&str>::new());
    }
    assert_eq!(codes(&jersey(Some("BNPAFRPP"))), ["bank_country_mismatch"]);
    // Outside SEPA a BIC is needed beside an IBAN too.
    let kuwait = BankAccount {
        account: Some(Secret::new("KW81CBKU0000000000001234560101")),
        bank_country: country("KW"),
        ..german()
    };
    assert_eq!(codes(&kuwait), ["bic_missing"]);
}

#[test]
fn a_bic_for_tests_belongs_to_no_bank() {
    for (bic, fault) in [("COBADEFF", vec![]), ("COBADEF0", vec!["bic_invalid"])] {
        assert_eq!(codes(&BankAccount { bic: Some(bic.into()), ..german() }), fault);
    }
}

#[test]
fn a_part_of_an_address_is_as_long_as_it_is_in_the_letters_of_banks() {
    let street = |street: String| {
        let address = german().address.map(|address| PostalAddress { street: Some(street), ..address });
        BankAccount { address, ..german() }
    };
    assert_eq!(codes(&street("ä".repeat(35))), Vec::<&str>::new());
    assert_eq!(codes(&street("ä".repeat(36))), ["address_too_long"]);
    let abroad =
        street("ä".repeat(36)).address.map(|address| PostalAddress { country: country("SE"), ..address });
    assert_eq!(codes(&BankAccount { address: abroad, ..german() }), Vec::<&str>::new());
}

#[test]
fn money_goes_elsewhere_where_account_or_bank_differ_and_not_for_what_was_not_said() {
    let (before, bic) = (german(), |bic: &str| Some(bic.to_owned()));
    let other = |change: fn(&mut BankAccount)| {
        let mut after = german();
        change(&mut after);
        after.is_elsewhere_than(&before)
    };
    assert!(!other(|_| ()) && !other(|after| after.holder = "Contoso GmbH".into()));
    assert!(!other(|after| after.bic = Some("COBADEFF".into())));
    assert!(other(|after| after.account = Some(Secret::new("DE02120300000000202051"))));
    assert!(other(|after| after.bank_country = country("FR")));
    let (one, another) =
        (BankAccount { bic: bic("COBADEFF"), ..german() }, BankAccount { bic: bic("DEUTDEFF"), ..german() });
    assert!(one.is_elsewhere_than(&another) && !german().is_elsewhere_than(&one));
    // The number of an earlier version, filed again as the IBAN it is.
    let earlier = BankAccount { account: None, account_number: german().account, ..german() };
    assert!(!german().is_elsewhere_than(&earlier));
    let bank = |bank| abroad("US", RoutingKind::Aba, bank, "123456789");
    assert!(bank("021000021").is_elsewhere_than(&bank("021502011")));
}
