//! The rows of payer accounts, in which numbers are sealed.

use super::{CreditorAgentWithoutBic, PayerAccount, PayerAccountState};
use crate::{
    access::SealedColumn,
    network::profiles::{BankAccount, PostalAddress, Routing, RoutingKind, Secret},
    platform::{
        Error, Result, Vault,
        db::BytesColumn,
        values::{Country, Currency, Id, Timestamp},
    },
    schema::payer_accounts,
};
use diesel::prelude::*;

/// The IBANs.
pub(super) const ACCOUNTS: SealedColumn = SealedColumn {
    at: BytesColumn { table: "payer_accounts", row: "id", column: "account" },
    record: "payer_account",
    once_clear: false,
};

/// The account numbers of banks without IBANs.
pub(super) const ACCOUNT_NUMBERS: SealedColumn = SealedColumn {
    at: BytesColumn { table: "payer_accounts", row: "id", column: "account_number" },
    record: "payer_account",
    once_clear: false,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payer_accounts)]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct PayerAccountRow {
    id: Id,
    name: String,
    holder: String,
    holder_latin: Option<String>,
    account: Option<Vec<u8>>,
    account_number: Option<Vec<u8>>,
    routing_kind: Option<RoutingKind>,
    routing_number: Option<String>,
    bank_country: Country,
    bic: Option<String>,
    address_country: Country,
    town: String,
    street: Option<String>,
    building_number: Option<String>,
    post_code: Option<String>,
    address_line_1: Option<String>,
    address_line_2: Option<String>,
    currency: Currency,
    creditor_agent_without_bic: CreditorAgentWithoutBic,
    batch_booking: bool,
    speaks_pain001: bool,
    state: PayerAccountState,
    created_at: Timestamp,
    updated_at: Timestamp,
    revision: i64,
}

impl PayerAccountRow {
    pub(super) fn sealed(vault: &Vault, payer: &PayerAccount) -> Result<Self> {
        let account = payer.account.clone();
        let seal = |number: &Option<Secret>, column: &SealedColumn| {
            number.as_ref().map(|number| number.sealed(vault, column, payer.id)).transpose()
        };
        let numbers = (seal(&account.account, &ACCOUNTS)?, seal(&account.account_number, &ACCOUNT_NUMBERS)?);
        let address = account.address.ok_or_else(|| Error::internal("a payer account without an address"))?;
        let town = address.town.ok_or_else(|| Error::internal("a payer account without a town"))?;
        let mut lines = address.lines.into_iter();
        Ok(Self {
            id: payer.id,
            name: payer.name.clone(),
            holder: account.holder,
            holder_latin: account.holder_latin,
            account: numbers.0,
            account_number: numbers.1,
            routing_kind: account.routing.as_ref().map(|routing| routing.kind),
            routing_number: account.routing.map(|routing| routing.number),
            bank_country: account.bank_country,
            bic: account.bic,
            address_country: address.country,
            town,
            street: address.street,
            building_number: address.building_number,
            post_code: address.post_code,
            address_line_1: lines.next(),
            address_line_2: lines.next(),
            currency: account.currency,
            creditor_agent_without_bic: payer.creditor_agent_without_bic,
            batch_booking: payer.batch_booking,
            speaks_pain001: payer.speaks_pain001,
            state: payer.state,
            created_at: payer.created_at,
            updated_at: payer.updated_at,
            revision: payer.revision,
        })
    }

    pub(super) fn opened(self, vault: &Vault) -> Result<PayerAccount> {
        let open = |sealed: Option<Vec<u8>>, column: &SealedColumn| {
            sealed.map(|sealed| Secret::opened(vault, column, self.id, &sealed)).transpose()
        };
        let routing = self.routing_kind.zip(self.routing_number);
        let account = BankAccount {
            holder: self.holder,
            holder_latin: self.holder_latin,
            account: open(self.account, &ACCOUNTS)?,
            account_number: open(self.account_number, &ACCOUNT_NUMBERS)?,
            routing: routing.map(|(kind, number)| Routing { kind, number }),
            bank_country: self.bank_country,
            bic: self.bic,
            address: Some(PostalAddress {
                country: self.address_country,
                town: Some(self.town),
                street: self.street,
                building_number: self.building_number,
                post_code: self.post_code,
                lines: self.address_line_1.into_iter().chain(self.address_line_2).collect(),
            }),
            currency: self.currency,
        };
        Ok(PayerAccount {
            id: self.id,
            name: self.name,
            account,
            creditor_agent_without_bic: self.creditor_agent_without_bic,
            batch_booking: self.batch_booking,
            speaks_pain001: self.speaks_pain001,
            state: self.state,
            created_at: self.created_at,
            updated_at: self.updated_at,
            revision: self.revision,
        })
    }
}
