-- What partners sold and took back. A provider is another partner, and lies elsewhere: no foreign key. The unit that
-- names another partner locks its row.
CREATE TABLE transaction_records (
    id uuid NOT NULL,
    source text COLLATE "C" NOT NULL CHECK (length(source) BETWEEN 1 AND 64),
    external_id text COLLATE "C" NOT NULL CHECK (length(external_id) BETWEEN 1 AND 128),
    partner_id uuid NOT NULL REFERENCES partners (id),
    provider_id uuid,
    customer_id text COLLATE "C" NOT NULL CHECK (length(customer_id) BETWEEN 1 AND 128),
    customer_country text COLLATE "C" NOT NULL CHECK (length(customer_country) = 2),
    customer_public_sector boolean NOT NULL,
    product text COLLATE "C" NOT NULL CHECK (length(product) BETWEEN 1 AND 128),
    product_family text COLLATE "C" NOT NULL CHECK (length(product_family) BETWEEN 1 AND 64),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('purchase', 'refund')),
    original_transaction_id uuid,
    occurred_on date NOT NULL,
    amount bigint NOT NULL,
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    units integer CHECK (units BETWEEN 0 AND 1000000000),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, original_transaction_id) REFERENCES transaction_records (partner_id, id),
    CHECK ((kind = 'refund') = (original_transaction_id IS NOT NULL)),
    CHECK ((kind = 'purchase' AND amount > 0) OR (kind = 'refund' AND amount < 0))
);
CREATE INDEX transactions_by_id ON transaction_records (id);
CREATE INDEX transactions_by_partner ON transaction_records (partner_id, occurred_on, id);
CREATE INDEX transactions_by_original ON transaction_records (partner_id, original_transaction_id)
    WHERE original_transaction_id IS NOT NULL;
-- Whether a customer is new is asked of every sale.
CREATE INDEX transactions_by_customer ON transaction_records (customer_id, partner_id, occurred_on, id);
CREATE TRIGGER transactions_are_never_changed BEFORE UPDATE ON transaction_records
    FOR EACH ROW EXECUTE FUNCTION refuse_change('transactions are immutable');

-- Which transaction a number of a source names, published or not: that index over all partners stands apart.
CREATE TABLE transaction_numbers (
    source text COLLATE "C" NOT NULL CHECK (length(source) BETWEEN 1 AND 64),
    external_id text COLLATE "C" NOT NULL CHECK (length(external_id) BETWEEN 1 AND 128),
    partner_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    PRIMARY KEY (source, external_id)
);

-- The ids of the records nobody sees yet, while there are some: one import runs at a time, and the ids of its records
-- follow each other.
CREATE TABLE unpublished_transactions (
    slot integer NOT NULL PRIMARY KEY CHECK (slot = 1),
    first_id uuid NOT NULL,
    last_id uuid NOT NULL
);

-- What an import under way has written already is seen by nobody before all of it is there: readers use the view.
CREATE VIEW transactions AS
    SELECT * FROM transaction_records AS record
    WHERE (record.id >= (SELECT first_id FROM unpublished_transactions WHERE slot = 1)
        AND record.id <= (SELECT last_id FROM unpublished_transactions WHERE slot = 1)) IS NOT TRUE;

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

-- Partners whose earnings have to be looked at: from which day on, and why. A partner whose calculation failed is put aside
-- with a code, and told apart from those that only wait.
CREATE TABLE calculation_backlog (
    partner_id uuid NOT NULL PRIMARY KEY REFERENCES partners (id) ON DELETE CASCADE,
    from_day date NOT NULL,
    cause text COLLATE "C" NOT NULL CHECK (cause IN ('sale', 'refund', 'fact', 'rate', 'version', 'recalculation')),
    failure text COLLATE "C" CHECK (length(failure) BETWEEN 1 AND 64),
    failed_at timestamptz
);
