//! Disputes over HTTP.

use super::{
    model::{Dispute, DisputeState, DisputeSubject, Verdict},
    service::{self, NewAnswer, Objection},
    store,
    view::DisputeView,
};
use crate::{
    access::{
        Caller, PartnerKey, Tx,
        policy::{
            AnswerDispute, EscalateDispute, GetDispute, ListDisputes, RaiseDispute, ReplyToDispute,
            RequestDisputeInformation, WithdrawDispute,
        },
    },
    platform::{
        Result,
        http::{Answer, Body, Cursor, Listing, PageParams, PageRequest, Path, page_of},
        values::{CalendarDate, Id, Money, Month},
    },
};
use actix_web::{get, post};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

/// The routes of this slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list_disputes)
        .service(raise_dispute)
        .service(get_dispute)
        .service(answer_dispute)
        .service(request_dispute_information)
        .service(reply_to_dispute)
        .service(escalate_dispute)
        .service(withdraw_dispute);
}

page_of!(
    /// One page of disputes.
    pub DisputePage of DisputeView
);

/// Which disputes to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DisputeFilter {
    /// Of this partner.
    pub partner_id: Option<PartnerKey>,
    /// In this state.
    #[param(inline)]
    pub state: Option<DisputeState>,
    /// About a record of this kind.
    #[param(inline)]
    pub subject: Option<DisputeSubject>,
    /// About this record.
    pub subject_id: Option<Id>,
    /// Whose answer is due on this day or earlier.
    pub due_until: Option<CalendarDate>,
}

/// A dispute to raise.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "subject": "rebate", "subject_id": "01936f2e-4b00-7000-8000-000000000001",
    "expected": {"amount": "640.00", "currency": "USD"}, "reason": "The second tier was reached on 20 July"
}))]
pub struct DisputeCreate {
    /// The kind of the record.
    subject: DisputeSubject,
    /// The record.
    subject_id: Id,
    /// The figure that you expect in its place: the rebate part of an earning, or of what did not earn; the amount of a
    /// rebate; the gross amount of a payment.
    expected: Money,
    /// The reason in your own words.
    #[schema(min_length = 3, max_length = 2000, pattern = r"^\S(.|\n)*\S$")]
    reason: String,
}

/// The answer to a dispute.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "verdict": "rejected", "reason": "The refund of 21 July took the volume back below the tier"
}))]
pub struct DisputeAnswerCreate {
    /// What the answer says.
    verdict: Verdict,
    /// The reason in your own words, which the partner reads.
    #[schema(min_length = 3, max_length = 1000, pattern = r"^\S(.|\n)*\S$")]
    reason: String,
    /// With an answer that upholds: the amount that is added to what is owed; left out, the disputed amount.
    #[serde(default)]
    amount: Option<Money>,
    /// With an answer that upholds: the enrollment whose rebate is corrected; left out, that of the record.
    #[serde(default)]
    enrollment_id: Option<Id>,
    /// With an answer that upholds: the month that the correction applies to; left out, that of the record.
    #[serde(default)]
    earned_in: Option<Month>,
}

/// A question to the partner.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"question": "Which invoice is it?"}))]
pub struct DisputeInformationRequest {
    /// The question, which the partner reads.
    #[schema(min_length = 3, max_length = 2000, pattern = r"^\S(.|\n)*\S$")]
    question: String,
}

/// The reply to a question.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reply": "INV-2026-000318"}))]
pub struct DisputeReply {
    /// The reply.
    #[schema(min_length = 3, max_length = 2000, pattern = r"^\S(.|\n)*\S$")]
    reply: String,
}

/// The reason of a partner.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "The answer leaves out the refund"}))]
pub struct DisputeReason {
    /// In your own words.
    #[schema(min_length = 3, max_length = 2000, pattern = r"^\S(.|\n)*\S$")]
    reason: String,
}

/// List disputes
///
/// The newest first. `due_until` finds those whose answer is due.
#[utoipa::path(tag = "disputes", params(DisputeFilter, PageParams), responses((status = 200, body = DisputePage)))]
#[get("/v1/disputes")]
async fn list_disputes(caller: Caller<ListDisputes>, page: PageRequest<DisputeFilter>) -> Result<Listing> {
    caller
        .list_plainly(page, move |tx, page| {
            let total = page.include_total.then(|| store::count(tx, &page.filter)).transpose()?;
            let found = store::list(tx, page)?;
            let cursor = |dispute: &Dispute| Cursor { key: None, id: dispute.id };
            let (today, language) = (tx.today(), tx.language);
            Ok(page.answer(found, total, cursor, |one| DisputeView::of(one, today, language)))
        })
        .await
}

/// Raise a dispute
///
/// About an earning, an ineligible record, a rebate or a payment: the figure on record, and the one that the partner expects.
/// Payments and rebates are disputed within 30 days, earnings and ineligible records within 90; each once. An operator answers
/// within five business days. Where the partner expects more, nothing is held: the figure on record is paid as ever. Where it
/// expects less, the rebate that has the disputed amount in it waits for the answer.
#[utoipa::path(tag = "disputes", request_body = DisputeCreate, responses((status = 201, body = DisputeView)))]
#[post("/v1/disputes")]
async fn raise_dispute(caller: Caller<RaiseDispute>, body: Body<DisputeCreate>) -> Result<Answer> {
    caller
        .write(body, |tx, new| {
            let objection = Objection {
                subject: new.subject,
                subject_id: new.subject_id,
                expected: new.expected,
                reason: &new.reason,
            };
            let dispute = service::raise(tx, &objection)?;
            let (location, revision) = (format!("/v1/disputes/{}", dispute.id), dispute.revision);
            let view = DisputeView::of(dispute, tx.today(), tx.language);
            Ok(Answer::created(location, &view, revision))
        })
        .await
}

/// Read a dispute
///
/// With its clock, its questions and its answers.
#[utoipa::path(tag = "disputes", responses((status = 200, body = DisputeView)))]
#[get("/v1/disputes/{id}")]
async fn get_dispute(caller: Caller<GetDispute>, id: Path<Id>) -> Result<Answer> {
    caller
        .read(move |tx| {
            let dispute = store::get(tx, *id)?;
            Ok(record(tx, dispute))
        })
        .await
}

/// Answer a dispute
///
/// The service computes the disputed line again from everything on record, by the engine that posts, and puts the result, the
/// difference and the rule beside the answer. An answer that upholds the dispute proposes the adjustment that settles it, which
/// another operator approves; where that one turns the adjustment down, the dispute waits for another answer. A rejection can
/// be escalated once; the answer after that is final.
#[utoipa::path(tag = "disputes", request_body = DisputeAnswerCreate, responses((status = 200, body = DisputeView)))]
#[post("/v1/disputes/{id}/answer")]
async fn answer_dispute(
    caller: Caller<AnswerDispute>,
    id: Path<Id>,
    body: Body<DisputeAnswerCreate>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let new = NewAnswer {
                verdict: told.verdict,
                reason: &told.reason,
                amount: told.amount,
                enrollment_id: told.enrollment_id,
                earned_in: told.earned_in,
            };
            let dispute = service::answer(tx, *id, &new)?;
            Ok(record(tx, dispute))
        })
        .await
}

/// Ask the partner about a dispute
///
/// Before the first answer. The clock of the answer stands still until the partner has replied.
#[utoipa::path(tag = "disputes", request_body = DisputeInformationRequest, responses((status = 200, body = DisputeView)))]
#[post("/v1/disputes/{id}/information-request")]
async fn request_dispute_information(
    caller: Caller<RequestDisputeInformation>,
    id: Path<Id>,
    body: Body<DisputeInformationRequest>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, asked| {
            let dispute = service::ask(tx, *id, &asked.question)?;
            Ok(record(tx, dispute))
        })
        .await
}

/// Reply to a question about a dispute
///
/// The clock of the answer goes on with the days that were left.
#[utoipa::path(tag = "disputes", request_body = DisputeReply, responses((status = 200, body = DisputeView)))]
#[post("/v1/disputes/{id}/reply")]
async fn reply_to_dispute(
    caller: Caller<ReplyToDispute>,
    id: Path<Id>,
    body: Body<DisputeReply>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, told| {
            let dispute = service::reply(tx, *id, &told.reply)?;
            Ok(record(tx, dispute))
        })
        .await
}

/// Escalate a dispute
///
/// Once, after a rejection. The answer after that is final, and due within five business days.
#[utoipa::path(tag = "disputes", request_body = DisputeReason, responses((status = 200, body = DisputeView)))]
#[post("/v1/disputes/{id}/escalation")]
async fn escalate_dispute(
    caller: Caller<EscalateDispute>,
    id: Path<Id>,
    body: Body<DisputeReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let dispute = service::escalate(tx, *id, &because.reason)?;
            Ok(record(tx, dispute))
        })
        .await
}

/// Withdraw a dispute
///
/// While no answer is given. What was held is released; the record is not disputed again.
#[utoipa::path(tag = "disputes", request_body = DisputeReason, responses((status = 200, body = DisputeView)))]
#[post("/v1/disputes/{id}/withdrawal")]
async fn withdraw_dispute(
    caller: Caller<WithdrawDispute>,
    id: Path<Id>,
    body: Body<DisputeReason>,
) -> Result<Answer> {
    caller
        .write(body, move |tx, because| {
            let dispute = service::withdraw(tx, *id, &because.reason)?;
            Ok(record(tx, dispute))
        })
        .await
}

/// The answer with a dispute.
fn record(tx: &Tx<'_>, dispute: Dispute) -> Answer {
    let revision = dispute.revision;
    Answer::record(&DisputeView::of(dispute, tx.today(), tx.language), revision)
}
