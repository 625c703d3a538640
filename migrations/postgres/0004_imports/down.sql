DROP TABLE transaction_import_errors;
DROP TABLE transaction_imports;
DROP VIEW transactions;
DELETE FROM transaction_records
    WHERE id BETWEEN (SELECT first_id FROM unpublished_transactions) AND (SELECT last_id FROM unpublished_transactions);
DROP TABLE unpublished_transactions;
ALTER TABLE transaction_records RENAME TO transactions;
