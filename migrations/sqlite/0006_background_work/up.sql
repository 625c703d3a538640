-- One row for each job: who works on it and until when that holds, and how its last run went.
DROP TABLE job_leases;
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
