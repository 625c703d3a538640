-- Partners whose users are set up, with a program that pays a quarter of each sale, and the enrollments of a program year.
-- {then} is an instant, {no} is false, {first} and {last} are the days of the year; SQLite's functions are made on PostgreSQL.
INSERT INTO programs (id, code, name, partner_types, status, created_at, updated_at, revision)
    VALUES (unhex(printf('%032x', 1)), 'rewards', 'Rewards', '["direct_bill"]', 'open', {then}, {then}, 1);
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {partners})
INSERT INTO partners (id, mpn_id, legal_name, country, currency, partner_type, contact_email, status, created_at, updated_at,
    revision, search_text)
    SELECT unhex(printf('%032x', 4096 + n)), CAST(2000000 + n AS TEXT), 'Contoso ' || n, 'US', 'USD', 'direct_bill',
    'a@contoso.example', 'active', {then}, {then}, 1, '' FROM n;
INSERT INTO partner_numbers (mpn_id, partner_id) SELECT mpn_id, id FROM partners;
INSERT INTO partner_setups (partner_id, state, list_sent_at, completed_at, created_at, updated_at, revision)
    SELECT id, 'completed', {then}, {then}, {then}, {then}, 2 FROM partners;
-- a year
INSERT INTO program_versions (id, program_id, version, program_year, effective_from, effective_to, requirements, levers,
    rebate_rate, payment_threshold, coop_threshold, currency, invitation_days, rounding, state, published_at, created_at,
    updated_at, revision)
    VALUES (unhex(printf('%032x', {year})), unhex(printf('%032x', 1)), {version}, {year}, '{first}', '{last}',
    '[{"rule":"partner_active"}]',
    '[{"type":"core","code":"core","name":"Core","scale":{"type":"flat","rate":"0.25"},"grain":"transaction"}]',
    600000, 20000, 1000000, 'USD', 30, 'half_away_from_zero', 'published', {then}, {then}, {then}, 1);
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {partners})
INSERT INTO evaluations (id, partner_id, program_id, version, as_of, evaluated_at, outcome, checks)
    SELECT unhex(printf('%032x', {year} * 65536 + n)), unhex(printf('%032x', 4096 + n)), unhex(printf('%032x', 1)), {version},
    '{first}', {then}, 'eligible', '[]' FROM n;
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {partners})
INSERT INTO enrollments (id, partner_id, program_id, version, program_year, state, earnings_start_on, evaluation_id, created_at,
    updated_at, revision, let_in_on)
    SELECT unhex(printf('%032x', {year} * 65536 + n)), unhex(printf('%032x', 4096 + n)), unhex(printf('%032x', 1)), {version},
    {year}, 'enrolled', '{first}', unhex(printf('%032x', {year} * 65536 + n)), {then}, {then}, 1, '{first}' FROM n;
INSERT INTO enrollment_changes (id, partner_id, enrollment_id, to_state, cause, as_of, evaluation_id, occurred_at,
    earnings_start_on, let_in_on)
    SELECT id, partner_id, id, 'enrolled', 'requested', '{first}', evaluation_id, {then}, '{first}', '{first}'
    FROM enrollments WHERE program_year = {year};
-- a half-year
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {partners})
INSERT INTO transaction_records (id, source, external_id, partner_id, customer_id, customer_country, customer_public_sector,
    product, product_family, kind, occurred_on, amount, currency, created_at)
    SELECT unhex(printf('%032x', {sale} * 65536 + n)), 'billing', 'N{sale}-' || n, unhex(printf('%032x', 4096 + n)), 'C-1', 'US',
    {no}, 'SKU-1', 'azure', 'purchase', '{day}', 10000000 - n % 3 % 2 * 1000000, 'USD', {then} FROM n;
INSERT INTO transaction_numbers (source, external_id, partner_id, transaction_id)
    SELECT source, external_id, partner_id, id FROM transaction_records WHERE occurred_on = '{day}';
