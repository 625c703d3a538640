//! The reminders in the database.

use super::Stage;
use crate::{
    access::Tx,
    participation::enrollments::EnrollmentKey,
    platform::{
        Result,
        values::{CalendarDate, Id},
    },
    schema::reminders,
};
use diesel::prelude::*;
use std::collections::HashSet;

/// A reminder that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Queryable, Selectable)]
#[diesel(table_name = reminders)]
pub(super) struct Told {
    pub enrollment_id: Id,
    /// The last day the reminder told of.
    pub lapses_on: CalendarDate,
    pub stage: Stage,
}

/// The reminders that the enrollments of some partners have had, each for its last day.
pub(super) fn reminded(tx: &mut Tx<'_>, partners: &[Id]) -> Result<HashSet<Told>> {
    let query = reminders::table.filter(reminders::partner_id.eq_any(partners.to_vec()));
    let told: Vec<Told> = query.select(Told::as_select()).load(tx.conn)?;
    Ok(told.into_iter().collect())
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
