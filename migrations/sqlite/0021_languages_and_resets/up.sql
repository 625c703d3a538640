-- The language in which a stored answer was written; unknown of answers that were stored before.
ALTER TABLE idempotency_keys ADD COLUMN language TEXT CHECK (language IN ('en', 'ja'));

-- Requests for a new password until they are answered: the same row whether or not the name has a user.
CREATE TABLE password_reset_requests (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    email TEXT NOT NULL CHECK (length(email) <= 1000),
    requested_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The tokens by which users set new passwords, one of a user, known by a digest alone.
CREATE TABLE password_resets (
    user_id BLOB NOT NULL PRIMARY KEY REFERENCES users (id),
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    mailed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX password_resets_by_age ON password_resets (expires_at);
