-- What an import under way has written already is seen by nobody before all of it is there: readers use the view.
ALTER TABLE transactions RENAME TO transaction_records;

-- The ids of the records nobody sees yet; one import runs at a time, and its records' ids follow each other.
CREATE TABLE unpublished_transactions (
    slot INTEGER NOT NULL PRIMARY KEY CHECK (slot = 1),
    first_id BLOB NOT NULL CHECK (length(first_id) = 16),
    last_id BLOB NOT NULL CHECK (length(last_id) = 16)
) STRICT, WITHOUT ROWID;
INSERT INTO unpublished_transactions (slot, first_id, last_id) VALUES (1, zeroblob(16), zeroblob(16));

CREATE VIEW transactions AS
    SELECT * FROM transaction_records AS record
    WHERE NOT (record.id >= (SELECT first_id FROM unpublished_transactions WHERE slot = 1)
        AND record.id <= (SELECT last_id FROM unpublished_transactions WHERE slot = 1));

CREATE TABLE transaction_imports (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    state TEXT NOT NULL CHECK (state IN ('receiving', 'publishing', 'completed', 'failed')),
    format TEXT NOT NULL CHECK (format IN ('csv', 'ndjson')),
    dry_run INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
    rows_read INTEGER NOT NULL CHECK (rows_read >= 0),
    created INTEGER NOT NULL CHECK (created >= 0),
    unchanged INTEGER NOT NULL CHECK (unchanged >= 0),
    conflicts INTEGER NOT NULL CHECK (conflicts >= 0),
    invalid INTEGER NOT NULL CHECK (invalid >= 0),
    errors_kept INTEGER NOT NULL CHECK (errors_kept >= 0),
    failure TEXT CHECK (length(failure) BETWEEN 1 AND 1000),
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK ((state IN ('completed', 'failed')) = (finished_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX transaction_imports_unfinished ON transaction_imports (id) WHERE finished_at IS NULL;

CREATE TABLE transaction_import_errors (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    import_id BLOB NOT NULL REFERENCES transaction_imports (id),
    line INTEGER NOT NULL CHECK (line > 0),
    pointer TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX transaction_import_errors_by_import ON transaction_import_errors (import_id, id);
