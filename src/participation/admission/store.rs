//! The reminders in the database.

use super::Stage;
use crate::{
    access::Tx,
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

/// Which reminders some enrollments have had, and for which last day.
pub(super) fn reminded(tx: &mut Tx<'_>, enrollments: &[Id]) -> Result<HashSet<Told>> {
    let query = reminders::table.filter(reminders::enrollment_id.eq_any(enrollments.to_vec()));
    let told: Vec<Told> = query.select(Told::as_select()).load(tx.conn)?;
    Ok(told.into_iter().collect())
}

/// Notes that an enrollment has had a reminder.
pub(super) fn note_reminder(
    tx: &mut Tx<'_>,
    enrollment: Id,
    last_day: CalendarDate,
    stage: Stage,
) -> Result<()> {
    let reminder = (
        reminders::enrollment_id.eq(enrollment),
        reminders::lapses_on.eq(last_day),
        reminders::stage.eq(stage),
        reminders::sent_at.eq(tx.now),
    );
    diesel::insert_into(reminders::table).values(reminder).execute(tx.conn)?;
    Ok(())
}
