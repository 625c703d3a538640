DROP TABLE coop_funds;
DROP TRIGGER rebates_grow_in_open_months;
ALTER TABLE rebates DROP COLUMN converted;
CREATE TRIGGER rebates_grow_in_open_months BEFORE UPDATE ON rebates
WHEN (NEW.earned, NEW.adjusted, NEW.coop, NEW.posted_in, NEW.currency, NEW.enrollment_id, NEW.partner_id)
    IS NOT (OLD.earned, OLD.adjusted, OLD.coop, OLD.posted_in, OLD.currency, OLD.enrollment_id, OLD.partner_id)
    AND EXISTS (SELECT 1 FROM closed_months WHERE month IN (OLD.posted_in, NEW.posted_in))
BEGIN SELECT RAISE(ABORT, 'a closed month never changes'); END;
CREATE TABLE ledger_transfers_without_plans (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    debit TEXT NOT NULL CHECK (debit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_in_payment',
        'rebate_paid', 'rebate_returned', 'rebate_withheld', 'rebate_offset',
        'rebate_forfeited', 'coop_available', 'coop_committed', 'coop_paid',
        'coop_forfeited')),
    credit TEXT NOT NULL CHECK (credit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_in_payment',
        'rebate_paid', 'rebate_returned', 'rebate_withheld', 'rebate_offset',
        'rebate_forfeited', 'coop_available', 'coop_committed', 'coop_paid',
        'coop_forfeited')),
    amount INTEGER NOT NULL CHECK (amount > 0),
    cause TEXT NOT NULL CHECK (length(cause) BETWEEN 1 AND 60),
    cause_id BLOB CHECK (length(cause_id) = 16),
    posted_at INTEGER NOT NULL,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK (debit <> credit)
) STRICT;
INSERT INTO ledger_transfers_without_plans SELECT * FROM ledger_transfers;
DROP TABLE ledger_transfers;
ALTER TABLE ledger_transfers_without_plans RENAME TO ledger_transfers;
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
