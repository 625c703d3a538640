//! What each step looks for, and does.

use super::RefreshStep;
use crate::{
    access::Tx,
    ledger::accounting,
    network::partners::Partner,
    participation::admission::{self, Invitations},
    platform::{Result, values::Id},
};

impl RefreshStep {
    /// Which of these partners there is something to do about, by a constant number of queries.
    pub(super) fn look(self, tx: &mut Tx<'_>, partners: &[Partner]) -> Result<Vec<Id>> {
        match self {
            Self::Enrollments => admission::unsettled(tx, partners, Invitations::All),
            Self::Reminders => admission::unwarned(tx, partners),
            Self::Calculation => Ok(Vec::new()),
        }
    }

    /// Does it; whatever has changed since the look is looked at again.
    pub(super) fn perform(self, tx: &mut Tx<'_>, partners: &[Partner]) -> Result<usize> {
        match self {
            Self::Enrollments => {
                let moved = admission::reassess(tx, partners, Invitations::All)?;
                // A profile that ran out on its day holds up what waits to be paid.
                let ids: Vec<Id> = partners.iter().map(|partner| partner.id).collect();
                accounting::follow_profiles(tx, &ids)?;
                Ok(moved)
            }
            Self::Reminders => admission::remind(tx, partners),
            Self::Calculation => Ok(0),
        }
    }
}
