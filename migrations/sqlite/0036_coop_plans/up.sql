-- The marketing plan of a partner for one co-op fund: activities with days and budgets, which an approval sets aside.
CREATE TABLE coop_plans (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    fund_id BLOB NOT NULL CHECK (length(fund_id) = 16),
    enrollment_id BLOB NOT NULL CHECK (length(enrollment_id) = 16),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    state TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'approved', 'rejected', 'cancelled', 'ended')),
    activities TEXT NOT NULL CHECK (json_valid(activities)),
    budget INTEGER NOT NULL CHECK (budget >= 0),
    submitted_at INTEGER,
    decided_at INTEGER,
    decided_by BLOB CHECK (length(decided_by) = 16),
    reason TEXT CHECK (length(reason) BETWEEN 3 AND 1000),
    created_at INTEGER NOT NULL,
    created_by BLOB CHECK (length(created_by) = 16),
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    PRIMARY KEY (partner_id, id),
    FOREIGN KEY (partner_id, fund_id) REFERENCES coop_funds (partner_id, id),
    CHECK (state NOT IN ('submitted', 'approved') OR (submitted_at IS NOT NULL AND budget > 0)),
    CHECK (state NOT IN ('approved', 'rejected') OR decided_at IS NOT NULL)
) STRICT;
CREATE INDEX coop_plans_by_id ON coop_plans (id);
CREATE INDEX coop_plans_by_fund ON coop_plans (fund_id, id);
CREATE INDEX coop_plans_by_state ON coop_plans (state, id);
CREATE UNIQUE INDEX coop_plans_live ON coop_plans (partner_id, fund_id)
    WHERE state IN ('draft', 'submitted', 'approved', 'rejected');

-- What a fund has set aside, for the activities of its approved plan.
ALTER TABLE coop_funds ADD COLUMN plan_id BLOB CHECK (length(plan_id) = 16);
ALTER TABLE coop_funds ADD COLUMN planned_for TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(planned_for)
    AND (planned = 0) = (planned_for = '[]') AND (planned = 0 OR plan_id IS NOT NULL));

-- The part of a claim's amount that comes from the plan of the fund.
ALTER TABLE coop_claims ADD COLUMN plan_id BLOB CHECK (length(plan_id) = 16);
ALTER TABLE coop_claims ADD COLUMN from_plan INTEGER NOT NULL DEFAULT 0 CHECK (from_plan >= 0
    AND from_plan <= CASE state WHEN 'paid' THEN approved ELSE committed END AND (from_plan > 0) = (plan_id IS NOT NULL));
