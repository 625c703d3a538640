CREATE TABLE notifications (
    id uuid NOT NULL PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    partner_id uuid,
    kind text COLLATE "C" NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
    resource_type text COLLATE "C" NOT NULL CHECK (length(resource_type) BETWEEN 1 AND 60),
    resource_id uuid NOT NULL,
    subject text COLLATE "C" NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    body text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX notifications_by_user ON notifications (user_id, id);
CREATE INDEX notifications_by_partner ON notifications (partner_id, id);

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
