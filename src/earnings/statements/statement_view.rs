//! The statement of a month on the wire.

use crate::{
    ledger::{
        accounting::{AccountingMonthState, RebateView},
        adjustments::AdjustmentReason,
    },
    network::partners::Partner,
    platform::values::{Country, Currency, Id, Money, Month, Timestamp},
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a partner earned that is paid with a month.
#[derive(Serialize, ToSchema)]
pub struct Statement {
    /// Whose statement.
    pub partner: StatementPartner,
    /// The month.
    pub month: Month,
    /// Whether something can still be posted in it.
    pub state: AccountingMonthState,
    /// When it was closed; null while it is open.
    pub closed_at: Option<Timestamp>,
    /// When its figures were computed; of a closed month, when it was closed. Null before the first calculation.
    pub as_of: Option<Timestamp>,
    /// The programs, the latest program year first.
    #[schema(max_items = 200)]
    pub programs: Vec<StatementProgram>,
    /// All programs together, by currency.
    #[schema(max_items = 200)]
    pub totals: Vec<StatementTotal>,
}

/// Whose statement.
#[derive(Serialize, ToSchema)]
pub struct StatementPartner {
    /// The partner.
    pub id: Id,
    /// Number in the partner network.
    #[schema(max_length = 10, examples("4000001"))]
    pub mpn_id: String,
    /// Registered name.
    #[schema(max_length = 200, examples("Contoso GmbH"))]
    pub legal_name: String,
    /// Where it is registered.
    pub country: Country,
}

impl From<Partner> for StatementPartner {
    fn from(partner: Partner) -> Self {
        let Partner { id, mpn_id, legal_name, country, .. } = partner;
        Self { id, mpn_id, legal_name, country }
    }
}

/// One program of a statement.
#[derive(Serialize, ToSchema)]
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
    /// What each lever gave for the month.
    #[schema(max_items = 10_000)]
    pub earnings: Vec<StatementLine>,
    /// What each lever gave, or took back, for earlier months that were closed.
    #[schema(max_items = 10_000)]
    pub corrections: Vec<StatementLine>,
    /// What was corrected by hand.
    #[schema(max_items = 10_000)]
    pub adjustments: Vec<StatementAdjustment>,
    /// What did not earn, by reason.
    #[schema(max_items = 10_000)]
    pub ineligible: Vec<StatementIneligible>,
    /// What is owed for the month and where it stands now, by currency.
    #[schema(max_items = 200)]
    pub rebates: Vec<RebateView>,
    /// What was payable of earlier months and not paid, by currency.
    #[schema(max_items = 200)]
    pub carried: Vec<Money>,
    /// The sums, by currency.
    #[schema(max_items = 200)]
    pub totals: Vec<StatementTotal>,
    /// What each lever gave in each month of the program year so far, by the month it is paid with.
    #[schema(max_items = 10_000)]
    pub months: Vec<StatementMonth>,
}

/// What a lever gave.
#[derive(Serialize, ToSchema)]
pub struct StatementLine {
    /// The program version whose lever it is.
    #[schema(minimum = 1)]
    pub version: i32,
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    pub lever: String,
    /// The lever's name.
    #[schema(max_length = 200, examples("Core rate"))]
    pub name: String,
    /// At what rate.
    #[schema(max_length = 200, examples("8 %"))]
    pub terms: String,
    /// The month it applies to.
    pub earned_in: Month,
    /// How many earnings.
    #[schema(minimum = 0)]
    pub earnings: i64,
    /// What was earned on.
    pub base: Money,
    /// The amount.
    pub amount: Money,
    /// The part that is rebate.
    pub rebate: Money,
    /// The part that is co-op.
    pub coop: Money,
}

/// A correction by hand.
#[derive(Serialize, ToSchema)]
pub struct StatementAdjustment {
    /// The adjustment.
    pub id: Id,
    /// The month it applies to.
    pub earned_in: Month,
    /// The amount.
    pub amount: Money,
    /// What it corrects.
    pub reason_code: AdjustmentReason,
    /// Why.
    #[schema(max_length = 1000, examples("Agreed with the partner on 3 July"))]
    pub comment: String,
}

/// What a lever did not give, for one reason.
#[derive(Serialize, ToSchema)]
pub struct StatementIneligible {
    /// The program version whose lever it is.
    #[schema(minimum = 1)]
    pub version: i32,
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    pub lever: String,
    /// The lever's name.
    #[schema(max_length = 200, examples("Core rate"))]
    pub name: String,
    /// The month it would have applied to.
    pub earned_in: Month,
    /// Stable reason.
    #[schema(max_length = 64, examples("outside_enrollment"))]
    pub code: String,
    /// The reason in words.
    #[schema(max_length = 300, examples("The partner was not enrolled on the day of the sale."))]
    pub message: String,
    /// What to do; null where nothing can be done.
    #[schema(max_length = 300, examples("Complete the enrollment: what its start covers is judged again."))]
    pub remedy: Option<&'static str>,
    /// How many records were made.
    #[schema(minimum = 0)]
    pub records: i64,
    /// How many ceased to stand in the month, because something was mended.
    #[schema(minimum = 0)]
    pub cured: i64,
    /// What the sales that do not earn were billed at, less those that were mended.
    pub billed: Money,
    /// What a cap cut off of what they earned.
    pub capped: Money,
}

/// Sums in one currency.
#[derive(Clone, Serialize, ToSchema)]
pub struct StatementTotal {
    /// Everything earned, corrections included.
    pub amount: Money,
    /// The part that is rebate.
    pub rebate: Money,
    /// The part that is co-op.
    pub coop: Money,
    /// What was corrected by hand.
    pub adjusted: Money,
    /// What is owed: rebate and adjusted.
    pub owed: Money,
}

impl StatementTotal {
    /// The total with all sums zero.
    #[must_use]
    pub fn none(currency: Currency) -> Self {
        let nothing = Money { minor: 0, currency };
        Self { amount: nothing, rebate: nothing, coop: nothing, adjusted: nothing, owed: nothing }
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

    /// Adds another total in the same currency.
    pub fn add(&mut self, other: &Self) {
        self.amount.minor += other.amount.minor;
        self.rebate.minor += other.rebate.minor;
        self.coop.minor += other.coop.minor;
        self.adjusted.minor += other.adjusted.minor;
        self.owed.minor += other.owed.minor;
    }
}

/// What a lever gave in a month.
#[derive(Clone, Serialize, ToSchema)]
pub struct StatementMonth {
    /// The month it is paid with.
    pub month: Month,
    /// The lever's code.
    #[schema(max_length = 64, examples("core"))]
    pub lever: String,
    /// The lever's name.
    #[schema(max_length = 200, examples("Core rate"))]
    pub name: String,
    /// The amount.
    pub amount: Money,
    /// The part that is rebate.
    pub rebate: Money,
    /// The part that is co-op.
    pub coop: Money,
}
