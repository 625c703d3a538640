//! Proof of the co-op funds: their parts are the balances of the ledger, and what left them for rebates has arrived there.

use super::{Sum, words::spelled};
use crate::{
    access::Tx,
    ledger::accounting::coop_funds,
    platform::{
        Result,
        db::{native, types::Guid},
        values::Id,
    },
};
use diesel::prelude::*;

/// The balance of accounts within the half-year of each fund, less the part of the fund that it must be.
const BALANCES: &[(&str, &str, &str)] = &[
    ("funds hold what the ledger has available", "({coop_available})", "remaining"),
    ("funds have planned what the ledger says", "({coop_planned})", "planned"),
    ("funds have committed what the ledger says", "({coop_committed}, {coop_in_payment})", "committed"),
    ("funds have paid what the ledger says", "({coop_paid}, {coop_withheld})", "paid"),
    ("funds have forfeited what the ledger says", "({coop_forfeited})", "forfeited"),
];

/// What must give no row; a row is the id of a fund, an audit or an enrollment.
const CHECKS: &[(&str, &str)] = &[
    (
        "the parts of funds add up",
        "SELECT id FROM coop_funds WHERE earned <> converted + claimable
             OR claimable <> planned + committed + paid + forfeited + remaining",
    ),
    (
        "funds have earned what was posted",
        "SELECT f.id FROM coop_funds f LEFT JOIN rebates r ON r.partner_id = f.partner_id
             AND r.enrollment_id = f.enrollment_id AND r.currency = f.currency
             AND r.posted_in BETWEEN f.half_year AND f.last_month
         GROUP BY f.partner_id, f.id, f.earned HAVING COALESCE(SUM(r.coop), 0) <> f.earned",
    ),
    (
        "funds have committed what claims ask for",
        "SELECT f.id FROM coop_funds f LEFT JOIN coop_claims c ON c.partner_id = f.partner_id AND c.fund_id = f.id
         GROUP BY f.partner_id, f.id, f.committed HAVING COALESCE(SUM(c.committed), 0) <> f.committed",
    ),
    (
        "funds have planned what approved plans have left",
        "SELECT id FROM (
             SELECT partner_id, id, planned AS amount FROM coop_funds
             UNION ALL SELECT partner_id, fund_id, -budget FROM coop_plans WHERE state = {plan_approved}
             UNION ALL SELECT c.partner_id, c.fund_id, c.from_plan FROM coop_claims c JOIN coop_funds f
                 ON f.partner_id = c.partner_id AND f.id = c.fund_id AND f.plan_id = c.plan_id
         ) planned GROUP BY partner_id, id HAVING SUM(amount) <> 0",
    ),
    (
        "funds follow the plan that is approved",
        "SELECT f.id FROM coop_funds f LEFT JOIN coop_plans p ON p.partner_id = f.partner_id AND p.fund_id = f.id
             AND p.state = {plan_approved}
         WHERE f.plan_id IS NOT NULL AND (p.id IS NULL OR p.id <> f.plan_id) OR f.plan_id IS NULL AND p.id IS NOT NULL",
    ),
    (
        "what was posted has its fund",
        "SELECT r.id FROM rebates r WHERE r.coop <> 0 AND NOT EXISTS (SELECT 1 FROM coop_funds f
             WHERE f.partner_id = r.partner_id AND f.enrollment_id = r.enrollment_id AND f.currency = r.currency
             AND r.posted_in BETWEEN f.half_year AND f.last_month)",
    ),
    (
        "recovered audits have their adjustment",
        "SELECT u.id FROM coop_audits u WHERE (u.state = {recovered}) <> EXISTS (SELECT 1 FROM adjustments a
             WHERE a.partner_id = u.partner_id AND a.id = u.adjustment_id AND a.currency = u.currency
             AND a.amount = -u.recovered AND a.state <> {turned_down})",
    ),
    (
        "audits are of what was paid",
        "SELECT u.id FROM coop_audits u JOIN coop_claims c ON c.partner_id = u.partner_id AND c.id = u.claim_id
         WHERE c.currency <> u.currency OR c.approved IS NULL OR c.approved <> u.paid",
    ),
    (
        "what left funds for rebates has arrived",
        "SELECT id FROM (
             SELECT partner_id, enrollment_id AS id, currency, converted AS amount FROM coop_funds
             UNION ALL SELECT partner_id, enrollment_id, currency, -converted FROM rebates
         ) moved GROUP BY partner_id, id, currency HAVING SUM(amount) <> 0",
    ),
    (
        "what left funds for rebates is in the ledger",
        "SELECT id FROM (
             SELECT partner_id, enrollment_id AS id, half_year AS month, currency, converted AS amount FROM coop_funds
             UNION ALL SELECT f.partner_id, f.enrollment_id, f.half_year, f.currency,
                 CASE WHEN t.credit = {coop_converted} THEN -t.amount ELSE t.amount END
                 FROM coop_funds f JOIN ledger_transfers t ON t.partner_id = f.partner_id
                     AND t.enrollment_id = f.enrollment_id AND t.currency = f.currency
                     AND t.month BETWEEN f.half_year AND f.last_month
                 WHERE {coop_converted} IN (t.debit, t.credit) AND {coop_available} IN (t.debit, t.credit)
         ) moved GROUP BY partner_id, id, month, currency HAVING SUM(amount) <> 0",
    ),
];

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Guid)]
    id: Id,
}

/// Compares the co-op funds with the rebates and the ledger, and names the first difference of each check.
pub fn sums_of_coop(tx: &mut Tx<'_>) -> Result<Vec<Sum>> {
    let mut sums = Vec::new();
    for (name, accounts, part) in BALANCES {
        let rows = format!(
            "SELECT f.id FROM coop_funds f LEFT JOIN ledger_transfers t ON t.partner_id = f.partner_id
                 AND t.enrollment_id = f.enrollment_id AND t.currency = f.currency
                 AND t.month BETWEEN f.half_year AND f.last_month AND (t.debit IN {accounts} OR t.credit IN {accounts})
             GROUP BY f.partner_id, f.id, f.{part}
             HAVING COALESCE(SUM(CASE WHEN t.credit IN {accounts} THEN t.amount ELSE 0 END
                 - CASE WHEN t.debit IN {accounts} THEN t.amount ELSE 0 END), 0) <> f.{part}"
        );
        sums.push(sum(tx, name, &rows)?);
    }
    let misplanned = coop_funds::first_misplanned(tx)?;
    let name = "funds have planned what they have set aside by activity";
    sums.push(Sum { name, difference: misplanned.map(|fund| fund.to_string()) });
    for (name, rows) in CHECKS {
        sums.push(sum(tx, name, rows)?);
    }
    Ok(sums)
}

fn sum(tx: &mut Tx<'_>, name: &'static str, rows: &str) -> Result<Sum> {
    let query = format!("SELECT id FROM ({}) found ORDER BY id LIMIT 1", spelled(rows));
    let found: Option<Found> =
        native!(tx.conn, conn => diesel::sql_query(query).get_result(conn).optional()?);
    Ok(Sum { name, difference: found.map(|found| found.id.to_string()) })
}
