//! The report of a closing, before and after.

use super::store;
use crate::{
    access::Tx,
    earnings::{calculation, statements},
    ledger::{
        accounting::{self, AccountingMonthState, Balance, ClosedMonth, PaymentWait},
        adjustments,
    },
    network::profiles::{self, Standing},
    participation::{enrollments, programs},
    platform::{
        Error, Result,
        http::Answer,
        values::{Currency, Id, Money, Month, Timestamp},
    },
    sales::transactions::backlog::{self, Whom},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The most partners put aside that a report names.
pub(super) const MOST_ASIDE: i64 = 1000;
/// The most partners whose balances are loaded together.
const AT_ONCE: usize = 500;

/// The closing of a month: before, what closing it now would give; after, what it gave.
#[derive(Debug, Serialize, ToSchema)]
pub struct MonthClosing {
    /// The month.
    pub month: Month,
    /// Whether the month still takes postings.
    pub state: AccountingMonthState,
    /// When the month was closed; null while the month is open.
    pub closed_at: Option<Timestamp>,
    /// The user or API client who closed the month; null for the service itself, and while the month is open.
    pub closed_by: Option<Id>,
    /// The reason in the closer's words.
    #[schema(max_length = 1000, examples("All sales of the quarter are in"))]
    pub reason: Option<String>,
    /// What keeps the month from being closed now; null where nothing does.
    pub obstacle: Option<ClosingObstacle>,
    /// What is owed with the month and from the months before, by currency.
    #[schema(max_items = 200)]
    pub owed: Vec<ClosingSum>,
    /// The number of partners with a statement of the month.
    #[schema(minimum = 0)]
    pub statements: i64,
    /// The number of partners with sales or facts that wait for the calculation.
    #[schema(minimum = 0)]
    pub waiting: i64,
    /// The number of adjustments that are proposed and not decided. One that is approved later is posted in the first open
    /// month.
    #[schema(minimum = 0)]
    pub proposed_adjustments: i64,
    /// The sales that wait for an exchange rate. They earn in the month that is open when their rate is published.
    #[schema(max_items = 10_000)]
    pub missing_rates: Vec<ClosingRate>,
    /// The partners that are owed something and whose profiles keep it from being paid.
    pub profiles: ClosingProfiles,
    /// The partners whose figures the month lacks, because their calculation failed; a thousand at most. Their amounts are
    /// posted in the month that is open when they are mended.
    #[schema(max_items = 1000)]
    pub missing_partners: Vec<Id>,
}

/// What keeps a month from being closed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosingObstacle {
    /// The code of the problem with which closing is refused.
    #[schema(max_length = 64, examples("calculation_needed"))]
    pub code: &'static str,
    /// The obstacle in words.
    #[schema(max_length = 300, examples("3 partners wait for the calculation"))]
    pub detail: String,
}

/// What is owed with a month, in one currency. Carried in and new, less paid and lost, is what is carried out; of which a
/// part is payable, a part is below thresholds, a part waits for a rate, a part is on hold, and payments carry a part.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosingSum {
    /// The amounts of the months before.
    pub carried_in: Money,
    /// The rebates of the month.
    pub new: Money,
    /// The amounts paid since the month before was closed.
    pub paid: Money,
    /// The amounts lost since the month before was closed; left out of reports from before payments were made here.
    pub forfeited: Option<Money>,
    /// The amounts that stay owed.
    pub carried_out: Money,
    /// The part that the next payment pays.
    pub payable: Money,
    /// The part that is carried forward, because it is below the payment thresholds.
    pub below_threshold: Money,
    /// The part whose payment threshold is in another currency, with no exchange rate of the payment month.
    pub rate_missing: Money,
    /// The part that profiles or operators hold.
    pub on_hold: Money,
    /// The part that payments carry that have not arrived; left out of reports from before payments were made here.
    pub in_payment: Option<Money>,
}

/// Sales that wait for an exchange rate.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosingRate {
    /// The month that the sales apply to.
    pub month: Month,
    /// The currency of the sales.
    pub currency: Currency,
}

/// The numbers of partners whose profiles keep what they are owed from being paid.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ClosingProfiles {
    /// A payout or tax profile has not been submitted.
    #[schema(minimum = 0)]
    pub missing: i64,
    /// The profiles wait for an operator's approval.
    #[schema(minimum = 0)]
    pub pending: i64,
    /// A profile was refused or has expired.
    #[schema(minimum = 0)]
    pub action_required: i64,
    /// The bank account was changed lately.
    #[schema(minimum = 0)]
    pub cooling_off: i64,
}

/// Closes a month: the rebates become payable or wait, the statements are stored, and their readers are told.
pub fn close(tx: &mut Tx<'_>, month: Month, reason: Option<&str>) -> Result<MonthClosing> {
    accounting::close(tx, month, reason)?;
    let partners = statements::partners_told(tx, month)?;
    statements::keep(tx, month, &partners)?;
    let closed =
        ClosedMonth { month, closed_at: tx.now, closed_by: tx.actor.id(), reason: reason.map(str::to_owned) };
    let report = look(tx, month, Some(closed), &partners)?;
    store::insert(tx, &report)?;
    Ok(report)
}

/// The kept report of a closed month, or what closing an open month would give.
pub(super) fn kept_or_expected(tx: &mut Tx<'_>, month: Month) -> Result<Answer> {
    if let Some(kept) = store::report(tx, month)? {
        return Ok(Answer::ok(&kept));
    }
    let closed = accounting::closed_months(tx)?.into_iter().find(|closed| closed.month == month);
    let partners = statements::partners_told(tx, month)?;
    Ok(Answer::ok(&look(tx, month, closed, &partners)?))
}

fn look(tx: &mut Tx<'_>, month: Month, closed: Option<ClosedMonth>, partners: &[Id]) -> Result<MonthClosing> {
    let obstacle = if closed.is_some() { None } else { obstacle(tx, month)? };
    let (owed, owed_to) = sums(tx, month, partners)?;
    let state = if closed.is_some() { AccountingMonthState::Closed } else { AccountingMonthState::Open };
    let (closed_at, closed_by, reason) = match closed {
        Some(ClosedMonth { closed_at, closed_by, reason, .. }) => (Some(closed_at), closed_by, reason),
        None => (None, None, None),
    };
    let rate = |wait: calculation::RateWait| ClosingRate { month: wait.month, currency: wait.currency };
    let aside = backlog::set_aside(tx, MOST_ASIDE)?.into_iter();
    Ok(MonthClosing {
        month,
        state,
        closed_at,
        closed_by,
        reason,
        obstacle,
        owed,
        statements: i64::try_from(partners.len()).map_err(Error::internal)?,
        waiting: backlog::length(tx, Whom::All)?,
        proposed_adjustments: adjustments::count_proposed(tx)?,
        missing_rates: calculation::rate_waits(tx, month)?.into_iter().map(rate).collect(),
        profiles: profiles_of(tx, &owed_to)?,
        missing_partners: aside.map(|aside| aside.partner_id).collect(),
    })
}

fn obstacle(tx: &mut Tx<'_>, month: Month) -> Result<Option<ClosingObstacle>> {
    match accounting::refuse_closure(tx, month) {
        Ok(()) => Ok(None),
        Err(Error { code, detail, .. }) if code.status == 409 => {
            Ok(Some(ClosingObstacle { code: code.code, detail: detail.into_language(tx.language) }))
        }
        Err(error) => Err(error),
    }
}

/// The sums of the balances of these partners, by currency, and those of the partners that are owed something.
fn sums(tx: &mut Tx<'_>, month: Month, partners: &[Id]) -> Result<(Vec<ClosingSum>, Vec<Id>)> {
    let year = programs::program_year_of(month.first_day());
    let mut sums: BTreeMap<Currency, ClosingSum> = BTreeMap::new();
    let mut owed_to = BTreeSet::new();
    for partners in partners.chunks(AT_ONCE) {
        let enrolled = enrollments::until(tx, partners, year)?;
        let of: BTreeMap<Id, Id> = enrolled.iter().map(|(one, _)| (one.id, one.partner_id)).collect();
        let ids: Vec<Id> = of.keys().copied().collect();
        for balance in accounting::month_of_books(tx, partners, &ids, month)?.balances {
            let currency = balance.new.currency;
            sums.entry(currency).or_insert_with(|| ClosingSum::none(currency)).add(&balance);
            if balance.carried_out().minor != 0 {
                owed_to.extend(of.get(&balance.enrollment_id).copied());
            }
        }
    }
    Ok((sums.into_values().collect(), owed_to.into_iter().collect()))
}

fn profiles_of(tx: &mut Tx<'_>, partners: &[Id]) -> Result<ClosingProfiles> {
    let mut counts = ClosingProfiles::default();
    for partners in partners.chunks(AT_ONCE) {
        for standing in profiles::standings(tx, partners, tx.today())?.into_values() {
            match standing {
                Standing::Missing => counts.missing += 1,
                Standing::Pending => counts.pending += 1,
                Standing::ActionRequired => counts.action_required += 1,
                Standing::CoolingOff => counts.cooling_off += 1,
                Standing::Approved => {}
            }
        }
    }
    Ok(counts)
}

impl ClosingSum {
    fn none(currency: Currency) -> Self {
        let nothing = Money { minor: 0, currency };
        Self {
            carried_in: nothing,
            new: nothing,
            paid: nothing,
            forfeited: Some(nothing),
            carried_out: nothing,
            payable: nothing,
            below_threshold: nothing,
            rate_missing: nothing,
            on_hold: nothing,
            in_payment: Some(nothing),
        }
    }

    fn add(&mut self, balance: &Balance) {
        self.carried_in.minor += balance.carried_in.minor;
        self.new.minor += balance.new.minor;
        self.paid.minor += balance.paid.minor;
        self.carried_out.minor += balance.carried_out().minor;
        self.on_hold.minor += balance.on_hold.minor;
        for (sum, part) in
            [(&mut self.forfeited, balance.forfeited), (&mut self.in_payment, balance.in_payment)]
        {
            sum.get_or_insert(Money { minor: 0, ..part }).minor += part.minor;
        }
        let part = match balance.wait() {
            None => &mut self.payable,
            Some(PaymentWait::Below { .. }) => &mut self.below_threshold,
            Some(PaymentWait::RateMissing) => &mut self.rate_missing,
        };
        part.minor += balance.payable().minor;
    }
}
