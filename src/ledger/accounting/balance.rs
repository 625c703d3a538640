//! The balance of an enrollment around a month: what was carried in, came new, was paid or lost and is carried out; and how
//! the amount carried out stands to the payment threshold.

use super::{
    LedgerAccount, PaymentStanding, PaymentWait, Rebate, RebateReason, RebateState,
    payment_threshold::PaymentThresholds,
    rebate_view::WaitingRebate,
    store::{self, OwedTransfer, PaidTransfer},
};
use crate::{
    access::Tx,
    network::profiles::{self, Standing},
    platform::{
        Result,
        values::{CalendarDate, Currency, Id, Money, Month, Timestamp},
    },
};
use std::collections::BTreeMap;

/// The amounts owed to an enrollment around a month, in one currency. A month that is open is shown as if it were closed
/// now. An amount is owed until its payment has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The enrollment.
    pub enrollment_id: Id,
    /// The amount of the months before, when the month before was closed.
    pub carried_in: Money,
    /// The rebate of the month.
    pub new: Money,
    /// The amount that was paid since the month before was closed; below zero where more came back.
    pub paid: Money,
    /// The amount that was lost since the month before was closed.
    pub forfeited: Money,
    /// The part of the amount carried out that payments carry.
    pub in_payment: Money,
    /// The part of the amount carried out that profiles or an operator hold.
    pub on_hold: Money,
    /// The part that is payable, beside the threshold.
    pub standing: Option<PaymentStanding>,
}

impl Balance {
    fn none(enrollment_id: Id, currency: Currency) -> Self {
        let nothing = Money { minor: 0, currency };
        Self {
            enrollment_id,
            carried_in: nothing,
            new: nothing,
            paid: nothing,
            forfeited: nothing,
            in_payment: nothing,
            on_hold: nothing,
            standing: None,
        }
    }

    /// The amount that stays owed: carried in and new, less paid and lost.
    #[must_use]
    pub fn carried_out(&self) -> Money {
        let came = self.carried_in.minor + self.new.minor;
        Money { minor: came - self.paid.minor - self.forfeited.minor, ..self.new }
    }

    /// Adds a transfer of a rebate; `is_earlier` tells whether the transfer was posted before the month before was closed.
    fn add(&mut self, moved: &OwedTransfer, is_earlier: bool) {
        let by = |account: LedgerAccount| match (moved.credit == account, moved.debit == account) {
            (true, false) => moved.amount,
            (false, true) => -moved.amount,
            _ => 0,
        };
        self.in_payment.minor += by(LedgerAccount::RebateInPayment);
        let owed: i64 = LedgerAccount::OWED.into_iter().map(by).sum();
        if is_earlier {
            self.carried_in.minor += owed;
            return;
        }
        self.paid.minor += LedgerAccount::SETTLED.into_iter().map(by).sum::<i64>();
        self.forfeited.minor += by(LedgerAccount::RebateForfeited);
    }

    /// The wait of the payable part for the next payment.
    #[must_use]
    pub fn wait(&self) -> Option<PaymentWait> {
        self.standing.and_then(PaymentStanding::wait)
    }

    /// The payable part.
    #[must_use]
    pub fn payable(&self) -> Money {
        let payable = self.standing.and_then(|standing| standing.payable);
        payable.unwrap_or(Money { minor: 0, ..self.new })
    }
}

/// What a payment has paid to an enrollment's bank account, in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookedPayment {
    /// The enrollment.
    pub enrollment_id: Id,
    /// The payment.
    pub payment_id: Id,
    /// The amount after tax and what was set off; below zero where the payment came back.
    pub amount: Money,
    /// The day on which the books were told.
    pub on: CalendarDate,
}

/// The reference by which banks name a payment: the id without dashes, 32 characters.
#[must_use]
pub fn payment_reference(payment: Id) -> String {
    payment.0.simple().to_string()
}

/// What the books say of a month for some enrollments.
pub struct MonthOfBooks {
    /// The rebates of the month, by enrollment and currency, each with its wait for the threshold.
    pub rebates: Vec<WaitingRebate>,
    /// The balances, by enrollment and currency.
    pub balances: Vec<Balance>,
    /// What payments have paid since the month before was closed, and what came back, the oldest first.
    pub payments: Vec<BookedPayment>,
}

/// The rebates and balances of these enrollments, which belong to these partners, around a month. A constant number of
/// statements, however many there are.
pub fn month_of_books(
    tx: &mut Tx<'_>,
    partners: &[Id],
    enrolled: &[Id],
    month: Month,
) -> Result<MonthOfBooks> {
    let (until, since) = (store::closed_at(tx, month)?, store::closed_at(tx, month.plus(-1))?);
    let mut balances: BTreeMap<(Id, Currency), Balance> = BTreeMap::new();
    for moved in store::owed_transfers(tx, partners, enrolled, month, until)? {
        let (id, currency) = (moved.enrollment_id, moved.currency);
        let balance = balances.entry((id, currency)).or_insert_with(|| Balance::none(id, currency));
        let is_earlier = moved.month < month && since.is_none_or(|since| moved.posted_at <= since);
        balance.add(&moved, is_earlier);
    }
    let owed = store::owed_with(tx, partners, enrolled, month)?;
    let states = States::load(tx, &owed)?;
    let mut payable: BTreeMap<(Id, Currency), i64> = BTreeMap::new();
    for rebate in &owed {
        let key = (rebate.enrollment_id, rebate.currency);
        let balance = balances.entry(key).or_insert_with(|| Balance::none(key.0, key.1));
        let minor = rebate.amount().minor;
        if rebate.posted_in == month {
            balance.new.minor += minor;
        }
        match states.of(rebate) {
            RebateState::Payable => *payable.entry(key).or_default() += minor,
            RebateState::OnHold => balance.on_hold.minor += minor,
            _ => {}
        }
    }
    let paid_with = match until {
        Some(_) => store::months(tx)?.payment_month(tx.today()),
        None => month.plus(1),
    };
    let thresholds = PaymentThresholds::load(tx, enrolled, paid_with)?;
    for ((id, currency), balance) in &mut balances {
        let payable =
            payable.get(&(*id, *currency)).map(|minor| Money { minor: *minor, currency: *currency });
        let threshold = thresholds.of(*id, *currency);
        balance.standing = threshold.map(|threshold| PaymentStanding { payable, threshold });
    }
    let of_month = owed.into_iter().filter(|rebate| rebate.posted_in == month);
    let waiting = |rebate: Rebate| {
        let wait = balances.get(&(rebate.enrollment_id, rebate.currency)).and_then(Balance::wait);
        WaitingRebate { wait: wait.filter(|_| rebate.state == RebateState::Payable), rebate }
    };
    let mut rebates: Vec<WaitingRebate> = of_month.map(waiting).collect();
    rebates.sort_unstable_by_key(|waiting| (waiting.rebate.enrollment_id, waiting.rebate.currency));
    let payments = match since {
        Some(since) => booked(store::paid_transfers(tx, partners, enrolled, (since, until))?),
        None => Vec::new(),
    };
    Ok(MonthOfBooks { rebates, balances: balances.into_values().collect(), payments })
}

/// The payments behind transfers to and from what is paid: one for each payment, enrollment and way.
fn booked(transfers: Vec<PaidTransfer>) -> Vec<BookedPayment> {
    let mut sums: BTreeMap<(Timestamp, Id, Id, Currency), i64> = BTreeMap::new();
    for moved in transfers {
        let amount = if moved.credit == LedgerAccount::RebatePaid { moved.amount } else { -moved.amount };
        let Some(payment) = moved.cause_id else { continue };
        *sums.entry((moved.posted_at, payment, moved.enrollment_id, moved.currency)).or_default() += amount;
    }
    let payment = |((at, payment_id, enrollment_id, currency), minor): (_, i64)| {
        let at: Timestamp = at;
        BookedPayment { enrollment_id, payment_id, amount: Money { minor, currency }, on: at.date() }
    };
    sums.into_iter().filter(|(_, minor)| *minor != 0).map(payment).collect()
}

/// The states of rebates once their months are closed.
struct States(BTreeMap<Id, Standing>);

impl States {
    fn load(tx: &mut Tx<'_>, rebates: &[Rebate]) -> Result<Self> {
        let accruing = rebates.iter().filter(|rebate| rebate.state == RebateState::Accruing);
        let mut partners: Vec<Id> = accruing.map(|rebate| rebate.partner_id).collect();
        partners.sort_unstable();
        partners.dedup();
        Ok(Self(profiles::standings(tx, &partners, tx.today())?))
    }

    fn of(&self, rebate: &Rebate) -> RebateState {
        if rebate.state != RebateState::Accruing {
            return rebate.state;
        }
        let standing = self.0.get(&rebate.partner_id).copied().unwrap_or(Standing::Missing);
        RebateState::of_closed_month(RebateReason::of(standing))
    }
}
