-- One rate for each month and pair, whichever way round, in units of 10^-10; published once.
CREATE TABLE fx_rates (
    id uuid NOT NULL PRIMARY KEY,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    base text COLLATE "C" NOT NULL CHECK (length(base) = 3),
    quote text COLLATE "C" NOT NULL CHECK (length(quote) = 3 AND quote <> base),
    rate bigint NOT NULL CHECK (rate > 0),
    published_at timestamptz NOT NULL,
    published_by uuid
);
CREATE UNIQUE INDEX fx_rates_by_pair ON fx_rates (month, least(base, quote), greatest(base, quote));
CREATE INDEX fx_rates_by_month ON fx_rates (month, id);
CREATE TRIGGER fx_rates_are_never_changed BEFORE UPDATE ON fx_rates
    FOR EACH ROW EXECUTE FUNCTION refuse_change('published rates are immutable');
CREATE TRIGGER fx_rates_are_never_deleted BEFORE DELETE ON fx_rates
    FOR EACH ROW EXECUTE FUNCTION refuse_change('published rates are immutable');

-- Months close in order and are never opened again.
CREATE TABLE closed_months (
    month date NOT NULL PRIMARY KEY CHECK (extract(day FROM month) = 1),
    closed_at timestamptz NOT NULL,
    closed_by uuid,
    reason text COLLATE "C" CHECK (length(reason) BETWEEN 3 AND 1000)
);
CREATE TRIGGER closed_months_are_never_changed BEFORE UPDATE ON closed_months
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a closed month is never opened again');
CREATE TRIGGER closed_months_are_never_deleted BEFORE DELETE ON closed_months
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a closed month is never opened again');

-- The payable of an enrollment for a month it was posted in, in one currency.
CREATE TABLE rebates (
    id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    partner_id uuid NOT NULL REFERENCES partners (id),
    posted_in date NOT NULL CHECK (extract(day FROM posted_in) = 1),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    earned bigint NOT NULL,
    adjusted bigint NOT NULL,
    coop bigint NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN
        ('accruing', 'payable', 'on_hold', 'in_payment', 'paid', 'failed', 'forfeited', 'offset')),
    state_reason text COLLATE "C" CHECK (length(state_reason) BETWEEN 1 AND 64),
    state_comment text COLLATE "C" CHECK (length(state_comment) BETWEEN 1 AND 1000),
    state_since date,
    as_of timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, enrollment_id, posted_in, currency),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (state <> 'on_hold' OR state_reason IS NOT NULL)
);
CREATE INDEX rebates_by_id ON rebates (id);
CREATE INDEX rebates_by_enrollment ON rebates (partner_id, enrollment_id, id);
CREATE INDEX rebates_by_month ON rebates (posted_in, id);
CREATE INDEX rebates_by_state ON rebates (state, id);
CREATE INDEX rebates_waiting ON rebates (partner_id) WHERE state IN ('payable', 'on_hold');
CREATE FUNCTION refuse_closed_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM closed_months WHERE month = NEW.posted_in)
        OR TG_OP = 'UPDATE' AND EXISTS (SELECT 1 FROM closed_months WHERE month = OLD.posted_in) THEN
        RAISE EXCEPTION 'a closed month never changes';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rebates_begin_in_open_months BEFORE INSERT ON rebates
    FOR EACH ROW EXECUTE FUNCTION refuse_closed_month();
CREATE TRIGGER rebates_grow_in_open_months BEFORE UPDATE ON rebates
    FOR EACH ROW WHEN ((NEW.earned, NEW.adjusted, NEW.coop, NEW.posted_in, NEW.currency, NEW.enrollment_id, NEW.partner_id)
        IS DISTINCT FROM (OLD.earned, OLD.adjusted, OLD.coop, OLD.posted_in, OLD.currency, OLD.enrollment_id, OLD.partner_id))
    EXECUTE FUNCTION refuse_closed_month();

-- What somebody corrects by hand: proposed by one, decided by another.
CREATE TABLE adjustments (
    id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    partner_id uuid NOT NULL REFERENCES partners (id),
    amount bigint NOT NULL CHECK (amount <> 0),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    earned_in date NOT NULL CHECK (extract(day FROM earned_in) = 1),
    posted_in date CHECK (extract(day FROM posted_in) = 1),
    reason_code text COLLATE "C" NOT NULL CHECK (length(reason_code) BETWEEN 1 AND 64),
    comment text COLLATE "C" NOT NULL CHECK (length(comment) BETWEEN 3 AND 1000),
    state text COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'approved', 'rejected')),
    proposed_by uuid,
    decided_by uuid,
    decision_comment text COLLATE "C" CHECK (length(decision_comment) BETWEEN 3 AND 1000),
    decided_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    CHECK ((state = 'approved') = (posted_in IS NOT NULL)),
    CHECK (decided_by IS NULL OR decided_by IS DISTINCT FROM proposed_by)
);
CREATE INDEX adjustments_by_id ON adjustments (id);
CREATE INDEX adjustments_by_enrollment ON adjustments (partner_id, enrollment_id, id);
CREATE INDEX adjustments_by_state ON adjustments (state, id);

-- The double-entry ledger: a row is one transfer, so every posting balances.
CREATE TABLE ledger_transfers (
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    debit text COLLATE "C" NOT NULL CHECK (debit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_paid',
        'rebate_forfeited', 'coop_available', 'coop_committed', 'coop_paid', 'coop_forfeited')),
    credit text COLLATE "C" NOT NULL CHECK (credit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_paid',
        'rebate_forfeited', 'coop_available', 'coop_committed', 'coop_paid', 'coop_forfeited')),
    amount bigint NOT NULL CHECK (amount > 0),
    cause text COLLATE "C" NOT NULL CHECK (length(cause) BETWEEN 1 AND 60),
    cause_id uuid,
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (debit <> credit)
);
CREATE INDEX ledger_transfers_by_account
    ON ledger_transfers (partner_id, enrollment_id, month, currency, debit, credit, amount);
CREATE TRIGGER ledger_transfers_are_never_changed BEFORE UPDATE ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the ledger is append-only');
CREATE TRIGGER ledger_transfers_are_never_deleted BEFORE DELETE ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the ledger is append-only');
CREATE FUNCTION refuse_transfer_to_closed_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM closed_months WHERE month = NEW.month) THEN
        RAISE EXCEPTION 'a closed month never changes';
    END IF;
    RETURN NEW;
END $$;
-- What is owed of a closed month may still move from one account to another: no more comes to it.
CREATE TRIGGER ledger_transfers_begin_in_open_months BEFORE INSERT ON ledger_transfers
    FOR EACH ROW WHEN ('programme_expense' IN (NEW.debit, NEW.credit))
    EXECUTE FUNCTION refuse_transfer_to_closed_month();
