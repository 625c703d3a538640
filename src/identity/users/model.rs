//! The user; no I/O, no clock, no HTTP.

use crate::{
    access::Role,
    notifications::Recipient,
    platform::values::{Id, Locale, Timestamp, text_enum},
    schema::users,
};
use diesel::prelude::*;

text_enum! {
    /// Where a user account stands.
    pub enum UserStatus {
        /// The user has not changed the temporary password yet.
        Provisioned = "provisioned",
        /// The user may sign in.
        Active = "active",
        /// The user is barred.
        Disabled = "disabled",
    }
}

text_enum! {
    /// How a temporary password reaches its user.
    #[derive(Default)]
    pub enum Delivery {
        /// The answer shows the password once to the caller.
        #[default]
        Show = "show",
        /// The service mails the password to the user, and shows the password to nobody else.
        Mail = "mail",
    }
}

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true)]
pub struct User {
    /// UUID of version 7.
    pub id: Id,
    /// The e-mail address in lower case; unique, and the user name.
    pub email: String,
    /// The name, as shown to people.
    pub name: String,
    /// The user's role.
    pub role: Role,
    /// The user's partner; none for programme staff.
    pub partner_id: Option<Id>,
    /// The status of the account.
    pub status: UserStatus,
    /// The password's argon2id hash.
    pub password_hash: String,
    /// Whether the password is a temporary one.
    pub must_change_password: bool,
    /// Counts the revocations of the user's tokens.
    pub token_epoch: i64,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
    /// The language of notifications to the user.
    pub locale: Locale,
    /// When the temporary password expires; none for a password of the user's own.
    pub password_expires_at: Option<Timestamp>,
    /// Whether a second factor has been confirmed.
    pub has_second_factor: bool,
    /// The `OpenID` Connect issuer the user signs in by; none of a user with a password.
    pub issuer: Option<String>,
    /// The user's permanent identifier at the issuer, from the first sign-in on.
    pub issuer_subject: Option<String>,
}

/// The part of a user that every request checks.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct UserAccess {
    /// The status of the account.
    pub status: UserStatus,
    /// The user's role.
    pub role: Role,
    /// The user's partner; none for programme staff.
    pub partner_id: Option<Id>,
    /// The number of times the user's tokens were revoked.
    pub token_epoch: i64,
    /// Whether the password is a temporary one.
    pub must_change_password: bool,
    /// Whether a second factor has been confirmed.
    pub has_second_factor: bool,
    /// The issuer the user signs in by; none of a user with a password.
    pub issuer: Option<String>,
    /// The language of the account.
    pub locale: Locale,
}

impl User {
    /// The user as the recipient of a notification.
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

impl User {
    /// Whether two accounts are of one person, as far as the accounts tell: mail to both reaches one mailbox, or one
    /// issuer vouches for both by the same subject.
    #[must_use]
    pub fn is_same_person_as(&self, other: &Self) -> bool {
        let vouched = self.issuer.is_some()
            && self.issuer_subject.is_some()
            && (&self.issuer, &self.issuer_subject) == (&other.issuer, &other.issuer_subject);
        vouched || mailbox(&self.email) == mailbox(&other.email)
    }
}

/// The mailbox of an e-mail address: without case, and without what stands behind a plus sign (RFC 5233).
fn mailbox(email: &str) -> String {
    let folded = fold(email);
    let Some((local, domain)) = folded.rsplit_once('@') else { return folded };
    let name = local.split_once('+').map_or(local, |(name, _)| name);
    format!("{name}@{domain}")
}

/// The user name of an e-mail address: without spaces around, in lower case.
#[must_use]
pub fn fold(email: &str) -> String {
    email.trim().to_lowercase()
}
