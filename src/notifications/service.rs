//! Writing notifications, and queueing their mails.

use super::{DeliveryState, MailDelivery, Message, Notification, Recipient, SEALED, store, words};
use crate::{
    access::Tx,
    config::MailRoute,
    platform::{Result, values::Id},
};

/// The longest subject, in characters.
const SUBJECT: usize = 200;
/// The longest message, in characters.
const BODY: usize = 20_000;

/// The record that a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The kind of record, as audit events name it.
    pub resource_type: &'static str,
    /// The record's id.
    pub resource_id: Id,
}

impl About {
    /// The record of this kind and id.
    #[must_use]
    pub fn new(resource_type: &'static str, resource_id: Id) -> Self {
        Self { resource_type, resource_id }
    }
}

/// A message to some people.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The people.
    pub recipients: Vec<Recipient>,
    /// The partner that the message is about; none where the message is about none.
    pub partner_id: Option<Id>,
    /// The record that the message is about.
    pub about: About,
    /// The message.
    pub message: Message,
}

/// Writes a notification to each recipient, in the recipient's language, and queues its mail. Notification and mail are
/// part of the unit: a unit that is rolled back leaves neither.
pub fn notify(
    tx: &mut Tx<'_>,
    recipients: &[Recipient],
    partner_id: Option<Id>,
    about: About,
    message: &Message,
) -> Result<()> {
    for recipient in recipients {
        let MailedNotification { notification, delivery } = write(tx, recipient, partner_id, about, message)?;
        store::insert(tx, &notification)?;
        store::insert_delivery(tx, &delivery)?;
    }
    Ok(())
}

/// Writes the notifications of many notices, and queues their mails, by a constant number of statements.
pub fn notify_each(tx: &mut Tx<'_>, notices: &[Notice]) -> Result<()> {
    let (mut written, mut mails) = (Vec::new(), Vec::new());
    for Notice { recipients, partner_id, about, message } in notices {
        for recipient in recipients {
            let MailedNotification { notification, delivery } =
                write(tx, recipient, *partner_id, *about, message)?;
            written.push(notification);
            mails.push(delivery);
        }
    }
    store::insert_all(tx, &written, &mails)
}

/// A notification with its mail.
struct MailedNotification {
    notification: Notification,
    delivery: MailDelivery,
}

/// The notification of a message to a recipient, with its mail; without a mail server the mail is kept for reading here alone.
fn write(
    tx: &mut Tx<'_>,
    recipient: &Recipient,
    partner_id: Option<Id>,
    about: About,
    message: &Message,
) -> Result<MailedNotification> {
    let wording = words::put(message, recipient, &tx.mail().public_url)?;
    let notification_id = tx.new_id();
    let notification = Notification {
        id: notification_id,
        user_id: recipient.user_id,
        partner_id,
        kind: message.kind(),
        resource_type: about.resource_type.to_owned(),
        resource_id: about.resource_id,
        subject: cut(wording.subject, SUBJECT),
        body: cut(wording.text, BODY),
        created_at: tx.now,
    };
    let leaves = !matches!(tx.mail().route, MailRoute::None);
    // A mail that is never sent needs no secret: nobody could read the secret.
    let secret = message.secret().filter(|_| leaves);
    let secret =
        secret.map(|secret| SEALED.seal(tx.vault(), notification_id, secret.as_bytes())).transpose()?;
    let delivery = MailDelivery {
        notification_id,
        recipient: recipient.email.clone(),
        message_id: format!("<{notification_id}@{}>", tx.mail().from.email.domain()),
        html: wording.html,
        secret,
        state: if leaves { DeliveryState::Queued } else { DeliveryState::Kept },
        attempts: 0,
        due_at: tx.now,
        sent_at: None,
        last_error: None,
    };
    Ok(MailedNotification { notification, delivery })
}

/// The first `most` characters of a text; a shortened text ends in an ellipsis.
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
