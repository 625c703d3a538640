//! The messages to people: one variant for each kind, with the facts its text needs.

mod facts;
mod kind;

pub use facts::{ListedUser, PaymentEnd};

use crate::platform::values::{CalendarDate, Id, Money, Month, Period, Text, Timestamp};

/// A message, before it is put into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A partner is invited to enroll.
    EnrollmentInvited {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// The last day to accept.
        until: CalendarDate,
        /// The id of the enrollment.
        enrollment: Id,
    },
    /// An enrollment waits for the partner's profiles.
    EnrollmentActionRequired {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// The id of the partner.
        partner_id: Id,
    },
    /// An enrollment has changed its state otherwise.
    EnrollmentStateChanged {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// The program year of the enrollment, named by the year it ends in.
        program_year: i32,
        /// The new state, as its wire value.
        state: String,
        /// The id of the enrollment.
        enrollment: Id,
    },
    /// A rule is about to be no longer met, or is met by grace only.
    EligibilityAtRisk {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// A sentence for each rule that is about to lapse.
        lapsing: Vec<Text>,
        /// The last day on which the first of these rules is met.
        lapses_on: CalendarDate,
        /// Whether a rule is met by grace already.
        in_grace: bool,
        /// The id of the enrollment.
        enrollment: Id,
    },
    /// A rule is no longer met.
    EligibilityLost {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// A sentence for each rule that is not met.
        missing: Vec<Text>,
        /// The id of the evaluation that found the rules not met.
        evaluation: Id,
    },
    /// The partner's people who may use the service.
    UserList {
        /// The partner's name.
        partner: String,
        /// The id of the partner.
        partner_id: Id,
        /// The people who may use the service.
        users: Vec<ListedUser>,
    },
    /// A first password, or the password of a reset.
    TemporaryPassword {
        /// The password, which stands in the mail alone.
        password: String,
        /// When the password expires.
        expires_at: Timestamp,
    },
    /// The token by which a user who has forgotten the password sets a new one.
    PasswordReset {
        /// The token, which stands in the mail alone.
        token: String,
        /// When the token expires.
        expires_at: Timestamp,
    },
    /// The password was changed.
    PasswordChanged {
        /// The instant of the change.
        at: Timestamp,
    },
    /// The user name was changed.
    UserNameChanged {
        /// The user name of before.
        before: String,
        /// The user name from now on.
        after: String,
        /// The instant of the change.
        at: Timestamp,
    },
    /// The user signed in from a new address.
    NewSignIn {
        /// The instant of the sign-in.
        at: Timestamp,
        /// The network address.
        address: String,
        /// The program, by its `User-Agent` field.
        user_agent: Option<String>,
    },
    /// Money goes to another bank account of the partner.
    BankAccountChanged {
        /// The partner's name.
        partner: String,
        /// The id of the partner.
        partner_id: Id,
        /// The end of the new account's number.
        account: String,
        /// The instant of the change.
        at: Timestamp,
        /// The last day on which money waits; none where money does not wait.
        waits_until: Option<CalendarDate>,
    },
    /// A payment is on its way.
    PaymentSent {
        /// The partner's name.
        partner: String,
        /// The amount after tax.
        amount: Money,
        /// The reference on the bank statement.
        reference: String,
        /// The day the payment was sent.
        on: CalendarDate,
    },
    /// A payment has arrived.
    PaymentSettled {
        /// The partner's name.
        partner: String,
        /// The amount after tax.
        amount: Money,
        /// The reference on the bank statement.
        reference: String,
        /// The day the payment arrived.
        on: CalendarDate,
        /// The id of the payment.
        payment: Id,
    },
    /// A payment has not arrived, came back, or was stopped before the bank had it.
    PaymentFailed {
        /// The partner's name.
        partner: String,
        /// The amount after tax.
        amount: Money,
        /// The reference of the payment.
        reference: String,
        /// What became of the payment.
        end: PaymentEnd,
        /// The next step, in the words of the partner.
        remedy: Text,
        /// The id of the partner.
        partner_id: Id,
    },
    /// Rebates are on hold.
    RebateHeld {
        /// The partner's name.
        partner: String,
        /// The amounts by currency.
        amounts: Vec<Money>,
        /// The reason, with the step that ends the hold.
        reason: Text,
        /// The words of the operator who holds the rebates.
        comment: Option<String>,
        /// The id of the partner.
        partner_id: Id,
    },
    /// Rebates are about to be lost.
    ForfeitureAnnounced {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// The amount.
        amount: Money,
        /// The first day on which the rebates are lost.
        on: CalendarDate,
        /// The rule, as its wire value.
        cause: String,
        /// The id of the partner.
        partner_id: Id,
    },
    /// Rebates are lost.
    RebateForfeited {
        /// The partner's name.
        partner: String,
        /// The program's name.
        program: String,
        /// The amount.
        amount: Money,
        /// The day of the loss.
        on: CalendarDate,
        /// The rule, as its wire value.
        cause: String,
        /// The id of the partner.
        partner_id: Id,
    },
    /// A partner has raised a dispute, replied to a question about it, escalated it or taken it back.
    DisputeMoved {
        /// The partner's name.
        partner: String,
        /// The new state of the dispute, as its wire value.
        state: String,
        /// The figure on record.
        figure: Money,
        /// The figure that the partner expects.
        expected: Money,
        /// The partner's words.
        words: String,
        /// The day the answer is due; none where no answer is due.
        due_on: Option<CalendarDate>,
        /// The id of the dispute.
        dispute: Id,
    },
    /// An operator asks a partner something about its dispute.
    DisputeQuestion {
        /// The partner's name.
        partner: String,
        /// The question.
        question: String,
        /// The id of the dispute.
        dispute: Id,
    },
    /// A dispute is answered.
    DisputeAnswered {
        /// The partner's name.
        partner: String,
        /// The new state of the dispute, as its wire value.
        state: String,
        /// The figure that the partner expected.
        expected: Money,
        /// The amount that is added to what is owed; none of a rejection.
        granted: Option<Money>,
        /// The operator's reason.
        reason: String,
        /// The id of the dispute.
        dispute: Id,
    },
    /// A half-year is closed.
    CoopFundClosed {
        /// The partner's name.
        partner: String,
        /// The id of the fund.
        fund: Id,
        /// The first month of the half-year.
        from: Month,
        /// The last month of the half-year.
        to: Month,
        /// What was earned.
        earned: Money,
        /// The least that stays co-op.
        threshold: Money,
        /// The days on which claims can be submitted; none of a fund that became rebate.
        claims: Option<Period>,
    },
    /// The time to claim from a fund is about to end.
    CoopFundExpiring {
        /// The partner's name.
        partner: String,
        /// The id of the fund.
        fund: Id,
        /// What is left.
        amount: Money,
        /// The last day on which claims can be submitted.
        until: CalendarDate,
    },
    /// The rest of a fund was lost.
    CoopFundForfeited {
        /// The partner's name.
        partner: String,
        /// The id of the fund.
        fund: Id,
        /// What was lost.
        amount: Money,
        /// The last day on which claims could be submitted.
        on: CalendarDate,
    },
    /// A co-op plan is approved or rejected.
    CoopPlanDecided {
        /// The partner's name.
        partner: String,
        /// The amount that the fund sets aside; none of a rejection.
        set_aside: Option<Money>,
        /// The operator's words; none where nothing was said.
        reason: Option<String>,
        /// The id of the plan.
        plan: Id,
    },
    /// A co-op claim is decided.
    CoopClaimDecided {
        /// The partner's name.
        partner: String,
        /// The new state of the claim, as its wire value.
        state: String,
        /// The name of the activity.
        activity: Text,
        /// The approved amount; none of a rejection.
        approved: Option<Money>,
        /// The reviewer's words; none where nothing was said.
        reason: Option<String>,
        /// The id of the claim.
        claim: Id,
    },
    /// A reviewer asks a partner something about a co-op claim.
    CoopClaimQuestion {
        /// The partner's name.
        partner: String,
        /// The name of the activity.
        activity: Text,
        /// The question.
        question: String,
        /// The last day to submit the claim again.
        due_on: CalendarDate,
        /// The id of the claim.
        claim: Id,
    },
    /// The time of a co-op claim is over.
    CoopClaimExpired {
        /// The partner's name.
        partner: String,
        /// The name of the activity.
        activity: Text,
        /// What the fund has back.
        given_back: Money,
        /// The id of the claim.
        claim: Id,
    },
    /// An operator holds an approved co-op claim back from payment.
    CoopClaimHeld {
        /// The partner's name.
        partner: String,
        /// The approved amount.
        amount: Money,
        /// The operator's words.
        reason: String,
        /// The id of the claim.
        claim: Id,
    },
    /// The originals of a paid co-op claim are asked for.
    CoopAuditRequested {
        /// The partner's name.
        partner: String,
        /// The name of the activity.
        activity: Text,
        /// What was paid.
        paid: Money,
        /// The last day for the originals.
        due_on: CalendarDate,
        /// The id of the claim.
        claim: Id,
        /// The id of the audit.
        audit: Id,
    },
    /// An operator has looked at the originals of a paid co-op claim, or recovers what was paid.
    CoopAuditDecided {
        /// The partner's name.
        partner: String,
        /// The name of the activity.
        activity: Text,
        /// What was paid.
        paid: Money,
        /// The amount that is recovered; none of a claim that has passed.
        recovered: Option<Money>,
        /// The operator's words; none where nothing was said.
        reason: Option<String>,
        /// The id of the audit.
        audit: Id,
    },
    /// The statement of a closed month is there.
    StatementReady {
        /// The partner's name.
        partner: String,
        /// The id of the partner.
        partner_id: Id,
        /// The closed month.
        month: Month,
    },
}
