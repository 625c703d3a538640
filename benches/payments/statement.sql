-- What is payable to each partner in each currency: the enrollments that meet the threshold, less what others owe back.
SELECT COUNT(*) AS payments, CAST(COALESCE(SUM(gross), 0) AS BIGINT) AS gross FROM (
    SELECT partner_id, currency, SUM(payable) AS gross FROM (
        SELECT r.partner_id, r.currency, r.enrollment_id, SUM(r.earned + r.adjusted + r.converted) AS payable,
            MAX(v.payment_threshold) AS threshold
        FROM rebates r
        JOIN enrollments e ON e.partner_id = r.partner_id AND e.id = r.enrollment_id
        JOIN program_versions v ON v.program_id = e.program_id AND v.version = e.version
        WHERE r.state = 'payable' AND r.posted_in <= {month 9}
        GROUP BY r.partner_id, r.currency, r.enrollment_id) by_enrollment
    WHERE payable < 0 OR payable >= threshold
    GROUP BY partner_id, currency) by_partner
WHERE gross > 0
