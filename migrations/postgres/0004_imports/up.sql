-- What an import under way has written already is seen by nobody before all of it is there: readers use the view.
ALTER TABLE transactions RENAME TO transaction_records;

-- The ids of the records nobody sees yet; one import runs at a time, and its records' ids follow each other.
CREATE TABLE unpublished_transactions (
    slot integer NOT NULL PRIMARY KEY CHECK (slot = 1),
    first_id uuid NOT NULL,
    last_id uuid NOT NULL
);
INSERT INTO unpublished_transactions (slot, first_id, last_id)
    VALUES (1, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000');

CREATE VIEW transactions AS
    SELECT * FROM transaction_records AS record
    WHERE NOT (record.id >= (SELECT first_id FROM unpublished_transactions WHERE slot = 1)
        AND record.id <= (SELECT last_id FROM unpublished_transactions WHERE slot = 1));

CREATE TABLE transaction_imports (
    id uuid NOT NULL PRIMARY KEY,
    state text COLLATE "C" NOT NULL CHECK (state IN ('receiving', 'publishing', 'completed', 'failed')),
    format text COLLATE "C" NOT NULL CHECK (format IN ('csv', 'ndjson')),
    dry_run boolean NOT NULL,
    rows_read bigint NOT NULL CHECK (rows_read >= 0),
    created bigint NOT NULL CHECK (created >= 0),
    unchanged bigint NOT NULL CHECK (unchanged >= 0),
    conflicts bigint NOT NULL CHECK (conflicts >= 0),
    invalid bigint NOT NULL CHECK (invalid >= 0),
    errors_kept bigint NOT NULL CHECK (errors_kept >= 0),
    failure text COLLATE "C" CHECK (length(failure) BETWEEN 1 AND 1000),
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK ((state IN ('completed', 'failed')) = (finished_at IS NOT NULL))
);
CREATE INDEX transaction_imports_unfinished ON transaction_imports (id) WHERE finished_at IS NULL;

CREATE TABLE transaction_import_errors (
    id uuid NOT NULL PRIMARY KEY,
    import_id uuid NOT NULL REFERENCES transaction_imports (id),
    line bigint NOT NULL CHECK (line > 0),
    pointer text COLLATE "C" NOT NULL,
    code text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL
);
CREATE INDEX transaction_import_errors_by_import ON transaction_import_errors (import_id, id);
