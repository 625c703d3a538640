DROP TABLE month_closings;
DROP TABLE statement_months;
DROP TABLE statements;
