CREATE TABLE programs (
    id uuid NOT NULL PRIMARY KEY,
    code text COLLATE "C" NOT NULL UNIQUE CHECK (length(code) BETWEEN 1 AND 64),
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    partner_types jsonb NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('open', 'closed', 'discontinued')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0)
);

-- Where a program stood before: up to a day, since the period before. After the last period the program's record says
-- where the program stands.
CREATE TABLE program_periods (
    program_id uuid NOT NULL REFERENCES programs (id),
    last_day date NOT NULL,
    partner_types jsonb NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('open', 'closed', 'discontinued')),
    PRIMARY KEY (program_id, last_day)
);

CREATE TABLE program_versions (
    id uuid NOT NULL PRIMARY KEY,
    program_id uuid NOT NULL REFERENCES programs (id),
    version integer NOT NULL CHECK (version > 0),
    program_year integer NOT NULL CHECK (program_year BETWEEN 1901 AND 9999),
    effective_from date NOT NULL,
    effective_to date NOT NULL CHECK (effective_to >= effective_from),
    requirements jsonb NOT NULL,
    levers jsonb NOT NULL,
    rebate_rate bigint NOT NULL CHECK (rebate_rate BETWEEN 0 AND 1000000),
    payment_threshold bigint NOT NULL CHECK (payment_threshold >= 0),
    coop_threshold bigint NOT NULL CHECK (coop_threshold >= 0),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    invitation_days integer NOT NULL CHECK (invitation_days BETWEEN 1 AND 365),
    rounding text COLLATE "C" NOT NULL CHECK (rounding IN ('half_away_from_zero')),
    state text COLLATE "C" NOT NULL CHECK (state IN ('draft', 'published')),
    published_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    UNIQUE (program_id, version),
    CHECK ((state = 'published') = (published_at IS NOT NULL))
);
CREATE INDEX program_versions_by_effect ON program_versions (program_id, state, effective_from);

CREATE TABLE evaluations (
    id uuid NOT NULL,
    partner_id uuid NOT NULL REFERENCES partners (id),
    program_id uuid NOT NULL REFERENCES programs (id),
    version integer NOT NULL,
    as_of date NOT NULL,
    evaluated_at timestamptz NOT NULL,
    outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('eligible', 'ineligible')),
    eligible_until date,
    checks jsonb NOT NULL,
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (program_id, version) REFERENCES program_versions (program_id, version)
);
CREATE INDEX evaluations_by_id ON evaluations (id);
CREATE INDEX evaluations_by_program ON evaluations (program_id, id);
CREATE TRIGGER evaluations_are_never_changed BEFORE UPDATE ON evaluations
    FOR EACH ROW EXECUTE FUNCTION refuse_change('evaluations are immutable');

CREATE TABLE enrollments (
    id uuid NOT NULL,
    partner_id uuid NOT NULL REFERENCES partners (id),
    program_id uuid NOT NULL REFERENCES programs (id),
    version integer NOT NULL,
    program_year integer NOT NULL CHECK (program_year BETWEEN 1901 AND 9999),
    state text COLLATE "C" NOT NULL CHECK (state IN ('invited', 'action_required', 'validating', 'enrolled', 'ineligible', 'expired', 'opted_out', 'discontinued')),
    invited_on date,
    invitation_expires_on date,
    accepted_by uuid,
    earnings_start_on date,
    ineligible_since date,
    ended_on date,
    evaluation_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (program_id, version) REFERENCES program_versions (program_id, version),
    FOREIGN KEY (partner_id, evaluation_id) REFERENCES evaluations (partner_id, id)
);
CREATE INDEX enrollments_by_id ON enrollments (id);
CREATE UNIQUE INDEX enrollments_one_open ON enrollments (partner_id, program_id, program_year)
    WHERE state IN ('invited', 'action_required', 'validating', 'enrolled', 'ineligible');
CREATE INDEX enrollments_by_program ON enrollments (program_id, id);
CREATE INDEX enrollments_by_state ON enrollments (state, id);
-- A sale is counted once among all enrollments of a partner, program and year.
CREATE INDEX enrollments_by_year ON enrollments (partner_id, program_id, program_year, id);

-- Every change of state, and since when it let the enrollment earn, or not: windows of earning are read off them.
CREATE TABLE enrollment_changes (
    id uuid NOT NULL,
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    from_state text COLLATE "C",
    to_state text COLLATE "C" NOT NULL,
    cause text COLLATE "C" NOT NULL,
    actor_id uuid,
    as_of date NOT NULL,
    evaluation_id uuid NOT NULL,
    reason text COLLATE "C",
    occurred_at timestamptz NOT NULL,
    earnings_start_on date,
    ineligible_since date,
    PRIMARY KEY (partner_id, enrollment_id, id),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id),
    FOREIGN KEY (partner_id, evaluation_id) REFERENCES evaluations (partner_id, id)
);

-- Which reminder an enrollment has had for which last good day.
CREATE TABLE reminders (
    partner_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    lapses_on date NOT NULL,
    stage text COLLATE "C" NOT NULL CHECK (length(stage) BETWEEN 1 AND 20),
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (partner_id, enrollment_id, lapses_on, stage),
    FOREIGN KEY (partner_id, enrollment_id) REFERENCES enrollments (partner_id, id)
);
