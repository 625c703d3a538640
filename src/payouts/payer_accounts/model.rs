//! The payer account; no I/O, no clock, no HTTP.

use crate::{
    network::profiles::BankAccount,
    platform::values::{Id, Timestamp, text_enum},
};

text_enum! {
    /// How a file names the bank of a payee whose BIC is not known: banks contradict each other.
    #[derive(Default)]
    pub enum CreditorAgentWithoutBic {
        /// The file leaves the bank out.
        #[default]
        Omit = "omit",
        /// The file says `NOTPROVIDED`.
        NotProvided = "notprovided",
    }
}

text_enum! {
    /// Whether payments leave from an account.
    pub enum PayerAccountState {
        /// Payments leave from the account.
        Active = "active",
        /// No payment leaves from the account any more.
        Closed = "closed",
    }
}

/// One of our accounts, and what its bank asks of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayerAccount {
    /// UUID of version 7.
    pub id: Id,
    /// The name among the operators.
    pub name: String,
    /// The account.
    pub account: BankAccount,
    /// How files name the bank of a payee whose BIC is not known.
    pub creditor_agent_without_bic: CreditorAgentWithoutBic,
    /// Whether the bank books the payments of a file as one sum.
    pub batch_booking: bool,
    /// Whether the bank takes files as pain.001; of another bank they are CSV.
    pub speaks_pain001: bool,
    /// Whether payments leave from the account.
    pub state: PayerAccountState,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When the record was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes of the record; the entity tag.
    pub revision: i64,
}

impl PayerAccountState {
    /// The sub-resources that can be posted to now.
    #[must_use]
    pub const fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::Active => &["closure"],
            Self::Closed => &[],
        }
    }
}
