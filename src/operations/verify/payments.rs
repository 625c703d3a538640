//! Proof of the payments: their lines, their rebates, the ledger, the numbers of their documents, the files for banks and the
//! statements of banks agree.

use super::{Sum, words::spelled};
use crate::{
    access::Tx,
    payouts::sealed_files,
    platform::{
        Result,
        db::{native, types::Guid},
        values::Id,
    },
};
use diesel::{
    prelude::*,
    sql_types::{BigInt, Text},
};

/// What must give no row; a row is the id of a payment or of a rebate.
const CHECKS: &[(&str, &str)] = &[
    (
        "payments are the sums of their lines",
        "SELECT p.id FROM payments p
         LEFT JOIN payment_lines l ON l.partner_id = p.partner_id AND l.payment_id = p.id
         GROUP BY p.partner_id, p.id, p.gross, p.withheld
         HAVING COALESCE(SUM(l.amount), 0) <> p.gross OR COALESCE(SUM(l.withheld), 0) <> p.withheld
             OR COALESCE(SUM(l.set_off), 0) <> 0",
    ),
    ("net is gross less withheld", "SELECT id FROM payments WHERE net <> gross - withheld OR net <= 0"),
    (
        "lines are the amounts of their rebates",
        "SELECT l.payment_id AS id FROM payment_lines l
         JOIN rebates r ON r.partner_id = l.partner_id AND r.id = l.rebate_id
         JOIN payments p ON p.partner_id = l.partner_id AND p.id = l.payment_id
         WHERE l.amount <> r.earned + r.adjusted + r.converted OR l.posted_in <> r.posted_in OR l.enrollment_id <> r.enrollment_id
             OR p.currency <> r.currency",
    ),
    (
        "nothing is in two live payments",
        "SELECT record_id AS id FROM payment_lines WHERE live GROUP BY partner_id, record_id HAVING COUNT(*) > 1",
    ),
    (
        "lines are live while their payment is",
        "SELECT l.payment_id AS id FROM payment_lines l
         JOIN payments p ON p.partner_id = l.partner_id AND p.id = l.payment_id
         WHERE l.live <> (p.state IN {live_states})",
    ),
    (
        "rebates stand as their payments do",
        "SELECT l.rebate_id AS id FROM payment_lines l
         JOIN payments p ON p.partner_id = l.partner_id AND p.id = l.payment_id
         JOIN rebates r ON r.partner_id = l.partner_id AND r.id = l.rebate_id
         WHERE l.live AND CASE WHEN p.state = {settled} THEN r.state NOT IN {paid_or_offset}
             ELSE r.state <> {in_payment} END",
    ),
    (
        "what is in payment or paid has its payment",
        "SELECT r.id FROM rebates r WHERE (r.state = {in_payment} OR r.state IN {paid_or_offset})
         AND NOT EXISTS (SELECT 1 FROM payment_lines l
             WHERE l.partner_id = r.partner_id AND l.rebate_id = r.id AND l.live)",
    ),
    (
        "no document is for rebates and claims",
        "SELECT p.id FROM payments p JOIN payment_lines l ON l.partner_id = p.partner_id AND l.payment_id = p.id
         WHERE (p.document_kind = {self_billed_invoice}) <> (l.claim_id IS NOT NULL)",
    ),
    (
        "lines are the amounts of their claims",
        "SELECT l.payment_id AS id FROM payment_lines l
         JOIN coop_claims c ON c.partner_id = l.partner_id AND c.id = l.claim_id
         JOIN payments p ON p.partner_id = l.partner_id AND p.id = l.payment_id
         WHERE l.amount <> c.approved OR l.enrollment_id <> c.enrollment_id OR p.currency <> c.currency
             OR l.set_off <> 0",
    ),
    (
        "claims stand as their payments do",
        "SELECT c.id FROM coop_claims c LEFT JOIN payment_lines l
             ON l.partner_id = c.partner_id AND l.claim_id = c.id AND l.live
         LEFT JOIN payments p ON p.partner_id = l.partner_id AND p.id = l.payment_id
         WHERE (c.payment_id IS NULL) <> (p.id IS NULL) OR c.payment_id <> p.id
             OR (c.state = {claim_paid}) <> (COALESCE(p.state, '') = {settled})",
    ),
    (
        "the ledger paid what the payments of claims say",
        "SELECT id FROM (
             SELECT partner_id, id, net AS paid, withheld FROM payments
                 WHERE state = {settled} AND document_kind = {self_billed_invoice}
             UNION ALL SELECT partner_id, cause_id, CASE WHEN credit = {coop_paid} THEN -amount
                     WHEN debit = {coop_paid} THEN amount ELSE 0 END,
                 CASE WHEN credit = {coop_withheld} THEN -amount WHEN debit = {coop_withheld} THEN amount ELSE 0 END
                 FROM ledger_transfers WHERE {coop_paid} IN (debit, credit) OR {coop_withheld} IN (debit, credit)
         ) moved GROUP BY partner_id, id HAVING SUM(paid) <> 0 OR SUM(withheld) <> 0",
    ),
    (
        "the ledger carries the claims of payments under way",
        "SELECT id FROM (
             SELECT partner_id, id, gross AS carried FROM payments WHERE document_kind = {self_billed_invoice}
                 AND state IN {live_states} AND state <> {settled}
             UNION ALL SELECT partner_id, cause_id, CASE WHEN credit = {coop_in_payment} THEN -amount ELSE amount END
                 FROM ledger_transfers WHERE {coop_in_payment} IN (debit, credit)
         ) moved GROUP BY partner_id, id HAVING SUM(carried) <> 0",
    ),
    (
        "the ledger paid what the payments say",
        "SELECT id FROM (
             SELECT partner_id, id, net AS paid, withheld FROM payments
                 WHERE state = {settled} AND document_kind = {credit_note}
             UNION ALL SELECT partner_id, cause_id, CASE WHEN credit = {rebate_paid} THEN -amount
                     WHEN debit = {rebate_paid} THEN amount ELSE 0 END,
                 CASE WHEN credit = {rebate_withheld} THEN -amount WHEN debit = {rebate_withheld} THEN amount ELSE 0 END
                 FROM ledger_transfers WHERE {rebate_paid} IN (debit, credit) OR {rebate_withheld} IN (debit, credit)
         ) moved GROUP BY partner_id, id HAVING SUM(paid) <> 0 OR SUM(withheld) <> 0",
    ),
    (
        "the ledger lost what was announced",
        "SELECT id FROM (
             SELECT partner_id, id, amount FROM forfeitures WHERE state = {forfeited}
             UNION ALL SELECT partner_id, cause_id, CASE WHEN credit = {rebate_forfeited} THEN -amount ELSE amount END
                 FROM ledger_transfers WHERE {rebate_forfeited} IN (debit, credit)
         ) moved GROUP BY partner_id, id HAVING SUM(amount) <> 0",
    ),
    (
        "nothing is lost before its day",
        "SELECT id FROM forfeitures WHERE state = {forfeited} AND ended_on < forfeits_on",
    ),
    (
        "documents are numbered without a gap",
        "SELECT p.id FROM payments p JOIN (
             SELECT d.kind, d.last_number, COUNT(n.document_number) AS numbered, MAX(n.document_number) AS highest,
                 COUNT(DISTINCT n.document_number) AS different
             FROM payment_documents d LEFT JOIN payments n ON n.document_kind = d.kind
             GROUP BY d.kind, d.last_number
         ) series ON series.kind = p.document_kind
         WHERE series.numbered <> series.last_number OR series.different <> series.last_number
             OR COALESCE(series.highest, 0) <> series.last_number",
    ),
    (
        "files are the sums of their payments",
        "SELECT f.id FROM payment_files f LEFT JOIN payments p ON p.file_id = f.id
         WHERE f.state <> {withdrawn} GROUP BY f.id, f.payments, f.total
         HAVING COUNT(p.id) <> f.payments OR COALESCE(SUM(p.net), 0) <> f.total",
    ),
    (
        "payments in a file have the file",
        "SELECT p.id FROM payments p WHERE p.state = {in_file} AND NOT EXISTS (
             SELECT 1 FROM payment_files f WHERE f.id = p.file_id AND f.state = {made})",
    ),
    (
        "matched payments have the entry that shows them",
        "SELECT p.id FROM payments p LEFT JOIN bank_reports r ON r.id = p.statement_id
         WHERE (p.reconciliation = {matched}) <> (r.id IS NOT NULL)
             OR (p.statement_entry IS NULL) <> (r.id IS NULL) OR p.statement_entry > r.entries",
    ),
    (
        "files of banks are whole",
        "SELECT r.id FROM bank_reports r WHERE NOT EXISTS (
             SELECT 1 FROM bank_file_pieces b WHERE b.content_id = r.id AND b.is_whole AND b.place = 0)
         UNION ALL SELECT f.id FROM payment_files f WHERE f.state <> {withdrawn} AND NOT EXISTS (
             SELECT 1 FROM bank_file_pieces b WHERE b.content_id = f.csv_content_id AND b.is_whole AND b.place = 0)",
    ),
];

/// Every file that is kept: those for banks, and those from banks.
const KEPT: &str =
    "SELECT csv_content_id AS content_id, csv_sha256 AS sha256, csv_bytes AS bytes FROM payment_files
         WHERE state <> {withdrawn}
     UNION ALL SELECT xml_content_id, xml_sha256, xml_bytes FROM payment_files
         WHERE state <> {withdrawn} AND xml_content_id IS NOT NULL
     UNION ALL SELECT id, sha256, bytes FROM bank_reports";

/// A file that is kept, with the sum that was taken when the file was written.
#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = Guid)]
    content_id: Id,
    #[diesel(sql_type = Text)]
    sha256: String,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// The first file whose pieces are not the bytes that were written. The pieces pass by one after the other.
fn changed_file(tx: &mut Tx<'_>) -> Result<Option<Id>> {
    let query = format!("SELECT content_id, sha256, bytes FROM ({KEPT}) kept ORDER BY content_id");
    let query = spelled(&query);
    let kept: Vec<Kept> = native!(tx.conn, conn => diesel::sql_query(query).load(conn)?);
    for Kept { content_id, sha256, bytes } in kept {
        // A piece that cannot be opened is not what was written either.
        let is_same =
            sealed_files::sum(tx, content_id).is_ok_and(|sum| sum == sealed_files::Sum { bytes, sha256 });
        if !is_same {
            return Ok(Some(content_id));
        }
    }
    Ok(None)
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Guid)]
    id: Id,
}

/// Compares the payments with their lines, their rebates, the ledger and the numbers of their documents, and names the first
/// difference of each check.
pub fn sums_of_payments(tx: &mut Tx<'_>) -> Result<Vec<Sum>> {
    let mut sums = Vec::new();
    for (name, rows) in CHECKS {
        let query = format!("SELECT id FROM ({}) found ORDER BY id LIMIT 1", spelled(rows));
        let found: Option<Found> =
            native!(tx.conn, conn => diesel::sql_query(query).get_result(conn).optional()?);
        sums.push(Sum { name, difference: found.map(|found| found.id.to_string()) });
    }
    let difference = changed_file(tx)?.map(|id| id.to_string());
    sums.push(Sum { name: "files of banks have their SHA-256", difference });
    Ok(sums)
}
