//! Accounting months over HTTP.

use super::{
    MonthClosing,
    report::{MOST_ASIDE, close, kept_or_expected},
};
use crate::{
    access::{
        Caller, Tx,
        policy::{CloseAccountingMonth, GetAccountingMonthClosure, ListAccountingMonths},
    },
    ledger::accounting::{self, AccountingMonthState, ClosedMonth},
    platform::{
        Result,
        http::{Answer, Body, Path},
        values::{Id, Month, Timestamp},
    },
    sales::transactions::backlog,
};
use actix_web::{get, post};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of accounting months.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_accounting_months)
        .service(get_accounting_month_closure)
        .service(close_accounting_month);
}

/// A month of the books.
#[derive(Serialize, ToSchema)]
struct AccountingMonth {
    /// The month.
    month: Month,
    /// Whether the month still takes postings.
    state: AccountingMonthState,
    /// When the month was closed; null while the month is open.
    closed_at: Option<Timestamp>,
    /// The user or API client who closed the month; null for the service itself.
    closed_by: Option<Id>,
    /// The reason in the closer's words.
    #[schema(max_length = 1000, examples("All sales of the quarter are in"))]
    reason: Option<String>,
}

/// A partner that the calculation has put aside: its figures are not complete.
#[derive(Serialize, ToSchema)]
struct PartnerPutAside {
    /// The partner.
    partner_id: Id,
    /// Why its calculation failed, as a stable code.
    #[schema(max_length = 64, examples("amount_out_of_range"))]
    code: String,
    /// When its calculation failed. A run over that partner tries it again.
    failed_at: Timestamp,
}

/// The months of the books, the newest first.
#[derive(Serialize, ToSchema)]
struct AccountingMonths {
    /// The months from this month back to the first month with a posting.
    #[schema(max_items = 12_000)]
    items: Vec<AccountingMonth>,
    /// The partners whose figures the open months lack, because their calculation failed; a thousand at most.
    #[schema(max_items = 1000)]
    put_aside: Vec<PartnerPutAside>,
}

/// The closure of a month.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "All sales of the month are in"}))]
struct AccountingMonthClosure {
    /// In your own words, for the audit trail.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: Option<String>,
}

/// List the accounting months
///
/// The months from this month back to the first month with a posting. Months close one after the other.
#[utoipa::path(tag = "rebates", responses((status = 200, body = AccountingMonths)))]
#[get("/v1/accounting-months")]
async fn list_accounting_months(caller: Caller<ListAccountingMonths>) -> Result<Answer> {
    let listed = |tx: &mut Tx<'_>| Ok(AccountingMonths { items: months(tx)?, put_aside: put_aside(tx)? });
    caller.snapshot(move |tx| listed(tx).map(|months| Answer::ok(&months))).await
}

/// Look at what closing a month does
///
/// Of an open month, what closing it now would give, and what keeps it from being closed. Of a closed month, the report
/// that was kept when the month was closed, which never changes.
#[utoipa::path(
    tag = "rebates",
    params(("month" = Month, Path, description = "The month.", example = "2026-07")),
    responses((status = 200, body = MonthClosing))
)]
#[get("/v1/accounting-months/{month}/closure")]
async fn get_accounting_month_closure(
    caller: Caller<GetAccountingMonthClosure>,
    month: Path<Month>,
) -> Result<Answer> {
    caller.snapshot(move |tx| kept_or_expected(tx, *month)).await
}

/// Close a month
///
/// A closed month never changes again: late earnings are posted in the first open month. The rebates of the month
/// become payable, or wait for profiles; the statement of each partner is stored, and its incentive admins are told. A
/// month can be closed when it is over, after every earlier month, and with no sale left to calculate. Proposed
/// adjustments do not keep the month open: an adjustment approved later is posted in the first open month. The answer is
/// the report that the preview shows before.
#[utoipa::path(
    tag = "rebates",
    params(("month" = Month, Path, description = "The month.", example = "2026-07")),
    request_body = AccountingMonthClosure,
    responses((status = 200, body = MonthClosing))
)]
#[post("/v1/accounting-months/{month}/closure")]
async fn close_accounting_month(
    caller: Caller<CloseAccountingMonth>,
    month: Path<Month>,
    body: Body<AccountingMonthClosure>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, closure| Ok(Answer::ok(&close(tx, *month, closure.reason.as_deref())?)))
        .await
}

fn months(tx: &mut Tx<'_>) -> Result<Vec<AccountingMonth>> {
    let now = Month::of(tx.today());
    let closed: BTreeMap<Month, ClosedMonth> =
        accounting::closed_months(tx)?.into_iter().map(|closed| (closed.month, closed)).collect();
    let first_closed = closed.keys().next().copied();
    let first = [first_closed, accounting::first_posted(tx)?].into_iter().flatten().min().unwrap_or(now);
    let mut items = Vec::new();
    let mut month = now.max(first);
    while month >= first {
        items.push(match closed.get(&month).cloned() {
            Some(ClosedMonth { month, closed_at, closed_by, reason }) => AccountingMonth {
                month,
                state: AccountingMonthState::Closed,
                closed_at: Some(closed_at),
                closed_by,
                reason,
            },
            None => AccountingMonth {
                month,
                state: AccountingMonthState::Open,
                closed_at: None,
                closed_by: None,
                reason: None,
            },
        });
        month = month.plus(-1);
    }
    Ok(items)
}

fn put_aside(tx: &mut Tx<'_>) -> Result<Vec<PartnerPutAside>> {
    let shown = |aside: backlog::PutAside| PartnerPutAside {
        partner_id: aside.partner_id,
        code: aside.failure,
        failed_at: aside.failed_at,
    };
    Ok(backlog::set_aside(tx, MOST_ASIDE)?.into_iter().map(shown).collect())
}
