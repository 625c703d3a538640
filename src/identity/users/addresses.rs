//! The e-mail addresses of users, which are their user names: whose they are, and how they change.

use super::{
    User,
    passwords::refuse_oneself,
    service::{EMAIL_TAKEN, save},
    store,
};
use crate::{
    access::Tx,
    notifications::{self, About, Message, Recipient},
    platform::{Error, Result, codes},
    text,
};

/// Refuses a folded address that another user has.
pub(super) fn refuse_taken(tx: &mut Tx<'_>, email: &str) -> Result<()> {
    if store::find_by_email(tx.conn, email)?.is_none() {
        return Ok(());
    }
    let detail = text!(
        "a user with the address {email} exists already",
        "メールアドレス {email} の利用者がすでに存在します。"
    );
    Err(Error::new(&EMAIL_TAKEN, detail))
}

/// Refuses a change of the address to whom is no operator: whoever reads the mail of an address becomes its user.
pub(super) fn may_rename(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    refuse_oneself(tx, user)?;
    if tx.actor.partner.is_none() {
        return Ok(());
    }
    let detail = text!(
        "a programme operator corrects the address of a user; or make a user with the right address",
        "利用者のメールアドレスの訂正はプログラム運営担当者が行います。正しいアドレスで新しい利用者を登録することもできます。"
    );
    Err(Error::new(&codes::FORBIDDEN, detail))
}

/// Tells a user of the new address, at both addresses; what was mailed to the former one opens nothing.
pub(super) fn tell_of_address(tx: &mut Tx<'_>, before: &User, user: &User) -> Result<()> {
    if before.email == user.email {
        return Ok(());
    }
    tx.user_renamed(user.id);
    let message =
        Message::UserNameChanged { before: before.email.clone(), after: user.email.clone(), at: tx.now };
    let former = Recipient { email: before.email.clone(), ..user.recipient() };
    notifications::notify(
        tx,
        &[user.recipient(), former],
        user.partner_id,
        About::new("user", user.id),
        &message,
    )
}

/// Takes over what the issuer says of a user: at the first sign-in the permanent subject, so that another account there with the same
/// address is not this user; and an address that has changed there, unless another user has the address here.
pub fn vouch(tx: &mut Tx<'_>, before: User, subject: &str, email: &str) -> Result<User> {
    let is_free = email == before.email || store::find_by_email(tx.conn, email)?.is_none();
    let email = if is_free { email } else { &before.email };
    if before.issuer_subject.is_some() && email == before.email {
        return Ok(before);
    }
    let (email, issuer_subject) = (email.to_owned(), Some(subject.to_owned()));
    let user = save(tx, &before, User { email, issuer_subject, ..before.clone() }, None)?;
    tell_of_address(tx, &before, &user)?;
    Ok(user)
}
