-- The kind of a database is written once, with its first records. What was made before is of production.
CREATE TABLE database_kind (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    kind TEXT NOT NULL CHECK (kind IN ('production', 'sandbox'))
) STRICT;
INSERT INTO database_kind SELECT 1, 'production' WHERE EXISTS (SELECT 1 FROM audit_events);

CREATE TRIGGER database_kind_never_changes BEFORE UPDATE ON database_kind
BEGIN
    SELECT RAISE(ABORT, 'a database stays of its kind');
END;
