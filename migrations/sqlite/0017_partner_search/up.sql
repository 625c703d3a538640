-- What a search for a partner looks into: the name without case and accents, and the MPN id. The service writes the
-- text with the record; records of before have an approximation until they are written again.
ALTER TABLE partners ADD COLUMN search_text TEXT NOT NULL DEFAULT '' CHECK (length(search_text) <= 4000);
UPDATE partners SET search_text = lower(legal_name) || ' ' || mpn_id;
