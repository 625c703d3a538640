-- Rebates that payments have moved, for the statements of the month in which that happened.
CREATE INDEX rebates_settled ON rebates (updated_at) WHERE state NOT IN ('accruing', 'payable', 'on_hold');
