//! Lists walk an index: the order and the start of a page come from it, whatever the table has grown to.

use crate::support::Database;
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use partner_incentives::platform::db::{Conn, Db};

/// What a list asks for (the shape `keyset!` gives it), and the index that must answer.
const LISTS: &[(&str, &str)] = &[
    ("partners WHERE id < $1 ORDER BY id DESC", "partners_pkey"),
    ("partners WHERE status = 'active' AND id < $1 ORDER BY id DESC", "partners_by_status"),
    ("partners WHERE (legal_name, id) > ('m', $1) ORDER BY legal_name, id", "partners_by_name"),
    ("partners WHERE (legal_name, id) < ('m', $1) ORDER BY legal_name DESC, id DESC", "partners_by_name"),
    ("users WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "users_by_partner"),
    ("sessions WHERE user_id = $1 AND id < $1 ORDER BY id DESC", "sessions_by_user"),
    ("agreements WHERE kind = 'mpn' AND id < $1 ORDER BY id DESC", "agreements_by_kind"),
    ("enrollments WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "enrollments_by_partner"),
    ("enrollments WHERE state = 'invited' AND id < $1 ORDER BY id DESC", "enrollments_by_state"),
    (
        "enrollment_changes WHERE enrollment_id = $1 AND id < $1 ORDER BY id DESC",
        "enrollment_changes_by_enrollment",
    ),
    ("evaluations WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "evaluations_by_partner"),
    ("transactions WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "transactions_by_record"),
    ("notifications WHERE user_id = $1 AND id < $1 ORDER BY id DESC", "notifications_by_user"),
    ("earnings WHERE id < $1 ORDER BY id DESC", "earnings_pkey"),
    ("earnings WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "earnings_by_partner"),
    ("earnings WHERE enrollment_id = $1 AND id < $1 ORDER BY id DESC", "earnings_by_enrollment"),
    (
        "ineligible_records WHERE partner_id = $1 AND id < $1 ORDER BY id DESC",
        "ineligible_records_by_partner",
    ),
    (
        "ineligible_records WHERE enrollment_id = $1 AND id < $1 ORDER BY id DESC",
        "ineligible_records_by_enrollment",
    ),
    ("fx_rates WHERE month = '2018-11-01' AND id < $1 ORDER BY month DESC, id DESC", "fx_rates_by_month"),
    ("rebates WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "rebates_by_partner"),
    ("rebates WHERE state = 'payable' AND id < $1 ORDER BY id DESC", "rebates_by_state"),
    ("rebates WHERE partner_id = $1 AND state IN ('payable', 'on_hold')", "rebates_waiting"),
    (
        "lever_months WHERE enrollment_id = $1 AND posted_in BETWEEN '2018-07-01' AND '2019-06-01' \
         ORDER BY posted_in, version, lever, earned_in, currency",
        "lever_months_pkey",
    ),
    (
        "ineligible_months WHERE enrollment_id = $1 AND posted_in = '2018-07-01' \
         ORDER BY version, lever, earned_in, code, currency",
        "ineligible_months_pkey",
    ),
    (
        "cap_uses WHERE enrollment_id = $1 AND version = 1 AND lever = 'core' ORDER BY used DESC",
        "cap_uses_by_use",
    ),
    (
        "ledger_transfers WHERE enrollment_id = $1 AND month < '2018-07-01' ORDER BY month",
        "ledger_transfers_by_account",
    ),
    ("deliveries WHERE state = 'queued' ORDER BY due_at", "deliveries_due"),
    (
        "deliveries WHERE state = 'failed' AND notification_id < $1 ORDER BY notification_id DESC",
        "deliveries_by_state",
    ),
    ("audit_events WHERE resource_id = $1 AND id < $1 ORDER BY id DESC", "audit_events_by_resource"),
    ("audit_events WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "audit_events_by_partner"),
    ("audit_events WHERE operation = 'Login' AND id >= $1 AND id < $1 ORDER BY id DESC", "audit_events_pkey"),
    ("audit_events WHERE sequence > 7 ORDER BY sequence", "audit_events_by_sequence"),
];

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[test]
fn every_list_walks_an_index_and_sorts_nothing() {
    let database = Database::empty();
    Db::migrate(&database.target).unwrap();
    let mut conn = database.target.open().unwrap();
    for (list, index) in LISTS {
        let steps = match &mut conn {
            Conn::Sqlite(_) => {
                let sql = list.replace("$1", "x'01936f2e4b0070008000000000000001'");
                explain(&mut conn, &format!("EXPLAIN QUERY PLAN SELECT * FROM {sql} LIMIT 51"))
            }
            Conn::Postgres(_) => {
                // On an empty table any plan is cheap: what is asked is whether the index can answer.
                for setting in
                    ["enable_seqscan", "enable_sort", "enable_bitmapscan", "enable_incremental_sort"]
                {
                    sql_query(format!("SET {setting} = off")).execute(&mut conn).unwrap();
                }
                let sql = list.replace("$1", "'01936f2e-4b00-7000-8000-000000000001'");
                let sql = format!("SELECT * FROM {sql} LIMIT 51");
                sql_query(format!(
                    "CREATE OR REPLACE FUNCTION plan() RETURNS SETOF text LANGUAGE plpgsql AS $$ \
                    BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) {}'; END $$",
                    sql.replace('\'', "''")
                ))
                .execute(&mut conn)
                .unwrap();
                explain(&mut conn, "SELECT plan AS detail FROM plan() AS plan")
            }
        };
        let own_key = index.ends_with("_pkey") && steps.contains("PRIMARY KEY");
        assert!(steps.contains(index) || own_key, "{list}\n{steps}");
        assert!(!steps.contains("TEMP B-TREE") && !steps.contains("Sort"), "{list} sorts:\n{steps}");
        assert!(!steps.contains("SCAN "), "{list} scans:\n{steps}");
    }
}

fn explain(conn: &mut Conn, sql: &str) -> String {
    let steps: Vec<Step> = sql_query(sql).load(conn).unwrap();
    steps.into_iter().map(|step| step.detail + "\n").collect()
}
