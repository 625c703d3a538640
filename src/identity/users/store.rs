//! The users in the database.

use super::{User, UserAccess, UserStatus, api::UserFilter};
use crate::{
    access::{PartnerKey, Role, Scope, Tx},
    network::partners::{Partner, locations_of},
    platform::{
        Error, Result,
        db::{Conn, MultiBackend, lock_rows},
        http::{PageRequest, keyset, unindexed},
        values::Id,
    },
    schema::users,
};
use diesel::{
    dsl::{auto_type, exists},
    prelude::*,
    select,
};

fn visible(scope: Scope) -> users::BoxedQuery<'static, MultiBackend> {
    let all = users::table.into_boxed();
    match scope {
        Scope::All => all,
        Scope::Partner(own) => {
            all.filter(users::partner_id.eq(own).or(users::partner_id.eq_any(locations_of(own))))
        }
    }
}

fn matching(tx: &mut Tx<'_>, filter: &UserFilter) -> Result<users::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let mut query = visible(tx.scope());
    if let Some(id) = partner {
        query = query.filter(users::partner_id.eq(id));
    }
    if let Some(role) = filter.role {
        query = query.filter(users::role.eq(role));
    }
    if let Some(status) = filter.status {
        query = query.filter(users::status.eq(status));
    }
    if let Some(email) = &filter.email {
        query = query.filter(users::email.eq(super::fold(email)));
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<UserFilter>) -> Result<Vec<User>> {
    let query = matching(tx, &page.filter)?;
    Ok(keyset!(query, page, users, newest).select(User::as_select()).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &UserFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// A user the actor may see.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<User> {
    let found = visible(tx.scope()).filter(users::id.eq(id)).select(User::as_select()).get_result(tx.conn);
    found.optional()?.ok_or(Error::not_found("user", "利用者"))
}

/// A user the actor may see, locked until the end of the unit.
pub fn to_change(tx: &mut Tx<'_>, id: Id) -> Result<User> {
    lock(tx, id)?;
    get(tx, id)
}

/// A user, without regard to the actor's scope, locked until the end of the unit.
pub fn load_to_change(tx: &mut Tx<'_>, id: Id) -> Result<User> {
    lock(tx, id)?;
    load(tx, id)
}

/// The user of a folded address, locked until the end of the unit; runs the same statements where there is no such user.
pub fn find_to_change(tx: &mut Tx<'_>, email: &str) -> Result<Option<User>> {
    let named = users::table.filter(users::email.eq(email)).select(users::id);
    lock_rows!(tx.conn, for_no_key_update, named);
    find_by_email(tx.conn, email)
}

/// The user whom an issuer knows by a subject, locked until the end of the unit. Of several accounts of one person, the one with
/// the address comes first.
pub fn find_vouched_to_change(
    tx: &mut Tx<'_>,
    issuer: &str,
    subject: &str,
    email: &str,
) -> Result<Option<User>> {
    let vouched = || {
        users::table
            .filter(users::issuer.eq(issuer.to_owned()))
            .filter(users::issuer_subject.eq(subject.to_owned()))
    };
    lock_rows!(tx.conn, for_no_key_update, vouched().select(users::id));
    let mut found: Vec<User> = vouched().order(users::id).select(User::as_select()).load(tx.conn)?;
    let place = found.iter().position(|user| user.email == email).unwrap_or_default();
    Ok((place < found.len()).then(|| found.swap_remove(place)))
}

fn lock(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    lock_rows!(tx.conn, for_no_key_update, users::table.find(id).select(users::id));
    Ok(())
}

/// The user of a folded address.
pub fn find_by_email(conn: &mut Conn, email: &str) -> Result<Option<User>> {
    Ok(users::table.filter(users::email.eq(email)).select(User::as_select()).get_result(conn).optional()?)
}

/// The incentive admins of a partner and of its headquarters who are not barred, by id.
pub fn admins_of(tx: &mut Tx<'_>, partner: &Partner) -> Result<Vec<User>> {
    admins_of_each(tx, std::slice::from_ref(&partner))
}

/// The incentive admins of partners and of their headquarters who are not barred, by id.
pub fn admins_of_each(tx: &mut Tx<'_>, partners: &[&Partner]) -> Result<Vec<User>> {
    let mut responsible: Vec<Option<Id>> =
        partners.iter().flat_map(|partner| [Some(partner.id), partner.headquarters_id]).collect();
    responsible.sort_unstable();
    responsible.dedup();
    let query = users::table
        .filter(users::partner_id.eq_any(responsible))
        .filter(unindexed!(users::role).eq(Role::IncentiveAdmin))
        .filter(users::status.ne(UserStatus::Disabled));
    Ok(query.order(users::id).select(User::as_select()).load(tx.conn)?)
}

/// The operators who are not barred, by id.
pub fn operators_to_tell(tx: &mut Tx<'_>) -> Result<Vec<User>> {
    let query =
        users::table.filter(users::role.eq(Role::Operator)).filter(users::status.ne(UserStatus::Disabled));
    Ok(query.order(users::id).select(User::as_select()).load(tx.conn)?)
}

/// The people of a partner and of its locations who are not barred, by id.
pub fn people_of(tx: &mut Tx<'_>, partner: Id) -> Result<Vec<User>> {
    let query = visible(Scope::Partner(partner)).filter(users::status.ne(UserStatus::Disabled));
    Ok(query.order(users::id).select(User::as_select()).load(tx.conn)?)
}

pub(super) fn other_operators(tx: &mut Tx<'_>, id: Id) -> Result<i64> {
    let query = users::table
        .filter(users::role.eq(Role::Operator))
        .filter(users::status.ne(UserStatus::Disabled))
        .filter(users::id.ne(id));
    Ok(query.count().get_result(tx.conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    diesel::insert_into(users::table).values(user).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, user: &User) -> Result<()> {
    diesel::update(users::table.find(user.id)).set(user).execute(tx.conn)?;
    Ok(())
}

pub(super) fn set_password_hash(tx: &mut Tx<'_>, id: Id, hash: &str) -> Result<()> {
    diesel::update(users::table.find(id)).set(users::password_hash.eq(hash)).execute(tx.conn)?;
    Ok(())
}

/// A user, without regard to the actor's scope: for the actor's own record, and for the service itself.
pub fn load(tx: &mut Tx<'_>, id: Id) -> Result<User> {
    Ok(users::table.find(id).select(User::as_select()).get_result(tx.conn)?)
}

/// Whether two ids name accounts of one person; an id that names no user is nobody's but its own.
pub fn are_one_person(conn: &mut Conn, one: Id, other: Id) -> Result<bool> {
    let query = users::table.filter(users::id.eq_any(vec![one, other])).select(User::as_select());
    let found: Vec<User> = query.load(conn)?;
    Ok(one == other || matches!(found.as_slice(), [one, other] if one.is_same_person_as(other)))
}

/// Part of a statement: the user with an id, for selecting [`UserAccess`].
#[auto_type(no_type_alias)]
pub(crate) fn with_id(id: Id) -> _ {
    users::table.filter(users::id.eq(id))
}

/// Part of a statement: the id of the user of a folded address.
#[auto_type(no_type_alias)]
pub(crate) fn id_of_email<'a>(email: &'a str) -> _ {
    users::table.filter(users::email.eq(email)).select(users::id)
}

/// Whether a user refers to a partner.
pub fn refers_to(conn: &mut Conn, partner: Id) -> Result<bool> {
    Ok(select(exists(users::table.filter(users::partner_id.eq(partner)))).get_result(conn)?)
}

/// The facts about a user that a token names or a request checks.
pub fn access_of(tx: &mut Tx<'_>, id: Id) -> Result<UserAccess> {
    Ok(users::table.find(id).select(UserAccess::as_select()).get_result(tx.conn)?)
}

pub(super) fn operators(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(users::table.filter(users::role.eq(Role::Operator)).count().get_result(tx.conn)?)
}
