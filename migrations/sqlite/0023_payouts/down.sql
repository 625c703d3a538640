DROP TABLE withholding_rates;
DROP TABLE payer_accounts;
