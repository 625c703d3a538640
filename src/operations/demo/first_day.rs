//! How people come to see their partner's data: the set-ups of everybody, and one partner's first day step by step.

use super::{
    PASSWORDS,
    cast::{Plot, partner_id},
    story::{Setting, as_admin, as_user, players, program_of, with},
};
use crate::{
    access::{Role, Tx, password},
    identity::{
        setup,
        users::{self, NewUser},
    },
    notifications::{self, About, Locale, Message},
    participation::admission,
    platform::Result,
};

/// Most partners' admins complete the set-up soon after they join. Locations live by their headquarters' one; some
/// have gone half the way, some have not begun.
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

/// An operator makes the partner's first user, who is mailed a temporary password.
pub(super) fn the_admin_is_made(tx: &mut Tx<'_>, stage: &Setting) -> Result<()> {
    let (_, operator, _) = PASSWORDS[0];
    for (n, player) in with(&[Plot::FirstDay]) {
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
                    password_hash: stage.temporary.1.clone(),
                    must_change_password: true,
                },
            )?;
            let message = Message::TemporaryPassword {
                password: stage.temporary.0.clone(),
                expires_at: tx.now.plus_seconds(password::TEMPORARY_SECONDS),
            };
            notifications::notify(tx, &[admin.recipient()], admin.partner_id, About::newAbout::new("user", admin.id), &message)
        })?;
    }
    Ok(())
}

/// Until it is changed the temporary password opens nothing else.
pub(super) fn the_admin_chooses_a_password(tx: &mut Tx<'_>, stage: &Setting) -> Result<()> {
    for (n, _) in with(&[Plot::FirstDay]) {
        as_admin(tx, n, |tx| users::change_password(tx, &stage.hash_of(Role::IncentiveAdmin)).map(drop))?;
    }
    Ok(())
}

/// The admin makes the others of the partner, and is mailed the list of them all.
pub(super) fn the_list_is_sent(tx: &mut Tx<'_>, stage: &Setting) -> Result<()> {
    for (n, player) in with(&[Plot::FirstDay]) {
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
                    password_hash: stage.hash_of(Role::Viewer),
                    must_change_password: false,
                },
            )?;
            setup::send_list(tx, partner_id(n)).map(drop)
        })?;
    }
    Ok(())
}

/// The admin confirms the list; from now on the partner's data is visible, and the partner takes part.
pub(super) fn the_set_up_is_completed(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    for (n, player) in with(&[Plot::FirstDay]) {
        as_admin(tx, n, |tx| {
            setup::complete(tx, partner_id(n))?;
            admission::request(tx, partner_id(n), &program_of(player), None).map(drop)
        })?;
    }
    Ok(())
}
