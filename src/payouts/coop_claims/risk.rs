//! What makes a claim look twice at: marks by which claims are compared, and the risks. No I/O, no clock, no HTTP.

use super::{
    assessment::ProofFact,
    model::{Claim, Expense, ExpenseSource},
};
use crate::{
    platform::values::{CalendarDate, Id, Period, folded, text_enum},
    schema::coop_claim_marks,
};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

/// The days within which the same amount is a risk.
pub const SAME_AMOUNT_DAYS: i32 = 30;
/// The most claims a day of one partner that are no risk.
pub const USUAL_CLAIMS_A_DAY: i64 = 3;

text_enum! {
    /// The kind of a mark.
    pub enum MarkKind {
        /// The hash of a proof.
        Proof = "proof",
        /// A supplier with the number of its invoice, both without case, accents, spaces and punctuation.
        Invoice = "invoice",
        /// A net amount with its currency.
        Amount = "amount",
    }
}

/// What a submitted claim can be recognised by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Queryable, Selectable, Insertable)]
#[diesel(table_name = coop_claim_marks, treat_none_as_default_value = false)]
pub struct Mark {
    /// The kind.
    pub kind: MarkKind,
    /// The value that is compared.
    pub value: String,
    /// The claim.
    pub claim_id: Id,
    /// The day of the expense; of a proof, the last day of the activity.
    pub day: CalendarDate,
}

text_enum! {
    /// The kind of a risk.
    pub enum RiskKind {
        /// Another claim has the same proof.
        SameProof = "same_proof",
        /// Another claim has the same invoice of the same supplier.
        SameInvoice = "same_invoice",
        /// Another claim has the same amount within 30 days.
        SameAmount = "same_amount",
        /// An invoice lies outside the days on which the fund is used.
        OutsideUsagePeriod = "outside_usage_period",
        /// The supplier is the partner itself.
        OwnCompany = "own_company",
        /// The partner has submitted more than three claims on the day.
        ManyClaims = "many_claims",
    }
}

/// A risk of a claim, which programme staff sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// The kind.
    pub kind: RiskKind,
    /// The expense; none of a risk of the whole claim.
    pub expense_id: Option<Id>,
    /// The other claim; none where no other claim is concerned.
    pub other_claim_id: Option<Id>,
}

/// The facts the risks of a claim follow from.
#[derive(Clone, Copy)]
pub struct RiskFacts<'a> {
    /// The marks of other claims that have a value of this claim's marks.
    pub others: &'a [Mark],
    /// The days on which the fund is used.
    pub usage: Period,
    /// The legal name of the partner.
    pub legal_name: &'a str,
    /// The claims that the partner has submitted on the day of this one, with this one.
    pub submitted_on_day: i64,
    /// The proofs of the claim.
    pub proofs: &'a [ProofFact],
}

/// The marks of a claim.
#[must_use]
pub fn marks(claim: &Claim, proofs: &[ProofFact]) -> Vec<Mark> {
    let mark = |kind, value, day| Mark { kind, value, claim_id: claim.id, day };
    let mut marks: Vec<Mark> = proofs
        .iter()
        .map(|proof| mark(MarkKind::Proof, proof.sha256.clone(), claim.activity_to))
        .chain(claim.expenses.0.iter().flat_map(|expense| {
            let invoice = invoice_of(expense).map(|value| mark(MarkKind::Invoice, value, expense.on));
            invoice.into_iter().chain([mark(MarkKind::Amount, amount_of(expense), expense.on)])
        }))
        .collect();
    marks.sort_by(|one, other| (one.kind, &one.value, one.day).cmp(&(other.kind, &other.value, other.day)));
    marks.dedup();
    marks
}

/// The risks of a claim.
#[must_use]
pub fn risks(claim: &Claim, facts: RiskFacts<'_>) -> Vec<Risk> {
    let whole = |kind, other| Risk { kind, expense_id: None, other_claim_id: other };
    let mut risks = Vec::new();
    let same_as = |kind, value: &str| {
        facts.others.iter().filter(move |mark| mark.kind == kind && mark.value == value).collect::<Vec<_>>()
    };
    for proof in facts.proofs {
        for mark in same_as(MarkKind::Proof, &proof.sha256) {
            let (kind, expense_id) = (RiskKind::SameProof, proof.expense_id);
            risks.push(Risk { kind, expense_id, other_claim_id: Some(mark.claim_id) });
        }
    }
    for expense in &claim.expenses.0 {
        let of = |kind, other| Risk { kind, expense_id: Some(expense.id), other_claim_id: other };
        if let Some(invoice) = invoice_of(expense) {
            let same = same_as(MarkKind::Invoice, &invoice);
            risks.extend(same.iter().map(|mark| of(RiskKind::SameInvoice, Some(mark.claim_id))));
        }
        let near = |mark: &&&Mark| mark.day.days_until(expense.on).abs() <= SAME_AMOUNT_DAYS;
        let same = same_as(MarkKind::Amount, &amount_of(expense));
        risks.extend(same.iter().filter(near).map(|mark| of(RiskKind::SameAmount, Some(mark.claim_id))));
        if !facts.usage.contains(expense.on) {
            risks.push(of(RiskKind::OutsideUsagePeriod, None));
        }
        if let ExpenseSource::Invoice { supplier, .. } = &expense.source
            && compared(supplier) == compared(facts.legal_name)
        {
            risks.push(of(RiskKind::OwnCompany, None));
        }
    }
    if facts.submitted_on_day > USUAL_CLAIMS_A_DAY {
        risks.push(whole(RiskKind::ManyClaims, None));
    }
    risks.sort_by_key(|risk| (risk.kind, risk.expense_id, risk.other_claim_id));
    risks.dedup();
    risks.truncate(100);
    risks
}

/// A supplier with the number of its invoice, as both are compared.
fn invoice_of(expense: &Expense) -> Option<String> {
    match &expense.source {
        ExpenseSource::Invoice { supplier, number } => {
            Some(format!("{} {}", compared(supplier), compared(number)))
        }
        ExpenseSource::OwnService => None,
    }
}

fn amount_of(expense: &Expense) -> String {
    format!("{} {}", expense.net.currency, expense.net.minor)
}

/// A text without case, accents, spaces and punctuation.
fn compared(text: &str) -> String {
    folded(text).chars().filter(|letter| letter.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suppliers_and_invoice_numbers_are_compared_without_case_spaces_and_punctuation() {
        assert_eq!(compared("M\u{fc}ller & Co. GmbH"), compared("MULLER CO GMBH"));
        assert_eq!(compared("INV-2026/000318"), compared("inv 2026 000318"));
        assert_ne!(compared("INV-2026-000318"), compared("INV-2026-000319"));
    }
}
