//! The second pass over the payments of a checked file: what is written is what was checked, in the same order.

use super::{
    check::{CheckedFile, CheckedGroup},
    model::{PayerAccount, Payment},
    total::Total,
};
use std::{fmt, io};

/// Why a file was not written to its end.
#[derive(Debug)]
pub enum WriteError {
    /// The file could not be written.
    Io(io::Error),
    /// The payments are not those that were checked, or come in another order.
    Changed,
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Changed => f.write_str("the payments are not those that were checked"),
        }
    }
}

impl std::error::Error for WriteError {}

/// Where a writer stands in a checked file.
pub(super) struct Pass<'c> {
    groups: std::slice::Iter<'c, CheckedGroup>,
    open: Option<Progress<'c>>,
}

struct Progress<'c> {
    checked: &'c CheckedGroup,
    seen: Total,
}

/// The place of a payment in its file.
pub(super) struct PlacedPayment<'c> {
    pub(super) checked: &'c CheckedGroup,
    pub(super) payer: &'c PayerAccount,
    /// Whether the payment is the first of its group.
    pub(super) is_first: bool,
    /// Whether the payment is the last of its group.
    pub(super) is_last: bool,
}

impl<'c> Pass<'c> {
    pub(super) fn of(file: &'c CheckedFile) -> Self {
        Self { groups: file.groups().iter(), open: None }
    }

    pub(super) fn next(&mut self, payment: &Payment) -> Result<PlacedPayment<'c>, WriteError> {
        let is_first = self.open.is_none();
        let mut progress = match self.open.take() {
            Some(progress) => progress,
            None => {
                Progress { checked: self.groups.next().ok_or(WriteError::Changed)?, seen: Total::default() }
            }
        };
        let checked = progress.checked;
        let payer = checked.group.payer.as_ref().ok_or(WriteError::Changed)?;
        progress.seen.add(payment);
        let is_last = progress.seen.count() == checked.total.count();
        if !is_last {
            self.open = Some(progress);
        } else if !progress.seen.is_of_the_payments_of(&checked.total) {
            return Err(WriteError::Changed);
        }
        Ok(PlacedPayment { checked, payer, is_first, is_last })
    }

    /// Whether every payment came.
    pub(super) fn end(mut self) -> Result<(), WriteError> {
        if self.open.is_none() && self.groups.next().is_none() { Ok(()) } else { Err(WriteError::Changed) }
    }
}
