-- What partners object to: a figure of theirs, with the figure that they expect. Each record is disputed once.
CREATE TABLE disputes (
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
CREATE UNIQUE INDEX disputes_once ON disputes (partner_id, subject, subject_id);
CREATE INDEX disputes_by_id ON disputes (id);
CREATE INDEX disputes_by_record ON disputes (subject_id, id);
CREATE INDEX disputes_by_state ON disputes (state, id);

-- The dispute that an adjustment settles.
ALTER TABLE adjustments ADD COLUMN dispute_id BLOB CHECK (length(dispute_id) = 16);

-- Rebates that are lost on a day, unless the partner averts the loss: each announced 30 days before.
CREATE TABLE forfeitures (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    cause TEXT NOT NULL CHECK (cause IN ('held_too_long', 'below_threshold')),
    counts_from TEXT NOT NULL CHECK (counts_from IS date(counts_from)),
    amount INTEGER NOT NULL CHECK (amount > 0),
    state TEXT NOT NULL CHECK (state IN ('announced', 'averted', 'forfeited')),
    announced_on TEXT NOT NULL CHECK (announced_on IS date(announced_on)),
    forfeits_on TEXT NOT NULL CHECK (forfeits_on IS date(forfeits_on)),
    ended_on TEXT CHECK (ended_on IS date(ended_on)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK ((ended_on IS NULL) = (state = 'announced')),
    CHECK (state <> 'forfeited' OR ended_on >= forfeits_on)
) STRICT;
CREATE UNIQUE INDEX forfeitures_announced ON forfeitures (partner_id, enrollment_id, currency, cause, counts_from)
    WHERE state = 'announced';
