//! The remittance advice: what a payment pays, line by line, with the months in which it was earned.

use super::{
    model::{DocumentKind, Payment, PaymentLine, PaymentState},
    store,
};
use crate::{
    access::Tx,
    earnings::calculation,
    ledger::adjustments,
    network::partners,
    participation::enrollments,
    platform::{
        Result, csv,
        values::{CalendarDate, Id, Money, Month},
    },
};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use utoipa::ToSchema;

/// What a payment pays.
#[derive(Serialize, ToSchema)]
pub struct Remittance {
    /// The payment.
    payment_id: Id,
    /// The partner that is paid.
    partner_id: Id,
    /// The partner's registered name.
    #[schema(max_length = 200, examples("Contoso Ltd"))]
    partner_name: String,
    /// The partner's number in the partner network.
    #[schema(max_length = 10, examples("4567890"))]
    mpn_id: String,
    /// The state of the payment.
    state: PaymentState,
    /// The kind of the document that goes with the payment.
    document_kind: DocumentKind,
    /// The number of the document; null before the approval.
    #[schema(max_length = 40, examples("CN-00000042"))]
    document_number: Option<String>,
    /// The reference by which banks name the payment.
    #[schema(max_length = 35, examples("01936f2e4b0070008000000000000001"))]
    pub(super) reference: String,
    /// The day the bank got the payment.
    sent_on: Option<CalendarDate>,
    /// The day the payment arrived.
    settled_on: Option<CalendarDate>,
    /// The rebates that the payment pays or sets off. They sum to the gross amount.
    #[schema(max_items = 10_000)]
    lines: Vec<RemittanceLine>,
    /// The sum of the lines.
    gross: Money,
    /// The part withheld as tax.
    withheld: Money,
    /// The amount paid: gross less withheld.
    net: Money,
}

/// A rebate that a payment pays, or sets off where the rebate is below zero.
#[derive(Serialize, ToSchema)]
pub struct RemittanceLine {
    /// The rebate.
    rebate_id: Id,
    /// The enrollment that earned the rebate.
    enrollment_id: Id,
    /// The code of the program.
    #[schema(max_length = 60, examples("csp-direct-bill"))]
    program: String,
    /// The month that the rebate was posted in.
    posted_in: Month,
    /// The amount by the month in which it was earned, corrections and adjustments included. The parts sum to the amount.
    #[schema(max_items = 1000)]
    earned: Vec<RemittancePart>,
    /// The amount of the rebate.
    amount: Money,
    /// The part withheld as tax.
    withheld: Money,
    /// The amount less tax.
    net: Money,
}

/// The part of a rebate that was earned in one month.
#[derive(Serialize, ToSchema)]
pub struct RemittancePart {
    /// The month that the amount applies to.
    earned_in: Month,
    /// The amount.
    amount: Money,
}

/// The parts of rebates by enrollment and month of posting, and there by the month of earning.
type Parts = HashMap<(Id, Month), BTreeMap<Month, i64>>;

/// What a payment pays. A constant number of statements.
pub(super) fn of(tx: &mut Tx<'_>, payment: &Payment) -> Result<Remittance> {
    let partner = partners::get(tx, payment.partner_id)?;
    let lines = store::lines_of(tx, std::slice::from_ref(payment))?;
    let enrolled: Vec<Id> = lines.iter().map(|line| line.enrollment_id).collect();
    let programs: HashMap<Id, String> = enrollments::programs_of(tx, &enrolled)?
        .into_iter()
        .map(|(enrollment, program)| (enrollment, program.code))
        .collect();
    let parts = parts(tx, payment, &enrolled, &lines)?;
    let line = |line: &PaymentLine| {
        let earned = parts.get(&(line.enrollment_id, line.posted_in)).into_iter().flatten();
        RemittanceLine {
            rebate_id: line.rebate_id,
            enrollment_id: line.enrollment_id,
            program: programs.get(&line.enrollment_id).cloned().unwrap_or_default(),
            posted_in: line.posted_in,
            earned: earned
                .filter(|(_, minor)| **minor != 0)
                .map(|(month, minor)| RemittancePart { earned_in: *month, amount: payment.money(*minor) })
                .collect(),
            amount: payment.money(line.amount),
            withheld: payment.money(line.withheld),
            net: payment.money(line.amount - line.withheld),
        }
    };
    Ok(Remittance {
        payment_id: payment.id,
        partner_id: partner.id,
        partner_name: partner.legal_name,
        mpn_id: partner.mpn_id,
        state: payment.state,
        document_kind: payment.document_kind,
        document_number: payment.document_number.map(|number| payment.document_kind.numbered(number)),
        reference: payment.reference(),
        sent_on: payment.sent_on,
        settled_on: payment.settled_on,
        lines: lines.iter().map(line).collect(),
        gross: payment.money(payment.gross),
        withheld: payment.money(payment.withheld),
        net: payment.money(payment.net),
    })
}

fn parts(tx: &mut Tx<'_>, payment: &Payment, enrolled: &[Id], lines: &[PaymentLine]) -> Result<Parts> {
    let mut parts = Parts::new();
    let months = lines.iter().map(|line| line.posted_in);
    let (Some(from), Some(to)) = (months.clone().min(), months.max()) else { return Ok(parts) };
    let partner = [payment.partner_id];
    for given in calculation::lever_months(tx, &partner, enrolled, (from, to))? {
        if given.currency == payment.currency {
            let part = parts.entry((given.enrollment_id, given.posted_in)).or_default();
            *part.entry(given.earned_in).or_default() += given.rebate;
        }
    }
    for adjustment in adjustments::posted_between(tx, payment.partner_id, (from, to))? {
        if let Some(posted_in) = adjustment.posted_in.filter(|_| adjustment.currency == payment.currency) {
            let part = parts.entry((adjustment.enrollment_id, posted_in)).or_default();
            *part.entry(adjustment.earned_in).or_default() += adjustment.minor;
        }
    }
    Ok(parts)
}

impl Remittance {
    /// The remittance as a table: a row for each part of a line, which sum to the gross amount, then the amounts of the
    /// payment.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        csv::line(&mut text, ["section", "program", "posted_in", "earned_in", "currency", "amount"]);
        let currency = self.gross.currency.as_str();
        for line in &self.lines {
            let posted_in = line.posted_in.to_string();
            for part in &line.earned {
                let (earned_in, amount) = (part.earned_in.to_string(), part.amount.amount());
                csv::line(&mut text, ["line", &line.program, &posted_in, &earned_in, currency, &amount]);
            }
        }
        for (section, money) in [("gross", self.gross), ("withheld", self.withheld), ("net", self.net)] {
            csv::line(&mut text, [section, "", "", "", currency, &money.amount()]);
        }
        text
    }
}
