-- People and access: accounts, sessions, second factors, API clients, set-up, mail, the audit chain.

ALTER TABLE users ADD COLUMN locale text COLLATE "C" NOT NULL DEFAULT 'en' CHECK (locale IN ('en', 'ja'));
ALTER TABLE users ADD COLUMN password_expires_at timestamptz;
ALTER TABLE users ADD COLUMN has_second_factor boolean NOT NULL DEFAULT false;
ALTER TABLE users ADD COLUMN issuer text COLLATE "C" CHECK (length(issuer) BETWEEN 1 AND 400);
ALTER TABLE users ADD COLUMN issuer_subject text COLLATE "C" CHECK (length(issuer_subject) BETWEEN 1 AND 255);

-- A sign-in and everything renewed from it. It is over once its user's token_epoch has moved on.
CREATE TABLE sessions (
    id uuid NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    address text COLLATE "C" NOT NULL CHECK (length(address) BETWEEN 1 AND 45),
    user_agent text COLLATE "C" CHECK (length(user_agent) BETWEEN 1 AND 200),
    epoch bigint NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_because text COLLATE "C" CHECK (length(ended_because) BETWEEN 1 AND 60),
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    digest bytea NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- Failed sign-ins of a name, and of a name from an address; known to nobody by more than a digest.
CREATE TABLE sign_in_brakes (
    digest bytea NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    failures bigint NOT NULL CHECK (failures > 0),
    failed_at timestamptz NOT NULL,
    blocked_until timestamptz
);
CREATE INDEX sign_in_brakes_by_age ON sign_in_brakes (failed_at);

-- From where a user has signed in before.
CREATE TABLE known_addresses (
    user_id uuid NOT NULL REFERENCES users (id),
    address text COLLATE "C" NOT NULL CHECK (length(address) BETWEEN 1 AND 45),
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, address)
);

-- The secret is encrypted.
CREATE TABLE second_factors (
    user_id uuid NOT NULL PRIMARY KEY REFERENCES users (id),
    secret bytea NOT NULL,
    last_step bigint NOT NULL,
    confirmed_at timestamptz,
    created_at timestamptz NOT NULL
);

CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users (id),
    digest bytea NOT NULL CHECK (length(digest) = 32),
    used_at timestamptz,
    PRIMARY KEY (user_id, digest)
);

CREATE TABLE api_clients (
    id uuid NOT NULL PRIMARY KEY,
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role text COLLATE "C" NOT NULL CHECK (role IN ('operator', 'auditor', 'incentive_admin', 'viewer')),
    partner_id uuid REFERENCES partners (id),
    scopes jsonb NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('active', 'revoked')),
    expires_at timestamptz,
    last_used_at timestamptz,
    token_epoch bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((partner_id IS NULL) = (role IN ('operator', 'auditor')))
);
CREATE INDEX api_clients_by_partner ON api_clients (partner_id, id) WHERE partner_id IS NOT NULL;

CREATE TABLE api_client_secrets (
    digest bytea NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    client_id uuid NOT NULL REFERENCES api_clients (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz
);
CREATE INDEX api_client_secrets_by_client ON api_client_secrets (client_id, created_at);

-- No row: not started.
CREATE TABLE partner_setups (
    partner_id uuid NOT NULL PRIMARY KEY REFERENCES partners (id),
    state text COLLATE "C" NOT NULL CHECK (state IN ('list_sent', 'completed')),
    list_sent_at timestamptz NOT NULL,
    list_sent_by uuid,
    completed_at timestamptz,
    completed_by uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    CHECK ((state = 'completed') = (completed_at IS NOT NULL))
);

-- The mail that carries a notification. The secret, such as a temporary password, is encrypted and goes once sent.
CREATE TABLE deliveries (
    notification_id uuid NOT NULL PRIMARY KEY REFERENCES notifications (id),
    recipient text COLLATE "C" NOT NULL CHECK (length(recipient) BETWEEN 3 AND 254),
    message_id text COLLATE "C" NOT NULL UNIQUE CHECK (length(message_id) BETWEEN 3 AND 320),
    html text COLLATE "C" NOT NULL,
    secret bytea,
    state text COLLATE "C" NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'kept')),
    attempts bigint NOT NULL CHECK (attempts >= 0),
    due_at timestamptz NOT NULL,
    sent_at timestamptz,
    last_error text COLLATE "C",
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (state = 'queued' OR secret IS NULL)
);
CREATE INDEX deliveries_due ON deliveries (state, due_at);
CREATE INDEX deliveries_by_state ON deliveries (state, notification_id);

-- Which reminder an enrollment has had for which last good day.
CREATE TABLE reminders (
    enrollment_id uuid NOT NULL REFERENCES enrollments (id),
    lapses_on date NOT NULL,
    stage text COLLATE "C" NOT NULL CHECK (length(stage) BETWEEN 1 AND 20),
    sent_at timestamptz NOT NULL,
    PRIMARY KEY (enrollment_id, lapses_on, stage)
);

-- Long work: each run with its progress, and who holds a job at the moment.
CREATE TABLE job_runs (
    id uuid NOT NULL PRIMARY KEY,
    job text COLLATE "C" NOT NULL CHECK (length(job) BETWEEN 1 AND 60),
    day date NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
    step text COLLATE "C" NOT NULL CHECK (length(step) BETWEEN 1 AND 60),
    position text COLLATE "C" CHECK (length(position) BETWEEN 1 AND 200),
    done bigint NOT NULL CHECK (done >= 0),
    total bigint CHECK (total >= 0),
    error text COLLATE "C",
    requested_by uuid,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    CHECK ((state = 'running') = (finished_at IS NULL))
);
CREATE INDEX job_runs_by_job ON job_runs (job, id);
CREATE UNIQUE INDEX job_runs_one_running ON job_runs (job) WHERE state = 'running';

CREATE TABLE job_leases (
    job text COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(job) BETWEEN 1 AND 60),
    holder uuid NOT NULL,
    expires_at timestamptz NOT NULL
);

-- The audit chain: events are sealed after their commit, in one sequence, each hash over the one before.
ALTER TABLE audit_events DROP CONSTRAINT audit_events_actor_role_check;
ALTER TABLE audit_events ADD CONSTRAINT audit_events_actor_role_check
    CHECK (actor_role IN ('system', 'operator', 'auditor', 'incentive_admin', 'viewer', 'api_client', 'nobody'));
ALTER TABLE audit_events ADD COLUMN sequence bigint CHECK (sequence > 0);
ALTER TABLE audit_events ADD COLUMN hash bytea CHECK (length(hash) = 32);
ALTER TABLE audit_events ADD CHECK ((sequence IS NULL) = (hash IS NULL));
CREATE UNIQUE INDEX audit_events_by_sequence ON audit_events (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_events_unsealed ON audit_events (id) WHERE sequence IS NULL;
DROP TRIGGER audit_events_are_never_changed ON audit_events;
CREATE TRIGGER audit_events_are_never_changed BEFORE UPDATE ON audit_events
    FOR EACH ROW WHEN (NOT (
        OLD.sequence IS NULL AND NEW.sequence IS NOT NULL
        AND (NEW.id, NEW.occurred_at, NEW.actor_id, NEW.actor_role, NEW.operation, NEW.resource_type,
            NEW.resource_id, NEW.partner_id, NEW.before, NEW.after, NEW.reason, NEW.request_id)
        IS NOT DISTINCT FROM (OLD.id, OLD.occurred_at, OLD.actor_id, OLD.actor_role, OLD.operation,
            OLD.resource_type, OLD.resource_id, OLD.partner_id, OLD.before, OLD.after, OLD.reason, OLD.request_id)
    )) EXECUTE FUNCTION refuse_change('audit events are append-only');
CREATE TRIGGER audit_events_are_never_truncated BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('audit events are append-only');

CREATE TABLE audit_chain (
    name text COLLATE "C" NOT NULL PRIMARY KEY CHECK (name = 'audit'),
    sequence bigint NOT NULL CHECK (sequence >= 0),
    hash bytea NOT NULL CHECK (length(hash) = 32)
);
