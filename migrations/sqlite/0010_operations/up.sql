-- Runs of jobs that people follow, each with its progress.
CREATE TABLE job_runs (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    job TEXT NOT NULL CHECK (length(job) BETWEEN 1 AND 60),
    day TEXT NOT NULL CHECK (day IS date(day)),
    state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
    step TEXT NOT NULL CHECK (length(step) BETWEEN 1 AND 60),
    position TEXT CHECK (length(position) BETWEEN 1 AND 200),
    done INTEGER NOT NULL CHECK (done >= 0),
    total INTEGER CHECK (total >= 0),
    error TEXT,
    requested_by BLOB CHECK (length(requested_by) = 16),
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER,
    CHECK ((state = 'running') = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX job_runs_by_job ON job_runs (job, id);
CREATE UNIQUE INDEX job_runs_one_running ON job_runs (job) WHERE state = 'running';

-- One row for each job: who works on it and until when that holds, and how its last run went.
CREATE TABLE jobs (
    name TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 60),
    holder BLOB CHECK (length(holder) = 16),
    leased_until INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    succeeded_at INTEGER,
    failures INTEGER NOT NULL CHECK (failures >= 0),
    error TEXT CHECK (length(error) BETWEEN 1 AND 1000),
    retry_at INTEGER,
    CHECK ((holder IS NULL) = (leased_until IS NULL))
) STRICT, WITHOUT ROWID;
