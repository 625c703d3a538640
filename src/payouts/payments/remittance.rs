//! The remittance advice: what a payment pays, line by line, with the parts of each line and where their records are read.

use super::{
    model::{DocumentKind, Payment, PaymentLine, PaymentState},
    store,
};
use crate::{
    access::Tx,
    earnings::calculation,
    ledger::{accounting, adjustments},
    network::partners,
    participation::enrollments,
    payouts::coop_claims,
    platform::{
        Result, csv,
        values::{CalendarDate, Id, Locale, Money, Month, Words, text_enum},
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
    pub(super) state: PaymentState,
    /// The kind of the document that goes with the payment.
    document_kind: DocumentKind,
    /// The number of the document; null before the approval.
    #[schema(max_length = 40, examples("CN-00000042"))]
    document_number: Option<String>,
    /// The reference by which banks name the payment.
    #[schema(max_length = 35, examples("01936f2e4b0070008000000000000001"))]
    pub(super) reference: String,
    /// The day the bank got the payment.
    pub(super) sent_on: Option<CalendarDate>,
    /// The day the payment arrived.
    pub(super) settled_on: Option<CalendarDate>,
    /// The rebates that the payment pays or sets off, or the co-op claims that it pays. They sum to the gross amount.
    #[schema(max_items = 10_000)]
    lines: Vec<RemittanceLine>,
    /// The sum of the lines.
    gross: Money,
    /// The part withheld as tax.
    withheld: Money,
    /// The amount paid: gross less withheld.
    net: Money,
}

/// A rebate that a payment pays, or sets off where the rebate is below zero; or a co-op claim that a payment pays.
#[derive(Serialize, ToSchema)]
pub struct RemittanceLine {
    /// The rebate; null of a claim.
    rebate_id: Option<Id>,
    /// The co-op claim; null of a rebate.
    claim_id: Option<Id>,
    /// The enrollment that earned the rebate or the co-op fund.
    enrollment_id: Id,
    /// The code of the program.
    #[schema(max_length = 60, examples("csp-direct-bill"))]
    program: String,
    /// The month that the rebate was posted in, or the claim approved.
    posted_in: Month,
    /// What the amount is made of: of a rebate the earnings by lever and month, adjustments, and co-op that became rebate; of a
    /// claim its approved expenses by month. The parts sum to the amount.
    #[schema(max_items = 10_000)]
    parts: Vec<RemittancePart>,
    /// The amount.
    amount: Money,
    /// The part withheld as tax.
    withheld: Money,
    /// The amount less tax.
    net: Money,
}

text_enum! {
    /// The kind of a part of a line.
    pub enum RemittancePartKind {
        /// What a lever gave for a month.
        Earning = "earning",
        /// A correction by hand.
        Adjustment = "adjustment",
        /// Co-op of a half-year below the threshold, which became rebate.
        CoopConversion = "coop_conversion",
        /// Approved expenses of a co-op claim.
        CoopExpense = "coop_expense",
    }
}

/// A part of a line, with the records that it sums up.
#[derive(Serialize, ToSchema)]
pub struct RemittancePart {
    /// The kind of the part.
    kind: RemittancePartKind,
    /// The code of the lever that gave the amount; null of what no lever gave.
    #[schema(max_length = 64, examples("core"))]
    lever: Option<String>,
    /// The month that the amount applies to, of expenses that of the invoices; null of co-op that became rebate, which is of a
    /// half-year.
    earned_in: Option<Month>,
    /// Where the records are read: the earnings whose rebate parts sum to the amount, each with the sale it comes from; the
    /// adjustment; the co-op funds; or the claim.
    #[schema(
        max_length = 400,
        examples(
            "/v1/earnings?enrollment_id=01936f2e-4b00-7000-8000-000000000001&currency=EUR&lever=core&earned_in=2026-07&from=2026-08&to=2026-08"
        )
    )]
    records: String,
    /// The amount.
    amount: Money,
}

/// What tells a part of a line from the others, in the order in which they are listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PartKey {
    Earned { earned_in: Month, lever: String },
    Adjusted { earned_in: Month, adjustment: Id },
    Converted,
    Spent { month: Month },
}

/// A rebate by its enrollment and the month that it was posted in, or a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum LineKey {
    Rebate { enrollment: Id, posted_in: Month },
    Claim(Id),
}

impl LineKey {
    fn of(line: &PaymentLine) -> Self {
        match line.claim_id {
            Some(claim) => Self::Claim(claim),
            None => Self::Rebate { enrollment: line.enrollment_id, posted_in: line.posted_in },
        }
    }
}

/// The parts of lines, in minor units.
type Parts = HashMap<LineKey, BTreeMap<PartKey, i64>>;

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
        let of_line = parts.get(&LineKey::of(line)).into_iter().flatten();
        let parts = of_line
            .filter(|(_, minor)| **minor != 0)
            .map(|(key, minor)| RemittancePart::of(key, line, payment.money(*minor)))
            .collect();
        RemittanceLine {
            rebate_id: line.rebate_id,
            claim_id: line.claim_id,
            enrollment_id: line.enrollment_id,
            program: programs.get(&line.enrollment_id).cloned().unwrap_or_default(),
            posted_in: line.posted_in,
            parts,
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
    match payment.document_kind {
        DocumentKind::CreditNote => parts_of_rebates(tx, payment, enrolled, lines),
        DocumentKind::SelfBilledInvoice => parts_of_claims(tx, payment, lines),
    }
}

fn parts_of_rebates(
    tx: &mut Tx<'_>,
    payment: &Payment,
    enrolled: &[Id],
    lines: &[PaymentLine],
) -> Result<Parts> {
    let mut parts = Parts::new();
    let months = lines.iter().map(|line| line.posted_in);
    let (Some(from), Some(to)) = (months.clone().min(), months.max()) else { return Ok(parts) };
    let partner = [payment.partner_id];
    for given in calculation::lever_months(tx, &partner, enrolled, (from, to))? {
        if given.currency == payment.currency {
            let line = LineKey::Rebate { enrollment: given.enrollment_id, posted_in: given.posted_in };
            let key = PartKey::Earned { earned_in: given.earned_in, lever: given.lever };
            *parts.entry(line).or_default().entry(key).or_default() += given.rebate;
        }
    }
    for adjustment in adjustments::posted_between(tx, payment.partner_id, (from, to))? {
        if let Some(posted_in) = adjustment.posted_in.filter(|_| adjustment.currency == payment.currency) {
            let line = LineKey::Rebate { enrollment: adjustment.enrollment_id, posted_in };
            let key = PartKey::Adjusted { earned_in: adjustment.earned_in, adjustment: adjustment.id };
            *parts.entry(line).or_default().entry(key).or_default() += adjustment.minor;
        }
    }
    let rebates: Vec<Id> = lines.iter().filter_map(|line| line.rebate_id).collect();
    for rebate in accounting::rebates_named(tx, &partner, &rebates)? {
        let line = LineKey::Rebate { enrollment: rebate.enrollment_id, posted_in: rebate.posted_in };
        *parts.entry(line).or_default().entry(PartKey::Converted).or_default() += rebate.converted;
    }
    Ok(parts)
}

fn parts_of_claims(tx: &mut Tx<'_>, payment: &Payment, lines: &[PaymentLine]) -> Result<Parts> {
    let mut parts = Parts::new();
    let ids: Vec<Id> = lines.iter().filter_map(|line| line.claim_id).collect();
    for claim in coop_claims::named(tx, &[payment.partner_id], &ids)? {
        let of_claim = parts.entry(LineKey::Claim(claim.id)).or_default();
        for expense in &claim.expenses.0 {
            let approved = expense.decision.as_ref().map_or(0, |decision| decision.approved);
            *of_claim.entry(PartKey::Spent { month: expense.month() }).or_default() += approved;
        }
    }
    Ok(parts)
}

impl RemittancePart {
    fn of(key: &PartKey, line: &PaymentLine, amount: Money) -> Self {
        let PaymentLine { enrollment_id, posted_in, .. } = line;
        let of_enrollment = format!("?enrollment_id={enrollment_id}&currency={}", amount.currency.as_str());
        match key {
            PartKey::Earned { earned_in, lever } => Self {
                kind: RemittancePartKind::Earning,
                lever: Some(lever.clone()),
                earned_in: Some(*earned_in),
                records: format!(
                    "/v1/earnings{of_enrollment}&lever={lever}&earned_in={earned_in}&from={posted_in}&to={posted_in}"
                ),
                amount,
            },
            PartKey::Adjusted { earned_in, adjustment } => Self {
                kind: RemittancePartKind::Adjustment,
                lever: None,
                earned_in: Some(*earned_in),
                records: format!("/v1/adjustments/{adjustment}"),
                amount,
            },
            PartKey::Converted => Self {
                kind: RemittancePartKind::CoopConversion,
                lever: None,
                earned_in: None,
                records: format!("/v1/coop-funds{of_enrollment}&state=converted"),
                amount,
            },
            PartKey::Spent { month } => Self {
                kind: RemittancePartKind::CoopExpense,
                lever: None,
                earned_in: Some(*month),
                records: format!("/v1/coop-claims/{}", line.record_id),
                amount,
            },
        }
    }
}

/// The headings of the table. Those in English are names for programs, and stay.
const COLUMNS: [Words<'_>; 9] = [
    Words::new("section", "区分"),
    Words::new("program", "プログラム"),
    Words::new("posted_in", "計上月"),
    Words::new("kind", "種類"),
    Words::new("lever", "リベート区分"),
    Words::new("earned_in", "獲得月"),
    Words::new("records", "明細"),
    Words::new("currency", "通貨"),
    Words::new("amount", "金額"),
];

impl Remittance {
    /// The months of the lines.
    pub(super) fn months(&self) -> impl Iterator<Item = Month> + '_ {
        self.lines
            .iter()
            .flat_map(|line| line.parts.iter().filter_map(|part| part.earned_in).chain([line.posted_in]))
    }

    /// The remittance as a table: a row for each part of a line, which sum to the gross amount, then the amounts of the
    /// payment.
    pub(super) fn table(&self, language: Locale) -> String {
        let mut text = String::new();
        csv::line(&mut text, COLUMNS.map(|heading| language.of(heading)));
        let currency = self.gross.currency.as_str();
        for line in &self.lines {
            let posted_in = line.posted_in.to_string();
            for part in &line.parts {
                let lever = part.lever.as_deref().unwrap_or_default();
                let earned_in = part.earned_in.map(|month| month.to_string()).unwrap_or_default();
                let amount = part.amount.amount();
                let (kind, records) = (part.kind.as_str(), part.records.as_str());
                let row =
                    ["line", &line.program, &posted_in, kind, lever, &earned_in, records, currency, &amount];
                csv::line(&mut text, row);
            }
        }
        for (section, money) in [("gross", self.gross), ("withheld", self.withheld), ("net", self.net)] {
            csv::line(&mut text, [section, "", "", "", "", "", "", currency, &money.amount()]);
        }
        text
    }
}
