DROP TABLE calculation_backlog;
DROP TABLE transaction_import_errors;
DROP TABLE transaction_imports;
DROP VIEW transactions;
DROP TABLE unpublished_transactions;
DROP TABLE transaction_numbers;
DROP TABLE transaction_records;
