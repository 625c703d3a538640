-- Sources stay in lower case.
DROP TABLE transaction_import_pieces;
DROP TABLE transaction_import_rows;
ALTER TABLE transaction_import_errors DROP COLUMN external_id;
ALTER TABLE transaction_imports DROP COLUMN file_pieces;
ALTER TABLE transaction_imports DROP COLUMN unknown_families;
ALTER TABLE transaction_imports DROP COLUMN unknown_family_rows;
ALTER TABLE transaction_imports DROP COLUMN waiting;
ALTER TABLE transaction_imports DROP COLUMN ignores_unknown_columns;
