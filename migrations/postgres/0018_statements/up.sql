-- The statements of closed months, as they were when their month was closed. The content is a JSON document with each text
-- in every language; the hash is the SHA-256 of the content.
CREATE TABLE statements (
    id uuid NOT NULL,
    partner_id uuid NOT NULL REFERENCES partners (id),
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    closed_at timestamptz NOT NULL,
    sha256 text COLLATE "C" NOT NULL CHECK (length(sha256) = 64),
    content text COLLATE "C" NOT NULL,
    PRIMARY KEY (partner_id, id),
    UNIQUE (partner_id, month)
);
CREATE INDEX statements_by_month ON statements (month, partner_id);
CREATE TRIGGER statements_are_never_changed BEFORE UPDATE ON statements
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a statement of a closed month never changes');
CREATE TRIGGER statements_are_never_deleted BEFORE DELETE ON statements
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a statement of a closed month never changes');

-- The months whose statements are stored: how many there are, and the SHA-256 of their hashes in the order of partners.
CREATE TABLE statement_months (
    month date NOT NULL PRIMARY KEY CHECK (extract(day FROM month) = 1),
    statements bigint NOT NULL CHECK (statements >= 0),
    sha256 text COLLATE "C" NOT NULL CHECK (length(sha256) = 64)
);
CREATE TRIGGER statement_months_are_never_changed BEFORE UPDATE ON statement_months
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a statement of a closed month never changes');
CREATE TRIGGER statement_months_are_never_deleted BEFORE DELETE ON statement_months
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a statement of a closed month never changes');

-- The report of each closing, as it was answered.
CREATE TABLE month_closings (
    month date NOT NULL PRIMARY KEY CHECK (extract(day FROM month) = 1),
    report jsonb NOT NULL
);
CREATE TRIGGER month_closings_are_never_changed BEFORE UPDATE ON month_closings
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the report of a closing never changes');
CREATE TRIGGER month_closings_are_never_deleted BEFORE DELETE ON month_closings
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the report of a closing never changes');
