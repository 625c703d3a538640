//! Our file in euro beside the one that the crate `sepa` writes of the same payments.

use super::{
    generated::some_sepa_file,
    samples::{File, euro},
};
use partner_incentives::payouts::bank_files::{Account, Address, Scheme};
use proptest::prelude::*;
use sepa::{
    CharsetPolicy, CreditTransferEntry, CreditTransferGroup, IsoDate, Pain001Builder, PostalAddress,
    Transliteration, validate_bic, validate_iban,
};

fn theirs(file: &File) -> String {
    let [(group, payments)] = file.groups.as_slice() else { panic!("one group") };
    let from = group.payer.as_ref().unwrap();
    let on = group.execution_on;
    let on = IsoDate::new(
        on.year().try_into().unwrap(),
        on.month().try_into().unwrap(),
        on.day().try_into().unwrap(),
    );
    let mut theirs = CreditTransferGroup::new(from.holder.trim(), &iban(&from.account), on.unwrap())
        .payment_info_id(&group.id)
        .batch_booking(from.batch_booking)
        .debtor_address(address(&from.address));
    if let Some(bic) = &from.bic {
        theirs = theirs.debtor_bic(validate_bic(bic).unwrap());
    }
    for payment in payments {
        let payee = &payment.payee;
        let mut entry = CreditTransferEntry::new(
            payee.name().trim(),
            iban(&payee.account),
            payment.amount.minor,
            payment.end_to_end_id(),
        )
        .with_creditor_address(address(&payee.address));
        if let Some(bic) = &payee.bic {
            entry = entry.with_bic(validate_bic(bic).unwrap());
        }
        if let Some(text) = &payment.remittance {
            entry = entry.with_description(text.trim());
        }
        theirs = theirs.add_entry(entry);
    }
    Pain001Builder::new(&from.holder, &file.header.message_id)
        .created_at("2026-11-30T09:30:05Z".parse().unwrap())
        .charset(CharsetPolicy::Transliterate(Transliteration::Epc))
        .add_group(theirs)
        .build()
        .unwrap()
}

fn iban(account: &Account) -> sepa::Iban {
    let Account::Iban(iban) = account else { panic!("an IBAN") };
    validate_iban(iban).unwrap()
}

fn address(address: &Address) -> PostalAddress {
    let mut theirs = PostalAddress::new(&address.town, address.country.as_str()).unwrap();
    if let Some(street) = &address.street {
        theirs = theirs.street(street);
    }
    if let Some(number) = &address.building_number {
        theirs = theirs.building_number(number);
    }
    if let Some(code) = &address.post_code {
        theirs = theirs.post_code(code);
    }
    address.lines.iter().fold(theirs, PostalAddress::line)
}

/// A file without the spaces between elements, and without what the other writer never says: the currency of the account.
fn condensed(text: &str) -> String {
    let lines: String = text.lines().map(str::trim).collect();
    let Some((before, rest)) = lines.split_once("<Ccy>EUR</Ccy>") else { return lines };
    format!("{before}{rest}")
}

#[test]
fn the_same_payments_give_the_same_elements() {
    let mut file = euro();
    // The other writer knows one style of letters for a whole file.
    let (group, payments) = &mut file.groups[0];
    group.payer.as_mut().unwrap().address.country = "FR".parse().unwrap();
    assert_eq!(group.scheme, Scheme::Sepa);
    assert_eq!(payments.len(), 3);
    assert_eq!(condensed(&file.xml()), condensed(&theirs(&file)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_payments_give_the_same_elements(file in some_sepa_file()) {
        prop_assert_eq!(condensed(&file.xml()), condensed(&theirs(&file)));
    }
}
