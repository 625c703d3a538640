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
    ("enrollments WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "enrollments_pkey"),
    ("enrollments WHERE state = 'invited' AND id < $1 ORDER BY id DESC", "enrollments_by_state"),
    (
        "enrollment_changes WHERE partner_id = $1 AND enrollment_id = $1 AND id < $1 ORDER BY id DESC",
        "enrollment_changes_pkey",
    ),
    ("evaluations WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "evaluations_pkey"),
    ("transactions WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "transaction_records_pkey"),
    ("notifications WHERE user_id = $1 AND id < $1 ORDER BY id DESC", "notifications_by_user"),
    ("earnings WHERE id < $1 ORDER BY id DESC", "earnings_by_id"),
    ("earnings WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "earnings_pkey"),
    (
        "earnings WHERE partner_id = $1 AND enrollment_id = $1 AND id < $1 ORDER BY id DESC",
        "earnings_by_enrollment",
    ),
    ("ineligible_records WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "ineligible_records_pkey"),
    (
        "ineligible_records WHERE partner_id = $1 AND enrollment_id = $1 AND id < $1 ORDER BY id DESC",
        "ineligible_records_by_enrollment",
    ),
    ("earnings WHERE earned_in = '2018-11-01' AND id < $1 ORDER BY id DESC", "earnings_by_month"),
    (
        "earnings WHERE partner_id = $1 AND coalesce(earned_in, earned_in) = '2018-11-01' AND id < $1 ORDER BY id DESC",
        "earnings_pkey",
    ),
    (
        "earnings WHERE partner_id = $1 AND enrollment_id = $1 AND coalesce(earned_in, earned_in) = '2018-11-01' ORDER BY id DESC",
        "earnings_by_enrollment",
    ),
    (
        "ineligible_records WHERE earned_in = '2018-11-01' AND code = 'a' AND id < $1 ORDER BY id DESC",
        "ineligible_records_by_month",
    ),
    (
        "ineligible_records WHERE partner_id = $1 AND enrollment_id = $1 AND coalesce(earned_in, earned_in) = '2018-11-01' \
         ORDER BY id DESC",
        "ineligible_records_by_enrollment",
    ),
    (
        "ineligible_records WHERE coalesce(earned_in, earned_in) >= '2018-11-01' ORDER BY id DESC",
        "ineligible_records_by_id",
    ),
    (
        "transaction_import_rows WHERE import_id = $1 AND waits = false AND line > 5 ORDER BY line",
        "transaction_import_rows_pkey",
    ),
    (
        "transactions WHERE coalesce(source, source) = 'billing' AND id < $1 ORDER BY id DESC",
        "transactions_by_id",
    ),
    (
        "rebates WHERE posted_in = '2018-11-01' AND coalesce(state, state) = 'payable' AND id < $1 ORDER BY id DESC",
        "rebates_by_month",
    ),
    (
        "rebates WHERE partner_id = $1 AND coalesce(state, state) = 'payable' \
         AND coalesce(posted_in, posted_in) = '2018-11-01' ORDER BY id DESC",
        "rebates_pkey",
    ),
    ("rebates WHERE coalesce(posted_in, posted_in) >= '2018-11-01' ORDER BY id DESC", "rebates_by_id"),
    ("coop_claims WHERE id < $1 ORDER BY id DESC", "coop_claims_by_id"),
    ("coop_claims WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "coop_claims_pkey"),
    ("coop_claims WHERE fund_id = $1 AND id < $1 ORDER BY id DESC", "coop_claims_by_fund"),
    ("coop_claims WHERE state = 'approved' AND id < $1 ORDER BY id DESC", "coop_claims_by_state"),
    ("coop_claims WHERE review_due_on IS NOT NULL AND id > $1 ORDER BY id", "coop_claims_to_review"),
    ("coop_plans WHERE id < $1 ORDER BY id DESC", "coop_plans_by_id"),
    ("coop_plans WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "coop_plans_pkey"),
    ("coop_plans WHERE fund_id = $1 AND id < $1 ORDER BY id DESC", "coop_plans_by_fund"),
    ("coop_plans WHERE state = 'submitted' AND id < $1 ORDER BY id DESC", "coop_plans_by_state"),
    (
        "coop_claims WHERE state = 'paid' AND updated_at >= (SELECT max(closed_at) FROM closed_months)",
        "coop_claims_paid",
    ),
    ("coop_audits WHERE id < $1 ORDER BY id DESC", "coop_audits_by_id"),
    ("coop_audits WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "coop_audits_pkey"),
    ("coop_audits WHERE claim_id = $1 AND id < $1 ORDER BY id DESC", "coop_audits_by_claim"),
    ("coop_audits WHERE state = 'requested' AND id < $1 ORDER BY id DESC", "coop_audits_by_state"),
    ("coop_audits WHERE month = '2018-11-01' AND id < $1 ORDER BY id DESC", "coop_audits_by_month"),
    ("coop_audit_draws WHERE program_id = $1 ORDER BY month DESC", "coop_audit_draws_pkey"),
    ("coop_proofs WHERE partner_id = $1 AND claim_id = $1 AND id > $1 ORDER BY id", "coop_proofs_by_claim"),
    ("coop_funds WHERE id < $1 ORDER BY id DESC", "coop_funds_by_id"),
    ("coop_funds WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "coop_funds_pkey"),
    ("coop_funds WHERE enrollment_id = $1 AND id < $1 ORDER BY id DESC", "coop_funds_by_enrollment"),
    ("coop_funds WHERE state = 'claimable' AND id < $1 ORDER BY id DESC", "coop_funds_by_state"),
    (
        "coop_funds WHERE half_year = '2018-07-01' AND coalesce(state, state) = 'claimable' AND id < $1 ORDER BY id DESC",
        "coop_funds_by_half_year",
    ),
    ("adjustments WHERE state = 'proposed' AND id < $1 ORDER BY id DESC", "adjustments_by_state"),
    (
        "adjustments WHERE partner_id = $1 AND enrollment_id = $1 AND coalesce(state, state) = 'approved' ORDER BY id DESC",
        "adjustments_by_enrollment",
    ),
    ("fx_rates WHERE month = '2018-11-01' AND id < $1 ORDER BY month DESC, id DESC", "fx_rates_by_month"),
    ("rebates WHERE partner_id = $1 AND id < $1 ORDER BY id DESC", "rebates_pkey"),
    ("rebates WHERE state = 'payable' AND id < $1 ORDER BY id DESC", "rebates_by_state"),
    (
        "rebates WHERE state NOT IN ('accruing', 'payable', 'on_hold') AND updated_at > (SELECT max(closed_at) FROM closed_months)",
        "rebates_settled",
    ),
    ("rebates WHERE partner_id = $1 AND state IN ('payable', 'on_hold')", "rebates_waiting"),
    (
        "lever_months WHERE partner_id = $1 AND enrollment_id = $1 AND posted_in BETWEEN '2018-07-01' AND '2019-06-01' \
         ORDER BY posted_in, version, lever, earned_in, currency",
        "lever_months_pkey",
    ),
    (
        "lever_rates WHERE partner_id = $1 AND enrollment_id = $1 AND posted_in = '2018-07-01' \
         ORDER BY version, lever, earned_in, currency, rate",
        "lever_rates_pkey",
    ),
    (
        "ineligible_months WHERE partner_id = $1 AND enrollment_id = $1 AND posted_in = '2018-07-01' \
         ORDER BY version, lever, earned_in, code, currency",
        "ineligible_months_pkey",
    ),
    (
        "cap_uses WHERE partner_id = $1 AND enrollment_id = $1 AND lever = 'core' AND used > 0 ORDER BY used DESC",
        "cap_uses_by_use",
    ),
    (
        "ledger_transfers WHERE partner_id = $1 AND enrollment_id = $1 AND month < '2018-07-01' ORDER BY month",
        "ledger_transfers_by_account",
    ),
    (
        "payout_profiles WHERE state = 'pending' AND partner_id < $1 ORDER BY partner_id DESC",
        "payout_profiles_by_state",
    ),
    (
        "tax_profiles WHERE state = 'pending' AND (expires_on IS NULL OR expires_on >= '2018-11-01') \
         AND partner_id < $1 ORDER BY partner_id DESC",
        "tax_profiles_by_state",
    ),
    (
        "tax_profiles WHERE (coalesce(state, state) = 'action_required' \
         OR expires_on IS NOT NULL AND expires_on < '2018-11-01') AND partner_id < $1 ORDER BY partner_id DESC",
        "tax_profiles_pkey",
    ),
    (
        "partner_setups WHERE state = 'list_sent' AND partner_id < $1 ORDER BY partner_id DESC",
        "partner_setups_by_state",
    ),
    ("partner_setups WHERE partner_id < $1 ORDER BY partner_id DESC", "partner_setups_pkey"),
    (
        "partners WHERE status <> 'closed' \
         AND NOT EXISTS (SELECT 1 FROM partner_setups s WHERE s.partner_id = partners.id) \
         AND id < $1 ORDER BY id DESC",
        "partners_pkey",
    ),
    ("payer_accounts WHERE id < $1 ORDER BY id DESC", "payer_accounts_pkey"),
    ("payer_accounts WHERE state = 'active' AND id < $1 ORDER BY id DESC", "payer_accounts_by_state"),
    (
        "payer_accounts WHERE currency = 'EUR' AND coalesce(state, state) = 'active' ORDER BY id",
        "payer_accounts_by_currency",
    ),
    (
        "withholding_rates WHERE coalesce(form_state, form_state) = 'w8' AND id < $1 ORDER BY id DESC",
        "withholding_rates_pkey",
    ),
    ("payments WHERE id < $1 ORDER BY id DESC", "payments_by_id"),
    ("payments WHERE run_id = $1 AND id < $1 ORDER BY id DESC", "payments_by_run"),
    ("payments WHERE state = 'sent' AND id < $1 ORDER BY id DESC", "payments_by_state"),
    (
        "payments WHERE partner_id = $1 AND coalesce(run_id, run_id) = $1 AND coalesce(state, state) = 'sent' \
         AND id < $1 ORDER BY id DESC",
        "payments_pkey",
    ),
    ("payments WHERE file_id = $1 AND id < $1 ORDER BY id DESC", "payments_by_file"),
    ("payments WHERE file_id = $1 AND id > $1 ORDER BY id", "payments_by_file"),
    ("payment_files WHERE id < $1 ORDER BY id DESC", "payment_files_pkey"),
    ("payment_files WHERE run_id = $1 AND id < $1 ORDER BY id DESC", "payment_files_by_run"),
    ("payment_files WHERE state = 'made' AND id < $1 ORDER BY id DESC", "payment_files_by_state"),
    (
        "bank_file_pieces WHERE content_id = $1 AND place = 3",
        "bank_file_pieces_content_id_place_key|sqlite_autoindex_bank_file_pieces_2",
    ),
    ("bank_reports WHERE kind = 'statement' AND id < $1 ORDER BY id DESC", "bank_reports_by_kind"),
    ("bank_reports WHERE payment_file_id = $1 AND id < $1 ORDER BY id DESC", "bank_reports_of_file"),
    ("bank_exceptions WHERE id < $1 ORDER BY id DESC", "bank_exceptions_pkey"),
    ("bank_exceptions WHERE report_id = $1 AND id < $1 ORDER BY id DESC", "bank_exceptions_by_report"),
    ("bank_exceptions WHERE state = 'open' AND id < $1 ORDER BY id DESC", "bank_exceptions_by_state"),
    ("disputes WHERE id < $1 ORDER BY id DESC", "disputes_by_id"),
    ("disputes WHERE state = 'open' AND id < $1 ORDER BY id DESC", "disputes_by_state"),
    ("disputes WHERE subject_id = $1 AND id < $1 ORDER BY id DESC", "disputes_by_record"),
    (
        "disputes WHERE partner_id = $1 AND coalesce(state, state) = 'open' AND id < $1 ORDER BY id DESC",
        "disputes_pkey",
    ),
    ("payment_runs WHERE id < $1 ORDER BY id DESC", "payment_runs_pkey"),
    ("payment_runs WHERE state = 'created' AND id < $1 ORDER BY id DESC", "payment_runs_by_state"),
    (
        "partners WHERE EXISTS (SELECT 1 FROM rebates r WHERE state IN ('payable', 'on_hold') \
         AND coalesce(r.posted_in, r.posted_in) <= '2018-11-01' AND r.partner_id = partners.id) \
         AND id > $1 ORDER BY id",
        "rebates_waiting",
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

/// What leads to few records, which are then put in order: those of whoever asks, of a customer, with a number.
const FEW: &[(&str, &str)] = &[
    (
        "earnings WHERE partner_id IN (SELECT p.id FROM partners p WHERE p.id = $1 OR p.headquarters_id = $1) \
         AND coalesce(earned_in, earned_in) = '2018-11-01' AND id < $1 ORDER BY id DESC",
        "earnings_pkey|earnings_by_enrollment",
    ),
    (
        "transactions WHERE partner_id IN (SELECT p.id FROM partners p WHERE p.id = $1 OR p.headquarters_id = $1) \
         ORDER BY id DESC",
        "transactions_by_partner|transaction_records_pkey",
    ),
    (
        "transactions WHERE customer_id = 'C-1' AND id < $1 ORDER BY coalesce(id, id) DESC",
        "transactions_by_customer",
    ),
    (
        "transactions WHERE partner_id = $1 AND customer_id = 'C-1' ORDER BY coalesce(id, id) DESC",
        "transactions_by_customer",
    ),
    (
        "transactions WHERE partner_id = $1 AND customer_id = 'C-1' AND kind = 'purchase' \
         AND (occurred_on, id) < ('2018-11-01', $1) ORDER BY occurred_on DESC, id DESC",
        "transactions_by_customer",
    ),
    (
        "transactions WHERE id IN (SELECT transaction_id FROM transaction_numbers WHERE external_id = 'N1' \
         AND source IN (WITH RECURSIVE known (source) AS (\
         SELECT min(source) FROM transaction_numbers \
         UNION ALL SELECT (SELECT min(source) FROM transaction_numbers WHERE source > known.source) \
         FROM known WHERE known.source IS NOT NULL) SELECT source FROM known)) ORDER BY id DESC",
        "(source=? AND external_id=?)",
    ),
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
        let steps = plan(&mut conn, list, &["seqscan", "sort", "bitmapscan", "incremental_sort"]);
        assert!(goes_by(&steps, index), "{list}\n{steps}");
        assert!(!steps.contains("TEMP B-TREE") && !steps.contains("Sort"), "{list} sorts:\n{steps}");
        assert!(!steps.contains("SCAN ") || walks_by_id(&steps), "{list} scans:\n{steps}");
    }
}

#[test]
fn what_leads_to_few_records_goes_by_their_index() {
    let database = Database::empty();
    Db::migrate(&database.target).unwrap();
    let mut conn = database.target.open().unwrap();
    for (list, index) in FEW {
        let steps = plan(&mut conn, list, &["seqscan"]);
        let index = match conn {
            Conn::Postgres(_) if index.starts_with('(') => "transaction_numbers_pkey",
            _ => index,
        };
        assert!(goes_by(&steps, index), "{list}\n{steps}");
        assert!(!steps.contains("SCAN record") && !steps.contains("SCAN earnings"), "{list} scans:\n{steps}");
    }
}

/// Whether one of these indexes answers. SQLite calls that of a key by another name, or by none.
fn goes_by(steps: &str, indexes: &str) -> bool {
    indexes.split('|').any(|index| {
        let key = index.strip_suffix("_pkey").is_some_and(|table| {
            steps.contains(&format!("INDEX sqlite_autoindex_{table}_1"))
                || steps.contains("PRIMARY KEY")
                || walks_by_id(steps)
        });
        key || steps.contains(index)
    })
}

/// Whether the only table that is gone through is one kept in the order of ids, as every table of SQLite is.
fn walks_by_id(steps: &str) -> bool {
    steps.starts_with("SCAN ") && steps.matches("SCAN ").count() == 1
}

fn plan(conn: &mut Conn, list: &str, without: &[&str]) -> String {
    match conn {
        Conn::Sqlite(_) => {
            let sql = list.replace("$1", "x'01936f2e4b0070008000000000000001'");
            explain(conn, &format!("EXPLAIN QUERY PLAN SELECT * FROM {sql} LIMIT 51"))
        }
        Conn::Postgres(_) => {
            // On an empty table any plan is cheap: what is asked is whether the index can answer.
            for way in without {
                sql_query(format!("SET enable_{way} = off")).execute(conn).unwrap();
            }
            let sql = list.replace("$1", "'01936f2e-4b00-7000-8000-000000000001'");
            let sql = format!("SELECT * FROM {sql} LIMIT 51");
            sql_query(format!(
                "CREATE OR REPLACE FUNCTION plan() RETURNS SETOF text LANGUAGE plpgsql AS $$ \
                BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) {}'; END $$",
                sql.replace('\'', "''")
            ))
            .execute(conn)
            .unwrap();
            explain(conn, "SELECT plan AS detail FROM plan() AS plan")
        }
    }
}

fn explain(conn: &mut Conn, sql: &str) -> String {
    let steps: Vec<Step> = sql_query(sql).load(conn).unwrap();
    steps.into_iter().map(|step| step.detail + "\n").collect()
}
