//! The facts of messages that are more than a value.

/// What becomes of a payment that pays nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentEnd {
    /// The bank could not make the payment.
    Rejected,
    /// The payment had arrived, and came back.
    CameBack,
    /// The programme stopped the payment before the bank had it.
    Stopped,
}

/// A user in the list of a partner's people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The user's name, as shown to people.
    pub name: String,
    /// The user's e-mail address.
    pub email: String,
    /// The user's role, as its wire value.
    pub role: String,
}
