//! Gathers the summary of a partner, by one query for each cap and a constant number of others; the number does not
//! grow with the sales.

use super::summary_view::{
    PartnerSummary, SummaryCap, SummaryCapUse, SummaryClaim, SummaryEarned, SummaryEnrollment,
    SummaryExpectedPayment, SummaryHold, SummaryLapse, SummaryLoss, SummaryNextTier, SummaryPayment,
    SummaryTier,
};
use crate::{
    access::Tx,
    earnings::{
        calculation::{self, CapUsed, LeverVolume},
        engine::{CapHolder, scale},
    },
    ledger::{
        accounting::{
            self, PaymentStandings, PaymentWait, Rebate, RebateReason, RebateState,
            coop_funds::{self, CoopFundView, FundRange},
        },
        forfeitures::{self, Forfeiture, UpcomingLoss},
    },
    network::partners::{self, Partner},
    participation::{
        eligibility,
        enrollments::{self, Enrollment, EnrollmentKeys, ProgramEnrollment},
        programs::{self, CapScope, Program, ProgramInEffect, ProgramVersion, Tiers},
    },
    platform::{
        Result,
        values::{CalendarDate, Currency, Id, Locale, Money, Month},
    },
    sales::transactions::backlog::{self, Whom},
};
use std::collections::{BTreeMap, HashMap};

/// The most customers near their cap that the summary names.
const NEAREST: i64 = 5;

/// The days ahead in which the summary names lapsing facts.
const AHEAD: i32 = 90;

/// The summary of a partner's enrollments today.
pub(super) fn summary(tx: &mut Tx<'_>, partner: Id) -> Result<PartnerSummary> {
    let partner = partners::get(tx, partner)?;
    let (today, month) = (tx.today(), Month::of(tx.today()));
    let program_year = programs::program_year_of(today);
    let mut claims = coop_claims(tx, partner.id)?;
    let mut waiting = accounting::enrollments_waiting(tx, partner.id)?;
    waiting.extend(claims.keys());
    let enrolled = enrollments::open_or_since(tx, partner.id, program_year - 1, waiting)?;
    let ids: Vec<Id> = enrolled.iter().map(|(enrollment, _)| enrollment.id).collect();
    let of_partner = EnrollmentKeys { partner_id: partner.id, ids: &ids };
    let terms = calculation::terms_of(tx, &ids)?;
    let volumes = calculation::volumes(tx, of_partner)?;
    let rebates = accounting::rebates_of_all_months(tx, of_partner)?;
    let standings = accounting::payment_standings(tx, &[partner.id], &ids)?;
    let losses = forfeitures::announced(tx, &[partner.id])?;
    let mut funds = coop_funds(tx, partner.id)?;
    let months = accounting::months(tx)?;
    let next = PaymentFacts {
        standings: &standings,
        losses: &losses,
        paid_in: months.payment_month(today),
        language: tx.language,
    };
    let mut lapses = lapses(tx, &partner, &enrolled)?;
    let shown = enrolled.iter().map(|(enrollment, program)| ProgramEnrollment {
        enrollment: enrollment.clone(),
        program: program.code.clone(),
    });
    let views = enrollments::show(tx, shown.collect())?;
    let mut summaries = Vec::new();
    for ((enrollment, program), view) in enrolled.into_iter().zip(views) {
        let of_enrollment: Vec<&Rebate> =
            rebates.iter().filter(|rebate| rebate.enrollment_id == enrollment.id).collect();
        let versions = terms.iter().filter(|((id, _), _)| *id == enrollment.id);
        let version = current(versions.map(|(_, (_, version))| version), &enrollment, today);
        let goes_on = version.filter(|version| version.effective_to >= today);
        summaries.push(SummaryEnrollment {
            this_month: earned(of_enrollment.iter().copied().filter(|rebate| rebate.posted_in == month)),
            this_year: earned(of_enrollment.iter().copied()),
            tiers: goes_on.map(|version| tiers(&enrollment, version, &volumes, today)).unwrap_or_default(),
            caps: goes_on.map(|version| caps(tx, &enrollment, version)).transpose()?.unwrap_or_default(),
            next_payment: next.of(&of_enrollment),
            coop_funds: funds.remove(&enrollment.id).unwrap_or_default(),
            coop_claims: claims.remove(&enrollment.id).unwrap_or_default(),
            lapse: lapses.remove(&enrollment.id),
            enrollment: view,
            program_name: program.name,
        });
    }
    Ok(PartnerSummary {
        month,
        program_year,
        as_of: calculation::last_calculated(tx, partner.id)?,
        calculation_pending: backlog::length(tx, Whom::Only(partner.id))? > 0,
        payments: tx.expected_payments(partner.id)?.into_iter().map(SummaryExpectedPayment::from).collect(),
        partner_id: partner.id,
        enrollments: summaries,
    })
}

/// The partner's co-op funds, by enrollment.
fn coop_funds(tx: &mut Tx<'_>, partner: Id) -> Result<HashMap<Id, Vec<CoopFundView>>> {
    let funds = coop_funds::of_partners(tx, &[partner], FundRange::All)?;
    let enrolled: Vec<Id> = funds.iter().map(|fund| fund.enrollment_id).collect();
    let mut by_enrollment: HashMap<Id, Vec<CoopFundView>> = HashMap::new();
    for (enrollment, view) in enrolled.into_iter().zip(coop_funds::views(tx, funds)?) {
        by_enrollment.entry(enrollment).or_default().push(view);
    }
    Ok(by_enrollment)
}

/// The partner's co-op claims that are under way, by enrollment.
fn coop_claims(tx: &mut Tx<'_>, partner: Id) -> Result<HashMap<Id, Vec<SummaryClaim>>> {
    let mut by_enrollment: HashMap<Id, Vec<SummaryClaim>> = HashMap::new();
    for claim in tx.open_claims(partner)? {
        let of_enrollment = by_enrollment.entry(claim.enrollment_id).or_default();
        of_enrollment.push(SummaryClaim::of(claim, tx.language));
    }
    Ok(by_enrollment)
}

/// The program version of an enrollment's year that is in effect, else the last version of the year.
fn current<'a>(
    versions: impl Iterator<Item = &'a ProgramVersion>,
    enrollment: &Enrollment,
    today: CalendarDate,
) -> Option<&'a ProgramVersion> {
    versions
        .filter(|version| version.program_year == enrollment.program_year)
        .max_by_key(|version| (version.period().contains(today), version.effective_to))
}

fn earned<'a>(rebates: impl Iterator<Item = &'a Rebate>) -> Vec<SummaryEarned> {
    let mut sums: BTreeMap<Currency, SummaryEarned> = BTreeMap::new();
    for rebate in rebates {
        let zero = Money { minor: 0, currency: rebate.currency };
        let none = || SummaryEarned { rebate: zero, coop: zero, adjusted: zero, total: zero };
        let sum = sums.entry(rebate.currency).or_insert_with(none);
        sum.rebate.minor += rebate.earned;
        sum.coop.minor += rebate.coop;
        sum.adjusted.minor += rebate.adjusted;
        sum.total.minor += rebate.earned + rebate.coop + rebate.adjusted;
    }
    sums.into_values().collect()
}

fn tiers(
    enrollment: &Enrollment,
    version: &ProgramVersion,
    volumes: &[LeverVolume],
    today: CalendarDate,
) -> Vec<SummaryTier> {
    let mut found = Vec::new();
    for lever in &version.levers.0 {
        let Some(Tiers { period, tiers, .. }) = lever.tiers() else { continue };
        let period_from = period.begins(today);
        let counts = |of: &&LeverVolume| {
            (of.enrollment_id, of.lever.as_str()) == (enrollment.id, lever.code())
                && period.begins(of.month.first_day()) == period_from
        };
        let volume: i64 = volumes.iter().filter(counts).map(|of| of.counted).sum();
        let money = |minor| Money { minor, currency: version.currency };
        let next = scale::next_tier(tiers, volume);
        found.push(SummaryTier {
            lever: lever.code().to_owned(),
            name: lever.name().to_owned(),
            period,
            period_from,
            volume: money(volume),
            rate: tiers.iter().rev().find(|tier| tier.from.minor <= volume).map(|tier| tier.rate),
            next: next.map(|(missing, rate)| SummaryNextTier {
                from: money(volume + missing),
                missing: money(missing),
                rate,
            }),
        });
    }
    found
}

fn caps(tx: &mut Tx<'_>, enrollment: &Enrollment, version: &ProgramVersion) -> Result<Vec<SummaryCap>> {
    let mut found = Vec::new();
    for lever in &version.levers.0 {
        let Some(cap) = lever.cap() else { continue };
        let uses = calculation::cap_uses(tx, enrollment.key(), lever.code(), NEAREST)?;
        let money = |minor| Money { minor, currency: cap.amount.currency };
        let left = |used: i64| money((cap.amount.minor - used).max(0));
        let whole = uses.first().map(|it| it.used).unwrap_or_default();
        let whole = (cap.scope == CapScope::Partner).then_some(whole);
        let each = uses.into_iter().filter(|_| cap.scope == CapScope::Customer);
        found.push(SummaryCap {
            lever: lever.code().to_owned(),
            name: lever.name().to_owned(),
            scope: cap.scope,
            amount: cap.amount,
            used: whole.map(money),
            left: whole.map(left),
            customers: each
                .filter_map(|CapUsed { holder, used }| match holder {
                    CapHolder::Partner => None,
                    CapHolder::Customer(customer_id) => {
                        Some(SummaryCapUse { customer_id, used: money(used), left: left(used) })
                    }
                })
                .collect(),
        });
    }
    Ok(found)
}

/// What the next payments of a partner depend on.
struct PaymentFacts<'a> {
    standings: &'a PaymentStandings,
    losses: &'a [Forfeiture],
    paid_in: Month,
    language: Locale,
}

impl PaymentFacts<'_> {
    /// The next payment in each currency in which one of the enrollment's rebates is accruing, payable, held or in payment.
    fn of(&self, rebates: &[&Rebate]) -> Vec<SummaryPayment> {
        let mut by_currency: BTreeMap<Currency, Vec<&Rebate>> = BTreeMap::new();
        let under_way =
            [RebateState::Accruing, RebateState::Payable, RebateState::OnHold, RebateState::InPayment];
        for rebate in rebates.iter().filter(|rebate| under_way.contains(&rebate.state)) {
            by_currency.entry(rebate.currency).or_default().push(rebate);
        }
        by_currency.into_iter().filter_map(|(currency, rebates)| self.payment(currency, &rebates)).collect()
    }

    fn payment(&self, currency: Currency, rebates: &[&Rebate]) -> Option<SummaryPayment> {
        let enrollment = rebates.first()?.enrollment_id;
        let standing = self.standings.of(enrollment, currency)?;
        let zero = Money { minor: 0, currency };
        let sum = |state| {
            let of_state = rebates.iter().filter(|rebate| rebate.state == state);
            Money { minor: of_state.map(|rebate| rebate.amount().minor).sum(), currency }
        };
        let accruing = rebates.iter().filter(|rebate| rebate.state == RebateState::Accruing);
        let wait = standing.wait();
        Some(SummaryPayment {
            payable: standing.payable.unwrap_or(zero),
            paid_in: self.paid_in,
            accruing_from: accruing.map(|rebate| rebate.posted_in).max().map(|last| last.plus(1).first_day()),
            in_payment: sum(RebateState::InPayment),
            accruing: sum(RebateState::Accruing),
            threshold: standing.threshold.known(),
            missing: wait.and_then(PaymentWait::missing),
            reason: wait.map(PaymentWait::reason),
            on_hold: holds(rebates, currency, self.language),
            loss: UpcomingLoss::of(self.losses, enrollment, currency).map(|loss| SummaryLoss {
                cause: loss.cause,
                detail: loss.cause.detail(self.language),
                amount: loss.amount,
                forfeits_on: loss.from,
            }),
        })
    }
}

fn holds(rebates: &[&Rebate], currency: Currency, language: Locale) -> Vec<SummaryHold> {
    let mut holds: BTreeMap<RebateReason, SummaryHold> = BTreeMap::new();
    for rebate in rebates.iter().filter(|rebate| rebate.state == RebateState::OnHold) {
        let Some(reason) = rebate.state_reason else { continue };
        let hold = holds.entry(reason).or_insert_with(|| SummaryHold {
            reason,
            detail: reason.detail(language),
            amount: Money { minor: 0, currency },
            since: rebate.state_since,
        });
        hold.amount.minor += rebate.amount().minor;
        hold.since = hold.since.min(rebate.state_since);
    }
    holds.into_values().collect()
}

/// The lapsing facts that are about to end the eligibility of open enrollments, by enrollment.
fn lapses(
    tx: &mut Tx<'_>,
    partner: &Partner,
    enrolled: &[(Enrollment, Program)],
) -> Result<HashMap<Id, SummaryLapse>> {
    let today = tx.today();
    let of_offer: HashMap<(Id, i32), Id> = enrolled
        .iter()
        .filter(|(enrollment, _)| enrollment.state.is_open())
        .map(|(enrollment, program)| ((program.id, enrollment.program_year), enrollment.id))
        .collect();
    let mut found = HashMap::new();
    if of_offer.is_empty() {
        return Ok(found);
    }
    let mut offers = programs::in_effect(tx, today)?;
    offers.retain(|offer| of_offer.contains_key(&(offer.program.id, offer.version.program_year)));
    let (partners, language) = (std::slice::from_ref(partner), tx.language);
    eligibility::judge_all(tx, partners, &offers, today, |_, offer, verdict| {
        let ProgramInEffect { program, version } = offer;
        let enrollment = of_offer.get(&(program.id, version.program_year));
        let outlook = verdict.outlook(AHEAD).filter(|_| verdict.is_eligible());
        if let (Some(enrollment), Some(outlook)) = (enrollment, outlook) {
            let eligibility::Outlook { firm_until, last_day, lapsing } = outlook;
            let lapsing = lapsing.into_iter().map(|rule| rule.into_language(language)).collect();
            found.insert(*enrollment, SummaryLapse { firm_until, last_day, lapsing });
        }
    })?;
    Ok(found)
}
