//! The selection of a run, pure: what is paid to a partner, and what waits and why.

use super::model::{RunTotal, RunWaitReason, Totals};
use crate::{
    ledger::accounting::{PaymentStanding, PaymentThreshold, RebateReason, RebateState},
    network::{partners::PartnerStatus, profiles::Standing},
    payouts::{
        payments::{self, Owed, PaymentDraft},
        withholding::Withholding,
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
    /// The rates at which tax is withheld.
    pub withholding: Withholding,
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
    /// Adds a partner's waiting rebates, or waiting claims, in one currency, by enrollment.
    ///
    /// Each enrollment is paid whose payable sum meets the threshold. What other enrollments owe back is set off first;
    /// where nothing is left to pay, everything is carried.
    pub fn add(
        &mut self,
        payee: PayeeFacts,
        waiting: &[Owed],
        threshold: impl Fn(Id, Currency) -> Option<PaymentThreshold>,
    ) -> Result<()> {
        let Some(first) = waiting.first() else { return Ok(()) };
        let (currency, rate) = (first.currency(), first.document_kind().rate(&payee.withholding));
        let mut total = RunTotal::none(currency);
        let (mut ready, mut owed_back) = (Vec::new(), Vec::new());
        for of_enrollment in waiting.chunk_by(|one, other| one.enrollment_id() == other.enrollment_id()) {
            note_holds(&mut total, of_enrollment)?;
            let payable: Vec<Owed> = of_enrollment.iter().filter(|owed| is_payable(owed)).cloned().collect();
            let Some(enrollment) = payable.first().map(Owed::enrollment_id) else { continue };
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
        let records = || ready.iter().chain(&owed_back).flatten().cloned();
        let draft = if ready.is_empty() { None } else { PaymentDraft::of(records().collect(), &rate)? };
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

fn is_payable(owed: &Owed) -> bool {
    match owed {
        Owed::Rebate(rebate) => rebate.state == RebateState::Payable,
        Owed::Claim(claim) => claim.held_because.is_none(),
    }
}

/// Adds an enrollment's held records, by reason.
fn note_holds(total: &mut RunTotal, records: &[Owed]) -> Result<()> {
    let mut reasons: Vec<RunWaitReason> = records.iter().filter_map(held_for).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for reason in reasons {
        let held = records.iter().filter(|owed| held_for(owed) == Some(reason));
        total.add_wait(reason, sum(held)?, 1)?;
    }
    Ok(())
}

/// The reason that a record is on hold; none of one that is payable.
fn held_for(owed: &Owed) -> Option<RunWaitReason> {
    match owed {
        Owed::Rebate(rebate) => {
            rebate.state_reason.filter(|_| rebate.state == RebateState::OnHold).map(RunWaitReason::from)
        }
        Owed::Claim(claim) => claim.held_because.as_ref().map(|_| RunWaitReason::HeldByOperator),
    }
}

fn sum<'a>(mut records: impl Iterator<Item = &'a Owed>) -> Result<i64> {
    let sum = records.try_fold(0_i64, |sum, owed| sum.checked_add(owed.amount()));
    sum.ok_or_else(payments::out_of_range)
}
