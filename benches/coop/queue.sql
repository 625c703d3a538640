-- Claims that wait for a reviewer, ten of each partner, each with two expenses and the steps of a usual claim; and as many sales.
INSERT INTO coop_claims (id, partner_id, fund_id, enrollment_id, activity, activity_from, activity_to, description, metric,
    expenses, currency, state, committed, review_due_on, submitted_at, is_risky, risks, history, created_at, updated_at, revision)
    SELECT {id 20 n}, f.partner_id, f.id, f.enrollment_id, 'customer-seminar', {day '2019-02-11'}, {day '2019-02-12'},
        'Seminar on cloud backup for the customers of spring', 40,
        {json '[{"id":"01936f2e-4b00-7000-8000-000000000001","description":"Room","on":"2019-02-11","source":{"type":"invoice","supplier":"Hall of Nagoya","number":"A-1"},"net":{"amount":"300.00","currency":"USD"},"tax":{"amount":"0.00","currency":"USD"},"recovers_tax":true,"asked":{"amount":30000,"rate":null,"reimbursable":30000,"cut_by":null},"decision":null}]'},
        'USD', 'submitted', 30000, {day '2019-03-01'}, {then}, {false}, {json '[]'},
        {json '[{"at":"2019-02-11T12:00:00.000000Z","side":"partner","by":null,"step":"draft","words":null,"amount":null},{"at":"2019-02-12T12:00:00.000000Z","side":"partner","by":null,"step":"submission","words":null,"amount":30000}]'},
        {then}, {then}, 1
    FROM {numbers {claims}} JOIN coop_funds f ON f.id = {id 10 n % {partners} + 1};
INSERT INTO transaction_records (id, source, external_id, partner_id, customer_id, customer_country, customer_public_sector, product,
    product_family, kind, occurred_on, amount, currency, created_at)
    SELECT {id 21 n}, 'billing', 'N' || n, {id 3 n % {partners} + 1}, 'C-' || n % 500, 'US', {false}, 'SKU-1', 'azure', 'purchase',
        {day '2018-12-10'}, 1000 + n * 7907 % 90000, 'USD', {then} FROM {numbers {claims}};
INSERT INTO transaction_numbers (source, external_id, partner_id, transaction_id)
    SELECT source, external_id, partner_id, id FROM transaction_records;
