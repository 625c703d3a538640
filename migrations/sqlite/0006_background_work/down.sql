DROP TABLE jobs;
CREATE TABLE job_leases (
    job TEXT NOT NULL PRIMARY KEY CHECK (length(job) BETWEEN 1 AND 60),
    holder BLOB NOT NULL CHECK (length(holder) = 16),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
