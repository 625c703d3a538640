//! The monthly draw. The sample of a program and a month is written once, in a unit of its own, with the size that the program
//! names then; its audits follow partner by partner. So a draw that was broken off goes on with the same sample, and a size that is
//! changed later changes no drawn month.

use super::{
    model::{CoopAudit, CoopAuditState, CoopDraw, ORIGINALS_DAYS},
    notices,
    sample::sample,
    store,
    view::{CoopAuditView, CoopDrawView},
};
use crate::{
    access::{Tx, Unaudited},
    audit,
    participation::programs::{self, business_days_after},
    payouts::coop_claims,
    platform::{
        Error, Result,
        db::types::Json,
        values::{Id, Month},
    },
    slice::VerifyFinding,
    work::{End, Turn, in_short, retry},
};
use std::collections::HashSet;

/// The operation in audit events.
const OPERATION: &str = "DrawCoopAudits";

/// A month whose claims of a program are to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DueMonth {
    program_id: Id,
    month: Month,
}

/// Draws the months that are over, and asks for the originals of what is drawn. A claim whose audit cannot be begun is put aside
/// until the next day, and the others go on.
pub(super) fn draw(turn: &Turn) -> Result<End> {
    let (app, lease) = (turn.app(), turn.lease());
    for due in app.read_as_system(months_due)? {
        if turn.is_ending() {
            return Ok(End::Interrupted);
        }
        retry(|| {
            app.write_in_background(OPERATION, due.month.to_string(), move |tx| {
                lease.check(tx)?;
                draw_month(tx, due)
            })
        })?;
    }
    let mut trouble = None;
    for open in app.read_as_system(store::open_draws)? {
        let mut is_whole = true;
        for claim in open.claims.0.iter().copied() {
            if turn.is_ending() {
                return Ok(End::Interrupted);
            }
            let begun = retry(|| {
                let draw = open.clone();
                app.write_in_background(OPERATION, draw.id.to_string(), move |tx| {
                    lease.check(tx)?;
                    begin(tx, &draw, claim)
                })
            });
            let Err(error) = begun else { continue };
            if turn.may_pass(&error) {
                return Err(error);
            }
            turn.renew()?;
            log::error!("the audit of claim {claim} was not begun: {error}");
            (is_whole, trouble) = (false, trouble.or_else(|| Some(in_short(&error))));
        }
        if is_whole {
            retry(|| {
                let draw = open.clone();
                app.write_in_background(OPERATION, draw.id.to_string(), move |tx| {
                    lease.check(tx)?;
                    complete(tx, &draw)
                })
            })?;
        }
    }
    Ok(trouble.map_or(End::Done, End::Troubled))
}

/// Draws the months that are over and asks for the originals, in the unit of the caller, which holds few partners: the demo's.
pub fn draw_due(tx: &mut Tx<'_>) -> Result<()> {
    for due in months_due(tx)? {
        draw_month(tx, due)?;
    }
    for open in store::open_draws(tx)? {
        for claim in &open.claims.0 {
            begin(tx, &open, *claim)?;
        }
        complete(tx, &open)?;
    }
    tx.exempt_from_audit(Unaudited::NothingWritten);
    Ok(())
}

/// The months of all programs that are to be drawn: those since the last draw, else since the first payment of a claim. A month is drawn from the second
/// day after it on, when no unit that began in it is under way.
fn months_due(tx: &mut Tx<'_>) -> Result<Vec<DueMonth>> {
    let last = Month::of(tx.today().plus_days(-1)).plus(-1);
    let mut due = Vec::new();
    for program in programs::all(tx)? {
        let begun = match store::last_drawn(tx, program.id)? {
            Some(drawn) => Some(drawn.plus(1)),
            None => coop_claims::first_paid(tx, program.id)?.map(|paid| Month::of(paid.date())),
        };
        let Some(mut month) = begun else { continue };
        while month <= last {
            due.push(DueMonth { program_id: program.id, month });
            month = month.plus(1);
        }
    }
    Ok(due)
}

/// Draws the sample of a month; a month in which nothing was paid has none.
fn draw_month(tx: &mut Tx<'_>, due: DueMonth) -> Result<()> {
    let DueMonth { program_id, month } = due;
    let claims = match store::draw(tx, program_id, month)? {
        Some(_) => Vec::new(),
        None => open_to_draw(tx, program_id, month)?,
    };
    if claims.is_empty() {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(());
    }
    let size = programs::get(tx, program_id)?.coop_audit_size;
    let drawn = CoopDraw {
        program_id,
        month,
        id: tx.new_id(),
        size,
        claims: Json(sample(month, &claims, most(size)?)),
        drawn_at: tx.now,
        completed_at: None,
    };
    store::insert_draw(tx, &drawn)?;
    audit::Event::on("coop_audit_draw", drawn.id).after(&CoopDrawView::from(&drawn)).record(tx)
}

/// The claims that were paid in a month, without those of an earlier sample: a payment can come back, and be made anew.
fn open_to_draw(tx: &mut Tx<'_>, program: Id, month: Month) -> Result<Vec<Id>> {
    let paid = coop_claims::paid_in(tx, program, month.period())?;
    let audited = store::audited(tx, &paid)?;
    let elsewhere: HashSet<Id> =
        audited.iter().filter(|audit| audit.month != month).map(|audit| audit.claim_id).collect();
    Ok(paid.into_iter().filter(|claim| !elsewhere.contains(claim)).collect())
}

fn most(size: i32) -> Result<usize> {
    usize::try_from(size).map_err(Error::internal)
}

/// Asks for the originals of a drawn claim, unless that was done before.
fn begin(tx: &mut Tx<'_>, draw: &CoopDraw, claim: Id) -> Result<()> {
    let claim = coop_claims::to_change(tx, claim)?;
    if !store::audited(tx, &[claim.id])?.is_empty() {
        tx.exempt_from_audit(Unaudited::NothingWritten);
        return Ok(());
    }
    let program = programs::get(tx, draw.program_id)?;
    let audit = CoopAudit {
        id: tx.new_id(),
        partner_id: claim.partner_id,
        claim_id: claim.id,
        program_id: draw.program_id,
        month: draw.month,
        currency: claim.currency,
        paid: claim.approved.unwrap_or_default(),
        state: CoopAuditState::Requested,
        due_on: business_days_after(tx.today(), ORIGINALS_DAYS, &program.holidays.0),
        recovered: None,
        adjustment_id: None,
        comment: None,
        decided_by: None,
        decided_at: None,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    };
    store::insert(tx, &audit)?;
    notices::tell_request(tx, &audit, &claim)?;
    let event = audit::Event::on("coop_audit", audit.id).of_partner(audit.partner_id);
    event.after(&CoopAuditView::plain(&audit)).record(tx)
}

fn complete(tx: &mut Tx<'_>, before: &CoopDraw) -> Result<()> {
    let after = CoopDraw { completed_at: Some(tx.now), ..before.clone() };
    store::complete(tx, &after)?;
    audit::Event::on("coop_audit_draw", after.id)
        .before(&CoopDrawView::from(before))
        .after(&CoopDrawView::from(&after))
        .record(tx)
}

/// Draws every month again, and compares the samples with what was drawn and with the audits.
pub(super) fn verify(tx: &mut Tx<'_>) -> Result<VerifyFinding> {
    let draws = store::draws(tx)?;
    for draw in &draws {
        let broken = |what: &str| {
            Ok(VerifyFinding::Broken(format!("{what}: {} of program {}", draw.month, draw.program_id)))
        };
        let mut claims = open_to_draw(tx, draw.program_id, draw.month)?;
        // A claim whose payment came back after the draw is paid in no month, or in another.
        claims.extend(&draw.claims.0);
        if sample(draw.month, &claims, most(draw.size)?) != draw.claims.0 {
            return broken("the sample is another one");
        }
        let audited: HashSet<Id> =
            store::audited(tx, &draw.claims.0)?.iter().map(|audit| audit.claim_id).collect();
        if draw.completed_at.is_some() && audited.len() != draw.claims.0.len() {
            return broken("a drawn claim has no audit");
        }
        let of_month = store::audited_of(tx, draw.program_id, draw.month)?;
        if of_month.iter().any(|claim| !draw.claims.0.contains(claim)) {
            return broken("an audit was not drawn");
        }
    }
    Ok(VerifyFinding::Sound(format!("{} samples drawn again", draws.len())))
}
