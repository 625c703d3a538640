-- Partners with approved profiles, each with an enrollment and ten payable rebates of closed months, some below zero.
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
INSERT INTO payout_profiles (id, partner_id, holder, account_number, bank_country, address_country, town, currency, state,
    approved_by, created_at, updated_at, revision, account_revision)
    SELECT {id 4 n}, {id 3 n}, 'Contoso', {bytes}, 'US', 'US', 'Redmond', 'USD', 'approved', {id 9 1}, {then}, {then}, 1, 1
    FROM {numbers {partners}};
INSERT INTO tax_profiles (id, partner_id, form, tax_country, tax_id, signed_on, tin_status, state, approved_by, created_at,
    updated_at, revision)
    SELECT {id 5 n}, {id 3 n}, 'w9', 'US', {bytes}, {day '2018-07-01'}, 'matched', 'approved', {id 9 1}, {then}, {then}, 1
    FROM {numbers {partners}};
INSERT INTO evaluations (id, partner_id, program_id, version, as_of, evaluated_at, outcome, checks)
    SELECT {id 6 n}, {id 3 n}, {id 1 1}, 1, {day '2018-07-01'}, {then}, 'eligible', {json '[]'} FROM {numbers {partners}};
INSERT INTO enrollments (id, partner_id, program_id, version, program_year, state, earnings_start_on, evaluation_id,
    created_at, updated_at, revision, let_in_on)
    SELECT {id 7 n}, {id 3 n}, {id 1 1}, 1, 2019, 'enrolled', {day '2018-07-01'}, {id 6 n}, {then}, {then}, 1,
        {day '2018-07-01'}
    FROM {numbers {partners}};
INSERT INTO rebates (id, enrollment_id, partner_id, posted_in, currency, earned, adjusted, coop, state, state_since, as_of,
    created_at, updated_at, revision)
    SELECT {id 8 n}, {id 7 n % {partners} + 1}, {id 3 n % {partners} + 1}, {month n / {partners}}, 'USD',
        CASE WHEN n * 31 % 20 = 0 THEN -700 ELSE 500 + n * 7919 % 6000 END, 0, 0, 'payable', {day '2019-05-03'}, {then},
        {then}, {then}, 1
    FROM (SELECT n - 1 AS n FROM {numbers {lines}}) lines;
INSERT INTO closed_months (month, closed_at)
    SELECT {month n - 1}, {then} FROM {numbers 10};
