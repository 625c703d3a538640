//! A check as it is stored with an evaluation and sent to clients.

use super::{
    model::{Account, Check, Verdict},
    words::{CheckStatus, CheckWarning, EligibilityCode, EligibilityRule, EvidenceKind},
};
use crate::platform::values::{CalendarDate, Id, Locale, Text};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How one eligibility rule came out for a partner on a day, as it is stored: in the words of every language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EligibilityCheck {
    /// The rule.
    pub rule: EligibilityRule,
    /// How it came out.
    pub status: CheckStatus,
    /// Stable reason where it is unmet.
    pub code: Option<EligibilityCode>,
    /// The finding in words.
    pub message: Text,
    /// The records it rests on.
    pub evidence: Vec<EligibilityEvidence>,
    /// The remedy and its place.
    pub remedy: Option<Text>,
    /// The first day a met rule is no longer met if nothing changes.
    pub lapses_on: Option<CalendarDate>,
    /// Why a met rule may soon not be.
    pub warning: Option<CheckWarning>,
    /// The checks of the alternatives.
    pub checks: Vec<EligibilityCheck>,
}

/// How one eligibility rule came out for a partner on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EligibilityCheck, example = json!({
    "rule": "mpn_agreement",
    "status": "unmet",
    "code": "mpn_agreement_expired",
    "message": "MPN agreement A-100 expired on 2019-06-30; its renewal window ended on 2019-07-30.",
    "evidence": [{
        "type": "mpn_agreement",
        "id": "01936f2e-4b00-7000-8000-000000000001",
        "href": "/v1/mpn-agreements/01936f2e-4b00-7000-8000-000000000001"
    }],
    "remedy": "Renew the MPN agreement: POST /v1/mpn-agreements/01936f2e-4b00-7000-8000-000000000001/renewal",
    "lapses_on": null,
    "warning": null,
    "checks": []
}))]
pub struct EligibilityCheckView {
    /// The rule.
    pub rule: EligibilityRule,
    /// How it came out.
    pub status: CheckStatus,
    /// Stable reason where it is unmet, else null. An `any_of` gives the first of its alternatives; the
    /// others stand in `checks`.
    #[schema(required)]
    pub code: Option<EligibilityCode>,
    /// The finding in words for people, in the language of the answer.
    #[schema(max_length = 2000, examples("MPN agreement A-100 is active."))]
    pub message: String,
    /// The records it rests on; of many, the latest.
    #[schema(max_items = 20)]
    pub evidence: Vec<EligibilityEvidence>,
    /// The remedy and its place; null where there is nothing to do.
    #[schema(required, max_length = 2000, examples("Record the MPN agreement: POST /v1/mpn-agreements"))]
    pub remedy: Option<String>,
    /// The first day a met rule is no longer met if nothing changes; null where nothing known ends it.
    #[schema(required)]
    pub lapses_on: Option<CalendarDate>,
    /// Why a met rule may soon not be.
    #[schema(required)]
    pub warning: Option<CheckWarning>,
    /// The checks of the alternatives, for `any_of`; else empty.
    #[schema(max_items = 20, no_recursion)]
    pub checks: Vec<EligibilityCheckView>,
}

/// A record that an eligibility check rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "type": "reseller_agreement",
    "id": "01936f2e-4b00-7000-8000-000000000001",
    "href": "/v1/reseller-agreements/01936f2e-4b00-7000-8000-000000000001"
}))]
pub struct EligibilityEvidence {
    /// The kind of the record.
    #[serde(rename = "type")]
    pub kind: EvidenceKind,
    /// The record.
    pub id: Id,
    /// Where to read it.
    #[schema(max_length = 200, examples("/v1/transactions/01936f2e-4b00-7000-8000-000000000001"))]
    pub href: String,
}

impl Verdict<'_> {
    /// The checks as they are stored and sent.
    #[must_use]
    pub fn view(&self) -> Vec<EligibilityCheck> {
        self.checks.iter().map(EligibilityCheck::from).collect()
    }
}

impl EligibilityCheckView {
    /// A check in the words of one language.
    #[must_use]
    pub fn of(check: EligibilityCheck, language: Locale) -> Self {
        Self {
            rule: check.rule,
            status: check.status,
            code: check.code,
            message: check.message.into_language(language),
            evidence: check.evidence,
            remedy: check.remedy.map(|remedy| remedy.into_language(language)),
            lapses_on: check.lapses_on,
            warning: check.warning,
            checks: Self::all(check.checks, language),
        }
    }

    /// Checks in the words of one language.
    #[must_use]
    pub fn all(checks: Vec<EligibilityCheck>, language: Locale) -> Vec<Self> {
        checks.into_iter().map(|check| Self::of(check, language)).collect()
    }
}

impl From<&Check<'_>> for EligibilityCheck {
    fn from(check: &Check<'_>) -> Self {
        let Account { message, remedy, evidence } = check.account();
        Self {
            rule: check.rule,
            status: check.status,
            code: check.code,
            message,
            evidence,
            remedy,
            lapses_on: check.lapses_on,
            warning: check.warning,
            checks: check.nested.iter().map(Self::from).collect(),
        }
    }
}
