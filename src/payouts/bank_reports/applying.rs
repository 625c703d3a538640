//! The application of reports to payments, in portions. A portion is one unit, in which the report notes how far it has come: a
//! crash between units loses nothing, and no line is applied twice.

use super::{
    lines::{About, Lines},
    model::{BankReport, BankReportState},
    portion::{self, NumberedLine},
    receiving::unreadable,
    store,
};
use crate::{
    access::{AppState, BackgroundContext, Tx},
    payouts::sealed_files::KeptBytes,
    platform::{Error, Result, values::Id},
    work::{End, JobName, Lease, Queue, Schedule, Turn, Work, retry},
};
use std::{io::BufReader, sync::Arc};

/// The most lines, or payments of a line about a whole file, of a unit.
const PORTION: usize = 500;

/// Seconds until a report that could not be applied is tried again.
const WAIT: i64 = 600;

/// The application of reports; one that was broken off is gone on with.
pub const WORK: Work = Work {
    name: JobName::BankReports,
    schedule: |_| Schedule::Never,
    queue: Some(Queue { waits: |tx| Ok(store::applying(tx)?.is_some()), every: 5 }),
    run: |turn| apply_in(turn, PORTION),
};

/// Applies the reports that wait, on this thread where no other turn is at it; else the other turn does.
pub(super) fn apply_now(app: &AppState) {
    let applied = Turn::take(app, JobName::BankReports).and_then(|turn| match turn {
        Some(turn) => {
            let applied = turn.renewed(|| apply_in(&turn, PORTION));
            turn.close(applied, End::clone).map(drop)
        }
        None => Ok(()),
    });
    if let Err(error) = applied {
        log::warn!("a report of a bank was not applied at once, and waits: {error}");
    }
    app.wake();
}

/// Applies the reports that wait, the oldest first, in portions of up to so many lines.
pub fn apply_in(turn: &Turn, at_once: usize) -> Result<End> {
    let own = turn.app().background("ApplyBankReport");
    while let Some(report) = own.read(store::applying)? {
        let unit = Unit { own: &own, lease: turn.lease(), at_once };
        match unit.apply(&report, &|| turn.is_ending()) {
            Ok(Reached::Part) => return Ok(End::Interrupted),
            Ok(Reached::End) => {}
            // The others go on. Where the turn is over or the database is away, this is not noted either, and ends the turn.
            Err(error) => unit.put_off(report.id, &error)?,
        }
    }
    Ok(End::Done)
}

/// How far a report was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    End,
    Part,
}

struct Unit<'o> {
    own: &'o BackgroundContext,
    lease: Lease,
    at_once: usize,
}

impl Unit<'_> {
    fn apply(&self, report: &BankReport, is_ending: &dyn Fn() -> bool) -> Result<Reached> {
        let file = BufReader::new(KeptBytes::of(self.own, report.id));
        let lines = Lines::read(report.kind, file).map_err(unreadable)?;
        let mut waiting: Vec<NumberedLine> = Vec::new();
        let numbered = lines.zip(1_i64..).skip(usize::try_from(report.position).map_err(Error::internal)?);
        for (line, number) in numbered {
            let line = NumberedLine { number, line: line.map_err(unreadable)? };
            if let About::File { .. } = line.line.about(report.payment_file_id) {
                self.portion(report, std::mem::take(&mut waiting))?;
                let line = Arc::new(line);
                while self.whole_file(report, &line)? == Reached::Part {
                    if is_ending() {
                        return Ok(Reached::Part);
                    }
                }
            } else {
                waiting.push(line);
                if waiting.len() >= self.at_once {
                    self.portion(report, std::mem::take(&mut waiting))?;
                }
            }
            if waiting.is_empty() && is_ending() {
                return Ok(Reached::Part);
            }
        }
        self.portion(report, waiting)?;
        let is_applied = self.own.read(|tx| store::now(tx, report.id))?.state == BankReportState::Applied;
        if is_applied { Ok(Reached::End) } else { Err(Error::internal("a report ends before its last line")) }
    }

    /// Notes that a report could not be applied, and is tried again later.
    fn put_off(&self, id: Id, error: &Error) -> Result<()> {
        log::error!("a report of a bank could not be applied, and is tried again later: {error}");
        let (lease, problem) = (self.lease, error.code.code);
        retry(|| {
            self.own.write(move |tx| {
                lease.check(tx)?;
                let before = store::lock(tx, id)?;
                let next_try_at = Some(tx.now.plus_seconds(WAIT));
                let after = BankReport { next_try_at, problem: Some(problem.to_owned()), ..before.clone() };
                store::save(tx, before, after)
            })
        })
    }

    /// Applies lines about one payment each.
    fn portion(&self, report: &BankReport, lines: Vec<NumberedLine>) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let lines = Arc::new(lines);
        self.unit(report, move |tx, report| portion::apply_lines(tx, report, &lines).map(|()| Reached::End))
            .map(drop)
    }

    /// Applies a line about a whole file to the next payments of the file.
    fn whole_file(&self, report: &BankReport, line: &Arc<NumberedLine>) -> Result<Reached> {
        let (line, at_once) = (Arc::clone(line), self.at_once);
        self.unit(report, move |tx, report| {
            let is_last = portion::apply_to_file(tx, report, &line, at_once)?;
            Ok(if is_last { Reached::End } else { Reached::Part })
        })
    }

    fn unit(
        &self,
        report: &BankReport,
        work: impl Fn(&mut Tx<'_>, &mut BankReport) -> Result<Reached> + Send + Sync + 'static,
    ) -> Result<Reached> {
        let (lease, id, work) = (self.lease, report.id, Arc::new(work));
        retry(|| {
            let work = Arc::clone(&work);
            self.own.write(move |tx| {
                lease.check(tx)?;
                let before = store::lock(tx, id)?;
                let mut after = BankReport { next_try_at: None, problem: None, ..before.clone() };
                let reached = work(tx, &mut after)?;
                if after.position == after.entries {
                    after.state = BankReportState::Applied;
                }
                store::save(tx, before, after)?;
                Ok(reached)
            })
        })
    }
}
