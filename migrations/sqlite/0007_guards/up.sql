-- Rows to lock for a rule that reaches beyond one partner: `access::Guard` says which rule each stands for.
CREATE TABLE guards (
    name TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 60)
) STRICT, WITHOUT ROWID;
INSERT INTO guards (name) VALUES ('books'), ('operators'), ('signing_keys'), ('installation');
