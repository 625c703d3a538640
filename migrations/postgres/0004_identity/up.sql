CREATE TABLE users (
    id uuid NOT NULL PRIMARY KEY,
    email text COLLATE "C" NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name text COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role text COLLATE "C" NOT NULL CHECK (role IN ('operator', 'auditor', 'incentive_admin', 'viewer')),
    partner_id uuid,
    status text COLLATE "C" NOT NULL CHECK (status IN ('provisioned', 'active', 'disabled')),
    password_hash text COLLATE "C" NOT NULL,
    must_change_password boolean NOT NULL,
    token_epoch bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    locale text COLLATE "C" NOT NULL CHECK (locale IN ('en', 'ja')),
    password_expires_at timestamptz,
    has_second_factor boolean NOT NULL,
    issuer text COLLATE "C" CHECK (length(issuer) BETWEEN 1 AND 400),
    issuer_subject text COLLATE "C" CHECK (length(issuer_subject) BETWEEN 1 AND 255),
    CHECK ((partner_id IS NULL) = (role IN ('operator', 'auditor')))
);
CREATE INDEX users_by_partner ON users (partner_id, id) WHERE partner_id IS NOT NULL;
CREATE INDEX users_by_role ON users (role, id);

-- How many active users a partner had before: up to a day, since the period before. After the last period the users
-- themselves tell.
CREATE TABLE user_counts (
    partner_id uuid NOT NULL REFERENCES partners (id),
    last_day date NOT NULL,
    active_users integer NOT NULL CHECK (active_users >= 0),
    PRIMARY KEY (partner_id, last_day)
);

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
CREATE TABLE sign_in_throttles (
    digest bytea NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    failures bigint NOT NULL CHECK (failures > 0),
    failed_at timestamptz NOT NULL,
    blocked_until timestamptz
);
CREATE INDEX sign_in_throttles_by_age ON sign_in_throttles (failed_at);

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
    partner_id uuid,
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
