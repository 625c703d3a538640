ALTER TABLE calculation_runs DROP COLUMN asked_again;
