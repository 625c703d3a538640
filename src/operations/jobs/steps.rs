//! The work of each step: the partners with due changes, and the changes.

use super::RefreshStep;
use crate::{
    access::Tx,
    ledger::{accounting, forfeitures},
    network::partners::Partner,
    participation::admission::{self, Occasion},
    payouts::half_years,
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
            Self::CoopFunds => half_years::due(tx, partners),
            Self::Reminders => {
                let mut due = admission::unwarned(tx, partners)?;
                let ids: Vec<Id> = partners.iter().map(|partner| partner.id).collect();
                let losing = forfeitures::due(tx, &ids)?;
                due.extend(losing.into_iter().filter(|id| !due.contains(id)).collect::<Vec<_>>());
                Ok(due)
            }
            Self::Calculation => Ok(Vec::new()),
        }
    }

    /// Whether the step posts to the books.
    pub(super) const fn posts(self) -> bool {
        match self {
            Self::CoopFunds | Self::Reminders => true,
            Self::Enrollments | Self::Calculation => false,
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
            Self::CoopFunds => half_years::perform(tx, partners),
            Self::Reminders => Ok(admission::remind(tx, partners)? + forfeitures::follow(tx, partners)?),
            Self::Calculation => Ok(0),
        }
    }
}
