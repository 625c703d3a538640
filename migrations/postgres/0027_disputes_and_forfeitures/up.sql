-- What partners object to: a figure of theirs, with the figure that they expect. Each record is disputed once.
CREATE TABLE disputes (
    id uuid NOT NULL,
    partner_id uuid NOT NULL REFERENCES partners (id),
    subject text COLLATE "C" NOT NULL CHECK (subject IN ('earning', 'ineligible_record', 'rebate', 'payment')),
    subject_id uuid NOT NULL,
    enrollment_id uuid,
    earned_in date NOT NULL CHECK (extract(day FROM earned_in) = 1),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    figure bigint NOT NULL,
    expected bigint NOT NULL,
    reason text COLLATE "C" NOT NULL CHECK (length(reason) BETWEEN 3 AND 2000),
    state text COLLATE "C" NOT NULL CHECK (state IN ('open', 'information_requested', 'upheld', 'rejected', 'escalated',
        'rejected_finally', 'withdrawn')),
    due_on date,
    days_left bigint NOT NULL CHECK (days_left BETWEEN 0 AND 255),
    held_rebate_id uuid,
    questions jsonb NOT NULL,
    answers jsonb NOT NULL,
    adjustment_id uuid,
    escalation_reason text COLLATE "C" CHECK (length(escalation_reason) BETWEEN 3 AND 2000),
    raised_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    FOREIGN KEY (partner_id, held_rebate_id) REFERENCES rebates (partner_id, id),
    FOREIGN KEY (partner_id, adjustment_id) REFERENCES adjustments (partner_id, id),
    CHECK (expected <> figure),
    CHECK ((due_on IS NOT NULL) = (state IN ('open', 'escalated'))),
    CHECK (held_rebate_id IS NULL OR state IN ('open', 'information_requested', 'escalated'))
);
CREATE UNIQUE INDEX disputes_once ON disputes (partner_id, subject, subject_id);
CREATE INDEX disputes_by_id ON disputes (id);
CREATE INDEX disputes_by_record ON disputes (subject_id, id);
CREATE INDEX disputes_by_state ON disputes (state, id);

-- The dispute that an adjustment settles.
ALTER TABLE adjustments ADD COLUMN dispute_id uuid;

-- Rebates that are lost on a day, unless the partner averts the loss: each announced 30 days before.
CREATE TABLE forfeitures (
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    cause text COLLATE "C" NOT NULL CHECK (cause IN ('held_too_long', 'below_threshold')),
    counts_from date NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    state text COLLATE "C" NOT NULL CHECK (state IN ('announced', 'averted', 'forfeited')),
    announced_on date NOT NULL,
    forfeits_on date NOT NULL,
    ended_on date,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    CHECK ((ended_on IS NULL) = (state = 'announced')),
    CHECK (state <> 'forfeited' OR ended_on >= forfeits_on)
);
CREATE UNIQUE INDEX forfeitures_announced ON forfeitures (partner_id, enrollment_id, currency, cause, counts_from)
    WHERE state = 'announced';
