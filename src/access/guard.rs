//! Guards: rows that stand for rules beyond one partner. A unit that relies on such a rule locks the row first.

use crate::{
    platform::{
        Result,
        db::{Conn, lock_rows},
    },
    schema::guards,
};
use diesel::prelude::*;

/// The rule that a guard's row stands for. A unit takes guards in this order, before its partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// The open months and the published exchange rates stay as they are. Units that post share the guard; closing a
    /// month and publishing rates take the guard alone.
    Books,
    /// One payment run of a month and currency is open.
    PaymentRuns,
    /// At least one operator is left to run the programme.
    Operators,
    /// One key signs access tokens.
    SigningKeys,
    /// The first records of a new database are installed once.
    Installation,
}

impl Guard {
    const fn name(self) -> &'static str {
        match self {
            Self::Books => "books",
            Self::PaymentRuns => "payment_runs",
            Self::Operators => "operators",
            Self::SigningKeys => "signing_keys",
            Self::Installation => "installation",
        }
    }

    /// Waits for units that have taken the guard, and keeps other units from taking the guard until the end of this unit.
    pub(super) fn share(self, conn: &mut Conn) -> Result<()> {
        lock_rows!(conn, for_share, guards::table.find(self.name()).select(guards::name));
        Ok(())
    }

    /// Waits for units that share or have taken the guard, and keeps all other units from the guard until the end of this
    /// unit.
    pub(super) fn take(self, conn: &mut Conn) -> Result<()> {
        lock_rows!(conn, for_update, guards::table.find(self.name()).select(guards::name));
        Ok(())
    }
}
