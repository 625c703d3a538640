-- The audit chain: events are sealed after their commit, in one sequence, each hash over the one before.
CREATE TABLE audit_events (
    id uuid NOT NULL PRIMARY KEY,
    occurred_at timestamptz NOT NULL,
    actor_id uuid,
    actor_role text COLLATE "C" NOT NULL
        CHECK (actor_role IN ('system', 'operator', 'auditor', 'incentive_admin', 'viewer', 'api_client', 'nobody')),
    operation text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    resource_id uuid NOT NULL,
    partner_id uuid,
    before jsonb,
    after jsonb,
    reason text COLLATE "C",
    request_id text COLLATE "C" NOT NULL,
    sequence bigint CHECK (sequence > 0),
    hash bytea CHECK (length(hash) = 32),
    CHECK ((sequence IS NULL) = (hash IS NULL))
);
CREATE INDEX audit_events_by_resource ON audit_events (resource_id, id);
CREATE INDEX audit_events_by_partner ON audit_events (partner_id, id);
CREATE INDEX audit_events_by_actor ON audit_events (actor_id, id);
CREATE UNIQUE INDEX audit_events_by_sequence ON audit_events (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_events_unsealed ON audit_events (id) WHERE sequence IS NULL;
CREATE TRIGGER audit_events_are_never_changed BEFORE UPDATE ON audit_events
    FOR EACH ROW WHEN (NOT (
        OLD.sequence IS NULL AND NEW.sequence IS NOT NULL
        AND (NEW.id, NEW.occurred_at, NEW.actor_id, NEW.actor_role, NEW.operation, NEW.resource_type,
            NEW.resource_id, NEW.partner_id, NEW.before, NEW.after, NEW.reason, NEW.request_id)
        IS NOT DISTINCT FROM (OLD.id, OLD.occurred_at, OLD.actor_id, OLD.actor_role, OLD.operation,
            OLD.resource_type, OLD.resource_id, OLD.partner_id, OLD.before, OLD.after, OLD.reason, OLD.request_id)
    )) EXECUTE FUNCTION refuse_change('audit events are append-only');
CREATE TRIGGER audit_events_are_never_deleted BEFORE DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change('audit events are append-only');
CREATE TRIGGER audit_events_are_never_truncated BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('audit events are append-only');

CREATE TABLE audit_chain (
    name text COLLATE "C" NOT NULL PRIMARY KEY CHECK (name = 'audit'),
    sequence bigint NOT NULL CHECK (sequence >= 0),
    hash bytea NOT NULL CHECK (length(hash) = 32)
);
