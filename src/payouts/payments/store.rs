//! Payments, their lines and the numbers of their documents in the database.

use super::{
    api::PaymentFilter,
    draft::out_of_range,
    model::{DocumentKind, FileGroup, Payment, PaymentLine, PaymentState, Reconciliation},
    payees::partners_of,
};
use crate::{
    access::{ExpectedPayment, PartnerKey, Scope, Tx},
    network::partners::{in_scope, is_narrow},
    platform::{
        Error, Result,
        db::{MultiBackend, insert_many, upsert_many},
        http::{PageRequest, keyset, matches_value, unindexed},
        values::{Currency, Id},
    },
    schema::{payment_documents, payment_lines, payments},
};
use diesel::{
    dsl::{count_star, exists, sql},
    prelude::*,
    select,
    sql_types::BigInt,
    upsert::excluded,
};

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

fn matching(tx: &mut Tx<'_>, filter: &PaymentFilter) -> Result<payments::BoxedQuery<'static, MultiBackend>> {
    let partner = PartnerKey::asked_for(filter.partner_id.as_ref(), tx)?;
    let scope = tx.scope();
    let mut query = visible(scope);
    if let Some(id) = partner {
        query = query.filter(payments::partner_id.eq(id));
    }
    let of_partner = is_narrow(scope, [partner]);
    if let Some(id) = filter.run_id {
        query = matches_value!(query, payments::run_id, id, of_partner);
    }
    if let Some(id) = filter.file_id {
        query = matches_value!(query, payments::file_id, id, of_partner || filter.run_id.is_some());
    }
    if let Some(state) = filter.state {
        query = matches_value!(
            query,
            payments::state,
            state,
            of_partner || filter.run_id.or(filter.file_id).is_some()
        );
    }
    if let Some(currency) = filter.currency {
        query = query.filter(payments::currency.eq(currency));
    }
    Ok(query)
}

pub(super) fn list(tx: &mut Tx<'_>, page: &PageRequest<PaymentFilter>) -> Result<Vec<Payment>> {
    let query = matching(tx, &page.filter)?.select(Payment::as_select());
    Ok(keyset!(query, page, payments, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &PaymentFilter) -> Result<i64> {
    Ok(matching(tx, filter)?.count().get_result(tx.conn)?)
}

/// A payment that the unit may see.
pub fn get(tx: &mut Tx<'_>, id: Id) -> Result<Payment> {
    let query = visible(tx.scope()).filter(payments::id.eq(id)).select(Payment::as_select());
    query.get_result(tx.conn).optional()?.ok_or(Error::not_found("payment", "支払い"))
}

/// The approved payments of a partner that have not arrived yet, the oldest first.
pub(super) fn expected(tx: &mut Tx<'_>, partner: Id) -> Result<Vec<ExpectedPayment>> {
    let under_way =
        vec![PaymentState::Approved, PaymentState::InFile, PaymentState::Sent, PaymentState::PendingAtBank];
    let query = payments::table
        .filter(payments::partner_id.eq(partner))
        .filter(unindexed!(payments::state).eq_any(under_way))
        .order(payments::id);
    let found: Vec<Payment> = query.select(Payment::as_select()).load(tx.conn)?;
    let expected = |payment: Payment| ExpectedPayment {
        id: payment.id,
        amount: payment.money(payment.net),
        state: payment.state.as_str(),
        sent_on: payment.sent_on,
        execution_on: payment.execution_on,
        reference: payment.reference(),
    };
    Ok(found.into_iter().map(expected).collect())
}

/// The files that hold payments of a run which the bank has not got.
pub fn files_of_run(tx: &mut Tx<'_>, run: Id) -> Result<Vec<Id>> {
    let query = payments::table
        .filter(payments::run_id.eq(run))
        .filter(unindexed!(payments::state).eq(PaymentState::InFile))
        .filter(payments::file_id.is_not_null());
    let mut files: Vec<Id> = query.select(payments::file_id.assume_not_null()).distinct().load(tx.conn)?;
    files.sort_unstable();
    Ok(files)
}

/// The payments of a run, in the order in which they were made.
pub fn of_run(tx: &mut Tx<'_>, run: Id) -> Result<Vec<Payment>> {
    let query = payments::table.filter(payments::run_id.eq(run)).order(payments::id);
    Ok(query.select(Payment::as_select()).load(tx.conn)?)
}

/// Which payments of many are meant.
#[derive(Clone, Copy, Debug)]
pub enum PaymentSet {
    /// Those of a run.
    OfRun {
        /// The run.
        run: Id,
    },
    /// The approved ones of a run, in a currency.
    Approved {
        /// The run.
        run: Id,
        /// The currency.
        currency: Currency,
    },
    /// Those of a file, or of one group of the file.
    OfFile {
        /// The file.
        file: Id,
        /// The group; none for all.
        group: Option<FileGroup>,
    },
}

impl PaymentSet {
    fn query(self) -> payments::BoxedQuery<'static, MultiBackend> {
        let query = payments::table.into_boxed();
        match self {
            Self::OfRun { run } => query.filter(payments::run_id.eq(run)),
            Self::Approved { run, currency } => query
                .filter(payments::run_id.eq(run))
                .filter(unindexed!(payments::state).eq(PaymentState::Approved))
                .filter(payments::currency.eq(currency)),
            Self::OfFile { file, group } => {
                let query = query.filter(payments::file_id.eq(file));
                match group {
                    Some(group) => query.filter(payments::file_group.eq(group)),
                    None => query,
                }
            }
        }
    }

    /// The next payments after one, in the order in which they were made; the first where there is none.
    pub fn next(self, tx: &mut Tx<'_>, after: Option<Id>, most: i64) -> Result<Vec<Payment>> {
        let mut query = self.query();
        if let Some(after) = after {
            query = query.filter(payments::id.gt(after));
        }
        Ok(query.order(payments::id).limit(most).select(Payment::as_select()).load(tx.conn)?)
    }

    /// The partners that are paid.
    pub fn partners(self, tx: &mut Tx<'_>) -> Result<Vec<Id>> {
        let found: Vec<Id> = self.query().select(payments::partner_id).load(tx.conn)?;
        let mut partners = found;
        partners.sort_unstable();
        partners.dedup();
        Ok(partners)
    }

    /// The number of payments, and the sum of what the bank is told to pay, in minor units.
    pub fn sum(self, tx: &mut Tx<'_>) -> Result<(i64, i64)> {
        let sums = (count_star(), sql::<BigInt>(BILLIONS), sql::<BigInt>(BELOW_BILLION));
        let (count, billions, below) = self.query().select(sums).get_result(tx.conn)?;
        Ok((count, whole(billions, below)?))
    }

    /// The sum of what the bank is told to pay by those that have not failed, in minor units.
    pub fn sum_not_failed(self, tx: &mut Tx<'_>) -> Result<i64> {
        let paid = self.query().filter(unindexed!(payments::state).ne(PaymentState::Failed));
        let (billions, below) =
            paid.select((sql::<BigInt>(BILLIONS), sql::<BigInt>(BELOW_BILLION))).get_result(tx.conn)?;
        whole(billions, below)
    }
}

/// The whole billions of amounts, and what is left of each: their sums stay in the range of numbers where that of the amounts
/// would leave it.
const BILLIONS: &str = "CAST(COALESCE(SUM(net / 1000000000), 0) AS BIGINT)";
const BELOW_BILLION: &str = "CAST(COALESCE(SUM(net % 1000000000), 0) AS BIGINT)";

/// The sum of amounts from the sums of their parts; refused where no amount can hold it.
fn whole(billions: i64, below: i64) -> Result<i64> {
    let sum = i128::from(billions) * 1_000_000_000 + i128::from(below);
    i64::try_from(sum).map_err(|_| out_of_range())
}

/// The currencies of a run's approved payments.
pub fn currencies_of_run(tx: &mut Tx<'_>, run: Id) -> Result<Vec<Currency>> {
    let query = payments::table
        .filter(payments::run_id.eq(run))
        .filter(unindexed!(payments::state).eq(PaymentState::Approved))
        .select(payments::currency)
        .distinct()
        .order(payments::currency);
    Ok(query.load(tx.conn)?)
}

/// The payments of a partner, the first made first.
pub fn of_partner(tx: &mut Tx<'_>, partner: Id) -> Result<Vec<Payment>> {
    let query = payments::table.filter(payments::partner_id.eq(partner)).order(payments::id);
    Ok(query.select(Payment::as_select()).load(tx.conn)?)
}

/// The payments of a run in one currency and state, matched or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentCount {
    /// The currency.
    pub currency: Currency,
    /// The state.
    pub state: PaymentState,
    /// Whether statements of the bank show the payments.
    pub reconciliation: Reconciliation,
    /// The number of payments.
    pub payments: i64,
    /// The sum of what the bank is told to pay, in minor units.
    pub net: i64,
}

/// What payments are counted by, their number, and the sums of the parts of their amounts.
type CountedRow = ((Currency, PaymentState, Reconciliation), i64, i64, i64);

/// The payments of a run, counted by currency, state and reconciliation.
pub fn counts_of_run(tx: &mut Tx<'_>, run: Id) -> Result<Vec<PaymentCount>> {
    let key = (payments::currency, payments::state, payments::reconciliation);
    let query = payments::table.filter(payments::run_id.eq(run)).group_by(key).select((
        key,
        count_star(),
        sql::<BigInt>(BILLIONS),
        sql::<BigInt>(BELOW_BILLION),
    ));
    let rows: Vec<CountedRow> = query.load(tx.conn)?;
    let count = |((currency, state, reconciliation), payments, billions, below)| {
        Ok(PaymentCount { currency, state, reconciliation, payments, net: whole(billions, below)? })
    };
    rows.into_iter().map(count).collect()
}

/// Whether a payment of a run is approved or in a file, and has not gone to the bank.
pub fn waits_for_bank(tx: &mut Tx<'_>, run: Id) -> Result<bool> {
    let waiting = vec![PaymentState::Approved, PaymentState::InFile];
    let query =
        payments::table.filter(payments::run_id.eq(run)).filter(unindexed!(payments::state).eq_any(waiting));
    Ok(select(exists(query)).get_result(tx.conn)?)
}

/// The payments of these, whatever the unit's caller may see.
pub fn many(tx: &mut Tx<'_>, ids: &[Id]) -> Result<Vec<Payment>> {
    let mut found = Vec::new();
    for some in ids.chunks(AT_ONCE) {
        let query = payments::table.filter(payments::id.eq_any(some.to_vec()));
        found.extend(query.select(Payment::as_select()).load(tx.conn)?);
    }
    Ok(found)
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
                payment_lines::record_id,
            ));
        found.extend(query.select(PaymentLine::as_select()).load(tx.conn)?);
    }
    Ok(found)
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
            p::reconciliation.eq(excluded(p::reconciliation)),
            p::sent_on.eq(excluded(p::sent_on)),
            p::settled_on.eq(excluded(p::settled_on)),
            p::state_code.eq(excluded(p::state_code)),
            p::state_comment.eq(excluded(p::state_comment)),
            p::updated_at.eq(excluded(p::updated_at)),
            p::revision.eq(excluded(p::revision)),
            p::file_id.eq(excluded(p::file_id)),
            p::file_group.eq(excluded(p::file_group)),
            p::bank_reference.eq(excluded(p::bank_reference)),
            p::statement_id.eq(excluded(p::statement_id)),
            p::statement_entry.eq(excluded(p::statement_entry)),
            p::payout_revision.eq(excluded(p::payout_revision)),
            p::execution_on.eq(excluded(p::execution_on)),
        )
    );
    Ok(())
}

/// Notes that these payments carry their records no longer. One statement for each thousand payments.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_no_amount_can_hold_is_refused() {
        assert_eq!(whole(9_223_372_036, 854_775_807).unwrap(), i64::MAX);
        assert!(whole(9_223_372_036, 854_775_808).is_err());
    }
}
