//! Payer accounts over HTTP.

use super::{
    CreditorAgentWithoutBic, NewPayerAccount, PayerAccount, PayerAccountState, service, store,
    view::{PayerAccountPage, PayerAccountView},
};
use crate::{
    access::{
        Caller,
        policy::{
            ClosePayerAccount, CreatePayerAccount, GetPayerAccount, ListPayerAccounts, UpdatePayerAccount,
        },
    },
    network::{
        partners::TransitionReason,
        profiles::{BankAccount, PostalAddressBody, RoutingBody, Secret},
    },
    platform::{
        Result,
        http::{Answer, Body, Cursor, IfMatch, Listing, PageParams, PageRequest, Path, double_option},
        values::{Country, Currency, Id},
    },
};
use actix_web::{get, patch, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_payer_accounts)
        .service(create_payer_account)
        .service(get_payer_account)
        .service(update_payer_account)
        .service(close_payer_account);
}

/// An account of ours that payments are to leave from.
// No `Debug`: the account number must not reach a log.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Euro payouts", "holder": "Vendor Europe GmbH", "account": "DE75512108001245126199", "bank_country": "DE",
    "bic": "SOGEDEFF", "currency": "EUR", "speaks_pain001": true,
    "address": {
        "country": "DE", "town": "Frankfurt", "street": "Neue Mainzer Strasse", "building_number": "46",
        "post_code": "60311"
    }
}))]
struct PayerAccountCreate {
    /// The name among the operators.
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$")]
    name: String,
    /// Holder of the account as the bank knows the holder, in any script.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
    holder: String,
    /// The holder in Latin letters; needed where a word of `holder` has none.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 70, pattern = r"^\S(.*\S)?$")]
    holder_latin: Option<String>,
    /// The IBAN, without spaces, where the bank's country has IBANs.
    #[serde(default)]
    #[schema(min_length = 4, max_length = 34, pattern = "^[A-Za-z0-9]{4,34}$")]
    account: Option<String>,
    /// The bank's own number of the account, without spaces, where the bank's country has no IBANs.
    #[serde(default)]
    #[schema(min_length = 4, max_length = 34, pattern = "^[A-Za-z0-9]{4,34}$")]
    account_number: Option<String>,
    /// The bank, where the account has no IBAN.
    #[serde(default)]
    routing: Option<RoutingBody>,
    /// The country of the bank.
    bank_country: Country,
    /// The bank's identifier (ISO 9362), 8 or 11 characters; needed of a bank outside SEPA.
    #[serde(default)]
    #[schema(min_length = 8, max_length = 11, pattern = "^[A-Za-z0-9]{8,11}$")]
    bic: Option<String>,
    /// The address of the holder.
    address: PostalAddressBody,
    /// The currency of the account, and of the payments that leave from it.
    currency: Currency,
    /// How files name the bank of a payee whose BIC is not known.
    #[serde(default)]
    #[schema(default = "omit")]
    creditor_agent_without_bic: CreditorAgentWithoutBic,
    /// Whether the bank books the payments of a file as one sum.
    #[serde(default)]
    #[schema(default = false)]
    batch_booking: bool,
    /// Whether the bank takes files as pain.001; of another bank they are CSV.
    speaks_pain001: bool,
}

impl From<PayerAccountCreate> for NewPayerAccount {
    fn from(new: PayerAccountCreate) -> Self {
        let secret = |number: Option<String>| number.map(|number| Secret::new(&number));
        let account = BankAccount {
            holder: new.holder,
            holder_latin: new.holder_latin,
            account: secret(new.account),
            account_number: secret(new.account_number),
            routing: new.routing.map(Into::into),
            bank_country: new.bank_country,
            bic: new.bic.map(|bic| bic.to_uppercase()),
            address: Some(new.address.into()),
            currency: new.currency,
        };
        Self {
            name: new.name,
            account,
            creditor_agent_without_bic: new.creditor_agent_without_bic,
            batch_booking: new.batch_booking,
            speaks_pain001: new.speaks_pain001,
        }
    }
}

/// What to change of a payer account. The account itself stays: another account is another record.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"batch_booking": true}))]
struct PayerAccountUpdate {
    /// The name among the operators.
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$", nullable = false)]
    name: Option<String>,
    /// The bank's identifier; null takes it away.
    #[serde(default, deserialize_with = "double_option::deserialize")]
    #[schema(value_type = Option<String>, min_length = 8, max_length = 11, pattern = "^[A-Za-z0-9]{8,11}$")]
    bic: Option<Option<String>>,
    /// The address of the holder, as a whole.
    #[schema(nullable = false)]
    address: Option<PostalAddressBody>,
    /// How files name the bank of a payee whose BIC is not known.
    #[schema(nullable = false)]
    creditor_agent_without_bic: Option<CreditorAgentWithoutBic>,
    /// Whether the bank books the payments of a file as one sum.
    #[schema(nullable = false)]
    batch_booking: Option<bool>,
    /// Whether the bank takes files as pain.001.
    #[schema(nullable = false)]
    speaks_pain001: Option<bool>,
}

impl PayerAccountUpdate {
    fn applied_to(self, before: PayerAccount) -> PayerAccount {
        let bic = self.bic.map(|bic| bic.map(|bic| bic.to_uppercase()));
        let address = self.address.map(|address| Some(address.into()));
        let account = BankAccount {
            bic: bic.unwrap_or(before.account.bic),
            address: address.unwrap_or(before.account.address),
            ..before.account
        };
        PayerAccount {
            name: self.name.unwrap_or(before.name),
            account,
            creditor_agent_without_bic: self
                .creditor_agent_without_bic
                .unwrap_or(before.creditor_agent_without_bic),
            batch_booking: self.batch_booking.unwrap_or(before.batch_booking),
            speaks_pain001: self.speaks_pain001.unwrap_or(before.speaks_pain001),
            ..before
        }
    }
}

/// Which payer accounts to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PayerAccountFilter {
    /// In this state.
    #[param(inline)]
    pub state: Option<PayerAccountState>,
    /// Of this currency.
    pub currency: Option<Currency>,
}

/// List payer accounts
///
/// With masked numbers, the newest first.
#[utoipa::path(
    tag = "payer_accounts",
    params(PayerAccountFilter, PageParams),
    responses((status = 200, body = PayerAccountPage))
)]
#[get("/v1/payer-accounts")]
async fn list_payer_accounts(
    caller: Caller<ListPayerAccounts>,
    page: PageRequest<PayerAccountFilter>,
) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let cursor = |payer: &PayerAccount| Cursor { key: None, id: payer.id };
            Ok(page.answer(found, total, cursor, PayerAccountView::from))
        })
        .await
}

/// Record a payer account
///
/// An account that no bank file could name is refused with all of its faults.
#[utoipa::path(
    tag = "payer_accounts", request_body = PayerAccountCreate,
    responses((status = 201, body = PayerAccountView))
)]
#[post("/v1/payer-accounts")]
async fn create_payer_account(
    caller: Caller<CreatePayerAccount>,
    body: Body<PayerAccountCreate>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, new| {
            let id = tx.new_id();
            let made = service::create(tx, id, new.clone().into())?;
            let revision = made.revision;
            Ok(Answer::created(format!("/v1/payer-accounts/{id}"), &PayerAccountView::from(made), revision))
        })
        .await
}

/// Read a payer account
///
/// With the number masked.
#[utoipa::path(tag = "payer_accounts", responses((status = 200, body = PayerAccountView)))]
#[get("/v1/payer-accounts/{id}")]
async fn get_payer_account(caller: Caller<GetPayerAccount>, id: Path<Id>) -> Result<Answer> {
    caller.read(move |tx| store::get(tx, *id).map(record)).await
}

/// Change a payer account
///
/// A merge patch (RFC 7396). The account itself stays: another account is another record. A closed account stays as it is.
#[utoipa::path(
    tag = "payer_accounts", request_body = PayerAccountUpdate,
    responses((status = 200, body = PayerAccountView))
)]
#[patch("/v1/payer-accounts/{id}")]
async fn update_payer_account(
    caller: Caller<UpdatePayerAccount>,
    id: Path<Id>,
    body: Body<PayerAccountUpdate>,
    revision: IfMatch,
) -> Result<Answer> {
    caller
        .write(body, move |tx, change| {
            let before = store::to_change(tx, *id)?;
            revision.permits(before.revision)?;
            if *change == PayerAccountUpdate::default() {
                return tx.unchanged(record(before));
            }
            let after = change.clone().applied_to(before.clone());
            service::update(tx, &before, after).map(record)
        })
        .await
}

/// Close a payer account
///
/// No payment leaves from it any more. A closed account is never opened again.
#[utoipa::path(
    tag = "payer_accounts", request_body = TransitionReason,
    responses((status = 200, body = PayerAccountView))
)]
#[post("/v1/payer-accounts/{id}/closure")]
async fn close_payer_account(
    caller: Caller<ClosePayerAccount>,
    id: Path<Id>,
    body: Body<TransitionReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let before = store::to_change(tx, *id)?;
            service::close(tx, &before, &because.reason).map(record)
        })
        .await
}

fn record(payer: PayerAccount) -> Answer {
    let revision = payer.revision;
    Answer::record(&PayerAccountView::from(payer), revision)
}
