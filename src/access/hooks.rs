//! The functions of the slices that units and background work call; slices below learn by them what slices above know.

use super::{Changes, SealedColumn, Tx};
use crate::platform::{
    Result,
    db::Conn,
    values::{CalendarDate, Id, Money, Timestamp},
};

/// Removes rows that have expired; returns the number of removed rows.
pub type Sweep = fn(&mut Conn, Timestamp) -> Result<usize>;

/// The work of a slice at the end of a unit that changed facts which the slice's records depend on, before the commit.
pub type FollowUp = fn(&mut Tx<'_>, &Changes) -> Result<()>;

/// The kind of a slice's record that refers to a partner, in words for people; none where no record refers to the partner.
pub type RefersToPartner = fn(&mut Tx<'_>, Id) -> Result<Option<&'static str>>;

/// The product families that a slice's records name.
pub type ProductFamilies = fn(&mut Tx<'_>) -> Result<Vec<String>>;

/// A payment that a partner can expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedPayment {
    /// The payment.
    pub id: Id,
    /// The amount after tax.
    pub amount: Money,
    /// The state of the payment, as its wire value.
    pub state: &'static str,
    /// The day the bank got the payment; none before.
    pub sent_on: Option<CalendarDate>,
    /// The day on which the bank is told to pay; none while no file holds the payment.
    pub execution_on: Option<CalendarDate>,
    /// The reference by which banks name the payment.
    pub reference: String,
}

/// The payments that a partner can expect, for slices below that tell the partner where it stands.
pub type ExpectedPayments = fn(&mut Tx<'_>, Id) -> Result<Vec<ExpectedPayment>>;

/// The functions of the slices that units and background work call, each list in the order of the slices.
#[derive(Clone, Debug, Default)]
pub struct Hooks {
    /// Called at the end of a unit that changed facts.
    pub follow_ups: Vec<FollowUp>,
    /// Called every few minutes.
    pub sweeps: Vec<Sweep>,
    /// Called before a partner is deleted.
    pub references: Vec<RefersToPartner>,
    /// The columns with secrets.
    pub sealed: Vec<SealedColumn>,
    /// Called before a file of sales is imported.
    pub product_families: Vec<ProductFamilies>,
    /// Called where a partner is told where it stands.
    pub expected_payments: Vec<ExpectedPayments>,
}
