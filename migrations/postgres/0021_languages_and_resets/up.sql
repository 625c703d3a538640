-- The language in which a stored answer was written; unknown of answers that were stored before.
ALTER TABLE idempotency_keys ADD COLUMN language text COLLATE "C" CHECK (language IN ('en', 'ja'));

-- Requests for a new password until they are answered: the same row whether or not the name has a user.
CREATE TABLE password_reset_requests (
    id uuid NOT NULL PRIMARY KEY,
    email text COLLATE "C" NOT NULL CHECK (length(email) <= 1000),
    requested_at timestamptz NOT NULL
);

-- The tokens by which users set new passwords, one of a user, known by a digest alone.
CREATE TABLE password_resets (
    user_id uuid NOT NULL PRIMARY KEY REFERENCES users (id),
    digest bytea NOT NULL UNIQUE CHECK (length(digest) = 32),
    mailed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX password_resets_by_age ON password_resets (expires_at);
