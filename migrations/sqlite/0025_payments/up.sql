-- Payment runs: each gathers what is payable up to a closed month into payments. One person makes it, another decides.
CREATE TABLE payment_runs (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    currency TEXT CHECK (length(currency) = 3),
    paid_in TEXT NOT NULL CHECK (paid_in IS date(paid_in, 'start of month')),
    reissues BLOB CHECK (length(reissues) = 16),
    state TEXT NOT NULL CHECK (state IN ('preparing', 'created', 'approved', 'sent', 'cancelled')),
    position BLOB CHECK (length(position) = 16),
    done INTEGER NOT NULL CHECK (done >= 0),
    total INTEGER NOT NULL CHECK (total >= 0),
    totals TEXT NOT NULL CHECK (json_valid(totals)),
    created_by BLOB CHECK (length(created_by) = 16),
    decided_by BLOB CHECK (length(decided_by) = 16),
    decided_at INTEGER,
    decision_comment TEXT CHECK (length(decision_comment) BETWEEN 3 AND 1000),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX payment_runs_open ON payment_runs (month, coalesce(currency, ''))
    WHERE state IN ('preparing', 'created') AND reissues IS NULL;
CREATE INDEX payment_runs_by_state ON payment_runs (state, id);
INSERT INTO guards (name) VALUES ('payment_runs');

-- A payment: what a partner is paid in one currency by one run.
CREATE TABLE payments (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    run_id BLOB NOT NULL CHECK (length(run_id) = 16),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    state TEXT NOT NULL CHECK (state IN ('created', 'approved', 'in_file', 'sent', 'pending_at_bank', 'settled',
        'stopped', 'failed', 'returned', 'reversed')),
    reconciliation TEXT NOT NULL CHECK (reconciliation IN ('unreconciled', 'matched')),
    document_kind TEXT NOT NULL CHECK (document_kind IN ('credit_note')),
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
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, run_id, currency),
    FOREIGN KEY (partner_id, replaces) REFERENCES payments (partner_id, id),
    CHECK (net = gross - withheld),
    CHECK (state IN ('created', 'stopped') OR document_number IS NOT NULL)
) STRICT;
CREATE INDEX payments_by_id ON payments (id);
CREATE INDEX payments_by_run ON payments (run_id, id);
CREATE INDEX payments_by_state ON payments (state, id);

-- The rebates that a payment pays, and those below zero that it sets off. The amounts never change; a line is live until
-- its payment gives the rebate back, and no rebate is in two live payments.
CREATE TABLE payment_lines (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    payment_id BLOB NOT NULL CHECK (length(payment_id) = 16),
    rebate_id BLOB NOT NULL CHECK (length(rebate_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    posted_in TEXT NOT NULL CHECK (posted_in IS date(posted_in, 'start of month')),
    amount INTEGER NOT NULL,
    withheld INTEGER NOT NULL,
    set_off INTEGER NOT NULL,
    live INTEGER NOT NULL CHECK (live IN (0, 1)),
    PRIMARY KEY (partner_id, payment_id, rebate_id),
    FOREIGN KEY (partner_id, payment_id) REFERENCES payments (partner_id, id),
    FOREIGN KEY (partner_id, rebate_id) REFERENCES rebates (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX payment_lines_live ON payment_lines (partner_id, rebate_id) WHERE live = 1;
CREATE TRIGGER payment_lines_never_change BEFORE UPDATE ON payment_lines
WHEN (NEW.partner_id, NEW.payment_id, NEW.rebate_id, NEW.enrollment_id, NEW.posted_in, NEW.amount, NEW.withheld, NEW.set_off)
    IS NOT (OLD.partner_id, OLD.payment_id, OLD.rebate_id, OLD.enrollment_id, OLD.posted_in, OLD.amount, OLD.withheld,
        OLD.set_off) OR OLD.live = 0
BEGIN SELECT RAISE(ABORT, 'the lines of a payment never change'); END;
CREATE TRIGGER payment_lines_are_never_deleted BEFORE DELETE ON payment_lines
BEGIN SELECT RAISE(ABORT, 'the lines of a payment never change'); END;

-- The last number of each kind of document. Who gives numbers locks the row, so that no number is left out.
CREATE TABLE payment_documents (
    kind TEXT NOT NULL PRIMARY KEY CHECK (kind IN ('credit_note')),
    last_number INTEGER NOT NULL CHECK (last_number >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO payment_documents (kind, last_number) VALUES ('credit_note', 0);
