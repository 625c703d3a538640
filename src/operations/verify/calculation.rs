//! Proof of the calculation: caps, volumes and groups computed again from what was posted, and that each sale was
//! answered once by every lever.

use super::{Sum, words::spelled};
use crate::{
    access::Tx,
    participation::programs::{CapScope, Lever, LeverGrain, LeverScale, ProgramVersionState},
    platform::{
        Result,
        db::{
            native,
            types::{Guid, Json},
        },
        values::{Currency, Id},
    },
    schema::{program_versions, programs},
};
use diesel::{prelude::*, sql_types::Text};
use std::fmt::Write as _;

/// Every sale taken in, by the version of its day; one that moved on to a later enrollment of the year counts there.
const SOLD: &str = "sold (program, partner_id, enrollment_id, transaction_id, purchase_id, customer, version, month, amount, abroad) AS (
    SELECT p.code, c.partner_id, c.enrollment_id, t.id, coalesce(b.id, t.id), coalesce(b.customer_id, t.customer_id), v.version,
        substr(CAST(coalesce(b.occurred_on, t.occurred_on) AS text), 1, 7), t.amount,
        CASE WHEN t.currency = v.currency THEN 0 ELSE 1 END
    FROM counted_sales c
    JOIN enrollments e ON e.partner_id = c.partner_id AND e.id = c.enrollment_id
    JOIN programs p ON p.id = e.program_id
    JOIN transaction_records t ON t.partner_id = c.partner_id AND t.id = c.transaction_id
    LEFT JOIN transaction_records b ON b.partner_id = t.partner_id AND b.id = t.original_transaction_id
    JOIN program_versions v ON v.program_id = e.program_id AND v.program_year = e.program_year
        AND v.state = {published} AND coalesce(b.occurred_on, t.occurred_on) BETWEEN v.effective_from AND v.effective_to
    WHERE NOT EXISTS (
        SELECT 1 FROM enrollments m JOIN counted_sales n ON n.partner_id = m.partner_id
            AND n.enrollment_id = m.id AND n.transaction_id = t.id
        WHERE m.partner_id = e.partner_id AND m.program_id = e.program_id AND m.program_year = e.program_year
            AND m.id > e.id))";

/// What must give no row. A row names a record by its id, and says what about it is wrong.
const CHECKS: &[(&str, &str)] = &[
    (
        "no cap is exceeded",
        "SELECT u.enrollment_id AS id, u.lever || ' ' || u.customer_id || ': ' || CAST(u.used AS text) || ' of '
            || CAST(l.cap AS text) || ' ' || l.currency AS what
         FROM cap_uses u JOIN enrollments e ON e.partner_id = u.partner_id AND e.id = u.enrollment_id
         JOIN programs p ON p.id = e.program_id
         JOIN levers l ON l.program = p.code AND l.version = u.version AND l.lever = u.lever
         WHERE l.cap < 0 OR u.used > l.cap",
    ),
    (
        "what is used of a cap was earned under it",
        // What was earned in another currency is rounded sale by sale, and shows in the limit alone.
        "SELECT enrollment_id AS id, lever || ' ' || holder || ': ' || CAST(SUM(amount) AS text) AS what FROM (
            SELECT x.enrollment_id, x.version, x.lever, x.amount,
                CASE WHEN l.scope = {customer} AND x.grain <> {month} THEN x.customer_id ELSE '' END AS holder,
                CASE WHEN x.currency = l.currency THEN 0 ELSE 1 END AS abroad
            FROM earnings x JOIN enrollments e ON e.partner_id = x.partner_id AND e.id = x.enrollment_id
            JOIN programs p ON p.id = e.program_id
            JOIN levers l ON l.program = p.code AND l.version = x.version AND l.lever = x.lever AND l.cap > 0
            UNION ALL SELECT enrollment_id, version, lever, -used, customer_id, 0 FROM cap_uses) parts
         GROUP BY enrollment_id, version, lever, holder HAVING SUM(amount) <> 0 AND SUM(abroad) = 0",
    ),
    (
        "groups hold what was posted for them",
        "SELECT enrollment_id AS id, lever || ' ' || CAST(month AS text) || ' ' || customer || ': '
            || CAST(SUM(posted) AS text) || ' posted, ' || CAST(SUM(cut) AS text) || ' cut' AS what FROM (
            SELECT enrollment_id, version, lever, earned_in AS month, coalesce(customer_id, '') AS customer, currency,
                amount AS posted, 0 AS cut FROM earnings WHERE grain <> {transaction}
            UNION ALL SELECT enrollment_id, version, lever, earned_in, coalesce(customer_id, ''), currency, 0, capped
                FROM ineligible_records WHERE grain <> {transaction} AND capped IS NOT NULL
            UNION ALL SELECT enrollment_id, version, lever, month, customer_id, currency, -posted, -capped_off
                FROM lever_groups) parts
         GROUP BY enrollment_id, version, lever, month, customer, currency HAVING SUM(posted) <> 0 OR SUM(cut) <> 0",
    ),
    (
        "volumes are what was sold",
        // Sales in another currency are converted one by one, and left out.
        "SELECT enrollment_id AS id, lever || ' ' || month || ': ' || CAST(SUM(amount) AS text) AS what FROM (
            SELECT s.enrollment_id, s.version, l.lever, s.month, SUM(s.amount) AS amount, SUM(s.abroad) AS abroad
            FROM (SELECT program, enrollment_id, version, month, SUM(amount) AS amount, SUM(abroad) AS abroad
                FROM sold GROUP BY program, enrollment_id, version, month) s
            JOIN levers l ON l.program = s.program AND l.version = s.version
            GROUP BY s.enrollment_id, s.version, l.lever, s.month
            UNION ALL SELECT r.enrollment_id, r.version, r.lever, substr(CAST(r.earned_in AS text), 1, 7), -t.amount, 0
            FROM ineligible_records r JOIN transaction_records t ON t.partner_id = r.partner_id AND t.id = r.transaction_id
            WHERE r.cured_at IS NULL AND r.capped IS NULL AND r.code NOT IN ({no_growth}, {amount_too_small})
            UNION ALL SELECT enrollment_id, version, lever, substr(CAST(month AS text), 1, 7), -volume, 0
            FROM lever_volumes) parts
         GROUP BY enrollment_id, version, lever, month HAVING SUM(amount) <> 0 AND SUM(abroad) = 0",
    ),
    (
        "no sale is answered twice by a lever",
        "SELECT transaction_id AS id, lever AS what FROM (
            SELECT enrollment_id, transaction_id, lever, 1 AS earned, 0 AS cut, 0 AS refused
            FROM earnings WHERE grain = {transaction}
            UNION ALL SELECT enrollment_id, transaction_id, lever, 0,
                CASE WHEN capped IS NULL THEN 0 ELSE 1 END, CASE WHEN capped IS NULL THEN 1 ELSE 0 END
            FROM ineligible_records WHERE grain = {transaction} AND cured_at IS NULL) answers
         GROUP BY enrollment_id, transaction_id, lever
         HAVING SUM(earned) > 1 OR SUM(cut) > 1 OR SUM(refused) > 1 OR SUM(refused) * (SUM(earned) + SUM(cut)) > 0",
    ),
    (
        "every sale is answered by every lever",
        "SELECT id, what FROM (
            SELECT s.transaction_id AS id, s.program || ' ' || l.lever AS what FROM sold s
            JOIN levers l ON l.program = s.program AND l.version = s.version AND l.grain = {transaction}
            EXCEPT SELECT x.transaction_id, p.code || ' ' || x.lever FROM earnings x
            JOIN enrollments e ON e.partner_id = x.partner_id AND e.id = x.enrollment_id JOIN programs p ON p.id = e.program_id
            WHERE x.grain = {transaction}
            EXCEPT SELECT r.transaction_id, p.code || ' ' || r.lever FROM ineligible_records r
            JOIN enrollments e ON e.partner_id = r.partner_id AND e.id = r.enrollment_id JOIN programs p ON p.id = e.program_id
            WHERE r.grain = {transaction} AND r.cured_at IS NULL) unanswered",
    ),
    (
        "every sale is answered or is in its group",
        "SELECT id, what FROM (
            SELECT s.enrollment_id AS id, l.lever || ' ' || s.month
                || CASE l.grain WHEN {customer_month} THEN ' ' || s.customer ELSE '' END AS what
            FROM sold s JOIN levers l ON l.program = s.program AND l.version = s.version AND l.grain <> {transaction}
            WHERE NOT EXISTS (SELECT 1 FROM ineligible_records r WHERE r.partner_id = s.partner_id AND r.purchase_id = s.purchase_id
                AND r.transaction_id = s.transaction_id AND r.lever = l.lever
                AND r.enrollment_id = s.enrollment_id AND r.cured_at IS NULL)
            EXCEPT SELECT enrollment_id, lever || ' ' || substr(CAST(month AS text), 1, 7)
                || CASE WHEN customer_id <> '' THEN ' ' || customer_id ELSE '' END FROM lever_groups) unanswered",
    ),
];

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Guid)]
    id: Id,
    #[diesel(sql_type = Text)]
    what: String,
}

/// Computes again what the calculation keeps, and names the first difference of each check. Each is one statement;
/// the database does the sums.
pub fn sums_of_calculation(tx: &mut Tx<'_>) -> Result<Vec<Sum>> {
    let levers = levers(tx)?;
    let mut sums = Vec::new();
    for (name, rows) in CHECKS {
        let (sold, rows) = (spelled(SOLD), spelled(rows));
        let query =
            format!("WITH {levers}, {sold} SELECT id, what FROM ({rows}) found ORDER BY id, what LIMIT 1");
        let found: Option<Row> =
            native!(tx.conn, conn => diesel::sql_query(query).get_result(conn).optional()?);
        sums.push(Sum { name, difference: found.map(|row| format!("{}, {}", row.id, row.what)) });
    }
    Ok(sums)
}

/// The levers of every published version, as a table: by what they round, and what caps them; -1 where nothing does.
fn levers(tx: &mut Tx<'_>) -> Result<String> {
    type Version = (String, i32, Currency, Json<Vec<Lever>>);
    let versions: Vec<Version> = program_versions::table
        .inner_join(programs::table.on(programs::id.eq(program_versions::program_id)))
        .filter(program_versions::state.eq(ProgramVersionState::Published))
        .select((
            programs::code,
            program_versions::version,
            program_versions::currency,
            program_versions::levers,
        ))
        .load(tx.conn)?;
    let mut table = "levers (program, version, lever, grain, scope, cap, currency) AS (VALUES \
                     ('', 0, '', '', '', -1, '')"
        .to_owned();
    for (program, version, currency, levers) in versions {
        for lever in &levers.0 {
            let (code, grain) = (lever.code(), grain(lever));
            let (scope, cap) =
                lever.cap().map_or((CapScope::Partner, -1), |cap| (cap.scope, cap.amount.minor));
            // Codes are slugs: nothing in them can end the text.
            let row =
                format!(", ('{program}', {version}, '{code}', '{grain}', '{scope}', {cap}, '{currency}')");
            table.write_str(&row).map_err(crate::platform::Error::internal)?;
        }
    }
    table.push(')');
    Ok(table)
}

/// By what a lever rounds and posts.
fn grain(lever: &Lever) -> LeverGrain {
    match lever {
        Lever::Growth { .. }
        | Lever::Core { scale: LeverScale::Retroactive { .. }, .. }
        | Lever::Accelerator { scale: LeverScale::Retroactive { .. }, .. } => LeverGrain::Month,
        Lever::Core { grain, .. } | Lever::Accelerator { grain, .. } => *grain,
        Lever::Fixed { .. } => LeverGrain::Transaction,
    }
}
