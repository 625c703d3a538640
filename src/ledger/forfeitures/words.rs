//! The rules of loss in words, with the step that averts the loss.

use super::model::ForfeitureCause;
use crate::platform::values::{Locale, Words};

impl ForfeitureCause {
    /// The rule in words, with the step that averts the loss.
    #[must_use]
    pub const fn detail(self, language: Locale) -> &'static str {
        language.of(match self {
            Self::HeldTooLong => Words::new(
                "What waits for a payout or tax profile for over 180 days is lost. Submit the profile, or mend the one that was refused or expired, before that day.",
                "支払先情報または税務情報の不備により 180 日を超えて保留されたリベートは失効します。その日までに情報を提出または修正してください。",
            ),
            Self::BelowThreshold => Words::new(
                "What is below the payment threshold when the program year has ended is lost. It is paid if sales of the year bring it up to the threshold before that day.",
                "プログラム年度の終了時に最低支払額に満たないリベートは失効します。その日までに当年度の販売により最低支払額に達すれば支払われます。",
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_said_in_each_language() {
        for cause in ForfeitureCause::ALL {
            let [english, japanese] = [Locale::En, Locale::Ja].map(|locale| cause.detail(locale));
            assert!(english.is_ascii() && !japanese.is_ascii(), "{english} {japanese}");
        }
    }
}
