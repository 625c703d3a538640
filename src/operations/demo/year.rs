//! A year of sales: partners that have taken part since the story begins, what they sell month by month, and the
//! months that close behind them.
//!
//! Amounts go by how many months ago a month was, so that the README can add one up whenever the demo is started.

use super::{
    cast::{Plot, partner_id},
    offers::GROWTH,
    papers::sign,
    sales::report,
    story::{self, OPERATORS, Setting, as_admin, as_user, parsed, with},
};
use crate::{
    access::{Tx, Unaudited},
    ledger::{
        accounting::{self, fx_rates},
        adjustments::{self, AdjustmentReason, NewAdjustment},
    },
    network::{
        agreements::Kind,
        competencies::{self, Level, NewAttainment},
        partners,
    },
    participation::{
        admission::{self, Invitations},
        programs::{self, ProgramKey},
    },
    platform::{
        Result,
        values::{CalendarDate, Currency, Id, Money, Month},
    },
    sales::transactions::Customer,
};

/// On this day of the next month a part of the largest order is taken back.
const TAKEN_BACK_ON: i32 = 20;
/// On this day of the next month a month is closed.
const CLOSED_ON: i32 = 5;
/// So many months are still open: this one, and the last one, which is for the reader to close.
const OPEN: i32 = 2;

/// What happens in the course of the year.
#[derive(Clone, Copy, Debug)]
pub(super) enum Episode {
    /// An order of a month so many months ago.
    Sale { ago: i32, nth: usize, order: &'static Order },
    /// A part of that month's largest order is taken back.
    Refund { ago: i32 },
    /// What was sold since is calculated, and the month is closed.
    Closing(Month),
    /// What the first of July brings.
    NewYear,
    /// The exchange rates of that month.
    Rates { ago: i32 },
    /// What one operator proposes by hand, the other one decides on in part.
    Adjustments,
}

/// What happens from one day to another, with its day.
pub(super) fn events(from: CalendarDate, today: CalendarDate) -> Vec<(CalendarDate, Episode)> {
    let this_month = Month::of(today);
    let on = |month: Month, day: i32| month.first_day().plus_days(day - 1);
    let mut events = Vec::new();
    for ago in 0..15 {
        let month = this_month.plus(-ago);
        if month.last_day() > from {
            events.push((on(month, 1).max(from.plus_days(1)), Episode::Rates { ago }));
        }
        for (nth, order) in ORDERS.iter().enumerate() {
            events.push((on(month, order.0), Episode::Sale { ago, nth, order }));
        }
        if on(month, ORDERS[0].0) > from {
            events.push((on(month.plus(1), TAKEN_BACK_ON), Episode::Refund { ago }));
        }
        if ago >= OPEN && month.last_day() > from {
            events.push((on(month.plus(1), CLOSED_ON), Episode::Closing(month)));
        }
        if month.first_day() > from
            && programs::program_year_of(month.first_day())
                != programs::program_year_of(month.plus(-1).first_day())
        {
            events.push((month.first_day(), Episode::NewYear));
        }
    }
    events.push((today, Episode::Adjustments));
    events.retain(|(day, _)| from < *day && *day <= today);
    events
}

/// They take part in the growth program from the first day on.
pub(super) fn the_first_take_part(tx: &mut Tx<'_>, stage: &Setting) -> Result<()> {
    let (from, long) = (tx.today(), Some(stage.today.plus_days(400)));
    let expires_on = stage.today.plus_days(200);
    for (n, _) in with(&[Plot::SinceLastYear]) {
        sign(tx, n, Kind::Mpn, (from, long))?;
        sign(tx, n, Kind::Reseller, (from, long))?;
        let (level, attained_on) = (Level::Silver, from);
        let devops = NewAttainment { level, attained_on, expires_on, grace_days: 30, at_risk_since: None };
        competencies::put(tx, partner_id(n), "devops", &devops)?;
        let program = ProgramKey::Code(GROWTH.into());
        as_admin(tx, n, |tx| admission::request(tx, partner_id(n), &program, None).map(drop))?;
    }
    Ok(())
}

/// They file their profiles.
pub(super) fn their_profiles_are_filed(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    with(&[Plot::SinceLastYear]).try_for_each(|(n, player)| story::file_profiles(tx, n, player))
}

/// Which are approved, so that they earn.
pub(super) fn their_profiles_are_approved(tx: &mut Tx<'_>, _: &Setting) -> Result<()> {
    with(&[Plot::SinceLastYear]).try_for_each(|(n, _)| story::approve_profiles(tx, n))
}

/// An event, as one unit.
pub(super) fn happens(tx: &mut Tx<'_>, event: Episode) -> Result<()> {
    match event {
        Episode::Sale { ago, nth, order } => with(&[Plot::SinceLastYear]).try_for_each(|(n, player)| {
            let (_, cents, customer, family, public_sector) = *order;
            let id = if customer.is_empty() { format!("C-71{:02}", 50 - ago) } else { customer.into() };
            let customer = Customer { id, country: parsed(player.country)?, public_sector };
            let cents = if nth == 0 { cents * swing(ago) / swing(2) } else { cents };
            report(tx, (n, player), &number(n, ago, nth), (cents, customer, family), None)
        }),
        Episode::Refund { ago } => with(&[Plot::SinceLastYear]).try_for_each(|(n, player)| {
            let (_, _, customer, family, public_sector) = ORDERS[0];
            let customer = Customer { id: customer.into(), country: parsed(player.country)?, public_sector };
            let back = (TAKEN_BACK, customer, family);
            report(tx, (n, player), &number(n, ago, ORDERS.len()), back, Some(number(n, ago, 0)))
        }),
        Episode::Closing(month) => accounting::close(tx, month, Some("All sales of the month are in")),
        Episode::Rates { ago } => {
            let month = Month::of(tx.today());
            let swing = i64::from(ago * 7 % 5);
            let rate = |(quote, rate): &(&str, i64)| {
                let rate = rate * (1000 - 3 * swing) / 1000;
                let rate = format!("{}.{:04}", rate / 10_000, rate % 10_000);
                Ok((Currency::USD, parsed(quote)?, parsed(&rate)?))
            };
            let rates: Vec<_> = RATES.iter().map(rate).collect::<Result<_>>()?;
            fx_rates::publish(tx, month, &rates).map(drop)
        }
        Episode::Adjustments => adjustments_are_made(tx),
        Episode::NewYear => {
            let ids: Vec<Id> = with(&[Plot::SinceLastYear]).map(|(n, _)| partner_id(n)).collect();
            let partners = partners::many(tx, &ids)?;
            if admission::reassess(tx, &partners, Invitations::IndirectResellers)? == 0 {
                // Facts have moved them already.
                tx.exempt_from_audit(Unaudited::NothingWritten);
            }
            Ok(())
        }
    }
}

type Order = (i32, i64, &'static str, &'static str, bool);

/// The orders of every month: day, hundredths, customer (a new one every month where none is named), product family,
/// whether it is of the public sector. The first one's amount is that of two months ago.
static ORDERS: [Order; 4] = [
    (3, 1_234_567, "C-7001", "azure", false),
    (10, 432_109, "C-7002", "modern-work", false),
    (12, 250_000, "C-7003", "azure", true),
    (17, 99_999, "", "azure", false),
];
const TAKEN_BACK: i64 = -123_456;

/// What a dollar is worth, in ten thousandths; about.
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

/// The two operators propose, and one decides; the last proposal waits for the reader.
fn adjustments_are_made(tx: &mut Tx<'_>) -> Result<()> {
    let [olivia, oscar] = OPERATORS;
    let earned_in = Month::of(tx.today());
    let program = ProgramKey::Code(GROWTH.into());
    for ((n, player), (minor, comment)) in with(&[Plot::SinceLastYear]).skip(1).zip([
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

/// Business goes up and down, and grows over the year.
fn swing(ago: i32) -> i64 {
    i64::from(100 - 4 * ago + 11 * (ago * 5 % 4))
}

fn number(n: usize, ago: i32, order: usize) -> String {
    format!("MP-{n:03}-{ago:02}-{order}")
}
