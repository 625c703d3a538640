//! The programs and their versions in the database.

use super::{
    Lever, Offer, Program, ProgramInEffect, ProgramKey, ProgramPeriod, ProgramVersion, ProgramVersionState,
    api::ProgramFilter, version_api::ProgramVersionFilter,
};
use crate::{
    access::{Scope, Tx},
    platform::{
        Error, Result,
        db::{MultiBackend, lock_rows, types::Json},
        http::{PageRequest, keyset},
        values::{CalendarDate, Id, Period},
    },
    schema::{program_periods, program_versions, programs},
};
use diesel::{
    dsl::{auto_type, exists, max, sql},
    prelude::*,
    select,
    sql_types::{Bool, Text},
};
use std::collections::HashMap;

fn matching(filter: &ProgramFilter) -> programs::BoxedQuery<'static, MultiBackend> {
    let mut query = programs::table.into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(programs::status.eq(status));
    }
    if let Some(partner_type) = filter.partner_type {
        // Both databases write a list of words into text in the same way.
        let listed = sql::<Bool>("CAST(programs.partner_types AS TEXT) LIKE ");
        query = query.filter(listed.bind::<Text, _>(format!("%\"{partner_type}\"%")));
    }
    if let Some(code) = &filter.code {
        query = query.filter(programs::code.eq(code.clone()));
    }
    query
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<ProgramFilter>) -> Result<Vec<Program>> {
    let query = matching(&page.filter).select(Program::as_select());
    Ok(keyset!(query, page, programs, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &ProgramFilter) -> Result<i64> {
    Ok(matching(filter).count().get_result(tx.conn)?)
}

/// The program of that code or id.
pub fn find(tx: &mut Tx<'_>, key: &ProgramKey) -> Result<Program> {
    let query = programs::table.select(Program::as_select()).into_boxed();
    let found = match key {
        ProgramKey::Id(id) => query.filter(programs::id.eq(*id)).get_result(tx.conn),
        ProgramKey::Code(code) => query.filter(programs::code.eq(code.clone())).get_result(tx.conn),
    };
    found.optional()?.ok_or(Error::not_found("program", "プログラム"))
}

/// Every program, in the order of their ids.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Program>> {
    Ok(programs::table.order(programs::id).select(Program::as_select()).load(tx.conn)?)
}

/// The program of that code or id, locked until the end of the unit with its versions.
pub(super) fn to_change(tx: &mut Tx<'_>, key: &ProgramKey) -> Result<Program> {
    let id = find(tx, key)?.id;
    lock_rows!(tx.conn, for_no_key_update, programs::table.find(id).select(programs::id));
    get(tx, id)
}

/// Keeps a program from being changed until the end of the unit. Comes before the partner's lock.
pub fn keep(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    lock_rows!(tx.conn, for_share, programs::table.find(id).select(programs::id));
    Ok(())
}

/// Part of a statement: the ids of the program of that code.
#[auto_type(no_type_alias)]
pub(crate) fn id_of_code(code: String) -> _ {
    programs::table.filter(programs::code.eq(code)).select(programs::id)
}

/// Joins to a statement the program that a column names; [`Program`] can be selected then.
macro_rules! join_program {
    ($query:expr, $program_id:expr) => {
        $query.inner_join($crate::schema::programs::table.on($crate::schema::programs::id.eq($program_id)))
    };
}
pub(crate) use join_program;

/// Joins to a statement the program version that two columns name; [`PaymentTerms`](super::PaymentTerms) can be
/// selected then.
macro_rules! join_version {
    ($query:expr, $program_id:expr, $version:expr) => {
        $query.inner_join(
            $crate::schema::program_versions::table.on($crate::schema::program_versions::program_id
                .eq($program_id)
                .and($crate::schema::program_versions::version.eq($version))),
        )
    };
}
pub(crate) use join_version;

/// The codes of these programs.
pub fn codes_of(tx: &mut Tx<'_>, ids: Vec<Id>) -> Result<HashMap<Id, String>> {
    let query = programs::table.filter(programs::id.eq_any(ids)).select((programs::id, programs::code));
    Ok(query.load::<(Id, String)>(tx.conn)?.into_iter().collect())
}

/// The program of that id.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<Program> {
    find(tx, &ProgramKey::Id(id))
}

pub(super) fn is_taken(tx: &mut Tx<'_>, code: &str) -> Result<bool> {
    let taken =
        programs::table.filter(programs::code.eq(code)).select(programs::id).get_result::<Id>(tx.conn);
    Ok(taken.optional()?.is_some())
}

pub(super) fn insert(tx: &mut Tx<'_>, program: &Program) -> Result<()> {
    diesel::insert_into(programs::table).values(program).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, program: &Program) -> Result<()> {
    diesel::update(programs::table.find(program.id)).set(program).execute(tx.conn)?;
    Ok(())
}

/// The versions the unit may see: drafts are the programme staff's.
fn visible(scope: Scope, program_id: Id) -> program_versions::BoxedQuery<'static, MultiBackend> {
    let all = program_versions::table.filter(program_versions::program_id.eq(program_id)).into_boxed();
    match scope {
        Scope::All => all,
        Scope::Partner(_) => all.filter(program_versions::state.eq(ProgramVersionState::Published)),
    }
}

fn published(program_id: Id) -> program_versions::BoxedQuery<'static, MultiBackend> {
    let published = program_versions::state.eq(ProgramVersionState::Published);
    program_versions::table.filter(program_versions::program_id.eq(program_id)).filter(published).into_boxed()
}

fn matching_versions(
    scope: Scope,
    program_id: Id,
    filter: &ProgramVersionFilter,
) -> program_versions::BoxedQuery<'static, MultiBackend> {
    let mut query = visible(scope, program_id);
    if let Some(state) = filter.state {
        query = query.filter(program_versions::state.eq(state));
    }
    if let Some(year) = filter.program_year {
        query = query.filter(program_versions::program_year.eq(year));
    }
    query
}

pub(super) fn list_versions(
    tx: &mut Tx<'_>,
    program_id: Id,
    page: &PageRequest<ProgramVersionFilter>,
) -> Result<Vec<ProgramVersion>> {
    let query = matching_versions(tx.scope(), program_id, &page.filter).select(ProgramVersion::as_select());
    Ok(keyset!(query, page, program_versions, newest).load(tx.conn)?)
}

pub(super) fn count_versions(tx: &mut Tx<'_>, program_id: Id, filter: &ProgramVersionFilter) -> Result<i64> {
    Ok(matching_versions(tx.scope(), program_id, filter).count().get_result(tx.conn)?)
}

/// A program's version of that number, where the unit may see it.
pub fn get_version(tx: &mut Tx<'_>, program_id: Id, version: i32) -> Result<ProgramVersion> {
    let query = visible(tx.scope(), program_id).filter(program_versions::version.eq(version));
    let found = query.select(ProgramVersion::as_select()).get_result(tx.conn);
    found.optional()?.ok_or(Error::not_found("program version", "プログラムの版"))
}

/// The published version that is in effect on a day; at most one is.
pub fn version_in_effect(
    tx: &mut Tx<'_>,
    program_id: Id,
    day: CalendarDate,
) -> Result<Option<ProgramVersion>> {
    published_in(tx, program_id, Period { from: day, to: day })
}

/// The published version that comes closest to being in effect on a day, where there is any.
pub fn nearest_version(tx: &mut Tx<'_>, program_id: Id, day: CalendarDate) -> Result<Option<ProgramVersion>> {
    let begun = published(program_id).filter(program_versions::effective_from.le(day));
    let before: Option<ProgramVersion> = begun
        .order(program_versions::effective_from.desc())
        .limit(1)
        .select(ProgramVersion::as_select())
        .get_result(tx.conn)
        .optional()?;
    let to_come = published(program_id).filter(program_versions::effective_from.gt(day));
    let after: Option<ProgramVersion> = to_come
        .order(program_versions::effective_from.asc())
        .limit(1)
        .select(ProgramVersion::as_select())
        .get_result(tx.conn)
        .optional()?;
    let away = |version: &ProgramVersion| {
        let (before, after) = (version.effective_to.days_until(day), day.days_until(version.effective_from));
        before.max(after)
    };
    Ok(before.into_iter().chain(after).min_by_key(away))
}

/// Every program that has a published version, in stable order; closed and discontinued ones too.
pub fn offers(tx: &mut Tx<'_>) -> Result<Vec<Offer>> {
    let found = all(tx)?;
    offers_of(tx, found)
}

/// A program with its published versions.
pub fn offer_of(tx: &mut Tx<'_>, program: &Program) -> Result<Offer> {
    let mut offers = offers_of(tx, vec![program.clone()])?;
    let nothing = Offer { program: program.clone(), before: Vec::new(), versions: Vec::new() };
    Ok(offers.pop().unwrap_or(nothing))
}

/// The offers of those programs that have a published version. Two statements.
pub fn offers_of(tx: &mut Tx<'_>, programs: Vec<Program>) -> Result<Vec<Offer>> {
    let ids: Vec<Id> = programs.iter().map(|program| program.id).collect();
    let mut versions: HashMap<Id, Vec<ProgramVersion>> = HashMap::new();
    for version in published_versions(tx, ids.clone())? {
        versions.entry(version.program_id).or_default().push(version);
    }
    let periods = program_periods::table
        .filter(program_periods::program_id.eq_any(ids))
        .order((program_periods::program_id, program_periods::last_day))
        .select(ProgramPeriod::as_select());
    let mut before: HashMap<Id, Vec<ProgramPeriod>> = HashMap::new();
    for period in periods.load(tx.conn)? {
        before.entry(period.program_id).or_default().push(period);
    }
    let offer = |program: Program| {
        let mut versions = versions.remove(&program.id)?;
        versions.sort_unstable_by_key(|version| version.effective_from);
        Some(Offer { before: before.remove(&program.id).unwrap_or_default(), program, versions })
    };
    Ok(programs.into_iter().filter_map(offer).collect())
}

/// Keeps where a program stood up to yesterday, before its record is changed today.
pub(super) fn keep_past(tx: &mut Tx<'_>, before: &Program) -> Result<()> {
    let yesterday = tx.today().plus_days(-1);
    // Of several changes on one day, the first one knows how the day before was.
    let known = program_periods::table.find((before.id, yesterday));
    if yesterday < before.created_at.date() || select(exists(known)).get_result(tx.conn)? {
        return Ok(());
    }
    let period = ProgramPeriod {
        program_id: before.id,
        last_day: yesterday,
        partner_types: before.partner_types.clone(),
        status: before.status,
    };
    diesel::insert_into(program_periods::table).values(&period).execute(tx.conn)?;
    Ok(())
}

/// Every published version of these programs.
pub fn published_versions(tx: &mut Tx<'_>, programs: Vec<Id>) -> Result<Vec<ProgramVersion>> {
    let query = program_versions::table
        .filter(program_versions::program_id.eq_any(programs))
        .filter(program_versions::state.eq(ProgramVersionState::Published))
        .select(ProgramVersion::as_select());
    Ok(query.load(tx.conn)?)
}

/// The product families that the levers of published versions name.
pub(super) fn product_families(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let published =
        program_versions::table.filter(program_versions::state.eq(ProgramVersionState::Published));
    let levers: Vec<Json<Vec<Lever>>> = published.select(program_versions::levers).load(tx.conn)?;
    let levers = levers.iter().flat_map(|Json(levers)| levers);
    let families = levers.filter_map(|lever| lever.applies_to().product_families.clone());
    Ok(families.flatten().collect())
}

/// Every program with its published version in effect on a day, in stable order; closed and discontinued
/// programs too, whose rules nobody meets.
pub fn in_effect(tx: &mut Tx<'_>, day: CalendarDate) -> Result<Vec<ProgramInEffect>> {
    let query = programs::table
        .inner_join(program_versions::table.on(program_versions::program_id.eq(programs::id)))
        .filter(program_versions::state.eq(ProgramVersionState::Published))
        .filter(program_versions::effective_from.le(day).and(program_versions::effective_to.ge(day)))
        .order(programs::id)
        .select(ProgramInEffect::as_select());
    Ok(query.load(tx.conn)?)
}

/// A published version that shares a day with a period.
pub(super) fn published_in(tx: &mut Tx<'_>, program_id: Id, days: Period) -> Result<Option<ProgramVersion>> {
    let query = published(program_id)
        .filter(program_versions::effective_from.le(days.to))
        .filter(program_versions::effective_to.ge(days.from))
        .order(program_versions::effective_from)
        .limit(1);
    Ok(query.select(ProgramVersion::as_select()).get_result(tx.conn).optional()?)
}

pub(super) fn last_number(tx: &mut Tx<'_>, program_id: Id) -> Result<i32> {
    let numbers = program_versions::table.filter(program_versions::program_id.eq(program_id));
    Ok(numbers.select(max(program_versions::version)).get_result::<Option<i32>>(tx.conn)?.unwrap_or(0))
}

pub(super) fn insert_version(tx: &mut Tx<'_>, version: &ProgramVersion) -> Result<()> {
    diesel::insert_into(program_versions::table).values(version).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update_version(tx: &mut Tx<'_>, version: &ProgramVersion) -> Result<()> {
    diesel::update(program_versions::table.find(version.id)).set(version).execute(tx.conn)?;
    Ok(())
}

pub(super) fn delete_version(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    diesel::delete(program_versions::table.find(id)).execute(tx.conn)?;
    Ok(())
}

/// The published versions of a program for a program year, in the order of their days.
pub fn versions_of_year(tx: &mut Tx<'_>, program_id: Id, program_year: i32) -> Result<Vec<ProgramVersion>> {
    let query = published(program_id).filter(program_versions::program_year.eq(program_year));
    let query = query.order(program_versions::effective_from).select(ProgramVersion::as_select());
    Ok(query.load(tx.conn)?)
}
