//! The audit of a paid claim and the draw of a month; no I/O, no clock, no HTTP.

use crate::{
    platform::{
        db::types::Json,
        values::{CalendarDate, Currency, Id, Money, Month, Timestamp, text_enum},
    },
    schema::{coop_audit_draws, coop_audits},
};
use diesel::prelude::*;

/// The business days that a partner has to send the originals.
pub const ORIGINALS_DAYS: u8 = 20;

text_enum! {
    /// The state of the audit of a paid co-op claim.
    pub enum CoopAuditState {
        /// The partner has to send the originals.
        Requested = "requested",
        /// The originals are in order.
        Passed = "passed",
        /// What was paid is recovered, or a part, by an adjustment.
        Recovered = "recovered",
    }
}

/// What happens to an audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoopAuditEvent {
    /// An operator has found the originals in order.
    Pass,
    /// An operator recovers what was paid.
    Recovery,
    /// Another person turns the adjustment of a recovery down.
    RecoveryRejection,
}

impl CoopAuditEvent {
    /// Every event that people bring about, with the name of its sub-resource.
    pub const TOLD: [(Self, &'static str); 2] = [(Self::Pass, "pass"), (Self::Recovery, "recovery")];
}

impl CoopAuditState {
    /// The state after an event; none where the state does not allow the event.
    #[must_use]
    pub const fn after(self, event: CoopAuditEvent) -> Option<Self> {
        match (self, event) {
            (Self::Requested, CoopAuditEvent::Pass) => Some(Self::Passed),
            (Self::Requested, CoopAuditEvent::Recovery) => Some(Self::Recovered),
            (Self::Recovered, CoopAuditEvent::RecoveryRejection) => Some(Self::Requested),
            (Self::Passed, _)
            | (Self::Recovered, CoopAuditEvent::Pass | CoopAuditEvent::Recovery)
            | (Self::Requested, CoopAuditEvent::RecoveryRejection) => None,
        }
    }

    /// The sub-resources that can be posted to now.
    #[must_use]
    pub fn allowed(self) -> Vec<&'static str> {
        let told = CoopAuditEvent::TOLD.iter().filter(|(event, _)| self.after(*event).is_some());
        told.map(|(_, name)| *name).collect()
    }
}

/// A paid claim whose originals are asked for. Amounts are minor units of the claim's currency.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = coop_audits, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct CoopAudit {
    /// UUID of version 7.
    pub id: Id,
    /// The partner that was paid.
    pub partner_id: Id,
    /// The claim, which has one audit.
    pub claim_id: Id,
    /// The program whose sample has the claim.
    pub program_id: Id,
    /// The month of the sample, in which the claim was paid.
    pub month: Month,
    /// The currency of the claim.
    pub currency: Currency,
    /// What was paid.
    pub paid: i64,
    /// The state.
    pub state: CoopAuditState,
    /// The last day for the originals.
    pub due_on: CalendarDate,
    /// The amount that is recovered; none of another state.
    pub recovered: Option<i64>,
    /// The adjustment that recovers the amount; none of another state.
    pub adjustment_id: Option<Id>,
    /// The decision in the operator's words.
    pub comment: Option<String>,
    /// The user or API client who decided; none before the decision.
    pub decided_by: Option<Id>,
    /// When the decision was made.
    pub decided_at: Option<Timestamp>,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

impl CoopAudit {
    /// An amount in the currency of the claim.
    #[must_use]
    pub const fn money(&self, minor: i64) -> Money {
        Money { minor, currency: self.currency }
    }
}

/// The sample of a program's claims that were paid in a month.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = coop_audit_draws)]
pub struct CoopDraw {
    /// The program.
    pub program_id: Id,
    /// The month in which the claims were paid.
    pub month: Month,
    /// UUID of version 7.
    pub id: Id,
    /// The size that the program named when the sample was drawn.
    pub size: i32,
    /// The drawn claims, in the order of the sample.
    pub claims: Json<Vec<Id>>,
    /// When the sample was drawn.
    pub drawn_at: Timestamp,
    /// When the audit of the last claim was begun; none before.
    pub completed_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_is_decided_once_unless_another_person_turns_its_recovery_down() {
        use CoopAuditEvent::{Pass, Recovery, RecoveryRejection};
        use CoopAuditState::{Passed, Recovered, Requested};
        let after =
            |state: CoopAuditState| [Pass, Recovery, RecoveryRejection].map(|event| state.after(event));
        assert_eq!(after(Requested), [Some(Passed), Some(Recovered), None]);
        assert_eq!(after(Passed), [None, None, None]);
        assert_eq!(after(Recovered), [None, None, Some(Requested)]);
        assert_eq!((Requested.allowed(), Passed.allowed().len()), (vec!["pass", "recovery"], 0));
    }
}
