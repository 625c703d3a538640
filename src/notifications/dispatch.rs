//! The dispatch: sends the due mails one after the other, outside of any unit.
//!
//! The result is noted after a mail was sent. A process that dies in between leaves the mail due, and the mail is sent
//! again under the same message id: at least once, never lost.

use super::{
    DeliveryState, MailDelivery, Notification, SEALED, store,
    store::DeliveryAttempt,
    transport::{Email, SendResult, Transport},
    words,
};
use crate::{
    access::{AppState, Tx},
    audit, config,
    platform::{Error, Result, values::Id},
    work::{End, JobName, Queue, Schedule, Turn, Work},
};
use serde::Serialize;

/// The longest stored reason of a failure, in characters.
const REASON: usize = 500;

/// The sending of due mails; each mail has its own time of the next attempt.
pub const WORK: Work = Work {
    name: JobName::Mail,
    schedule: |_| Schedule::Never,
    queue: Some(Queue { waits, every: 1 }),
    run: send_due,
};

fn waits(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(!matches!(tx.mail().route, config::MailRoute::None) && store::is_due(tx)?)
}

/// Refuses settings of mail that cannot work. The mail server need not be running.
pub fn check_settings(app: &AppState) -> Result<()> {
    Transport::open(app.mail()).map(drop)
}

/// Sends the due mails; operators see the newest failure.
fn send_due(turn: &Turn) -> Result<End> {
    let Some(transport) = Transport::open(turn.app().mail())? else { return Ok(End::Done) };
    let mut trouble = None;
    while !turn.is_ending() {
        let next = turn.app().query_as_system(store::next_due)?;
        let Some((delivery, notification)) = next else {
            return Ok(trouble.map_or(End::Done, End::Troubled));
        };
        // An instance whose lease was taken over leaves the mail to the other instance.
        turn.renew()?;
        if let Some(reason) = send(turn.app(), &transport, &delivery, &notification)? {
            trouble = Some(reason);
        }
    }
    Ok(End::Interrupted)
}

/// Sends a mail and notes the result; the reason of a failure that is followed by another attempt.
fn send(
    app: &AppState,
    transport: &Transport,
    delivery: &MailDelivery,
    notification: &Notification,
) -> Result<Option<String>> {
    let result = match email(app, delivery, notification) {
        Ok(email) => transport.send(&email),
        // An encryption key that is missing now may be back at the next attempt.
        Err(error) => SendResult::Later(error.to_string()),
    };
    let delivery = MailDelivery { attempts: delivery.attempts + 1, ..delivery.clone() };
    note(app, &delivery, notification, result)
}

fn email(app: &AppState, delivery: &MailDelivery, notification: &Notification) -> Result<Email> {
    let secret = match &delivery.secret {
        None => None,
        Some(sealed) => {
            let secret = SEALED.open(app.vault(), delivery.notification_id, sealed)?;
            Some(String::from_utf8(secret).map_err(|_| Error::internal("a secret is no text"))?)
        }
    };
    let reveal =
        |text: &str| secret.as_ref().map_or_else(|| text.to_owned(), |secret| words::reveal(text, secret));
    Ok(Email {
        message_id: delivery.message_id.clone(),
        recipient: delivery.recipient.clone(),
        subject: notification.subject.clone(),
        text: reveal(&notification.body),
        html: reveal(&delivery.html),
        written: notification.created_at,
        secret,
    })
}

fn note(
    app: &AppState,
    delivery: &MailDelivery,
    notification: &Notification,
    result: SendResult,
) -> Result<Option<String>> {
    let attempt = DeliveryAttempt { notification_id: delivery.notification_id, number: delivery.attempts };
    match result {
        SendResult::Sent => {
            app.write_unaudited(move |conn, now| {
                store::finish(conn, attempt, DeliveryState::Sent, Some(now), None)
            })?;
        }
        SendResult::Logged => {
            app.write_unaudited(move |conn, _| {
                store::finish(conn, attempt, DeliveryState::Kept, None, None)
            })?;
        }
        SendResult::Never(reason) => give_up(app, delivery, notification.partner_id, &reason)?,
        SendResult::Later(reason) => {
            let (written, mail) = (notification.created_at, delivery.clone());
            let last_byte = attempt.notification_id.0.as_bytes()[15];
            let chance = last_byte ^ u8::try_from(attempt.number & 0xff).unwrap_or(0);
            let why = in_short(&reason);
            let again = app.write_unaudited(move |conn, now| match mail.retry_in(written, now, chance) {
                Some(seconds) => {
                    store::put_off(conn, attempt, now.plus_seconds(seconds), &why).map(|()| true)
                }
                None => Ok(false),
            })?;
            if again {
                return Ok(Some(reason));
            }
            give_up(app, delivery, notification.partner_id, &reason)?;
        }
    }
    Ok(None)
}

/// Gives a mail up, with an audit event: operators have to reach the recipient otherwise.
fn give_up(app: &AppState, delivery: &MailDelivery, partner: Option<Id>, reason: &str) -> Result<()> {
    #[derive(Serialize)]
    struct Failure {
        message_id: String,
        attempts: i64,
        error: String,
    }
    let (id, attempts) = (delivery.notification_id, delivery.attempts);
    let failure = Failure { message_id: delivery.message_id.clone(), attempts, error: in_short(reason) };
    log::warn!("the mail {} is given up: {reason}", delivery.message_id);
    app.write_as_system("GiveUpDelivery", move |tx| {
        let last = DeliveryAttempt { notification_id: id, number: attempts };
        store::finish(tx.conn, last, DeliveryState::Failed, None, Some(&failure.error))?;
        let event = audit::Event::on("notification", id).after(&failure);
        event.seen_by(partner).record(tx)
    })
}

fn in_short(reason: &str) -> String {
    reason.chars().take(REASON).collect()
}
