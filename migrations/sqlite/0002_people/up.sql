-- People and access: accounts, sessions, second factors, API clients, set-up, mail, the audit chain.

ALTER TABLE users ADD COLUMN locale TEXT NOT NULL DEFAULT 'en' CHECK (locale IN ('en', 'ja'));
ALTER TABLE users ADD COLUMN password_expires_at INTEGER;
ALTER TABLE users ADD COLUMN has_second_factor INTEGER NOT NULL DEFAULT 0 CHECK (has_second_factor IN (0, 1));
ALTER TABLE users ADD COLUMN issuer TEXT CHECK (length(issuer) BETWEEN 1 AND 400);
ALTER TABLE users ADD COLUMN issuer_subject TEXT CHECK (length(issuer_subject) BETWEEN 1 AND 255);

-- A sign-in and everything renewed from it. It is over once its user's token_epoch has moved on.
CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id),
    address TEXT NOT NULL CHECK (length(address) BETWEEN 1 AND 45),
    user_agent TEXT CHECK (length(user_agent) BETWEEN 1 AND 200),
    epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_because TEXT CHECK (length(ended_because) BETWEEN 1 AND 60),
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    session_id BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- Failed sign-ins of a name, and of a name from an address; known to nobody by more than a digest.
CREATE TABLE sign_in_brakes (
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    failures INTEGER NOT NULL CHECK (failures > 0),
    failed_at INTEGER NOT NULL,
    blocked_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_brakes_by_age ON sign_in_brakes (failed_at);

-- From where a user has signed in before.
CREATE TABLE known_addresses (
    user_id BLOB NOT NULL REFERENCES users (id),
    address TEXT NOT NULL CHECK (length(address) BETWEEN 1 AND 45),
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, address)
) STRICT, WITHOUT ROWID;

-- The secret is encrypted.
CREATE TABLE second_factors (
    user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id),
    secret BLOB NOT NULL,
    last_step INTEGER NOT NULL,
    confirmed_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_codes (
    user_id BLOB NOT NULL REFERENCES users (id),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    used_at INTEGER,
    PRIMARY KEY (user_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_clients (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role TEXT NOT NULL CHECK (role IN ('operator', 'auditor', 'incentive_admin', 'viewer')),
    partner_id BLOB REFERENCES partners (id),
    scopes TEXT NOT NULL CHECK (json_valid(scopes)),
    status TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
    expires_at INTEGER,
    last_used_at INTEGER,
    token_epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((partner_id IS NULL) = (role IN ('operator', 'auditor')))
) STRICT, WITHOUT ROWID;
CREATE INDEX api_clients_by_partner ON api_clients (partner_id, id) WHERE partner_id IS NOT NULL;

CREATE TABLE api_client_secrets (
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    client_id BLOB NOT NULL REFERENCES api_clients (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_client_secrets_by_client ON api_client_secrets (client_id, created_at);

-- No row: not started.
CREATE TABLE partner_setups (
    partner_id BLOB NOT NULL PRIMARY KEY REFERENCES partners (id),
    state TEXT NOT NULL CHECK (state IN ('list_sent', 'completed')),
    list_sent_at INTEGER NOT NULL,
    list_sent_by BLOB CHECK (length(list_sent_by) = 16),
    completed_at INTEGER,
    completed_by BLOB CHECK (length(completed_by) = 16),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    CHECK ((state = 'completed') = (completed_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The mail that carries a notification. The secret, such as a temporary password, is encrypted and goes once sent.
CREATE TABLE deliveries (
    notification_id BLOB NOT NULL PRIMARY KEY REFERENCES notifications (id),
    recipient TEXT NOT NULL CHECK (length(recipient) BETWEEN 3 AND 254),
    message_id TEXT NOT NULL UNIQUE CHECK (length(message_id) BETWEEN 3 AND 320),
    html TEXT NOT NULL,
    secret BLOB,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'kept')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    due_at INTEGER NOT NULL,
    sent_at INTEGER,
    last_error TEXT,
    CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CHECK (state = 'queued' OR secret IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (state, due_at);
CREATE INDEX deliveries_by_state ON deliveries (state, notification_id);

-- Which reminder an enrollment has had for which last good day.
CREATE TABLE reminders (
    enrollment_id BLOB NOT NULL REFERENCES enrollments (id),
    lapses_on TEXT NOT NULL CHECK (lapses_on IS date(lapses_on)),
    stage TEXT NOT NULL CHECK (length(stage) BETWEEN 1 AND 20),
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (enrollment_id, lapses_on, stage)
) STRICT, WITHOUT ROWID;

-- Long work: each run with its progress, and who holds a job at the moment.
CREATE TABLE job_runs (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    job TEXT NOT NULL CHECK (length(job) BETWEEN 1 AND 60),
    day TEXT NOT NULL CHECK (day IS date(day)),
    state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed')),
    step TEXT NOT NULL CHECK (length(step) BETWEEN 1 AND 60),
    position TEXT CHECK (length(position) BETWEEN 1 AND 200),
    done INTEGER NOT NULL CHECK (done >= 0),
    total INTEGER CHECK (total >= 0),
    error TEXT,
    requested_by BLOB CHECK (length(requested_by) = 16),
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER,
    CHECK ((state = 'running') = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX job_runs_by_job ON job_runs (job, id);
CREATE UNIQUE INDEX job_runs_one_running ON job_runs (job) WHERE state = 'running';

CREATE TABLE job_leases (
    job TEXT NOT NULL PRIMARY KEY CHECK (length(job) BETWEEN 1 AND 60),
    holder BLOB NOT NULL CHECK (length(holder) = 16),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The audit chain: events are sealed after their commit, in one sequence, each hash over the one before.
CREATE TABLE audit_events_sealed (
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
INSERT INTO audit_events_sealed SELECT *, NULL, NULL FROM audit_events;
DROP TABLE audit_events;
ALTER TABLE audit_events_sealed RENAME TO audit_events;
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
