-- Native types: uuid, timestamptz, date, jsonb. Rates are millionths, money whole minor units beside
-- its currency. Text sorts by code point, as in SQLite. The SQLite folder holds the same versions.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;

CREATE TABLE signing_keys (
    id uuid NOT NULL PRIMARY KEY,
    private_key bytea NOT NULL,
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    created_at timestamptz NOT NULL,
    retires_at timestamptz
);

CREATE TABLE idempotency_keys (
    caller_id uuid NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 128),
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    status integer NOT NULL,
    location text COLLATE "C",
    etag text COLLATE "C",
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (caller_id, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Rows to lock for a rule that reaches beyond one partner: `access::Guard` says which rule each stands for.
CREATE TABLE guards (
    name text COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 60)
);
INSERT INTO guards (name) VALUES ('books'), ('operators'), ('signing_keys'), ('installation');
