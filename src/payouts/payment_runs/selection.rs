//! The selection of a run, pure: what is paid to a partner, and what waits and why.

use super::model::{RunTotal, RunWaitReason, Totals};
use crate::{
    ledger::accounting::{PaymentStanding, PaymentThreshold, Rebate, RebateReason, RebateState},
    network::{partners::PartnerStatus, profiles::Standing},
    payouts::{
        payments::{self, PaymentDraft},
        withholding::WithholdingRate,
    },
    platform::{
        Result,
        values::{Currency, Id, Money},
    },
};

/// The facts of a partner that decide whether the partner is paid now.
#[derive(Clone, Copy, Debug)]
pub(super) struct PayeeFacts {
    pub status: PartnerStatus,
    pub standing: Standing,
    /// Whether a rebate of the partner still grows.
    pub is_accruing: bool,
    /// The rate at which tax is withheld.
    pub rate: WithholdingRate,
}

impl PayeeFacts {
    /// The reason that nothing is paid to the partner now. A closed partner gets one last payment, of everything.
    fn wait(self) -> Option<RunWaitReason> {
        if let Some(reason) = RebateReason::of(self.standing) {
            return Some(reason.into());
        }
        match self.status {
            PartnerStatus::Suspended => Some(RunWaitReason::PartnerSuspended),
            PartnerStatus::Closed => self.is_accruing.then_some(RunWaitReason::PartnerClosed),
            PartnerStatus::Pending | PartnerStatus::Active => None,
        }
    }
}

/// What a run pays to a portion of partners, and the totals of the portion.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub drafts: Vec<PaymentDraft>,
    pub totals: Totals,
}

impl Selection {
    /// Adds a partner's waiting rebates in one currency, by enrollment.
    ///
    /// Each enrollment is paid whose payable sum meets the threshold. What other enrollments owe back is set off first;
    /// where nothing is left to pay, everything is carried.
    pub fn add(
        &mut self,
        payee: PayeeFacts,
        rebates: &[Rebate],
        threshold: impl Fn(Id, Currency) -> Option<PaymentThreshold>,
    ) -> Result<()> {
        let Some(currency) = rebates.first().map(|rebate| rebate.currency) else { return Ok(()) };
        let mut total = RunTotal::none(currency);
        let (mut ready, mut owed_back) = (Vec::new(), Vec::new());
        for of_enrollment in rebates.chunk_by(|one, other| one.enrollment_id == other.enrollment_id) {
            note_holds(&mut total, of_enrollment)?;
            let payable: Vec<Rebate> = payable(of_enrollment).cloned().collect();
            let Some(enrollment) = payable.first().map(|rebate| rebate.enrollment_id) else { continue };
            let sum = sum(payable.iter())?;
            let standing = PaymentStanding {
                payable: Some(Money { minor: sum, currency }),
                threshold: threshold(enrollment, currency).unwrap_or(PaymentThreshold::RateMissing),
            };
            match (payee.wait(), standing.wait()) {
                (Some(reason), _) => total.add_wait(reason, sum, 1)?,
                (None, _) if sum < 0 => owed_back.push(payable),
                (None, Some(wait)) => total.add_wait(wait.into(), sum, 1)?,
                (None, None) => ready.push(payable),
            }
        }
        let rebates = || ready.iter().chain(&owed_back).flatten().cloned();
        let draft = if ready.is_empty() { None } else { PaymentDraft::of(rebates().collect(), &payee.rate)? };
        match draft {
            Some(draft) => {
                total.payments = 1;
                total.gross.minor = draft.sums.gross;
                total.withheld.minor = draft.sums.withheld;
                total.net.minor = draft.sums.net;
                total.offset.minor = draft.sums.offset;
                self.drafts.push(draft);
            }
            None => {
                for of_enrollment in ready.iter().chain(&owed_back) {
                    total.add_wait(RunWaitReason::NegativeBalance, sum(of_enrollment.iter())?, 1)?;
                }
            }
        }
        self.totals.entry(currency).or_insert_with(|| RunTotal::none(currency)).add(&total)
    }
}

fn payable(rebates: &[Rebate]) -> impl Iterator<Item = &Rebate> {
    rebates.iter().filter(|rebate| rebate.state == RebateState::Payable)
}

/// Adds an enrollment's held rebates, by reason.
fn note_holds(total: &mut RunTotal, rebates: &[Rebate]) -> Result<()> {
    let mut reasons: Vec<RebateReason> =
        rebates.iter().filter(|rebate| rebate.state == RebateState::OnHold).filter_map(reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for reason_of in reasons {
        let held = rebates.iter().filter(|rebate| reason(rebate) == Some(reason_of));
        total.add_wait(reason_of.into(), sum(held)?, 1)?;
    }
    Ok(())
}

fn reason(rebate: &Rebate) -> Option<RebateReason> {
    rebate.state_reason
}

fn sum<'a>(mut rebates: impl Iterator<Item = &'a Rebate>) -> Result<i64> {
    let sum = rebates.try_fold(0_i64, |sum, rebate| sum.checked_add(rebate.amount().minor));
    sum.ok_or_else(payments::out_of_range)
}
