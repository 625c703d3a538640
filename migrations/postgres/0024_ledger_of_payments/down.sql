ALTER TABLE ledger_transfers
    DROP CONSTRAINT ledger_transfers_debit_check,
    DROP CONSTRAINT ledger_transfers_credit_check,
    ADD CONSTRAINT ledger_transfers_debit_check CHECK (debit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_paid',
        'rebate_forfeited', 'coop_available', 'coop_committed', 'coop_paid', 'coop_forfeited')),
    ADD CONSTRAINT ledger_transfers_credit_check CHECK (credit IN ('programme_expense', 'rebate_accrued', 'rebate_payable', 'rebate_paid',
        'rebate_forfeited', 'coop_available', 'coop_committed', 'coop_paid', 'coop_forfeited'));
