//! The tax document of a partner; no I/O, no clock, no HTTP.

use super::{
    Secret,
    model::{Profile, ProfileTerms},
};
use crate::{
    platform::{
        FieldError,
        values::{CalendarDate, Country, Words, text_enum},
    },
    text,
};

text_enum! {
    /// A document that says how a partner is taxed.
    pub enum TaxForm {
        /// US form W-9.
        W9 = "w9",
        /// US form W-8BEN-E.
        W8BenE = "w8_ben_e",
        /// Registration for value added tax.
        Vat = "vat",
        /// Another document.
        Other = "other",
    }
}

text_enum! {
    /// Whether the tax number and the name are one partner's, as the authority says.
    #[derive(Default)]
    pub enum TinStatus {
        /// Nobody has asked the authority yet.
        #[default]
        Unverified = "unverified",
        /// The authority knows the number by this name.
        Matched = "matched",
        /// The authority knows the number by another name, or not at all.
        Mismatched = "mismatched",
    }
}

impl TaxForm {
    /// The last day of a document of this form that was signed on a day; none of a form that does not expire, or whose
    /// documents say themselves until when they hold.
    #[must_use]
    pub fn last_day(self, signed_on: CalendarDate) -> Option<CalendarDate> {
        match self {
            // The end of the third calendar year after the signature.
            Self::W8BenE => CalendarDate::new(signed_on.year().saturating_add(3), 12, 31),
            Self::W9 | Self::Vat | Self::Other => None,
        }
    }
}

/// The tax document of a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxTerms {
    /// The kind of document.
    pub form: TaxForm,
    /// The country that taxes the partner.
    pub tax_country: Country,
    /// The partner's tax number.
    pub tax_id: Secret,
    /// The day the document was signed.
    pub signed_on: CalendarDate,
    /// The last day the document holds; none of a document that does not expire.
    pub expires_on: Option<CalendarDate>,
}

/// The notes of a tax profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaxNotes {
    /// Whether the tax number is the partner's.
    pub tin_status: TinStatus,
}

impl ProfileTerms for TaxTerms {
    type Notes = TaxNotes;
    const RECORD: &'static str = "tax_profile";
    const FILING: &'static str = "PutTaxProfile";
    const NAME: Words<'static> = Words::new("tax profile", "税務情報");

    fn faults(&self, today: CalendarDate) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let derived = self.form.last_day(self.signed_on);
        if self.signed_on > today {
            let message = text!(
                "the signature lies after today, {today}; file the document once it is signed",
                "署名日が本日（{today}）より後の日付です。署名済みの書類を提出してください。"
            );
            faults.push(FieldError::new("/signed_on", "in_the_future", message));
        }
        if self.form != TaxForm::Other && self.expires_on != derived {
            let message = text!(
                "leave it out: the form and the day of the signature say until when the document holds",
                "有効期限は書類の種類と署名日から決まります。この項目は指定しないでください。"
            );
            faults.push(FieldError::new("/expires_on", "unexpected", message));
        } else if self.expires_on.is_some_and(|last| last < today) {
            let field = if derived.is_some() { "/signed_on" } else { "/expires_on" };
            let message = text!(
                "the document expired before today, {today}; file one that holds",
                "書類の有効期限が本日（{today}）より前に切れています。有効な書類を提出してください。"
            );
            faults.push(FieldError::new(field, "in_the_past", message));
        }
        faults
    }

    fn expires_on(&self) -> Option<CalendarDate> {
        self.expires_on
    }

    fn notes_after(&self, before: &Profile<Self>, _: Option<CalendarDate>) -> TaxNotes {
        let of = |terms: &Self| (terms.tax_id.clone(), terms.tax_country);
        if of(self) == of(&before.terms) { before.notes } else { TaxNotes::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_w8_holds_to_the_end_of_the_third_year_after_its_signature_and_others_have_no_end() {
        let day = |text: &str| text.parse::<CalendarDate>().unwrap();
        for signed in ["2026-01-01", "2026-12-31"] {
            assert_eq!(TaxForm::W8BenE.last_day(day(signed)), Some(day("2029-12-31")));
        }
        for form in [TaxForm::W9, TaxForm::Vat, TaxForm::Other] {
            assert_eq!(form.last_day(day("2026-01-01")), None);
        }
    }
}
