DROP TABLE coop_audits;
DROP TABLE coop_audit_draws;
DROP INDEX coop_claims_paid;
ALTER TABLE programs DROP COLUMN coop_audit_size;
