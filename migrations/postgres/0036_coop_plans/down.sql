ALTER TABLE coop_claims DROP COLUMN from_plan, DROP COLUMN plan_id;
ALTER TABLE coop_funds DROP COLUMN planned_for, DROP COLUMN plan_id;
DROP TABLE coop_plans;
