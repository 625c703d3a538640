-- Money: exchange rates, accounting months, the calculation with its books, the ledger.

-- Since when a change of state let the enrollment earn, and since when it did not; windows of earning are read off it.
ALTER TABLE enrollment_changes ADD COLUMN earnings_start_on date;
ALTER TABLE enrollment_changes ADD COLUMN ineligible_since date;
UPDATE enrollment_changes SET
    earnings_start_on = (SELECT e.earnings_start_on FROM enrollments e WHERE e.id = enrollment_id),
    ineligible_since = CASE WHEN to_state = 'ineligible' THEN as_of END;

-- Whether a customer is new is asked of every sale.
CREATE INDEX transactions_by_customer ON transaction_records (customer_id, partner_id, occurred_on, id);

-- A sale is counted once among all enrollments of a partner, program and year.
CREATE INDEX enrollments_by_year ON enrollments (partner_id, program_id, program_year, id);

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
CREATE FUNCTION refuse_closed_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM closed_months WHERE month = NEW.posted_in)
        OR TG_OP = 'UPDATE' AND EXISTS (SELECT 1 FROM closed_months WHERE month = OLD.posted_in) THEN
        RAISE EXCEPTION 'a closed month never changes';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION refuse_transfer_to_closed_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM closed_months WHERE month = NEW.month) THEN
        RAISE EXCEPTION 'a closed month never changes';
    END IF;
    RETURN NEW;
END $$;

-- Partners whose earnings have to be looked at, and from which day on.
CREATE TABLE calculation_backlog (
    partner_id uuid NOT NULL PRIMARY KEY REFERENCES partners (id) ON DELETE CASCADE,
    from_day date NOT NULL
);

CREATE TABLE calculation_runs (
    id uuid NOT NULL PRIMARY KEY,
    partner_id uuid REFERENCES partners (id),
    state text COLLATE "C" NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
    done bigint NOT NULL CHECK (done >= 0),
    total bigint NOT NULL CHECK (total >= 0),
    sales bigint NOT NULL CHECK (sales >= 0),
    earnings bigint NOT NULL CHECK (earnings >= 0),
    ineligible_records bigint NOT NULL CHECK (ineligible_records >= 0),
    error text COLLATE "C" CHECK (length(error) BETWEEN 1 AND 1000),
    requested_by uuid,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE UNIQUE INDEX calculation_runs_one_running ON calculation_runs (state) WHERE state = 'running';

-- What one lever gives, in minor units. The trace is made of these figures and the version's lever when it is read.
CREATE TABLE earnings (
    id uuid NOT NULL PRIMARY KEY,
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
    partner_id uuid NOT NULL,
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL CHECK (length(lever) BETWEEN 1 AND 64),
    grain text COLLATE "C" NOT NULL CHECK (grain IN ('transaction', 'customer_month', 'month')),
    transaction_id uuid,
    purchase_id uuid,
    customer_id text COLLATE "C" CHECK (length(customer_id) BETWEEN 1 AND 128),
    earned_in date NOT NULL CHECK (extract(day FROM earned_in) = 1),
    posted_in date NOT NULL CHECK (extract(day FROM posted_in) = 1 AND posted_in >= earned_in),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    base bigint NOT NULL,
    net bigint NOT NULL,
    volume bigint NOT NULL,
    mark bigint NOT NULL,
    unrounded text COLLATE "C" NOT NULL CHECK (length(unrounded) BETWEEN 1 AND 40),
    whole bigint NOT NULL,
    cap_balance bigint,
    posted_before bigint NOT NULL,
    amount bigint NOT NULL CHECK (amount <> 0),
    rebate bigint NOT NULL,
    coop bigint NOT NULL,
    calculated_at timestamptz NOT NULL,
    CHECK (rebate + coop = amount),
    CHECK ((grain = 'transaction') = (transaction_id IS NOT NULL AND purchase_id IS NOT NULL))
);
CREATE INDEX earnings_by_partner ON earnings (partner_id, id);
CREATE INDEX earnings_by_enrollment ON earnings (enrollment_id, id);
CREATE INDEX earnings_by_month ON earnings (earned_in, id);
CREATE INDEX earnings_by_purchase ON earnings (purchase_id) WHERE purchase_id IS NOT NULL;
CREATE TRIGGER earnings_are_never_changed BEFORE UPDATE ON earnings
    FOR EACH ROW EXECUTE FUNCTION refuse_change('earnings are append-only');
CREATE TRIGGER earnings_are_never_deleted BEFORE DELETE ON earnings
    FOR EACH ROW EXECUTE FUNCTION refuse_change('earnings are append-only');

-- What did not earn, or what a cap cut off.
CREATE TABLE ineligible_records (
    id uuid NOT NULL PRIMARY KEY,
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
    partner_id uuid NOT NULL,
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL CHECK (length(lever) BETWEEN 1 AND 64),
    grain text COLLATE "C" NOT NULL CHECK (grain IN ('transaction', 'customer_month', 'month')),
    transaction_id uuid,
    purchase_id uuid,
    customer_id text COLLATE "C" CHECK (length(customer_id) BETWEEN 1 AND 128),
    earned_in date NOT NULL CHECK (extract(day FROM earned_in) = 1),
    code text COLLATE "C" NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    bought_on date,
    curable boolean NOT NULL,
    capped bigint,
    currency text COLLATE "C" CHECK (length(currency) = 3),
    recorded_at timestamptz NOT NULL,
    cured_at timestamptz,
    CHECK (capped IS NULL OR currency IS NOT NULL),
    CHECK ((grain = 'transaction') = (transaction_id IS NOT NULL AND purchase_id IS NOT NULL))
);
CREATE INDEX ineligible_records_by_partner ON ineligible_records (partner_id, id);
CREATE INDEX ineligible_records_by_enrollment ON ineligible_records (enrollment_id, id);
CREATE INDEX ineligible_records_by_month ON ineligible_records (earned_in, id);
CREATE INDEX ineligible_records_by_purchase ON ineligible_records (purchase_id) WHERE purchase_id IS NOT NULL;
CREATE INDEX ineligible_records_open ON ineligible_records (enrollment_id, bought_on, transaction_id)
    WHERE curable AND cured_at IS NULL AND code <> 'exchange_rate_missing';
-- What waits for a rate lies apart, by the month and the currency it waits for: until that comes nobody reads it.
CREATE INDEX ineligible_records_without_rate
    ON ineligible_records (earned_in, partner_id, currency, bought_on, transaction_id)
    WHERE code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NOT NULL;
CREATE INDEX ineligible_records_months_without_rate ON ineligible_records (enrollment_id, version)
    WHERE code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NULL;

-- The calculation's state: which sales it has taken in, and where each lever stands.
-- No enrollment is ever deleted; looking it up once more for every sale would cost a run dear.
CREATE TABLE counted_sales (
    enrollment_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    offsets jsonb,
    PRIMARY KEY (enrollment_id, transaction_id)
);

CREATE TABLE lever_volumes (
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    volume bigint NOT NULL,
    PRIMARY KEY (enrollment_id, version, lever, month)
);

-- What is used of a cap, in the version's currency; no customer where all share one balance.
CREATE TABLE cap_uses (
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    used bigint NOT NULL,
    PRIMARY KEY (enrollment_id, version, lever, customer_id)
);
CREATE INDEX cap_uses_by_use ON cap_uses (enrollment_id, version, lever, used);

-- What is rounded and posted as one and is more than a transaction.
CREATE TABLE lever_groups (
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    customer_id text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    base bigint NOT NULL,
    unrounded text COLLATE "C" NOT NULL CHECK (length(unrounded) BETWEEN 1 AND 40),
    settled_base bigint NOT NULL,
    settled text COLLATE "C" NOT NULL CHECK (length(settled) BETWEEN 1 AND 40),
    posted bigint NOT NULL,
    cut bigint NOT NULL,
    used bigint NOT NULL,
    told boolean NOT NULL,
    PRIMARY KEY (enrollment_id, version, lever, month, customer_id, currency)
);

-- What each lever has given, by the month it applies to and the month it is paid with: what statements show.
CREATE TABLE lever_months (
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
    posted_in date NOT NULL CHECK (extract(day FROM posted_in) = 1),
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL,
    earned_in date NOT NULL CHECK (extract(day FROM earned_in) = 1),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    earnings bigint NOT NULL,
    base bigint NOT NULL,
    amount bigint NOT NULL,
    rebate bigint NOT NULL,
    coop bigint NOT NULL,
    PRIMARY KEY (enrollment_id, posted_in, version, lever, earned_in, currency),
    CHECK (rebate + coop = amount)
);

-- The same of what did not earn: how many records were made and cured, what was billed, what a cap cut off.
CREATE TABLE ineligible_months (
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
    posted_in date NOT NULL CHECK (extract(day FROM posted_in) = 1),
    version integer NOT NULL,
    lever text COLLATE "C" NOT NULL,
    earned_in date NOT NULL CHECK (extract(day FROM earned_in) = 1),
    code text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    records bigint NOT NULL,
    cured bigint NOT NULL,
    billed bigint NOT NULL,
    capped bigint NOT NULL,
    PRIMARY KEY (enrollment_id, posted_in, version, lever, earned_in, code, currency)
);

-- The payable of an enrollment for a month it was posted in, in one currency.
CREATE TABLE rebates (
    id uuid NOT NULL PRIMARY KEY,
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
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
    UNIQUE (enrollment_id, posted_in, currency),
    CHECK (state <> 'on_hold' OR state_reason IS NOT NULL)
);
CREATE INDEX rebates_by_partner ON rebates (partner_id, id);
CREATE INDEX rebates_by_enrollment ON rebates (enrollment_id, id);
CREATE INDEX rebates_by_month ON rebates (posted_in, id);
CREATE INDEX rebates_by_state ON rebates (state, id);
CREATE TRIGGER rebates_begin_in_open_months BEFORE INSERT ON rebates
    FOR EACH ROW EXECUTE FUNCTION refuse_closed_month();
CREATE TRIGGER rebates_grow_in_open_months BEFORE UPDATE ON rebates
    FOR EACH ROW WHEN ((NEW.earned, NEW.adjusted, NEW.coop, NEW.posted_in, NEW.currency, NEW.enrollment_id)
        IS DISTINCT FROM (OLD.earned, OLD.adjusted, OLD.coop, OLD.posted_in, OLD.currency, OLD.enrollment_id))
    EXECUTE FUNCTION refuse_closed_month();
CREATE INDEX rebates_waiting ON rebates (partner_id) WHERE state IN ('payable', 'on_hold');

-- What somebody corrects by hand: proposed by one, decided by another.
CREATE TABLE adjustments (
    id uuid NOT NULL PRIMARY KEY,
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
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
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    CHECK ((state = 'approved') = (posted_in IS NOT NULL)),
    CHECK (decided_by IS NULL OR decided_by IS DISTINCT FROM proposed_by)
);
CREATE INDEX adjustments_by_partner ON adjustments (partner_id, id);
CREATE INDEX adjustments_by_enrollment ON adjustments (enrollment_id, id);
CREATE INDEX adjustments_by_state ON adjustments (state, id);

-- The double-entry ledger: a row is one transfer, so every posting balances.
CREATE TABLE ledger_transfers (
    id uuid NOT NULL PRIMARY KEY,
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
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
    CHECK (debit <> credit)
);
CREATE INDEX ledger_transfers_by_account ON ledger_transfers (enrollment_id, month, currency, debit, credit, amount);
CREATE TRIGGER ledger_transfers_are_never_changed BEFORE UPDATE ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the ledger is append-only');
CREATE TRIGGER ledger_transfers_are_never_deleted BEFORE DELETE ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the ledger is append-only');
-- What is owed of a closed month may still move from one account to another: no more comes to it.
CREATE TRIGGER ledger_transfers_begin_in_open_months BEFORE INSERT ON ledger_transfers
    FOR EACH ROW WHEN ('programme_expense' IN (NEW.debit, NEW.credit))
    EXECUTE FUNCTION refuse_transfer_to_closed_month();

-- A database that has sales already has everything still to calculate.
INSERT INTO calculation_backlog SELECT DISTINCT partner_id, DATE '1900-01-01' FROM transaction_records;
