//! Parts of the sentences that several rules say.

use crate::network::partners::PartnerType;

/// How many items of a list a sentence names.
const NAMED: usize = 10;

/// The channel's name inside a sentence.
pub(super) const fn channel(partner_type: PartnerType) -> &'static str {
    match partner_type {
        PartnerType::DirectBill => "direct bill",
        PartnerType::IndirectProvider => "indirect provider",
        PartnerType::IndirectReseller => "indirect reseller",
    }
}

/// The first items, and how many more there are: a sentence stays a sentence.
pub(super) fn listed(items: &[impl AsRef<str>]) -> String {
    let named: Vec<&str> = items.iter().take(NAMED).map(AsRef::as_ref).collect();
    match items.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
