-- The number stands in one column again; who has to file anew is told so.
UPDATE payout_profiles SET
    account_number = coalesce(account, account_number),
    rejection_reason = CASE WHEN state = 'action_required' THEN coalesce(rejection_reason, 'to be filed again') END;
ALTER TABLE payout_profiles
    DROP COLUMN holder_latin,
    DROP COLUMN account,
    DROP COLUMN routing_kind,
    DROP COLUMN routing_number,
    DROP COLUMN bic,
    DROP COLUMN address_country,
    DROP COLUMN town,
    DROP COLUMN street,
    DROP COLUMN building_number,
    DROP COLUMN post_code,
    DROP COLUMN address_line_1,
    DROP COLUMN address_line_2,
    DROP COLUMN approved_by,
    DROP COLUMN cooling_off_until,
    DROP CONSTRAINT payout_profiles_rejection,
    ALTER COLUMN account_number SET NOT NULL,
    ADD CONSTRAINT payout_profiles_check CHECK ((state = 'action_required') = (rejection_reason IS NOT NULL));
ALTER TABLE tax_profiles DROP COLUMN signed_on, DROP COLUMN tin_status, DROP COLUMN approved_by;
