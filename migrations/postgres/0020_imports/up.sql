-- What an import tells beside its counts, and the pieces of a file that is imported after the answer.
ALTER TABLE transaction_imports ADD COLUMN ignores_unknown_columns boolean NOT NULL DEFAULT false;
ALTER TABLE transaction_imports ADD COLUMN waiting bigint NOT NULL DEFAULT 0 CHECK (waiting >= 0);
ALTER TABLE transaction_imports ADD COLUMN unknown_family_rows bigint NOT NULL DEFAULT 0
    CHECK (unknown_family_rows >= 0);
ALTER TABLE transaction_imports ADD COLUMN unknown_families jsonb NOT NULL DEFAULT '[]';
ALTER TABLE transaction_imports ADD COLUMN file_pieces bigint CHECK (file_pieces >= 0);
ALTER TABLE transaction_import_errors ADD COLUMN external_id text COLLATE "C";

-- The rows that an import keeps: refunds that wait for their purchases, and rejected rows, to be mended.
CREATE TABLE transaction_import_rows (
    import_id uuid NOT NULL REFERENCES transaction_imports (id),
    line bigint NOT NULL CHECK (line > 0),
    waits boolean NOT NULL,
    cells jsonb NOT NULL,
    PRIMARY KEY (import_id, line)
);

-- A file that is imported after the answer. The pieces come before the import has a record: no foreign key.
CREATE TABLE transaction_import_pieces (
    import_id uuid NOT NULL,
    place bigint NOT NULL CHECK (place >= 0),
    kept_at timestamptz NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (import_id, place)
);

-- Sources compare without case, and are kept in lower case. Two transactions whose sources differ in case alone have been
-- two records, and stay what they are.
UPDATE transaction_numbers SET source = lower(source)
WHERE source <> lower(source) AND (lower(source), external_id) NOT IN (
    SELECT lower(source), external_id FROM transaction_numbers GROUP BY lower(source), external_id HAVING count(*) > 1
);
DROP TRIGGER transactions_are_never_changed ON transaction_records;
UPDATE transaction_records SET source = lower(source)
WHERE source <> lower(source) AND EXISTS (
    SELECT 1 FROM transaction_numbers AS number
    WHERE number.source = lower(transaction_records.source)
        AND number.external_id = transaction_records.external_id AND number.transaction_id = transaction_records.id
);
CREATE TRIGGER transactions_are_never_changed BEFORE UPDATE ON transaction_records
    FOR EACH ROW EXECUTE FUNCTION refuse_change('transactions are immutable');
