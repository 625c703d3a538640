-- What partners sold and took back. A provider is another partner, and lies elsewhere: no foreign key. The unit that
-- names another partner locks its row.
CREATE TABLE transaction_records (
    id BLOB NOT NULL CHECK (length(id) = 16),
    source TEXT NOT NULL CHECK (length(source) BETWEEN 1 AND 64),
    external_id TEXT NOT NULL CHECK (length(external_id) BETWEEN 1 AND 128),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    provider_id BLOB CHECK (length(provider_id) = 16),
    customer_id TEXT NOT NULL CHECK (length(customer_id) BETWEEN 1 AND 128),
    customer_country TEXT NOT NULL CHECK (length(customer_country) = 2),
    customer_public_sector INTEGER NOT NULL CHECK (customer_public_sector IN (0, 1)),
    product TEXT NOT NULL CHECK (length(product) BETWEEN 1 AND 128),
    product_family TEXT NOT NULL CHECK (length(product_family) BETWEEN 1 AND 64),
    kind TEXT NOT NULL CHECK (kind IN ('purchase', 'refund')),
    original_transaction_id BLOB CHECK (length(original_transaction_id) = 16),
    occurred_on TEXT NOT NULL CHECK (occurred_on IS date(occurred_on)),
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    units INTEGER CHECK (units BETWEEN 0 AND 1000000000),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, original_transaction_id) REFERENCES transaction_records (partner_id, id),
    CHECK ((kind = 'refund') = (original_transaction_id IS NOT NULL)),
    CHECK ((kind = 'purchase' AND amount > 0) OR (kind = 'refund' AND amount < 0))
) STRICT;
CREATE INDEX transactions_by_id ON transaction_records (id);
CREATE INDEX transactions_by_partner ON transaction_records (partner_id, occurred_on, id);
CREATE INDEX transactions_by_original ON transaction_records (partner_id, original_transaction_id)
    WHERE original_transaction_id IS NOT NULL;
-- Whether a customer is new is asked of every sale.
CREATE INDEX transactions_by_customer ON transaction_records (customer_id, partner_id, occurred_on, id);
CREATE TRIGGER transactions_are_never_changed BEFORE UPDATE ON transaction_records
BEGIN SELECT RAISE(ABORT, 'transactions are immutable'); END;

-- Which transaction a number of a source names, published or not: that index over all partners stands apart.
CREATE TABLE transaction_numbers (
    source TEXT NOT NULL CHECK (length(source) BETWEEN 1 AND 64),
    external_id TEXT NOT NULL CHECK (length(external_id) BETWEEN 1 AND 128),
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    transaction_id BLOB NOT NULL CHECK (length(transaction_id) = 16),
    PRIMARY KEY (source, external_id)
) STRICT, WITHOUT ROWID;

-- The ids of the records nobody sees yet, while there are some: one import runs at a time, and the ids of its records
-- follow each other.
CREATE TABLE unpublished_transactions (
    slot INTEGER NOT NULL PRIMARY KEY CHECK (slot = 1),
    first_id BLOB NOT NULL CHECK (length(first_id) = 16),
    last_id BLOB NOT NULL CHECK (length(last_id) = 16)
) STRICT, WITHOUT ROWID;

-- What an import under way has written already is seen by nobody before all of it is there: readers use the view.
CREATE VIEW transactions AS
    SELECT * FROM transaction_records AS record
    WHERE (record.id >= (SELECT first_id FROM unpublished_transactions WHERE slot = 1)
        AND record.id <= (SELECT last_id FROM unpublished_transactions WHERE slot = 1)) IS NOT TRUE;

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

-- Partners whose earnings have to be looked at: from which day on, and why. A partner whose calculation failed is put aside
-- with a code, and told apart from those that only wait.
CREATE TABLE calculation_backlog (
    partner_id BLOB NOT NULL PRIMARY KEY REFERENCES partners (id) ON DELETE CASCADE,
    from_day TEXT NOT NULL CHECK (from_day IS date(from_day)),
    cause TEXT NOT NULL CHECK (cause IN ('sale', 'refund', 'fact', 'rate', 'version', 'recalculation')),
    failure TEXT CHECK (length(failure) BETWEEN 1 AND 64),
    failed_at INTEGER
) STRICT, WITHOUT ROWID;
