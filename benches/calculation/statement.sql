-- What a run is measured against: tiers, rounding, cap and split by one statement, with neither rules, windows,
-- refunds, records of what does not earn, the memory a later refund or cure needs, nor the ledger. It reads the sales
-- once, and its ids rise, as the run's do. Where the databases differ, words in braces are filled in.
INSERT INTO earnings (id, enrollment_id, partner_id, version, lever, grain, transaction_id, purchase_id, customer_id, earned_in,
    posted_in, currency, base, net, volume, baseline, slices, unrounded, whole, cap_balance, posted_before, corrects, amount,
    rebate, coop, cause, cause_id, calculated_at)
SELECT {id}, enrollment_id, partner_id, 1, 'core', 'transaction', id, id, customer_id, month, month, 'USD', amount, amount,
    amount, low, NULL, {exact}, whole, CASE WHEN given < whole THEN capacity END, 0, 0, given,
    (given * 600000 + 500000) / 1000000, given - (given * 600000 + 500000) / 1000000, 'sale', id, {now}
FROM (
    SELECT *, {least}(whole, {greatest}(0, capacity)) AS given
    FROM (
        SELECT *, 1000000 + whole - CAST(sum(whole) OVER
            (PARTITION BY partner_id ORDER BY occurred_on, external_id ROWS UNBOUNDED PRECEDING) AS bigint) AS capacity
        FROM (
            SELECT *, (exact + 500000) / 1000000 AS whole
            FROM (
                SELECT *, {greatest}(0, {least}(high, 5000000) - low) * 20000
                    + {greatest}(0, {least}(high, 15000000) - {greatest}(low, 5000000)) * 40000
                    + {greatest}(0, high - {greatest}(low, 15000000)) * 60000 AS exact
                FROM (
                    SELECT *, high - amount AS low
                    FROM (
                        SELECT t.id, t.external_id, t.partner_id, t.customer_id, t.occurred_on, {month} AS month, t.amount,
                            e.id AS enrollment_id, CAST(sum(t.amount) OVER
                                (PARTITION BY t.partner_id, t.occurred_on >= '2019-01-01' ORDER BY t.occurred_on, t.external_id
                                ROWS UNBOUNDED PRECEDING) AS bigint) AS high
                        FROM transaction_records t JOIN enrollments e ON e.partner_id = t.partner_id
                    ) volumes
                ) marks
            ) slices
        ) rounded
    ) capped
) split WHERE given > 0
