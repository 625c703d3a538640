CREATE TABLE users (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email TEXT NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role TEXT NOT NULL CHECK (role IN ('operator', 'auditor', 'incentive_admin', 'viewer')),
    partner_id BLOB CHECK (length(partner_id) = 16),
    status TEXT NOT NULL CHECK (status IN ('provisioned', 'active', 'disabled')),
    password_hash TEXT NOT NULL,
    must_change_password INTEGER NOT NULL CHECK (must_change_password IN (0, 1)),
    token_epoch INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    locale TEXT NOT NULL CHECK (locale IN ('en', 'ja')),
    password_expires_at INTEGER,
    has_second_factor INTEGER NOT NULL CHECK (has_second_factor IN (0, 1)),
    issuer TEXT CHECK (length(issuer) BETWEEN 1 AND 400),
    issuer_subject TEXT CHECK (length(issuer_subject) BETWEEN 1 AND 255),
    CHECK ((partner_id IS NULL) = (role IN ('operator', 'auditor')))
) STRICT, WITHOUT ROWID;
CREATE INDEX users_by_partner ON users (partner_id, id) WHERE partner_id IS NOT NULL;
CREATE INDEX users_by_role ON users (role, id);

-- How many active users a partner had before: up to a day, since the period before. After the last period the users
-- themselves tell.
CREATE TABLE user_counts (
    partner_id BLOB NOT NULL REFERENCES partners (id),
    last_day TEXT NOT NULL CHECK (last_day IS date(last_day)),
    active_users INTEGER NOT NULL CHECK (active_users >= 0),
    PRIMARY KEY (partner_id, last_day)
) STRICT, WITHOUT ROWID;

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
CREATE TABLE sign_in_throttles (
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    failures INTEGER NOT NULL CHECK (failures > 0),
    failed_at INTEGER NOT NULL,
    blocked_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_throttles_by_age ON sign_in_throttles (failed_at);

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
    partner_id BLOB CHECK (length(partner_id) = 16),
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
