-- Enrolled partners of FY2019 with purchases spread over the year, and some of them taken back. SQLite.
INSERT INTO programs (id, code, name, partner_types, status, created_at, updated_at, revision)
    VALUES (unhex(printf('%032x', 1)), 'rewards', 'Rewards', '["direct_bill"]', 'open', 1, 1, 1);
INSERT INTO program_versions (id, program_id, version, program_year, effective_from, effective_to, requirements,
    levers, rebate_rate, payment_threshold, coop_threshold, currency, invitation_days, rounding, state, published_at,
    created_at, updated_at, revision)
    VALUES (unhex(printf('%032x', 2)), unhex(printf('%032x', 1)), 1, 2019,
    '2018-07-01', '2019-06-30', '[{"rule":"partner_active"}]',
    '[{"type":"core","code":"core","name":"Core","scale":{"type":"marginal","period":"half_year","tiers":[
        {"from":{"amount":"0.00","currency":"USD"},"rate":"0.02"},
        {"from":{"amount":"50000.00","currency":"USD"},"rate":"0.04"},
        {"from":{"amount":"150000.00","currency":"USD"},"rate":"0.06"}]},
        "cap":{"scope":"partner","amount":{"amount":"10000.00","currency":"USD"}},"grain":"transaction"}]',
    600000, 20000, 1000000, 'USD', 30, 'half_away_from_zero', 'published', 1, 1, 1, 1);
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10 /*partners*/)
INSERT INTO partners (id, mpn_id, legal_name, country, currency, partner_type, headquarters_id, headquarters_since,
    contact_email, status, created_at, updated_at, revision, search_text)
    SELECT unhex(printf('%032x', 1000 + n)), printf('%07d', 2000000 + n), 'Contoso ' || n, 'DE', 'EUR',
    'direct_bill', NULL, NULL, 'a@contoso.example', 'active', 1, 1, 1, '' FROM n;
INSERT INTO partner_numbers (mpn_id, partner_id)
    SELECT mpn_id, id FROM partners;
INSERT INTO evaluations (id, partner_id, program_id, version, as_of, evaluated_at, outcome, eligible_until, checks)
    SELECT unhex('01' || substr(hex(id), 3)), id, unhex(printf('%032x', 1)), 1, '2018-07-01', 1,
    'eligible', NULL, '[]' FROM partners WHERE mpn_id > '2000000' AND mpn_id < '3000000';
INSERT INTO enrollments (id, partner_id, program_id, version, program_year, state, invited_on, invitation_expires_on,
    accepted_by, earnings_start_on, ineligible_since, ended_on, evaluation_id, created_at, updated_at, revision,
    let_in_on)
    SELECT unhex('02' || substr(hex(id), 3)), id, unhex(printf('%032x', 1)), 1, 2019, 'enrolled',
    NULL, NULL, NULL, '2018-07-01', NULL, NULL, unhex('01' || substr(hex(id), 3)), 1, 1, 1, '2018-07-01'
    FROM partners WHERE mpn_id > '2000000' AND mpn_id < '3000000';
INSERT INTO enrollment_changes (id, partner_id, enrollment_id, from_state, to_state, cause, actor_id, as_of,
    evaluation_id, reason, occurred_at, earnings_start_on, ineligible_since, let_in_on)
    SELECT unhex('03' || substr(hex(id), 3)), partner_id, id, NULL, 'enrolled', 'requested', NULL,
    '2018-07-01', evaluation_id, NULL, 1, '2018-07-01', NULL, '2018-07-01' FROM enrollments;
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000 /*sales*/)
INSERT INTO transaction_records (id, source, external_id, partner_id, provider_id, customer_id, customer_country,
    customer_public_sector, product, product_family, kind, original_transaction_id, occurred_on, amount, currency,
    units, created_at)
    SELECT unhex('04' || substr(printf('%032x', n), 3)), 'billing', 'N' || n,
    unhex(printf('%032x', 1001 + n % 10 /*partners*/)), NULL, 'C-' || (n * 7919 % 500), 'DE', 0, 'SKU-1', 'azure',
    'purchase', NULL, date('2018-07-01', (n * 104729 % 365) || ' days'), 1000 + n * 7907 % 90000, 'USD', NULL, 1 FROM n;
INSERT INTO calculation_backlog (partner_id, from_day, cause, failure, failed_at)
    SELECT partner_id, min(occurred_on), 'sale', NULL, NULL FROM transaction_records
    GROUP BY partner_id;
-- refunds
INSERT INTO transaction_records (id, source, external_id, partner_id, provider_id, customer_id, customer_country,
    customer_public_sector, product, product_family, kind, original_transaction_id, occurred_on, amount, currency,
    units, created_at)
    SELECT unhex('05' || substr(hex(id), 3)), 'billing', 'R' || external_id, partner_id, NULL,
    customer_id, 'DE', 0, 'SKU-1', 'azure', 'refund', id, date(occurred_on, '20 days'), -amount / 2, 'USD', NULL, 1
    FROM transaction_records WHERE amount % 17 = 0;
INSERT INTO transaction_numbers (source, external_id, partner_id, transaction_id)
    SELECT source, external_id, partner_id, id FROM transaction_records;
