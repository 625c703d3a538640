//! Messages to the incentive admins of partners, and to operators.

use super::{User, store};
use crate::{
    access::Tx,
    network::partners::Partner,
    notifications::{self, About, Message, Notice, Recipient},
    platform::{Result, values::Id},
};
use std::collections::HashMap;

/// Sends a message to every incentive admin of a partner and of its headquarters who is not barred, in the unit of the
/// change.
pub fn notify_admins(tx: &mut Tx<'_>, partner: &Partner, about: About, message: &Message) -> Result<()> {
    let admins: Vec<Recipient> = store::admins_of(tx, partner)?.iter().map(User::recipient).collect();
    notifications::notify(tx, &admins, Some(partner.id), about, message)
}

/// A message to the incentive admins of a partner and of its headquarters.
#[derive(Debug)]
pub struct AdminNotice<'a> {
    /// The partner.
    pub partner: &'a Partner,
    /// The record that the message is about.
    pub about: About,
    /// The message.
    pub message: Message,
}

/// Sends each message to the incentive admins who are not barred, in the unit of the changes. A constant number of statements,
/// however many messages there are.
pub fn notify_admins_of_each(tx: &mut Tx<'_>, notices: &[AdminNotice<'_>]) -> Result<()> {
    if notices.is_empty() {
        return Ok(());
    }
    let partners: Vec<&Partner> = notices.iter().map(|notice| notice.partner).collect();
    let mut by_partner: HashMap<Id, Vec<Recipient>> = HashMap::new();
    for admin in store::admins_of_each(tx, &partners)? {
        if let Some(partner) = admin.partner_id {
            by_partner.entry(partner).or_default().push(admin.recipient());
        }
    }
    let told = |notice: &AdminNotice<'_>| {
        let responsible = [Some(notice.partner.id), notice.partner.headquarters_id];
        let recipients = responsible.into_iter().flatten().filter_map(|id| by_partner.get(&id)).flatten();
        Notice {
            recipients: recipients.cloned().collect(),
            partner_id: Some(notice.partner.id),
            about: notice.about,
            message: notice.message.clone(),
        }
    };
    notifications::notify_each(tx, &notices.iter().map(told).collect::<Vec<_>>())
}

/// Tells the operators something about a partner.
pub fn notify_operators(tx: &mut Tx<'_>, partner: &Partner, about: About, message: &Message) -> Result<()> {
    let operators: Vec<Recipient> = store::operators_to_tell(tx)?.iter().map(User::recipient).collect();
    notifications::notify(tx, &operators, Some(partner.id), about, message)
}
