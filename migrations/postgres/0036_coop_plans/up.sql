-- The marketing plan of a partner for one co-op fund: activities with days and budgets, which an approval sets aside.
CREATE TABLE coop_plans (
    id uuid NOT NULL,
    partner_id uuid NOT NULL REFERENCES partners (id),
    fund_id uuid NOT NULL,
    enrollment_id uuid NOT NULL,
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    state text COLLATE "C" NOT NULL CHECK (state IN ('draft', 'submitted', 'approved', 'rejected', 'cancelled', 'ended')),
    activities jsonb NOT NULL,
    budget bigint NOT NULL CHECK (budget >= 0),
    submitted_at timestamptz,
    decided_at timestamptz,
    decided_by uuid,
    reason text COLLATE "C" CHECK (length(reason) BETWEEN 3 AND 1000),
    created_at timestamptz NOT NULL,
    created_by uuid,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, fund_id) REFERENCES coop_funds (partner_id, id),
    CHECK (state NOT IN ('submitted', 'approved') OR (submitted_at IS NOT NULL AND budget > 0)),
    CHECK (state NOT IN ('approved', 'rejected') OR decided_at IS NOT NULL)
);
CREATE INDEX coop_plans_by_id ON coop_plans (id);
CREATE INDEX coop_plans_by_fund ON coop_plans (fund_id, id);
CREATE INDEX coop_plans_by_state ON coop_plans (state, id);
CREATE UNIQUE INDEX coop_plans_live ON coop_plans (partner_id, fund_id)
    WHERE state IN ('draft', 'submitted', 'approved', 'rejected');

-- What a fund has set aside, for the activities of its approved plan.
ALTER TABLE coop_funds
    ADD COLUMN plan_id uuid,
    ADD COLUMN planned_for jsonb NOT NULL DEFAULT '[]',
    ADD CHECK ((planned = 0) = (planned_for = '[]') AND (planned = 0 OR plan_id IS NOT NULL));

-- The part of a claim's amount that comes from the plan of the fund.
ALTER TABLE coop_claims
    ADD COLUMN plan_id uuid,
    ADD COLUMN from_plan bigint NOT NULL DEFAULT 0,
    ADD CHECK (from_plan >= 0 AND from_plan <= CASE state WHEN 'paid' THEN approved ELSE committed END),
    ADD CHECK ((from_plan > 0) = (plan_id IS NOT NULL));
