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

-- The payable of an enrollment for a month it was posted in, in one currency.
CREATE TABLE rebates (
    id BLOB NOT NULL CHECK (length(id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
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
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, enrollment_id, posted_in, currency),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (state <> 'on_hold' OR state_reason IS NOT NULL)
) STRICT;
CREATE INDEX rebates_by_id ON rebates (id);
CREATE INDEX rebates_by_enrollment ON rebates (partner_id, enrollment_id, id);
CREATE INDEX rebates_by_month ON rebates (posted_in, id);
CREATE INDEX rebates_by_state ON rebates (state, id);
CREATE INDEX rebates_waiting ON rebates (partner_id) WHERE state IN ('payable', 'on_hold');
CREATE TRIGGER rebates_begin_in_open_months BEFORE INSERT ON rebates
WHEN EXISTS (SELECT 1 FROM closed_months WHERE month = NEW.posted_in)
BEGIN SELECT RAISE(ABORT, 'a closed month never changes'); END;
CREATE TRIGGER rebates_grow_in_open_months BEFORE UPDATE ON rebates
WHEN (NEW.earned, NEW.adjusted, NEW.coop, NEW.posted_in, NEW.currency, NEW.enrollment_id, NEW.partner_id)
    IS NOT (OLD.earned, OLD.adjusted, OLD.coop, OLD.posted_in, OLD.currency, OLD.enrollment_id, OLD.partner_id)
    AND EXISTS (SELECT 1 FROM closed_months WHERE month IN (OLD.posted_in, NEW.posted_in))
BEGIN SELECT RAISE(ABORT, 'a closed month never changes'); END;

-- What somebody corrects by hand: proposed by one, decided by another.
CREATE TABLE adjustments (
    id BLOB NOT NULL CHECK (length(id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
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
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK ((state = 'proposed') = (decided_at IS NULL)),
    CHECK ((state = 'approved') = (posted_in IS NOT NULL)),
    CHECK (decided_by IS NULL OR decided_by IS NOT proposed_by)
) STRICT;
CREATE INDEX adjustments_by_id ON adjustments (id);
CREATE INDEX adjustments_by_enrollment ON adjustments (partner_id, enrollment_id, id);
CREATE INDEX adjustments_by_state ON adjustments (state, id);

-- The double-entry ledger: a row is one transfer, so every posting balances.
CREATE TABLE ledger_transfers (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
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
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (debit <> credit)
) STRICT;
CREATE INDEX ledger_transfers_by_account
    ON ledger_transfers (partner_id, enrollment_id, month, currency, debit, credit, amount);
CREATE TRIGGER ledger_transfers_are_never_changed BEFORE UPDATE ON ledger_transfers
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_transfers_are_never_deleted BEFORE DELETE ON ledger_transfers
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- What is owed of a closed month may still move from one account to another: no more comes to it.
CREATE TRIGGER ledger_transfers_begin_in_open_months BEFORE INSERT ON ledger_transfers
WHEN 'programme_expense' IN (NEW.debit, NEW.credit)
    AND EXISTS (SELECT 1 FROM closed_months WHERE month = NEW.month)
BEGIN SELECT RAISE(ABORT, 'a closed month never changes'); END;
