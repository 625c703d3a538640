//! What summaries and statements read beside what other slices give; the caller may see the partner.

use crate::{
    access::Tx,
    participation::{
        enrollments::{Enrollment, EnrollmentKey, EnrollmentKeys, State},
        programs::Program,
    },
    platform::{
        Result,
        values::{Id, Month},
    },
    schema::{cap_uses, enrollments, lever_volumes, programs, rebates},
};
use diesel::{dsl::sql, prelude::*, sql_types::Bool};

/// How many customers near their cap are named.
const NEAREST: i64 = 5;

/// An enrollment, and the program it is in.
pub(super) type Enrolled = (Enrollment, Program);

/// A partner's enrollments for program years up to one, the newest year first.
pub(super) fn enrolled_until(tx: &mut Tx<'_>, partner: Id, year: i32) -> Result<Vec<Enrolled>> {
    let query = enrollments::table
        .inner_join(programs::table)
        .filter(enrollments::partner_id.eq(partner))
        .filter(enrollments::program_year.le(year))
        .order((enrollments::program_year.desc(), programs::code, enrollments::id))
        .select((Enrollment::as_select(), Program::as_select()));
    Ok(query.load(tx.conn)?)
}

/// A partner's enrollments that still matter: open, for a program year or a later one, or with something to be paid.
pub(super) fn enrolled_now(tx: &mut Tx<'_>, partner: Id, from_year: i32) -> Result<Vec<Enrolled>> {
    // The words of the index, which parameters would hide.
    let waits = sql::<Bool>("state IN ('payable', 'on_hold')");
    let waiting = rebates::table
        .filter(rebates::partner_id.eq(partner))
        .filter(waits)
        .select(rebates::enrollment_id)
        .distinct();
    let waiting: Vec<Id> = waiting.load(tx.conn)?;
    let open = enrollments::state.eq_any(State::OPEN.to_vec());
    let query = enrollments::table
        .inner_join(programs::table)
        .filter(enrollments::partner_id.eq(partner))
        .filter(open.or(enrollments::program_year.ge(from_year)).or(enrollments::id.eq_any(waiting)))
        .order((enrollments::program_year.desc(), programs::code, enrollments::id))
        .select((Enrollment::as_select(), Program::as_select()));
    Ok(query.load(tx.conn)?)
}

/// A lever's volume of a month: enrollment, version, lever, month, minor units of the version's currency.
pub(super) type Volume = (Id, i32, String, Month, i64);

pub(super) fn volumes(tx: &mut Tx<'_>, enrollments: EnrollmentKeys<'_>) -> Result<Vec<Volume>> {
    let query = lever_volumes::table
        .filter(lever_volumes::partner_id.eq(enrollments.partner_id))
        .filter(lever_volumes::enrollment_id.eq_any(enrollments.ids.to_vec()))
        .select((
            lever_volumes::enrollment_id,
            lever_volumes::version,
            lever_volumes::lever,
            lever_volumes::month,
            lever_volumes::volume,
        ));
    Ok(query.load(tx.conn)?)
}

/// What is used of one lever's cap, by those who have used most; the partner's own balance has no customer.
pub(super) fn cap_uses(
    tx: &mut Tx<'_>,
    (enrollment, version): (EnrollmentKey, i32),
    lever: &str,
) -> Result<Vec<(String, i64)>> {
    let query = cap_uses::table
        .filter(cap_uses::partner_id.eq(enrollment.partner_id))
        .filter(cap_uses::enrollment_id.eq(enrollment.id))
        .filter(cap_uses::version.eq(version))
        .filter(cap_uses::lever.eq(lever.to_owned()))
        .order(cap_uses::used.desc())
        .limit(NEAREST)
        .select((cap_uses::customer_id, cap_uses::used));
    Ok(query.load(tx.conn)?)
}
