-- Money: exchange rates, accounting months, the calculation with its books, the ledger.

-- Since when a change of state let the enrollment earn, and since when it did not; windows of earning are read off it.
ALTER TABLE enrollment_changes ADD COLUMN earnings_start_on TEXT CHECK (earnings_start_on IS date(earnings_start_on));
ALTER TABLE enrollment_changes ADD COLUMN ineligible_since TEXT CHECK (ineligible_since IS date(ineligible_since));
UPDATE enrollment_changes SET
    earnings_start_on = (SELECT e.earnings_start_on FROM enrollments e WHERE e.id = enrollment_id),
    ineligible_since = CASE WHEN to_state = 'ineligible' THEN as_of END;

-- Whether a customer is new is asked of every sale.
CREATE INDEX transactions_by_customer ON transaction_records (customer_id, partner_id, occurred_on, id);

-- A sale is counted once among all enrollments of a partner, program and year.
CREATE INDEX enrollments_by_year ON enrollments (partner_id, program_id, program_year, id);

-- One rate for each month and pair, whichever way round, in units of 10^-10; published once.
CREATE TABLE fx_rates (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    base TEXT NOT NULL CHECK (length(base) = 3),
    quote TEXT NOT NULL CHECK (length(quote) = 3 AND quote <> base),
    rate INTEGER NOT NULL CHECK (rate > 0),
    published_at INTEGER NOT NULL,
    published_by BLOB CHECK (length(published_by) = 16)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX fx_rates_by_pair ON fx_rates (month, min(base, quote), max(base, quote));
CREATE INDEX fx_rates_by_month ON fx_rates (month, id);
CREATE TRIGGER fx_rates_are_never_changed BEFORE UPDATE ON fx_rates
BEGIN SELECT RAISE(ABORT, 'published rates are immutable'); END;
CREATE TRIGGER fx_rates_are_never_deleted BEFORE DELETE ON fx_rates
BEGIN SELECT RAISE(ABORT, 'published rates are immutable'); END;

-- Months close in order and are never opened again.
CREATE TABLE closed_months (
    month TEXT NOT NULL PRIMARY KEY CHECK (month IS date(month, 'start of month')),
    closed_at INTEGER NOT NULL,
    closed_by BLOB CHECK (length(closed_by) = 16),
    reason TEXT CHECK (length(reason) BETWEEN 3 AND 1000)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER closed_months_are_never_changed BEFORE UPDATE ON closed_months
BEGIN SELECT RAISE(ABORT, 'a closed month is never opened again'); END;
CREATE TRIGGER closed_months_are_never_deleted BEFORE DELETE ON closed_months
BEGIN SELECT RAISE(ABORT, 'a closed month is never opened again'); END;

-- Partners whose earnings have to be looked at, and from which day on.
CREATE TABLE calculation_backlog (
    partner_id BLOB NOT NULL PRIMARY KEY REFERENCES partners (id) ON DELETE CASCADE,
    from_day TEXT NOT NULL CHECK (from_day IS date(from_day))
) STRICT, WITHOUT ROWID;

CREATE TABLE calculation_runs (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    partner_id BLOB REFERENCES partners (id),
    state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
    done INTEGER NOT NULL CHECK (done >= 0),
    total INTEGER NOT NULL CHECK (total >= 0),
    sales INTEGER NOT NULL CHECK (sales >= 0),
    earnings INTEGER NOT NULL CHECK (earnings >= 0),
    ineligible_records INTEGER NOT NULL CHECK (ineligible_records >= 0),
    error TEXT CHECK (length(error) BETWEEN 1 AND 1000),
    requested_by BLOB CHECK (length(requested_by) = 16),
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((state = 'running') = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX calculation_runs_one_running ON calculation_runs (state) WHERE state = 'running';

-- What one lever gives, in minor units. The trace is made of these figures and the version's lever when it is read.
CREATE TABLE earnings (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    partner_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    lever TEXT NOT NULL CHECK (length(lever) BETWEEN 1 AND 64),
    grain TEXT NOT NULL CHECK (grain IN ('transaction', 'customer_month', 'month')),
    transaction_id BLOB CHECK (length(transaction_id) = 16),
    purchase_id BLOB CHECK (length(purchase_id) = 16),
    customer_id TEXT CHECK (length(customer_id) BETWEEN 1 AND 128),
    earned_in TEXT NOT NULL CHECK (earned_in IS date(earned_in, 'start of month')),
    posted_in TEXT NOT NULL CHECK (posted_in IS date(posted_in, 'start of month') AND posted_in >= earned_in),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    base INTEGER NOT NULL,
    net INTEGER NOT NULL,
    volume INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    unrounded TEXT NOT NULL CHECK (length(unrounded) BETWEEN 1 AND 40),
    whole INTEGER NOT NULL,
    cap_balance INTEGER,
    posted_before INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount <> 0),
    rebate INTEGER NOT NULL,
    coop INTEGER NOT NULL,
    calculated_at INTEGER NOT NULL,
    CHECK (rebate + coop = amount),
    CHECK ((grain = 'transaction') = (transaction_id IS NOT NULL AND purchase_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX earnings_by_partner ON earnings (partner_id, id);
CREATE INDEX earnings_by_enrollment ON earnings (enrollment_id, id);
CREATE INDEX earnings_by_month ON earnings (earned_in, id);
CREATE INDEX earnings_by_purchase ON earnings (purchase_id) WHERE purchase_id IS NOT NULL;
CREATE TRIGGER earnings_are_never_changed BEFORE UPDATE ON earnings
BEGIN SELECT RAISE(ABORT, 'earnings are append-only'); END;
CREATE TRIGGER earnings_are_never_deleted BEFORE DELETE ON earnings
BEGIN SELECT RAISE(ABORT, 'earnings are append-only'); END;

-- What did not earn, or what a cap cut off.
CREATE TABLE ineligible_records (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    partner_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    lever TEXT NOT NULL CHECK (length(lever) BETWEEN 1 AND 64),
    grain TEXT NOT NULL CHECK (grain IN ('transaction', 'customer_month', 'month')),
    transaction_id BLOB CHECK (length(transaction_id) = 16),
    purchase_id BLOB CHECK (length(purchase_id) = 16),
    customer_id TEXT CHECK (length(customer_id) BETWEEN 1 AND 128),
    earned_in TEXT NOT NULL CHECK (earned_in IS date(earned_in, 'start of month')),
    code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    bought_on TEXT CHECK (bought_on IS date(bought_on)),
    curable INTEGER NOT NULL CHECK (curable IN (0, 1)),
    capped INTEGER,
    currency TEXT CHECK (length(currency) = 3),
    recorded_at INTEGER NOT NULL,
    cured_at INTEGER,
    CHECK (capped IS NULL OR currency IS NOT NULL),
    CHECK ((grain = 'transaction') = (transaction_id IS NOT NULL AND purchase_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX ineligible_records_by_partner ON ineligible_records (partner_id, id);
CREATE INDEX ineligible_records_by_enrollment ON ineligible_records (enrollment_id, id);
CREATE INDEX ineligible_records_by_month ON ineligible_records (earned_in, id);
CREATE INDEX ineligible_records_by_purchase ON ineligible_records (purchase_id) WHERE purchase_id IS NOT NULL;
CREATE INDEX ineligible_records_open ON ineligible_records (enrollment_id, bought_on, transaction_id)
    WHERE curable = 1 AND cured_at IS NULL AND code <> 'exchange_rate_missing';
-- What waits for a rate lies apart, by the month and the currency it waits for: until that comes nobody reads it.
CREATE INDEX ineligible_records_without_rate
    ON ineligible_records (earned_in, partner_id, currency, bought_on, transaction_id)
    WHERE code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NOT NULL;
CREATE INDEX ineligible_records_months_without_rate ON ineligible_records (enrollment_id, version)
    WHERE code = 'exchange_rate_missing' AND cured_at IS NULL AND transaction_id IS NULL;

-- The calculation's state: which sales it has taken in, and where each lever stands.
-- No enrollment is ever deleted; looking it up once more for every sale would cost a run dear.
CREATE TABLE counted_sales (
    enrollment_id BLOB NOT NULL,
    transaction_id BLOB NOT NULL CHECK (length(transaction_id) = 16),
    offsets TEXT CHECK (offsets IS NULL OR json_valid(offsets)),
    PRIMARY KEY (enrollment_id, transaction_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE lever_volumes (
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    version INTEGER NOT NULL,
    lever TEXT NOT NULL,
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    volume INTEGER NOT NULL,
    PRIMARY KEY (enrollment_id, version, lever, month)
) STRICT, WITHOUT ROWID;

-- What is used of a cap, in the version's currency; no customer where all share one balance.
CREATE TABLE cap_uses (
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    version INTEGER NOT NULL,
    lever TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (enrollment_id, version, lever, customer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX cap_uses_by_use ON cap_uses (enrollment_id, version, lever, used);

-- What is rounded and posted as one and is more than a transaction.
CREATE TABLE lever_groups (
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    version INTEGER NOT NULL,
    lever TEXT NOT NULL,
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    customer_id TEXT NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    base INTEGER NOT NULL,
    unrounded TEXT NOT NULL CHECK (length(unrounded) BETWEEN 1 AND 40),
    settled_base INTEGER NOT NULL,
    settled TEXT NOT NULL CHECK (length(settled) BETWEEN 1 AND 40),
    posted INTEGER NOT NULL,
    cut INTEGER NOT NULL,
    used INTEGER NOT NULL,
    told INTEGER NOT NULL CHECK (told IN (0, 1)),
    PRIMARY KEY (enrollment_id, version, lever, month, customer_id, currency)
) STRICT, WITHOUT ROWID;

-- What each lever has given, by the month it applies to and the month it is paid with: what statements show.
CREATE TABLE lever_months (
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    posted_in TEXT NOT NULL CHECK (posted_in IS date(posted_in, 'start of month')),
    version INTEGER NOT NULL,
    lever TEXT NOT NULL,
    earned_in TEXT NOT NULL CHECK (earned_in IS date(earned_in, 'start of month')),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    earnings INTEGER NOT NULL,
    base INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    rebate INTEGER NOT NULL,
    coop INTEGER NOT NULL,
    PRIMARY KEY (enrollment_id, posted_in, version, lever, earned_in, currency),
    CHECK (rebate + coop = amount)
) STRICT, WITHOUT ROWID;

-- The same of what did not earn: how many records were made and cured, what was billed, what a cap cut off.
CREATE TABLE ineligible_months (
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    posted_in TEXT NOT NULL CHECK (posted_in IS date(posted_in, 'start of month')),
    version INTEGER NOT NULL,
    lever TEXT NOT NULL,
    earned_in TEXT NOT NULL CHECK (earned_in IS date(earned_in, 'start of month')),
    code TEXT NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    records INTEGER NOT NULL,
    cured INTEGER NOT NULL,
    billed INTEGER NOT NULL,
    capped INTEGER NOT NULL,
    PRIMARY KEY (enrollment_id, posted_in, version, lever, earned_in, code, currency)
) STRICT, WITHOUT ROWID;

-- The payable of an enrollment for a month it was posted in, in one currency.
CREATE TABLE rebates (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    posted_in TEXT NOT NULL CHECK (posted_in IS date(posted_in, 'start of month')),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    earned INTEGER NOT NULL,
    adjusted INTEGER NOT NULL,
    coop INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('accruing', 'payable', 'on_hold', 'in_payment', 'paid', 'failed', 'forfeited', 'offset')),
    state_reason TEXT CHECK (length(state_reason) BETWEEN 1 AND 64),
    state_comment TEXT CHECK (length(state_comment) BETWEEN 1 AND 1000),
    state_since TEXT CHECK (state_since IS date(state_since)),
    as_of INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    UNIQUE (enrollment_id, posted_in, currency),
    CHECK (state <> 'on_hold' OR state_reason IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX rebates_by_partner ON rebates (partner_id, id);
CREATE INDEX rebates_by_enrollment ON rebates (enrollment_id, id);
CREATE INDEX rebates_by_month ON rebates (posted_in, id);
CREATE INDEX rebates_by_state ON rebates (state, id);
CREATE TRIGGER rebates_begin_in_open_months BEFORE INSERT ON rebates
WHEN EXISTS (SELECT 1 FROM closed_months WHERE month = NEW.posted_in)
BEGIN SELECT RAISE(ABORT, 'a closed month never changes'); END;
CREATE TRIGGER rebates_grow_in_open_months BEFORE UPDATE ON rebates
WHEN (NEW.earned, NEW.adjusted, NEW.coop, NEW.posted_in, NEW.currency, NEW.enrollment_id)
    IS NOT (OLD.earned, OLD.adjusted, OLD.coop, OLD.posted_in, OLD.currency, OLD.enrollment_id)
    AND EXISTS (SELECT 1 FROM closed_months WHERE month IN (OLD.posted_in, NEW.posted_in))
BEGIN SELECT RAISE(ABORT, 'a closed month never changes'); END;
CREATE INDEX rebates_waiting ON rebates (partner_id) WHERE state IN ('payable', 'on_hold');

-- What somebody corrects by hand: proposed by one, decided by another.
CREATE TABLE adjustments (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    amount INTEGER NOT NULL CHECK (amount <> 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    earned_in TEXT NOT NULL CHECK (earned_in IS date(earned_in, 'start of month')),
    posted_in TEXT CHECK (posted_in IS date(posted_in, 'start of month')),
    reason_code TEXT NOT NULL CHECK (length(reason_code) BETWEEN 1 AND 64),
    comment TEXT NOT NULL CHECK (length(comment) BETWEEN 3 AND 1000),
    state TEXT NOT NULL CHECK (state IN ('proposed', 'approved', 'rejected')),
    proposed_by BLOB CHECK (length(proposed_by) = 16),
    decided_by BLOB CHECK (length(decided_by) = 16),
    decision_comment TEXT CHECK (length(decision_comment) BETWEEN 3 AND 1000),
    decided_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    CHECK ((state = 'approved') = (posted_in IS NOT NULL)),
    CHECK (decided_by IS NULL OR decided_by IS NOT proposed_by)
) STRICT, WITHOUT ROWID;
CREATE INDEX adjustments_by_partner ON adjustments (partner_id, id);
CREATE INDEX adjustments_by_enrollment ON adjustments (enrollment_id, id);
CREATE INDEX adjustments_by_state ON adjustments (state, id);

-- The double-entry ledger: a row is one transfer, so every posting balances.
CREATE TABLE ledger_transfers (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    debit TEXT NOT NULL CHECK (debit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_paid',
        'rebate_forfeited', 'coop_available', 'coop_committed', 'coop_paid', 'coop_forfeited')),
    credit TEXT NOT NULL CHECK (credit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_paid',
        'rebate_forfeited', 'coop_available', 'coop_committed', 'coop_paid', 'coop_forfeited')),
    amount INTEGER NOT NULL CHECK (amount > 0),
    cause TEXT NOT NULL CHECK (length(cause) BETWEEN 1 AND 60),
    cause_id BLOB CHECK (length(cause_id) = 16),
    posted_at INTEGER NOT NULL,
    CHECK (debit <> credit)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_transfers_by_account ON ledger_transfers (enrollment_id, month, currency, debit, credit, amount);
CREATE TRIGGER ledger_transfers_are_never_changed BEFORE UPDATE ON ledger_transfers
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_transfers_are_never_deleted BEFORE DELETE ON ledger_transfers
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- What is owed of a closed month may still move from one account to another: no more comes to it.
CREATE TRIGGER ledger_transfers_begin_in_open_months BEFORE INSERT ON ledger_transfers
WHEN 'programme_expense' IN (NEW.debit, NEW.credit)
    AND EXISTS (SELECT 1 FROM closed_months WHERE month = NEW.month)
BEGIN SELECT RAISE(ABORT, 'a closed month never changes'); END;

-- A database that has sales already has everything still to calculate.
INSERT INTO calculation_backlog SELECT DISTINCT partner_id, '1900-01-01' FROM transaction_records;
