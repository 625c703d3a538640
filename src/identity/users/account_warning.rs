//! The warning that money of a partner goes to another bank account from now on: whoever could object is told, at every
//! address that somebody who took over one account cannot have changed unseen.

use super::{User, store};
use crate::{
    access::{Changes, Tx},
    audit,
    network::{
        partners::{self, Partner},
        profiles,
    },
    notifications::{self, About, Message, Recipient},
    platform::{
        Result,
        values::{Id, Timestamp},
    },
};

/// Days for which a contact address that was replaced is told too.
const CONTACT_DAYS: i64 = 30;

/// Tells every incentive admin of the partners whose bank account was changed in this unit, and the partners' contact
/// addresses.
pub fn warn_of_new_accounts(tx: &mut Tx<'_>, changes: &Changes) -> Result<()> {
    for partner in &changes.accounts {
        warn(tx, *partner)?;
    }
    Ok(())
}

fn warn(tx: &mut Tx<'_>, partner: Id) -> Result<()> {
    let Some(profile) = profiles::payout_profile(tx, partner)? else { return Ok(()) };
    let partner = partners::get(tx, partner)?;
    let mut readers: Vec<Recipient> = store::admins_of(tx, &partner)?.iter().map(User::recipient).collect();
    let Some(first) = readers.first().cloned() else { return Ok(()) };
    for email in contacts(tx, &partner)? {
        // A contact has no account: the notification stands among those of the first admin.
        if readers.iter().all(|reader| !reader.email.eq_ignore_ascii_case(&email)) {
            readers.push(Recipient { email, name: partner.legal_name.clone(), ..first.clone() });
        }
    }
    let message = Message::BankAccountChanged {
        partner: partner.legal_name.clone(),
        partner_id: partner.id,
        account: profile.terms.masked_number(),
        at: tx.now,
        waits_until: profile.notes.cooling_off_until,
    };
    let about = About::new("payout_profile", profile.id);
    notifications::notify(tx, &readers, Some(partner.id), about, &message)
}

/// The contact address of a partner, and the addresses it has replaced lately.
fn contacts(tx: &mut Tx<'_>, partner: &Partner) -> Result<Vec<String>> {
    let since: Timestamp = tx.now.plus_seconds(-CONTACT_DAYS * 24 * 3600);
    let befores = audit::befores(tx, "UpdatePartner", partner.id, since)?;
    let former = befores.iter().filter_map(|before| before.get("contact_email")?.as_str().map(str::to_owned));
    Ok(std::iter::once(partner.contact_email.clone()).chain(former).collect())
}
