-- The bytes of files for banks and from banks, sealed, in pieces. Pieces of a file that did not arrive as a whole are removed.
CREATE TABLE bank_file_pieces (
    id uuid NOT NULL PRIMARY KEY,
    content_id uuid NOT NULL,
    place bigint NOT NULL CHECK (place >= 0),
    bytes bytea NOT NULL,
    is_whole boolean NOT NULL,
    kept_at timestamptz NOT NULL,
    UNIQUE (content_id, place)
);
CREATE INDEX bank_file_pieces_left_behind ON bank_file_pieces (kept_at) WHERE NOT is_whole;

-- Files for banks: each holds the approved payments of a run in one currency.
CREATE TABLE payment_files (
    id uuid NOT NULL PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES payment_runs (id),
    payer_account_id uuid NOT NULL REFERENCES payer_accounts (id),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    execution_on date NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('made', 'sent', 'withdrawn')),
    payments bigint NOT NULL CHECK (payments > 0),
    total bigint NOT NULL CHECK (total > 0),
    xml_content_id uuid,
    xml_bytes bigint CHECK (xml_bytes > 0),
    xml_sha256 text COLLATE "C" CHECK (length(xml_sha256) = 64),
    csv_content_id uuid NOT NULL,
    csv_bytes bigint NOT NULL CHECK (csv_bytes > 0),
    csv_sha256 text COLLATE "C" NOT NULL CHECK (length(csv_sha256) = 64),
    downloaded_at timestamptz,
    sent_on date,
    withdrawal_reason text COLLATE "C" CHECK (length(withdrawal_reason) BETWEEN 3 AND 1000),
    created_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((xml_content_id IS NULL) = (xml_bytes IS NULL) AND (xml_content_id IS NULL) = (xml_sha256 IS NULL)),
    CHECK ((state = 'sent') = (sent_on IS NOT NULL)),
    CHECK ((state = 'withdrawn') = (withdrawal_reason IS NOT NULL)),
    CHECK (state <> 'withdrawn' OR downloaded_at IS NULL)
);
CREATE INDEX payment_files_by_run ON payment_files (run_id, id);
CREATE INDEX payment_files_by_state ON payment_files (state, id);

-- The file that holds a payment, the group of the file, and the entry of a bank's statement that shows the payment.
ALTER TABLE payments ADD COLUMN file_id uuid;
ALTER TABLE payments ADD COLUMN file_group text COLLATE "C" CHECK (file_group IN ('sepa', 'other'));
ALTER TABLE payments ADD COLUMN bank_reference text COLLATE "C" CHECK (length(bank_reference) BETWEEN 1 AND 140);
ALTER TABLE payments ADD COLUMN statement_id uuid;
ALTER TABLE payments ADD COLUMN statement_entry bigint CHECK (statement_entry > 0);
CREATE INDEX payments_by_file ON payments (file_id, id) WHERE file_id IS NOT NULL;

-- Status reports and statements of banks, as they arrived, and how far each has been applied to payments.
CREATE TABLE bank_reports (
    id uuid NOT NULL PRIMARY KEY,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('status_report', 'statement')),
    payment_file_id uuid REFERENCES payment_files (id),
    sha256 text COLLATE "C" NOT NULL CHECK (length(sha256) = 64),
    bytes bigint NOT NULL CHECK (bytes > 0),
    bank_id text COLLATE "C" CHECK (length(bank_id) BETWEEN 1 AND 140),
    state text COLLATE "C" NOT NULL CHECK (state IN ('applying', 'applied')),
    entries bigint NOT NULL CHECK (entries >= 0),
    position bigint NOT NULL CHECK (position BETWEEN 0 AND entries),
    within uuid,
    changed bigint NOT NULL CHECK (changed >= 0),
    unchanged bigint NOT NULL CHECK (unchanged >= 0),
    exceptions bigint NOT NULL CHECK (exceptions >= 0),
    created_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((kind = 'status_report') = (payment_file_id IS NOT NULL))
);
CREATE UNIQUE INDEX bank_reports_once
    ON bank_reports (kind, coalesce(payment_file_id, '00000000-0000-0000-0000-000000000000'), sha256);
CREATE INDEX bank_reports_of_file ON bank_reports (payment_file_id, id);
CREATE INDEX bank_reports_by_kind ON bank_reports (kind, id);
CREATE INDEX bank_reports_at_work ON bank_reports (id) WHERE state = 'applying';

-- What a bank says and no rule settles: a person looks at each.
CREATE TABLE bank_exceptions (
    id uuid NOT NULL PRIMARY KEY,
    report_id uuid NOT NULL REFERENCES bank_reports (id),
    entry bigint NOT NULL CHECK (entry > 0),
    reason text COLLATE "C" NOT NULL CHECK (length(reason) BETWEEN 1 AND 40),
    payment_id uuid,
    end_to_end_id text COLLATE "C" CHECK (length(end_to_end_id) BETWEEN 1 AND 140),
    bank_reference text COLLATE "C" CHECK (length(bank_reference) BETWEEN 1 AND 140),
    status text COLLATE "C" CHECK (length(status) BETWEEN 1 AND 140),
    codes jsonb NOT NULL,
    bank_words text COLLATE "C" CHECK (length(bank_words) BETWEEN 1 AND 1000),
    direction text COLLATE "C" CHECK (direction IN ('credit', 'debit')),
    amount text COLLATE "C" CHECK (length(amount) BETWEEN 1 AND 40),
    booked_on date,
    state text COLLATE "C" NOT NULL CHECK (state IN ('open', 'resolved')),
    resolution text COLLATE "C" CHECK (length(resolution) BETWEEN 3 AND 1000),
    resolved_by uuid,
    resolved_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((state = 'resolved') = (resolved_at IS NOT NULL) AND (state = 'resolved') = (resolution IS NOT NULL))
);
CREATE INDEX bank_exceptions_by_state ON bank_exceptions (state, id);
CREATE INDEX bank_exceptions_by_report ON bank_exceptions (report_id, id);
