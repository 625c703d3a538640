//! The set-ups that let a partner's users see the partner's data: of most partners at once, of one partner step by
//! step.

use super::{
    cast::{Plot, partner_id},
    people::{as_admin, as_user},
    story::{OPERATORS, Setting, players, players_with, program_of},
};
use crate::{
    access::{Role, Tx, password},
    identity::{
        setup,
        users::{self, NewUser},
    },
    notifications::{self, About, Message},
    participation::admission,
    platform::{Result, values::Locale},
};

/// The admins of most partners complete the set-up soon after the partner has joined. A location uses the set-up of its
/// headquarters; other partners have completed a part of the set-up, or have not begun.
pub(super) fn most_are_set_up(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    for (n, player) in players() {
        match player.plot {
            Plot::NothingInOrder | Plot::Pending | Plot::Location | Plot::FirstDay | Plot::Newcomer => {}
            Plot::MpnMissing => as_admin(tx, n, |tx| setup::send_list(tx, partner_id(n)).map(drop))?,
            _ => as_admin(tx, n, |tx| {
                setup::send_list(tx, partner_id(n))?;
                setup::complete(tx, partner_id(n)).map(drop)
            })?,
        }
    }
    Ok(())
}

/// An operator makes the partner's first user; the service mails a temporary password to the user.
pub(super) fn the_admin_is_made(tx: &mut Tx<'_>, setting: &Setting) -> Result<()> {
    let [operator, _] = OPERATORS;
    for (n, player) in players_with(&[Plot::FirstDay]) {
        as_user(tx, operator, |tx| {
            let admin = users::create(
                tx,
                NewUser {
                    email: format!("admin-{n}@partner.example"),
                    name: format!("Adam of {}", player.name),
                    role: Role::IncentiveAdmin,
                    partner_id: Some(partner_id(n)),
                    locale: Locale::En,
                    issuer: None,
                    password_hash: setting.temporary.hash.clone(),
                    must_change_password: true,
                },
            )?;
            let message = Message::TemporaryPassword {
                password: setting.temporary.password.clone(),
                expires_at: tx.now.plus_seconds(password::TEMPORARY_SECONDS),
            };
            notifications::notify(
                tx,
                &[admin.recipient()],
                admin.partner_id,
                About::new("user", admin.id),
                &message,
            )
        })?;
    }
    Ok(())
}

/// The admin replaces the temporary password, which opens nothing else before.
pub(super) fn the_admin_chooses_a_password(tx: &mut Tx<'_>, setting: &Setting) -> Result<()> {
    for (n, _) in players_with(&[Plot::FirstDay]) {
        as_admin(tx, n, |tx| users::change_password(tx, &setting.hash_of(Role::IncentiveAdmin)).map(drop))?;
    }
    Ok(())
}

/// The admin makes the partner's other users, and gets the list of all users by mail.
pub(super) fn the_list_is_sent(tx: &mut Tx<'_>, setting: &Setting) -> Result<()> {
    for (n, player) in players_with(&[Plot::FirstDay]) {
        as_admin(tx, n, |tx| {
            users::create(
                tx,
                NewUser {
                    email: format!("viewer-{n}@partner.example"),
                    name: format!("Vera of {}", player.name),
                    role: Role::Viewer,
                    partner_id: Some(partner_id(n)),
                    locale: Locale::En,
                    issuer: None,
                    password_hash: setting.hash_of(Role::Viewer),
                    must_change_password: false,
                },
            )?;
            setup::send_list(tx, partner_id(n)).map(drop)
        })?;
    }
    Ok(())
}

/// The admin confirms the list. From now on the users see the partner's data; the admin asks to take part.
pub(super) fn the_set_up_is_completed(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    for (n, player) in players_with(&[Plot::FirstDay]) {
        as_admin(tx, n, |tx| {
            setup::complete(tx, partner_id(n))?;
            admission::request(tx, partner_id(n), &program_of(player), None).map(drop)
        })?;
    }
    Ok(())
}
