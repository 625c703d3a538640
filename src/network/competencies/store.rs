//! The catalogue and the attainments in the database.

use super::{
    Attainment, Competency, is_code,
    wire::{AttainmentFilter, CompetencyFilter, CompetencySort},
};
use crate::{
    access::{Scope, Tx},
    network::partners::in_scope,
    platform::{
        Error, Result,
        db::{Conn, MultiBackend, lock_rows},
        http::{PageRequest, keyset},
        values::{CalendarDate, Id},
    },
    schema::{attainments, competencies},
};
use diesel::{dsl::exists, prelude::*, select};

fn matching(
    filter: &CompetencyFilter,
    today: CalendarDate,
) -> competencies::BoxedQuery<'static, MultiBackend> {
    let all = competencies::table.into_boxed();
    match filter.retired {
        None => all,
        Some(true) => all.filter(competencies::retired_on.le(today)),
        Some(false) => all.filter(competencies::retired_on.is_null().or(competencies::retired_on.gt(today))),
    }
}

pub(super) fn list(
    tx: &mut Tx<'_>,
    page: &PageRequest<CompetencyFilter, CompetencySort>,
) -> Result<Vec<Competency>> {
    let query = matching(&page.filter, tx.today()).select(Competency::as_select());
    Ok(match page.sort {
        CompetencySort::Code => keyset!(query, page, competencies, code, asc).load(tx.conn)?,
        CompetencySort::CodeDescending => keyset!(query, page, competencies, code, desc).load(tx.conn)?,
        CompetencySort::Newest => keyset!(query, page, competencies, newest).load(tx.conn)?,
        CompetencySort::Oldest => keyset!(query, page, competencies, oldest).load(tx.conn)?,
    })
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &CompetencyFilter) -> Result<i64> {
    Ok(matching(filter, tx.today()).count().get_result(tx.conn)?)
}

/// The competency of that id or code, locked until the end of the unit.
pub(super) fn to_change(tx: &mut Tx<'_>, id_or_code: &str) -> Result<Competency> {
    let id = get(tx, id_or_code)?.id;
    lock_rows!(tx.conn, for_no_key_update, competencies::table.find(id).select(competencies::id));
    get(tx, id_or_code)
}

/// The competency with this code, which no other unit changes until the end of this unit.
pub(super) fn kept(tx: &mut Tx<'_>, code: &str) -> Result<Competency> {
    let id = get_by_code(tx, code)?.id;
    lock_rows!(tx.conn, for_share, competencies::table.find(id).select(competencies::id));
    get_by_code(tx, code)
}

pub(super) fn get(tx: &mut Tx<'_>, id_or_code: &str) -> Result<Competency> {
    match id_or_code.parse::<Id>() {
        Ok(id) => {
            let query = competencies::table.find(id).select(Competency::as_select());
            query.get_result(tx.conn).optional()?.ok_or(Error::not_found("competency", "コンピテンシー"))
        }
        Err(_) => get_by_code(tx, id_or_code),
    }
}

pub(super) fn get_by_code(tx: &mut Tx<'_>, code: &str) -> Result<Competency> {
    find_by_code(tx, code)?.ok_or(Error::not_found("competency", "コンピテンシー"))
}

pub(super) fn find_by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<Competency>> {
    if !is_code(code) {
        return Ok(None);
    }
    let query = competencies::table.filter(competencies::code.eq(code)).select(Competency::as_select());
    Ok(query.get_result(tx.conn).optional()?)
}

/// Every code of the catalogue in order, retired competencies included.
pub fn catalogue_codes(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    Ok(competencies::table.order(competencies::code).select(competencies::code).load(tx.conn)?)
}

/// The given codes that the catalogue holds, retired competencies included.
pub fn known_codes(tx: &mut Tx<'_>, codes: Vec<String>) -> Result<Vec<String>> {
    let query = competencies::table.filter(competencies::code.eq_any(codes));
    Ok(query.select(competencies::code).load(tx.conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, competency: &Competency) -> Result<()> {
    diesel::insert_into(competencies::table).values(competency).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, competency: &Competency) -> Result<()> {
    diesel::update(competencies::table.find(competency.id)).set(competency).execute(tx.conn)?;
    Ok(())
}

fn visible(scope: Scope, partner: Id) -> attainments::BoxedQuery<'static, MultiBackend> {
    let of_partner = attainments::table.into_boxed().filter(attainments::partner_id.eq(partner));
    in_scope!(of_partner, attainments::partner_id, scope)
}

fn attained(
    scope: Scope,
    partner: Id,
    filter: &AttainmentFilter,
) -> attainments::BoxedQuery<'static, MultiBackend> {
    let mut query = visible(scope, partner);
    if let Some(level) = filter.level {
        query = query.filter(attainments::level.eq(level));
    }
    match filter.revoked {
        None => query,
        Some(true) => query.filter(attainments::revoked_on.is_not_null()),
        Some(false) => query.filter(attainments::revoked_on.is_null()),
    }
}

pub(super) fn list_attainments(
    tx: &mut Tx<'_>,
    partner: Id,
    page: &PageRequest<AttainmentFilter>,
) -> Result<Vec<Attainment>> {
    let query = attained(tx.scope(), partner, &page.filter).select(Attainment::as_select());
    Ok(keyset!(query, page, attainments, newest).load(tx.conn)?)
}

pub(super) fn count_attainments(tx: &mut Tx<'_>, partner: Id, filter: &AttainmentFilter) -> Result<i64> {
    Ok(attained(tx.scope(), partner, filter).count().get_result(tx.conn)?)
}

/// The periods of a partner's attainment of a competency, the latest first.
pub(super) fn periods(tx: &mut Tx<'_>, partner: Id, code: &str) -> Result<Vec<Attainment>> {
    if !is_code(code) {
        return Ok(Vec::new());
    }
    let query = visible(tx.scope(), partner).filter(attainments::competency_code.eq(code.to_owned()));
    Ok(query.order(attainments::attained_on.desc()).select(Attainment::as_select()).load(tx.conn)?)
}

/// The latest period of a partner's attainment of a competency.
pub(super) fn latest(tx: &mut Tx<'_>, partner: Id, code: &str) -> Result<Attainment> {
    periods(tx, partner, code)?
        .into_iter()
        .next()
        .ok_or(Error::not_found("attainment", "コンピテンシーの取得記録"))
}

/// The attainments of these partners, revoked ones included, whatever the unit may see, by partner and code.
/// Attainments of a headquarters count for its locations: name both.
pub fn attained_by(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Attainment>> {
    let query = attainments::table
        .filter(attainments::partner_id.eq_any(partners.to_vec()))
        .order((attainments::partner_id, attainments::competency_code));
    Ok(query.select(Attainment::as_select()).load(tx.conn)?)
}

pub(super) fn insert_attainment(tx: &mut Tx<'_>, attainment: &Attainment) -> Result<()> {
    diesel::insert_into(attainments::table).values(attainment).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update_attainment(tx: &mut Tx<'_>, attainment: &Attainment) -> Result<()> {
    let key = (attainment.partner_id, attainment.id);
    diesel::update(attainments::table.find(key)).set(attainment).execute(tx.conn)?;
    Ok(())
}

/// Whether an attainment refers to a partner.
pub fn refers_to(conn: &mut Conn, partner: Id) -> Result<bool> {
    Ok(select(exists(attainments::table.filter(attainments::partner_id.eq(partner)))).get_result(conn)?)
}
