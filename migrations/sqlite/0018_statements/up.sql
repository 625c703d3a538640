-- The statements of closed months, as they were when their month was closed. The content is a JSON document with each text
-- in every language; the hash is the SHA-256 of the content.
CREATE TABLE statements (
    id BLOB NOT NULL CHECK (length(id) = 16),
    partner_id BLOB NOT NULL REFERENCES partners (id),
    month TEXT NOT NULL CHECK (month IS date(month, 'start of month')),
    closed_at INTEGER NOT NULL,
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    content TEXT NOT NULL CHECK (json_valid(content)),
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, month)
) STRICT;
CREATE INDEX statements_by_month ON statements (month, partner_id);
CREATE TRIGGER statements_are_never_changed BEFORE UPDATE ON statements
BEGIN SELECT RAISE(ABORT, 'a statement of a closed month never changes'); END;
CREATE TRIGGER statements_are_never_deleted BEFORE DELETE ON statements
BEGIN SELECT RAISE(ABORT, 'a statement of a closed month never changes'); END;

-- The months whose statements are stored: how many there are, and the SHA-256 of their hashes in the order of partners.
CREATE TABLE statement_months (
    month TEXT NOT NULL PRIMARY KEY CHECK (month IS date(month, 'start of month')),
    statements INTEGER NOT NULL CHECK (statements >= 0),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER statement_months_are_never_changed BEFORE UPDATE ON statement_months
BEGIN SELECT RAISE(ABORT, 'a statement of a closed month never changes'); END;
CREATE TRIGGER statement_months_are_never_deleted BEFORE DELETE ON statement_months
BEGIN SELECT RAISE(ABORT, 'a statement of a closed month never changes'); END;

-- The report of each closing, as it was answered.
CREATE TABLE month_closings (
    month TEXT NOT NULL PRIMARY KEY CHECK (month IS date(month, 'start of month')),
    report TEXT NOT NULL CHECK (json_valid(report))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER month_closings_are_never_changed BEFORE UPDATE ON month_closings
BEGIN SELECT RAISE(ABORT, 'the report of a closing never changes'); END;
CREATE TRIGGER month_closings_are_never_deleted BEFORE DELETE ON month_closings
BEGIN SELECT RAISE(ABORT, 'the report of a closing never changes'); END;
