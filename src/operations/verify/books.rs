//! Proof of the books: every figure is computed again from its parts.

use super::{Sum, words::spelled};
use crate::{
    access::Tx,
    platform::{
        Result,
        db::{native, types::Guid},
        values::{Currency, Id, Money, Month},
    },
};
use diesel::{
    prelude::*,
    sql_types::{BigInt, Date, Text},
};

/// The sums that must cancel out for each enrollment, month and currency.
const SUMS: &[(&str, &str)] = &[
    (
        "rebates are their earnings' rebate parts",
        "SELECT enrollment_id, posted_in AS month, currency, rebate AS amount FROM earnings
         UNION ALL SELECT enrollment_id, posted_in, currency, -earned FROM rebates",
    ),
    (
        "co-op is their earnings' co-op parts",
        "SELECT enrollment_id, posted_in AS month, currency, coop AS amount FROM earnings
         UNION ALL SELECT enrollment_id, posted_in, currency, -coop FROM rebates",
    ),
    (
        "rebates carry the approved adjustments",
        "SELECT enrollment_id, posted_in AS month, currency, amount FROM adjustments WHERE state = {approved}
         UNION ALL SELECT enrollment_id, posted_in, currency, -adjusted FROM rebates",
    ),
    (
        "the ledger owes what the rebates say",
        "SELECT enrollment_id, month, currency, amount FROM ledger_transfers WHERE credit IN {rebate_accounts}
         UNION ALL SELECT enrollment_id, month, currency, -amount FROM ledger_transfers WHERE debit IN {rebate_accounts}
         UNION ALL SELECT enrollment_id, posted_in, currency, -(earned + adjusted + converted) FROM rebates",
    ),
    (
        "the ledger holds the co-op the rebates say",
        "SELECT enrollment_id, month, currency, amount FROM ledger_transfers WHERE credit IN {coop_accounts}
         UNION ALL SELECT enrollment_id, month, currency, -amount FROM ledger_transfers WHERE debit IN {coop_accounts}
         UNION ALL SELECT enrollment_id, posted_in, currency, converted - coop FROM rebates",
    ),
    (
        "what is accrued is of open months",
        "SELECT enrollment_id, month, currency, amount FROM ledger_transfers WHERE credit = {rebate_accrued}
         UNION ALL SELECT enrollment_id, month, currency, -amount FROM ledger_transfers WHERE debit = {rebate_accrued}
         UNION ALL SELECT enrollment_id, posted_in, currency, -(earned + adjusted + converted) FROM rebates r
             WHERE NOT EXISTS (SELECT 1 FROM closed_months c WHERE c.month = r.posted_in)",
    ),
    (
        "what waits is payable",
        "SELECT enrollment_id, month, currency, amount FROM ledger_transfers WHERE credit = {rebate_payable}
         UNION ALL SELECT enrollment_id, month, currency, -amount FROM ledger_transfers WHERE debit = {rebate_payable}
         UNION ALL SELECT enrollment_id, posted_in, currency, -(earned + adjusted + converted) FROM rebates r
             WHERE state IN {waiting} AND EXISTS (SELECT 1 FROM closed_months c WHERE c.month = r.posted_in)",
    ),
    (
        "what payments carry is in payment",
        "SELECT enrollment_id, month, currency, amount FROM ledger_transfers WHERE credit = {rebate_in_payment}
         UNION ALL SELECT enrollment_id, month, currency, -amount FROM ledger_transfers WHERE debit = {rebate_in_payment}
         UNION ALL SELECT enrollment_id, posted_in, currency, -(earned + adjusted + converted) FROM rebates WHERE state = {in_payment}",
    ),
    (
        "what was paid is paid, withheld or set off",
        "SELECT enrollment_id, month, currency, amount FROM ledger_transfers WHERE credit IN {settled_accounts}
         UNION ALL SELECT enrollment_id, month, currency, -amount FROM ledger_transfers WHERE debit IN {settled_accounts}
         UNION ALL SELECT enrollment_id, posted_in, currency, -(earned + adjusted + converted) FROM rebates
             WHERE state IN {paid_or_offset}",
    ),
    (
        "what was lost is forfeited",
        "SELECT enrollment_id, month, currency, amount FROM ledger_transfers WHERE credit = {rebate_forfeited}
         UNION ALL SELECT enrollment_id, month, currency, -amount FROM ledger_transfers WHERE debit = {rebate_forfeited}
         UNION ALL SELECT enrollment_id, posted_in, currency, -(earned + adjusted + converted) FROM rebates WHERE state = {forfeited}",
    ),
    (
        "what came back is payable again",
        "SELECT enrollment_id, month, currency, amount FROM ledger_transfers WHERE credit = {rebate_returned}
         UNION ALL SELECT enrollment_id, month, currency, -amount FROM ledger_transfers WHERE debit = {rebate_returned}",
    ),
    (
        "the ledger carries what was calculated",
        "SELECT enrollment_id, posted_in AS month, currency, amount FROM earnings
         UNION ALL SELECT enrollment_id, month, currency, -amount FROM ledger_transfers
             WHERE cause = {calculation} AND debit = {programme_expense}
         UNION ALL SELECT enrollment_id, month, currency, amount FROM ledger_transfers
             WHERE cause = {calculation} AND credit = {programme_expense}",
    ),
    (
        "the ledger carries the approved adjustments",
        "SELECT enrollment_id, posted_in AS month, currency, amount FROM adjustments WHERE state = {approved}
         UNION ALL SELECT enrollment_id, month, currency, -amount FROM ledger_transfers
             WHERE cause = {adjustment} AND debit = {programme_expense}
         UNION ALL SELECT enrollment_id, month, currency, amount FROM ledger_transfers
             WHERE cause = {adjustment} AND credit = {programme_expense}",
    ),
];

/// The sums by lever and month that must be those of the records; each member is compared by itself.
const LEVER_SUMS: &[(&str, &str)] = &[
    (
        "the months of levers are their earnings",
        "SELECT enrollment_id, posted_in, version, lever, earned_in, '' AS code, currency,
             1 AS n, base AS a, amount AS b, rebate AS c, coop AS d FROM earnings
         UNION ALL SELECT enrollment_id, posted_in, version, lever, earned_in, '', currency,
             -earnings, -base, -amount, -rebate, -coop FROM lever_months",
    ),
    (
        "the slices of levers add up to their months",
        "SELECT enrollment_id, posted_in, version, lever, earned_in, '' AS code, currency,
             0 AS n, base AS a, amount AS b, 0 AS c, 0 AS d FROM lever_rates
         UNION ALL SELECT enrollment_id, posted_in, version, lever, earned_in, '', currency, 0, -base, -amount, 0, 0
             FROM lever_months m WHERE EXISTS (SELECT 1 FROM lever_rates r
                 WHERE r.partner_id = m.partner_id AND r.enrollment_id = m.enrollment_id AND r.posted_in = m.posted_in
                 AND r.version = m.version AND r.lever = m.lever AND r.earned_in = m.earned_in
                 AND r.currency = m.currency)",
    ),
    (
        "the months of what did not earn are its records",
        "SELECT r.enrollment_id, r.earned_in AS posted_in, r.version, r.lever, r.earned_in, r.code,
             COALESCE(r.currency, t.currency, v.currency) AS currency, 1 AS n,
             CASE WHEN r.cured_at IS NULL THEN 0 ELSE 1 END AS a,
             CASE WHEN r.capped IS NULL AND r.cured_at IS NULL THEN COALESCE(t.amount, 0) ELSE 0 END AS b,
             CASE WHEN r.cured_at IS NULL THEN COALESCE(r.capped, 0) ELSE 0 END AS c, 0 AS d
         FROM ineligible_records r
         JOIN enrollments e ON e.partner_id = r.partner_id AND e.id = r.enrollment_id
         JOIN program_versions v ON v.program_id = e.program_id AND v.version = r.version
         LEFT JOIN transaction_records t ON t.partner_id = r.partner_id AND t.id = r.transaction_id
         UNION ALL SELECT enrollment_id, earned_in, version, lever, earned_in, code, currency,
             -records, -cured, -billed, -capped, 0 FROM ineligible_months",
    ),
];

/// What must give no row; a row is the id of what is wrong.
const ROWS: &[(&str, &str, &str)] = &[
    (
        "earnings are the sum of their parts",
        "earning",
        "SELECT id FROM earnings WHERE rebate + coop <> amount",
    ),
    (
        "earnings are what their figures give",
        "earning",
        "SELECT id FROM earnings
         WHERE amount <> CASE WHEN cap_balance < whole THEN cap_balance ELSE whole END - posted_before",
    ),
    (
        "earnings are posted in their month or later",
        "earning",
        "SELECT id FROM earnings WHERE posted_in < earned_in",
    ),
    (
        "no earning was posted in a closed month",
        "earning",
        "SELECT x.id FROM earnings x JOIN closed_months c ON c.month = x.posted_in WHERE x.calculated_at > c.closed_at",
    ),
    (
        "nothing was added to a closed month",
        "ledger transfer",
        "SELECT t.id FROM ledger_transfers t JOIN closed_months c ON c.month = t.month
         WHERE t.posted_at > c.closed_at AND {programme_expense} IN (t.debit, t.credit)",
    ),
];

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Guid)]
    enrollment_id: Id,
    #[diesel(sql_type = Date)]
    month: Month,
    #[diesel(sql_type = Text)]
    currency: Currency,
    #[diesel(sql_type = BigInt)]
    amount: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Guid)]
    id: Id,
}

/// Computes every balance, every rebate and every sum again from its parts, and names the first difference of each check. Each
/// is one statement; the database does the sums.
pub fn sums_of_books(tx: &mut Tx<'_>) -> Result<Vec<Sum>> {
    let mut sums = Vec::new();
    for (name, rows) in SUMS {
        let rows = spelled(rows);
        let query = format!(
            "SELECT enrollment_id, month, currency, CAST(SUM(amount) AS bigint) AS amount FROM ({rows}) rows
             GROUP BY enrollment_id, month, currency HAVING SUM(amount) <> 0
             ORDER BY enrollment_id, month, currency LIMIT 1"
        );
        let found: Option<Cell> =
            native!(tx.conn, conn => diesel::sql_query(query).get_result(conn).optional()?);
        let difference = found.map(|cell| {
            let money = Money { minor: cell.amount, currency: cell.currency };
            format!(
                "enrollment {}, {}: {money} too much on the side of the parts",
                cell.enrollment_id, cell.month
            )
        });
        sums.push(Sum { name, difference });
    }
    for (name, rows) in LEVER_SUMS {
        let query = format!(
            "SELECT enrollment_id AS id FROM ({rows}) rows
             GROUP BY enrollment_id, posted_in, version, lever, earned_in, code, currency
             HAVING SUM(n) <> 0 OR SUM(a) <> 0 OR SUM(b) <> 0 OR SUM(c) <> 0 OR SUM(d) <> 0
             ORDER BY enrollment_id LIMIT 1"
        );
        let found: Option<Row> =
            native!(tx.conn, conn => diesel::sql_query(query).get_result(conn).optional()?);
        sums.push(Sum { name, difference: found.map(|row| format!("enrollment {}", row.id)) });
    }
    for (name, what, rows) in ROWS {
        let rows = spelled(rows);
        let query = format!("SELECT id FROM ({rows}) found ORDER BY id LIMIT 1");
        let found: Option<Row> =
            native!(tx.conn, conn => diesel::sql_query(query).get_result(conn).optional()?);
        sums.push(Sum { name, difference: found.map(|row| format!("{what} {}", row.id)) });
    }
    Ok(sums)
}
