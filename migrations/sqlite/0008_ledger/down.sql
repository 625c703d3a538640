DROP TABLE ledger_transfers;
DROP TABLE adjustments;
DROP TABLE rebates;
DROP TABLE closed_months;
DROP TABLE fx_rates;
