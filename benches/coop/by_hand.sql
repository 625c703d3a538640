-- The same as the end of a half-year, by one statement for each table: the funds, the rebates that the small ones become part of,
-- the transfers of the ledger, the audit trail, and what the admins are told.
CREATE TEMPORARY TABLE ending AS
    SELECT f.*, CASE WHEN f.earned < v.coop_threshold THEN 'converted' ELSE 'claimable' END AS becomes, u.id AS admin_id, u.email,
        p.legal_name
    FROM coop_funds f
    JOIN partners p ON p.id = f.partner_id
    JOIN enrollments e ON e.partner_id = f.partner_id AND e.id = f.enrollment_id
    JOIN program_versions v ON v.program_id = e.program_id AND v.version = e.version
    LEFT JOIN users u ON u.partner_id = f.partner_id AND u.role = 'incentive_admin' AND u.status <> 'disabled'
    WHERE f.state = 'estimated' AND f.last_month <= (SELECT MAX(month) FROM closed_months);
UPDATE coop_funds SET revision = revision + 1, updated_at = {then},
        state = CASE WHEN earned < 1000000 THEN 'converted' ELSE 'claimable' END,
        converted_in = CASE WHEN earned < 1000000 THEN {month 6} END,
        converted = CASE WHEN earned < 1000000 THEN earned ELSE 0 END,
        claimable = CASE WHEN earned < 1000000 THEN 0 ELSE earned END,
        remaining = CASE WHEN earned < 1000000 THEN 0 ELSE remaining END
    WHERE state = 'estimated' AND last_month <= (SELECT MAX(month) FROM closed_months);
INSERT INTO rebates (id, enrollment_id, partner_id, posted_in, currency, earned, adjusted, coop, converted, state, as_of, created_at,
    updated_at, revision)
    SELECT {of_partner 11 id}, enrollment_id, partner_id, {month 6}, currency, 0, 0, 0, earned, 'accruing', {then}, {then}, {then}, 1
    FROM ending WHERE becomes = 'converted';
INSERT INTO ledger_transfers (id, partner_id, enrollment_id, month, currency, debit, credit, amount, cause, cause_id, posted_at)
    SELECT {of_partner 12 id}, partner_id, enrollment_id, last_month, currency, 'coop_available', 'coop_converted', earned,
        'conversion', id, {then} FROM ending WHERE becomes = 'converted'
    UNION ALL SELECT {of_partner 13 id}, partner_id, enrollment_id, {month 6}, currency, 'coop_converted', 'rebate_accrued', earned,
        'conversion', NULL, {then} FROM ending WHERE becomes = 'converted';
INSERT INTO audit_events (id, occurred_at, actor_role, operation, resource_type, resource_id, partner_id, before, after, request_id)
    SELECT {of_partner 14 id}, {then}, 'system', 'DailyRefresh', 'coop_fund', id, partner_id,
        {object}('id', {text partner_id}, 'enrollment_id', {text partner_id}, 'partner_id', {text partner_id}, 'half_year', half_year,
            'last_month', last_month, 'currency', currency, 'state', state, 'estimated', 'true', 'threshold', NULL,
            'projected_below_threshold', NULL, 'earned', {object}('amount', earned, 'currency', currency), 'converted',
            {object}('amount', 0, 'currency', currency), 'converted_in', NULL, 'claimable', {object}('amount', earned, 'currency',
            currency), 'planned', {object}('amount', 0, 'currency', currency), 'plan_id', NULL, 'committed', {object}('amount', 0,
            'currency', currency), 'paid', {object}('amount', 0, 'currency', currency), 'forfeited', {object}('amount', 0, 'currency',
            currency), 'remaining', {object}('amount', earned, 'currency', currency), 'as_of', as_of, 'created_at', created_at,
            'updated_at', updated_at, 'revision', 1),
        {object}('id', {text partner_id}, 'enrollment_id', {text partner_id}, 'partner_id', {text partner_id}, 'half_year', half_year,
            'last_month', last_month, 'currency', currency, 'state', becomes, 'estimated', 'false', 'threshold', NULL,
            'projected_below_threshold', NULL, 'earned', {object}('amount', earned, 'currency', currency), 'converted',
            {object}('amount', 0, 'currency', currency), 'converted_in', NULL, 'claimable', {object}('amount', earned, 'currency',
            currency), 'planned', {object}('amount', 0, 'currency', currency), 'plan_id', NULL, 'committed', {object}('amount', 0,
            'currency', currency), 'paid', {object}('amount', 0, 'currency', currency), 'forfeited', {object}('amount', 0, 'currency',
            currency), 'remaining', {object}('amount', earned, 'currency', currency), 'as_of', as_of, 'created_at', created_at,
            'updated_at', updated_at, 'revision', 2),
        'by hand'
    FROM ending;
INSERT INTO notifications (id, user_id, partner_id, kind, resource_type, resource_id, subject, body, created_at)
    SELECT {of_partner 15 id}, admin_id, partner_id, 'coop_fund_closed', 'coop_fund', id,
        legal_name || ': USD ' || earned || ' of co-op can be claimed', 'Hello Ada, the co-op of ' || legal_name || ' from July 2018 to
        December 2018 is USD ' || earned || '. Claim what your marketing activities from January 2019 to June 2019 have cost from 16
        February 2019 to 15 August 2019; what is not claimed until then is lost. Write the claim at https://incentives.example and send
        the invoice of each expense with it. You get this message because you are an incentive admin.', {then}
    FROM ending WHERE admin_id IS NOT NULL;
INSERT INTO deliveries (notification_id, recipient, message_id, html, state, attempts, due_at)
    SELECT {of_partner 15 id}, email, '<' || {text partner_id} || '@incentives.example>', '<!doctype html><html lang="en"><head><meta
        charset="utf-8"><title>Co-op</title></head><body style="font-family:sans-serif;color:#222"><table role="presentation"
        width="100%"><tr><td align="center"><table role="presentation" width="600"><tr><td><h1>' || legal_name || '</h1><p>The co-op from
        July 2018 to December 2018 is USD ' || earned || '. Claim what your marketing activities from January 2019 to June 2019 have cost
        from 16 February 2019 to 15 August 2019; what is not claimed until then is lost.</p><p>You get this message because you are an
        incentive admin.</p></td></tr></table></td></tr></table></body></html>', 'kept', 0, {then}
    FROM ending WHERE admin_id IS NOT NULL;
