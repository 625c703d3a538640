//! The facts a claim is assessed by, read from the database by a constant number of statements.

use super::{
    assessment::{Assessment, ClaimFacts, ProofFact},
    model::{Claim, Expense},
    risk::{self, Mark, Risk, RiskFacts},
    store,
};
use crate::{
    access::Tx,
    ledger::accounting::{
        self,
        coop_funds::{self, CoopFund},
    },
    network::partners,
    participation::{
        enrollments,
        programs::{self, CoopActivity, ProgramVersion},
    },
    platform::{
        Result,
        values::{CalendarDate, ExchangeRates, Leftover, Period, Text},
    },
};

/// The name of a claim's activity.
pub fn activity_name(tx: &mut Tx<'_>, claim: &Claim) -> Result<Text> {
    Ok(ClaimTerms::load(tx, claim)?.name_of_activity(claim))
}

/// The facts about one claim.
pub(super) struct ClaimTerms {
    pub fund: CoopFund,
    pub version: ProgramVersion,
    pub holidays: Vec<CalendarDate>,
    pub rates: ExchangeRates,
    pub proofs: Vec<ProofFact>,
    used: i64,
}

impl ClaimTerms {
    pub(super) fn load(tx: &mut Tx<'_>, claim: &Claim) -> Result<Self> {
        let fund = coop_funds::get(tx, claim.fund_id)?;
        let enrollment = enrollments::get(tx, claim.enrollment_id)?.enrollment;
        let version = programs::get_version(tx, enrollment.program_id, enrollment.version)?;
        let program = programs::get(tx, enrollment.program_id)?;
        let months = || claim.expenses.0.iter().map(Expense::month).chain([fund.last_month]);
        let (from, to) = (months().min(), months().max());
        let (from, to) = (from.unwrap_or(fund.last_month), to.unwrap_or(fund.last_month));
        let rates = accounting::rates(tx, Period { from: from.first_day(), to: to.last_day() })?;
        let proofs = store::proofs(tx, claim)?;
        let used = store::used(tx, &fund, Some(claim.id))?.remove(&claim.activity).unwrap_or_default();
        Ok(Self { fund, version, holidays: program.holidays.0, rates, proofs, used })
    }

    fn activity_of(&self, claim: &Claim) -> Option<&CoopActivity> {
        self.version.coop_activities.0.iter().find(|one| one.code == claim.activity)
    }

    /// The name of the claim's activity; the code where the catalogue does not know the code.
    pub(super) fn name_of_activity(&self, claim: &Claim) -> Text {
        let name = self.activity_of(claim).map(|activity| activity.name.clone());
        name.map_or_else(
            || Text::new(claim.activity.clone(), claim.activity.clone()),
            |name| Text::new(name.en, name.ja),
        )
    }

    /// What the claim would be paid on a day.
    pub(super) fn assess(&self, claim: &Claim, today: CalendarDate) -> Assessment {
        let activity = self.activity_of(claim);
        let facts = ClaimFacts {
            fund: &self.fund,
            own: claim.committed,
            activity,
            used: self.used,
            rates: &self.rates,
            proofs: &self.proofs,
            today,
        };
        Assessment::of(claim, facts)
    }

    /// Whether one reviewer decides alone: no risk, and not more than the version's amount, converted by the rate of the fund's
    /// last month. Without the rate two reviewers decide.
    pub(super) fn one_decides(&self, claim: &Claim) -> bool {
        let (month, most) = (self.fund.last_month, self.version.fast_track_amount());
        let most = self.rates.convert(month, most, claim.currency, Leftover::Down);
        !claim.is_risky && most.is_some_and(|most| i128::from(claim.committed) <= most)
    }

    /// The marks of the claim, and the risks that follow from the claims there are.
    pub(super) fn risks(&self, tx: &mut Tx<'_>, claim: &Claim) -> Result<ClaimRisks> {
        let marks = risk::marks(claim, &self.proofs);
        let others = store::same_marks(tx, claim.id, &marks)?;
        let partner = partners::get(tx, claim.partner_id)?;
        let day = claim.submitted_at.unwrap_or(tx.now).date();
        let submitted_on_day = store::submitted_on(tx, claim.partner_id, day)?;
        let facts = RiskFacts {
            others: &others,
            usage: self.fund.half().usage(),
            legal_name: &partner.legal_name,
            // The claim itself is not on record as submitted before its first submission.
            submitted_on_day: submitted_on_day + i64::from(claim.submitted_at.is_none()),
            proofs: &self.proofs,
        };
        Ok(ClaimRisks { risks: risk::risks(claim, facts), marks })
    }
}

/// The risks of a claim, with the marks they were found by.
pub(super) struct ClaimRisks {
    pub risks: Vec<Risk>,
    pub marks: Vec<Mark>,
}
