//! Files to begin with: each is without a fault.

use partner_incentives::{
    payouts::bank_files::{
        Account, Address, Check, CheckedFile, CreditorAgentWithoutBic, Fault, FileHeader, Group, Pain001,
        Payee, PayerAccount, Payment, PaymentTable, Routing, RoutingKind, Scheme,
    },
    platform::values::{CalendarDate, Country, Currency, Id, Money},
};

pub const TODAY: &str = "2026-11-30";

pub fn day(text: &str) -> CalendarDate {
    text.parse().unwrap()
}

pub fn country(code: &str) -> Country {
    code.parse().unwrap()
}

pub fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

pub fn money(amount: &str, code: &str) -> Money {
    Money::parse(amount, currency(code)).unwrap()
}

pub fn id(number: u32) -> Id {
    format!("01936f2e-4b00-7000-8000-{number:012}").parse().unwrap()
}

/// A file in memory: groups with their payments.
#[derive(Clone, Debug)]
pub struct File {
    pub header: FileHeader,
    pub groups: Vec<(Group, Vec<Payment>)>,
    pub today: CalendarDate,
}

impl File {
    pub fn of(groups: Vec<(Group, Vec<Payment>)>) -> Self {
        let header = FileHeader {
            message_id: "01936f2e4b007000800000000000f11e".to_owned(),
            created_at: "2026-11-30T09:30:05.123456Z".parse().unwrap(),
        };
        Self { header, groups, today: day(TODAY) }
    }

    /// The file, or all of its faults: samples have fewer than are kept.
    pub fn check(&self) -> Result<CheckedFile, Vec<Fault>> {
        let mut check = Check::of(self.header.clone(), self.today);
        for (group, payments) in &self.groups {
            check.group(group.clone());
            for payment in payments {
                check.payment(payment);
            }
        }
        check.end().map_err(|faults| faults.listed)
    }

    pub fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.groups.iter().flat_map(|(_, payments)| payments)
    }

    pub fn xml(&self) -> String {
        let checked = self.check().unwrap();
        let mut file = Pain001::begin(Vec::new(), &checked).unwrap();
        self.payments().for_each(|payment| file.payment(payment).unwrap());
        String::from_utf8(file.end().unwrap()).unwrap()
    }

    pub fn table(&self) -> String {
        let checked = self.check().unwrap();
        let mut file = PaymentTable::begin(Vec::new(), &checked).unwrap();
        self.payments().for_each(|payment| file.payment(payment).unwrap());
        String::from_utf8(file.end().unwrap()).unwrap()
    }
}

pub fn iban(text: &str) -> Account {
    Account::Iban(text.to_owned())
}

pub fn number(number: &str, kind: RoutingKind, code: &str, bank_country: &str) -> Account {
    let routing = Routing { kind, code: code.to_owned(), bank_country: country(bank_country) };
    Account::Number { number: number.to_owned(), routing }
}

pub fn address(street: &str, building_number: &str, post_code: &str, town: &str, place: &str) -> Address {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Address {
        street: given(street),
        building_number: given(building_number),
        post_code: given(post_code),
        town: town.to_owned(),
        country: country(place),
        lines: Vec::new(),
    }
}

pub fn payer(code: &str) -> PayerAccount {
    PayerAccount {
        holder: "Vendor Éditions SE".to_owned(),
        account: iban("DE89 3704 0044 0532 0130 00"),
        bic: Some("COBADEFFXXX".to_owned()),
        address: address("Kaiserstraße", "16", "60311", "Frankfurt am Main", "DE"),
        currency: currency(code),
        creditor_agent_without_bic: CreditorAgentWithoutBic::Omit,
        batch_booking: false,
    }
}

pub fn group(code: &str, scheme: Scheme) -> Group {
    Group {
        id: format!("01936f2e4b007000800000000000f11e{}", code.chars().next().unwrap()),
        payer: Some(payer(code)),
        execution_on: day("2026-12-01"),
        currency: currency(code),
        scheme,
    }
}

pub fn payee(holder: &str, account: Account, bic: &str, address: Address, code: &str) -> Payee {
    let bic = (!bic.is_empty()).then(|| bic.to_owned());
    Payee { holder: holder.to_owned(), holder_latin: None, account, bic, address, currency: currency(code) }
}

pub fn payment(number: u32, amount: Money, payee: Payee, remittance: &str) -> Payment {
    let remittance = (!remittance.is_empty()).then(|| remittance.to_owned());
    Payment { id: id(number), amount, payee, remittance }
}

pub fn euro() -> File {
    let müller = payee(
        "Müller & Söhne GmbH",
        iban("NL91ABNA0417164300"),
        "",
        address("Herengracht", "182", "1016 BR", "Amsterdam", "NL"),
        "EUR",
    );
    let mut greek = payee(
        "Ψυχή Α.Ε.",
        iban("GR16 0110 1250 0000 0001 2300 695"),
        "ETHNGRAA",
        address("", "", "", "Αθήνα", "GR"),
        "EUR",
    );
    greek.address.lines = vec!["Κτίριο Β".to_owned(), "2ος όροφος".to_owned()];
    let mut japanese = payee(
        "株式会社サンプル",
        iban("FR14 2004 1010 0505 0001 3M02 606"),
        "BNPAFRPP",
        address("Rue de l'Université", "12 bis", "75007", "Paris", "FR"),
        "EUR",
    );
    japanese.holder_latin = Some("Sample K.K.".to_owned());
    File::of(vec![(
        group("EUR", Scheme::Sepa),
        vec![
            payment(1, money("1234.50", "EUR"), müller, "Rebates 2026-10 <PO 7> & \"more\""),
            payment(2, money("0.01", "EUR"), greek, ""),
            payment(3, money("999999999.99", "EUR"), japanese, "Remise d'octobre, n° 12"),
        ],
    )])
}

pub fn yen() -> File {
    let home = payee(
        "サンプル商事",
        number("1234567", RoutingKind::Zengin, "0005-001", "JP"),
        "BOTKJPJT",
        address("Marunouchi 1-chome", "1-1", "100-0005", "Chiyoda-ku, Tokyo", "JP"),
        "JPY",
    );
    let home = Payee { holder_latin: Some("SAMPLE SHOJI CO., LTD.".to_owned()), ..home };
    File::of(vec![(
        group("JPY", Scheme::Other),
        vec![payment(4, money("1250000", "JPY"), home, "Rebate 2026-10")],
    )])
}

pub fn dinar() -> File {
    let trader = payee(
        "Gulf Trading W.L.L.",
        iban("KW81CBKU0000000000001234560101"),
        "CBKUKWKW",
        address("Fahad Al-Salem Street", "7", "", "Kuwait City", "KW"),
        "KWD",
    );
    File::of(vec![(group("KWD", Scheme::Other), vec![payment(5, money("250.075", "KWD"), trader, "")])])
}

/// Payments by account numbers, and by IBAN in a currency that leaves SEPA.
pub fn dollar() -> File {
    let american = payee(
        "Acme Resellers Inc.",
        number("000123456789", RoutingKind::Aba, "021000021", "US"),
        "CHASUS33XXX",
        address("Park Avenue", "270", "10017", "New York", "US"),
        "USD",
    );
    let german = payee(
        "Größe GmbH",
        iban("DE89370400440532013000"),
        "COBADEFF",
        address("Ring", "1", "20095", "Hamburg", "DE"),
        "USD",
    );
    let australian = payee(
        "Outback Pty Ltd",
        number("12345678", RoutingKind::Bsb, "062-000", "AU"),
        "CTBAAU2S",
        address("George St", "48", "2000", "Sydney", "AU"),
        "USD",
    );
    let british = payee(
        "Thames Ltd",
        number("31926819", RoutingKind::SortCode, "60-16-13", "GB"),
        "NWBKGB2L",
        address("Strand", "1", "WC2N 5HR", "London", "GB"),
        "USD",
    );
    let chinese = payee(
        "Shenzhen Trading Co.",
        number("6222021234567890123", RoutingKind::Other, "102584002914", "CN"),
        "ICBKCNBJ",
        address("Shennan Road", "5055", "518008", "Shenzhen", "CN"),
        "USD",
    );
    let payees = [american, german, australian, british, chinese];
    let payments = payees
        .into_iter()
        .zip(10..)
        .map(|(payee, number)| payment(number, money("1000.10", "USD"), payee, "Rebate"))
        .collect();
    File::of(vec![(group("USD", Scheme::Other), payments)])
}
