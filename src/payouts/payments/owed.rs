//! What payments pay: rebates, and approved co-op claims.

use super::model::{DocumentKind, PaidRecord};
use crate::{
    ledger::accounting::Rebate,
    payouts::{
        coop_claims::Claim,
        withholding::{Withholding, WithholdingRate},
    },
    platform::{
        Error, Result,
        values::{Currency, Id, Month},
    },
};

/// A rebate or an approved claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owed {
    /// A rebate; below zero where the partner owes.
    Rebate(Rebate),
    /// An approved claim.
    Claim(Box<Claim>),
}

impl Owed {
    /// The record.
    #[must_use]
    pub fn record(&self) -> PaidRecord {
        match self {
            Self::Rebate(rebate) => PaidRecord::Rebate(rebate.id),
            Self::Claim(claim) => PaidRecord::Claim(claim.id),
        }
    }

    /// The partner.
    #[must_use]
    pub fn partner_id(&self) -> Id {
        match self {
            Self::Rebate(rebate) => rebate.partner_id,
            Self::Claim(claim) => claim.partner_id,
        }
    }

    /// The enrollment that the payment threshold is of.
    #[must_use]
    pub fn enrollment_id(&self) -> Id {
        match self {
            Self::Rebate(rebate) => rebate.enrollment_id,
            Self::Claim(claim) => claim.enrollment_id,
        }
    }

    /// The currency.
    #[must_use]
    pub fn currency(&self) -> Currency {
        match self {
            Self::Rebate(rebate) => rebate.currency,
            Self::Claim(claim) => claim.currency,
        }
    }

    /// The amount in minor units.
    #[must_use]
    pub fn amount(&self) -> i64 {
        match self {
            Self::Rebate(rebate) => rebate.amount().minor,
            Self::Claim(claim) => claim.approved.unwrap_or_default(),
        }
    }

    /// The month that a rebate was posted in, or a claim approved.
    pub fn posted_in(&self) -> Result<Month> {
        match self {
            Self::Rebate(rebate) => Ok(rebate.posted_in),
            Self::Claim(claim) => {
                claim.approved_in().ok_or_else(|| Error::internal("a claim to pay that is not approved"))
            }
        }
    }

    /// The kind of the document that a payment of the record goes with; no payment has records of two kinds.
    #[must_use]
    pub const fn document_kind(&self) -> DocumentKind {
        match self {
            Self::Rebate(_) => DocumentKind::CreditNote,
            Self::Claim(_) => DocumentKind::SelfBilledInvoice,
        }
    }
}

impl DocumentKind {
    /// The rate of withheld tax for what the document is about.
    #[must_use]
    pub const fn rate(self, withholding: &Withholding) -> WithholdingRate {
        match self {
            Self::CreditNote => withholding.rebate,
            Self::SelfBilledInvoice => withholding.co_op,
        }
    }
}
