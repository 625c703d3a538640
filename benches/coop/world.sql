-- Partners, each with an admin, an enrollment, and the co-op of a half-year in a fund that is estimated; every third fund stays
-- below the threshold. The half-year is closed.
INSERT INTO programs (id, code, name, partner_types, status, created_at, updated_at, revision)
    SELECT {id 1 n}, 'rewards', 'Rewards', {json '["direct_bill"]'}, 'open', {then}, {then}, 1 FROM {numbers 1};
INSERT INTO program_versions (id, program_id, version, program_year, effective_from, effective_to, requirements, levers,
    rebate_rate, payment_threshold, coop_threshold, currency, invitation_days, rounding, state, published_at, created_at,
    updated_at, revision)
    SELECT {id 2 n}, {id 1 n}, 1, 2019, {day '2018-07-01'}, {day '2019-06-30'}, {json '[{"rule":"partner_active"}]'},
        {json '[{"type":"core","code":"core","name":"Core","scale":{"type":"flat","rate":"0.1"},"grain":"transaction"}]'},
        600000, 20000, 1000000, 'USD', 30, 'half_away_from_zero', 'published', {then}, {then}, {then}, 1
    FROM {numbers 1};
INSERT INTO partners (id, mpn_id, legal_name, country, currency, partner_type, contact_email, status, created_at,
    updated_at, revision, search_text)
    SELECT {id 3 n}, CAST(2000000 + n AS TEXT), 'Contoso ' || n, 'US', 'USD', 'direct_bill', 'a@contoso.example', 'active',
        {then}, {then}, 1, '' FROM {numbers {partners}};
INSERT INTO users (id, email, name, role, partner_id, status, password_hash, must_change_password, token_epoch, created_at,
    updated_at, revision, locale, has_second_factor)
    SELECT {id 4 n}, 'admin-' || n || '@contoso.example', 'Ada', 'incentive_admin', {id 3 n}, 'active', 'none', {false}, 1,
        {then}, {then}, 1, 'en', {false} FROM {numbers {admins}};
INSERT INTO evaluations (id, partner_id, program_id, version, as_of, evaluated_at, outcome, checks)
    SELECT {id 6 n}, {id 3 n}, {id 1 1}, 1, {day '2018-07-01'}, {then}, 'eligible', {json '[]'} FROM {numbers {partners}};
INSERT INTO enrollments (id, partner_id, program_id, version, program_year, state, earnings_start_on, evaluation_id,
    created_at, updated_at, revision, let_in_on)
    SELECT {id 7 n}, {id 3 n}, {id 1 1}, 1, 2019, 'enrolled', {day '2018-07-01'}, {id 6 n}, {then}, {then}, 1,
        {day '2018-07-01'}
    FROM {numbers {partners}};
INSERT INTO rebates (id, enrollment_id, partner_id, posted_in, currency, earned, adjusted, coop, state, state_since, as_of,
    created_at, updated_at, revision)
    SELECT {id 8 n}, {id 7 n}, {id 3 n}, {day '2018-12-01'}, 'USD', 500, 0,
        CASE WHEN n % 3 = 0 THEN 500000 ELSE 1500000 END + n % 1000, 'payable', {day '2019-01-04'}, {then}, {then}, {then}, 1
    FROM {numbers {partners}};
INSERT INTO ledger_transfers (id, partner_id, enrollment_id, month, currency, debit, credit, amount, cause, posted_at)
    SELECT {of_partner 9 id}, partner_id, enrollment_id, posted_in, currency, 'programme_expense', 'coop_available', coop,
        'calculation', {then} FROM rebates;
INSERT INTO coop_funds (id, partner_id, enrollment_id, half_year, last_month, currency, state, earned, converted, claimable,
    planned, committed, paid, forfeited, remaining, as_of, created_at, updated_at, revision)
    SELECT {of_partner 10 id}, partner_id, enrollment_id, {day '2018-07-01'}, {day '2018-12-01'}, currency, 'estimated', coop, 0,
        coop, 0, 0, 0, 0, coop, {then}, {then}, {then}, 1 FROM rebates;
INSERT INTO closed_months (month, closed_at) SELECT {month n - 1}, {then} FROM {numbers 6};
