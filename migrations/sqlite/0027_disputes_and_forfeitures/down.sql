DROP TABLE forfeitures;
ALTER TABLE adjustments DROP COLUMN dispute_id;
DROP TABLE disputes;
