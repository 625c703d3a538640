DROP INDEX rebates_settled;
