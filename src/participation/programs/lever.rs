//! Levers as data: the ways to earn that a program version offers. Their terms live here; sums do not.

use super::{LeverFilter, LeverScale, Tiers};
use crate::platform::values::{Money, Rate, text_enum};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One way to earn. `type` names the kind; the other members are its terms. Each lever earns and rounds on
/// its own: a transaction may earn from several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[schema(example = json!({
    "type": "core", "code": "core", "name": "Core rate", "scale": {"type": "flat", "rate": "0.08"},
    "applies_to": {}, "cap": null, "grain": "transaction"
}))]
pub enum Lever {
    /// The program's base rate on what was billed.
    #[schema(title = "CoreLever")]
    Core {
        /// Stable lower-case slug, unique in the version.
        #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", examples("core"))]
        code: String,
        /// Name shown to people.
        #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", examples("Core rate"))]
        name: String,
        /// The rate, or the rates by volume.
        scale: LeverScale,
        /// What it earns on; left out, it earns on everything.
        #[serde(default)]
        applies_to: LeverFilter,
        /// The most it gives in a version's year.
        #[serde(default)]
        cap: Option<LeverCap>,
        /// What one earning is made of; rounding follows it. Left out: each transaction, or with a retroactive scale, which
        /// knows no other grain, the month.
        #[serde(default)]
        #[schema(value_type = LeverGrain)]
        grain: Option<LeverGrain>,
    },
    /// A further rate on part of what was billed, on top of the core rate.
    #[schema(title = "AcceleratorLever")]
    Accelerator {
        /// Stable lower-case slug, unique in the version.
        #[schema(
            min_length = 1,
            max_length = 64,
            pattern = "^[a-z0-9]+(-[a-z0-9]+)*$",
            examples("strategic")
        )]
        code: String,
        /// Name shown to people.
        #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", examples("Strategic products"))]
        name: String,
        /// The rate, or the rates by volume.
        scale: LeverScale,
        /// What it earns on; left out, it earns on everything.
        #[serde(default)]
        applies_to: LeverFilter,
        /// The most it gives in a version's year.
        #[serde(default)]
        cap: Option<LeverCap>,
        /// What one earning is made of; rounding follows it. Left out: each transaction, or with a retroactive scale, which
        /// knows no other grain, the month.
        #[serde(default)]
        #[schema(value_type = LeverGrain)]
        grain: Option<LeverGrain>,
    },
    /// A rate on what a month's billed amount exceeds its baseline by. No growth earns nothing, and a
    /// shrinking month takes nothing back.
    #[schema(title = "GrowthLever")]
    Growth {
        /// Stable lower-case slug, unique in the version.
        #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", examples("growth"))]
        code: String,
        /// Name shown to people.
        #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", examples("Growth"))]
        name: String,
        /// The rate on the growth.
        rate: Rate,
        /// What the month is compared with.
        baseline: GrowthBaseline,
        /// What it earns on; left out, it earns on everything.
        #[serde(default)]
        applies_to: LeverFilter,
        /// The most it gives in a version's year.
        #[serde(default)]
        cap: Option<LeverCap>,
    },
    /// A fixed amount for each new customer.
    #[schema(title = "FixedLever")]
    Fixed {
        /// Stable lower-case slug, unique in the version.
        #[schema(
            min_length = 1,
            max_length = 64,
            pattern = "^[a-z0-9]+(-[a-z0-9]+)*$",
            examples("customer-add")
        )]
        code: String,
        /// Name shown to people.
        #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", examples("New customers"))]
        name: String,
        /// What a new customer gives.
        amount: Money,
        /// A customer is new when it has not bought from the partner for so many months.
        #[serde(default = "year_of_months")]
        #[schema(minimum = 1, maximum = 120, default = 12)]
        new_after_months: u32,
        /// What it earns on; left out, it earns on everything.
        #[serde(default)]
        applies_to: LeverFilter,
        /// The most it gives in a version's year.
        #[serde(default)]
        cap: Option<LeverCap>,
    },
    /// A fixed amount for each competency attained in a month; once for a competency, partner and program year.
    #[schema(title = "ActivityBonusLever")]
    ActivityBonus {
        /// Stable lower-case slug, unique in the version.
        #[schema(
            min_length = 1,
            max_length = 64,
            pattern = "^[a-z0-9]+(-[a-z0-9]+)*$",
            examples("new-competencies")
        )]
        code: String,
        /// Name shown to people.
        #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$", examples("New competencies"))]
        name: String,
        /// What a competency gives.
        amount: Money,
        /// The most it gives in a program year; of the partner, as no customer is known.
        #[serde(default)]
        cap: Option<LeverCap>,
    },
}

/// How a lever earns. Everything that is done by the kind of a lever decides by this.
#[derive(Clone, Copy, Debug)]
pub enum Method<'a> {
    /// A rate, or rates by volume, on what was billed.
    Rate {
        /// The rates.
        scale: &'a LeverScale,
        /// What is rounded as one.
        grain: LeverGrain,
    },
    /// A rate on the growth of a month over its baseline.
    Growth {
        /// The rate.
        rate: Rate,
        /// What the month is compared with.
        baseline: GrowthBaseline,
    },
    /// An amount for each new customer.
    NewCustomer {
        /// The amount, in the version's currency.
        amount: Money,
        /// The months without a purchase after which a customer is new.
        new_after_months: u32,
    },
    /// An amount for each competency attained in a month.
    Activity {
        /// The amount, in the version's currency.
        amount: Money,
    },
}

/// An amount that the terms of a lever name.
pub(super) struct OwnAmount {
    /// The place of the amount within the lever.
    pub member: &'static str,
    /// The amount, which must be in the version's currency.
    pub amount: Money,
}

/// The parts that every lever has.
struct Common<'a> {
    code: &'a str,
    name: &'a str,
    applies_to: &'a LeverFilter,
    cap: Option<LeverCap>,
}

/// The filter of a lever that earns on no sale.
static EVERY_SALE: LeverFilter = LeverFilter::EVERY_SALE;

const fn year_of_months() -> u32 {
    12
}

/// What a growing month is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[schema(example = json!({"type": "same_month_last_year"}))]
pub enum GrowthBaseline {
    /// The same month one year before.
    #[schema(title = "SameMonthLastYear")]
    SameMonthLastYear {},
    /// The average of the months before it.
    #[schema(title = "TrailingAverage")]
    TrailingAverage {
        /// How many months.
        #[schema(minimum = 1, maximum = 24)]
        months: u32,
    },
    /// A given amount per month.
    #[schema(title = "FixedBaseline")]
    Fixed {
        /// The amount, in the version's currency.
        amount: Money,
    },
}

/// The most a lever gives in a version's year; what is above becomes an ineligible record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"scope": "customer", "amount": {"amount": "4000.00", "currency": "USD"}}))]
pub struct LeverCap {
    /// Whom the balance belongs to.
    pub scope: CapScope,
    /// The balance at the beginning of the year, in the version's currency.
    pub amount: Money,
}

text_enum! {
    /// Whom a cap's balance belongs to.
    pub enum CapScope {
        /// Each customer of the partner has a balance.
        Customer = "customer",
        /// The partner has one balance.
        Partner = "partner",
    }
}

text_enum! {
    /// What one earning is made of, and so what is rounded once.
    pub enum LeverGrain {
        /// Each transaction.
        Transaction = "transaction",
        /// Everything a customer bought in a month.
        CustomerMonth = "customer_month",
        /// Everything of a month.
        Month = "month",
    }
}

/// A lever is read from the JSON in which versions offer it:
///
/// ```
/// use partner_incentives::participation::programs::{Lever, validate_levers};
/// use partner_incentives::platform::values::Currency;
/// use serde_json::json;
///
/// let lever: Lever = serde_json::from_value(json!({
///     "type": "core", "code": "core", "name": "Core rate", "scale": {"type": "flat", "rate": "0.08"}
/// }))?;
/// assert_eq!(lever.code(), "core");
/// assert!(lever.cap().is_none(), "what is left out takes its default");
/// assert!(validate_levers(&[lever.clone()], Currency::USD, "/levers").is_empty());
///
/// // Two levers of one version share no code.
/// let faults = validate_levers(&[lever.clone(), lever], Currency::USD, "/levers");
/// assert_eq!(faults[0].pointer, "/levers/1/code");
/// # Ok::<(), serde_json::Error>(())
/// ```
impl Lever {
    /// How the lever earns.
    #[must_use]
    pub const fn method(&self) -> Method<'_> {
        match self {
            Self::Core { scale, grain, .. } | Self::Accelerator { scale, grain, .. } => {
                Method::Rate { scale, grain: scale.grain(*grain) }
            }
            Self::Growth { rate, baseline, .. } => Method::Growth { rate: *rate, baseline: *baseline },
            Self::Fixed { amount, new_after_months, .. } => {
                Method::NewCustomer { amount: *amount, new_after_months: *new_after_months }
            }
            Self::ActivityBonus { amount, .. } => Method::Activity { amount: *amount },
        }
    }

    /// The lever with every term written out that may be left out.
    #[must_use]
    pub fn written_out(mut self) -> Self {
        if let Self::Core { scale, grain, .. } | Self::Accelerator { scale, grain, .. } = &mut self {
            *grain = Some(scale.grain(*grain));
        }
        self
    }

    const fn common(&self) -> Common<'_> {
        match self {
            Self::Core { code, name, applies_to, cap, .. }
            | Self::Accelerator { code, name, applies_to, cap, .. }
            | Self::Growth { code, name, applies_to, cap, .. }
            | Self::Fixed { code, name, applies_to, cap, .. } => {
                Common { code: code.as_str(), name: name.as_str(), applies_to, cap: *cap }
            }
            Self::ActivityBonus { code, name, cap, .. } => {
                Common { code: code.as_str(), name: name.as_str(), applies_to: &EVERY_SALE, cap: *cap }
            }
        }
    }

    /// The code, unique in the version.
    #[must_use]
    pub const fn code(&self) -> &str {
        self.common().code
    }

    /// The name shown to people.
    #[must_use]
    pub const fn name(&self) -> &str {
        self.common().name
    }

    /// The sales the lever earns on.
    #[must_use]
    pub const fn applies_to(&self) -> &LeverFilter {
        self.common().applies_to
    }

    /// The most the lever gives in a program year.
    #[must_use]
    pub const fn cap(&self) -> Option<LeverCap> {
        self.common().cap
    }

    /// What the lever rounds, caps and posts as one.
    #[must_use]
    pub const fn grain(&self) -> LeverGrain {
        match self.method() {
            Method::Rate { grain, .. } => grain,
            Method::Growth { .. } | Method::Activity { .. } => LeverGrain::Month,
            Method::NewCustomer { .. } => LeverGrain::Transaction,
        }
    }

    /// How many months a customer must not have bought for to be new again; none where the lever asks nothing of customers.
    #[must_use]
    pub const fn new_after_months(&self) -> Option<u32> {
        match self.method() {
            Method::NewCustomer { new_after_months, .. } => Some(new_after_months),
            Method::Rate { .. } | Method::Growth { .. } | Method::Activity { .. } => None,
        }
    }

    /// How many months back the lever compares; none where it compares with no month.
    #[must_use]
    pub const fn compares_months_back(&self) -> Option<u32> {
        match self.method() {
            Method::Growth { baseline: GrowthBaseline::SameMonthLastYear {}, .. } => Some(12),
            Method::Growth { baseline: GrowthBaseline::TrailingAverage { months }, .. } => Some(months),
            Method::Growth { baseline: GrowthBaseline::Fixed { .. }, .. }
            | Method::Rate { .. }
            | Method::NewCustomer { .. }
            | Method::Activity { .. } => None,
        }
    }

    /// Whether the lever earns on attained competencies, and not on sales.
    #[must_use]
    pub const fn earns_on_attainments(&self) -> bool {
        match self.method() {
            Method::Activity { .. } => true,
            Method::Rate { .. } | Method::Growth { .. } | Method::NewCustomer { .. } => false,
        }
    }

    /// The amount that the lever's terms name, by the member that holds it; none where they name rates only.
    pub(super) const fn own_amount(&self) -> Option<OwnAmount> {
        match self.method() {
            Method::Growth { baseline: GrowthBaseline::Fixed { amount }, .. } => {
                Some(OwnAmount { member: "baseline/amount", amount })
            }
            Method::NewCustomer { amount, .. } | Method::Activity { amount } => {
                Some(OwnAmount { member: "amount", amount })
            }
            Method::Rate { .. } | Method::Growth { .. } => None,
        }
    }

    /// The tiers of the lever, and over what time their volume is counted; none where its rate is one.
    #[must_use]
    pub fn tiers(&self) -> Option<Tiers<'_>> {
        match self.method() {
            Method::Rate { scale: LeverScale::Marginal { period, tiers }, .. } => {
                Some(Tiers { period: *period, tiers, lifts_all: false })
            }
            Method::Rate { scale: LeverScale::Retroactive { period, tiers }, .. } => {
                Some(Tiers { period: *period, tiers, lifts_all: true })
            }
            Method::Rate { scale: LeverScale::Flat { .. }, .. }
            | Method::Growth { .. }
            | Method::NewCustomer { .. }
            | Method::Activity { .. } => None,
        }
    }
}
