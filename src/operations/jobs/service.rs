//! Runs: their beginning, their progress and their end.

use super::{JobRun, JobRunState, RefreshStep, api::JobRunView, store};
use crate::{
    access::Tx,
    audit,
    platform::{Error, Result},
    text,
    work::JobName,
};

crate::problem_codes! {
    RUN_IN_PROGRESS = "run_in_progress" 409 ["A run of this job is under way", "このジョブはすでに実行中です"],
        ["One run of a job goes at a time. Follow the one under way at `GET /v1/jobs/runs/{run_id}`; ask again when it has ended.", "1 つのジョブは同時に 1 回のみ実行されます。実行中のものは `GET /v1/jobs/runs/{run_id}` で確認し、終了後に再度お試しください。"];
}

/// Begins a run. The instance that holds the job's turn works on the run.
pub(super) fn begin(tx: &mut Tx<'_>, job: JobName) -> Result<JobRun> {
    if let Some(running) = store::running(tx.conn, job)? {
        let detail = text!("run {} of {job} is under way", "{job} の実行 {} が進行中です。", running.id);
        return Err(Error::new(&RUN_IN_PROGRESS, detail).with("run_id", running.id));
    }
    let run = JobRun {
        id: tx.new_id(),
        job,
        day: tx.today(),
        state: JobRunState::Running,
        step: RefreshStep::FIRST,
        position: None,
        done: 0,
        total: None,
        error: None,
        requested_by: tx.actor.id(),
        started_at: tx.now,
        updated_at: tx.now,
        finished_at: None,
    };
    store::insert(tx, &run)?;
    event(&run).after(&JobRunView::from(run.clone())).record(tx)?;
    Ok(run)
}

/// Saves the progress or the end of a run.
pub(super) fn save(tx: &mut Tx<'_>, before: &JobRun, run: &JobRun) -> Result<()> {
    store::update(tx, run)?;
    let views = (JobRunView::from(before.clone()), JobRunView::from(run.clone()));
    event(run).before(&views.0).after(&views.1).record(tx)
}

fn event(run: &JobRun) -> audit::Event {
    audit::Event::on("job_run", run.id)
}
