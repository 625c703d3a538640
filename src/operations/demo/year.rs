//! A year of sales: the partners that have taken part since the story begins sell month by month, and the months close
//! one after the other.
//!
//! The amounts of a month depend on how many months ago the month was. So the README can add up a month on whatever day
//! the demo is started.

use super::{
    accounts::{approve_profiles, file_profiles},
    cast::{Player, Plot, partner_id},
    offers::GROWTH,
    papers::sign,
    payments,
    people::{as_admin, as_user, parsed},
    sales::{Reported, report},
    story::{OPERATORS, Setting, players_with},
};
use crate::{
    access::{Guard, Tx, Unaudited},
    earnings::closing,
    ledger::{
        accounting::fx_rates::{self, NewFxRate},
        adjustments::{self, AdjustmentReason, NewAdjustment},
    },
    network::{
        agreements::Kind,
        competencies::{self, Level, NewAttainment},
        partners,
    },
    participation::{
        admission::{self, Occasion},
        programs::{self, ProgramKey},
    },
    payouts::half_years,
    platform::{
        Result,
        values::{CalendarDate, Currency, Id, Money, Month},
    },
    sales::transactions::Customer,
};

/// The day of the next month on which a part of a month's largest order is taken back.
const TAKEN_BACK_ON: i32 = 20;
/// The day of the next month on which a month is closed.
const CLOSED_ON: i32 = 5;
/// The day of the month from which claims on a fund are over.
const CLAIMS_OVER_ON: i32 = 16;
/// The number of open months: the present one, and the one before, which the reader closes.
const OPEN: i32 = 2;

/// An episode of the year. `ago` counts the months back from the present month.
#[derive(Clone, Copy, Debug)]
pub(super) enum Episode {
    /// The partners sell the `nth` order of a month.
    Sale { ago: i32, nth: usize, order: &'static Order },
    /// A part of the month's largest order is taken back.
    Refund { ago: i32 },
    /// The earnings of the month are calculated, and the month is closed.
    Closing(Month),
    /// Funds of closed half-years can be claimed, and what was not claimed in time is lost.
    CoopFunds,
    /// A program year begins.
    NewYear,
    /// The exchange rates of the month are published.
    Rates { ago: i32 },
    /// One operator proposes adjustments, and the other operator decides on one of them.
    Adjustments,
    /// A step of the payment of a month.
    Payment(payments::Step),
}

/// The episodes after the day `from`, up to today, each with its day.
pub(super) fn episodes(from: CalendarDate, today: CalendarDate) -> Vec<(CalendarDate, Episode)> {
    let this_month = Month::of(today);
    let on = |month: Month, day: i32| month.first_day().plus_days(day - 1);
    let mut episodes = Vec::new();
    for ago in 0..15 {
        let month = this_month.plus(-ago);
        if month.last_day() > from {
            episodes.push((on(month, 1).max(from.plus_days(1)), Episode::Rates { ago }));
        }
        for (nth, order) in ORDERS.iter().enumerate() {
            episodes.push((on(month, order.day), Episode::Sale { ago, nth, order }));
        }
        if on(month, ORDERS[0].day) > from {
            episodes.push((on(month.plus(1), TAKEN_BACK_ON), Episode::Refund { ago }));
        }
        // Claims are over on the 15th of a month.
        episodes.push((on(month, CLAIMS_OVER_ON), Episode::CoopFunds));
        if ago >= OPEN && month.last_day() > from {
            episodes.push((on(month.plus(1), CLOSED_ON), Episode::Closing(month)));
            episodes.push((on(month.plus(1), CLOSED_ON + 1), Episode::CoopFunds));
        }
        // The reader pays the last month that is closed.
        if ago > OPEN && month.last_day() > from {
            let steps = payments::steps(ago, month).into_iter();
            episodes.extend(steps.map(|(day, step)| (on(month.plus(1), day), Episode::Payment(step))));
        }
        if month.first_day() > from
            && programs::program_year_of(month.first_day())
                != programs::program_year_of(month.plus(-1).first_day())
        {
            episodes.push((month.first_day(), Episode::NewYear));
        }
    }
    episodes.push((today, Episode::Adjustments));
    episodes.retain(|(day, _)| from < *day && *day <= today);
    episodes
}

/// The partners sign, attain a competency and ask to take part in the growth program, on the first day of the story.
pub(super) fn the_first_take_part(tx: &mut Tx<'_>, setting: &Setting) -> Result<()> {
    let (from, long) = (tx.today(), Some(setting.today.plus_days(400)));
    let expires_on = setting.today.plus_days(200);
    for (n, _) in players_with(&[Plot::SinceLastYear]) {
        sign(tx, n, Kind::Mpn, from, long)?;
        sign(tx, n, Kind::Reseller, from, long)?;
        let (level, attained_on) = (Level::Silver, from);
        let devops = NewAttainment { level, attained_on, expires_on, grace_days: 30, at_risk_since: None };
        competencies::record_attainment(tx, partner_id(n), "devops", &devops)?;
        let program = ProgramKey::Code(GROWTH.into());
        as_admin(tx, n, |tx| admission::request(tx, partner_id(n), &program, None).map(drop))?;
    }
    Ok(())
}

/// The partners file their profiles.
pub(super) fn their_profiles_are_filed(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    players_with(&[Plot::SinceLastYear]).try_for_each(|(n, player)| file_profiles(tx, n, player))
}

/// The profiles are approved, so that the partners earn.
pub(super) fn their_profiles_are_approved(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    players_with(&[Plot::SinceLastYear]).try_for_each(|(n, _)| approve_profiles(tx, n))
}

/// Performs an episode, as one unit.
pub(super) fn perform(tx: &mut Tx<'_>, episode: Episode) -> Result<()> {
    match episode {
        Episode::Sale { ago, nth, order } => {
            players_with(&[Plot::SinceLastYear]).try_for_each(|(n, player)| {
                let customer = order.customer(ago, player)?;
                let cents = if nth == 0 { order.cents * swing(ago) / swing(2) } else { order.cents };
                let (external_id, family) = (number(n, ago, nth), order.family);
                report(tx, n, player, Reported { external_id, cents, customer, family, refund_of: None })
            })
        }
        Episode::Refund { ago } => players_with(&[Plot::SinceLastYear]).try_for_each(|(n, player)| {
            let order = &ORDERS[0];
            let refund = Reported {
                external_id: number(n, ago, ORDERS.len()),
                cents: TAKEN_BACK,
                customer: order.customer(ago, player)?,
                family: order.family,
                refund_of: Some(number(n, ago, 0)),
            };
            report(tx, n, player, refund)
        }),
        Episode::Closing(month) => closing::close(tx, month, Some("All sales of the month are in")).map(drop),
        Episode::Rates { ago } => {
            let month = Month::of(tx.today());
            let swing = i64::from(ago * 7 % 5);
            let rate = |(quote, rate): &(&str, i64)| {
                let rate = rate * (1000 - 3 * swing) / 1000;
                let rate = format!("{}.{:04}", rate / 10_000, rate % 10_000);
                Ok(NewFxRate { base: Currency::USD, quote: parsed(quote)?, rate: parsed(&rate)? })
            };
            let rates: Vec<NewFxRate> = RATES.iter().map(rate).collect::<Result<_>>()?;
            fx_rates::publish(tx, month, &rates).map(drop)
        }
        Episode::Adjustments => make_adjustments(tx),
        Episode::Payment(step) => payments::perform(tx, step),
        Episode::CoopFunds => {
            let ids: Vec<Id> = players_with(&[Plot::SinceLastYear]).map(|(n, _)| partner_id(n)).collect();
            tx.share(Guard::Books)?;
            tx.lock_partners(&ids)?;
            let partners = partners::many(tx, &ids)?;
            if half_years::perform(tx, &partners)? == 0 {
                tx.exempt_from_audit(Unaudited::NothingWritten);
            }
            Ok(())
        }
        Episode::NewYear => {
            let ids: Vec<Id> = players_with(&[Plot::SinceLastYear]).map(|(n, _)| partner_id(n)).collect();
            let partners = partners::many(tx, &ids)?;
            if admission::reassess(tx, &partners, Occasion::ChangedFacts)? == 0 {
                // Changed facts have moved the enrollments already.
                tx.exempt_from_audit(Unaudited::NothingWritten);
            }
            Ok(())
        }
    }
}

/// An order that comes every month.
#[derive(Debug)]
pub(super) struct Order {
    /// The day of the month.
    day: i32,
    /// The amount in US cents.
    cents: i64,
    customer: Buyer,
    family: &'static str,
    public_sector: bool,
}

/// The customer of an order.
#[derive(Debug)]
enum Buyer {
    /// The same customer every month, by number.
    Regular(&'static str),
    /// Another customer every month.
    New,
}

impl Order {
    fn customer(&self, ago: i32, player: &Player) -> Result<Customer> {
        let id = match self.customer {
            Buyer::Regular(number) => number.to_owned(),
            Buyer::New => format!("C-71{:02}", 50 - ago),
        };
        Ok(Customer { id, country: parsed(player.country)?, public_sector: self.public_sector })
    }
}

const fn order(day: i32, cents: i64, customer: Buyer, family: &'static str) -> Order {
    Order { day, cents, customer, family, public_sector: false }
}

/// The orders of every month. The first amount holds for the month two months ago; in other months the amount swings.
static ORDERS: [Order; 4] = [
    order(3, 1_234_567, Buyer::Regular("C-7001"), "azure"),
    order(10, 432_109, Buyer::Regular("C-7002"), "modern-work"),
    Order { public_sector: true, ..order(12, 250_000, Buyer::Regular("C-7003"), "azure") },
    order(17, 99_999, Buyer::New, "azure"),
];
/// The refund of the largest order, in US cents.
const TAKEN_BACK: i64 = -123_456;

/// The rough price of a dollar in each currency, in ten thousandths.
const RATES: [(&str, i64); 11] = [
    ("JPY", 1_512_500),
    ("KWD", 3_071),
    ("EUR", 8_640),
    ("GBP", 7_410),
    ("BRL", 53_800),
    ("INR", 880_400),
    ("AUD", 15_200),
    ("PLN", 36_600),
    ("ZAR", 174_000),
    ("CAD", 13_900),
    ("SEK", 94_100),
];

/// Each of the two operators proposes an adjustment. One adjustment is approved; the other waits for the reader.
fn make_adjustments(tx: &mut Tx<'_>) -> Result<()> {
    let [olivia, oscar] = OPERATORS;
    let earned_in = Month::of(tx.today());
    let program = ProgramKey::Code(GROWTH.into());
    for ((n, player), (minor, comment)) in players_with(&[Plot::SinceLastYear]).skip(1).zip([
        (-25_000, "Invoice MP-069-00-1 was billed at the wrong price"),
        (1_500, "An order of last week was reported to nobody"),
    ]) {
        let enrollment_id = admission::open_of(tx, partner_id(n), &program)?;
        let new = NewAdjustment {
            enrollment_id,
            amount: Money { minor, currency: parsed(player.currency)? },
            earned_in,
            reason_code: AdjustmentReason::SalesCorrection,
            comment: comment.into(),
            dispute_id: None,
        };
        let id = tx.new_id();
        let (maker, is_decided) = if minor < 0 { (olivia, true) } else { (oscar, false) };
        as_user(tx, maker, |tx| adjustments::propose(tx, id, new.clone()).map(drop))?;
        if is_decided {
            as_user(tx, oscar, |tx| {
                adjustments::approve(tx, id, Some("Compared with the credit note")).map(drop)
            })?;
        }
    }
    Ok(())
}

/// The factor of a month's business, in hundredths: business goes up and down, and grows over the year.
fn swing(ago: i32) -> i64 {
    i64::from(100 - 4 * ago + 11 * (ago * 5 % 4))
}

fn number(n: usize, ago: i32, order: usize) -> String {
    format!("MP-{n:03}-{ago:02}-{order}")
}
