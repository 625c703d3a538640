//! Co-op funds: what an enrollment has for marketing from one half-year, in one currency. A fund is made and grows with the
//! co-op parts of rebates, in the same unit, and its parts are balances of the ledger.
//!
//! | file | holds |
//! |---|---|
//! | `model` | the fund, its half-year with the days for use and claims, and how its parts move |
//! | `store` | its rows |
//! | `moves` | a fund that grows, and amounts that go from one part to another, each with its transfer |
//! | `paying` | the way of claimed parts through payments |
//! | `view`, `api` | funds on the wire, beside the threshold of their program version |

pub mod api;
mod model;
mod moves;
mod paying;
mod store;
mod view;

pub use model::{CoopFund, CoopFundState, FundPart, HalfYear, PlannedFor};
pub use moves::{CODES, FundMove, PartMove, convert, move_funds, settle};
pub use paying::{FundPayment, move_payments};
pub use store::{FundRange, first_misplanned, get, note_reminders, of_partners, to_change};
pub use view::{CoopFundView, CoopThresholds, views};

pub(super) use moves::grow;
