-- What the statement of `calculation/statement.sql` does not write: records of what does not earn, the sums statements
-- read, rebates and ledger, of which the first months are closed; and what is asked for by name: a customer that bought
-- once, months and codes that are rare. Where the databases differ, words in braces are filled in.
INSERT INTO ineligible_records SELECT {07 id}, enrollment_id, partner_id, version, lever, grain, transaction_id,
    purchase_id, customer_id, earned_in, 'customer_not_new', NULL, {yes}, NULL, NULL, calculated_at, NULL
    FROM earnings WHERE amount % 10 = 0;
INSERT INTO lever_months SELECT partner_id, enrollment_id, posted_in, version, lever, earned_in, currency, count(*), {sum base},
    {sum amount}, {sum rebate}, {sum coop} FROM earnings
    GROUP BY partner_id, enrollment_id, posted_in, version, lever, earned_in, currency;
INSERT INTO ineligible_months SELECT partner_id, enrollment_id, earned_in, version, lever, earned_in, code, 'USD', count(*),
    0, count(*) * 1000, 0 FROM ineligible_records GROUP BY partner_id, enrollment_id, version, lever, earned_in, code;
INSERT INTO lever_volumes SELECT partner_id, enrollment_id, lever, earned_in, {sum base}, 0 FROM earnings
    GROUP BY partner_id, enrollment_id, lever, earned_in;
INSERT INTO cap_uses SELECT partner_id, enrollment_id, lever, 'partner', {sum amount}, 0 FROM earnings
    GROUP BY partner_id, enrollment_id, lever;
INSERT INTO cap_months SELECT partner_id, enrollment_id, lever, earned_in, 'partner', {sum amount}, 0 FROM earnings
    GROUP BY partner_id, enrollment_id, lever, earned_in;
INSERT INTO rebates SELECT {new}, e.enrollment_id, e.partner_id, e.posted_in, 'USD', e.rebate, 0, e.coop,
    CASE WHEN e.posted_in < '2019-01-01' THEN 'payable' ELSE 'accruing' END, NULL, NULL, NULL, {then}, {then}, {then}, 1
    FROM (SELECT enrollment_id, partner_id, posted_in, {sum rebate} AS rebate, {sum coop} AS coop FROM earnings
        GROUP BY enrollment_id, partner_id, posted_in) e;
INSERT INTO ledger_transfers SELECT {new}, partner_id, enrollment_id, posted_in, 'USD', 'programme_expense', 'rebate_accrued',
    earned, 'calculation', NULL, {then} FROM rebates WHERE earned > 0;
INSERT INTO ledger_transfers SELECT {new}, partner_id, enrollment_id, posted_in, 'USD', 'rebate_accrued', 'rebate_payable',
    earned, 'closure', NULL, {then} FROM rebates WHERE earned > 0 AND state = 'payable';
INSERT INTO closed_months VALUES ('2018-07-01', {then}, NULL, NULL), ('2018-08-01', {then}, NULL, NULL),
    ('2018-09-01', {then}, NULL, NULL), ('2018-10-01', {then}, NULL, NULL), ('2018-11-01', {then}, NULL, NULL),
    ('2018-12-01', {then}, NULL, NULL);
INSERT INTO earnings SELECT {06 id}, enrollment_id, partner_id, version, lever, grain, transaction_id, purchase_id,
    customer_id, '2018-06-01', posted_in, currency, base, net, volume, baseline, slices, unrounded, whole, cap_balance,
    posted_before, corrects, amount, rebate, coop, cause, cause_id, calculated_at FROM earnings ORDER BY id LIMIT 1;
INSERT INTO ineligible_records SELECT {06 id}, enrollment_id, partner_id, version, lever, grain, transaction_id,
    purchase_id, customer_id, '2018-06-01', code, bought_on, curable, capped, currency, recorded_at, cured_at
    FROM ineligible_records ORDER BY id LIMIT 1;
INSERT INTO transaction_records SELECT {08 id}, source, 'rare', partner_id, NULL, 'C-rare', customer_country,
    customer_public_sector, product, product_family, kind, NULL, occurred_on, amount, currency, units, created_at
    FROM transaction_records ORDER BY id LIMIT 1;
INSERT INTO transaction_numbers SELECT source, external_id, partner_id, id FROM transaction_records
    WHERE external_id = 'rare';
INSERT INTO partner_setups SELECT partner_id, 'completed', {then}, NULL, {then}, NULL, {then}, {then}, 2
    FROM (SELECT partner_id FROM earnings ORDER BY id LIMIT 1) first;
DELETE FROM calculation_backlog;
