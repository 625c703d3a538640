//! The values every slice uses. A value is parsed once, where it enters the service, and is valid from then on.

mod clock;
mod clock_watch;
mod daily;
mod date;
mod exchange_rate;
mod exchange_rates;
mod id;
mod locale;
mod money;
mod month;
mod place;
mod rate;
mod text;
mod text_enum;
mod timestamp;

pub use clock::{Clock, Ids};
pub use clock_watch::{ClockJump, ClockReading, ClockWatch};
pub use daily::Daily;
pub use date::{CalendarDate, Period};
pub use exchange_rate::{ExchangeRate, Leftover, Proportion};
pub use exchange_rates::{ExchangeRates, PublishedRate};
pub use id::Id;
pub use locale::{Locale, Text, Words};
pub use money::{Currency, Money, in_groups};
pub use month::Month;
pub use place::Country;
pub use rate::Rate;
pub use text::{composed, folded, is_composed};
pub(crate) use text_enum::{text_enum, text_value};
pub use timestamp::Timestamp;

/// Why a text is no value of the type; the sentence says what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unparsable(pub String);

impl std::fmt::Display for Unparsable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unparsable {}
