//! What a user is; no I/O, no clock, no HTTP.

use crate::{
    access::Role,
    notifications::{Locale, Recipient},
    platform::values::{Id, Timestamp, text_enum},
    schema::users,
};
use diesel::prelude::*;

text_enum! {
    /// Where a user account stands.
    pub enum UserStatus {
        /// Made, has never changed the temporary password.
        Provisioned = "provisioned",
        /// In use.
        Active = "active",
        /// Barred.
        Disabled = "disabled",
    }
}

text_enum! {
    /// How a temporary password reaches its user.
    #[derive(Default)]
    pub enum Delivery {
        /// The answer shows it, once, to whoever asked.
        #[default]
        Show = "show",
        /// The service mails it to the user, and shows it to nobody.
        Mail = "mail",
    }
}

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true)]
pub struct User {
    /// Identifier.
    pub id: Id,
    /// E-mail address, folded to lower case; unique, and the user name.
    pub email: String,
    /// Name shown to people.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// Whose user; none for programme staff.
    pub partner_id: Option<Id>,
    /// Where the account stands.
    pub status: UserStatus,
    /// The password's argon2id hash.
    pub password_hash: String,
    /// Whether the password is a temporary one.
    pub must_change_password: bool,
    /// Counts revocations of the user's tokens.
    pub token_epoch: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts changes; the entity tag.
    pub revision: i64,
    /// In which language the user is written to.
    pub locale: Locale,
    /// When the temporary password stops opening anything; none for one's own.
    pub password_expires_at: Option<Timestamp>,
    /// Whether a second factor has been confirmed.
    pub has_second_factor: bool,
    /// Who vouches for the user instead of a password: an `OpenID` Connect issuer.
    pub issuer: Option<String>,
    /// The user's name there, once seen.
    pub issuer_subject: Option<String>,
}

/// The part of a user that is looked at with every request.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Standing {
    /// Where the account stands.
    pub status: UserStatus,
    /// What the user may do.
    pub role: Role,
    /// Whose user; none for programme staff.
    pub partner_id: Option<Id>,
    /// The number of revocations of the user's tokens.
    pub token_epoch: i64,
    /// Whether the password is a temporary one.
    pub must_change_password: bool,
    /// Whether a second factor has been confirmed.
    pub has_second_factor: bool,
    /// The issuer that vouches for the user; none where a password does.
    pub issuer: Option<String>,
}

impl User {
    /// The user as somebody to be written to.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient {
            user_id: self.id,
            email: self.email.clone(),
            name: self.name.clone(),
            locale: self.locale,
        }
    }
}

/// Two spellings of an address that reach the same mailbox are one user name.
#[must_use]
pub fn fold(email: &str) -> String {
    email.trim().to_lowercase()
}
