-- The kind of a database is written once, with its first records. What was made before is of production.
CREATE TABLE database_kind (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('production', 'sandbox'))
);
INSERT INTO database_kind SELECT 1, 'production' WHERE EXISTS (SELECT 1 FROM audit_events);

CREATE FUNCTION database_kind_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a database stays of its kind';
END $$;
CREATE TRIGGER database_kind_never_changes BEFORE UPDATE ON database_kind
    FOR EACH ROW EXECUTE FUNCTION database_kind_never_changes();
