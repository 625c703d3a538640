-- SQL cannot open what is sealed: the profiles are removed, and partners file them again.
DELETE FROM payout_profiles;
DELETE FROM tax_profiles;
ALTER TABLE payout_profiles
    DROP CONSTRAINT payout_profiles_account_number_check,
    ALTER COLUMN account_number TYPE text COLLATE "C" USING convert_from(account_number, 'UTF8'),
    ADD CONSTRAINT payout_profiles_account_number_check CHECK (length(account_number) BETWEEN 4 AND 34);
ALTER TABLE tax_profiles
    DROP CONSTRAINT tax_profiles_tax_id_check,
    ALTER COLUMN tax_id TYPE text COLLATE "C" USING convert_from(tax_id, 'UTF8'),
    ADD CONSTRAINT tax_profiles_tax_id_check CHECK (length(tax_id) BETWEEN 4 AND 32);
