//! The line of a payment, and the record that the line pays.

use crate::{
    ledger::accounting::SettledParts,
    platform::values::{Id, Month},
    schema::payment_lines,
};
use diesel::prelude::*;

/// The record that a line pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaidRecord {
    /// A rebate.
    Rebate(Id),
    /// An approved claim.
    Claim(Id),
}

impl PaidRecord {
    /// The id of the rebate or the claim.
    #[must_use]
    pub const fn id(self) -> Id {
        match self {
            Self::Rebate(id) | Self::Claim(id) => id,
        }
    }

    /// The rebate; none of a claim.
    #[must_use]
    pub const fn rebate(self) -> Option<Id> {
        match self {
            Self::Rebate(id) => Some(id),
            Self::Claim(_) => None,
        }
    }

    /// The claim; none of a rebate.
    #[must_use]
    pub const fn claim(self) -> Option<Id> {
        match self {
            Self::Claim(id) => Some(id),
            Self::Rebate(_) => None,
        }
    }
}

/// A rebate that a payment pays or sets off, or a claim that a payment pays. The amounts never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = payment_lines, treat_none_as_default_value = false)]
pub struct PaymentLine {
    /// The partner that is paid.
    pub partner_id: Id,
    /// The payment.
    pub payment_id: Id,
    /// The rebate; none of a claim.
    pub rebate_id: Option<Id>,
    /// The enrollment that earned the rebate or the co-op fund.
    pub enrollment_id: Id,
    /// The month that the rebate was posted in, or the claim approved.
    pub posted_in: Month,
    /// The amount in minor units; below zero where the payment sets a rebate off.
    pub amount: i64,
    /// The part of the amount that is withheld as tax, in minor units.
    pub withheld: i64,
    /// The part of the amount that is set off against other lines, in minor units; zero in the sum of all lines.
    pub set_off: i64,
    /// Whether the payment carries the record, or has paid the record.
    pub live: bool,
    /// The rebate or the claim.
    pub record_id: Id,
    /// The claim; none of a rebate.
    pub claim_id: Option<Id>,
}

impl PaymentLine {
    /// The record that the line pays.
    #[must_use]
    pub fn record(&self) -> PaidRecord {
        match self.claim_id {
            Some(claim) => PaidRecord::Claim(claim),
            None => PaidRecord::Rebate(self.record_id),
        }
    }

    /// The parts that do not go to the bank.
    #[must_use]
    pub fn parts(&self) -> SettledParts {
        SettledParts { withheld: self.withheld, set_off: self.set_off }
    }
}
