//! Parts of the sentences that several rules say.

use crate::{
    network::partners::PartnerType,
    platform::values::{Locale, Text, Words},
    text,
};

/// How many items of a list a sentence names.
const NAMED: usize = 10;

/// The channel's name inside a sentence.
pub(super) const fn channel(partner_type: PartnerType) -> Words<'static> {
    match partner_type {
        PartnerType::DirectBill => Words::new("direct bill", "直接請求"),
        PartnerType::IndirectProvider => Words::new("indirect provider", "間接プロバイダー"),
        PartnerType::IndirectReseller => Words::new("indirect reseller", "間接リセラー"),
    }
}

/// The first items, and how many more there are: a sentence stays a sentence.
pub(super) fn listed(items: &[impl AsRef<str>], language: Locale) -> String {
    let between = match language {
        Locale::En => ", ",
        Locale::Ja => "、",
    };
    let named: Vec<&str> = items.iter().take(NAMED).map(AsRef::as_ref).collect();
    let named = named.join(between);
    match (items.len().saturating_sub(NAMED), language) {
        (0, _) => named,
        (more, Locale::En) => format!("{named} and {more} more"),
        (more, Locale::Ja) => format!("{named}、ほか {more} 件"),
    }
}

/// What is said where a rule is not asked of the partner.
pub(super) fn not_asked() -> Text {
    text!("Not asked of this type of partner.", "この種別のパートナーには適用されません。")
}
