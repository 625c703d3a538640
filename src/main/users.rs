//! The command that makes users, and the operator that a new database begins with.

use crate::{UserCommand, commands::partner_of, say::say_line};
use partner_incentives::{
    access::{AppState, password},
    app::Service,
    identity::users::{self, FirstOperator},
    platform::{Result, values::Locale},
};

/// Makes a user, and shows the temporary password.
pub fn make_user(service: &Service, command: UserCommand) -> Result<()> {
    let UserCommand::Create { email, name, role, partner } = command;
    let partner = partner.map(|key| service.app.read_as_system(|tx| partner_of(tx, &key))).transpose()?;
    let password = password::temporary()?;
    let password_hash = service.app.passwords().hash(&password)?;
    let new = users::NewUser {
        email,
        name,
        role,
        partner_id: partner.map(|partner| partner.id),
        password_hash,
        must_change_password: true,
        issuer: None,
        locale: Locale::En,
    };
    let id = users::provision(&service.app, new)?;
    say_line!("User {id}\nTemporary password, shown this once: {password}")
}

/// The lines that tell the first operator's password, once; no lines where there is an operator.
pub fn first_operator(app: &AppState) -> Result<String> {
    let made = users::first_operator(app)?;
    Ok(made.map_or_else(String::new, |FirstOperator { email, password }| {
        format!(
            "First operator: {email}\nTemporary password, shown this once: {password}\n\
             Change it at the first sign-in: PUT /v1/me/password\n"
        )
    }))
}
