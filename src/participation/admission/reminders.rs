//! Telling a partner in time that its eligibility is about to end: before what carries it runs out, and while it is
//! met by grace only.
//!
//! Each stage is told once for each last day: a renewal moves that day, and with it everything begins anew.

use super::{
    Stage,
    store::{self, Told},
};
use crate::{
    access::Tx,
    audit,
    identity::users,
    network::partners::Partner,
    notifications::{About, Message},
    participation::{
        eligibility::{self, Outlook},
        enrollments::{self, Enrollment, EnrollmentKey, State},
        programs::{self, ProgramInEffect},
    },
    platform::{
        Result,
        values::{Id, Locale},
    },
};
use serde_json::json;
use std::collections::{HashMap, HashSet};

/// Who takes part and has something to lose.
const TAKING_PART: [State; 3] = [State::ActionRequired, State::Validating, State::Enrolled];

struct Reminder<'a> {
    partner: &'a Partner,
    program: String,
    enrollment: Id,
    stage: Stage,
    outlook: Outlook,
}

/// Which of these partners have to be reminded today, found without writing anything.
pub fn unwarned(tx: &mut Tx<'_>, partners: &[Partner]) -> Result<Vec<Id>> {
    let mut found: Vec<Id> = due(tx, partners)?.iter().map(|reminder| reminder.partner.id).collect();
    found.dedup();
    Ok(found)
}

/// Reminds these partners of what is about to end; says how many reminders there were.
pub fn remind(tx: &mut Tx<'_>, partners: &[Partner]) -> Result<usize> {
    let due = due(tx, partners)?;
    for reminder in &due {
        let Reminder { partner, program, enrollment, stage, outlook } = reminder;
        let key = EnrollmentKey { partner_id: partner.id, id: *enrollment };
        store::note_reminder(tx, key, outlook.last_day, *stage)?;
        let message = Message::EligibilityAtRisk {
            partner: partner.legal_name.clone(),
            program: program.clone(),
            lapsing: outlook.lapsing.clone(),
            lapses_on: outlook.last_day,
            in_grace: stage.in_grace(),
            enrollment: *enrollment,
        };
        users::notify_admins(tx, partner, About::new("enrollment", *enrollment), &message)?;
        let lapsing: Vec<&str> = outlook.lapsing.iter().map(|rule| rule.in_language(Locale::En)).collect();
        audit::Event::on("reminder", *enrollment)
            .of_partner(partner.id)
            .after(&json!({"stage": stage, "last_day": outlook.last_day, "lapsing": lapsing}))
            .record(tx)?;
    }
    Ok(due.len())
}

/// A constant number of queries, whatever the number of partners.
fn due<'a>(tx: &mut Tx<'_>, partners: &'a [Partner]) -> Result<Vec<Reminder<'a>>> {
    let today = tx.today();
    let ids: Vec<Id> = partners.iter().map(|partner| partner.id).collect();
    let open: Vec<Enrollment> = enrollments::of_partners(tx, &ids, &[])?
        .into_iter()
        .filter(|enrollment| TAKING_PART.contains(&enrollment.state))
        .collect();
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let of_pair: HashMap<(Id, Id, i32), Id> =
        open.iter().map(|e| ((e.partner_id, e.program_id, e.program_year), e.id)).collect();
    let offers = programs::in_effect(tx, today)?;
    let mut due = Vec::new();
    eligibility::judge_all(tx, partners, &offers, today, |partner, offer, verdict| {
        let ProgramInEffect { program, version } = offer;
        let pair = (partner.id, program.id, version.program_year);
        let Some(enrollment) = of_pair.get(&pair).copied().filter(|_| verdict.is_eligible()) else { return };
        let Some(outlook) = verdict.outlook(Stage::EARLIEST) else { return };
        if let Some(stage) = Stage::on(today, &outlook) {
            due.push(Reminder { partner, program: program.name.clone(), enrollment, stage, outlook });
        }
    })?;
    let partners: Vec<Id> = due.iter().map(|reminder| reminder.partner.id).collect();
    let told = match partners.as_slice() {
        [] => HashSet::new(),
        some => store::reminded(tx, some)?,
    };
    due.retain(|reminder| {
        let Reminder { enrollment: enrollment_id, stage, outlook, .. } = reminder;
        !told.contains(&Told { enrollment_id: *enrollment_id, lapses_on: outlook.last_day, stage: *stage })
    });
    Ok(due)
}
