DROP TABLE lever_rates;
ALTER TABLE posted_groups DROP COLUMN by_rate;
ALTER TABLE earnings DROP COLUMN by_rate;
