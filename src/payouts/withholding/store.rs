//! The rates of withheld tax in the database.

use super::{WithholdingKey, WithholdingRate, api::WithholdingRateFilter};
use crate::{
    access::Tx,
    platform::{
        Error, Result,
        db::MultiBackend,
        http::{PageRequest, keyset, unindexed},
        values::{CalendarDate, Id},
    },
    schema::withholding_rates,
};
use diesel::prelude::*;

fn matching(filter: &WithholdingRateFilter) -> withholding_rates::BoxedQuery<'static, MultiBackend> {
    let mut query = withholding_rates::table.into_boxed();
    if let Some(country) = filter.payee_country {
        query = query.filter(unindexed!(withholding_rates::payee_country).eq(country));
    }
    if let Some(form_state) = filter.form_state {
        query = query.filter(unindexed!(withholding_rates::form_state).eq(form_state));
    }
    if let Some(earning) = filter.earning {
        query = query.filter(unindexed!(withholding_rates::earning).eq(earning));
    }
    if let Some(day) = filter.on {
        let ends = withholding_rates::valid_to.is_null();
        let holds = ends.or(withholding_rates::valid_to.assume_not_null().ge(day));
        query = query.filter(unindexed!(withholding_rates::valid_from).le(day)).filter(holds);
    }
    query
}

pub(super) fn list(
    tx: &mut Tx<'_>,
    page: &PageRequest<WithholdingRateFilter>,
) -> Result<Vec<WithholdingRate>> {
    let query = matching(&page.filter).select(WithholdingRate::as_select());
    Ok(keyset!(query, page, withholding_rates, newest).load(tx.conn)?)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &WithholdingRateFilter) -> Result<i64> {
    Ok(matching(filter).count().get_result(tx.conn)?)
}

pub(super) fn get(tx: &mut Tx<'_>, id: Id) -> Result<WithholdingRate> {
    let found = withholding_rates::table.find(id).select(WithholdingRate::as_select()).get_result(tx.conn);
    found.optional()?.ok_or(Error::not_found("withholding rate", "源泉徴収税率"))
}

/// The rates that hold on a day.
pub(super) fn on(tx: &mut Tx<'_>, day: CalendarDate) -> Result<Vec<WithholdingRate>> {
    let ends = withholding_rates::valid_to.is_null();
    let holds = ends.or(withholding_rates::valid_to.assume_not_null().ge(day));
    let query = withholding_rates::table.filter(withholding_rates::valid_from.le(day)).filter(holds);
    Ok(query.order(withholding_rates::id).select(WithholdingRate::as_select()).load(tx.conn)?)
}

/// The rate of a key that has no end yet.
pub(super) fn open_rate(tx: &mut Tx<'_>, key: WithholdingKey) -> Result<Option<WithholdingRate>> {
    let mut query = withholding_rates::table
        .filter(withholding_rates::form_state.eq(key.form_state))
        .filter(withholding_rates::earning.eq(key.earning))
        .filter(withholding_rates::valid_to.is_null())
        .into_boxed();
    query = match key.payee_country {
        Some(country) => query.filter(withholding_rates::payee_country.eq(country)),
        None => query.filter(withholding_rates::payee_country.is_null()),
    };
    Ok(query.select(WithholdingRate::as_select()).get_result(tx.conn).optional()?)
}

/// Ends a rate that has no end yet; whether the rate had none.
pub(super) fn end(tx: &mut Tx<'_>, id: Id, last: CalendarDate) -> Result<bool> {
    let open = withholding_rates::table.find(id).filter(withholding_rates::valid_to.is_null());
    Ok(diesel::update(open).set(withholding_rates::valid_to.eq(last)).execute(tx.conn)? > 0)
}

pub(super) fn insert(tx: &mut Tx<'_>, rate: &WithholdingRate) -> Result<()> {
    diesel::insert_into(withholding_rates::table).values(rate).execute(tx.conn)?;
    Ok(())
}
