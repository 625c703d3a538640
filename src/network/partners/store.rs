//! The partners in the database.

use super::{
    Partner,
    api::{PartnerFilter, PartnerSort},
};
use crate::{
    access::{EarlierReads, PartnerKey, Scope, Tx},
    platform::{
        Error, Result,
        db::{Conn, MultiBackend, lock_rows, native},
        http::{PageRequest, keyset},
        values::{Id, folded},
    },
    schema::{partner_numbers, partner_periods, partners},
};
use diesel::{
    dsl::{auto_type, exists},
    prelude::*,
    select,
};
use std::collections::HashMap;

fn visible(scope: Scope) -> partners::BoxedQuery<'static, MultiBackend> {
    let all = partners::table.into_boxed();
    match scope {
        Scope::All => all,
        Scope::Partner(own) => all.filter(partners::id.eq(own).or(partners::headquarters_id.eq(own))),
    }
}

/// Restricts a boxed query of another slice to the partners that the unit may see. `$column` names the partner.
macro_rules! in_scope {
    ($query:expr, $column:expr, $scope:expr) => {
        match $scope {
            $crate::access::Scope::All => $query,
            $crate::access::Scope::Partner(own) => {
                // One subselect: with two conditions joined by `or`, PostgreSQL would ask every record of the table.
                let visible = $crate::schema::partners::table
                    .filter(
                        $crate::schema::partners::id
                            .eq(own)
                            .or($crate::schema::partners::headquarters_id.eq(own)),
                    )
                    .select($crate::schema::partners::id);
                $query.filter($column.eq_any(visible))
            }
        }
    };
}
pub(crate) use in_scope;

/// The partner and its locations.
pub fn family_of(conn: &mut Conn, own: Id) -> Result<Vec<Id>> {
    let family = partners::table.filter(partners::id.eq(own).or(partners::headquarters_id.eq(own)));
    Ok(family.select(partners::id).load(conn)?)
}

/// Part of a statement: the ids of a headquarters' locations.
#[auto_type(no_type_alias)]
pub(crate) fn locations_of(headquarters: Id) -> _ {
    partners::table.filter(partners::headquarters_id.eq(headquarters)).select(partners::id.nullable())
}

/// Part of a statement: the headquarters of a partner; null of a partner that is no location.
#[auto_type(no_type_alias)]
pub(crate) fn headquarters_of(partner: Id) -> _ {
    partners::table.filter(partners::id.eq(partner)).select(partners::headquarters_id).single_value()
}

/// Part of a statement: the partners with these ids, to look up a record for each.
#[auto_type(no_type_alias)]
pub(crate) fn each_of(ids: Vec<Id>) -> _ {
    partners::table.filter(partners::id.eq_any(ids))
}

/// The query of the partners, other than closed ones, that have no record in a table of another slice. `$key` names the
/// partner there.
macro_rules! without_record {
    ($records:expr, $key:expr) => {{
        let record = $records.filter($key.eq($crate::schema::partners::id));
        $crate::schema::partners::table
            .filter($crate::schema::partners::status.ne($crate::network::partners::PartnerStatus::Closed))
            .filter(diesel::dsl::not(diesel::dsl::exists(record)))
            .into_boxed::<$crate::platform::db::MultiBackend>()
    }};
}
pub(crate) use without_record;

/// The query of the ids of up to `$most` partners, in order, that have a record in a table of another slice, after a partner
/// where one is given. `$key` names the partner there.
macro_rules! ids_with_record {
    ($records:expr, $key:expr, $after:expr, $most:expr) => {{
        use $crate::schema::partners;
        let record = $records.filter($key.eq(partners::id));
        let query = partners::table
            .filter(diesel::dsl::exists(record))
            .into_boxed::<$crate::platform::db::MultiBackend>();
        let query = match $after {
            Some(after) => query.filter(partners::id.gt(after)),
            None => query,
        };
        query.order(partners::id).limit($most).select(partners::id)
    }};
}
pub(crate) use ids_with_record;

/// The ids of one page of a query of partners, the newest first.
macro_rules! page_of_ids {
    ($query:expr, $page:expr) => {{
        use $crate::schema::partners;
        $crate::platform::http::keyset!($query, $page, partners, newest).select(partners::id)
    }};
}
pub(crate) use page_of_ids;

/// Part of a statement: whether a column holds the MPN id of a partner.
macro_rules! is_mpn_id {
    ($column:expr) => {
        diesel::dsl::exists(
            $crate::schema::partner_numbers::table
                .filter($crate::schema::partner_numbers::mpn_id.eq($column))
                .select($crate::schema::partner_numbers::partner_id),
        )
    };
}
pub(crate) use is_mpn_id;

/// Part of a statement: the currency of the partner that a column names.
macro_rules! partner_currency {
    ($partner_id:expr) => {
        $crate::schema::partners::table
            .filter($crate::schema::partners::id.eq($partner_id))
            .select($crate::schema::partners::currency)
            .single_value()
            .assume_not_null()
    };
}
pub(crate) use partner_currency;

/// Whether a list is one of few records by what leads it: a partner, or something of one.
pub fn is_narrow<const N: usize>(scope: Scope, named: [Option<Id>; N]) -> bool {
    matches!(scope, Scope::Partner(_)) || named.iter().any(Option::is_some)
}

fn matching(tx: &mut Tx<'_>, filter: &PartnerFilter) -> Result<partners::BoxedQuery<'static, MultiBackend>> {
    let headquarters = PartnerKey::asked_for(filter.headquarters_id.as_ref(), tx)?;
    let mut query = visible(tx.scope());
    if let Some(status) = filter.status {
        query = query.filter(partners::status.eq(status));
    }
    if let Some(partner_type) = filter.partner_type {
        query = query.filter(partners::partner_type.eq(partner_type));
    }
    if let Some(country) = filter.country {
        query = query.filter(partners::country.eq(country));
    }
    if let Some(headquarters) = headquarters {
        query = query.filter(partners::headquarters_id.eq(headquarters));
    }
    if let Some(mpn_id) = &filter.mpn_id {
        let claimed = partner_numbers::table.filter(partner_numbers::mpn_id.eq(mpn_id.clone()));
        query = query.filter(partners::id.eq_any(claimed.select(partner_numbers::partner_id)));
    }
    if let Some(text) = &filter.q {
        let part = format!("%{}%", as_it_stands(&folded(text.trim())));
        query = query.filter(partners::search_text.like(part).escape('\\'));
    }
    Ok(query)
}

/// The pattern that a text alone matches.
fn as_it_stands(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<PartnerFilter, PartnerSort>) -> Result<Vec<Partner>> {
    let query = matching(tx, &page.filter)?.select(Partner::as_select());
    Ok(match page.sort {
        PartnerSort::Newest => keyset!(query, page, partners, newest).load(tx.conn)?,
        PartnerSort::Oldest => keyset!(query, page, partners, oldest).load(tx.conn)?,
        PartnerSort::LegalName => keyset!(query, page, partners, legal_name, asc).load(tx.conn)?,
        PartnerSort::LegalNameDescending => keyset!(query, page, partners, legal_name, desc).load(tx.conn)?,
    })
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &PartnerFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// The partner with this id, where the unit may see the partner.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<Partner> {
    let found: Option<Partner> = match tx.scope() {
        // The commonest read. Diesel finds a native statement in its cache without writing the statement's text.
        Scope::All => native!(tx.conn, conn => {
            partners::table.find(id).select(Partner::as_select()).get_result(conn).optional()?
        }),
        scope @ Scope::Partner(_) => {
            let query = visible(scope).filter(partners::id.eq(id)).select(Partner::as_select());
            query.get_result(tx.conn).optional()?
        }
    };
    found.ok_or(Error::not_found("partner", "パートナー"))
}

/// The partners with these ids, whatever the unit may see; ask for some thousand at most.
pub fn many(tx: &mut Tx<'_>, ids: &[Id]) -> Result<Vec<Partner>> {
    let query = partners::table.filter(partners::id.eq_any(ids.to_vec())).order(partners::id);
    Ok(query.select(Partner::as_select()).load(tx.conn)?)
}

/// The partner with this MPN id, where the unit may see the partner.
pub fn get_by_mpn_id(tx: &mut Tx<'_>, mpn_id: &str) -> Result<Partner> {
    let id = numbered(tx.conn, mpn_id)?.ok_or(Error::not_found("partner", "パートナー"))?;
    get(tx, id)
}

/// The partner with this MPN id, whatever a caller may see.
pub fn numbered(conn: &mut Conn, mpn_id: &str) -> Result<Option<Id>> {
    let query = partner_numbers::table.find(mpn_id).select(partner_numbers::partner_id);
    Ok(query.get_result(conn).optional()?)
}

/// The partners with these MPN ids, by MPN id, whatever a caller may see; ask for some ten thousand at most.
pub fn all_numbered(tx: &mut Tx<'_>, mpn_ids: &[&str]) -> Result<HashMap<String, Id>> {
    let query = partner_numbers::table.filter(partner_numbers::mpn_id.eq_any(mpn_ids.to_vec()));
    let found = query.select((partner_numbers::mpn_id, partner_numbers::partner_id));
    Ok(found.load::<(String, Id)>(tx.conn)?.into_iter().collect())
}

/// Locks partners until the end of the unit: headquarters first, then locations, each in the order of their ids, so
/// that units which lock several partners never wait for each other in a circle. An operation that deletes a partner,
/// or that names another partner as headquarters or provider, meets the same lock.
pub fn lock(conn: &mut Conn, ids: &[Id]) -> Result<EarlierReads> {
    let order = (partners::headquarters_id.is_not_null(), partners::id);
    let these = partners::table.filter(partners::id.eq_any(ids.to_vec())).order(order).select(partners::id);
    let others_may_have_written = lock_rows!(conn, for_no_key_update, these);
    Ok(if others_may_have_written { EarlierReads::MayBeStale } else { EarlierReads::Hold })
}

/// Keeps a partner from being deleted until the end of the unit, because a record of another partner names the partner.
/// Other units of the kept partner go on.
pub fn keep(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    keep_all(tx, &[id])
}

/// Keeps several partners from being deleted, as [`keep`] does.
pub fn keep_all(tx: &mut Tx<'_>, ids: &[Id]) -> Result<()> {
    let these = partners::table.filter(partners::id.eq_any(ids.to_vec())).order(partners::id);
    lock_rows!(tx.conn, for_key_share, these.select(partners::id));
    Ok(())
}

pub(super) fn has_locations(tx: &mut Tx<'_>, id: Id) -> Result<bool> {
    Ok(select(exists(partners::table.filter(partners::headquarters_id.eq(id)))).get_result(tx.conn)?)
}

/// The partners whose standing rests on these partners' records: themselves, their locations, and those that were
/// locations before.
pub fn family(tx: &mut Tx<'_>, ids: &[Id]) -> Result<Vec<Partner>> {
    let locations = partners::headquarters_id.eq_any(ids.iter().copied().map(Some).collect::<Vec<_>>());
    let mut themselves = super::periods::former_locations(tx, ids)?;
    themselves.extend(ids);
    let query = partners::table.filter(partners::id.eq_any(themselves).or(locations.assume_not_null()));
    Ok(query.order(partners::id).select(Partner::as_select()).load(tx.conn)?)
}

/// Up to `limit` partners after `last` in the order of their ids, whatever the unit may see; the first ones where
/// `last` is none.
pub fn after(tx: &mut Tx<'_>, last: Option<Id>, limit: i64) -> Result<Vec<Partner>> {
    let query = partners::table.select(Partner::as_select()).order(partners::id).limit(limit).into_boxed();
    Ok(match last {
        Some(last) => query.filter(partners::id.gt(last)).load(tx.conn)?,
        None => query.load(tx.conn)?,
    })
}

/// The number of all partners.
pub fn count_all(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(partners::table.count().get_result(tx.conn)?)
}

/// Whether a partner was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    Yes,
    /// Another partner has the MPN id; the partner was not added.
    MpnIdTaken,
}

/// Adds a partner, and claims the MPN id. The claim is tried, not looked up first: a lookup would lock the gap that the
/// new number falls into, and units that record other partners would fail.
pub(super) fn insert(tx: &mut Tx<'_>, partner: &Partner) -> Result<Inserted> {
    let number = (partner_numbers::mpn_id.eq(&partner.mpn_id), partner_numbers::partner_id.eq(partner.id));
    let claimed = native!(tx.conn, conn => diesel::insert_into(partner_numbers::table)
        .values(number)
        .on_conflict(partner_numbers::mpn_id)
        .do_nothing()
        .execute(conn)?);
    if claimed == 0 {
        return Ok(Inserted::MpnIdTaken);
    }
    let sought = partners::search_text.eq(search_text(partner));
    diesel::insert_into(partners::table).values((partner, sought)).execute(tx.conn)?;
    Ok(Inserted::Yes)
}

/// Changes a partner's record, and claims the MPN id where the change brings a new one.
pub(super) fn update(tx: &mut Tx<'_>, before: &Partner, partner: &Partner) -> Result<()> {
    if before.mpn_id != partner.mpn_id {
        diesel::update(partner_numbers::table.find(&before.mpn_id))
            .set(partner_numbers::mpn_id.eq(&partner.mpn_id))
            .execute(tx.conn)?;
    }
    let sought = partners::search_text.eq(search_text(partner));
    diesel::update(partners::table.find(partner.id)).set((partner, sought)).execute(tx.conn)?;
    Ok(())
}

/// The text that a search for a partner looks into.
fn search_text(partner: &Partner) -> String {
    format!("{} {}", folded(&partner.legal_name), partner.mpn_id)
}

/// Removes a partner, and frees the MPN id.
pub(super) fn delete(tx: &mut Tx<'_>, partner: &Partner) -> Result<()> {
    diesel::delete(partner_periods::table.filter(partner_periods::partner_id.eq(partner.id)))
        .execute(tx.conn)?;
    diesel::delete(partners::table.find(partner.id)).execute(tx.conn)?;
    diesel::delete(partner_numbers::table.find(&partner.mpn_id)).execute(tx.conn)?;
    Ok(())
}
