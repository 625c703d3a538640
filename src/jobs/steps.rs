//! What each step looks for, and does.

use super::Step;
use crate::{
    access::Tx,
    enrollments::{self, Invitations},
    partners::Partner,
    platform::{Result, values::Id},
};

impl Step {
    /// Which of these partners there is something to do about, by a constant number of queries.
    pub(super) fn look(self, tx: &mut Tx<'_>, partners: &[Partner]) -> Result<Vec<Id>> {
        match self {
            Self::Enrollments => enrollments::unsettled(tx, partners, Invitations::All),
            Self::Reminders => enrollments::unwarned(tx, partners),
            Self::Calculation => Ok(Vec::new()),
        }
    }

    /// Does it; whatever has changed since the look is looked at again.
    pub(super) fn perform(self, tx: &mut Tx<'_>, partners: &[Partner]) -> Result<usize> {
        match self {
            Self::Enrollments => enrollments::reassess(tx, partners, Invitations::All),
            Self::Reminders => enrollments::remind(tx, partners),
            Self::Calculation => Ok(0),
        }
    }
}
