//! Records: what levers gave and what did not earn, as it is kept and listed, and the sums of both by month.
//!
//! | file | holds |
//! |---|---|
//! | `model`, `store` | earnings and ineligible records as they are stored |
//! | `sums` | their sums by the month they apply to and the month they are told with |
//! | `earnings_api`, `earning_view` | the list of earnings, each with the steps of its calculation |
//! | `ineligible_api`, `words` | the list of what did not earn, each with its reason and remedy |

mod earning_view;
pub mod earnings_api;
pub mod ineligible_api;
mod model;
mod store;
mod sums;
mod words;

pub use earning_view::{EarningView, TraceStep, trace_view};
pub use model::{EarningRow, Grain, IneligibleRow};
pub use store::{get as earning, get_record as ineligible_record, terms_of};
pub(super) use store::{posted, waiting_for_rates};
pub use sums::{
    IneligibleMonth, LeverMonth, LeverRate, RateWait, ineligible_months, lever_months, lever_rates,
    partners_refused_in, rate_waits,
};
pub(super) use sums::{RecordKey, Sums};
pub use words::{message, remedy};
