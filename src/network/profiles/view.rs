//! Profiles as the API and the audit trail show them: numbers masked.

use super::{
    AccountFault, AccountFaultCode, BankAccount, PostalAddressBody, ProfileState, RoutingBody, TaxForm,
    TaxTerms, TinStatus,
    model::{Profile, ProfileTerms},
};
use crate::{
    network::partners::Transition,
    platform::values::{CalendarDate, Country, Currency, Id, Locale, Timestamp},
};
use serde::Serialize;
use utoipa::ToSchema;

/// The account that a partner is paid to.
#[derive(Serialize, ToSchema)]
#[schema(as = PayoutProfile)]
pub(super) struct PayoutProfileView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The partner that files the profile.
    partner_id: Id,
    /// Holder of the account.
    #[schema(max_length = 200, examples("Contoso Cloud GmbH"))]
    holder: String,
    /// The holder in Latin letters; null where `holder` is written in them.
    #[schema(max_length = 70)]
    holder_latin: Option<String>,
    /// The end of the IBAN or account number; the whole number is never shown, not even to its owner.
    #[schema(min_length = 5, max_length = 8, pattern = r"^\*{4}.{1,4}$", examples("****3000"))]
    account_masked: String,
    /// The bank of an account without an IBAN; null of an account with one.
    routing: Option<RoutingBody>,
    /// The country of the bank.
    bank_country: Country,
    /// The bank's identifier; null where none was given.
    #[schema(min_length = 8, max_length = 11, examples("COBADEFFXXX"))]
    bic: Option<String>,
    /// The address of the holder; null of an account that was filed before addresses were asked for.
    address: Option<PostalAddressBody>,
    /// A currency the account takes.
    currency: Currency,
    /// The state of the profile.
    state: ProfileState,
    /// The reason of a rejection; null without one.
    #[schema(max_length = 1000, examples("The holder is not the partner"))]
    rejection_reason: Option<String>,
    /// Everything that keeps a bank file from naming the account: a profile with an entry has to be filed again.
    #[schema(max_items = 20)]
    missing: Vec<MissingPart>,
    /// The last day on which money waits because the bank account was changed; null where none waits for that.
    cooling_off_until: Option<CalendarDate>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 3, examples(json!(["approval", "rejection"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// Something that keeps a bank file from naming an account.
#[derive(Serialize, ToSchema)]
pub(super) struct MissingPart {
    /// Stable code.
    code: AccountFaultCode,
    /// The field to mend, as a JSON pointer into the profile as it is filed.
    #[schema(max_length = 100, examples("/address/town"))]
    field: String,
    /// What is wrong and how to mend it.
    #[schema(
        max_length = 300,
        examples("banks refuse payments without the town of the holder's address: give it")
    )]
    detail: &'static str,
}

/// The tax document of a partner.
#[derive(Serialize, ToSchema)]
#[schema(as = TaxProfile)]
pub(super) struct TaxProfileView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The partner that files the profile.
    partner_id: Id,
    /// The kind of document.
    form: TaxForm,
    /// The country that taxes the partner.
    tax_country: Country,
    /// The end of the tax number; the whole number is never shown, not even to its owner.
    #[schema(min_length = 5, max_length = 8, pattern = r"^\*{4}.{1,4}$", examples("****6789"))]
    tax_id_masked: String,
    /// The day the document was signed.
    signed_on: CalendarDate,
    /// The last day the document holds; null of a document that does not expire.
    expires_on: Option<CalendarDate>,
    /// Whether the tax authority knows the number by the partner's name.
    tin_status: TinStatus,
    /// The state of the profile today: an expired profile is `action_required`.
    state: ProfileState,
    /// The reason of a rejection; null without one.
    #[schema(max_length = 1000, examples("The document is not signed"))]
    rejection_reason: Option<String>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 2, examples(json!(["approval", "rejection"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// Profile terms with a view, in which secrets are masked.
pub(super) trait ShownTerms: ProfileTerms {
    /// The last segment of the profile's address.
    const SEGMENT: &'static str;
    type View: Serialize;
    /// The view of a profile with its state on the day `today`, and its words in a language.
    fn shown(profile: Profile<Self>, today: CalendarDate, language: Locale) -> Self::View;
}

impl ShownTerms for BankAccount {
    const SEGMENT: &'static str = "payout-profile";
    type View = PayoutProfileView;

    fn shown(profile: Profile<Self>, today: CalendarDate, language: Locale) -> PayoutProfileView {
        let (state, cools_off) = (profile.state_on(today), profile.notes.cools_off_on(today));
        let mut allowed_transitions = transitions(state);
        if cools_off && state == ProfileState::Approved {
            allowed_transitions.push(Transition("cooling-off-release"));
        }
        let missing = |fault: AccountFault| MissingPart {
            code: fault.code,
            detail: fault.detail(language),
            field: fault.field.into_owned(),
        };
        let missing = profile.terms.faults().into_iter().map(missing).collect();
        let terms = profile.terms;
        PayoutProfileView {
            id: profile.id,
            partner_id: profile.partner_id,
            account_masked: terms.masked_number(),
            holder: terms.holder,
            holder_latin: terms.holder_latin,
            routing: terms.routing.map(RoutingBody::from),
            bank_country: terms.bank_country,
            bic: terms.bic,
            address: terms.address.map(PostalAddressBody::from),
            currency: terms.currency,
            state,
            rejection_reason: profile.rejection_reason.map(|reason| reason.into_language(language)),
            missing,
            cooling_off_until: profile.notes.cooling_off_until.filter(|_| cools_off),
            allowed_transitions,
            created_at: profile.created_at,
            updated_at: profile.updated_at,
            revision: profile.revision,
        }
    }
}

impl ShownTerms for TaxTerms {
    const SEGMENT: &'static str = "tax-profile";
    type View = TaxProfileView;

    fn shown(profile: Profile<Self>, today: CalendarDate, language: Locale) -> TaxProfileView {
        let state = profile.state_on(today);
        TaxProfileView {
            id: profile.id,
            partner_id: profile.partner_id,
            form: profile.terms.form,
            tax_country: profile.terms.tax_country,
            tax_id_masked: profile.terms.tax_id.masked(),
            signed_on: profile.terms.signed_on,
            expires_on: profile.terms.expires_on,
            tin_status: profile.notes.tin_status,
            state,
            rejection_reason: profile.rejection_reason.map(|reason| reason.into_language(language)),
            allowed_transitions: transitions(state),
            created_at: profile.created_at,
            updated_at: profile.updated_at,
            revision: profile.revision,
        }
    }
}

fn transitions(state: ProfileState) -> Vec<Transition> {
    state.allowed().into_iter().map(Transition).collect()
}
