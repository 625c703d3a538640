//! Proof of the disputes: each stands as its adjustment and the rebate that it holds do.

use super::{Sum, words::spelled};
use crate::{
    access::Tx,
    platform::{
        Result,
        db::{native, types::Guid},
        values::Id,
    },
};
use diesel::prelude::*;

/// What must give no row; a row is the id of a dispute, an adjustment or a rebate.
const CHECKS: &[(&str, &str)] = &[
    (
        "upheld disputes have their adjustment",
        "SELECT d.id FROM disputes d WHERE (d.state = {upheld}) <> EXISTS (SELECT 1 FROM adjustments a
             WHERE a.partner_id = d.partner_id AND a.id = d.adjustment_id AND a.dispute_id = d.id
             AND a.state <> {turned_down})",
    ),
    (
        "what settles a dispute is named by the dispute",
        "SELECT a.id FROM adjustments a WHERE a.dispute_id IS NOT NULL AND a.state <> {turned_down}
         AND NOT EXISTS (SELECT 1 FROM disputes d
             WHERE d.partner_id = a.partner_id AND d.id = a.dispute_id AND d.adjustment_id = a.id)",
    ),
    (
        "disputed rebates wait for an answer",
        "SELECT r.id FROM rebates r WHERE r.state_reason = {disputed} AND NOT EXISTS (SELECT 1 FROM disputes d
             WHERE d.partner_id = r.partner_id AND d.held_rebate_id = r.id)",
    ),
    (
        "what a dispute holds is on hold",
        "SELECT d.id FROM disputes d JOIN rebates r ON r.partner_id = d.partner_id AND r.id = d.held_rebate_id
         WHERE r.state <> {on_hold} OR r.state_reason IS NULL OR r.state_reason <> {disputed}",
    ),
];

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Guid)]
    id: Id,
}

/// Compares the disputes with their adjustments and the rebates that they hold, and names the first difference of each check.
pub fn sums_of_disputes(tx: &mut Tx<'_>) -> Result<Vec<Sum>> {
    let mut sums = Vec::new();
    for (name, rows) in CHECKS {
        let query = format!("SELECT id FROM ({}) found ORDER BY id LIMIT 1", spelled(rows));
        let found: Option<Found> =
            native!(tx.conn, conn => diesel::sql_query(query).get_result(conn).optional()?);
        sums.push(Sum { name, difference: found.map(|found| found.id.to_string()) });
    }
    Ok(sums)
}
