//! Rows that stand for a rule which reaches beyond one partner: whoever relies on the rule locks its row first.

use crate::{
    platform::{
        Result,
        db::{Conn, lock_rows},
    },
    schema::guards,
};
use diesel::prelude::*;

/// What a row stands for. A unit takes guards in this order, after its partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// Which months are open, and which exchange rates are published. Units that post share the guard; closing a month
    /// and publishing rates take it alone.
    Books,
    /// That an operator is left to run the programme.
    Operators,
    /// Which key signs access tokens.
    SigningKeys,
    /// What a new database needs.
    Installation,
}

impl Guard {
    const fn name(self) -> &'static str {
        match self {
            Self::Books => "books",
            Self::Operators => "operators",
            Self::SigningKeys => "signing_keys",
            Self::Installation => "installation",
        }
    }

    /// Waits until nobody changes what the row stands for, and keeps it so until the end of the unit.
    pub(super) fn share(self, conn: &mut Conn) -> Result<()> {
        lock_rows!(conn, for_share, guards::table.find(self.name()).select(guards::name));
        Ok(())
    }

    /// Waits until nobody relies on what the row stands for, and is alone with it until the end of the unit.
    pub(super) fn take(self, conn: &mut Conn) -> Result<()> {
        lock_rows!(conn, for_update, guards::table.find(self.name()).select(guards::name));
        Ok(())
    }
}
