-- The revision of the payout profile by which a payment went into its file, or to the bank without one.
ALTER TABLE payments ADD COLUMN payout_revision bigint CHECK (payout_revision > 0);
-- The revision of the payout profile that first led to the account of now; none where the account never changed.
ALTER TABLE payout_profiles ADD COLUMN account_revision bigint CHECK (account_revision > 0);

-- What a dispute holds waits until the adjustment of an answer that upholds is decided.
ALTER TABLE disputes DROP CONSTRAINT disputes_check2;
ALTER TABLE disputes ADD CONSTRAINT disputes_check2
    CHECK (held_rebate_id IS NULL OR state IN ('open', 'information_requested', 'escalated', 'upheld'));

-- When a report is tried again that could not be applied, and the code of the problem.
ALTER TABLE bank_reports ADD COLUMN next_try_at timestamptz;
ALTER TABLE bank_reports ADD COLUMN problem text COLLATE "C" CHECK (length(problem) BETWEEN 1 AND 60);
