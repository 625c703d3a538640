-- The revision of the payout profile by which a payment went into its file, or to the bank without one.
ALTER TABLE payments ADD COLUMN payout_revision INTEGER CHECK (payout_revision > 0);
-- The revision of the payout profile that first led to the account of now; none where the account never changed.
ALTER TABLE payout_profiles ADD COLUMN account_revision INTEGER CHECK (account_revision > 0);

-- What a dispute holds waits until the adjustment of an answer that upholds is decided.
CREATE TABLE new_disputes (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    subject TEXT NOT NULL CHECK (subject IN ('earning', 'ineligible_record', 'rebate', 'payment')),
    subject_id BLOB NOT NULL CHECK (length(subject_id) = 16),
    enrollment_id BLOB CHECK (length(enrollment_id) = 16),
    earned_in TEXT NOT NULL CHECK (earned_in IS date(earned_in, 'start of month')),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    figure INTEGER NOT NULL,
    expected INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (length(reason) BETWEEN 3 AND 2000),
    state TEXT NOT NULL CHECK (state IN ('open', 'information_requested', 'upheld', 'rejected', 'escalated',
        'rejected_finally', 'withdrawn')),
    due_on TEXT CHECK (due_on IS date(due_on)),
    days_left INTEGER NOT NULL CHECK (days_left BETWEEN 0 AND 255),
    held_rebate_id BLOB CHECK (length(held_rebate_id) = 16),
    questions TEXT NOT NULL CHECK (json_valid(questions)),
    answers TEXT NOT NULL CHECK (json_valid(answers)),
    adjustment_id BLOB CHECK (length(adjustment_id) = 16),
    escalation_reason TEXT CHECK (length(escalation_reason) BETWEEN 3 AND 2000),
    raised_by BLOB CHECK (length(raised_by) = 16),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    FOREIGN KEY (partner_id, held_rebate_id) REFERENCES rebates (partner_id, id),
    FOREIGN KEY (partner_id, adjustment_id) REFERENCES adjustments (partner_id, id),
    CHECK (expected <> figure),
    CHECK ((due_on IS NOT NULL) = (state IN ('open', 'escalated'))),
    CHECK (held_rebate_id IS NULL OR state IN ('open', 'information_requested', 'escalated', 'upheld'))
) STRICT;
INSERT INTO new_disputes SELECT * FROM disputes;
DROP TABLE disputes;
ALTER TABLE new_disputes RENAME TO disputes;
CREATE UNIQUE INDEX disputes_once ON disputes (partner_id, subject, subject_id);
CREATE INDEX disputes_by_id ON disputes (id);
CREATE INDEX disputes_by_record ON disputes (subject_id, id);
CREATE INDEX disputes_by_state ON disputes (state, id);

-- When a report is tried again that could not be applied, and the code of the problem.
ALTER TABLE bank_reports ADD COLUMN next_try_at INTEGER;
ALTER TABLE bank_reports ADD COLUMN problem TEXT CHECK (length(problem) BETWEEN 1 AND 60);
