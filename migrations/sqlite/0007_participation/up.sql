CREATE TABLE programs (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    code TEXT NOT NULL UNIQUE CHECK (length(code) BETWEEN 1 AND 64),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    partner_types TEXT NOT NULL CHECK (json_valid(partner_types)),
    status TEXT NOT NULL CHECK (status IN ('open', 'closed', 'discontinued')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0)
) STRICT, WITHOUT ROWID;

-- Where a program stood before: up to a day, since the period before. After the last period the program's record says
-- where the program stands.
CREATE TABLE program_periods (
    program_id BLOB NOT NULL REFERENCES programs (id),
    last_day TEXT NOT NULL CHECK (last_day IS date(last_day)),
    partner_types TEXT NOT NULL CHECK (json_valid(partner_types)),
    status TEXT NOT NULL CHECK (status IN ('open', 'closed', 'discontinued')),
    PRIMARY KEY (program_id, last_day)
) STRICT, WITHOUT ROWID;

CREATE TABLE program_versions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    program_id BLOB NOT NULL REFERENCES programs (id),
    version INTEGER NOT NULL CHECK (version > 0),
    program_year INTEGER NOT NULL CHECK (program_year BETWEEN 1901 AND 9999),
    effective_from TEXT NOT NULL CHECK (effective_from IS date(effective_from)),
    effective_to TEXT NOT NULL CHECK (effective_to IS date(effective_to) AND effective_to >= effective_from),
    requirements TEXT NOT NULL CHECK (json_valid(requirements)),
    levers TEXT NOT NULL CHECK (json_valid(levers)),
    rebate_rate INTEGER NOT NULL CHECK (rebate_rate BETWEEN 0 AND 1000000),
    payment_threshold INTEGER NOT NULL CHECK (payment_threshold >= 0),
    coop_threshold INTEGER NOT NULL CHECK (coop_threshold >= 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    invitation_days INTEGER NOT NULL CHECK (invitation_days BETWEEN 1 AND 365),
    rounding TEXT NOT NULL CHECK (rounding IN ('half_away_from_zero')),
    state TEXT NOT NULL CHECK (state IN ('draft', 'published')),
    published_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    UNIQUE (program_id, version),
    CHECK ((state = 'published') = (published_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX program_versions_by_effect ON program_versions (program_id, state, effective_from);

CREATE TABLE evaluations (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    program_id BLOB NOT NULL REFERENCES programs (id),
    version INTEGER NOT NULL,
    as_of TEXT NOT NULL CHECK (as_of IS date(as_of)),
    evaluated_at INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('eligible', 'ineligible')),
    eligible_until TEXT CHECK (eligible_until IS date(eligible_until)),
    checks TEXT NOT NULL CHECK (json_valid(checks)),
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (program_id, version) REFERENCES program_versions (program_id, version)
) STRICT;
CREATE INDEX evaluations_by_id ON evaluations (id);
CREATE INDEX evaluations_by_program ON evaluations (program_id, id);
CREATE TRIGGER evaluations_are_never_changed BEFORE UPDATE ON evaluations
BEGIN SELECT RAISE(ABORT, 'evaluations are immutable'); END;

CREATE TABLE enrollments (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    program_id BLOB NOT NULL REFERENCES programs (id),
    version INTEGER NOT NULL,
    program_year INTEGER NOT NULL CHECK (program_year BETWEEN 1901 AND 9999),
    state TEXT NOT NULL CHECK (state IN ('invited', 'action_required', 'validating', 'enrolled', 'ineligible', 'expired', 'opted_out', 'discontinued')),
    invited_on TEXT CHECK (invited_on IS date(invited_on)),
    invitation_expires_on TEXT CHECK (invitation_expires_on IS date(invitation_expires_on)),
    accepted_by BLOB CHECK (length(accepted_by) = 16),
    earnings_start_on TEXT CHECK (earnings_start_on IS date(earnings_start_on)),
    ineligible_since TEXT CHECK (ineligible_since IS date(ineligible_since)),
    ended_on TEXT CHECK (ended_on IS date(ended_on)),
    evaluation_id BLOB NOT NULL CHECK (length(evaluation_id) = 16),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (program_id, version) REFERENCES program_versions (program_id, version),
    FOREIGN KEY (partner_id, evaluation_id) REFERENCES evaluations (partner_id, id)
) STRICT;
CREATE INDEX enrollments_by_id ON enrollments (id);
CREATE UNIQUE INDEX enrollments_one_open ON enrollments (partner_id, program_id, program_year)
    WHERE state IN ('invited', 'action_required', 'validating', 'enrolled', 'ineligible');
CREATE INDEX enrollments_by_program ON enrollments (program_id, id);
CREATE INDEX enrollments_by_state ON enrollments (state, id);
-- A sale is counted once among all enrollments of a partner, program and year.
CREATE INDEX enrollments_by_year ON enrollments (partner_id, program_id, program_year, id);

-- Every change of state, and since when it let the enrollment earn, or not: windows of earning are read off them.
CREATE TABLE enrollment_changes (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    from_state TEXT,
    to_state TEXT NOT NULL,
    cause TEXT NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    as_of TEXT NOT NULL CHECK (as_of IS date(as_of)),
    evaluation_id BLOB NOT NULL CHECK (length(evaluation_id) = 16),
    reason TEXT,
    occurred_at INTEGER NOT NULL,
    earnings_start_on TEXT CHECK (earnings_start_on IS date(earnings_start_on)),
    ineligible_since TEXT CHECK (ineligible_since IS date(ineligible_since)),
    PRIMARY KEY (partner_id, enrollment_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    FOREIGN KEY (partner_id, evaluation_id) REFERENCES evaluations (partner_id, id)
) STRICT, WITHOUT ROWID;

-- Which reminder an enrollment has had for which last good day.
CREATE TABLE reminders (
    partner_id BLOB NOT NULL CHECK (length(partner_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    lapses_on TEXT NOT NULL CHECK (lapses_on IS date(lapses_on)),
    stage TEXT NOT NULL CHECK (length(stage) BETWEEN 1 AND 20),
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, lapses_on, stage),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
) STRICT, WITHOUT ROWID;
