//! The marketing activities that co-op pays, as data of a program version: what each is called, what it may cost, and what
//! proves it. No I/O, no clock, no HTTP.

use crate::{
    platform::{
        FieldError,
        values::{Locale, Money, Rate, text_enum},
    },
    text,
};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::ToSchema;

text_enum! {
    /// What proves that an activity took place.
    pub enum CoopProofKind {
        /// The printed or published piece in its final form.
        FinalPiece = "final_piece",
        /// A picture of a screen.
        Screenshot = "screenshot",
        /// The address of a page; it is written on the expense, and is no file.
        WebAddress = "web_address",
        /// What shows to whom something was sent.
        ProofOfDistribution = "proof_of_distribution",
        /// The proofs of every activity in a campaign.
        CampaignProofs = "campaign_proofs",
        /// The script of calls.
        Script = "script",
        /// The invitation.
        Invitation = "invitation",
        /// The agenda.
        Agenda = "agenda",
        /// Photos.
        Photo = "photo",
        /// The offer with its terms.
        Offer = "offer",
        /// Samples of what was delivered.
        SampleDeliverable = "sample_deliverable",
        /// Materials.
        Material = "material",
        /// The invoice, with code and date where the activity asks for them.
        Invoice = "invoice",
        /// The slides.
        Slides = "slides",
        /// The registration.
        Registration = "registration",
        /// The itinerary.
        Itinerary = "itinerary",
        /// The specification.
        Specification = "specification",
        /// What shows that something was delivered.
        ProofOfDelivery = "proof_of_delivery",
        /// A certification of an own service, in place of an invoice of somebody else.
        Certification = "certification",
    }
}

text_enum! {
    /// The number that an activity is asked for.
    pub enum CoopMetric {
        /// Copies, or people who got something.
        Recipients = "recipients",
        /// Views of an advertisement or a page.
        Views = "views",
        /// People who took part.
        Attendees = "attendees",
        /// People who showed interest.
        Leads = "leads",
        /// Pieces sold or shown.
        Units = "units",
    }
}

/// The name of an activity in each language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"en": "Customer seminar", "ja": "顧客向けセミナー"}))]
pub struct CoopActivityName {
    /// In English.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
    pub en: String,
    /// In Japanese.
    #[schema(min_length = 1, max_length = 200, pattern = r"^\S(.*\S)?$")]
    pub ja: String,
}

impl CoopActivityName {
    /// The name in a language.
    #[must_use]
    pub fn in_language(&self, language: Locale) -> &str {
        match language {
            Locale::En => &self.en,
            Locale::Ja => &self.ja,
        }
    }
}

/// The most that an activity is paid from one fund. Amounts in another currency than the fund's are converted at the rate of the
/// last month of the fund's half-year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[schema(example = json!({"type": "share", "rate": "0.25"}))]
pub enum CoopLimit {
    /// An amount for the whole usage period.
    Amount {
        /// The amount.
        amount: Money,
    },
    /// A part of the fund.
    Share {
        /// The part.
        rate: Rate,
    },
    /// A part of the fund, or an amount where that is more.
    ShareOrAmount {
        /// The part.
        rate: Rate,
        /// The amount.
        amount: Money,
    },
    /// An amount for each of a few people at each event, and an amount for the whole usage period.
    People {
        /// The most people of one event.
        #[schema(minimum = 1, maximum = 1000)]
        people: i32,
        /// The most for each of them.
        each: Money,
        /// The most for the whole usage period.
        amount: Money,
    },
}

/// Kinds of proof of which one is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"any_of": ["web_address", "screenshot"]}))]
pub struct WantedProof {
    /// The kinds.
    #[schema(min_items = 1, max_items = 5)]
    pub any_of: Vec<CoopProofKind>,
}

/// A marketing activity that co-op pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "customer-seminar", "name": {"en": "Customer seminar", "ja": "顧客向けセミナー"}, "limit": null,
    "proofs": [{"any_of": ["invitation"]}, {"any_of": ["agenda"]}, {"any_of": ["photo"]}], "metric": "attendees"
}))]
pub struct CoopActivity {
    /// Stable slug, unique within the version.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    pub code: String,
    /// The name in each language.
    pub name: CoopActivityName,
    /// The most that is paid; null where only the fund is the limit.
    #[serde(default)]
    pub limit: Option<CoopLimit>,
    /// The proofs that are wanted beside the invoice of each expense.
    #[schema(min_items = 1, max_items = 10)]
    pub proofs: Vec<WantedProof>,
    /// The number that is asked for; null where there is none.
    #[serde(default)]
    pub metric: Option<CoopMetric>,
}

impl CoopLimit {
    /// The most that is paid from a fund, without what the people of single events allow. `converted` is an amount in the currency
    /// of the fund; none where there is no rate.
    #[must_use]
    pub fn most(&self, fund: Money, converted: impl Fn(Money) -> Option<Money>) -> Option<Money> {
        match self {
            Self::Amount { amount } | Self::People { amount, .. } => converted(*amount),
            Self::Share { rate } => Some(share(fund, *rate)),
            Self::ShareOrAmount { rate, amount } => {
                let (share, amount) = (share(fund, *rate), converted(*amount)?);
                Some(if share.minor < amount.minor { amount } else { share })
            }
        }
    }

    /// The most for one event with so many people; none where the people do not matter.
    #[must_use]
    pub fn most_of_event(&self, present: i32) -> Option<Money> {
        match self {
            Self::People { people, each, .. } => {
                let minor = each.minor.saturating_mul(i64::from(present.min(*people)));
                Some(Money { minor, ..*each })
            }
            Self::Amount { .. } | Self::Share { .. } | Self::ShareOrAmount { .. } => None,
        }
    }

    fn amounts(&self) -> Vec<Money> {
        match self {
            Self::Amount { amount } | Self::ShareOrAmount { amount, .. } => vec![*amount],
            Self::Share { .. } => Vec::new(),
            Self::People { each, amount, .. } => vec![*each, *amount],
        }
    }
}

/// A part of an amount, rounded down: a limit is never exceeded.
fn share(fund: Money, rate: Rate) -> Money {
    let minor = i128::from(fund.minor.max(0)) * i128::from(rate.millionths()) / 1_000_000;
    Money { minor: i64::try_from(minor).unwrap_or(i64::MAX), ..fund }
}

/// Every fault in a catalogue of activities that came at a JSON pointer.
#[must_use]
pub fn validate_activities(activities: &[CoopActivity], pointer: &str) -> Vec<FieldError> {
    let (mut faults, mut codes) = (Vec::new(), HashSet::new());
    for (n, activity) in activities.iter().enumerate() {
        if !codes.insert(activity.code.as_str()) {
            let message = text!(
                "another activity has the code {}",
                "コード {} は別の活動で使用されています。",
                activity.code
            );
            faults.push(FieldError::new(format!("{pointer}/{n}/code"), "duplicate", message));
        }
        let amounts = activity.limit.as_ref().map(CoopLimit::amounts).unwrap_or_default();
        if amounts.iter().any(|amount| amount.minor <= 0) {
            let message = text!("a limit is above zero", "上限額は 0 より大きい額にしてください。");
            faults.push(FieldError::new(format!("{pointer}/{n}/limit"), "range", message));
        }
    }
    faults
}
