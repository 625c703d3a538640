//! The dispatch: sends the mails that are due, one after the other, each outside of any unit.
//!
//! A mail is sent, and then what became of it is noted. A process that dies in between leaves a mail that is still due,
//! and is sent again under the same message id: at least once, never lost.

use super::{
    Delivery, DeliveryState, Notification, place_of, store,
    transport::{Email, Outcome, Transport},
    words,
};
use crate::{
    access::{AppState, Tx},
    audit, config,
    platform::{Error, Result, values::Id},
    work::{End, JobName, Queue, Schedule, Turn, Work},
};
use serde::Serialize;

/// The longest reason that is kept, in characters.
const REASON: usize = 500;

/// The mails that are due; each is tried again at its own time.
pub const WORK: Work = Work {
    name: JobName::Mail,
    schedule: |_| Schedule::Never,
    queue: Some(Queue { waits, every: 1 }),
    run: send_due,
};

fn waits(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(!matches!(tx.mail().transport, config::Transport::None) && store::is_due(tx)?)
}

/// Refuses settings by which no mail could be sent. The server need not be up.
pub fn check_settings(app: &AppState) -> Result<()> {
    Transport::open(app.mail()).map(drop)
}

/// Sends what is due; the newest trouble with a mail is shown to operators.
fn send_due(turn: &Turn) -> Result<End> {
    let Some(transport) = Transport::open(turn.app().mail())? else { return Ok(End::Done) };
    let mut trouble = None;
    while !turn.is_ending() {
        let next = turn.app().query_as_system(store::next_due)?;
        let Some((delivery, notification)) = next else {
            return Ok(trouble.map_or(End::Done, End::Troubled));
        };
        // Whoever is no longer alone leaves the mail to the other instance.
        turn.renew()?;
        if let Some(reason) = send(turn.app(), &transport, &delivery, &notification)? {
            trouble = Some(reason);
        }
    }
    Ok(End::Interrupted)
}

/// Sends a mail, and notes what became of it; tells why the mail is to be tried again.
fn send(
    app: &AppState,
    transport: &Transport,
    delivery: &Delivery,
    notification: &Notification,
) -> Result<Option<String>> {
    let outcome = match email(app, delivery, notification) {
        Ok(email) => transport.send(&email),
        // A key that is missing today may be back tomorrow.
        Err(error) => Outcome::Later(error.to_string()),
    };
    let delivery = Delivery { attempts: delivery.attempts + 1, ..delivery.clone() };
    note(app, &delivery, notification, outcome)
}

fn email(app: &AppState, delivery: &Delivery, notification: &Notification) -> Result<Email> {
    let secret = match &delivery.secret {
        None => None,
        Some(sealed) => {
            let secret = app.vault().open(&place_of(delivery.notification_id), sealed)?;
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
    delivery: &Delivery,
    notification: &Notification,
    outcome: Outcome,
) -> Result<Option<String>> {
    let (id, attempts) = (delivery.notification_id, delivery.attempts);
    match outcome {
        Outcome::Sent => {
            app.write_unaudited(move |conn, now| {
                store::finish(conn, (id, attempts), DeliveryState::Sent, Some(now), None)
            })?;
        }
        Outcome::Logged => {
            app.write_unaudited(move |conn, _| {
                store::finish(conn, (id, attempts), DeliveryState::Kept, None, None)
            })?;
        }
        Outcome::Never(reason) => give_up(app, delivery, notification.partner_id, &reason)?,
        Outcome::Later(reason) => {
            let (written, mail) = (notification.created_at, delivery.clone());
            let chance = id.0.as_bytes()[15] ^ u8::try_from(attempts & 0xff).unwrap_or(0);
            let why = in_short(&reason);
            let again = app.write_unaudited(move |conn, now| match mail.retry_in(written, now, chance) {
                Some(seconds) => {
                    store::put_off(conn, (id, attempts), now.plus_seconds(seconds), &why).map(|()| true)
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

/// A mail that nobody will get is traced: whoever waits for it must be told otherwise.
fn give_up(app: &AppState, delivery: &Delivery, partner: Option<Id>, reason: &str) -> Result<()> {
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
        store::finish(tx.conn, (id, attempts), DeliveryState::Failed, None, Some(&failure.error))?;
        let event = audit::Event::on("notification", id).after(&failure);
        event.seen_by(partner).record(tx)
    })
}

fn in_short(reason: &str) -> String {
    reason.chars().take(REASON).collect()
}
