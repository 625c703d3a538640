ALTER TABLE partners DROP COLUMN search_text;
