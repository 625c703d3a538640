-- Long work: each run with its progress, and who holds a job at the moment.
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

CREATE TABLE job_leases (
    job TEXT NOT NULL PRIMARY KEY CHECK (length(job) BETWEEN 1 AND 60),
    holder BLOB NOT NULL CHECK (length(holder) = 16),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
