-- When both profiles of a partner have come to be approved: an enrollment begins to earn with the first such instant after
-- the partner was let in, wherever the enrollment stood by then.
CREATE TABLE profile_approvals (
    partner_id uuid NOT NULL REFERENCES partners (id),
    approved_at timestamptz NOT NULL,
    PRIMARY KEY (partner_id, approved_at)
);

INSERT INTO profile_approvals (partner_id, approved_at)
    SELECT partner_id, occurred_at FROM enrollment_changes
        WHERE to_state = 'enrolled' AND cause = 'profiles_changed'
    UNION
    SELECT payout.partner_id, greatest(payout.updated_at, tax.updated_at)
        FROM payout_profiles AS payout JOIN tax_profiles AS tax ON tax.partner_id = payout.partner_id
        WHERE payout.state = 'approved' AND tax.state = 'approved';

-- The time that an enrollment is in, and that a line of its history is about, by the day on which the partner was let in.
ALTER TABLE enrollments ADD COLUMN let_in_on date;
ALTER TABLE enrollment_changes ADD COLUMN let_in_on date;

UPDATE enrollment_changes SET let_in_on = (
        SELECT max(began.as_of) FROM enrollment_changes AS began
        WHERE began.partner_id = enrollment_changes.partner_id
            AND began.enrollment_id = enrollment_changes.enrollment_id
            AND began.id <= enrollment_changes.id
            AND began.cause IN ('requested', 'accepted', 'rolled_over')
            AND (enrollment_changes.earnings_start_on IS NULL
                OR date_trunc('month', began.as_of)::date <= enrollment_changes.earnings_start_on)
    )
    WHERE earnings_start_on IS NOT NULL OR to_state IN ('action_required', 'validating');
UPDATE enrollments SET let_in_on = (
        SELECT latest.let_in_on FROM enrollment_changes AS latest
        WHERE latest.partner_id = enrollments.partner_id AND latest.enrollment_id = enrollments.id
        ORDER BY latest.id DESC LIMIT 1
    );
