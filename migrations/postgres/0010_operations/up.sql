-- Runs of jobs that people follow, each with its progress.
CREATE TABLE job_runs (
    id uuid NOT NULL PRIMARY KEY,
    job text COLLATE "C" NOT NULL CHECK (length(job) BETWEEN 1 AND 60),
    day date NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
    step text COLLATE "C" NOT NULL CHECK (length(step) BETWEEN 1 AND 60),
    position text COLLATE "C" CHECK (length(position) BETWEEN 1 AND 200),
    done bigint NOT NULL CHECK (done >= 0),
    total bigint CHECK (total >= 0),
    error text COLLATE "C",
    requested_by uuid,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE INDEX job_runs_by_job ON job_runs (job, id);
CREATE UNIQUE INDEX job_runs_one_running ON job_runs (job) WHERE state = 'running';

-- One row for each job: who works on it and until when that holds, and how its last run went.
CREATE TABLE jobs (
    name text COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 60),
    holder uuid,
    leased_until timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    succeeded_at timestamptz,
    failures bigint NOT NULL CHECK (failures >= 0),
    error text COLLATE "C" CHECK (length(error) BETWEEN 1 AND 1000),
    retry_at timestamptz,
    CHECK ((holder IS NULL) = (leased_until IS NULL))
);
