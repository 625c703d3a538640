ALTER TABLE coop_claims DROP COLUMN from_plan;
ALTER TABLE coop_claims DROP COLUMN plan_id;
ALTER TABLE coop_funds DROP COLUMN planned_for;
ALTER TABLE coop_funds DROP COLUMN plan_id;
DROP TABLE coop_plans;
