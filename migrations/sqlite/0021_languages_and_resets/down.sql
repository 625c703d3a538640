DROP TABLE password_resets;
DROP TABLE password_reset_requests;
ALTER TABLE idempotency_keys DROP COLUMN language;
