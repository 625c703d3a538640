CREATE TABLE notifications (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id),
    partner_id BLOB CHECK (length(partner_id) = 16),
    kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
    resource_type TEXT NOT NULL CHECK (length(resource_type) BETWEEN 1 AND 60),
    resource_id BLOB NOT NULL CHECK (length(resource_id) = 16),
    subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notifications_by_user ON notifications (user_id, id);
CREATE INDEX notifications_by_partner ON notifications (partner_id, id);

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
