//! Traces: how a posted amount came about, step by step, from the few figures that are stored with it.

use super::{Exact, Figures, GivenSlice};
use crate::{
    participation::programs::{Lever, ProgramVersion},
    platform::values::{Currency, Money, Rate},
};

/// A posting, as far as its trace goes.
#[derive(Clone, Debug)]
pub struct Traced<'a> {
    /// The version whose terms count.
    pub version: &'a ProgramVersion,
    /// The lever.
    pub lever: &'a Lever,
    /// The currency of the posting.
    pub currency: Currency,
    /// The stored figures; `before` is what earlier transactions of the same purchase give.
    pub figures: Figures,
    /// The stored slices.
    pub slices: &'a [GivenSlice],
    /// What the same origin had posted already, in minor units; zero for a first posting.
    pub corrects: i64,
    /// The rebate part of the posting, in minor units.
    pub rebate: i64,
    /// The co-op part of the posting, in minor units.
    pub coop: i64,
}

/// One step of a calculation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalculationStep {
    /// The net amount that the lever earns on.
    Base {
        /// The amount.
        amount: Money,
    },
    /// A part of the volume at its tier's rate, or all of it at the lever's.
    Slice {
        /// The part.
        volume: Money,
        /// The rate.
        rate: Rate,
        /// What the part gives, in the currency of the posting.
        gives: Exact,
    },
    /// What earlier months of the tier period were given.
    EarlierMonths {
        /// The amount.
        amount: Money,
    },
    /// A fixed amount, so many times.
    Fixed {
        /// The amount.
        amount: Money,
        /// How many new customers or competencies.
        times: i64,
    },
    /// What a month is compared with.
    Baseline {
        /// The amount.
        amount: Money,
    },
    /// The sum, rounded once.
    Rounded {
        /// The amount.
        amount: Money,
    },
    /// The cap.
    Cap {
        /// What was left under the cap, in the currency of the posting.
        balance: Money,
        /// What is cut off.
        cut: Money,
    },
    /// What earlier transactions of the same purchase give.
    Posted {
        /// The amount.
        amount: Money,
    },
    /// What the same origin had posted already: the posting corrects it.
    Correction {
        /// The amount.
        of: Money,
    },
    /// The split.
    Split {
        /// The rebate's rate.
        rate: Rate,
        /// The rebate part.
        rebate: Money,
        /// The co-op part.
        coop: Money,
    },
}

impl Traced<'_> {
    /// The steps, in their order.
    #[must_use]
    pub fn steps(&self) -> Vec<CalculationStep> {
        use CalculationStep as Step;
        let money = |minor| Money { minor, currency: self.currency };
        let Figures { net, whole, cap_balance, before, .. } = self.figures;
        let mut steps = vec![Step::Base { amount: money(net) }];
        steps.extend(self.steps_of_method());
        steps.push(Step::Rounded { amount: money(whole) });
        steps.extend(
            cap_balance
                .map(|balance| Step::Cap { balance: money(balance), cut: money(whole - whole.min(balance)) }),
        );
        if before != 0 {
            steps.push(Step::Posted { amount: money(before) });
        }
        if self.corrects != 0 {
            steps.push(Step::Correction { of: money(self.corrects) });
        }
        let (rate, rebate, coop) = (self.version.rebate_rate, money(self.rebate), money(self.coop));
        steps.push(Step::Split { rate, rebate, coop });
        steps
    }
}
