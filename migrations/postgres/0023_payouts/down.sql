DROP TABLE withholding_rates;
DROP FUNCTION refuse_change_of_withholding_rate;
DROP TABLE payer_accounts;
