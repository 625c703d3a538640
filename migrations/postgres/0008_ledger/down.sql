DROP TABLE ledger_transfers;
DROP TABLE adjustments;
DROP TABLE rebates;
DROP TABLE closed_months;
DROP TABLE fx_rates;
DROP FUNCTION refuse_transfer_to_closed_month();
DROP FUNCTION refuse_closed_month();
