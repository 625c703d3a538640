-- The triggers of SQLite name their rule as they refuse; this version changes those of PostgreSQL alone.
SELECT 1;
