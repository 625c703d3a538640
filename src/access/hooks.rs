//! The functions of the slices that units and background work call; slices below learn by them what slices above know.

use super::{Changes, SealedColumn, Tx};
use crate::platform::{
    Result,
    db::Conn,
    values::{CalendarDate, Id, Money, Text, Timestamp},
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

/// A co-op claim that is under way: somebody has to act, or the money is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenClaim {
    /// The claim.
    pub id: Id,
    /// The fund.
    pub fund_id: Id,
    /// The enrollment of the fund.
    pub enrollment_id: Id,
    /// The activity, in the partner's words.
    pub description: String,
    /// The state of the claim, as its wire value.
    pub state: &'static str,
    /// The part of the fund that waits for the decision or the payment; nothing of a draft.
    pub committed: Money,
    /// The last day for the partner's people to submit the claim; none where somebody else has to act.
    pub due_on: Option<CalendarDate>,
    /// The last day for the decision; none where nobody has to decide.
    pub review_due_on: Option<CalendarDate>,
    /// Who acts next, and how, in words for people.
    pub next: Text,
}

/// The co-op claims of a partner that are under way, for slices below that tell the partner where it stands.
pub type OpenClaims = fn(&mut Tx<'_>, Id) -> Result<Vec<OpenClaim>>;

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
    /// Called where a partner is told where it stands.
    pub open_claims: Vec<OpenClaims>,
}
