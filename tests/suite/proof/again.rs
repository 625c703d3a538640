//! The same input again, as far as it may go: no row changes.

use crate::{
    suite::calculation::{Story, flat},
    support::World,
};
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use partner_incentives::{
    access::{Tx, Unaudited},
    operations::jobs::refresh,
    platform::db::Target,
    sales::transactions::backlog::{self, CalculationCause},
};
use serde_json::json;
use std::ops::ControlFlow;

/// Where money, and what it rests on, is kept.
const TABLES: [&str; 16] = [
    "transaction_records",
    "transaction_numbers",
    "earnings",
    "ineligible_records",
    "calculated_enrollments",
    "lever_volumes",
    "cap_uses",
    "cap_months",
    "posted_groups",
    "rebates",
    "ledger_transfers",
    "closed_months",
    "statements",
    "statement_months",
    "month_closings",
    "calculation_backlog",
];

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Every row of them, whole.
pub(super) fn dump(world: &World) -> Vec<(&'static str, Vec<String>)> {
    let mut conn = world.service.db.target().open().unwrap();
    let mut rows = |query: String| {
        let lines = sql_query(query).load::<Line>(&mut conn).unwrap();
        lines.into_iter().map(|row| row.line).collect::<Vec<_>>()
    };
    let tables = TABLES.iter().map(|table| {
        let query = match world.service.db.target() {
            Target::Sqlite(_) => {
                let columns =
                    rows(format!("SELECT 'quote(' || name || ')' AS line FROM pragma_table_info('{table}')"));
                format!("SELECT {} AS line FROM {table} ORDER BY 1", columns.join(" || ',' || "))
            }
            Target::Postgres(_) => {
                format!("SELECT CAST({table}.* AS text) AS line FROM {table} ORDER BY 1")
            }
        };
        (*table, rows(query))
    });
    tables.collect()
}

#[test]
fn the_same_input_again_changes_no_row_however_it_comes() {
    const HEAD: &str = "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,\
                        original_external_id,occurred_on,amount,currency";
    let world = World::new();
    let mut capped = flat("capped", "0.10");
    capped["cap"] = json!({"scope": "partner", "amount": {"amount": "500.00", "currency": "USD"}});
    let mut months = flat("months", "0.04");
    months["grain"] = json!("month");
    let story = Story::new(&world, &json!([capped, months]));
    world.on("2018-09-10");
    let partner = &story.partner;
    let mut rows = Vec::new();
    for n in 1..=40 {
        let on = format!("2018-0{}-{:02}", 7 + n % 3, n % 9 + 1);
        rows.push(format!("billing,N{n},{partner},C-{},DE,SKU-1,azure,purchase,,{on},{n}5.55,USD", n % 4));
        if n % 5 == 0 {
            rows.push(format!("billing,R{n},{partner},C-9,DE,SKU-1,azure,refund,N{n},2018-09-10,-5.05,USD"));
        }
    }
    let import = |rows: &[String]| {
        let file = format!("{HEAD}\n{}\n", rows.join("\n"));
        story.operator.ask("POST", "/v1/transaction-imports").bytes("text/csv", file).send().ok()
    };
    let daily_refresh = || {
        let run = refresh::run_now(&story.world.service.app, |_| ()).unwrap();
        assert!(run.error.is_none(), "{run:?}");
    };
    import(&rows[..20]);
    story.calculate();
    story.close("2018-07").ok();
    import(&rows[20..]);
    let by_hand = story.sale("by-hand", "2018-09-09", "70.00");
    story.calculate();
    daily_refresh();
    let before = dump(&world);
    assert!(before.iter().filter(|(_, rows)| !rows.is_empty()).count() >= 9, "{before:#?}");
    for prefix in [1, 13, 20, 31, rows.len()] {
        let done = import(&rows[..prefix]);
        assert_eq!((&done["created"], &done["unchanged"]), (&json!(0), &json!(prefix)), "{done}");
        assert_eq!(story.sale("by-hand", "2018-09-09", "70.00"), by_hand);
        story.calculate();
        daily_refresh();
        // Whoever looks at everything again finds nothing new either.
        let id = partner.parse().unwrap();
        let note = move |tx: &mut Tx<'_>| {
            tx.exempt_from_audit(Unaudited::NotPublished);
            backlog::note(tx, &[id], CalculationCause::Recalculation)
        };
        world.service.app.write_as_system("Test", note).unwrap();
        let app = &world.service.app;
        partner_incentives::earnings::calculation::calculate(app, None, |_| ControlFlow::Continue(()))
            .unwrap();
        for (before, after) in before.iter().zip(dump(&world)) {
            assert!(*before == after, "{prefix} rows again: {} has changed", before.0);
        }
    }
    story.verify();
}
