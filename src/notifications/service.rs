//! Who is told what.

use super::{Message, Notification, Recipient, store};
use crate::{
    access::Tx,
    platform::{Result, values::Id},
};

/// The longest subject, in characters.
const SUBJECT: usize = 200;
/// The longest message, in characters.
const BODY: usize = 4000;

/// Tells people something, each in the own language. It is part of the unit: where that is taken back, nobody was
/// told.
pub fn tell(
    tx: &mut Tx<'_>,
    recipients: &[Recipient],
    partner_id: Option<Id>,
    (resource_type, resource_id): (&'static str, Id),
    message: &Message,
) -> Result<()> {
    for recipient in recipients {
        let (subject, body) = message.in_words(recipient.locale);
        let notification = Notification {
            id: tx.new_id(),
            user_id: recipient.user_id,
            partner_id,
            kind: message.kind(),
            resource_type: resource_type.to_owned(),
            resource_id,
            subject: cut(subject, SUBJECT),
            body: cut(body, BODY),
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
