DROP TABLE jobs;
CREATE TABLE job_leases (
    job text COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(job) BETWEEN 1 AND 60),
    holder uuid NOT NULL,
    expires_at timestamptz NOT NULL
);
