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
