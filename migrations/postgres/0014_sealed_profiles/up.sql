-- Account and tax numbers are sealed with the encryption key, which SQL does not have: this turns the columns into bytes, and
-- the service seals what is in the clear at its start, before it serves.
ALTER TABLE payout_profiles
    DROP CONSTRAINT payout_profiles_account_number_check,
    ALTER COLUMN account_number TYPE bytea USING convert_to(account_number, 'UTF8'),
    ADD CONSTRAINT payout_profiles_account_number_check CHECK (length(account_number) BETWEEN 4 AND 250);
ALTER TABLE tax_profiles
    DROP CONSTRAINT tax_profiles_tax_id_check,
    ALTER COLUMN tax_id TYPE bytea USING convert_to(tax_id, 'UTF8'),
    ADD CONSTRAINT tax_profiles_tax_id_check CHECK (length(tax_id) BETWEEN 4 AND 250);
