//! The part of a fund that a claim draws: from the plan of the fund first, then from what remains. No I/O, no clock, no HTTP.

use super::model::Claim;
use crate::{
    ledger::accounting::coop_funds::{CoopFund, FundPart, PartMove},
    platform::values::Id,
};

/// The step of a fund that makes the fund follow a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draw {
    /// The fund before, with the amounts for its planned activities as they are afterwards.
    pub fund: CoopFund,
    /// The amounts that go from one part to another; what is given back goes first.
    pub parts: Vec<PartMove>,
    /// The part of the claim's amount that comes from the plan afterwards, in minor units.
    pub from_plan: i64,
    /// The plan that the part comes from; none where no part does.
    pub plan_id: Option<Id>,
}

impl Draw {
    /// The step that follows from a claim before and after. A plan that is over gets nothing back: its part goes where other
    /// amounts go.
    pub fn of(fund: &CoopFund, before: &Claim, after: &Claim) -> Self {
        let own = if before.plan_id == fund.plan_id { before.from_plan } else { 0 };
        let given_back = fund.planning(&before.activity, own);
        let from_plan = given_back.planned_for(&after.activity).min(after.committed);
        let rest = (after.committed - from_plan) - (before.committed - own);
        let planned = if before.activity == after.activity {
            vec![moved(FundPart::Planned, from_plan - own)]
        } else {
            vec![moved(FundPart::Planned, -own), moved(FundPart::Planned, from_plan)]
        };
        let mut parts: Vec<PartMove> =
            planned.into_iter().chain([moved(fund.given_back_to(), rest)]).flatten().collect();
        parts.sort_by_key(|part| part.to == FundPart::Committed);
        Self {
            fund: given_back.planning(&after.activity, -from_plan),
            parts,
            from_plan,
            plan_id: fund.plan_id.filter(|_| from_plan > 0),
        }
    }
}

/// An amount that a claim takes from a part; an amount below zero is given back.
fn moved(part: FundPart, amount: i64) -> Option<PartMove> {
    let (from, to) = if amount > 0 { (part, FundPart::Committed) } else { (FundPart::Committed, part) };
    (amount != 0).then_some(PartMove { from, to, amount: amount.abs() })
}

#[cfg(test)]
mod tests;
