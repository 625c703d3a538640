ALTER TABLE bank_reports DROP COLUMN problem;
ALTER TABLE bank_reports DROP COLUMN next_try_at;
UPDATE disputes SET held_rebate_id = NULL WHERE state = 'upheld';
ALTER TABLE disputes DROP CONSTRAINT disputes_check2;
ALTER TABLE disputes ADD CONSTRAINT disputes_check2
    CHECK (held_rebate_id IS NULL OR state IN ('open', 'information_requested', 'escalated'));
ALTER TABLE payout_profiles DROP COLUMN account_revision;
ALTER TABLE payments DROP COLUMN payout_revision;
