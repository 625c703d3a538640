-- Payment runs: each gathers what is payable up to a closed month into payments. One person makes it, another decides.
CREATE TABLE payment_runs (
    id uuid NOT NULL PRIMARY KEY,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    currency text COLLATE "C" CHECK (length(currency) = 3),
    paid_in date NOT NULL CHECK (extract(day FROM paid_in) = 1),
    reissues uuid,
    state text COLLATE "C" NOT NULL CHECK (state IN ('preparing', 'created', 'approved', 'sent', 'cancelled')),
    position uuid,
    done bigint NOT NULL CHECK (done >= 0),
    total bigint NOT NULL CHECK (total >= 0),
    totals jsonb NOT NULL,
    created_by uuid,
    decided_by uuid,
    decided_at timestamptz,
    decision_comment text COLLATE "C" CHECK (length(decision_comment) BETWEEN 3 AND 1000),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0)
);
CREATE UNIQUE INDEX payment_runs_open ON payment_runs (month, coalesce(currency, ''))
    WHERE state IN ('preparing', 'created') AND reissues IS NULL;
CREATE INDEX payment_runs_by_state ON payment_runs (state, id);
INSERT INTO guards (name) VALUES ('payment_runs');

-- A payment: what a partner is paid in one currency by one run.
CREATE TABLE payments (
    id uuid NOT NULL,
    partner_id uuid NOT NULL REFERENCES partners (id),
    run_id uuid NOT NULL,
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    state text COLLATE "C" NOT NULL CHECK (state IN ('created', 'approved', 'in_file', 'sent', 'pending_at_bank',
        'settled', 'stopped', 'failed', 'returned', 'reversed')),
    reconciliation text COLLATE "C" NOT NULL CHECK (reconciliation IN ('unreconciled', 'matched')),
    document_kind text COLLATE "C" NOT NULL CHECK (document_kind IN ('credit_note')),
    document_number bigint CHECK (document_number > 0),
    gross bigint NOT NULL CHECK (gross > 0),
    withheld bigint NOT NULL,
    withholding_rate_id uuid NOT NULL REFERENCES withholding_rates (id),
    net bigint NOT NULL CHECK (net > 0),
    replaces uuid,
    sent_on date,
    settled_on date,
    state_code text COLLATE "C" CHECK (length(state_code) BETWEEN 1 AND 64),
    state_comment text COLLATE "C" CHECK (length(state_comment) BETWEEN 1 AND 1000),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, run_id, currency),
    FOREIGN KEY (partner_id, replaces) REFERENCES payments (partner_id, id),
    CHECK (net = gross - withheld),
    CHECK (state IN ('created', 'stopped') OR document_number IS NOT NULL)
);
CREATE INDEX payments_by_id ON payments (id);
CREATE INDEX payments_by_run ON payments (run_id, id);
CREATE INDEX payments_by_state ON payments (state, id);

-- The rebates that a payment pays, and those below zero that it sets off. The amounts never change; a line is live until
-- its payment gives the rebate back, and no rebate is in two live payments.
CREATE TABLE payment_lines (
    partner_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    rebate_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    posted_in date NOT NULL CHECK (extract(day FROM posted_in) = 1),
    amount bigint NOT NULL,
    withheld bigint NOT NULL,
    set_off bigint NOT NULL,
    live boolean NOT NULL,
    PRIMARY KEY (partner_id, payment_id, rebate_id),
    FOREIGN KEY (partner_id, payment_id) REFERENCES payments (partner_id, id),
    FOREIGN KEY (partner_id, rebate_id) REFERENCES rebates (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
);
CREATE UNIQUE INDEX payment_lines_live ON payment_lines (partner_id, rebate_id) WHERE live;
CREATE TRIGGER payment_lines_never_change BEFORE UPDATE ON payment_lines
    FOR EACH ROW WHEN ((NEW.partner_id, NEW.payment_id, NEW.rebate_id, NEW.enrollment_id, NEW.posted_in, NEW.amount,
        NEW.withheld, NEW.set_off) IS DISTINCT FROM (OLD.partner_id, OLD.payment_id, OLD.rebate_id, OLD.enrollment_id,
        OLD.posted_in, OLD.amount, OLD.withheld, OLD.set_off) OR NOT OLD.live)
    EXECUTE FUNCTION refuse_change('the lines of a payment never change');
CREATE TRIGGER payment_lines_are_never_deleted BEFORE DELETE ON payment_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the lines of a payment never change');

-- The last number of each kind of document. Who gives numbers locks the row, so that no number is left out.
CREATE TABLE payment_documents (
    kind text COLLATE "C" NOT NULL PRIMARY KEY CHECK (kind IN ('credit_note')),
    last_number bigint NOT NULL CHECK (last_number >= 0)
);
INSERT INTO payment_documents (kind, last_number) VALUES ('credit_note', 0);
