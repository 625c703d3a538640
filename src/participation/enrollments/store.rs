//! The enrollments in the database.

use super::{
    Cause, Change, Enrollment, EnrollmentKey, Stage, State,
    api::EnrollmentFilter,
    view::{self, Shown},
};
use crate::{
    access::{Role, Scope, Tx},
    network::partners::in_scope,
    participation::programs::ProgramKey,
    platform::{
        Error, Result,
        db::MultiBackend,
        http::{NoFilter, PageRequest, keyset},
        values::{CalendarDate, Id},
    },
    schema::{enrollment_changes, enrollments, programs, reminders},
};
use diesel::{
    dsl::{InnerJoin, IntoBoxed, auto_type},
    prelude::*,
};

type WithProgram = IntoBoxed<'static, InnerJoin<enrollments::table, programs::table>, MultiBackend>;

fn visible(scope: Scope) -> WithProgram {
    in_scope!(enrollments::table.inner_join(programs::table).into_boxed(), enrollments::partner_id, scope)
}

fn matching(tx: &Tx<'_>, filter: &EnrollmentFilter) -> WithProgram {
    let mut query = visible(tx.scope());
    if let Some(id) = filter.partner_id {
        query = query.filter(enrollments::partner_id.eq(id));
    }
    match &filter.program {
        Some(ProgramKey::Id(id)) => query = query.filter(enrollments::program_id.eq(*id)),
        Some(ProgramKey::Code(code)) => query = query.filter(programs::code.eq(code.clone())),
        None => {}
    }
    if let Some(year) = filter.program_year {
        query = query.filter(enrollments::program_year.eq(year));
    }
    if let Some(state) = filter.state {
        let is_viewer = tx.actor.role == Some(Role::Viewer);
        query = query.filter(enrollments::state.eq_any(view::states_behind(state, is_viewer)));
    }
    query
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<EnrollmentFilter>) -> Result<Vec<Shown>> {
    let query = keyset!(matching(tx, &page.filter), page, enrollments, newest);
    Ok(query.select((Enrollment::as_select(), programs::code)).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &EnrollmentFilter) -> Result<i64> {
    Ok(matching(tx, filter).count().get_result(tx.conn)?)
}

pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<Shown> {
    let query = visible(tx.scope()).filter(enrollments::id.eq(id));
    let found = query.select((Enrollment::as_select(), programs::code)).get_result(tx.conn);
    found.optional()?.ok_or(Error::not_found("enrollment"))
}

/// Every enrollment of these partners, the open ones and those of the years given.
pub(super) fn of_partners(tx: &mut Tx<'_>, partners: &[Id], years: &[i32]) -> Result<Vec<Enrollment>> {
    let open_or_recent =
        enrollments::state.eq_any(State::OPEN.to_vec()).or(enrollments::program_year.eq_any(years.to_vec()));
    let query =
        enrollments::table.filter(enrollments::partner_id.eq_any(partners.to_vec())).filter(open_or_recent);
    Ok(query.order(enrollments::id).select(Enrollment::as_select()).load(tx.conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, enrollment: &Enrollment) -> Result<()> {
    diesel::insert_into(enrollments::table).values(enrollment).execute(tx.conn)?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, enrollment: &Enrollment) -> Result<()> {
    let EnrollmentKey { partner_id, id } = enrollment.key();
    diesel::update(enrollments::table.find((partner_id, id))).set(enrollment).execute(tx.conn)?;
    Ok(())
}

/// Which reminders the enrollments of some partners have had, and for which last day.
pub(super) fn reminded(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<(Id, CalendarDate, Stage)>> {
    let query = reminders::table.filter(reminders::partner_id.eq_any(partners.to_vec()));
    Ok(query.select((reminders::enrollment_id, reminders::lapses_on, reminders::stage)).load(tx.conn)?)
}

/// Notes that an enrollment has had a reminder.
pub(super) fn note_reminder(
    tx: &mut Tx<'_>,
    enrollment: EnrollmentKey,
    last_day: CalendarDate,
    stage: Stage,
) -> Result<()> {
    let reminder = (
        reminders::partner_id.eq(enrollment.partner_id),
        reminders::enrollment_id.eq(enrollment.id),
        reminders::lapses_on.eq(last_day),
        reminders::stage.eq(stage),
        reminders::sent_at.eq(tx.now),
    );
    diesel::insert_into(reminders::table).values(reminder).execute(tx.conn)?;
    Ok(())
}

#[auto_type]
fn changes(enrollment: EnrollmentKey) -> _ {
    let partner_id: Id = enrollment.partner_id;
    let enrollment_id: Id = enrollment.id;
    enrollment_changes::table
        .filter(enrollment_changes::partner_id.eq(partner_id))
        .filter(enrollment_changes::enrollment_id.eq(enrollment_id))
}

/// The day the rules were last found to be met for a new beginning: an invitation, a request, an acceptance or a
/// roll-over. What lies after it was never looked at for the past.
pub(super) fn let_in_on(tx: &mut Tx<'_>, enrollment: EnrollmentKey) -> Result<Option<CalendarDate>> {
    let beginnings = vec![Cause::Requested, Cause::Accepted, Cause::RolledOver];
    let began =
        enrollment_changes::cause.eq_any(beginnings).or(enrollment_changes::to_state.eq(State::Invited));
    let query = changes(enrollment)
        .filter(began)
        .order(enrollment_changes::id.desc())
        .select(enrollment_changes::as_of);
    Ok(query.first(tx.conn).optional()?)
}

/// Whether it has ever been as far as to earn.
pub(super) fn was_enrolled(tx: &mut Tx<'_>, enrollment: EnrollmentKey) -> Result<bool> {
    let query = changes(enrollment).filter(enrollment_changes::to_state.eq(State::Enrolled));
    Ok(diesel::select(diesel::dsl::exists(query)).get_result(tx.conn)?)
}

pub(super) fn add_change(tx: &mut Tx<'_>, change: &Change) -> Result<()> {
    diesel::insert_into(enrollment_changes::table).values(change).execute(tx.conn)?;
    Ok(())
}

pub(super) fn history(
    tx: &mut Tx<'_>,
    enrollment: EnrollmentKey,
    page: &PageRequest<NoFilter>,
) -> Result<Vec<Change>> {
    let query = changes(enrollment).into_boxed();
    Ok(keyset!(query, page, enrollment_changes, newest).select(Change::as_select()).load(tx.conn)?)
}

pub(super) fn history_count(tx: &mut Tx<'_>, enrollment: EnrollmentKey) -> Result<i64> {
    Ok(changes(enrollment).count().get_result(tx.conn)?)
}

/// Every enrollment of a partner for program years from one on, oldest first, each with its history in order. Two
/// statements.
pub fn with_history(tx: &mut Tx<'_>, partner: Id, from_year: i32) -> Result<Vec<(Enrollment, Vec<Change>)>> {
    let query = enrollments::table
        .filter(enrollments::partner_id.eq(partner))
        .filter(enrollments::program_year.ge(from_year))
        .order(enrollments::id)
        .select(Enrollment::as_select());
    let mut found: Vec<(Enrollment, Vec<Change>)> =
        query.load(tx.conn)?.into_iter().map(|enrollment| (enrollment, Vec::new())).collect();
    let ids: Vec<Id> = found.iter().map(|(enrollment, _)| enrollment.id).collect();
    let changes = enrollment_changes::table
        .filter(enrollment_changes::partner_id.eq(partner))
        .filter(enrollment_changes::enrollment_id.eq_any(ids));
    let changes = changes.order(enrollment_changes::id).select(Change::as_select());
    for change in changes.load(tx.conn)? {
        if let Some((_, history)) = found.iter_mut().find(|(e, _)| e.id == change.enrollment_id) {
            history.push(change);
        }
    }
    Ok(found)
}
