DROP INDEX partner_setups_by_state;
DROP INDEX tax_profiles_by_state;
DROP INDEX payout_profiles_by_state;
ALTER TABLE calculation_backlog DROP COLUMN waits_since;
