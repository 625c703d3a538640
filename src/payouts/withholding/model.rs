//! Rates of withheld tax, and which of them holds; no I/O, no clock, no HTTP.

use crate::{
    network::profiles::{Profile, ProfileState, TaxForm, TaxTerms, TinStatus},
    platform::{
        FieldError,
        values::{CalendarDate, Country, Id, Rate, Timestamp, text_enum},
    },
    schema::withholding_rates,
    text,
};
use diesel::prelude::*;

text_enum! {
    /// What is known of a payee's tax form on a day.
    pub enum FormState {
        /// A W-9 whose tax number the authority knows by the payee's name.
        W9Matched = "w9_matched",
        /// A W-9 whose tax number the authority has not confirmed.
        W9Unmatched = "w9_unmatched",
        /// A W-8BEN-E that holds.
        W8 = "w8",
        /// A registration for value added tax that holds.
        Vat = "vat",
        /// Another document that holds.
        Other = "other",
        /// No document that is approved and holds.
        None = "none",
    }
}

text_enum! {
    /// What is paid.
    pub enum EarningKind {
        /// A price reduction.
        Rebate = "rebate",
        /// A marketing service.
        CoOp = "co_op",
    }
}

text_enum! {
    /// Why tax is withheld.
    pub enum WithholdingKind {
        /// Nothing is withheld.
        None = "none",
        /// At the rate of a treaty.
        Treaty = "treaty",
        /// At the rate of the law where no treaty and no form says otherwise.
        Statutory = "statutory",
        /// Because the tax number is not confirmed.
        Backup = "backup",
        /// By the law of the payee's country.
        Local = "local",
    }
}

/// A rate of withheld tax, and the days it holds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = withholding_rates, treat_none_as_default_value = false)]
pub struct WithholdingRate {
    /// UUID of version 7.
    pub id: Id,
    /// The country of the payee; none of a rate for every country that has no rate of its own.
    pub payee_country: Option<Country>,
    /// What is known of the payee's tax form.
    pub form_state: FormState,
    /// What is paid.
    pub earning: EarningKind,
    /// Why tax is withheld.
    pub kind: WithholdingKind,
    /// The part of each line that is withheld.
    pub rate: Rate,
    /// The first day the rate holds.
    pub valid_from: CalendarDate,
    /// The last day the rate holds; none of a rate without an end.
    pub valid_to: Option<CalendarDate>,
    /// When the rate was added.
    pub created_at: Timestamp,
    /// The user who added the rate; none of a rate that the service came with.
    pub created_by: Option<Id>,
}

/// A rate to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewWithholdingRate {
    /// Whom and what the rate is for.
    pub key: WithholdingKey,
    /// Why tax is withheld.
    pub kind: WithholdingKind,
    /// The part of each line that is withheld.
    pub rate: Rate,
    /// The first day the rate holds.
    pub valid_from: CalendarDate,
}

/// Whom and what a rate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithholdingKey {
    /// The country of the payee; none for every country without a rate of its own.
    pub payee_country: Option<Country>,
    /// What is known of the payee's tax form.
    pub form_state: FormState,
    /// What is paid.
    pub earning: EarningKind,
}

impl FormState {
    /// What a tax profile says on a day; a profile that is not approved or does not hold says nothing.
    #[must_use]
    pub fn of(profile: Option<&Profile<TaxTerms>>, day: CalendarDate) -> Self {
        let Some(profile) = profile.filter(|profile| profile.state_on(day) == ProfileState::Approved) else {
            return Self::None;
        };
        match (profile.terms.form, profile.notes.tin_status) {
            (TaxForm::W9, TinStatus::Matched) => Self::W9Matched,
            (TaxForm::W9, TinStatus::Unverified | TinStatus::Mismatched) => Self::W9Unmatched,
            (TaxForm::W8BenE, _) => Self::W8,
            (TaxForm::Vat, _) => Self::Vat,
            (TaxForm::Other, _) => Self::Other,
        }
    }
}

impl WithholdingRate {
    /// Whom and what the rate is for.
    #[must_use]
    pub fn key(&self) -> WithholdingKey {
        let Self { payee_country, form_state, earning, .. } = *self;
        WithholdingKey { payee_country, form_state, earning }
    }

    fn holds_on(&self, day: CalendarDate) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|last| day <= last)
    }

    /// The rate for a payee and an earning on a day: that of the payee's country, else that of every country; none where
    /// no rate holds.
    #[must_use]
    pub fn choose(rates: &[Self], key: WithholdingKey, day: CalendarDate) -> Option<&Self> {
        let of = |key: WithholdingKey| rates.iter().find(|rate| rate.key() == key && rate.holds_on(day));
        of(key).or_else(|| of(WithholdingKey { payee_country: None, ..key }))
    }
}

impl NewWithholdingRate {
    /// The faults of a rate that is added on the day `today`: the past never changes.
    #[must_use]
    pub fn faults(&self, today: CalendarDate) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let withholds = self.rate != Rate::ZERO;
        match self.kind {
            WithholdingKind::None if withholds => {
                let message = text!(
                    "where nothing is withheld the rate is 0",
                    "源泉徴収を行わない場合の税率は 0 です。"
                );
                faults.push(FieldError::new("/rate", "nothing_withheld", message));
            }
            WithholdingKind::Statutory | WithholdingKind::Backup | WithholdingKind::Local if !withholds => {
                let message = text!(
                    "a rate above 0, or the kind `none`",
                    "0 より大きい税率を指定するか、区分を `none` としてください。"
                );
                faults.push(FieldError::new("/rate", "rate_missing", message));
            }
            _ => {}
        }
        if self.valid_from < today {
            let message = text!(
                "payments before today, {today}, are withheld already: begin today or later",
                "本日（{today}）より前の支払いには源泉徴収が適用済みです。適用開始日は本日以降としてください。"
            );
            faults.push(FieldError::new("/valid_from", "in_the_past", message));
        }
        faults
    }
}

#[cfg(test)]
mod tests;
