//! Profiles as the API and the audit trail show them: numbers masked.

use super::{
    PayoutTerms, ProfileState, TaxForm, TaxTerms,
    model::{Profile, ProfileTerms},
};
use crate::{
    network::partners::Transition,
    platform::values::{CalendarDate, Country, Currency, Id, Timestamp},
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
    /// The end of the account number; the whole number is never shown, not even to its owner.
    #[schema(min_length = 5, max_length = 8, pattern = r"^\*{4}.{1,4}$", examples("****3000"))]
    account_masked: String,
    /// The country of the bank.
    bank_country: Country,
    /// The currency the account is held in.
    currency: Currency,
    /// The state of the profile.
    state: ProfileState,
    /// The reason of a rejection; null without one.
    #[schema(max_length = 1000, examples("The holder is not the partner"))]
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
    /// The last day the document holds; null of a document that does not expire.
    expires_on: Option<CalendarDate>,
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
    /// The view of a profile with its state on the day `today`.
    fn shown(profile: Profile<Self>, today: CalendarDate) -> Self::View;
}

impl ShownTerms for PayoutTerms {
    const SEGMENT: &'static str = "payout-profile";
    type View = PayoutProfileView;

    fn shown(profile: Profile<Self>, today: CalendarDate) -> PayoutProfileView {
        let state = profile.state_on(today);
        PayoutProfileView {
            id: profile.id,
            partner_id: profile.partner_id,
            holder: profile.terms.holder,
            account_masked: profile.terms.account_number.masked(),
            bank_country: profile.terms.bank_country,
            currency: profile.terms.currency,
            state,
            rejection_reason: profile.rejection_reason,
            allowed_transitions: transitions(state),
            created_at: profile.created_at,
            updated_at: profile.updated_at,
            revision: profile.revision,
        }
    }
}

impl ShownTerms for TaxTerms {
    const SEGMENT: &'static str = "tax-profile";
    type View = TaxProfileView;

    fn shown(profile: Profile<Self>, today: CalendarDate) -> TaxProfileView {
        let state = profile.state_on(today);
        TaxProfileView {
            id: profile.id,
            partner_id: profile.partner_id,
            form: profile.terms.form,
            tax_country: profile.terms.tax_country,
            tax_id_masked: profile.terms.tax_id.masked(),
            expires_on: profile.terms.expires_on,
            state,
            rejection_reason: profile.rejection_reason,
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
