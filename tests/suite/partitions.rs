//! Statements name the partner whose rows they touch; `support::statements` sees all that the other stories send.

use crate::support::{World, statements::fault};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use partner_incentives::{
    platform::values::{CalendarDate, Id},
    schema::calculation_backlog as backlog,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn a_statement_that_forgets_the_partner_is_found() {
    for good in [
        "SELECT id FROM rebates WHERE posted_in = $1",
        "SELECT id FROM users WHERE id IN (SELECT user_id FROM sessions)",
        r#"UPDATE "rebates" SET "state" = $1 WHERE (("rebates"."partner_id" = $2) AND ("rebates"."id" = $3))"#,
        "DELETE  FROM `cap_uses` WHERE `cap_uses`.`partner_id` IN (?, ?)",
        "UPDATE partners SET status = $1 WHERE partners.id = $2",
        "UPDATE users SET name = $1 WHERE users.id = $2",
        "SELECT e.id FROM (enrollments e INNER JOIN programs p ON p.id = e.program_id)",
        "SELECT t.id FROM transactions t LEFT JOIN transaction_records AS b ON b.partner_id = t.partner_id AND b.id = t.of",
        "SELECT id FROM earnings WHERE partner_id IN (SELECT p.id FROM partners p WHERE p.id = $1 OR p.headquarters_id = $1)",
        "SELECT id FROM earnings UNION ALL SELECT id FROM rebates",
        "SELECT id FROM (SELECT id FROM earnings UNION ALL SELECT id FROM rebates) x WHERE id = $1",
        "INSERT INTO earnings (id) VALUES ($1)",
    ] {
        assert_eq!(fault(good), None, "{good}");
    }
    for bad in [
        r#"UPDATE "rebates" SET "partner_id" = $1 WHERE ("rebates"."id" = $3)"#,
        "DELETE  FROM `cap_uses` WHERE `cap_uses`.`enrollment_id` = ?",
        "DELETE FROM calculation_backlog",
        "UPDATE partners SET id = $1 WHERE partners.mpn_id = $2",
        "SELECT t.id FROM transactions t LEFT JOIN transaction_records AS b ON b.id = t.original_transaction_id",
        "SELECT t.partner_id FROM transactions t JOIN earnings e ON e.transaction_id = t.id WHERE t.partner_id = $1",
        "SELECT id FROM earnings WHERE enrollment_id IN (SELECT id FROM enrollments WHERE program_id = $1)",
        "SELECT 1 FROM earnings x WHERE EXISTS (SELECT 1 FROM enrollments e WHERE e.id = x.enrollment_id)",
        "SELECT (SELECT state FROM enrollments e WHERE e.id = x.enrollment_id) FROM earnings x",
        "WITH s (id) AS (SELECT t.id FROM calculated_enrollments c JOIN enrollments t ON t.id = c.enrollment_id) SELECT id FROM s",
    ] {
        assert!(fault(bad).is_some(), "{bad}");
    }
}

#[test]
fn the_unit_that_sends_it_fails() {
    let world = World::new();
    let everybody = || diesel::update(backlog::table).set(backlog::from_day.eq(CalendarDate::MIN));
    // On PostgreSQL the unit runs here, and its panic is ours.
    let sent = || world.service.db.write(move |conn| Ok(everybody().execute(conn)?));
    assert!(!catch_unwind(AssertUnwindSafe(sent)).is_ok_and(|done| done.is_ok()));
    let partner: Id = "01936f2e-4b00-7000-8000-000000000001".parse().unwrap();
    let one = move || {
        diesel::update(backlog::table.filter(backlog::partner_id.eq(partner)))
            .set(backlog::from_day.eq(CalendarDate::MIN))
    };
    assert_eq!(world.service.db.write(move |conn| Ok(one().execute(conn)?)).unwrap(), 0);
}
