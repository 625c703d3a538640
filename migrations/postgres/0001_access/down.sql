DROP TABLE guards;
DROP TABLE idempotency_keys;
DROP TABLE signing_keys;
DROP FUNCTION refuse_change();
