//! What the daily refresh does about forfeitures: announces, averts, and takes what is lost.

use super::{
    model::{Candidate, Forfeiture, ForfeitureKey, ForfeitureState, YearEnd, candidates},
    store,
};
use crate::{
    access::Tx,
    audit,
    identity::users,
    ledger::accounting::{self, PaymentThresholds, Rebate, RebateState},
    network::partners::Partner,
    notifications::{About, Message},
    participation::{enrollments, programs},
    platform::{
        Result,
        values::{Id, Month},
    },
};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};

/// What is to be done about one forfeiture today.
enum Step {
    /// The partner is told.
    Announce(Candidate),
    /// The partner is told of more than was announced.
    AnnounceMore(Forfeiture, Candidate),
    /// The partner has averted the loss, or the programme has.
    Avert(Forfeiture),
    /// The rebates are lost.
    Forfeit(Forfeiture, Candidate),
}

impl Step {
    fn partner(&self) -> Id {
        match self {
            Self::Announce(candidate) => candidate.partner_id,
            Self::AnnounceMore(forfeiture, _) | Self::Avert(forfeiture) | Self::Forfeit(forfeiture, _) => {
                forfeiture.partner_id
            }
        }
    }
}

/// The partners, of these, about whose rebates something is to be done today, found by a constant number of statements.
pub fn due(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Id>> {
    let mut found: Vec<Id> = steps(tx, partners)?.iter().map(Step::partner).collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Announces, averts and takes what is due for these partners; says how many forfeitures moved. The unit shares the books and
/// holds the locks of the partners.
pub fn follow(tx: &mut Tx<'_>, partners: &[Partner]) -> Result<usize> {
    let ids: Vec<Id> = partners.iter().map(|partner| partner.id).collect();
    let steps = steps(tx, &ids)?;
    let enrolled: Vec<Id> = steps
        .iter()
        .map(|step| match step {
            Step::Announce(candidate) => candidate.key.enrollment_id,
            Step::AnnounceMore(forfeiture, _) | Step::Avert(forfeiture) | Step::Forfeit(forfeiture, _) => {
                forfeiture.enrollment_id
            }
        })
        .collect();
    let names: HashMap<Id, String> = enrollments::programs_of(tx, &enrolled)?
        .into_iter()
        .map(|(enrollment, program)| (enrollment, program.name))
        .collect();
    let moved = steps.len();
    for step in steps {
        let Some(partner) = partners.iter().find(|partner| partner.id == step.partner()) else { continue };
        match step {
            Step::Announce(candidate) => announce(tx, partner, &candidate, &names)?,
            Step::AnnounceMore(before, candidate) => {
                announce_more(tx, partner, (&before, &candidate), &names)?;
            }
            Step::Avert(before) => {
                ended(tx, &before, ForfeitureState::Averted, before.amount)?;
            }
            Step::Forfeit(before, candidate) => forfeit(tx, partner, (&before, &candidate), &names)?,
        }
    }
    Ok(moved)
}

fn announce(
    tx: &mut Tx<'_>,
    partner: &Partner,
    candidate: &Candidate,
    names: &HashMap<Id, String>,
) -> Result<()> {
    let ForfeitureKey { enrollment_id, currency, cause, counts_from } = candidate.key;
    let forfeiture = Forfeiture {
        id: tx.new_id(),
        partner_id: partner.id,
        enrollment_id,
        currency,
        cause,
        counts_from,
        amount: candidate.amount(),
        state: ForfeitureState::Announced,
        announced_on: tx.today(),
        forfeits_on: candidate.forfeits_on(tx.today()),
        ended_on: None,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    };
    store::insert(tx, std::slice::from_ref(&forfeiture))?;
    record(tx, &forfeiture)?;
    tell(tx, partner, &forfeiture, names)
}

/// Tells of the amount of now, which nobody loses before the days of the notice are over again.
fn announce_more(
    tx: &mut Tx<'_>,
    partner: &Partner,
    (before, candidate): (&Forfeiture, &Candidate),
    names: &HashMap<Id, String>,
) -> Result<()> {
    let after = Forfeiture {
        amount: candidate.amount(),
        announced_on: tx.today(),
        forfeits_on: before.forfeits_on.max(candidate.forfeits_on(tx.today())),
        updated_at: tx.now,
        revision: before.revision + 1,
        ..before.clone()
    };
    store::update(tx, &after)?;
    record(tx, &after)?;
    tell(tx, partner, &after, names)
}

/// Takes the rebates: each by a transfer of its own to what is forfeited.
fn forfeit(
    tx: &mut Tx<'_>,
    partner: &Partner,
    (before, candidate): (&Forfeiture, &Candidate),
    names: &HashMap<Id, String>,
) -> Result<()> {
    accounting::forfeit(tx, &candidate.rebates, before.id)?;
    let after = ended(tx, before, ForfeitureState::Forfeited, candidate.amount())?;
    tell(tx, partner, &after, names)
}

fn ended(tx: &mut Tx<'_>, before: &Forfeiture, state: ForfeitureState, amount: i64) -> Result<Forfeiture> {
    let after = Forfeiture {
        state,
        amount,
        ended_on: Some(tx.today()),
        updated_at: tx.now,
        revision: before.revision + 1,
        ..before.clone()
    };
    store::update(tx, &after)?;
    record(tx, &after)?;
    Ok(after)
}

fn record(tx: &mut Tx<'_>, forfeiture: &Forfeiture) -> Result<()> {
    let shown = json!({
        "enrollment_id": forfeiture.enrollment_id, "cause": forfeiture.cause, "state": forfeiture.state,
        "amount": forfeiture.money(), "counts_from": forfeiture.counts_from, "forfeits_on": forfeiture.forfeits_on,
    });
    audit::Event::on("forfeiture", forfeiture.id).of_partner(forfeiture.partner_id).after(&shown).record(tx)
}

fn tell(
    tx: &mut Tx<'_>,
    partner: &Partner,
    forfeiture: &Forfeiture,
    names: &HashMap<Id, String>,
) -> Result<()> {
    let (name, program) =
        (partner.legal_name.clone(), names.get(&forfeiture.enrollment_id).cloned().unwrap_or_default());
    let (amount, cause, partner_id) = (forfeiture.money(), forfeiture.cause.to_string(), partner.id);
    let message = match forfeiture.state {
        ForfeitureState::Announced => {
            let on = forfeiture.forfeits_on;
            Message::ForfeitureAnnounced { partner: name, program, amount, on, cause, partner_id }
        }
        ForfeitureState::Averted | ForfeitureState::Forfeited => {
            Message::RebateForfeited { partner: name, program, amount, on: tx.today(), cause, partner_id }
        }
    };
    users::notify_admins(tx, partner, About::new("forfeiture", forfeiture.id), &message)
}

/// What is to be done today about the rebates of these partners.
fn steps(tx: &mut Tx<'_>, partners: &[Id]) -> Result<Vec<Step>> {
    let announced = store::announced(tx, partners)?;
    let rebates = accounting::unpaid(tx, partners)?;
    if announced.is_empty() && rebates.iter().all(|rebate| rebate.state == RebateState::Accruing) {
        return Ok(Vec::new());
    }
    let mut candidates = found(tx, partners, &rebates)?;
    let today = tx.today();
    let mut steps = Vec::new();
    for forfeiture in announced {
        match candidates.remove(&forfeiture.key()) {
            None => steps.push(Step::Avert(forfeiture)),
            Some(candidate) if candidate.amount() > forfeiture.amount => {
                steps.push(Step::AnnounceMore(forfeiture, candidate));
            }
            Some(candidate) if candidate.is_ripe && forfeiture.forfeits_on <= today => {
                steps.push(Step::Forfeit(forfeiture, candidate));
            }
            Some(_) => {}
        }
    }
    steps.extend(candidates.into_values().map(Step::Announce));
    Ok(steps)
}

fn found(tx: &mut Tx<'_>, partners: &[Id], rebates: &[Rebate]) -> Result<BTreeMap<ForfeitureKey, Candidate>> {
    let months = accounting::months(tx)?;
    let mut payable: Vec<Id> = rebates
        .iter()
        .filter(|rebate| rebate.state == RebateState::Payable)
        .map(|rebate| rebate.enrollment_id)
        .collect();
    payable.sort_unstable();
    payable.dedup();
    let year_ends: HashMap<Id, YearEnd> = if payable.is_empty() {
        HashMap::new()
    } else {
        let ends = enrollments::of_every_year(tx, partners)?.into_iter().filter_map(|enrollment| {
            let last_day = programs::program_year(enrollment.program_year)?.to;
            let is_closed = !months.is_open(Month::of(last_day));
            Some((enrollment.id, YearEnd { last_day, is_closed }))
        });
        ends.collect()
    };
    let thresholds = PaymentThresholds::load(tx, &payable, months.payment_month(tx.today()))?;
    let found = candidates(
        rebates,
        tx.today(),
        |enrollment| year_ends.get(&enrollment).copied(),
        |enrollment, currency| thresholds.of(enrollment, currency),
    );
    Ok(found.into_iter().map(|candidate| (candidate.key, candidate)).collect())
}
