//! The commands on passwords, and whom they are refused to.

use super::{MAIL_NOT_SENT, NOT_ONESELF, SIGNS_IN_ELSEWHERE, User, UserStatus, service::save, store};
use crate::{
    access::{Tx, password},
    config::MailRoute,
    network::partners,
    notifications::{self, About, Message},
    platform::{Error, Result, codes, values::Id},
    text,
};

/// Sets the user's own password; every token issued before is revoked.
pub fn change_password(tx: &mut Tx<'_>, password_hash: &str) -> Result<User> {
    let id = tx.actor.user().ok_or_else(|| {
        Error::new(&codes::UNAUTHENTICATED, text!("sign in first", "サインインしてください。"))
    })?;
    let before = store::load_to_change(tx, id)?;
    refuse_elsewhere(&before)?;
    set_password(tx, &before, password_hash)
}

/// Sets a password that its user has chosen, and tells the user; every token issued before is revoked.
pub fn set_password(tx: &mut Tx<'_>, before: &User, password_hash: &str) -> Result<User> {
    let user = User {
        password_hash: password_hash.to_owned(),
        must_change_password: false,
        password_expires_at: None,
        status: UserStatus::Active,
        token_epoch: before.token_epoch + 1,
        ..before.clone()
    };
    let user = save(tx, before, user, None)?;
    let message = Message::PasswordChanged { at: tx.now };
    notifications::notify(tx, &[user.recipient()], user.partner_id, About::new("user", user.id), &message)?;
    Ok(user)
}

/// Gives a user a temporary password in place of a lost one; every session ends.
pub(super) fn reset_password(tx: &mut Tx<'_>, before: &User, hash: &str, reason: &str) -> Result<User> {
    // A thief of a token must not get the user's password by the token.
    refuse_oneself(tx, before)?;
    refuse_elsewhere(before)?;
    if before.status == UserStatus::Disabled {
        return Err(wrong_state(before, "reactivation"));
    }
    let user = User {
        password_hash: hash.to_owned(),
        must_change_password: true,
        password_expires_at: Some(tx.now.plus_seconds(password::TEMPORARY_SECONDS)),
        token_epoch: before.token_epoch + 1,
        ..before.clone()
    };
    save(tx, before, user, Some(reason))
}

/// Mails a temporary password to its user.
pub(super) fn mail_password(tx: &mut Tx<'_>, user: &User, password: &str) -> Result<()> {
    if matches!(tx.mail().route, MailRoute::None) {
        let detail = text!(
            "no mail server is configured; leave deliver out, and the answer shows the password",
            "メールサーバーが設定されていません。deliver を省略すると、パスワードが応答に表示されます。"
        );
        return Err(Error::new(&MAIL_NOT_SENT, detail));
    }
    let expires_at = user.password_expires_at.unwrap_or(tx.now);
    let message = Message::TemporaryPassword { password: password.to_owned(), expires_at };
    notifications::notify(tx, &[user.recipient()], user.partner_id, About::new("user", user.id), &message)
}

/// Stores the hash of the same password with stronger parameters, in the audited unit of the sign-in. The user's revision
/// stays, because nothing visible has changed.
pub fn strengthen(tx: &mut Tx<'_>, id: Id, password_hash: &str) -> Result<()> {
    store::set_password_hash(tx, id, password_hash)
}

/// Refuses a change of the password of a user who signs in by an issuer.
pub fn refuse_elsewhere(user: &User) -> Result<()> {
    if user.issuer.is_some() {
        let detail = text!(
            "the issuer vouches for this user, who has no password here",
            "この利用者は外部の ID プロバイダーで認証され、本サービスにパスワードを持っていません。"
        );
        return Err(Error::new(&SIGNS_IN_ELSEWHERE, detail));
    }
    Ok(())
}

/// Refuses an actor's change of the own account, for changes that another administrator has to make.
pub fn refuse_oneself(tx: &Tx<'_>, user: &User) -> Result<()> {
    if tx.actor.user() == Some(user.id) {
        return Err(Error::new(
            &NOT_ONESELF,
            text!(
                "ask another administrator to do this to your account",
                "ご自身のアカウントに対するこの操作は、別の管理者にご依頼ください。"
            ),
        ));
    }
    Ok(())
}

/// The refusal of a change that the state of a user does not allow.
pub(super) fn wrong_state(user: &User, allowed: &'static str) -> Error {
    Error::new(
        &partners::TRANSITION_NOT_ALLOWED,
        text!(
            "a user who is {} allows: {allowed}",
            "利用者の状態が {} のため、実行できる操作は次のとおりです：{allowed}",
            user.status
        ),
    )
    .with("from", user.status)
    .with("allowed", [allowed])
}
