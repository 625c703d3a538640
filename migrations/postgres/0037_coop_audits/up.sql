-- The claims of each month whose originals are asked for.
ALTER TABLE programs ADD COLUMN coop_audit_size integer NOT NULL DEFAULT 5 CHECK (coop_audit_size BETWEEN 0 AND 1000);

-- Paid claims by the instant of their payment, which is their last change.
CREATE INDEX coop_claims_paid ON coop_claims (state, updated_at) WHERE state = 'paid';

-- The sample of a program's claims that were paid in a month. A sample compares the claims of all partners, so that the table
-- belongs to none; what is drawn is never changed, and `completed_at` says that every audit of the sample was begun.
CREATE TABLE coop_audit_draws (
    program_id uuid NOT NULL REFERENCES programs (id),
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    id uuid NOT NULL,
    size integer NOT NULL CHECK (size BETWEEN 0 AND 1000),
    claims jsonb NOT NULL,
    drawn_at timestamptz NOT NULL,
    completed_at timestamptz,
    PRIMARY KEY (program_id, month)
);
CREATE INDEX coop_audit_draws_open ON coop_audit_draws (month) WHERE completed_at IS NULL;
CREATE TRIGGER coop_audit_draws_never_change BEFORE UPDATE ON coop_audit_draws
    FOR EACH ROW WHEN ((NEW.program_id, NEW.month, NEW.id, NEW.size, NEW.claims, NEW.drawn_at)
        IS DISTINCT FROM (OLD.program_id, OLD.month, OLD.id, OLD.size, OLD.claims, OLD.drawn_at))
    EXECUTE FUNCTION refuse_change('what is drawn never changes');

-- A paid claim whose originals are asked for.
CREATE TABLE coop_audits (
    id uuid NOT NULL,
    partner_id uuid NOT NULL REFERENCES partners (id),
    claim_id uuid NOT NULL,
    program_id uuid NOT NULL REFERENCES programs (id),
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    paid bigint NOT NULL CHECK (paid > 0),
    state text COLLATE "C" NOT NULL CHECK (state IN ('requested', 'passed', 'recovered')),
    due_on date NOT NULL,
    recovered bigint CHECK (recovered BETWEEN 1 AND paid),
    adjustment_id uuid,
    comment text COLLATE "C" CHECK (length(comment) BETWEEN 3 AND 1000),
    decided_by uuid,
    decided_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, claim_id),
    FOREIGN KEY (partner_id, claim_id) REFERENCES coop_claims (partner_id, id),
    FOREIGN KEY (partner_id, adjustment_id) REFERENCES adjustments (partner_id, id),
    CHECK ((decided_at IS NULL) = (state = 'requested')),
    CHECK ((decided_by IS NULL) = (state = 'requested')),
    CHECK (comment IS NULL OR state <> 'requested'),
    CHECK ((recovered IS NOT NULL) = (state = 'recovered')),
    CHECK ((adjustment_id IS NOT NULL) = (state = 'recovered')),
    CHECK (state <> 'recovered' OR comment IS NOT NULL)
);
CREATE INDEX coop_audits_by_id ON coop_audits (id);
CREATE INDEX coop_audits_by_claim ON coop_audits (claim_id, id);
CREATE INDEX coop_audits_by_state ON coop_audits (state, id);
CREATE INDEX coop_audits_by_month ON coop_audits (month, id);
CREATE INDEX coop_audits_by_adjustment ON coop_audits (adjustment_id) WHERE adjustment_id IS NOT NULL;
CREATE INDEX coop_audits_due ON coop_audits (due_on) WHERE state = 'requested';
