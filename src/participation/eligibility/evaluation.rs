//! An assessment, and the evaluation that keeps it; no I/O, no clock, no HTTP.

use super::{model::Verdict, view::EligibilityCheck, words::EligibilityOutcome};
use crate::{
    participation::programs::{Program, ProgramVersion},
    platform::{
        db::types::Json,
        values::{CalendarDate, Id, Timestamp},
    },
    schema::evaluations,
};
use diesel::prelude::*;

/// The verdict about a partner by a program version for a day, in words. Not on record until it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The partner.
    pub partner_id: Id,
    /// The program.
    pub program_id: Id,
    /// The version of the program.
    pub version: i32,
    /// The day asked about.
    pub as_of: CalendarDate,
    /// When it was asked.
    pub evaluated_at: Timestamp,
    /// Eligible where nothing is unmet.
    pub outcome: EligibilityOutcome,
    /// The first day it is no longer eligible if nothing changes.
    pub eligible_until: Option<CalendarDate>,
    /// Every rule's check.
    pub checks: Vec<EligibilityCheck>,
}

/// An evaluation with the code of its program.
#[derive(Clone, Debug)]
pub struct OnRecord {
    /// The evaluation.
    pub evaluation: Evaluation,
    /// The code of its program.
    pub program: String,
}

impl Assessment {
    /// Renders a verdict.
    #[must_use]
    pub fn of(
        partner_id: Id,
        program: &Program,
        version: &ProgramVersion,
        verdict: &Verdict<'_>,
        evaluated_at: Timestamp,
    ) -> Self {
        Self {
            partner_id,
            program_id: program.id,
            version: version.version,
            as_of: verdict.as_of,
            evaluated_at,
            outcome: verdict.outcome,
            eligible_until: verdict.eligible_until(),
            checks: verdict.view(),
        }
    }

    /// Whether nothing is unmet.
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        self.outcome == EligibilityOutcome::Eligible
    }
}

/// An assessment on record. Immutable, in the database itself.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = evaluations)]
pub struct Evaluation {
    /// Identifier, a UUID of version 7 (RFC 9562).
    pub id: Id,
    /// The partner.
    pub partner_id: Id,
    /// The program.
    pub program_id: Id,
    /// The version of the program.
    pub version: i32,
    /// The day asked about.
    pub as_of: CalendarDate,
    /// When it was asked.
    pub evaluated_at: Timestamp,
    /// Eligible where nothing is unmet.
    pub outcome: EligibilityOutcome,
    /// The first day it is no longer eligible if nothing changes.
    pub eligible_until: Option<CalendarDate>,
    /// Every rule's check.
    pub checks: Json<Vec<EligibilityCheck>>,
}
