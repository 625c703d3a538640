//! The payout and tax profiles of the demo's partners: an account as the banks of each country know it.

use super::{
    cast::{Player, Plot, partner_id},
    people::{as_admin, as_user, parsed},
    story::OPERATORS,
};
use crate::{
    access::Tx,
    network::{
        partners::PartnerType,
        profiles::{
            self, BankAccount, Decision, PostalAddress, Routing, RoutingKind, Secret, TaxForm, TaxTerms,
            TinStatus,
        },
    },
    payouts::payer_accounts::{self, CreditorAgentWithoutBic, NewPayerAccount},
    platform::{Error, Result},
};

/// The banking of a country: where its partners have their bank, and how an account is named there.
struct Banking {
    country: &'static str,
    town: &'static str,
    street: &'static str,
    post_code: &'static str,
    bic: &'static str,
    account: AccountOf,
}

/// How the accounts of a country are named.
enum AccountOf {
    /// By an IBAN: what stands behind the check digits, before the eight digits of the partner.
    Iban(&'static str),
    /// By a number of so many digits, at a bank.
    Number { digits: usize, kind: RoutingKind, bank: &'static str },
}

use AccountOf::{Iban, Number};
use RoutingKind::{Aba, Bsb, Other, Zengin};

const fn banking(
    country: &'static str,
    [town, street, post_code]: [&'static str; 3],
    bic: &'static str,
    account: AccountOf,
) -> Banking {
    Banking { country, town, street, post_code, bic, account }
}

const BANKS: &[Banking] = &[
    banking(
        "US",
        ["Seattle", "Pike Street", "98101"],
        "CHASUS33",
        Number { digits: 10, kind: Aba, bank: "021000021" },
    ),
    banking("DE", ["Hamburg", "Alsterufer", "20354"], "COBADEFFXXX", Iban("3704004400")),
    banking("FR", ["Lyon", "Rue de la Part-Dieu", "69003"], "BNPAFRPP", Iban("200410100500")),
    banking("GB", ["Leeds", "Park Row", "LS1 5HN"], "NWBKGB2L", Iban("NWBK601613")),
    banking(
        "JP",
        ["Osaka", "Midosuji", "541-0041"],
        "BOTKJPJT",
        Number { digits: 7, kind: Zengin, bank: "0005001" },
    ),
    banking("KW", ["Kuwait City", "Fahad Al-Salem Street", "13001"], "CBKUKWKW", Iban("CBKU00000000000000")),
    banking("BR", ["Recife", "Rua da Aurora", "50050-000"], "BRASBRRJ", Iban("00360305000010000")),
    banking(
        "IN",
        ["Pune", "Fergusson College Road", "411004"],
        "SBININBB",
        Number { digits: 11, kind: Other, bank: "SBIN0000456" },
    ),
    banking(
        "AU",
        ["Brisbane", "Eagle Street", "4000"],
        "NATAAU33",
        Number { digits: 9, kind: Bsb, bank: "084001" },
    ),
    banking("PL", ["Gdansk", "Dluga", "80-831"], "PKOPPLPW", Iban("1090101400000712")),
    banking(
        "ZA",
        ["Durban", "Smith Street", "4001"],
        "SBZAZAJJ",
        Number { digits: 10, kind: Other, bank: "051001" },
    ),
    banking(
        "CA",
        ["Calgary", "Stephen Avenue", "T2P 1G6"],
        "ROYCCAT2",
        Number { digits: 7, kind: Other, bank: "000300010" },
    ),
];

/// The account of the n-th partner.
pub(super) fn bank_account(n: usize, player: &Player) -> Result<BankAccount> {
    let banking = BANKS.iter().find(|banking| banking.country == player.country);
    let banking = banking.ok_or_else(|| Error::internal(format!("no bank in {}", player.country)))?;
    let number = n * 7919;
    let mut account = BankAccount {
        holder: player.name.into(),
        holder_latin: None,
        account: None,
        account_number: None,
        routing: None,
        bank_country: parsed(player.country)?,
        bic: Some(banking.bic.into()),
        address: Some(PostalAddress {
            country: parsed(player.country)?,
            town: Some(banking.town.into()),
            street: Some(banking.street.into()),
            building_number: Some(n.to_string()),
            post_code: Some(banking.post_code.into()),
            lines: Vec::new(),
        }),
        currency: parsed(player.currency)?,
    };
    match &banking.account {
        Iban(bank) => {
            // French and Brazilian numbers end in more than digits of the account.
            let bban = match player.country {
                "FR" => format!("{bank}{number:09}06"),
                "BR" => format!("{bank}{:06}C1", number % 1_000_000),
                _ => format!("{bank}{number:08}"),
            };
            let check = sepa::iban::iban_check_digits(player.country, &bban);
            account.account = Some(Secret::new(&format!("{}{check}{bban}", player.country)));
        }
        Number { digits, kind, bank } => {
            account.account_number = Some(Secret::new(&format!("{number:0digits$}")));
            account.routing = Some(Routing { kind: *kind, number: (*bank).to_owned() });
        }
    }
    Ok(account)
}

/// The admin of the n-th partner files both profiles.
pub(super) fn file_profiles(tx: &mut Tx<'_>, n: usize, player: &Player) -> Result<()> {
    let payout = bank_account(n, player)?;
    let tax = TaxTerms {
        form: if player.country == "US" { TaxForm::W9 } else { TaxForm::Vat },
        tax_country: parsed(player.country)?,
        tax_id: Secret::new(&format!("{}{:09}", player.country, n * 104_729)),
        signed_on: tx.today().plus_days(-3),
        expires_on: None,
    };
    as_admin(tx, n, |tx| profiles::file_both(tx, partner_id(n), payout.clone(), tax.clone()))
}

/// An operator approves both profiles of the n-th partner; the tax authority knows the tax number.
pub(super) fn approve_profiles(tx: &mut Tx<'_>, n: usize) -> Result<()> {
    profiles::decide_payout(tx, partner_id(n), Decision::Approval(None))?;
    profiles::decide_tax(tx, partner_id(n), TinStatus::Matched, Decision::Approval(None))
}

/// An operator records the accounts that the vendor pays from: one at a bank with IBANs, one at a bank without.
pub(super) fn our_accounts_are_recorded(tx: &mut Tx<'_>) -> Result<()> {
    let [operator, _] = OPERATORS;
    let vendor = |holder, country, currency| Player {
        name: holder,
        country,
        currency,
        partner_type: PartnerType::DirectBill,
        plot: Plot::Ready,
    };
    let ours = [
        ("Euro payouts", vendor("Vendor Europe GmbH", "DE", "EUR")),
        ("Dollar payouts", vendor("Vendor Inc.", "US", "USD")),
        ("Yen payouts", vendor("Vendor KK", "JP", "JPY")),
        ("Dinar payouts", vendor("Vendor Kuwait WLL", "KW", "KWD")),
    ];
    for ((name, holder), n) in ours.iter().zip(900..) {
        let account = bank_account(n, holder)?;
        let new = NewPayerAccount {
            name: (*name).to_owned(),
            // The bank in Kuwait takes a table alone.
            speaks_pain001: holder.country != "KW",
            account,
            creditor_agent_without_bic: CreditorAgentWithoutBic::default(),
            batch_booking: false,
        };
        as_user(tx, operator, |tx| {
            let id = tx.new_id();
            payer_accounts::create(tx, id, new.clone()).map(drop)
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::cast::CAST, bank_account};

    #[test]
    fn every_partner_has_an_account_that_a_bank_file_can_name() {
        for (n, player) in CAST.iter().enumerate() {
            assert_eq!(bank_account(n + 1, player).unwrap().faults(), [], "{}", player.name);
        }
    }
}
