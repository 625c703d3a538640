//! Payments, their lines and the numbers of their documents in the database.

use super::{
    api::PaymentFilter,
    model::{DocumentKind, Payment, PaymentLine},
};
use crate::{
    access::{Scope, Tx},
    network::partners::{in_scope, is_narrow},
    platform::{
        Error, Result,
        db::{MultiBackend, insert_many, upsert_many},
        http::{PageRequest, keyset, matches_value},
        values::Id,
    },
    schema::{payment_documents, payment_lines, payments},
};
use diesel::{dsl::exists, prelude::*, select, upsert::excluded};

/// The most records that one statement names.
const AT_ONCE: usize = 1000;

/// The payments that the unit may see: a partner's people see a payment once the payment is approved.
fn visible(scope: Scope) -> payments::BoxedQuery<'static, MultiBackend> {
    let query = in_scope!(payments::table.into_boxed(), payments::partner_id, scope);
    match scope {
        Scope::All => query,
        Scope::Partner(_) => query.filter(payments::document_number.is_not_null()),
    }
}

fn matching(scope: Scope, filter: &PaymentFilter) -> payments::BoxedQuery<'static, MultiBackend> {
    let mut query = visible(scope);
    if let Some(id) = filter.partner_id {
        query = query.filter(payments::partner_id.eq(id));
    }
    let of_partner = is_narrow(scope, [filter.partner_id]);
    if let Some(id) = filter.run_id {
        query = matches_value!(query, payments::run_id, id, of_partner);
    }
    if let Some(state) = filter.state {
        query = matches_value!(query, payments::state, state, of_partner || filter.run_id.is_some());
    }
    if let Some(currency) = filter.currency {
        query = query.filter(payments::currency.eq(currency));
    }
    query
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<PaymentFilter>) -> Result<Vec<Payment>> {
    let query = matching(tx.scope(), &page.filter).select(Payment::as_select());
    Ok(keyset!(query, page, payments, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &PaymentFilter) -> Result<i64> {
    Ok(matching(tx.scope(), filter).count().get_result(tx.conn)?)
}

/// A payment that the unit may see.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<Payment> {
    let query = visible(tx.scope()).filter(payments::id.eq(id)).select(Payment::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("payment", "支払い"))
}

/// The payments of a run, in the order in which they were made.
pub fn of_run(tx: &mut Tx<'_>, run: Id) -> Result<Vec<Payment>> {
    let query = payments::table.filter(payments::run_id.eq(run)).order(payments::id);
    Ok(query.select(Payment::as_select()).load(tx.conn)?)
}

/// The lines of these payments, the oldest month of each first. One statement for each thousand payments.
pub fn lines_of(tx: &mut Tx<'_>, payments: &[Payment]) -> Result<Vec<PaymentLine>> {
    let mut found = Vec::new();
    for some in payments.chunks(AT_ONCE) {
        let query = payment_lines::table
            .filter(payment_lines::partner_id.eq_any(partners_of(some)))
            .filter(payment_lines::payment_id.eq_any(ids_of(some)))
            .order((
                payment_lines::payment_id,
                payment_lines::posted_in,
                payment_lines::enrollment_id,
                payment_lines::rebate_id,
            ));
        found.extend(query.select(PaymentLine::as_select()).load(tx.conn)?);
    }
    Ok(found)
}

fn partners_of(payments: &[Payment]) -> Vec<Id> {
    let mut partners: Vec<Id> = payments.iter().map(|payment| payment.partner_id).collect();
    partners.sort_unstable();
    partners.dedup();
    partners
}

fn ids_of(payments: &[Payment]) -> Vec<Id> {
    payments.iter().map(|payment| payment.id).collect()
}

pub(super) fn refers_to(tx: &mut Tx<'_>, partner: Id) -> Result<bool> {
    Ok(select(exists(payments::table.filter(payments::partner_id.eq(partner)))).get_result(tx.conn)?)
}

pub(super) fn insert(tx: &mut Tx<'_>, payments: &[Payment], lines: &[PaymentLine]) -> Result<()> {
    insert_many!(tx.conn, payments::table, payments);
    insert_many!(tx.conn, payment_lines::table, lines);
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, payment: &Payment) -> Result<()> {
    let key = (payment.partner_id, payment.id);
    diesel::update(payments::table.find(key)).set(payment).execute(tx.conn)?;
    Ok(())
}

/// Writes the next revisions of payments.
pub(super) fn update_all(tx: &mut Tx<'_>, payments: &[Payment]) -> Result<()> {
    use crate::schema::payments as p;
    upsert_many!(
        tx.conn,
        p::table,
        payments,
        (p::partner_id, p::id),
        (
            p::state.eq(excluded(p::state)),
            p::document_number.eq(excluded(p::document_number)),
            p::sent_on.eq(excluded(p::sent_on)),
            p::state_code.eq(excluded(p::state_code)),
            p::state_comment.eq(excluded(p::state_comment)),
            p::updated_at.eq(excluded(p::updated_at)),
            p::revision.eq(excluded(p::revision)),
        )
    );
    Ok(())
}

/// Notes that these payments carry their rebates no longer. One statement for each thousand payments.
pub(super) fn end_lines(tx: &mut Tx<'_>, payments: &[Payment]) -> Result<()> {
    for some in payments.chunks(AT_ONCE) {
        let lines = payment_lines::table
            .filter(payment_lines::partner_id.eq_any(partners_of(some)))
            .filter(payment_lines::payment_id.eq_any(ids_of(some)));
        diesel::update(lines).set(payment_lines::live.eq(false)).execute(tx.conn)?;
    }
    Ok(())
}

/// Takes so many numbers of documents, one after the other; returns the first. Other units that take numbers wait.
pub(super) fn take_numbers(tx: &mut Tx<'_>, kind: DocumentKind, count: i64) -> Result<i64> {
    let series = payment_documents::table.find(kind.as_str());
    let last = payment_documents::last_number;
    diesel::update(series).set(last.eq(last + count)).execute(tx.conn)?;
    let last: i64 = series.select(last).get_result(tx.conn)?;
    Ok(last - count + 1)
}
