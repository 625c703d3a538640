//! The bodies that profiles are filed and decided on with.

use super::{BankAccount, PostalAddress, Routing, RoutingKind, Secret, TaxForm, TaxTerms, TinStatus};
use crate::platform::values::{CalendarDate, Country, Currency};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The account that a partner is to be paid to. It replaces the account on record.
// No `Debug`: the account number must not reach a log.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "holder": "Contoso Cloud GmbH", "account": "DE89370400440532013000", "bank_country": "DE", "currency": "EUR",
    "address": {
        "country": "DE", "town": "Hamburg", "street": "Alsterufer", "building_number": "12", "post_code": "20354"
    }
}))]
pub struct PayoutProfileUpdate {
    /// Holder of the account as the bank knows the holder, in any script.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
    holder: String,
    /// The holder in Latin letters; needed where a word of `holder` has none, as banks' files carry no others.
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
    /// A currency the account takes.
    currency: Currency,
}

/// The bank of an account without an IBAN.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Routing, example = json!({"kind": "aba", "number": "021000021"}))]
pub struct RoutingBody {
    /// The kind of the number.
    pub kind: RoutingKind,
    /// The number of the bank, without spaces and hyphens; of Japan the bank's four digits and the branch's three.
    #[schema(min_length = 1, max_length = 20, pattern = "^[A-Za-z0-9]{1,20}$")]
    pub number: String,
}

/// The address of an account's holder, in the parts that banks ask for. An address without a town is refused.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PostalAddress, example = json!({
    "country": "DE", "town": "Hamburg", "street": "Alsterufer", "building_number": "12", "post_code": "20354"
}))]
pub struct PostalAddressBody {
    /// The country.
    pub country: Country,
    /// The town; always needed.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 35, pattern = r"^\S(.*\S)?$")]
    pub town: Option<String>,
    /// The street.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 70, pattern = r"^\S(.*\S)?$")]
    pub street: Option<String>,
    /// The number of the building.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 16, pattern = r"^\S(.*\S)?$")]
    pub building_number: Option<String>,
    /// The post code.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 16, pattern = r"^\S(.*\S)?$")]
    pub post_code: Option<String>,
    /// At most two lines for what has no part of its own.
    #[serde(default)]
    #[schema(max_items = 2, inline)]
    pub lines: Vec<AddressLine>,
}

/// A line of an address.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 70, pattern = r"^\S(.*\S)?$", examples("Hinterhaus"))]
pub struct AddressLine(pub String);

impl From<PayoutProfileUpdate> for BankAccount {
    fn from(new: PayoutProfileUpdate) -> Self {
        let secret = |number: Option<String>| number.map(|number| Secret::new(&number));
        Self {
            holder: new.holder,
            holder_latin: new.holder_latin,
            account: secret(new.account),
            account_number: secret(new.account_number),
            routing: new.routing.map(Routing::from),
            bank_country: new.bank_country,
            bic: new.bic.map(|bic| bic.to_uppercase()),
            address: Some(new.address.into()),
            currency: new.currency,
        }
    }
}

impl From<RoutingBody> for Routing {
    fn from(RoutingBody { kind, number }: RoutingBody) -> Self {
        Self { kind, number: number.to_uppercase() }
    }
}

impl From<Routing> for RoutingBody {
    fn from(Routing { kind, number }: Routing) -> Self {
        Self { kind, number }
    }
}

impl From<PostalAddressBody> for PostalAddress {
    fn from(address: PostalAddressBody) -> Self {
        let PostalAddressBody { country, town, street, building_number, post_code, lines } = address;
        let lines = lines.into_iter().map(|AddressLine(line)| line).collect();
        Self { country, town, street, building_number, post_code, lines }
    }
}

impl From<PostalAddress> for PostalAddressBody {
    fn from(address: PostalAddress) -> Self {
        let PostalAddress { country, town, street, building_number, post_code, lines } = address;
        let lines = lines.into_iter().map(AddressLine).collect();
        Self { country, town, street, building_number, post_code, lines }
    }
}

/// The tax document of a partner. It replaces the document on record.
// No `Debug`: the tax number must not reach a log.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"form": "w9", "tax_country": "US", "tax_id": "12-3456789", "signed_on": "2018-01-15"}))]
pub struct TaxProfileUpdate {
    /// The kind of document.
    form: TaxForm,
    /// The country that taxes the partner.
    tax_country: Country,
    /// The partner's tax number.
    #[schema(min_length = 4, max_length = 32, pattern = "^[A-Za-z0-9][A-Za-z0-9 ./-]{2,30}[A-Za-z0-9]$")]
    tax_id: String,
    /// The day the document was signed, today or earlier. A W-8BEN-E holds to the end of the third calendar year after it.
    signed_on: CalendarDate,
    /// The last day the document holds, today or later, of a document of the form `other` that expires. Of any other form
    /// it follows from the day of the signature: leave it out.
    #[serde(default)]
    expires_on: Option<CalendarDate>,
}

impl From<TaxProfileUpdate> for TaxTerms {
    fn from(new: TaxProfileUpdate) -> Self {
        Self {
            form: new.form,
            tax_country: new.tax_country,
            tax_id: Secret::new(&new.tax_id),
            signed_on: new.signed_on,
            expires_on: new.expires_on.or(new.form.last_day(new.signed_on)),
        }
    }
}

/// An operator's approval of a profile.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "Compared with the bank's letter"}))]
pub struct ProfileApproval {
    /// In your own words, for the audit trail.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    pub(super) comment: Option<String>,
}

/// An operator's approval of a tax profile.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"comment": "Compared with the signed form", "tin_status": "matched"}))]
pub struct TaxProfileApproval {
    /// In your own words, for the audit trail.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    pub(super) comment: Option<String>,
    /// The answer of the tax authority about number and name; left out, it stays as it is.
    #[serde(default)]
    pub(super) tin_status: Option<TinStatus>,
}

/// The answer of the tax authority about a tax number.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"tin_status": "matched", "comment": "Answer of the authority of 14 July"}))]
pub struct TinStatusUpdate {
    /// Whether number and name are one partner's.
    pub(super) tin_status: TinStatus,
    /// In your own words, for the audit trail.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    pub(super) comment: Option<String>,
}

/// An operator's rejection of a profile.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "The holder is not the partner"}))]
pub struct ProfileRejection {
    /// The fault of the profile; the partner reads this reason.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    pub(super) reason: String,
}

/// An operator's decision that money need not wait after a change of the bank account.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Confirmed by telephone, at the number on record"}))]
pub struct CoolingOffRelease {
    /// How the change was confirmed, for the audit trail.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    pub(super) reason: String,
}
