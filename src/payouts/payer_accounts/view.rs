//! Payer accounts on the wire and in the audit trail: numbers masked.

use super::{CreditorAgentWithoutBic, PayerAccount, PayerAccountState};
use crate::{
    network::{
        partners::Transition,
        profiles::{PostalAddressBody, RoutingBody},
    },
    platform::{
        http::page_of,
        values::{Country, Currency, Id, Timestamp},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// One of our accounts that payments leave from.
#[derive(Serialize, ToSchema)]
#[schema(as = PayerAccount)]
pub(super) struct PayerAccountView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The name among the operators.
    #[schema(max_length = 100, examples("Euro payouts"))]
    name: String,
    /// Holder of the account.
    #[schema(max_length = 200, examples("Vendor Europe GmbH"))]
    holder: String,
    /// The holder in Latin letters; null where `holder` is written in them.
    #[schema(max_length = 70)]
    holder_latin: Option<String>,
    /// The end of the IBAN or account number; the whole number is never shown.
    #[schema(min_length = 5, max_length = 8, pattern = r"^\*{4}.{1,4}$", examples("****3000"))]
    account_masked: String,
    /// The bank of an account without an IBAN; null of an account with one.
    routing: Option<RoutingBody>,
    /// The country of the bank.
    bank_country: Country,
    /// The bank's identifier; null where none was given.
    #[schema(min_length = 8, max_length = 11, examples("COBADEFFXXX"))]
    bic: Option<String>,
    /// The address of the holder.
    address: Option<PostalAddressBody>,
    /// The currency of the account, and of the payments that leave from it.
    currency: Currency,
    /// How files name the bank of a payee whose BIC is not known.
    creditor_agent_without_bic: CreditorAgentWithoutBic,
    /// Whether the bank books the payments of a file as one sum.
    batch_booking: bool,
    /// Whether the bank takes files as pain.001; of another bank they are CSV.
    speaks_pain001: bool,
    /// Whether payments leave from the account.
    state: PayerAccountState,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 1, examples(json!(["closure"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

page_of!(
    /// One page of payer accounts.
    pub(super) PayerAccountPage of PayerAccountView
);

impl From<PayerAccount> for PayerAccountView {
    fn from(payer: PayerAccount) -> Self {
        let account = payer.account;
        Self {
            id: payer.id,
            name: payer.name,
            account_masked: account.masked_number(),
            holder: account.holder,
            holder_latin: account.holder_latin,
            routing: account.routing.map(RoutingBody::from),
            bank_country: account.bank_country,
            bic: account.bic,
            address: account.address.map(PostalAddressBody::from),
            currency: account.currency,
            creditor_agent_without_bic: payer.creditor_agent_without_bic,
            batch_booking: payer.batch_booking,
            speaks_pain001: payer.speaks_pain001,
            state: payer.state,
            allowed_transitions: payer.state.allowed().iter().copied().map(Transition).collect(),
            created_at: payer.created_at,
            updated_at: payer.updated_at,
            revision: payer.revision,
        }
    }
}
