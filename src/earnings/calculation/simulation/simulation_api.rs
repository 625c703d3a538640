//! Simulations of earnings over HTTP: asking about what has not been sold, or about a draft.

use super::{scene, view::SimulatedEarnings};
use crate::{
    access::{Caller, PartnerKey, policy::SimulateEarnings},
    participation::programs::ProgramKey,
    platform::{
        Result,
        http::{Answer, Body, Problem},
        values::{CalendarDate, Id, Money, Month},
    },
    sales::transactions::api::TransactionCustomer,
};
use actix_web::post;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of simulations.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(simulate_earnings);
}

/// A question about a month of a partner's: what would it earn if it sold this, or by that version?
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "partner_id": "01936f2e-4b00-7000-8000-000000000001",
    "program": "csp-direct-bill",
    "month": "2026-07",
    "sales": [
        {
            "kind": "purchase", "reference": "deal", "occurred_on": "2026-07-20",
            "amount": {"amount": "12500.00", "currency": "USD"}, "customer": {"id": "C-20881", "country": "US"},
            "product": "CFQ7TTC0LH18", "product_family": "modern-work"
        },
        {
            "kind": "refund", "reference": "seats-back", "occurred_on": "2026-07-28",
            "amount": {"amount": "-500.00", "currency": "USD"}, "original_reference": "deal"
        }
    ]
}))]
pub struct EarningsSimulation {
    /// The partner to start from.
    pub(super) partner_id: PartnerKey,
    /// For which program, by its code or id.
    pub(super) program: ProgramKey,
    /// For which month, past or future.
    pub(super) month: Month,
    /// By which of its versions, a draft included for programme staff; left out, by the one in effect in the month.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub(super) version: Option<i32>,
    /// Sales to suppose in that month.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub(super) sales: Vec<SupposedSale>,
    /// Whether what the partner has sold in the version's year, up to the end of the month, counts too: for tiers, caps
    /// and growth. What it sold before the year is a baseline in any case.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub(super) include_recorded: bool,
}

const fn yes() -> bool {
    true
}

/// A sale to suppose.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SupposedSale {
    /// Something sold.
    #[schema(title = "SupposedSalePurchase")]
    Purchase {
        /// What the answer calls it; unique in the request.
        #[schema(min_length = 1, max_length = 128, pattern = r"^\S(.*\S)?$", examples("deal"))]
        reference: String,
        /// The day it counts on, in the month.
        occurred_on: CalendarDate,
        /// The amount; above zero.
        amount: Money,
        /// Who buys.
        customer: TransactionCustomer,
        /// Whether the customer is a partner itself, to which most levers do not let sell. Nothing is looked up: who else
        /// is a partner is nobody's business.
        #[serde(default)]
        #[schema(default = false)]
        customer_is_partner: bool,
        /// What is sold (SKU).
        #[schema(min_length = 1, max_length = 128, pattern = r"^\S(.*\S)?$", examples("CFQ7TTC0LH18"))]
        product: String,
        /// The family of that product.
        #[schema(min_length = 1, max_length = 64, pattern = r"^\S(.*\S)?$", examples("modern-work"))]
        product_family: String,
    },
    /// All or part of a sale taken back. Name the purchase by its reference in the request, or by its id on record.
    #[schema(title = "SupposedSaleRefund")]
    Refund {
        /// What the answer calls it; unique in the request.
        #[schema(min_length = 1, max_length = 128, pattern = r"^\S(.*\S)?$", examples("deal"))]
        reference: String,
        /// The day it counts on, in the month.
        occurred_on: CalendarDate,
        /// The amount; below zero.
        amount: Money,
        /// The purchase, where it is hypothetical too.
        #[serde(default)]
        #[schema(min_length = 1, max_length = 128, pattern = r"^\S(.*\S)?$", examples("deal"))]
        original_reference: Option<String>,
        /// The purchase, where it is on record.
        #[serde(default)]
        original_transaction_id: Option<Id>,
    },
}

/// Simulate earnings
///
/// What a month would earn with sales that have not been made, or by a draft: by the same calculation as the real one,
/// with its trace, and where tiers and caps would stand. A partner that is not enrolled is taken to be, from the first
/// day of the month. The rules are judged by what is on record; hypothetical sales meet none of them. It reads only: nothing
/// is stored, however often it is sent.
#[utoipa::path(
    tag = "earnings",
    request_body = EarningsSimulation,
    responses(
        (status = 200, body = SimulatedEarnings),
        (
            status = 404, body = Problem, content_type = "application/problem+json",
            description = "The partner, program or version does not exist, or lies outside what the caller may see."
        )
    )
)]
#[post("/v1/earning-simulations")]
async fn simulate_earnings(
    caller: Caller<SimulateEarnings>,
    body: Body<EarningsSimulation>,
) -> Result<Answer> {
    caller.snapshot(move |tx| scene::simulate(tx, &body.value).map(|earned| Answer::ok(&earned))).await
}
