//! The reports of closed months in the database.

use super::MonthClosing;
use crate::{
    access::Tx,
    platform::{Error, Result, db::types::Json, values::Month},
    schema::month_closings,
};
use diesel::prelude::*;
use serde_json::Value;

/// The report of a closed month, as it was answered; none of an open month, and of one closed before reports were kept.
pub(super) fn report(tx: &mut Tx<'_>, month: Month) -> Result<Option<Value>> {
    let query = month_closings::table.find(month).select(month_closings::report);
    let found: Option<Json<Value>> = query.get_result(tx.conn).optional()?;
    Ok(found.map(|Json(report)| report))
}

pub(super) fn insert(tx: &mut Tx<'_>, report: &MonthClosing) -> Result<()> {
    let kept = Json(serde_json::to_value(report).map_err(Error::internal)?);
    diesel::insert_into(month_closings::table)
        .values((month_closings::month.eq(report.month), month_closings::report.eq(kept)))
        .execute(tx.conn)?;
    Ok(())
}
