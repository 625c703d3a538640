//! Payments and accounts in the terms of files for banks.

use crate::{
    network::profiles::{BankAccount, PostalAddress, RoutingKind},
    payouts::{
        bank_files::{self, Account, Address, Payee, Scheme},
        payer_accounts::{self, PayerAccount},
        payments::{FileGroup, Payment},
    },
};

/// The order to pay a payment to an account.
#[must_use]
pub fn order(payment: &Payment, account: &BankAccount) -> bank_files::Payment {
    let document = payment.document_number.map(|number| payment.document_kind.numbered(number));
    bank_files::Payment {
        id: payment.id,
        amount: payment.money(payment.net),
        payee: Payee {
            holder: account.holder.clone(),
            holder_latin: account.holder_latin.clone(),
            account: account_of(account),
            bic: account.bic.clone(),
            address: address(account.address.as_ref(), account),
            currency: account.currency,
        },
        remittance: document,
    }
}

/// The account that payments leave from.
#[must_use]
pub fn payer(payer: &PayerAccount) -> bank_files::PayerAccount {
    let account = &payer.account;
    bank_files::PayerAccount {
        holder: account.holder_in_files(),
        account: account_of(account),
        bic: account.bic.clone(),
        address: address(account.address.as_ref(), account),
        currency: account.currency,
        creditor_agent_without_bic: match payer.creditor_agent_without_bic {
            payer_accounts::CreditorAgentWithoutBic::Omit => bank_files::CreditorAgentWithoutBic::Omit,
            payer_accounts::CreditorAgentWithoutBic::NotProvided => {
                bank_files::CreditorAgentWithoutBic::NotProvided
            }
        },
        batch_booking: payer.batch_booking,
    }
}

/// The group of a payment to an account. An account that does not hold stands in either group, where the check names the fault.
#[must_use]
pub fn group(payment: &Payment, account: &BankAccount, payer: Option<&PayerAccount>) -> FileGroup {
    let from = payer.map(|payer| account_of(&payer.account));
    let scheme = from.and_then(|from| Scheme::of(&from, &account_of(account), payment.currency));
    match scheme {
        Some(Scheme::Sepa) => FileGroup::Sepa,
        Some(Scheme::Other) | None => FileGroup::Other,
    }
}

/// The scheme of a group.
#[must_use]
pub const fn scheme(group: FileGroup) -> Scheme {
    match group {
        FileGroup::Sepa => Scheme::Sepa,
        FileGroup::Other => Scheme::Other,
    }
}

fn account_of(account: &BankAccount) -> Account {
    let text = |secret: &crate::network::profiles::Secret| secret.for_the_bank().to_owned();
    match (&account.account, &account.account_number, &account.routing) {
        (None, Some(number), Some(routing)) => Account::Number {
            number: text(number),
            routing: bank_files::Routing {
                kind: match routing.kind {
                    RoutingKind::Aba => bank_files::RoutingKind::Aba,
                    RoutingKind::SortCode => bank_files::RoutingKind::SortCode,
                    RoutingKind::Bsb => bank_files::RoutingKind::Bsb,
                    RoutingKind::Zengin => bank_files::RoutingKind::Zengin,
                    RoutingKind::Other => bank_files::RoutingKind::Other,
                },
                code: routing.number.clone(),
                bank_country: account.bank_country,
            },
        },
        (iban, ..) => Account::Iban(iban.as_ref().map(text).unwrap_or_default()),
    }
}

fn address(address: Option<&PostalAddress>, account: &BankAccount) -> Address {
    let part = |of: fn(&PostalAddress) -> &Option<String>| address.and_then(|address| of(address).clone());
    Address {
        street: part(|address| &address.street),
        building_number: part(|address| &address.building_number),
        post_code: part(|address| &address.post_code),
        town: part(|address| &address.town).unwrap_or_default(),
        country: address.map_or(account.bank_country, |address| address.country),
        lines: address.map(|address| address.lines.clone()).unwrap_or_default(),
    }
}
