//! The notices to partners whose rebates are on hold: how much, and what ends the hold.

use super::{Rebate, RebateReason};
use crate::{
    access::Tx,
    identity::users::{self, AdminNotice},
    network::partners::{self, Partner},
    notifications::{About, Message},
    platform::{
        Result,
        values::{Currency, Id, Money, Text},
    },
};
use std::collections::{BTreeMap, HashMap};

/// The most partners that are looked up together.
const AT_ONCE: usize = 1000;

/// The held rebates of a partner for one reason.
#[derive(Default)]
struct Held<'a> {
    amounts: BTreeMap<Currency, i64>,
    comment: Option<&'a str>,
    first: Option<Id>,
}

/// Whether the partner is told when a hold begins: somebody decided on it, or the partner has to do something.
pub(super) const fn is_told(reason: RebateReason) -> bool {
    reason.is_by_hand() || reason.is_the_partners_turn()
}

/// Tells the incentive admins of the partners whose rebates these are: one notice for each partner and reason.
pub(super) fn tell(tx: &mut Tx<'_>, rebates: &[Rebate]) -> Result<()> {
    let mut held: BTreeMap<(Id, RebateReason), Held<'_>> = BTreeMap::new();
    for rebate in rebates.iter().filter(|rebate| rebate.amount().minor != 0) {
        let Some(reason) = rebate.state_reason else { continue };
        let of = held.entry((rebate.partner_id, reason)).or_default();
        *of.amounts.entry(rebate.currency).or_default() += rebate.amount().minor;
        of.comment = of.comment.or(rebate.state_comment.as_deref());
        of.first.get_or_insert(rebate.id);
    }
    let mut ids: Vec<Id> = held.keys().map(|(partner, _)| *partner).collect();
    ids.dedup();
    let mut found: HashMap<Id, Partner> = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        found.extend(partners::many(tx, ids)?.into_iter().map(|partner| (partner.id, partner)));
    }
    let mut notices = Vec::new();
    for ((id, reason), of) in held {
        let Some(partner) = found.get(&id) else { continue };
        let message = Message::RebateHeld {
            partner: partner.legal_name.clone(),
            amounts: of
                .amounts
                .iter()
                .map(|(currency, minor)| Money { minor: *minor, currency: *currency })
                .collect(),
            reason: Text::in_each(|language| reason.detail(language).to_owned()),
            comment: of.comment.map(str::to_owned),
            partner_id: id,
        };
        let about = About::new("rebate", of.first.unwrap_or(id));
        notices.push(AdminNotice { partner, about, message });
    }
    notices.chunks(AT_ONCE).try_for_each(|notices| users::notify_admins_of_each(tx, notices))
}
