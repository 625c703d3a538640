-- The world of `tests/process/calculating.sql` without its refunds, for PostgreSQL.
INSERT INTO programs VALUES (lpad('1', 32, '0')::uuid, 'rewards', 'Rewards', '["direct_bill"]', 'open', 'epoch', 'epoch', 1);
INSERT INTO program_versions VALUES (lpad('2', 32, '0')::uuid, lpad('1', 32, '0')::uuid, 1, 2019,
    '2018-07-01', '2019-06-30', '[{"rule":"partner_active"}]',
    '[{"type":"core","code":"core","name":"Core","scale":{"type":"marginal","period":"half_year","tiers":[
        {"from":{"amount":"0.00","currency":"USD"},"rate":"0.02"},
        {"from":{"amount":"50000.00","currency":"USD"},"rate":"0.04"},
        {"from":{"amount":"150000.00","currency":"USD"},"rate":"0.06"}]},
        "cap":{"scope":"partner","amount":{"amount":"10000.00","currency":"USD"}},"grain":"transaction"}]',
    600000, 20000, 1000000, 'USD', 30, 'half_away_from_zero', 'published', 'epoch', 'epoch', 'epoch', 1);
INSERT INTO partners SELECT lpad(to_hex(1000 + n), 32, '0')::uuid, lpad((2000000 + n)::text, 7, '0'), 'Contoso ' || n,
    'DE', 'EUR', 'direct_bill', NULL, NULL, 'a@contoso.example', 'active', 'epoch', 'epoch', 1
    FROM generate_series(1, 10 /*partners*/) n;
INSERT INTO partner_numbers SELECT mpn_id, id FROM partners;
INSERT INTO evaluations SELECT ('01' || substr(id::text, 3))::uuid, id, lpad('1', 32, '0')::uuid, 1, '2018-07-01', 'epoch',
    'eligible', NULL, '[]' FROM partners WHERE mpn_id BETWEEN '2000001' AND '2999999' AND length(mpn_id) = 7;
INSERT INTO enrollments SELECT ('02' || substr(id::text, 3))::uuid, id, lpad('1', 32, '0')::uuid, 1, 2019, 'enrolled',
    NULL, NULL, NULL, '2018-07-01', NULL, NULL, ('01' || substr(id::text, 3))::uuid, 'epoch', 'epoch', 1, '2018-07-01'
    FROM partners WHERE mpn_id BETWEEN '2000001' AND '2999999' AND length(mpn_id) = 7;
INSERT INTO enrollment_changes SELECT ('03' || substr(id::text, 3))::uuid, partner_id, id, NULL, 'enrolled', 'requested', NULL,
    '2018-07-01', evaluation_id, NULL, 'epoch', '2018-07-01', NULL, '2018-07-01' FROM enrollments;
INSERT INTO transaction_records SELECT ('04' || substr(lpad(to_hex(n), 32, '0'), 3))::uuid, 'billing', 'N' || n,
    lpad(to_hex(1001 + n % 10 /*partners*/), 32, '0')::uuid, NULL, 'C-' || (n * 7919 % 500), 'DE', false, 'SKU-1', 'azure',
    'purchase', NULL, date '2018-07-01' + (n * 104729 % 365)::integer, 1000 + n * 7907 % 90000, 'USD', NULL, 'epoch'
    FROM generate_series(1::bigint, 20000 /*sales*/) n;
INSERT INTO calculation_backlog (partner_id, from_day, cause, failure, failed_at) SELECT partner_id, min(occurred_on), 'sale', NULL, NULL FROM transaction_records
    GROUP BY partner_id;
INSERT INTO transaction_numbers SELECT source, external_id, partner_id, id FROM transaction_records;
