//! Roles, and the records each role sees.

use crate::platform::values::{Id, text_enum};

text_enum! {
    /// What a user may do.
    pub enum Role {
        /// Programme staff: everything.
        Operator = "operator",
        /// Programme staff and finance: everything, read only.
        Auditor = "auditor",
        /// The partner's responsible person: the own partner, at a headquarters also its locations.
        IncentiveAdmin = "incentive_admin",
        /// The partner's staff: the same, read only.
        Viewer = "viewer",
    }
}

impl Role {
    /// Whether users of this role belong to a partner.
    #[must_use]
    pub const fn belongs_to_a_partner(self) -> bool {
        matches!(self, Self::IncentiveAdmin | Self::Viewer)
    }
}

/// Which partners' records a unit may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The records of all partners.
    All,
    /// The records of this partner and of its locations.
    Partner(Id),
}
