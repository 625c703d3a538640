//! The enrollments in the database.

use super::{
    Enrollment, EnrollmentHistory, EnrollmentKey, Participation, State, StateChange, WithCurrencies,
    api::EnrollmentFilter,
    tenure::earning_windows,
    view::{self, ProgramEnrollment},
};
use crate::{
    access::{PartnerKey, Role, Scope, Tx},
    network::partners::{in_scope, partner_currency},
    participation::programs::{
        PaymentTerms, Program, ProgramCode, ProgramKey, id_of_code, join_program, join_version,
    },
    platform::{
        Error, Result,
        db::{Conn, MultiBackend},
        http::{NoFilter, PageRequest, keyset},
        values::{Currency, Id, Period},
    },
    schema::{enrollment_changes, enrollments},
};
use diesel::{
    dsl::{auto_type, exists},
    prelude::*,
    select,
};
use std::collections::HashMap;

/// Restricts a boxed query of another slice to the enrollments of a program, where one is named.
macro_rules! in_program {
    ($query:expr, $table:ident, $key:expr) => {{
        use $crate::{participation::programs::ProgramKey, schema::enrollments};
        let enrolled = || {
            enrollments::table
                .filter(enrollments::partner_id.eq($table::partner_id))
                .filter(enrollments::id.eq($table::enrollment_id))
        };
        match $key {
            Some(ProgramKey::Id(id)) => {
                $query.filter(diesel::dsl::exists(enrolled().filter(enrollments::program_id.eq(*id))))
            }
            Some(ProgramKey::Code(code)) => {
                let program = $crate::participation::programs::id_of_code(code.clone());
                $query.filter(diesel::dsl::exists(enrolled().filter(enrollments::program_id.eq_any(program))))
            }
            None => $query,
        }
    }};
}
pub(crate) use in_program;

/// Restricts a boxed query of another slice to what belongs to an enrollment. A statement of its own looks up the partner, who
/// leads to the key; an enrollment that does not exist has nothing.
macro_rules! of_enrollment {
    ($tx:expr, $query:expr, $table:ident, $id:expr) => {{
        let partner = $crate::participation::enrollments::partner_of($tx, $id)?;
        $crate::participation::enrollments::of_one!(
            $query.filter($table::enrollment_id.eq($id)),
            $table,
            partner
        )
    }};
}
pub(crate) use of_enrollment;

/// Restricts a boxed query to a partner that was looked up; nothing where there was none.
macro_rules! of_one {
    ($query:expr, $table:ident, $partner:expr) => {
        match $partner {
            Some(partner) => $query.filter($table::partner_id.eq(partner)),
            None => $query.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("1 = 0")),
        }
    };
}
pub(crate) use of_one;

/// The partner of an enrollment; none where there is no such enrollment.
pub fn partner_of(tx: &mut Tx<'_>, id: Id) -> Result<Option<Id>> {
    let query = enrollments::table.filter(enrollments::id.eq(id)).select(enrollments::partner_id);
    Ok(query.get_result(tx.conn).optional()?)
}

type Query = enrollments::BoxedQuery<'static, MultiBackend>;

fn visible(scope: Scope) -> Query {
    in_scope!(enrollments::table.into_boxed(), enrollments::partner_id, scope)
}

fn matching(tx: &mut Tx<'_>, filter: &EnrollmentFilter) -> Result<Query> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let mut query = visible(tx.scope());
    if let Some(id) = partner {
        query = query.filter(enrollments::partner_id.eq(id));
    }
    match &filter.program {
        Some(ProgramKey::Id(id)) => query = query.filter(enrollments::program_id.eq(*id)),
        Some(ProgramKey::Code(code)) => {
            query = query.filter(enrollments::program_id.eq_any(id_of_code(code.clone())));
        }
        None => {}
    }
    if let Some(year) = filter.program_year {
        query = query.filter(enrollments::program_year.eq(year));
    }
    if let Some(state) = filter.state {
        let is_viewer = tx.actor.role == Some(Role::Viewer);
        query = query.filter(enrollments::state.eq_any(view::states_behind(state, is_viewer)));
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<EnrollmentFilter>) -> Result<Vec<ProgramEnrollment>> {
    let query = keyset!(matching(tx, &page.filter)?, page, enrollments, newest);
    let query = join_program!(query, enrollments::program_id);
    let found: Vec<(Enrollment, ProgramCode)> =
        query.select((Enrollment::as_select(), ProgramCode::as_select())).load(tx.conn)?;
    let shown = |(enrollment, program): (Enrollment, ProgramCode)| ProgramEnrollment {
        enrollment,
        program: program.code,
    };
    Ok(found.into_iter().map(shown).collect())
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &EnrollmentFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// An enrollment the unit may see, with the code of its program.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<ProgramEnrollment> {
    let query = join_program!(visible(tx.scope()).filter(enrollments::id.eq(id)), enrollments::program_id);
    let found = query.select((Enrollment::as_select(), ProgramCode::as_select())).get_result(tx.conn);
    let (enrollment, program): (Enrollment, ProgramCode) =
        found.optional()?.ok_or(Error::not_found("enrollment", "参加"))?;
    Ok(ProgramEnrollment { enrollment, program: program.code })
}

/// Whether an enrollment refers to a partner.
pub fn refers_to(conn: &mut Conn, partner: Id) -> Result<bool> {
    Ok(select(exists(enrollments::table.filter(enrollments::partner_id.eq(partner)))).get_result(conn)?)
}

/// The partners with an enrollment in a program that is open, or that ended with a program year.
pub fn enrolled_in(tx: &mut Tx<'_>, program: Id) -> Result<Vec<Id>> {
    let states: Vec<State> = State::OPEN.into_iter().chain([State::Expired]).collect();
    let query = enrollments::table
        .filter(enrollments::program_id.eq(program))
        .filter(enrollments::state.eq_any(states))
        .select(enrollments::partner_id)
        .distinct();
    Ok(query.load(tx.conn)?)
}

/// How these partners took part in these programs, in every year.
pub fn participations(tx: &mut Tx<'_>, partners: &[Id], programs: &[Id]) -> Result<Vec<Participation>> {
    let query = enrollments::table
        .filter(enrollments::partner_id.eq_any(partners.to_vec()))
        .filter(enrollments::program_id.eq_any(programs.to_vec()));
    Ok(query.select(Participation::as_select()).load(tx.conn)?)
}

/// The program of each of these enrollments, which may be of many partners.
pub fn programs_of(tx: &mut Tx<'_>, ids: &[Id]) -> Result<Vec<(Id, Program)>> {
    let query = enrollments::table.filter(enrollments::id.eq_any(ids.to_vec()));
    let query = join_program!(query, enrollments::program_id);
    Ok(query.select((enrollments::id, Program::as_select())).load(tx.conn)?)
}

/// The payment terms of the version of each of these enrollments; they may be of many partners.
pub fn payment_terms_of(tx: &mut Tx<'_>, ids: &[Id]) -> Result<Vec<(Id, PaymentTerms)>> {
    let query = enrollments::table.filter(enrollments::id.eq_any(ids.to_vec()));
    let query = join_version!(query, enrollments::program_id, enrollments::version);
    Ok(query.select((enrollments::id, PaymentTerms::as_select())).load(tx.conn)?)
}

/// An enrollment with the currencies its version and its partner count in, whoever asks.
pub fn with_currencies(tx: &mut Tx<'_>, id: Id) -> Result<Option<WithCurrencies>> {
    let query = enrollments::table.filter(enrollments::id.eq(id));
    let query = join_version!(query, enrollments::program_id, enrollments::version).select((
        Enrollment::as_select(),
        PaymentTerms::as_select(),
        partner_currency!(enrollments::partner_id),
    ));
    let found: Option<(Enrollment, PaymentTerms, Currency)> = query.get_result(tx.conn).optional()?;
    Ok(found.map(|(enrollment, terms, of_partner)| WithCurrencies {
        enrollment,
        of_version: terms.currency,
        of_partner,
    }))
}

/// The enrollments of these partners for program years up to one with their programs: the newest year first, then by code.
pub fn until(tx: &mut Tx<'_>, partners: &[Id], year: i32) -> Result<Vec<(Enrollment, Program)>> {
    let query = enrollments::table
        .filter(enrollments::partner_id.eq_any(partners.to_vec()))
        .filter(enrollments::program_year.le(year));
    let query = join_program!(query, enrollments::program_id);
    Ok(by_year(query.select((Enrollment::as_select(), Program::as_select())).load(tx.conn)?))
}

/// A partner's enrollments that are open, for a program year or a later one, or among those named; with their programs:
/// the newest year first, then by code.
pub fn open_or_since(
    tx: &mut Tx<'_>,
    partner: Id,
    year: i32,
    named: Vec<Id>,
) -> Result<Vec<(Enrollment, Program)>> {
    let open = enrollments::state.eq_any(State::OPEN.to_vec());
    let query = enrollments::table
        .filter(enrollments::partner_id.eq(partner))
        .filter(open.or(enrollments::program_year.ge(year)).or(enrollments::id.eq_any(named)));
    let query = join_program!(query, enrollments::program_id);
    Ok(by_year(query.select((Enrollment::as_select(), Program::as_select())).load(tx.conn)?))
}

fn by_year(mut found: Vec<(Enrollment, Program)>) -> Vec<(Enrollment, Program)> {
    found.sort_by(|(a, of_a), (b, of_b)| {
        b.program_year.cmp(&a.program_year).then_with(|| of_a.code.cmp(&of_b.code)).then(a.id.cmp(&b.id))
    });
    found
}

/// Every enrollment of these partners, the open ones and those of the years given.
pub fn of_partners(tx: &mut Tx<'_>, partners: &[Id], years: &[i32]) -> Result<Vec<Enrollment>> {
    let open_or_recent =
        enrollments::state.eq_any(State::OPEN.to_vec()).or(enrollments::program_year.eq_any(years.to_vec()));
    let query =
        enrollments::table.filter(enrollments::partner_id.eq_any(partners.to_vec())).filter(open_or_recent);
    Ok(query.order(enrollments::id).select(Enrollment::as_select()).load(tx.conn)?)
}

/// Every enrollment of these partners.
pub fn of_every_year(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Enrollment>> {
    let query = enrollments::table.filter(enrollments::partner_id.eq_any(partners.to_vec()));
    Ok(query.order(enrollments::id).select(Enrollment::as_select()).load(tx.conn)?)
}

/// Adds an enrollment.
pub fn insert(tx: &mut Tx<'_>, enrollment: &Enrollment) -> Result<()> {
    diesel::insert_into(enrollments::table).values(enrollment).execute(tx.conn)?;
    Ok(())
}

/// Writes an enrollment's next revision.
pub fn update(tx: &mut Tx<'_>, enrollment: &Enrollment) -> Result<()> {
    let EnrollmentKey { partner_id, id } = enrollment.key();
    diesel::update(enrollments::table.find((partner_id, id))).set(enrollment).execute(tx.conn)?;
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

/// The histories of some enrollments, which may be of many partners: each in order.
pub fn histories(tx: &mut Tx<'_>, keys: &[EnrollmentKey]) -> Result<HashMap<Id, Vec<StateChange>>> {
    let mut found: HashMap<Id, Vec<StateChange>> = HashMap::new();
    if keys.is_empty() {
        return Ok(found);
    }
    let partners: Vec<Id> = keys.iter().map(|key| key.partner_id).collect();
    let ids: Vec<Id> = keys.iter().map(|key| key.id).collect();
    let query = enrollment_changes::table
        .filter(enrollment_changes::partner_id.eq_any(partners))
        .filter(enrollment_changes::enrollment_id.eq_any(ids))
        .order(enrollment_changes::id)
        .select(StateChange::as_select());
    for change in query.load(tx.conn)? {
        found.entry(change.enrollment_id).or_default().push(change);
    }
    Ok(found)
}

/// The days on which these partners are enrolled in these programs, by partner and program. Two statements.
pub fn earning_days(
    tx: &mut Tx<'_>,
    partners: &[Id],
    programs: &[Id],
) -> Result<HashMap<(Id, Id), Vec<Period>>> {
    let query = enrollments::table
        .filter(enrollments::partner_id.eq_any(partners.to_vec()))
        .filter(enrollments::program_id.eq_any(programs.to_vec()))
        .select(Enrollment::as_select());
    let all: Vec<Enrollment> = query.load(tx.conn)?;
    let keys: Vec<EnrollmentKey> = all.iter().map(Enrollment::key).collect();
    let histories = histories(tx, &keys)?;
    let mut days: HashMap<(Id, Id), Vec<Period>> = HashMap::new();
    for enrollment in all {
        let history = histories.get(&enrollment.id).map_or([].as_slice(), Vec::as_slice);
        let windows = earning_windows(&enrollment, history);
        days.entry((enrollment.partner_id, enrollment.program_id)).or_default().extend(windows);
    }
    Ok(days)
}

/// Adds a line to an enrollment's history.
pub fn add_change(tx: &mut Tx<'_>, change: &StateChange) -> Result<()> {
    diesel::insert_into(enrollment_changes::table).values(change).execute(tx.conn)?;
    Ok(())
}

pub(super) fn history(
    tx: &mut Tx<'_>,
    enrollment: EnrollmentKey,
    page: &PageRequest<NoFilter>,
) -> Result<Vec<StateChange>> {
    let query = changes(enrollment).into_boxed();
    Ok(keyset!(query, page, enrollment_changes, newest).select(StateChange::as_select()).load(tx.conn)?)
}

pub(super) fn history_count(tx: &mut Tx<'_>, enrollment: EnrollmentKey) -> Result<i64> {
    Ok(changes(enrollment).count().get_result(tx.conn)?)
}

/// Every enrollment of a partner for program years from one on, oldest first. Two statements.
pub fn with_history(tx: &mut Tx<'_>, partner: Id, from_year: i32) -> Result<Vec<EnrollmentHistory>> {
    let query = enrollments::table
        .filter(enrollments::partner_id.eq(partner))
        .filter(enrollments::program_year.ge(from_year))
        .order(enrollments::id)
        .select(Enrollment::as_select());
    let without_changes = |enrollment| EnrollmentHistory { enrollment, changes: Vec::new() };
    let mut found: Vec<EnrollmentHistory> = query.load(tx.conn)?.into_iter().map(without_changes).collect();
    let ids: Vec<Id> = found.iter().map(|history| history.enrollment.id).collect();
    let changes = enrollment_changes::table
        .filter(enrollment_changes::partner_id.eq(partner))
        .filter(enrollment_changes::enrollment_id.eq_any(ids));
    let changes = changes.order(enrollment_changes::id).select(StateChange::as_select());
    for change in changes.load(tx.conn)? {
        if let Some(history) = found.iter_mut().find(|history| history.enrollment.id == change.enrollment_id)
        {
            history.changes.push(change);
        }
    }
    Ok(found)
}
