-- Instants are integer microseconds since 1970, ids 16 bytes, dates ISO text, rates millionths,
-- money whole minor units beside its currency. The PostgreSQL folder holds the same versions.

CREATE TABLE signing_keys (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    private_key BLOB NOT NULL,
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    created_at INTEGER NOT NULL,
    retires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    caller_id BLOB NOT NULL CHECK (length(caller_id) = 16),
    idempotency_key TEXT NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 128),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    status INTEGER NOT NULL,
    location TEXT,
    etag TEXT,
    body BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (caller_id, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Rows to lock for a rule that reaches beyond one partner: `access::Guard` says which rule each stands for.
CREATE TABLE guards (
    name TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 60)
) STRICT, WITHOUT ROWID;
INSERT INTO guards (name) VALUES ('books'), ('operators'), ('signing_keys'), ('installation');
