//! A run from its beginning until it is prepared. A portion of partners is one unit: the payments are made, their records
//! taken, and the run notes how far it has come; so a crash between units loses nothing, and nothing is taken twice.

use super::{
    gather,
    model::{PaymentRun, PaymentRunState, RunTotal, with_totals},
    service::{PAYMENT_MONTH_OPEN, PAYMENT_RUN_OPEN},
    store,
    view::PaymentRunView,
};
use crate::{
    access::{AppState, Guard, Tx, Unaudited},
    audit,
    ledger::accounting::{self, WaitingRange},
    payouts::payments::{self, NewPayments},
    platform::{
        Error, Result,
        db::types::Json,
        values::{Currency, Id, Month},
    },
    text,
    work::{End, JobName, Queue, Schedule, Turn, Work, retry},
};

/// The most partners of a portion.
pub const PORTION: i64 = 1000;

/// The preparing of payment runs; one that was broken off is gone on with.
pub const WORK: Work = Work {
    name: JobName::PaymentRuns,
    schedule: |_| Schedule::Never,
    queue: Some(Queue { waits: |tx| Ok(store::preparing(tx)?.is_some()), every: 5 }),
    run: |turn| prepare_in(turn, PORTION),
};

/// Prepares the runs that are begun, in portions of up to so many partners.
pub fn prepare_in(turn: &Turn, at_once: i64) -> Result<End> {
    let lease = turn.lease();
    while let Some(run) = turn.app().read_as_system(store::preparing)? {
        if turn.is_ending() {
            return Ok(End::Interrupted);
        }
        retry(|| {
            unit(turn.app(), move |tx| {
                lease.check(tx)?;
                let before = store::lock(tx, run.id)?;
                tx.share(Guard::Books)?;
                let run = portion(tx, before.clone(), at_once)?;
                if run == before {
                    tx.exempt_from_audit(Unaudited::NothingWritten);
                    return Ok(());
                }
                let event = audit::Event::on("payment_run", run.id).before(&PaymentRunView::from(before));
                event.after(&PaymentRunView::from(run)).record(tx)
            })
        })?;
    }
    Ok(End::Done)
}

fn unit(app: &AppState, work: impl Fn(&mut Tx<'_>) -> Result<()> + Send + 'static) -> Result<()> {
    app.write_as_system("PreparePaymentRun", work)
}

/// The month of payment of a run; refuses a run over a month that is open, or beside an open run over the same.
fn paid_in(tx: &mut Tx<'_>, range: WaitingRange) -> Result<Month> {
    let months = accounting::months(tx)?;
    if months.is_open(range.until) {
        let detail = text!(
            "{} is open; close the month first",
            "{} はまだ締められていません。先に月次締めを行ってください。",
            range.until
        );
        return Err(Error::new(&PAYMENT_MONTH_OPEN, detail));
    }
    if let Some(open) = store::open(tx, range.until, range.currency)? {
        let detail = text!(
            "a run over {} is open; approve or cancel that one first",
            "{} までを対象とする未決の支払処理があります。先に承認または取り消してください。",
            range.until
        );
        return Err(Error::new(&PAYMENT_RUN_OPEN, detail).with("run_id", open.id));
    }
    Ok(months.payment_month(tx.today()))
}

/// What a run would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPreview {
    /// The months and currencies of the run.
    pub range: WaitingRange,
    /// The month of payment.
    pub paid_in: Month,
    /// Partners with something that waits to be paid.
    pub partners: i64,
    /// The totals by currency, as the run would have them.
    pub totals: Vec<RunTotal>,
}

/// What a run over a range would be; nothing is stored.
pub fn preview(tx: &mut Tx<'_>, range: WaitingRange) -> Result<RunPreview> {
    let paid_in = paid_in(tx, range)?;
    let partners = gather::count_within(tx, range, PORTION)?;
    let totals = gather::totals(tx, range, paid_in, PORTION)?;
    Ok(RunPreview { range, paid_in, partners, totals: totals.into_values().collect() })
}

/// Begins a run over what is payable up to a closed month, and prepares its first portion: a small run is prepared at once.
pub fn create(tx: &mut Tx<'_>, month: Month, currency: Option<Currency>) -> Result<PaymentRun> {
    // The months that are closed and the rates stay as they are; one unit at a time looks whether a run is open.
    tx.share(Guard::Books)?;
    tx.take(Guard::PaymentRuns)?;
    let range = WaitingRange { until: month, currency };
    let paid_in = paid_in(tx, range)?;
    let id = tx.new_id();
    let total = gather::count_within(tx, range, PORTION)?;
    let begun = PaymentRun { currency, total, ..empty(tx, id, month, paid_in) };
    store::insert(tx, &begun)?;
    let run = portion(tx, begun, PORTION)?;
    audit::Event::on("payment_run", id).after(&PaymentRunView::from(run.clone())).record(tx)?;
    Ok(run)
}

/// A run that has not begun.
pub(super) fn empty(tx: &Tx<'_>, id: Id, month: Month, paid_in: Month) -> PaymentRun {
    PaymentRun {
        id,
        month,
        currency: None,
        paid_in,
        reissues: None,
        state: PaymentRunState::Preparing,
        position: None,
        done: 0,
        total: 0,
        totals: Json(Vec::new()),
        created_by: tx.actor.id(),
        decided_by: None,
        decided_at: None,
        decision_comment: None,
        created_at: tx.now,
        updated_at: tx.now,
        revision: 1,
    }
}

/// The next portion of a run that this unit holds. A run that is prepared, or was cancelled meanwhile, stays as it is.
fn portion(tx: &mut Tx<'_>, run: PaymentRun, at_once: i64) -> Result<PaymentRun> {
    if run.state != PaymentRunState::Preparing {
        return Ok(run);
    }
    let partners = gather::partners_within(tx, run.range(), run.position, at_once)?;
    // Who changes a rebate, a claim or a profile waits until the portion is taken, or has committed before.
    tx.lock_partners(&partners)?;
    let selection = gather::select(tx, run.range(), run.paid_in, &partners)?;
    payments::make(tx, NewPayments { run_id: run.id, replaces: None }, &selection.drafts)?;
    let looked_at = i64::try_from(partners.len()).map_err(Error::internal)?;
    let is_last = looked_at < at_once;
    let after = PaymentRun {
        state: if is_last { PaymentRunState::Created } else { PaymentRunState::Preparing },
        position: partners.last().copied().or(run.position),
        done: run.done + looked_at,
        total: run.total.max(run.done + looked_at),
        totals: Json(with_totals(&run.totals.0, &selection.totals)?),
        updated_at: tx.now,
        revision: run.revision + 1,
        ..run
    };
    store::update(tx, &after)?;
    Ok(after)
}
