//! The agreements in the database.

use super::{Agreement, AgreementStatus, Kind, filter::Criteria};
use crate::{
    access::{PartnerKey, Scope, Tx},
    network::partners::in_scope,
    platform::{
        Error, Result,
        db::{Conn, MultiBackend},
        http::{PageRequest, keyset},
        values::{CalendarDate, Id, Words},
    },
    schema::{agreement_numbers, agreements},
};
use diesel::{
    dsl::{exists, not},
    expression::BoxableExpression,
    prelude::*,
    select,
    sql_types::Bool,
};

type Query = agreements::BoxedQuery<'static, MultiBackend>;
type SqlCondition =
    Box<dyn BoxableExpression<agreements::table, MultiBackend, SqlType = diesel::sql_types::Nullable<Bool>>>;

fn visible(scope: Scope, kind: Kind) -> Query {
    let of_kind = agreements::table.into_boxed().filter(agreements::kind.eq(kind));
    in_scope!(of_kind, agreements::partner_id, scope)
}

fn matching(tx: &mut Tx<'_>, kind: Kind, wanted: &Criteria) -> Result<Query> {
    let partner = PartnerKey::asked_for(wanted.partner_id.as_ref(), tx)?;
    let mut query = visible(tx.scope(), kind);
    if let Some(partner) = partner {
        query = query.filter(agreements::partner_id.eq(partner));
    }
    if let Some(number) = &wanted.agreement_number {
        // The claimed number names partner and agreement, and with both the agreement is found by its key.
        let claimed = agreement_numbers::table
            .find((kind, number))
            .select((agreement_numbers::partner_id, agreement_numbers::agreement_id));
        let claimed: Option<(Id, Id)> = claimed.get_result(tx.conn).optional()?;
        query = match claimed {
            Some((partner, agreement)) => {
                query.filter(agreements::partner_id.eq(partner)).filter(agreements::id.eq(agreement))
            }
            None => query.filter(false.into_sql::<Bool>()),
        };
    }
    if let Some(from) = wanted.from {
        query = query.filter(agreements::effective_on.ge(from));
    }
    if let Some(to) = wanted.to {
        query = query.filter(agreements::effective_on.le(to));
    }
    if let Some(level) = wanted.membership_level {
        query = query.filter(agreements::membership_level.eq(level));
    }
    if let Some(region) = &wanted.region {
        query = query.filter(agreements::region.eq(region.clone()));
    }
    if let Some(authorization) = wanted.distributor_authorization {
        query = query.filter(agreements::distributor_authorization.eq(authorization));
    }
    match wanted.status {
        Some(status) => with_status(tx, query, kind, status, wanted.as_of.unwrap_or(tx.today())),
        None => Ok(query),
    }
}

/// Keeps the agreements of a kind that have a status on a day: [`Agreement::status_on`] in SQL.
fn with_status(
    tx: &mut Tx<'_>,
    query: Query,
    kind: Kind,
    status: AgreementStatus,
    day: CalendarDate,
) -> Result<Query> {
    use agreements::{effective_on, expires_on, terminated_on};
    let query = match status {
        AgreementStatus::Terminated => return Ok(query.filter(terminated_on.le(day))),
        _ => query.filter(terminated_on.is_null().or(terminated_on.gt(day))),
    };
    if status == AgreementStatus::Pending {
        return Ok(query.filter(effective_on.gt(day)));
    }
    let begun = query.filter(effective_on.le(day));
    if status == AgreementStatus::Active {
        return Ok(begun.filter(expires_on.is_null().or(expires_on.ge(day))));
    }
    let past = begun.filter(expires_on.lt(day));
    let in_grace = in_grace(tx, kind, day)?;
    Ok(if status == AgreementStatus::Grace { past.filter(in_grace) } else { past.filter(not(in_grace)) })
}

/// The condition that an agreement has not expired, or is in its renewal window. The two databases add days to a date
/// in different words, so the day is moved here: once for each length of the renewal window; there are few lengths.
fn in_grace(tx: &mut Tx<'_>, kind: Kind, day: CalendarDate) -> Result<SqlCondition> {
    use agreements::{expires_on, grace_days};
    let of_kind = agreements::table.filter(agreements::kind.eq(kind));
    let lengths: Vec<i32> = of_kind.select(grace_days).distinct().order(grace_days).load(tx.conn)?;
    let regular: SqlCondition = Box::new(expires_on.ge(day));
    Ok(lengths.into_iter().filter(|length| *length > 0).fold(regular, |or_else, length| {
        let window = grace_days.eq(length).and(expires_on.ge(day.plus_days(-length)));
        Box::new(or_else.or(window))
    }))
}

pub(super) fn list<F>(
    tx: &mut Tx<'_>,
    kind: Kind,
    wanted: &Criteria,
    page: &PageRequest<F>,
) -> Result<Vec<Agreement>> {
    let query = matching(tx, kind, wanted)?.select(Agreement::as_select());
    Ok(keyset!(query, page, agreements, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, kind: Kind, wanted: &Criteria) -> Result<i64> {
    Ok(matching(tx, kind, wanted)?.count().get_result(tx.conn)?)
}

pub(super) fn get(tx: &mut Tx<'_>, kind: Kind, id: Id) -> Result<Agreement> {
    let query = visible(tx.scope(), kind).filter(agreements::id.eq(id)).select(Agreement::as_select());
    query.get_result(tx.conn).optional()?.ok_or_else(|| {
        let Words { en, ja } = kind.title();
        Error::not_found(en, ja)
    })
}

/// Every agreement that these partners have ever signed, whatever the unit may see, by partner, kind and first day.
/// Agreements of a headquarters count for its locations: name both.
pub fn held_by(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Agreement>> {
    let query = agreements::table.filter(agreements::partner_id.eq_any(partners.to_vec())).order((
        agreements::partner_id,
        agreements::kind,
        agreements::effective_on,
        agreements::id,
    ));
    Ok(query.select(Agreement::as_select()).load(tx.conn)?)
}

/// The other periods of the same kind and partner.
pub(super) fn other_periods(tx: &mut Tx<'_>, agreement: &Agreement) -> Result<Vec<Agreement>> {
    let query = agreements::table
        .filter(agreements::partner_id.eq(agreement.partner_id))
        .filter(agreements::kind.eq(agreement.kind))
        .filter(agreements::id.ne(agreement.id))
        .order((agreements::effective_on, agreements::id));
    Ok(query.select(Agreement::as_select()).load(tx.conn)?)
}

pub(super) fn find_by_number(tx: &mut Tx<'_>, kind: Kind, number: &str) -> Result<Option<Id>> {
    let query = agreement_numbers::table.find((kind, number)).select(agreement_numbers::agreement_id);
    Ok(query.get_result(tx.conn).optional()?)
}

/// Adds an agreement, and claims its number.
pub(super) fn insert(tx: &mut Tx<'_>, agreement: &Agreement) -> Result<()> {
    let number = (
        agreement_numbers::kind.eq(agreement.kind),
        agreement_numbers::agreement_number.eq(&agreement.agreement_number),
        agreement_numbers::partner_id.eq(agreement.partner_id),
        agreement_numbers::agreement_id.eq(agreement.id),
    );
    diesel::insert_into(agreement_numbers::table).values(number).execute(tx.conn)?;
    diesel::insert_into(agreements::table).values(agreement).execute(tx.conn)?;
    Ok(())
}

/// Changes an agreement's record, and claims the number where the correction changes the number.
pub(super) fn update(tx: &mut Tx<'_>, before: &Agreement, agreement: &Agreement) -> Result<()> {
    if before.agreement_number != agreement.agreement_number {
        diesel::update(agreement_numbers::table.find((before.kind, &before.agreement_number)))
            .set(agreement_numbers::agreement_number.eq(&agreement.agreement_number))
            .execute(tx.conn)?;
    }
    let key = (agreement.partner_id, agreement.id);
    diesel::update(agreements::table.find(key)).set(agreement).execute(tx.conn)?;
    Ok(())
}

/// Whether an agreement refers to a partner.
pub fn refers_to(conn: &mut Conn, partner: Id) -> Result<bool> {
    Ok(select(exists(agreements::table.filter(agreements::partner_id.eq(partner)))).get_result(conn)?)
}
