//! The post: sends the mails that are due, one after the other, each outside of any unit.
//!
//! A mail is claimed by putting off its next try; then it is sent; then what became of it is noted. A process that dies
//! in between leaves a mail that is due again once the claim has run out, and is sent again under the same message
//! id: at least once, never lost. Several instances may do so on one database.

use super::{
    Delivery, DeliveryState, Notification,
    carrier::{Carrier, Letter, Outcome},
    place_of, store, words,
};
use crate::{
    access::AppState,
    audit,
    platform::{Error, Result, values::Id},
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// How long a claim holds, in seconds; longer than a mail can take.
const CLAIM_SECONDS: i64 = 300;
/// How often the post looks whether something is due.
const ROUND: Duration = Duration::from_secs(1);
/// The longest reason that is kept, in characters.
const REASON: usize = 500;

/// Sends what is due, for as long as it is polled; a mail under way when it is dropped is finished. Ends at once where
/// mails go nowhere.
pub async fn run(app: AppState, post: Post) {
    let Some(carrier) = post.0 else { return };
    let mut troubled = false;
    loop {
        let (app, carrier) = (app.clone(), Arc::clone(&carrier));
        let next = tokio::task::spawn_blocking(move || send_next(&app, &carrier));
        let more = match next.await.map_err(Error::internal).and_then(|next| next) {
            Ok(Next::Nothing) => false,
            Ok(Next::Gone) => {
                if std::mem::take(&mut troubled) {
                    log::info!("mails are leaving again");
                }
                true
            }
            Ok(Next::PutOff(reason)) => {
                warn(&mut troubled, &reason);
                false
            }
            Err(error) => {
                warn(&mut troubled, &error.to_string());
                false
            }
        };
        if !more {
            tokio::time::sleep(ROUND).await;
        }
    }
}

/// The way mails leave by.
pub struct Post(Option<Arc<Carrier>>);

impl Post {
    /// Opens the way that the settings name; refuses settings that cannot be used. The server need not be up.
    pub fn open(app: &AppState) -> Result<Self> {
        Ok(Self(Carrier::open(app.mail())?.map(Arc::new)))
    }
}

/// Trouble is told once, not with every mail.
fn warn(troubled: &mut bool, reason: &str) {
    if std::mem::replace(troubled, true) {
        log::debug!("a mail could not be sent: {reason}");
    } else {
        log::warn!("mails are not leaving, and will be tried again: {reason}");
    }
}

/// What became of the mail that was next.
enum Next {
    Nothing,
    Gone,
    PutOff(String),
}

fn send_next(app: &AppState, carrier: &Carrier) -> Result<Next> {
    if !app.read_as_system(|tx| store::is_due(tx.conn, tx.now))? {
        return Ok(Next::Nothing);
    }
    let claimed =
        app.write_unaudited(|conn, now| store::claim(conn, now, now.plus_seconds(CLAIM_SECONDS)))?;
    let Some((delivery, notification)) = claimed else { return Ok(Next::Nothing) };
    let outcome = match letter(app, &delivery, &notification) {
        Ok(letter) => carrier.send(&letter),
        // A key that is missing today may be back tomorrow.
        Err(error) => Outcome::Later(error.to_string()),
    };
    note(app, &delivery, &notification, outcome)
}

fn letter(app: &AppState, delivery: &Delivery, notification: &Notification) -> Result<Letter> {
    let secret = match &delivery.secret {
        None => None,
        Some(sealed) => {
            let secret = app.vault().open(&place_of(delivery.notification_id), sealed)?;
            Some(String::from_utf8(secret).map_err(|_| Error::internal("a secret is no text"))?)
        }
    };
    let reveal = |text: &str| secret.as_ref().map_or_else(|| text.to_owned(), |it| words::reveal(text, it));
    Ok(Letter {
        message_id: delivery.message_id.clone(),
        recipient: delivery.recipient.clone(),
        subject: notification.subject.clone(),
        text: reveal(&notification.body),
        html: reveal(&delivery.html),
        written: notification.created_at,
        secret,
    })
}

fn note(app: &AppState, delivery: &Delivery, notification: &Notification, outcome: Outcome) -> Result<Next> {
    let id = delivery.notification_id;
    match outcome {
        Outcome::Sent => {
            app.write_unaudited(move |conn, now| {
                store::finish(conn, id, DeliveryState::Sent, Some(now), None)
            })?;
            Ok(Next::Gone)
        }
        Outcome::Logged => {
            app.write_unaudited(move |conn, _| store::finish(conn, id, DeliveryState::Kept, None, None))?;
            Ok(Next::Gone)
        }
        Outcome::Never(reason) => give_up(app, delivery, notification.partner_id, &reason),
        Outcome::Later(reason) => {
            let (written, mail) = (notification.created_at, delivery.clone());
            let chance = id.0.as_bytes()[15] ^ u8::try_from(delivery.attempts & 0xff).unwrap_or(0);
            let why = in_short(&reason);
            let again = app.write_unaudited(move |conn, now| match mail.retry_in(written, now, chance) {
                Some(seconds) => store::put_off(conn, id, now.plus_seconds(seconds), &why).map(|()| true),
                None => Ok(false),
            })?;
            if again {
                Ok(Next::PutOff(reason))
            } else {
                give_up(app, delivery, notification.partner_id, &reason)
            }
        }
    }
}

/// A mail that nobody will get is traced: whoever waits for it must be told otherwise.
fn give_up(app: &AppState, delivery: &Delivery, partner: Option<Id>, reason: &str) -> Result<Next> {
    #[derive(Serialize)]
    struct Failure {
        message_id: String,
        attempts: i64,
        error: String,
    }
    let id = delivery.notification_id;
    let failure = Failure {
        message_id: delivery.message_id.clone(),
        attempts: delivery.attempts,
        error: in_short(reason),
    };
    log::warn!("the mail {} is given up: {reason}", delivery.message_id);
    app.write_as_system("GiveUpDelivery", move |tx| {
        store::finish(tx.conn, id, DeliveryState::Failed, None, Some(&failure.error))?;
        let event = audit::Event::on("notification", id).after(&failure);
        event.seen_by(partner).record(tx)
    })?;
    Ok(Next::Gone)
}

fn in_short(reason: &str) -> String {
    reason.chars().take(REASON).collect()
}
