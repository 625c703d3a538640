-- The bytes of files for banks and from banks, sealed, in pieces. Pieces of a file that did not arrive as a whole are removed.
CREATE TABLE bank_file_pieces (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    content_id BLOB NOT NULL CHECK (length(content_id) = 16),
    place INTEGER NOT NULL CHECK (place >= 0),
    bytes BLOB NOT NULL,
    is_whole INTEGER NOT NULL CHECK (is_whole IN (0, 1)),
    kept_at INTEGER NOT NULL,
    UNIQUE (content_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX bank_file_pieces_left_behind ON bank_file_pieces (kept_at) WHERE is_whole = 0;

-- Files for banks: each holds the approved payments of a run in one currency.
CREATE TABLE payment_files (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    run_id BLOB NOT NULL REFERENCES payment_runs (id),
    payer_account_id BLOB NOT NULL REFERENCES payer_accounts (id),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    execution_on TEXT NOT NULL CHECK (execution_on IS date(execution_on)),
    state TEXT NOT NULL CHECK (state IN ('made', 'sent', 'withdrawn')),
    payments INTEGER NOT NULL CHECK (payments > 0),
    total INTEGER NOT NULL CHECK (total > 0),
    xml_content_id BLOB CHECK (length(xml_content_id) = 16),
    xml_bytes INTEGER CHECK (xml_bytes > 0),
    xml_sha256 TEXT CHECK (length(xml_sha256) = 64),
    csv_content_id BLOB NOT NULL CHECK (length(csv_content_id) = 16),
    csv_bytes INTEGER NOT NULL CHECK (csv_bytes > 0),
    csv_sha256 TEXT NOT NULL CHECK (length(csv_sha256) = 64),
    downloaded_at INTEGER,
    sent_on TEXT CHECK (sent_on IS date(sent_on)),
    withdrawal_reason TEXT CHECK (length(withdrawal_reason) BETWEEN 3 AND 1000),
    created_by BLOB CHECK (length(created_by) = 16),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((xml_content_id IS NULL) = (xml_bytes IS NULL) AND (xml_content_id IS NULL) = (xml_sha256 IS NULL)),
    CHECK ((state = 'sent') = (sent_on IS NOT NULL)),
    CHECK ((state = 'withdrawn') = (withdrawal_reason IS NOT NULL)),
    CHECK (state <> 'withdrawn' OR downloaded_at IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX payment_files_by_run ON payment_files (run_id, id);
CREATE INDEX payment_files_by_state ON payment_files (state, id);

-- The file that holds a payment, the group of the file, and the entry of a bank's statement that shows the payment.
ALTER TABLE payments ADD COLUMN file_id BLOB CHECK (length(file_id) = 16);
ALTER TABLE payments ADD COLUMN file_group TEXT CHECK (file_group IN ('sepa', 'other'));
ALTER TABLE payments ADD COLUMN bank_reference TEXT CHECK (length(bank_reference) BETWEEN 1 AND 140);
ALTER TABLE payments ADD COLUMN statement_id BLOB CHECK (length(statement_id) = 16);
ALTER TABLE payments ADD COLUMN statement_entry INTEGER CHECK (statement_entry > 0);
CREATE INDEX payments_by_file ON payments (file_id, id) WHERE file_id IS NOT NULL;

-- Status reports and statements of banks, as they arrived, and how far each has been applied to payments.
CREATE TABLE bank_reports (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind TEXT NOT NULL CHECK (kind IN ('status_report', 'statement')),
    payment_file_id BLOB REFERENCES payment_files (id),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    bytes INTEGER NOT NULL CHECK (bytes > 0),
    bank_id TEXT CHECK (length(bank_id) BETWEEN 1 AND 140),
    state TEXT NOT NULL CHECK (state IN ('applying', 'applied')),
    entries INTEGER NOT NULL CHECK (entries >= 0),
    position INTEGER NOT NULL CHECK (position BETWEEN 0 AND entries),
    within BLOB CHECK (length(within) = 16),
    changed INTEGER NOT NULL CHECK (changed >= 0),
    unchanged INTEGER NOT NULL CHECK (unchanged >= 0),
    exceptions INTEGER NOT NULL CHECK (exceptions >= 0),
    created_by BLOB CHECK (length(created_by) = 16),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((kind = 'status_report') = (payment_file_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX bank_reports_once
    ON bank_reports (kind, coalesce(payment_file_id, X''), sha256);
CREATE INDEX bank_reports_of_file ON bank_reports (payment_file_id, id);
CREATE INDEX bank_reports_by_kind ON bank_reports (kind, id);
CREATE INDEX bank_reports_at_work ON bank_reports (id) WHERE state = 'applying';

-- What a bank says and no rule settles: a person looks at each.
CREATE TABLE bank_exceptions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    report_id BLOB NOT NULL REFERENCES bank_reports (id),
    entry INTEGER NOT NULL CHECK (entry > 0),
    reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 40),
    payment_id BLOB CHECK (length(payment_id) = 16),
    end_to_end_id TEXT CHECK (length(end_to_end_id) BETWEEN 1 AND 140),
    bank_reference TEXT CHECK (length(bank_reference) BETWEEN 1 AND 140),
    status TEXT CHECK (length(status) BETWEEN 1 AND 140),
    codes TEXT NOT NULL CHECK (json_valid(codes)),
    bank_words TEXT CHECK (length(bank_words) BETWEEN 1 AND 1000),
    direction TEXT CHECK (direction IN ('credit', 'debit')),
    amount TEXT CHECK (length(amount) BETWEEN 1 AND 40),
    booked_on TEXT CHECK (booked_on IS date(booked_on)),
    state TEXT NOT NULL CHECK (state IN ('open', 'resolved')),
    resolution TEXT CHECK (length(resolution) BETWEEN 3 AND 1000),
    resolved_by BLOB CHECK (length(resolved_by) = 16),
    resolved_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((state = 'resolved') = (resolved_at IS NOT NULL) AND (state = 'resolved') = (resolution IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX bank_exceptions_by_state ON bank_exceptions (state, id);
CREATE INDEX bank_exceptions_by_report ON bank_exceptions (report_id, id);
