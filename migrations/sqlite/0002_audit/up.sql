-- The audit chain: events are sealed after their commit, in one sequence, each hash over the one before.
CREATE TABLE audit_events (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    occurred_at INTEGER NOT NULL,
    actor_id BLOB CHECK (length(actor_id) = 16),
    actor_role TEXT NOT NULL
        CHECK (actor_role IN ('system', 'operator', 'auditor', 'incentive_admin', 'viewer', 'api_client', 'nobody')),
    operation TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id BLOB NOT NULL CHECK (length(resource_id) = 16),
    partner_id BLOB CHECK (length(partner_id) = 16),
    before TEXT CHECK (before IS NULL OR json_valid(before)),
    after TEXT CHECK (after IS NULL OR json_valid(after)),
    reason TEXT,
    request_id TEXT NOT NULL,
    sequence INTEGER CHECK (sequence > 0),
    hash BLOB CHECK (length(hash) = 32),
    CHECK ((sequence IS NULL) = (hash IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_events_by_resource ON audit_events (resource_id, id);
CREATE INDEX audit_events_by_partner ON audit_events (partner_id, id);
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, id);
CREATE UNIQUE INDEX audit_events_by_sequence ON audit_events (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_events_unsealed ON audit_events (id) WHERE sequence IS NULL;
CREATE TRIGGER audit_events_are_never_changed BEFORE UPDATE ON audit_events
WHEN NOT (
    OLD.sequence IS NULL AND NEW.sequence IS NOT NULL
    AND NEW.id IS OLD.id AND NEW.occurred_at IS OLD.occurred_at AND NEW.actor_id IS OLD.actor_id
    AND NEW.actor_role IS OLD.actor_role AND NEW.operation IS OLD.operation
    AND NEW.resource_type IS OLD.resource_type AND NEW.resource_id IS OLD.resource_id
    AND NEW.partner_id IS OLD.partner_id AND NEW.before IS OLD.before AND NEW.after IS OLD.after
    AND NEW.reason IS OLD.reason AND NEW.request_id IS OLD.request_id
)
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;
CREATE TRIGGER audit_events_are_never_deleted BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;
-- REPLACE would not be seen by the trigger above.
CREATE TRIGGER audit_events_are_never_replaced BEFORE INSERT ON audit_events
WHEN EXISTS (SELECT 1 FROM audit_events WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;

CREATE TABLE audit_chain (
    name TEXT NOT NULL PRIMARY KEY CHECK (name = 'audit'),
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;
