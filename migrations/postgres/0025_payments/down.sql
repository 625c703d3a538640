DROP TABLE payment_documents;
DROP TABLE payment_lines;
DROP TABLE payments;
DROP TABLE payment_runs;
DELETE FROM guards WHERE name = 'payment_runs';
