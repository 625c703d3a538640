//! Disputes on the wire.

use super::model::{CalculatedLine, Dispute, DisputeState, DisputeSubject, GivenAnswer, Question, Verdict};
use crate::{
    earnings::{
        calculation::{self, TraceStep},
        engine::Reason,
    },
    network::partners::Transition,
    platform::values::{CalendarDate, Id, Locale, Money, Month, Timestamp},
};
use serde::Serialize;
use utoipa::ToSchema;

/// What a partner objects to: a figure on record, with the figure that the partner expects.
#[derive(Serialize, ToSchema)]
#[schema(as = Dispute)]
pub struct DisputeView {
    /// Identifier, a UUID of version 7 (RFC 9562).
    id: Id,
    /// The partner that disputes.
    partner_id: Id,
    /// The kind of the disputed record.
    subject: DisputeSubject,
    /// The disputed record.
    subject_id: Id,
    /// The enrollment of the record; null of a payment for several enrollments.
    enrollment_id: Option<Id>,
    /// The last month that the figure applies to.
    earned_in: Month,
    /// The figure on record when the dispute was raised: the rebate part of an earning, nothing of an ineligible record, the
    /// amount of a rebate, the gross amount of a payment.
    figure: Money,
    /// The figure that the partner expects.
    expected: Money,
    /// The disputed amount: expected less figure. What nobody disputes is paid as ever.
    disputed: Money,
    /// The rebate that waits for the answer, because the partner expects less and the disputed amount is a part of it; null
    /// where nothing is held. A rebate is paid as a whole, and held as a whole.
    held_rebate_id: Option<Id>,
    /// The reason in the partner's words.
    #[schema(max_length = 2000, examples("The second tier was reached on 20 July"))]
    reason: String,
    /// The reason for a final answer in the partner's words; null of a dispute that was not escalated.
    #[schema(max_length = 2000, examples("The answer leaves out the refund"))]
    escalation_reason: Option<String>,
    /// The state of the dispute.
    state: DisputeState,
    /// The clock of the answer.
    clock: DisputeClock,
    /// The questions to the partner, the oldest first.
    #[schema(max_items = 20)]
    questions: Vec<DisputeQuestion>,
    /// The answers, the oldest first.
    #[schema(max_items = 20)]
    answers: Vec<DisputeAnswer>,
    /// The adjustment that settles the dispute; a partner's people see the adjustment once it is approved.
    adjustment_id: Option<Id>,
    /// The sub-resources that can be posted to now.
    #[schema(max_items = 5, examples(json!(["answer", "information-request", "withdrawal"])))]
    allowed_transitions: Vec<Transition>,
    /// When the record was made.
    created_at: Timestamp,
    /// When the record was last changed.
    updated_at: Timestamp,
    /// Counts changes; the `ETag`.
    #[schema(minimum = 1)]
    revision: i64,
}

/// The clock of an answer: five business days, which stand still while the partner is asked.
#[derive(Serialize, ToSchema)]
pub struct DisputeClock {
    /// The day the answer is due; null while the partner is asked, and once there is an answer.
    due_on: Option<CalendarDate>,
    /// The business days that are left, or were left when the clock stopped.
    #[schema(minimum = 0, maximum = 255)]
    business_days_left: u8,
    /// Whether the answer is late.
    overdue: bool,
}

/// A question of an operator, with the partner's reply.
#[derive(Serialize, ToSchema)]
pub struct DisputeQuestion {
    /// The question.
    #[schema(max_length = 2000, examples("Which invoice is it?"))]
    question: String,
    /// When the question was asked.
    asked_at: Timestamp,
    /// The reply; null before the partner has replied.
    #[schema(max_length = 2000, examples("INV-2026-000318"))]
    reply: Option<String>,
    /// When the partner replied.
    replied_at: Option<Timestamp>,
}

/// An answer to a dispute, beside the second calculation.
#[derive(Serialize, ToSchema)]
pub struct DisputeAnswer {
    /// What the answer says.
    verdict: Verdict,
    /// The reason in the operator's words.
    #[schema(max_length = 1000, examples("The refund of 21 July took the volume back below the tier"))]
    reason: String,
    /// The amount of the adjustment; null of a rejection.
    granted: Option<Money>,
    /// The adjustment; null of a rejection.
    adjustment_id: Option<Id>,
    /// The engine's second calculation of the disputed line.
    calculation: DisputeCalculation,
    /// When the answer was given.
    answered_at: Timestamp,
}

/// The engine's second calculation of the disputed line, from everything on record when the answer was given.
#[derive(Serialize, ToSchema)]
pub struct DisputeCalculation {
    /// The figure by the second calculation: the figure on record, and what is computed less what is posted.
    figure: Money,
    /// What the second calculation gives more than the books; below zero where it gives less.
    difference: Money,
    /// The parts, by version, lever and month.
    #[schema(max_items = 10_000)]
    lines: Vec<DisputeCalculationLine>,
}

/// A part of a second calculation: what a lever gives for a month.
#[derive(Serialize, ToSchema)]
pub struct DisputeCalculationLine {
    /// The enrollment.
    enrollment_id: Id,
    /// The code of the program.
    #[schema(max_length = 64, examples("csp-direct-bill"))]
    program: String,
    /// The program version whose terms count.
    #[schema(minimum = 1)]
    version: i32,
    /// The code of the lever.
    #[schema(max_length = 64, examples("core"))]
    lever: String,
    /// The month that the part applies to.
    earned_in: Month,
    /// The rebate part that is posted.
    posted: Money,
    /// The rebate part by the second calculation.
    computed: Money,
    /// The rule by which the part earns nothing, or not all of it; null where it earns, and of a sum.
    rule: Option<DisputeRule>,
    /// The steps of the calculation of a single line; empty of a sum.
    #[schema(max_items = 100)]
    trace: Vec<TraceStep>,
}

/// A rule by which something does not earn.
#[derive(Serialize, ToSchema)]
pub struct DisputeRule {
    /// Stable code.
    #[schema(max_length = 64, examples("outside_enrollment"))]
    code: String,
    /// The rule in words.
    #[schema(max_length = 300, examples("The partner was not enrolled on the day of the sale."))]
    message: String,
    /// What to do; null where nothing can be done.
    #[schema(max_length = 300, examples("Complete the enrollment: what its start covers is judged again."))]
    remedy: Option<&'static str>,
}

impl DisputeView {
    /// A dispute as it stands on a day, in a language.
    #[must_use]
    pub fn of(dispute: Dispute, today: CalendarDate, language: Locale) -> Self {
        let money = |minor| Money { minor, currency: dispute.currency };
        let (clock, figure) = (dispute.clock(), dispute.figure);
        let answer = |given: &GivenAnswer| DisputeAnswer {
            verdict: given.verdict,
            reason: given.reason.clone(),
            granted: given.granted.map(money),
            adjustment_id: given.adjustment_id,
            calculation: DisputeCalculation {
                figure: money(figure + given.missing()),
                difference: money(given.missing()),
                lines: given.lines.iter().map(|line| line_view(line, &money, language)).collect(),
            },
            answered_at: given.answered_at,
        };
        Self {
            figure: money(figure),
            expected: money(dispute.expected),
            disputed: money(dispute.expected - figure),
            clock: DisputeClock {
                due_on: clock.due_on,
                business_days_left: clock
                    .due_on
                    .map_or(clock.days_left, |due| today.business_days_until(due)),
                overdue: clock.due_on.is_some_and(|due| due < today),
            },
            answers: dispute.answers.0.iter().map(answer).collect(),
            questions: dispute.questions.0.into_iter().map(DisputeQuestion::from).collect(),
            allowed_transitions: dispute.state.allowed().into_iter().map(Transition).collect(),
            id: dispute.id,
            partner_id: dispute.partner_id,
            subject: dispute.subject,
            subject_id: dispute.subject_id,
            enrollment_id: dispute.enrollment_id,
            earned_in: dispute.earned_in,
            held_rebate_id: dispute.held_rebate_id,
            reason: dispute.reason,
            escalation_reason: dispute.escalation_reason,
            state: dispute.state,
            adjustment_id: dispute.adjustment_id,
            created_at: dispute.created_at,
            updated_at: dispute.updated_at,
            revision: dispute.revision,
        }
    }
}

impl From<Question> for DisputeQuestion {
    fn from(question: Question) -> Self {
        let Question { asked, asked_at, reply, replied_at } = question;
        Self { question: asked, asked_at, reply, replied_at }
    }
}

fn line_view(
    line: &CalculatedLine,
    money: &impl Fn(i64) -> Money,
    language: Locale,
) -> DisputeCalculationLine {
    let rule = |code: &String| {
        let reason = Reason::of(code);
        DisputeRule {
            code: code.clone(),
            message: calculation::message(&reason, None, language),
            remedy: calculation::remedy(&reason, language),
        }
    };
    DisputeCalculationLine {
        enrollment_id: line.enrollment_id,
        program: line.program.clone(),
        version: line.version,
        lever: line.lever.clone(),
        earned_in: line.earned_in,
        posted: money(line.posted),
        computed: money(line.computed),
        rule: line.code.as_ref().map(rule),
        trace: line.trace.clone(),
    }
}
