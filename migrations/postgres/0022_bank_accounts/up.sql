-- A payout profile holds what a bank file needs: an IBAN, or a number and its bank; a name and an address in parts. What was
-- filed before lacks a part, and its partner files the profile again. A change of the account makes money wait.
ALTER TABLE payout_profiles
    DROP CONSTRAINT payout_profiles_check,
    ALTER COLUMN account_number DROP NOT NULL,
    ADD COLUMN holder_latin text COLLATE "C" CHECK (length(holder_latin) BETWEEN 1 AND 70),
    ADD COLUMN account bytea CHECK (length(account) BETWEEN 4 AND 250),
    ADD COLUMN routing_kind text COLLATE "C" CHECK (routing_kind IN ('aba', 'sort_code', 'bsb', 'zengin', 'other')),
    ADD COLUMN routing_number text COLLATE "C" CHECK (length(routing_number) BETWEEN 1 AND 20),
    ADD COLUMN bic text COLLATE "C" CHECK (length(bic) IN (8, 11)),
    ADD COLUMN address_country text COLLATE "C" CHECK (length(address_country) = 2),
    ADD COLUMN town text COLLATE "C" CHECK (length(town) BETWEEN 1 AND 35),
    ADD COLUMN street text COLLATE "C" CHECK (length(street) BETWEEN 1 AND 70),
    ADD COLUMN building_number text COLLATE "C" CHECK (length(building_number) BETWEEN 1 AND 16),
    ADD COLUMN post_code text COLLATE "C" CHECK (length(post_code) BETWEEN 1 AND 16),
    ADD COLUMN address_line_1 text COLLATE "C" CHECK (length(address_line_1) BETWEEN 1 AND 70),
    ADD COLUMN address_line_2 text COLLATE "C" CHECK (length(address_line_2) BETWEEN 1 AND 70),
    ADD COLUMN approved_by uuid,
    ADD COLUMN cooling_off_until date;
UPDATE payout_profiles SET state = 'action_required', revision = revision + 1;
ALTER TABLE payout_profiles
    ADD CONSTRAINT payout_profiles_number CHECK (account IS NOT NULL OR account_number IS NOT NULL),
    ADD CONSTRAINT payout_profiles_routing CHECK ((routing_kind IS NULL) = (routing_number IS NULL)),
    ADD CONSTRAINT payout_profiles_rejection CHECK (rejection_reason IS NULL OR state = 'action_required'),
    ADD CONSTRAINT payout_profiles_approval CHECK (approved_by IS NULL OR state = 'approved'),
    ADD CONSTRAINT payout_profiles_complete
        CHECK (state = 'action_required' OR town IS NOT NULL AND address_country IS NOT NULL);

-- A tax document has the day of its signature; of what was filed before, the day of the first filing stands in.
ALTER TABLE tax_profiles
    ADD COLUMN signed_on date,
    ADD COLUMN tin_status text COLLATE "C" NOT NULL DEFAULT 'unverified'
        CHECK (tin_status IN ('unverified', 'matched', 'mismatched')),
    ADD COLUMN approved_by uuid,
    ADD CONSTRAINT tax_profiles_approval CHECK (approved_by IS NULL OR state = 'approved');
ALTER TABLE tax_profiles
    ALTER COLUMN tin_status DROP DEFAULT,
    ALTER COLUMN signed_on TYPE date USING (created_at AT TIME ZONE 'UTC')::date,
    ALTER COLUMN signed_on SET NOT NULL,
    ALTER COLUMN expires_on TYPE date USING CASE
        WHEN form = 'w8_ben_e' AND expires_on IS NULL
            THEN (date_trunc('year', created_at AT TIME ZONE 'UTC') + interval '4 years' - interval '1 day')::date
        ELSE expires_on END;
