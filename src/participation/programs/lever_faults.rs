//! Faults in levers that people write: terms that are unsound, and combinations that mean nothing.

use super::{CapScope, Lever, LeverGrain, LeverTier, lever::OwnAmount};
use crate::{
    platform::{
        FieldError,
        values::{Currency, Money, Text},
    },
    text,
};

/// How many levers one version may offer.
const MAX_LEVERS: usize = 20;

/// Every fault in a list of levers that came at a JSON pointer; empty where the list is sound.
#[must_use]
pub fn validate_levers(levers: &[Lever], currency: Currency, pointer: &str) -> Vec<FieldError> {
    let mut faults = Faults { currency, found: Vec::new() };
    if levers.is_empty() || levers.len() > MAX_LEVERS {
        faults.add(
            pointer,
            "range",
            text!(
                "give 1 to {MAX_LEVERS} levers, not {}",
                "区分は 1 個から {MAX_LEVERS} 個まで指定してください（現在 {} 個）。",
                levers.len()
            ),
        );
    }
    for (index, lever) in levers.iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        if levers.iter().take(index).any(|earlier| earlier.code() == lever.code()) {
            faults.add(
                &format!("{pointer}/code"),
                "duplicate",
                text!("{} is a code twice", "コード {} が重複しています。", lever.code()),
            );
        }
        if let Some(cap) = lever.cap() {
            faults.positive(cap.amount, &format!("{pointer}/cap/amount"));
        }
        faults.method(lever, &pointer);
    }
    faults.found
}

struct Faults {
    currency: Currency,
    found: Vec<FieldError>,
}

impl Faults {
    fn method(&mut self, lever: &Lever, pointer: &str) {
        if let Some(OwnAmount { member, amount }) = lever.own_amount() {
            self.positive(amount, &format!("{pointer}/{member}"));
        }
        if let Some(tiers) = lever.tiers() {
            self.tiers(tiers.tiers, &format!("{pointer}/scale/tiers"));
            if tiers.lifts_all && lever.grain() != LeverGrain::Month {
                let message = text!(
                    "a retroactive scale lifts a whole month: write the grain month",
                    "到達段階の料率は 1 か月全体に適用されます。grain に month を指定してください。"
                );
                self.add(&format!("{pointer}/grain"), "grain", message);
            }
            if tiers.lifts_all && lever.cap().is_some() {
                self.rising(tiers.tiers, &format!("{pointer}/scale/tiers"));
            }
        }
        let knows_customer = lever.grain() != LeverGrain::Month;
        if lever.cap().is_some_and(|cap| cap.scope == CapScope::Customer) && !knows_customer {
            let message = text!(
                "an amount of a whole month knows no customer: write the scope partner, or another grain",
                "1 か月単位の金額は顧客ごとに区別できません。scope に partner を指定するか、別の grain を指定してください。"
            );
            self.add(&format!("{pointer}/cap/scope"), "scope", message);
        }
    }

    fn tiers(&mut self, tiers: &[LeverTier], pointer: &str) {
        let mut below: Option<Money> = None;
        for (index, LeverTier { from, .. }) in tiers.iter().enumerate() {
            let pointer = format!("{pointer}/{index}/from");
            self.in_currency(*from, &pointer);
            match below {
                None if from.minor != 0 => self.add(
                    &pointer,
                    "range",
                    text!("begin the first tier at zero", "最初の段階は 0 から開始してください。"),
                ),
                Some(below) if from.minor <= below.minor => {
                    self.add(
                        &pointer,
                        "order",
                        text!(
                            "begin above the tier before, which begins at {below}",
                            "直前の段階の開始値（{below}）より大きい値から開始してください。"
                        ),
                    );
                }
                _ => {}
            }
            below = Some(*from);
        }
        if tiers.is_empty() || tiers.len() > 20 {
            self.add(
                pointer,
                "range",
                text!("give 1 to 20 tiers", "段階は 1 個から 20 個まで指定してください。"),
            );
        }
    }

    /// A whole volume at a lower rate takes back; below a cap nobody could say whether from what was given or from what was cut.
    fn rising(&mut self, tiers: &[LeverTier], pointer: &str) {
        for (index, pair) in tiers.windows(2).enumerate() {
            if let [below, above] = pair
                && above.rate < below.rate
            {
                let message = text!(
                    "under a cap a retroactive rate does not fall: write {} or more, or leave the cap out",
                    "上限を設ける場合、遡及適用の料率は下げられません。{} 以上を指定するか、上限を削除してください。",
                    below.rate
                );
                self.add(&format!("{pointer}/{}/rate", index + 1), "order", message);
            }
        }
    }

    fn positive(&mut self, amount: Money, pointer: &str) {
        self.in_currency(amount, pointer);
        if amount.minor <= 0 {
            self.add(pointer, "range", text!("give more than nothing", "0 より大きい値を指定してください。"));
        }
    }

    fn in_currency(&mut self, amount: Money, pointer: &str) {
        if amount.currency != self.currency {
            let message = text!(
                "write it in {}, the currency of the version's thresholds",
                "この版の基準額の通貨である {} で指定してください。",
                self.currency
            );
            self.add(pointer, "currency", message);
        }
    }

    fn add(&mut self, pointer: &str, code: &'static str, message: Text) {
        self.found.push(FieldError::new(pointer, code, message));
    }
}
