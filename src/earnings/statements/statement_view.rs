//! The statement of a month on the wire.

use super::owed_view::{StatementBalance, StatementFund, StatementPayment, StatementRebate, sum, sum_if_any};
use crate::{
    ledger::{accounting::AccountingMonthState, adjustments::AdjustmentReason},
    network::partners::Partner,
    platform::values::{Country, Currency, Id, Money, Month, Rate, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The statement of a partner: the earnings that are paid with a month.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Statement {
    /// The partner of the statement.
    pub partner: StatementPartner,
    /// The month that the earnings are paid with.
    pub month: Month,
    /// Whether the month still takes postings.
    pub state: AccountingMonthState,
    /// When the month was closed; null while the month is open.
    pub closed_at: Option<Timestamp>,
    /// When the figures were computed; of a closed month, when the month was closed. Null before the first calculation.
    pub as_of: Option<Timestamp>,
    /// The SHA-256 of the stored statement of a closed month, in lower-case hexadecimal; null while the month is open.
    #[schema(
        min_length = 64,
        max_length = 64,
        pattern = "^[0-9a-f]{64}$",
        examples("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
    )]
    pub sha256: Option<String>,
    /// The programs, the latest program year first.
    #[schema(max_items = 200)]
    pub programs: Vec<StatementProgram>,
    /// All programs together, by currency.
    #[schema(max_items = 200)]
    pub totals: Vec<StatementTotal>,
}

/// The partner of a statement.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StatementPartner {
    /// The partner.
    pub id: Id,
    /// Number in the partner network.
    #[schema(max_length = 10, examples("4000001"))]
    pub mpn_id: String,
    /// Registered name.
    #[schema(max_length = 200, examples("Contoso GmbH"))]
    pub legal_name: String,
    /// The country of registration.
    pub country: Country,
}

impl From<Partner> for StatementPartner {
    fn from(partner: Partner) -> Self {
        let Partner { id, mpn_id, legal_name, country, .. } = partner;
        Self { id, mpn_id, legal_name, country }
    }
}

/// One program of a statement.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StatementProgram {
    /// The enrollment.
    pub enrollment_id: Id,
    /// The program's code.
    #[schema(max_length = 64, examples("csp-direct-bill"))]
    pub program: String,
    /// The program's name.
    #[schema(max_length = 200, examples("CSP direct bill"))]
    pub name: String,
    /// The program year, named by the year it ends in.
    #[schema(minimum = 1901, maximum = 9999, examples(2027))]
    pub program_year: i32,
    /// The earnings of each lever for the month.
    #[schema(max_items = 10_000)]
    pub earnings: Vec<StatementLine>,
    /// The earnings of each lever for earlier months that were closed; below zero where the lever took earnings back.
    #[schema(max_items = 10_000)]
    pub corrections: Vec<StatementLine>,
    /// The corrections by hand.
    #[schema(max_items = 10_000)]
    pub adjustments: Vec<StatementAdjustment>,
    /// The sales that did not earn, by lever and reason.
    #[schema(max_items = 10_000)]
    pub ineligible: Vec<StatementIneligible>,
    /// The rebates of the month, by currency; of a closed month with the states they had when the month was closed.
    #[schema(max_items = 200)]
    pub rebates: Vec<StatementRebate>,
    /// The amounts carried in, new, paid and carried out, by currency.
    #[schema(max_items = 200)]
    pub balances: Vec<StatementBalance>,
    /// What was paid since the month before was closed, and what came back.
    #[serde(default)]
    #[schema(max_items = 10_000)]
    pub payments: Vec<StatementPayment>,
    /// The co-op funds that grow or can be claimed in the month, the oldest half-year first; of a closed month as they stood when the
    /// month was closed.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub coop_funds: Vec<StatementFund>,
    /// The sums, by currency.
    #[schema(max_items = 200)]
    pub totals: Vec<StatementTotal>,
    /// The earnings of each lever in each month of the program year so far, by the month of payment.
    #[schema(max_items = 10_000)]
    pub months: Vec<StatementMonth>,
}

/// The earnings of a lever.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StatementLine {
    /// The program version that has the lever.
    #[schema(minimum = 1)]
    pub version: i32,
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    pub lever: String,
    /// The lever's name.
    #[schema(max_length = 200, examples("Core rate"))]
    pub name: String,
    /// The rate of the lever, in words.
    #[schema(max_length = 200, examples("8 %"))]
    pub terms: String,
    /// The month that the earnings apply to.
    pub earned_in: Month,
    /// The number of earnings.
    #[schema(minimum = 0)]
    pub earnings: i64,
    /// The sales that the lever earned on.
    #[serde(deserialize_with = "sum")]
    pub base: Money,
    /// The sum of the earnings.
    #[serde(deserialize_with = "sum")]
    pub amount: Money,
    /// The part that is rebate.
    #[serde(deserialize_with = "sum")]
    pub rebate: Money,
    /// The part that is co-op.
    #[serde(deserialize_with = "sum")]
    pub coop: Money,
    /// The parts of base and amount by their rates, which add up to the line; empty where the line has one rate, or none.
    #[schema(max_items = 40)]
    pub slices: Vec<StatementSlice>,
}

/// The part of a line that was given at one rate.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StatementSlice {
    /// The rate; 0 below the first tier.
    pub rate: Rate,
    /// The part of the base; below zero where a higher rate was reached, or sales were taken back.
    #[serde(deserialize_with = "sum")]
    pub base: Money,
    /// The part of the amount, rounded, after caps.
    #[serde(deserialize_with = "sum")]
    pub amount: Money,
}

/// A correction by hand.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StatementAdjustment {
    /// The adjustment.
    pub id: Id,
    /// The month that the adjustment applies to.
    pub earned_in: Month,
    /// The amount; negative where the rebate gets smaller.
    #[serde(deserialize_with = "sum")]
    pub amount: Money,
    /// The fault that the adjustment corrects.
    pub reason_code: AdjustmentReason,
    /// The reason in words.
    #[schema(max_length = 1000, examples("Agreed with the partner on 3 July"))]
    pub comment: String,
}

/// The sales on which a lever did not earn, for one reason.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StatementIneligible {
    /// The program version that has the lever.
    #[schema(minimum = 1)]
    pub version: i32,
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    pub lever: String,
    /// The lever's name.
    #[schema(max_length = 200, examples("Core rate"))]
    pub name: String,
    /// The month that the earnings would have applied to.
    pub earned_in: Month,
    /// Stable reason.
    #[schema(max_length = 64, examples("outside_enrollment"))]
    pub code: String,
    /// The reason in words.
    #[schema(max_length = 300, examples("The partner was not enrolled on the day of the sale."))]
    pub message: String,
    /// The remedy; null where there is none.
    #[schema(max_length = 300, examples("Complete the enrollment: what its start covers is judged again."))]
    pub remedy: Option<String>,
    /// The number of ineligible records made in the month.
    #[schema(minimum = 0)]
    pub records: i64,
    /// The number of ineligible records cured in the month.
    #[schema(minimum = 0)]
    pub cured: i64,
    /// The billed amount of the sales, cured records taken off.
    #[serde(deserialize_with = "sum")]
    pub billed: Money,
    /// The part of the earnings that a cap cut off.
    #[serde(deserialize_with = "sum")]
    pub capped: Money,
}

/// Sums in one currency.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct StatementTotal {
    /// Everything earned, corrections included.
    #[serde(deserialize_with = "sum")]
    pub amount: Money,
    /// The part that is rebate.
    #[serde(deserialize_with = "sum")]
    pub rebate: Money,
    /// The part that is co-op.
    #[serde(deserialize_with = "sum")]
    pub coop: Money,
    /// The corrections by hand.
    #[serde(deserialize_with = "sum")]
    pub adjusted: Money,
    /// The co-op funds that became rebate; null where there are none, and on a statement from before.
    #[serde(default, deserialize_with = "sum_if_any")]
    pub converted: Option<Money>,
    /// The amount owed: rebate, adjusted and converted.
    #[serde(deserialize_with = "sum")]
    pub owed: Money,
}

impl Statement {
    /// Leaves out the sums in other currencies, and the programs of earlier years that have nothing left.
    pub fn keep_currency(&mut self, currency: Currency, year: i32) {
        for program in &mut self.programs {
            program.earnings.retain(|line| line.amount.currency == currency);
            program.corrections.retain(|line| line.amount.currency == currency);
            program.adjustments.retain(|adjustment| adjustment.amount.currency == currency);
            program.ineligible.retain(|reason| reason.billed.currency == currency);
            program.rebates.retain(|rebate| rebate.amount.currency == currency);
            program.balances.retain(|balance| balance.new.currency == currency);
            program.payments.retain(|payment| payment.amount.currency == currency);
            program.totals.retain(|total| total.amount.currency == currency);
            program.months.retain(|month| month.amount.currency == currency);
        }
        self.programs.retain(|program| program.program_year == year || !program.is_empty());
        self.totals.retain(|total| total.amount.currency == currency);
    }
}

impl StatementProgram {
    /// Whether nothing was posted, refused or owed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.totals.is_empty() && self.ineligible.is_empty() && self.balances.is_empty()
    }
}

impl StatementTotal {
    /// The total with all sums zero.
    #[must_use]
    pub fn none(currency: Currency) -> Self {
        let nothing = Money { minor: 0, currency };
        Self {
            amount: nothing,
            rebate: nothing,
            coop: nothing,
            adjusted: nothing,
            converted: None,
            owed: nothing,
        }
    }

    /// Adds the earnings of a lever.
    pub fn earn(&mut self, line: &StatementLine) {
        self.amount.minor += line.amount.minor;
        self.rebate.minor += line.rebate.minor;
        self.coop.minor += line.coop.minor;
        self.owed.minor += line.rebate.minor;
    }

    /// Adds an adjustment.
    pub fn adjust(&mut self, amount: Money) {
        self.adjusted.minor += amount.minor;
        self.owed.minor += amount.minor;
    }

    /// Adds a co-op fund that became rebate.
    pub fn convert(&mut self, amount: Money) {
        self.converted = sum_of(self.converted, Some(amount));
        self.owed.minor += amount.minor;
    }

    /// Adds another total in the same currency.
    pub fn add(&mut self, other: &Self) {
        self.amount.minor += other.amount.minor;
        self.rebate.minor += other.rebate.minor;
        self.coop.minor += other.coop.minor;
        self.adjusted.minor += other.adjusted.minor;
        self.converted = sum_of(self.converted, other.converted);
        self.owed.minor += other.owed.minor;
    }
}

/// The sum of the amounts that are there.
fn sum_of(one: Option<Money>, other: Option<Money>) -> Option<Money> {
    one.into_iter().chain(other).reduce(|one, other| Money { minor: one.minor + other.minor, ..one })
}

/// The earnings of a lever in a month.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct StatementMonth {
    /// The month of payment.
    pub month: Month,
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    pub lever: String,
    /// The lever's name.
    #[schema(max_length = 200, examples("Core rate"))]
    pub name: String,
    /// The amount.
    #[serde(deserialize_with = "sum")]
    pub amount: Money,
    /// The part that is rebate.
    #[serde(deserialize_with = "sum")]
    pub rebate: Money,
    /// The part that is co-op.
    #[serde(deserialize_with = "sum")]
    pub coop: Money,
}
