DROP TABLE audit_chain;
CREATE TABLE audit_events_plain (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    occurred_at INTEGER NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    actor_role TEXT NOT NULL CHECK (actor_role IN ('system', 'operator', 'auditor', 'incentive_admin', 'viewer')),
    operation TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id BLOB NOT NULL CHECK (length(resource_id) = 16),
    partner_id BLOB CHECK (length(partner_id) = 16),
    before TEXT CHECK (before IS NULL OR json_valid(before)),
    after TEXT CHECK (after IS NULL OR json_valid(after)),
    reason TEXT,
    request_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO audit_events_plain
SELECT id, occurred_at, actor_id, CASE WHEN actor_role IN ('api_client', 'nobody') THEN 'system' ELSE actor_role END,
    operation, resource_type, resource_id, partner_id, before, after, reason, request_id
FROM audit_events;
DROP TABLE audit_events;
ALTER TABLE audit_events_plain RENAME TO audit_events;
CREATE INDEX audit_events_by_resource ON audit_events (resource_id, id);
CREATE INDEX audit_events_by_partner ON audit_events (partner_id, id);
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, id);
CREATE TRIGGER audit_events_are_never_changed BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;
CREATE TRIGGER audit_events_are_never_deleted BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;
DROP TABLE job_leases;
DROP TABLE job_runs;
DROP TABLE reminders;
DROP TABLE deliveries;
DROP TABLE partner_setups;
DROP TABLE api_client_secrets;
DROP TABLE api_clients;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
DROP TABLE known_addresses;
DROP TABLE sign_in_brakes;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
ALTER TABLE users DROP COLUMN issuer_subject;
ALTER TABLE users DROP COLUMN issuer;
ALTER TABLE users DROP COLUMN has_second_factor;
ALTER TABLE users DROP COLUMN password_expires_at;
ALTER TABLE users DROP COLUMN locale;
