//! Proof of the calculation: every enrollment year computed again by the law, and that no sale was answered twice.

use super::{Sum, words::spelled};
use crate::{
    access::Tx,
    earnings::calculation::proof::{self, PostedDifference},
    platform::{
        Result,
        db::{native, types::Guid},
        values::Id,
    },
    sales::transactions::backlog::{self, Whom},
};
use diesel::{prelude::*, sql_types::Text};

/// What must give no row. A row names a record by its id, and says what about it is wrong.
const CHECKS: &[(&str, &str)] = &[
    (
        "no sale is answered twice by a lever",
        "SELECT transaction_id AS id, lever AS what FROM (
            SELECT partner_id, enrollment_id, transaction_id, lever, COUNT(*) AS n FROM ineligible_records
            WHERE grain = {transaction} AND cured_at IS NULL
            GROUP BY partner_id, enrollment_id, transaction_id, lever) answers
         WHERE n > 1",
    ),
    (
        "what is used of a cap is the sum of its months",
        "SELECT enrollment_id AS id, lever || ' ' || holder AS what FROM (
            SELECT partner_id, enrollment_id, lever, holder, used, trillionths FROM cap_uses
            UNION ALL SELECT partner_id, enrollment_id, lever, holder, -used, -trillionths FROM cap_months) parts
         GROUP BY partner_id, enrollment_id, lever, holder
         HAVING SUM(used) <> -SUM(trillionths) / 1000000000000 OR SUM(trillionths) % 1000000000000 <> 0",
    ),
];

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Guid)]
    id: Id,
    #[diesel(sql_type = Text)]
    what: String,
}

/// Computes again what is posted, and names the first difference of each check.
pub fn sums_of_calculation(tx: &mut Tx<'_>) -> Result<Vec<Sum>> {
    let mut sums = Vec::new();
    for (name, rows) in CHECKS {
        let query = format!("SELECT id, what FROM ({}) found ORDER BY id, what LIMIT 1", spelled(rows));
        let found: Option<Found> =
            native!(tx.conn, conn => diesel::sql_query(query).get_result(conn).optional()?);
        sums.push(Sum { name, difference: found.map(|found| format!("{}, {}", found.id, found.what)) });
    }
    let first = proof::differences(tx, None)?.into_iter().next();
    sums.push(Sum { name: LAW, difference: first.map(told) });
    Ok(sums)
}

/// The check that computes everything again.
const LAW: &str = "what is posted is what everything on record gives";

/// A difference in words.
#[must_use]
pub fn told(difference: PostedDifference) -> String {
    let PostedDifference { enrollment_id, lever, earned_in, missing, records } = difference;
    let place = format!("enrollment {enrollment_id}, {lever} of {earned_in}");
    match missing {
        Some(missing) => format!("{place}: {missing} missing, {records} records differ"),
        None => format!("{place}: what the month passes on differs"),
    }
}

/// Whom the check that computes everything again has left out, in words; none where that is nobody.
pub(super) fn left_out(tx: &mut Tx<'_>) -> Result<Option<String>> {
    let (waiting, aside) = (backlog::length(tx, Whom::All)?, backlog::count_set_aside(tx)?);
    Ok((waiting + aside > 0).then(|| {
        format!("left out: {waiting} partners that wait for the calculation, {aside} that are put aside")
    }))
}
