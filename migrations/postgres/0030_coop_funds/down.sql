DROP TABLE coop_funds;
DROP TRIGGER rebates_grow_in_open_months ON rebates;
ALTER TABLE rebates DROP COLUMN converted;
CREATE TRIGGER rebates_grow_in_open_months BEFORE UPDATE ON rebates
    FOR EACH ROW WHEN ((NEW.earned, NEW.adjusted, NEW.coop, NEW.posted_in, NEW.currency, NEW.enrollment_id, NEW.partner_id)
        IS DISTINCT FROM (OLD.earned, OLD.adjusted, OLD.coop, OLD.posted_in, OLD.currency, OLD.enrollment_id, OLD.partner_id))
    EXECUTE FUNCTION refuse_closed_month();
ALTER TABLE ledger_transfers
    DROP CONSTRAINT ledger_transfers_debit_check,
    DROP CONSTRAINT ledger_transfers_credit_check,
    ADD CONSTRAINT ledger_transfers_debit_check CHECK (debit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_in_payment',
        'rebate_paid', 'rebate_returned', 'rebate_withheld', 'rebate_offset',
        'rebate_forfeited', 'coop_available', 'coop_committed', 'coop_paid',
        'coop_forfeited')),
    ADD CONSTRAINT ledger_transfers_credit_check CHECK (credit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_in_payment',
        'rebate_paid', 'rebate_returned', 'rebate_withheld', 'rebate_offset',
        'rebate_forfeited', 'coop_available', 'coop_committed', 'coop_paid',
        'coop_forfeited'));
