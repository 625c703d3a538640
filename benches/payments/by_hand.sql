-- The same as a run, by one statement for each table: payments, their lines, the transfers of the ledger, the rebates.
CREATE TEMPORARY TABLE due AS
    SELECT r.partner_id, r.enrollment_id, SUM(r.earned + r.adjusted + r.converted) AS payable
    FROM rebates r
    JOIN enrollments e ON e.partner_id = r.partner_id AND e.id = r.enrollment_id
    JOIN program_versions v ON v.program_id = e.program_id AND v.version = e.version
    WHERE r.state = 'payable' AND r.posted_in <= {month 9}
    GROUP BY r.partner_id, r.enrollment_id
    HAVING SUM(r.earned + r.adjusted + r.converted) >= MAX(v.payment_threshold);
CREATE INDEX {index} ON due (partner_id, enrollment_id);
INSERT INTO payment_runs (id, month, paid_in, state, done, total, totals, created_at, updated_at, revision)
    SELECT {id 11 n}, {month 9}, {month 11}, 'created', 0, 0, {json '[]'}, {then}, {then}, 1 FROM {numbers 1};
INSERT INTO payments (id, partner_id, run_id, currency, state, reconciliation, document_kind, gross, withheld,
    withholding_rate_id, net, created_at, updated_at, revision)
    SELECT {of_partner 12 partner_id}, partner_id, {id 11 1}, 'USD', 'created', 'unreconciled', 'credit_note', payable, 0,
        (SELECT id FROM withholding_rates ORDER BY id LIMIT 1), payable, {then}, {then}, 1
    FROM due;
INSERT INTO payment_lines (partner_id, payment_id, rebate_id, enrollment_id, posted_in, amount, withheld, set_off, live,
    record_id)
    SELECT r.partner_id, {of_partner 12 r.partner_id}, r.id, r.enrollment_id, r.posted_in,
        r.earned + r.adjusted + r.converted, 0, 0, {true}, r.id
    FROM rebates r JOIN due ON due.partner_id = r.partner_id AND due.enrollment_id = r.enrollment_id
    WHERE r.state = 'payable' AND r.posted_in <= {month 9};
INSERT INTO ledger_transfers (id, partner_id, enrollment_id, month, currency, debit, credit, amount, cause, cause_id,
    posted_at)
    SELECT {of_partner 13 r.id}, r.partner_id, r.enrollment_id, r.posted_in, 'USD',
        CASE WHEN r.earned > 0 THEN 'rebate_payable' ELSE 'rebate_in_payment' END,
        CASE WHEN r.earned > 0 THEN 'rebate_in_payment' ELSE 'rebate_payable' END,
        ABS(r.earned + r.adjusted + r.converted), 'payment', {of_partner 12 r.partner_id}, {then}
    FROM rebates r JOIN due ON due.partner_id = r.partner_id AND due.enrollment_id = r.enrollment_id
    WHERE r.state = 'payable' AND r.posted_in <= {month 9};
UPDATE rebates SET state = 'in_payment', revision = revision + 1
    WHERE state = 'payable' AND posted_in <= {month 9}
        AND EXISTS (SELECT 1 FROM due WHERE due.partner_id = rebates.partner_id
            AND due.enrollment_id = rebates.enrollment_id);
