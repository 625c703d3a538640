-- Since when a partner waits for the calculation; unknown of partners that waited before.
ALTER TABLE calculation_backlog ADD COLUMN waits_since timestamptz;

-- What waits for an operator: profiles to approve, set-ups that are not completed.
CREATE INDEX payout_profiles_by_state ON payout_profiles (state, partner_id);
CREATE INDEX tax_profiles_by_state ON tax_profiles (state, partner_id);
CREATE INDEX partner_setups_by_state ON partner_setups (state, partner_id);
