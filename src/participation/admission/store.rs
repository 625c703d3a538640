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

/// Which reminders some enrollments have had, and for which last day.
pub(super) fn reminded(tx: &mut Tx<'_>, enrollments: &[Id]) -> Result<Vec<(Id, CalendarDate, Stage)>> {
    let query = reminders::table.filter(reminders::enrollment_id.eq_any(enrollments.to_vec()));
    Ok(query.select((reminders::enrollment_id, reminders::lapses_on, reminders::stage)).load(tx.conn)?)
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
