ALTER TABLE bank_reports DROP COLUMN problem;
ALTER TABLE bank_reports DROP COLUMN next_try_at;
UPDATE disputes SET held_rebate_id = NULL WHERE state = 'upheld';
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
    CHECK (held_rebate_id IS NULL OR state IN ('open', 'information_requested', 'escalated'))
) STRICT;
INSERT INTO new_disputes SELECT * FROM disputes;
DROP TABLE disputes;
ALTER TABLE new_disputes RENAME TO disputes;
CREATE UNIQUE INDEX disputes_once ON disputes (partner_id, subject, subject_id);
CREATE INDEX disputes_by_id ON disputes (id);
CREATE INDEX disputes_by_record ON disputes (subject_id, id);
CREATE INDEX disputes_by_state ON disputes (state, id);

ALTER TABLE payout_profiles DROP COLUMN account_revision;
ALTER TABLE payments DROP COLUMN payout_revision;
