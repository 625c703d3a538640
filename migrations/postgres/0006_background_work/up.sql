-- One row for each job: who works on it and until when that holds, and how its last run went.
DROP TABLE job_leases;
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
