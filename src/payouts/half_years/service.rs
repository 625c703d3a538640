//! The steps of funds at the end of half-years, in bulk: a constant number of statements for the funds, their notices and their audit
//! events.

use super::model::FundStep;
use crate::{
    access::Tx,
    audit,
    identity::users::{self, AdminNotice},
    ledger::accounting::{
        self, TransferCause,
        coop_funds::{
            self, CoopFund, CoopFundState, CoopFundView, CoopThresholds, FundMove, FundPart, FundRange,
            PartMove,
        },
    },
    network::partners::Partner,
    notifications::{About, Message},
    payouts::{coop_claims, coop_plans},
    platform::{
        Result,
        values::{Id, Money},
    },
};
use std::collections::HashMap;

/// The funds of some partners with a step that is due.
#[derive(Default)]
struct Due {
    convert: Vec<CoopFund>,
    open: Vec<CoopFund>,
    end: Vec<CoopFund>,
    remind: Vec<Reminder>,
    thresholds: HashMap<Id, Money>,
}

struct Reminder {
    fund: CoopFund,
    days: i32,
}

/// The partners, of these, that have a fund with a step that is due today.
pub fn due(tx: &mut Tx<'_>, partners: &[Partner]) -> Result<Vec<Id>> {
    let Due { convert, open, end, remind, .. } = gather(tx, &ids_of(partners))?;
    let reminded = remind.iter().map(|reminder| &reminder.fund);
    let late = coop_claims::overdue(tx, &ids_of(partners))?;
    let mut due: Vec<Id> =
        convert.iter().chain(&open).chain(&end).chain(reminded).map(|fund| fund.partner_id).collect();
    due.extend(late);
    due.sort_unstable();
    due.dedup();
    Ok(due)
}

/// Does the steps that are due today for the funds of these partners; returns the number of funds. The unit shares the books and
/// holds the locks of the partners.
pub fn perform(tx: &mut Tx<'_>, partners: &[Partner]) -> Result<usize> {
    // What a claim that was not submitted in time gives back is in the fund before the fund ends.
    let expired = coop_claims::expire(tx, &ids_of(partners))?;
    let due = gather(tx, &ids_of(partners))?;
    let done = expired + due.convert.len() + due.open.len() + due.end.len() + due.remind.len();
    let by_id: HashMap<Id, &Partner> = partners.iter().map(|partner| (partner.id, partner)).collect();
    let mut tell =
        Tell { partners: &by_id, thresholds: &due.thresholds, notices: Vec::new(), events: Vec::new() };
    let converted = coop_funds::convert(tx, &due.convert)?;
    tell.closed(&due.convert, &converted);
    let opened = coop_funds::settle(tx, due.open.clone(), CoopFundState::Claimable)?;
    tell.closed(&due.open, &opened);
    let ended = end(tx, &due.end)?;
    let closed: Vec<&CoopFund> = converted.iter().chain(&ended).collect();
    coop_plans::end(tx, &closed)?;
    tell.forfeited(&due.end, &ended);
    tell.reminded(tx, &due.remind)?;
    users::notify_admins_of_each(tx, &tell.notices)?;
    audit::Event::record_all(tell.events, tx)?;
    Ok(done)
}

fn ids_of(partners: &[Partner]) -> Vec<Id> {
    partners.iter().map(|partner| partner.id).collect()
}

fn gather(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Due> {
    let funds = coop_funds::of_partners(tx, partners, FundRange::Open)?;
    let mut due = Due::default();
    if funds.is_empty() {
        return Ok(due);
    }
    let thresholds = CoopThresholds::load(tx, &funds)?;
    let (months, today) = (accounting::months(tx)?, tx.today());
    for fund in funds {
        let threshold = thresholds.of(&fund);
        let Some(step) = FundStep::of(&fund, threshold, months, today) else { continue };
        due.thresholds.extend(threshold.map(|threshold| (fund.id, threshold)));
        match step {
            FundStep::Convert => due.convert.push(fund),
            FundStep::Open => due.open.push(fund),
            FundStep::End => due.end.push(fund),
            FundStep::Remind(days) => due.remind.push(Reminder { fund, days }),
        }
    }
    Ok(due)
}

/// Forfeits what is left of funds, and what was planned and never claimed.
fn end(tx: &mut Tx<'_>, funds: &[CoopFund]) -> Result<Vec<CoopFund>> {
    let lost = |from, amount| PartMove { from, to: FundPart::Forfeited, amount };
    let forfeit = |fund: &CoopFund| FundMove {
        fund: fund.without_plan(),
        parts: vec![lost(FundPart::Planned, fund.planned), lost(FundPart::Remaining, fund.remaining)],
        cause: TransferCause::Forfeiture,
        cause_id: fund.id,
    };
    let after = coop_funds::move_funds(tx, &funds.iter().map(forfeit).collect::<Vec<_>>())?;
    coop_funds::settle(tx, after, CoopFundState::Ended)
}

/// What became of funds, for partners and the audit trail.
struct Tell<'a> {
    partners: &'a HashMap<Id, &'a Partner>,
    thresholds: &'a HashMap<Id, Money>,
    notices: Vec<AdminNotice<'a>>,
    events: Vec<audit::Event>,
}

impl Tell<'_> {
    fn closed(&mut self, before: &[CoopFund], after: &[CoopFund]) {
        for (before, after) in before.iter().zip(after) {
            let threshold = self.thresholds.get(&after.id).copied().unwrap_or(after.money(0));
            self.tell(after, |partner| Message::CoopFundClosed {
                partner,
                fund: after.id,
                from: after.half_year,
                to: after.last_month,
                earned: after.money(after.earned),
                threshold,
                claims: (after.state == CoopFundState::Claimable).then(|| after.half().claims()),
            });
            self.record(before, after);
        }
    }

    fn forfeited(&mut self, before: &[CoopFund], after: &[CoopFund]) {
        for (before, after) in before.iter().zip(after) {
            let lost = after.money(after.forfeited - before.forfeited);
            if lost.minor != 0 {
                self.tell(after, |partner| Message::CoopFundForfeited {
                    partner,
                    fund: after.id,
                    amount: lost,
                    on: after.half().claims().to,
                });
            }
            self.record(before, after);
        }
    }

    fn reminded(&mut self, tx: &mut Tx<'_>, reminders: &[Reminder]) -> Result<()> {
        let mut by_days: HashMap<i32, Vec<&CoopFund>> = HashMap::new();
        for Reminder { fund, days } in reminders {
            by_days.entry(*days).or_default().push(fund);
            self.tell(fund, |partner| Message::CoopFundExpiring {
                partner,
                fund: fund.id,
                amount: fund.money(fund.remaining + fund.planned),
                until: fund.half().claims().to,
            });
            let after = CoopFund { reminded_days: Some(*days), revision: fund.revision + 1, ..fund.clone() };
            self.record(fund, &after);
        }
        for (days, funds) in by_days {
            coop_funds::note_reminders(tx, &funds, days)?;
        }
        Ok(())
    }

    fn tell(&mut self, fund: &CoopFund, message: impl FnOnce(String) -> Message) {
        let Some(partner) = self.partners.get(&fund.partner_id) else { return };
        let message = message(partner.legal_name.clone());
        self.notices.push(AdminNotice { partner, about: About::new("coop_fund", fund.id), message });
    }

    fn record(&mut self, before: &CoopFund, after: &CoopFund) {
        let event = audit::Event::on("coop_fund", after.id).of_partner(after.partner_id);
        self.events.push(event.before(&CoopFundView::plain(before)).after(&CoopFundView::plain(after)));
    }
}
