//! The lines of a payment that is about to be made: the rebates to pay, with those below zero to set off, or the claims to pay.

use super::{
    model::{DocumentKind, PaymentLine},
    owed::Owed,
    withholding::withheld,
};
use crate::{
    payouts::withholding::WithholdingRate,
    platform::{
        Error, Result, codes,
        values::{Currency, Id, Month},
    },
    text,
};

/// A payment that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentDraft {
    /// The partner that is paid.
    pub partner_id: Id,
    /// The currency.
    pub currency: Currency,
    /// The kind of the document.
    pub document_kind: DocumentKind,
    /// The rate of withheld tax.
    pub withholding_rate_id: Id,
    /// The records, each with its line.
    pub lines: Vec<DraftLine>,
    /// The sums of the lines.
    pub sums: PaymentSums,
}

/// The amounts of a payment in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaymentSums {
    /// The sum of the lines.
    pub gross: i64,
    /// The part withheld as tax.
    pub withheld: i64,
    /// Gross less withheld.
    pub net: i64,
    /// The part of the lines above zero that the lines below zero take away.
    pub offset: i64,
}

/// A record with its parts in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftLine {
    /// The rebate or the claim.
    pub owed: Owed,
    /// The month that the rebate was posted in, or the claim approved.
    pub posted_in: Month,
    /// The part withheld as tax.
    pub withheld: i64,
    /// The part set off against other lines.
    pub set_off: i64,
}

impl PaymentDraft {
    /// The payment of records of one partner, in one currency and with one kind of document; none where nothing is left to pay.
    ///
    /// A rebate below zero is set off whole, against those above zero, the oldest first.
    pub fn of(records: Vec<Owed>, rate: &WithholdingRate) -> Result<Option<Self>> {
        let Some(first) = records.first() else { return Ok(None) };
        let (partner_id, currency) = (first.partner_id(), first.currency());
        let document_kind = first.document_kind();
        let mut sums = PaymentSums::default();
        let mut lines = Vec::new();
        let mut to_set_off = 0_i64;
        for owed in records {
            let amount = owed.amount();
            let withheld = withheld(amount, rate.rate)?;
            let net = amount - withheld;
            sums.gross = plus(sums.gross, amount)?;
            sums.withheld = plus(sums.withheld, withheld)?;
            if amount < 0 {
                sums.offset = plus(sums.offset, -amount)?;
                to_set_off = plus(to_set_off, -net)?;
            }
            lines.push(DraftLine { posted_in: owed.posted_in()?, owed, withheld, set_off: net.min(0) });
        }
        sums.net = sums.gross - sums.withheld;
        // Tax is rounded line by line, so that little may be left of a gross above zero.
        if sums.gross <= 0 || sums.net <= 0 {
            return Ok(None);
        }
        lines.sort_by_key(|line| (line.posted_in, line.owed.enrollment_id()));
        for line in lines.iter_mut().filter(|line| line.set_off == 0) {
            line.set_off = to_set_off.min(line.owed.amount() - line.withheld);
            to_set_off -= line.set_off;
        }
        let withholding_rate_id = rate.id;
        Ok(Some(Self { partner_id, currency, document_kind, withholding_rate_id, lines, sums }))
    }

    /// The rows of the lines.
    pub(super) fn rows(&self, payment_id: Id) -> impl Iterator<Item = PaymentLine> + '_ {
        self.lines.iter().map(move |line| PaymentLine {
            partner_id: self.partner_id,
            payment_id,
            rebate_id: line.owed.record().rebate(),
            enrollment_id: line.owed.enrollment_id(),
            posted_in: line.posted_in,
            amount: line.owed.amount(),
            withheld: line.withheld,
            set_off: line.set_off,
            live: true,
            record_id: line.owed.record().id(),
            claim_id: line.owed.record().claim(),
        })
    }
}

/// The refusal of a sum of rebates that no amount can hold.
#[must_use]
pub fn out_of_range() -> Error {
    let detail =
        text!("a sum of rebates leaves the range of amounts", "リベートの合計額が扱える範囲を超えています。");
    Error::new(&codes::AMOUNT_OUT_OF_RANGE, detail)
}

fn plus(sum: i64, amount: i64) -> Result<i64> {
    sum.checked_add(amount).ok_or_else(out_of_range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ledger::accounting::{Rebate, RebateState},
        payouts::withholding::{EarningKind, FormState, WithholdingKind},
        platform::values::{Rate, Timestamp},
    };
    use proptest::prelude::*;

    fn rebate(n: u128, amount: i64) -> Rebate {
        let id = |n| Id(uuid::Uuid::from_u128(n));
        let month: Month = "2018-07".parse().unwrap();
        let at = Timestamp::from_micros(0);
        Rebate {
            id: id(n),
            enrollment_id: id(7),
            partner_id: id(8),
            posted_in: month.plus(i32::try_from(n).unwrap()),
            currency: Currency::USD,
            earned: amount,
            adjusted: 0,
            coop: 0,
            state: RebateState::Payable,
            state_reason: None,
            state_comment: None,
            state_since: None,
            as_of: at,
            created_at: at,
            updated_at: at,
            revision: 1,
            converted: 0,
        }
    }

    fn rate(percent: u8) -> WithholdingRate {
        WithholdingRate {
            id: Id(uuid::Uuid::from_u128(9)),
            payee_country: None,
            form_state: FormState::Other,
            earning: EarningKind::Rebate,
            kind: WithholdingKind::Treaty,
            rate: Rate::percent(percent),
            valid_from: "2018-07-01".parse().unwrap(),
            valid_to: None,
            created_at: Timestamp::from_micros(0),
            created_by: None,
        }
    }

    fn draft(amounts: &[i64], percent: u8) -> Option<PaymentDraft> {
        let rebates = amounts.iter().zip(1..).map(|(amount, n)| Owed::Rebate(rebate(n, *amount))).collect();
        PaymentDraft::of(rebates, &rate(percent)).unwrap()
    }

    #[test]
    fn a_rebate_below_zero_takes_from_the_oldest_first() {
        let draft = draft(&[100, 500, -200], 0).unwrap();
        let parts: Vec<_> = draft.lines.iter().map(|line| line.set_off).collect();
        assert_eq!(parts, [100, 100, -200]);
        assert_eq!(draft.sums, PaymentSums { gross: 400, withheld: 0, net: 400, offset: 200 });
    }

    #[test]
    fn nothing_is_paid_where_nothing_is_left() {
        assert_eq!(draft(&[200, -200], 0), None);
        assert_eq!(draft(&[], 0), None);
        // 24 % of seven cents are two, and of one cent nothing.
        assert_eq!(draft(&[7, -1, -1, -1, -1, -1, -1], 24), None);
    }

    proptest! {
        #[test]
        fn the_lines_are_the_sums(amounts in prop::collection::vec(-5000_i64..9000, 1..9), percent in 0_u8..60) {
            if let Some(draft) = draft(&amounts, percent) {
                let sum = |part: fn(&DraftLine) -> i64| draft.lines.iter().map(part).sum::<i64>();
                prop_assert_eq!(sum(|line| line.owed.amount()), draft.sums.gross);
                prop_assert_eq!(sum(|line| line.withheld), draft.sums.withheld);
                prop_assert_eq!(draft.sums.gross - draft.sums.withheld, draft.sums.net);
                prop_assert_eq!(sum(|line| line.set_off), 0);
                for line in &draft.lines {
                    let to_bank = line.owed.amount() - line.withheld - line.set_off;
                    prop_assert!(to_bank >= 0 && (to_bank == 0 || line.owed.amount() > 0));
                }
            }
        }
    }
}
