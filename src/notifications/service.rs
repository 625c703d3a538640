//! Who is told what.

use super::{Notification, NotificationKind, store};
use crate::{
    access::Tx,
    partners::Partner,
    platform::{Result, values::Id},
    users,
};

/// The longest subject, in characters.
const SUBJECT: usize = 200;
/// The longest message, in characters.
const BODY: usize = 4000;

/// A message about to be sent.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What it is about.
    pub kind: NotificationKind,
    /// Kind of the record it is about, as audit events name it.
    pub resource_type: &'static str,
    /// The record it is about.
    pub resource_id: Id,
    /// One line; cut at 200 characters.
    pub subject: String,
    /// The message; cut at 4000 characters.
    pub body: String,
}

/// Tells every incentive admin of a partner, and of its headquarters, who can act. It is part of the unit: where
/// that is taken back, nobody was told.
pub fn notify_admins(tx: &mut Tx<'_>, partner: &Partner, notice: Notice) -> Result<()> {
    let (subject, body) = (cut(notice.subject, SUBJECT), cut(notice.body, BODY));
    for admin in users::admins_of(tx, partner)? {
        let notification = Notification {
            id: tx.new_id(),
            user_id: admin.id,
            partner_id: Some(partner.id),
            kind: notice.kind,
            resource_type: notice.resource_type.to_owned(),
            resource_id: notice.resource_id,
            subject: subject.clone(),
            body: body.clone(),
            created_at: tx.now,
        };
        store::insert(tx, &notification)?;
    }
    Ok(())
}

/// The text, at most so many characters long; a cut one ends in an ellipsis.
fn cut(text: String, most: usize) -> String {
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(cut("München".into(), 7), "München");
        assert_eq!(cut("München".into(), 3), "Mü…");
    }
}
