//! The work of each step: the partners with due changes, and the changes.

use super::RefreshStep;
use crate::{
    access::Tx,
    ledger::accounting,
    network::partners::Partner,
    participation::admission::{self, Occasion},
    platform::{Result, values::Id},
};

impl RefreshStep {
    /// The given partners that the step has to change, found by a constant number of queries.
    pub(super) fn find_due(self, tx: &mut Tx<'_>, partners: &[Partner]) -> Result<Vec<Id>> {
        match self {
            Self::Enrollments => {
                let mut due = admission::unsettled(tx, partners, Occasion::DailyRefresh)?;
                let others: Vec<Id> =
                    partners.iter().map(|partner| partner.id).filter(|id| !due.contains(id)).collect();
                due.extend(accounting::behind_profiles(tx, &others)?);
                Ok(due)
            }
            Self::Reminders => admission::unwarned(tx, partners),
            Self::Calculation => Ok(Vec::new()),
        }
    }

    /// Makes the due changes of these partners, by the facts of this unit. Returns the number of changes.
    pub(super) fn perform(self, tx: &mut Tx<'_>, partners: &[Partner]) -> Result<usize> {
        match self {
            Self::Enrollments => {
                let moved = admission::reassess(tx, partners, Occasion::DailyRefresh)?;
                // A profile that has expired by today puts the partner's payable rebates on hold, and the end of the wait
                // after a change of the bank account releases them.
                let ids: Vec<Id> = partners.iter().map(|partner| partner.id).collect();
                accounting::follow_profiles(tx, &ids)?;
                Ok(moved)
            }
            Self::Reminders => admission::remind(tx, partners),
            Self::Calculation => Ok(0),
        }
    }
}
