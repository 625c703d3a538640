-- Payments pay rebates or claims, each with a kind of document of its own, and have the execution day of their file.
CREATE TABLE payment_lines_of_rebates AS SELECT * FROM payment_lines;
DROP TABLE payment_lines;
CREATE TABLE payments_of_rebates AS SELECT * FROM payments;
DROP TABLE payments;

CREATE TABLE payments (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    run_id BLOB NOT NULL CHECK (length(run_id) = 16),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    state TEXT NOT NULL CHECK (state IN ('created', 'approved', 'in_file', 'sent', 'pending_at_bank', 'settled',
        'stopped', 'failed', 'returned', 'reversed')),
    reconciliation TEXT NOT NULL CHECK (reconciliation IN ('unreconciled', 'matched')),
    document_kind TEXT NOT NULL CHECK (document_kind IN ('credit_note', 'self_billed_invoice')),
    document_number INTEGER CHECK (document_number > 0),
    gross INTEGER NOT NULL CHECK (gross > 0),
    withheld INTEGER NOT NULL,
    withholding_rate_id BLOB NOT NULL REFERENCES withholding_rates (id),
    net INTEGER NOT NULL CHECK (net > 0),
    replaces BLOB CHECK (length(replaces) = 16),
    sent_on TEXT CHECK (sent_on IS date(sent_on)),
    settled_on TEXT CHECK (settled_on IS date(settled_on)),
    state_code TEXT CHECK (length(state_code) BETWEEN 1 AND 64),
    state_comment TEXT CHECK (length(state_comment) BETWEEN 1 AND 1000),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    file_id BLOB CHECK (length(file_id) = 16),
    file_group TEXT CHECK (file_group IN ('sepa', 'other')),
    bank_reference TEXT CHECK (length(bank_reference) BETWEEN 1 AND 140),
    statement_id BLOB CHECK (length(statement_id) = 16),
    statement_entry INTEGER CHECK (statement_entry > 0),
    payout_revision INTEGER CHECK (payout_revision > 0),
    execution_on TEXT CHECK (execution_on IS date(execution_on)),
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, run_id, currency, document_kind),
    FOREIGN KEY (partner_id, replaces) REFERENCES payments (partner_id, id),
    CHECK (net = gross - withheld),
    CHECK (state IN ('created', 'stopped') OR document_number IS NOT NULL)
) STRICT;
CREATE INDEX payments_by_id ON payments (id);
CREATE INDEX payments_by_run ON payments (run_id, id);
CREATE INDEX payments_by_state ON payments (state, id);
CREATE INDEX payments_by_file ON payments (file_id, id) WHERE file_id IS NOT NULL;
INSERT INTO payments (id, partner_id, run_id, currency, state, reconciliation, document_kind, document_number, gross, withheld,
    withholding_rate_id, net, replaces, sent_on, settled_on, state_code, state_comment, created_at, updated_at, revision,
    file_id, file_group, bank_reference, statement_id, statement_entry, payout_revision)
    SELECT id, partner_id, run_id, currency, state, reconciliation, document_kind, document_number, gross, withheld,
    withholding_rate_id, net, replaces, sent_on, settled_on, state_code, state_comment, created_at, updated_at, revision,
    file_id, file_group, bank_reference, statement_id, statement_entry, payout_revision FROM payments_of_rebates;
DROP TABLE payments_of_rebates;

-- What a payment pays: rebates, with those below zero that the payment sets off, or claims. The amounts never change; a line is
-- live until its payment gives the record back, and no record is in two live payments.
CREATE TABLE payment_lines (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    payment_id BLOB NOT NULL CHECK (length(payment_id) = 16),
    rebate_id BLOB CHECK (length(rebate_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    posted_in TEXT NOT NULL CHECK (posted_in IS date(posted_in, 'start of month')),
    amount INTEGER NOT NULL,
    withheld INTEGER NOT NULL,
    set_off INTEGER NOT NULL,
    live INTEGER NOT NULL CHECK (live IN (0, 1)),
    record_id BLOB NOT NULL CHECK (record_id IS coalesce(rebate_id, claim_id)),
    claim_id BLOB CHECK (length(claim_id) = 16),
    PRIMARY KEY (partner_id, payment_id, record_id),
    FOREIGN KEY (partner_id, payment_id) REFERENCES payments (partner_id, id),
    FOREIGN KEY (partner_id, rebate_id) REFERENCES rebates (partner_id, id),
    FOREIGN KEY (partner_id, claim_id) REFERENCES coop_claims (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK ((rebate_id IS NULL) <> (claim_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX payment_lines_live ON payment_lines (partner_id, record_id) WHERE live = 1;
CREATE TRIGGER payment_lines_never_change BEFORE UPDATE ON payment_lines
WHEN (NEW.partner_id, NEW.payment_id, NEW.record_id, NEW.rebate_id, NEW.claim_id, NEW.enrollment_id, NEW.posted_in, NEW.amount, NEW.withheld, NEW.set_off)
    IS NOT (OLD.partner_id, OLD.payment_id, OLD.record_id, OLD.rebate_id, OLD.claim_id, OLD.enrollment_id, OLD.posted_in, OLD.amount, OLD.withheld,
        OLD.set_off) OR OLD.live = 0
BEGIN SELECT RAISE(ABORT, 'the lines of a payment never change'); END;
CREATE TRIGGER payment_lines_are_never_deleted BEFORE DELETE ON payment_lines
BEGIN SELECT RAISE(ABORT, 'the lines of a payment never change'); END;
INSERT INTO payment_lines (partner_id, payment_id, rebate_id, enrollment_id, posted_in, amount, withheld, set_off, live, record_id)
    SELECT partner_id, payment_id, rebate_id, enrollment_id, posted_in, amount, withheld, set_off, live, rebate_id
    FROM payment_lines_of_rebates;
DROP TABLE payment_lines_of_rebates;

CREATE TABLE payment_documents_with_claims (
    kind TEXT NOT NULL PRIMARY KEY CHECK (kind IN ('credit_note', 'self_billed_invoice')),
    last_number INTEGER NOT NULL CHECK (last_number >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO payment_documents_with_claims (kind, last_number) SELECT kind, last_number FROM payment_documents;
DROP TABLE payment_documents;
ALTER TABLE payment_documents_with_claims RENAME TO payment_documents;
INSERT INTO payment_documents (kind, last_number) VALUES ('self_billed_invoice', 0);
