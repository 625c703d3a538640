-- What an import tells beside its counts, and the pieces of a file that is imported after the answer.
ALTER TABLE transaction_imports ADD COLUMN ignores_unknown_columns INTEGER NOT NULL DEFAULT 0
    CHECK (ignores_unknown_columns IN (0, 1));
ALTER TABLE transaction_imports ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0);
ALTER TABLE transaction_imports ADD COLUMN unknown_family_rows INTEGER NOT NULL DEFAULT 0
    CHECK (unknown_family_rows >= 0);
ALTER TABLE transaction_imports ADD COLUMN unknown_families TEXT NOT NULL DEFAULT '[]'
    CHECK (json_valid(unknown_families));
ALTER TABLE transaction_imports ADD COLUMN file_pieces INTEGER CHECK (file_pieces >= 0);
ALTER TABLE transaction_import_errors ADD COLUMN external_id TEXT;

-- The rows that an import keeps: refunds that wait for their purchases, and rejected rows, to be mended.
CREATE TABLE transaction_import_rows (
    import_id BLOB NOT NULL REFERENCES transaction_imports (id),
    line INTEGER NOT NULL CHECK (line > 0),
    waits INTEGER NOT NULL CHECK (waits IN (0, 1)),
    cells TEXT NOT NULL CHECK (json_valid(cells)),
    PRIMARY KEY (import_id, line)
) STRICT, WITHOUT ROWID;

-- A file that is imported after the answer. The pieces come before the import has a record: no foreign key.
CREATE TABLE transaction_import_pieces (
    import_id BLOB NOT NULL CHECK (length(import_id) = 16),
    place INTEGER NOT NULL CHECK (place >= 0),
    kept_at INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (import_id, place)
) STRICT;

-- Sources compare without case, and are kept in lower case. Two transactions whose sources differ in case alone have been
-- two records, and stay what they are.
UPDATE transaction_numbers SET source = lower(source)
WHERE source <> lower(source) AND (lower(source), external_id) NOT IN (
    SELECT lower(source), external_id FROM transaction_numbers GROUP BY lower(source), external_id HAVING count(*) > 1
);
DROP TRIGGER transactions_are_never_changed;
UPDATE transaction_records SET source = lower(source)
WHERE source <> lower(source) AND EXISTS (
    SELECT 1 FROM transaction_numbers AS number
    WHERE number.source = lower(transaction_records.source)
        AND number.external_id = transaction_records.external_id AND number.transaction_id = transaction_records.id
);
CREATE TRIGGER transactions_are_never_changed BEFORE UPDATE ON transaction_records
BEGIN SELECT RAISE(ABORT, 'transactions are immutable'); END;
