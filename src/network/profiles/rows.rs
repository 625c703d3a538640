//! The rows of the profiles, in which numbers are sealed.

use super::{
    BankAccount, PayoutNotes, PostalAddress, Profile, ProfileState, ProfileTerms, Routing, RoutingKind,
    Secret, TaxForm, TaxNotes, TaxTerms, TinStatus,
};
use crate::{
    access::SealedColumn,
    platform::{
        Result, Vault,
        db::BytesColumn,
        values::{CalendarDate, Country, Currency, Id, Text, Timestamp},
    },
    schema::{payout_profiles, tax_profiles},
};
use diesel::prelude::*;

/// The IBANs.
pub(super) const ACCOUNTS: SealedColumn = SealedColumn {
    at: BytesColumn { table: "payout_profiles", row: "partner_id", column: "account" },
    record: BankAccount::RECORD,
    once_clear: false,
};

/// The account numbers of banks without IBANs, and all numbers that were filed before the two were told apart.
pub(super) const ACCOUNT_NUMBERS: SealedColumn = SealedColumn {
    at: BytesColumn { table: "payout_profiles", row: "partner_id", column: "account_number" },
    record: BankAccount::RECORD,
    once_clear: true,
};

/// The tax numbers.
pub(super) const TAX_IDS: SealedColumn = SealedColumn {
    at: BytesColumn { table: "tax_profiles", row: "partner_id", column: "tax_id" },
    record: TaxTerms::RECORD,
    once_clear: true,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = payout_profiles, primary_key(partner_id))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct PayoutRow {
    id: Id,
    partner_id: Id,
    holder: String,
    holder_latin: Option<String>,
    account: Option<Vec<u8>>,
    account_number: Option<Vec<u8>>,
    routing_kind: Option<RoutingKind>,
    routing_number: Option<String>,
    bank_country: Country,
    bic: Option<String>,
    address_country: Option<Country>,
    town: Option<String>,
    street: Option<String>,
    building_number: Option<String>,
    post_code: Option<String>,
    address_line_1: Option<String>,
    address_line_2: Option<String>,
    currency: Currency,
    state: ProfileState,
    rejection_reason: Option<String>,
    approved_by: Option<Id>,
    cooling_off_until: Option<CalendarDate>,
    created_at: Timestamp,
    updated_at: Timestamp,
    revision: i64,
    account_revision: Option<i64>,
}

impl PayoutRow {
    pub(super) fn sealed(vault: &Vault, profile: &Profile<BankAccount>) -> Result<Self> {
        let (terms, partner) = (profile.terms.clone(), profile.partner_id);
        let seal = |number: &Option<Secret>, column: &SealedColumn| {
            number.as_ref().map(|number| number.sealed(vault, column, partner)).transpose()
        };
        let (account, account_number) =
            (seal(&terms.account, &ACCOUNTS)?, seal(&terms.account_number, &ACCOUNT_NUMBERS)?);
        let address = terms.address;
        let part = |of: fn(&PostalAddress) -> Option<&String>| address.as_ref().and_then(of).cloned();
        Ok(Self {
            id: profile.id,
            partner_id: partner,
            holder: terms.holder,
            holder_latin: terms.holder_latin,
            account,
            account_number,
            routing_kind: terms.routing.as_ref().map(|routing| routing.kind),
            routing_number: terms.routing.map(|routing| routing.number),
            bank_country: terms.bank_country,
            bic: terms.bic,
            address_country: address.as_ref().map(|address| address.country),
            town: part(|address| address.town.as_ref()),
            street: part(|address| address.street.as_ref()),
            building_number: part(|address| address.building_number.as_ref()),
            post_code: part(|address| address.post_code.as_ref()),
            address_line_1: part(|address| address.lines.first()),
            address_line_2: part(|address| address.lines.get(1)),
            currency: terms.currency,
            state: profile.state,
            rejection_reason: profile.rejection_reason.as_ref().map(Text::column),
            approved_by: profile.approved_by,
            cooling_off_until: profile.notes.cooling_off_until,
            created_at: profile.created_at,
            updated_at: profile.updated_at,
            revision: profile.revision,
            account_revision: profile.notes.account_revision,
        })
    }

    pub(super) fn opened(self, vault: &Vault) -> Result<Profile<BankAccount>> {
        let open = |sealed: Option<Vec<u8>>, column: &SealedColumn| {
            sealed.map(|sealed| Secret::opened(vault, column, self.partner_id, &sealed)).transpose()
        };
        let routing = self.routing_kind.zip(self.routing_number);
        let address = self.address_country.map(|country| PostalAddress {
            country,
            town: self.town,
            street: self.street,
            building_number: self.building_number,
            post_code: self.post_code,
            lines: self.address_line_1.into_iter().chain(self.address_line_2).collect(),
        });
        let terms = BankAccount {
            holder: self.holder,
            holder_latin: self.holder_latin,
            account: open(self.account, &ACCOUNTS)?,
            account_number: open(self.account_number, &ACCOUNT_NUMBERS)?,
            routing: routing.map(|(kind, number)| Routing { kind, number }),
            bank_country: self.bank_country,
            bic: self.bic,
            address,
            currency: self.currency,
        };
        Ok(Profile {
            id: self.id,
            partner_id: self.partner_id,
            terms,
            notes: PayoutNotes {
                cooling_off_until: self.cooling_off_until,
                account_revision: self.account_revision,
            },
            state: self.state,
            rejection_reason: self.rejection_reason.map(Text::of_column),
            approved_by: self.approved_by,
            created_at: self.created_at,
            updated_at: self.updated_at,
            revision: self.revision,
        })
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = tax_profiles, primary_key(partner_id))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct TaxRow {
    id: Id,
    partner_id: Id,
    form: TaxForm,
    tax_country: Country,
    tax_id: Vec<u8>,
    signed_on: CalendarDate,
    expires_on: Option<CalendarDate>,
    tin_status: TinStatus,
    state: ProfileState,
    rejection_reason: Option<String>,
    approved_by: Option<Id>,
    created_at: Timestamp,
    updated_at: Timestamp,
    revision: i64,
}

impl TaxRow {
    pub(super) fn sealed(vault: &Vault, profile: &Profile<TaxTerms>) -> Result<Self> {
        let terms = &profile.terms;
        Ok(Self {
            id: profile.id,
            partner_id: profile.partner_id,
            form: terms.form,
            tax_country: terms.tax_country,
            tax_id: terms.tax_id.sealed(vault, &TAX_IDS, profile.partner_id)?,
            signed_on: terms.signed_on,
            expires_on: terms.expires_on,
            tin_status: profile.notes.tin_status,
            state: profile.state,
            rejection_reason: profile.rejection_reason.as_ref().map(Text::column),
            approved_by: profile.approved_by,
            created_at: profile.created_at,
            updated_at: profile.updated_at,
            revision: profile.revision,
        })
    }

    pub(super) fn opened(self, vault: &Vault) -> Result<Profile<TaxTerms>> {
        let terms = TaxTerms {
            form: self.form,
            tax_country: self.tax_country,
            tax_id: Secret::opened(vault, &TAX_IDS, self.partner_id, &self.tax_id)?,
            signed_on: self.signed_on,
            expires_on: self.expires_on,
        };
        Ok(Profile {
            id: self.id,
            partner_id: self.partner_id,
            terms,
            notes: TaxNotes { tin_status: self.tin_status },
            state: self.state,
            rejection_reason: self.rejection_reason.map(Text::of_column),
            approved_by: self.approved_by,
            created_at: self.created_at,
            updated_at: self.updated_at,
            revision: self.revision,
        })
    }
}
