-- Accounts for co-op funds that are planned, in a payment, withheld as tax, and for those that became rebate.
CREATE TABLE ledger_transfers_with_plans (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    debit TEXT NOT NULL CHECK (debit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_in_payment',
        'rebate_paid', 'rebate_returned', 'rebate_withheld', 'rebate_offset',
        'rebate_forfeited', 'coop_available', 'coop_planned', 'coop_committed', 'coop_in_payment',
        'coop_paid', 'coop_withheld', 'coop_forfeited', 'coop_converted')),
    credit TEXT NOT NULL CHECK (credit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_in_payment',
        'rebate_paid', 'rebate_returned', 'rebate_withheld', 'rebate_offset',
        'rebate_forfeited', 'coop_available', 'coop_planned', 'coop_committed', 'coop_in_payment',
        'coop_paid', 'coop_withheld', 'coop_forfeited', 'coop_converted')),
    amount INTEGER NOT NULL CHECK (amount > 0),
    cause TEXT NOT NULL CHECK (length(cause) BETWEEN 1 AND 60),
    cause_id BLOB CHECK (length(cause_id) = 16),
    posted_at INTEGER NOT NULL,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (debit <> credit)
) STRICT;
INSERT INTO ledger_transfers_with_plans SELECT * FROM ledger_transfers;
DROP TABLE ledger_transfers;
ALTER TABLE ledger_transfers_with_plans RENAME TO ledger_transfers;
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

-- What a rebate has of co-op funds that stayed below their threshold.
DROP TRIGGER rebates_grow_in_open_months;
ALTER TABLE rebates ADD COLUMN converted INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER rebates_grow_in_open_months BEFORE UPDATE ON rebates
WHEN (NEW.earned, NEW.adjusted, NEW.coop, NEW.converted, NEW.posted_in, NEW.currency, NEW.enrollment_id, NEW.partner_id)
    IS NOT (OLD.earned, OLD.adjusted, OLD.coop, OLD.converted, OLD.posted_in, OLD.currency, OLD.enrollment_id, OLD.partner_id)
    AND EXISTS (SELECT 1 FROM closed_months WHERE month IN (OLD.posted_in, NEW.posted_in))
BEGIN SELECT RAISE(ABORT, 'a closed month never changes'); END;

-- A co-op fund: what an enrollment has for marketing from one half-year, in one currency. Its parts are balances of the
-- ledger, and add up after every step.
CREATE TABLE coop_funds (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    half_year TEXT NOT NULL CHECK (half_year IS date(half_year, 'start of month')
        AND strftime('%m', half_year) IN ('01', '07')),
    last_month TEXT NOT NULL CHECK (last_month IS date(half_year, '+5 months')),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    state TEXT NOT NULL CHECK (state IN ('estimated', 'claimable', 'converted', 'ended')),
    earned INTEGER NOT NULL,
    converted INTEGER NOT NULL,
    claimable INTEGER NOT NULL,
    planned INTEGER NOT NULL,
    committed INTEGER NOT NULL,
    paid INTEGER NOT NULL,
    forfeited INTEGER NOT NULL,
    remaining INTEGER NOT NULL,
    converted_in TEXT CHECK (converted_in IS date(converted_in, 'start of month')),
    reminded_days INTEGER CHECK (reminded_days IN (60, 30, 7)),
    as_of INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, enrollment_id, half_year, currency),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (earned = converted + claimable),
    CHECK (claimable = planned + committed + paid + forfeited + remaining),
    CHECK (planned >= 0 AND committed >= 0 AND paid >= 0 AND forfeited >= 0),
    CHECK (state = 'estimated' OR remaining >= 0),
    CHECK (state <> 'estimated' OR (converted = 0 AND claimable = remaining)),
    CHECK (state <> 'converted' OR claimable = 0),
    CHECK ((state = 'converted') = (converted_in IS NOT NULL)),
    CHECK (state <> 'ended' OR remaining = 0)
) STRICT;
CREATE INDEX coop_funds_by_id ON coop_funds (id);
CREATE INDEX coop_funds_by_enrollment ON coop_funds (enrollment_id, id);
CREATE INDEX coop_funds_by_state ON coop_funds (state, id);
CREATE INDEX coop_funds_by_half_year ON coop_funds (half_year, id);
CREATE INDEX coop_funds_open ON coop_funds (partner_id) WHERE state IN ('estimated', 'claimable');
-- What was posted before has its funds too; a fund has the id of its first rebate.
INSERT INTO coop_funds
    SELECT min(id), partner_id, enrollment_id, half_year, date(half_year, '+5 months'), currency, 'estimated', sum(coop), 0,
        sum(coop), 0, 0, 0, 0, sum(coop), NULL, NULL, max(as_of), min(created_at), max(as_of), 1
    FROM (SELECT *, CASE WHEN strftime('%m', posted_in) < '07' THEN strftime('%Y-01-01', posted_in)
        ELSE strftime('%Y-07-01', posted_in) END AS half_year FROM rebates WHERE coop <> 0) posted
    GROUP BY partner_id, enrollment_id, half_year, currency;
