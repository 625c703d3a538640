//! The steps that payments bring about for what they pay.

use super::{
    model::{PaidRecord, Payment, PaymentLine},
    owed::Owed,
    payees::partners_of,
    store,
};
use crate::{
    access::Tx,
    ledger::accounting::{self, PaymentMove, PaymentStep, Rebate},
    payouts::coop_claims::{self, Claim, ClaimMove},
    platform::{Result, values::Id},
};
use std::collections::HashMap;

/// The steps of rebates and claims.
#[derive(Debug, Default)]
pub(super) struct Moves {
    rebates: Vec<PaymentMove>,
    claims: Vec<ClaimMove>,
}

impl Moves {
    /// Adds the step of a record.
    pub fn add(&mut self, owed: Owed, payment_id: Id, step: PaymentStep) {
        match owed {
            Owed::Rebate(rebate) => self.rebates.push(PaymentMove { rebate, payment_id, step }),
            Owed::Claim(claim) => self.claims.push(ClaimMove { claim: *claim, payment_id, step }),
        }
    }

    /// The steps of what payments pay. A constant number of statements.
    pub fn of(
        tx: &mut Tx<'_>,
        payments: &[Payment],
        step: impl Fn(&PaymentLine) -> PaymentStep,
    ) -> Result<Self> {
        let lines = store::lines_of(tx, payments)?;
        let mut owed: HashMap<PaidRecord, Owed> = records(tx, &partners_of(payments), &lines)?
            .into_iter()
            .map(|owed| (owed.record(), owed))
            .collect();
        let mut moves = Self::default();
        for line in &lines {
            if let Some(owed) = owed.remove(&line.record()) {
                moves.add(owed, line.payment_id, step(line));
            }
        }
        Ok(moves)
    }

    /// Carries the steps out. Records that are given back wait for the next run; with words of an operator in `held`, the operator
    /// holds the records.
    pub fn carry_out(self, tx: &mut Tx<'_>, held: Option<&str>) -> Result<()> {
        accounting::move_rebates(tx, &self.rebates, held)?;
        if self.claims.is_empty() { Ok(()) } else { coop_claims::move_claims(tx, &self.claims, held) }
    }
}

/// What lines pay, as the records stand now.
pub fn records(tx: &mut Tx<'_>, partners: &[Id], lines: &[PaymentLine]) -> Result<Vec<Owed>> {
    let (mut rebates, mut claims) = (Vec::new(), Vec::new());
    for line in lines {
        match line.record() {
            PaidRecord::Rebate(id) => rebates.push(id),
            PaidRecord::Claim(id) => claims.push(id),
        }
    }
    let rebates: Vec<Rebate> = accounting::rebates_named(tx, partners, &rebates)?;
    let claims: Vec<Claim> = coop_claims::named(tx, partners, &claims)?;
    let claims = claims.into_iter().map(|claim| Owed::Claim(Box::new(claim)));
    Ok(rebates.into_iter().map(Owed::Rebate).chain(claims).collect())
}
