//! The payments of the demo's year: each closed month but the last is paid, by files that the bank gets and statements that
//! come back. One payment fails and is made anew, one comes back, one rebate is held, one payment is disputed, and Kuwait withholds a tax.

use super::{
    accounts::bank_account,
    cast::{CAST, partner_id},
    people::{as_admin, as_user, parsed},
    story::OPERATORS,
};
use crate::{
    access::{AppState, Tx},
    ledger::accounting::{self, Rebate, RebateState, WaitingRange},
    network::profiles::{self, Decision, PostalAddress, Secret},
    payouts::{
        bank_reports,
        disputes::{self, DisputeSubject, Objection},
        payer_accounts,
        payment_files::{self, NewFile},
        payment_runs::{self, PaymentRun, PaymentRunState},
        payments::{self, Payment, PaymentEvent, PaymentNews, PaymentState},
        withholding::{self, EarningKind, FormState, NewWithholdingRate, WithholdingKey, WithholdingKind},
    },
    platform::{
        Error, Result,
        values::{CalendarDate, Id, Month, Rate},
    },
};

/// The partner whose payment fails: its account was closed.
const MOVES_ITS_ACCOUNT: usize = 69;
/// The partner whose payment comes back, one of whose rebates is held, and whose country withholds a tax.
const IN_KUWAIT: usize = 70;

/// A step of a month's payment. `ago` counts the months back from the present month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An operator holds a rebate.
    Hold { month: Month },
    /// One operator makes the run, another approves it, and the bank gets the files.
    Run { month: Month },
    /// The bank rejects a payment.
    Failure,
    /// The partner names another account, which an operator approves.
    AnotherAccount,
    /// The failed payment is made anew.
    Reissue,
    /// The bank's statement of the day before shows what it has paid.
    Statement,
    /// The bank's statement shows a payment that came back.
    Return,
    /// A partner expects more than its payment of the month, and waits for the answer.
    Dispute,
}

/// The steps of the payment of a month, with their days of the month after.
pub(super) fn steps(ago: i32, month: Month) -> Vec<(i32, Step)> {
    let plain = [(9, Step::Run { month }), (12, Step::Statement)];
    let of_month: &[(i32, Step)] = match ago {
        3 => &[(14, Step::Dispute)],
        4 => &[(6, Step::Hold { month })],
        6 => &[(10, Step::Failure), (13, Step::AnotherAccount), (21, Step::Reissue), (24, Step::Statement)],
        8 => &[(16, Step::Return)],
        _ => &[],
    };
    plain.into_iter().chain(of_month.iter().copied()).collect()
}

/// Performs a step inside of a unit.
pub(super) fn perform(tx: &mut Tx<'_>, step: Step) -> Result<()> {
    match step {
        Step::Hold { month } => hold(tx, month),
        Step::Run { month } => run(tx, month),
        Step::Failure => fail(tx),
        Step::AnotherAccount => change_account(tx),
        Step::Reissue => reissue(tx),
        Step::Dispute => dispute(tx),
        Step::Statement | Step::Return => Err(Error::internal("a statement is received outside of a unit")),
    }
}

/// The rate of Kuwait's retention, added on the first day.
pub(super) fn the_retention_of_kuwait(tx: &mut Tx<'_>) -> Result<()> {
    let [olivia, _] = OPERATORS;
    let payee_country = Some(parsed("KW")?);
    let key = WithholdingKey { payee_country, form_state: FormState::Vat, earning: EarningKind::Rebate };
    let valid_from = tx.today();
    as_user(tx, olivia, |tx| {
        let new =
            NewWithholdingRate { key, kind: WithholdingKind::Local, rate: Rate::percent(5), valid_from };
        let id = tx.new_id();
        withholding::add(tx, id, new).map(drop)
    })
}

fn hold(tx: &mut Tx<'_>, month: Month) -> Result<()> {
    let [olivia, _] = OPERATORS;
    let range = WaitingRange { until: month, currency: None };
    let rebates = accounting::rebates_within(tx, range, &[partner_id(IN_KUWAIT)])?;
    let is_due = |rebate: &Rebate| rebate.posted_in == month && rebate.state == RebateState::Payable;
    let payable = rebates.into_iter().find(is_due);
    let Some(rebate) = payable else {
        nothing(tx);
        return Ok(());
    };
    as_user(tx, olivia, |tx| accounting::hold(tx, rebate.id, "Compared with the customs' papers").map(drop))
}

fn dispute(tx: &mut Tx<'_>) -> Result<()> {
    let Some(payment) = latest(tx, MOVES_ITS_ACCOUNT, PaymentState::Settled)? else {
        nothing(tx);
        return Ok(());
    };
    let objection = Objection {
        subject: DisputeSubject::Payment,
        subject_id: payment.id,
        expected: payment.money(payment.gross + payment.gross / 10 + 1),
        reason: "An order of the last week is missing",
    };
    as_admin(tx, MOVES_ITS_ACCOUNT, |tx| disputes::raise(tx, &objection).map(drop))
}

fn run(tx: &mut Tx<'_>, month: Month) -> Result<()> {
    let [olivia, oscar] = OPERATORS;
    let run = as_user(tx, olivia, |tx| payment_runs::create(tx, month, None))?;
    // No job prepares the rest: the run of the demo is smaller than a portion.
    if run.state != PaymentRunState::Created {
        return Err(Error::internal("the demo's payment run is not prepared at once"));
    }
    let approved = as_user(tx, oscar, |tx| {
        payment_runs::approve(tx, run.id, Some("Compared with the report of the closing"))
    })?;
    to_the_bank(tx, &approved)
}

/// Makes the files that payer accounts can pay, and hands the rest over by hand.
fn to_the_bank(tx: &mut Tx<'_>, run: &PaymentRun) -> Result<()> {
    let [olivia, _] = OPERATORS;
    as_user(tx, olivia, |tx| {
        stop_what_no_account_takes(tx, run)?;
        for currency in payments::currencies_of_run(tx, run.id)? {
            if payer_accounts::of_currency(tx, currency)?.is_empty() {
                continue;
            }
            let new = NewFile {
                run_id: run.id,
                currency: Some(currency),
                payer_account_id: None,
                execution_on: None,
            };
            let file = payment_files::make(tx, new)?;
            payment_files::dispatch(tx, file.id, None)?;
        }
        if payment_runs::get(tx, run.id)?.state == PaymentRunState::Approved {
            payment_runs::dispatch(tx, run.id, None)?;
        }
        Ok(())
    })
}

/// Stops payments in a currency that the partner's account does not take: a fixed amount is earned in dollars everywhere.
fn stop_what_no_account_takes(tx: &mut Tx<'_>, run: &PaymentRun) -> Result<()> {
    let mut made = payments::of_run(tx, run.id)?;
    made.retain(|payment| payment.state == PaymentState::Approved);
    let partners: Vec<Id> = made.iter().map(|payment| payment.partner_id).collect();
    let accounts = profiles::bank_accounts(tx, &partners)?;
    let on = tx.today();
    for payment in made {
        let taken = accounts.get(&payment.partner_id).map(|account| account.currency);
        if taken != Some(payment.currency) {
            let reason = format!("The account does not take {}", payment.currency);
            let news = PaymentNews { event: PaymentEvent::Stop, on, code: None, reason: Some(&reason) };
            payments::tell(tx, payment.id, news)?;
        }
    }
    Ok(())
}

fn fail(tx: &mut Tx<'_>) -> Result<()> {
    let [olivia, _] = OPERATORS;
    let Some(payment) = latest(tx, MOVES_ITS_ACCOUNT, PaymentState::Sent)? else {
        nothing(tx);
        return Ok(());
    };
    let on = tx.today();
    let reason = Some("The account is closed");
    let news = PaymentNews { event: PaymentEvent::Failure, on, code: Some("AC04"), reason };
    as_user(tx, olivia, |tx| payments::tell(tx, payment.id, news).map(drop))
}

fn change_account(tx: &mut Tx<'_>) -> Result<()> {
    let [olivia, _] = OPERATORS;
    let player = CAST.get(MOVES_ITS_ACCOUNT - 1).ok_or_else(|| Error::internal("no such player"))?;
    let mut account = bank_account(MOVES_ITS_ACCOUNT, player)?;
    account.account_number = Some(Secret::new("7700881"));
    account.address =
        account.address.map(|address| PostalAddress { street: Some("Sakaisuji".into()), ..address });
    let id = partner_id(MOVES_ITS_ACCOUNT);
    as_admin(tx, MOVES_ITS_ACCOUNT, |tx| profiles::file_payout(tx, id, account.clone()))?;
    as_user(tx, olivia, |tx| profiles::decide_payout(tx, id, Decision::Approval(None)))
}

fn reissue(tx: &mut Tx<'_>) -> Result<()> {
    let [olivia, oscar] = OPERATORS;
    let Some(failed) = latest(tx, MOVES_ITS_ACCOUNT, PaymentState::Failed)? else {
        nothing(tx);
        return Ok(());
    };
    let payment = as_user(tx, olivia, |tx| {
        payment_runs::reissue(tx, failed.id, "The partner has named another account")
    })?;
    let approved = as_user(tx, oscar, |tx| payment_runs::approve(tx, payment.run_id, None))?;
    to_the_bank(tx, &approved)
}

/// The latest payment of the n-th partner in a state.
fn latest(tx: &mut Tx<'_>, n: usize, state: PaymentState) -> Result<Option<Payment>> {
    let mut found = payments::of_partner(tx, partner_id(n))?;
    found.retain(|payment| payment.state == state);
    Ok(found.pop())
}

fn nothing(tx: &mut Tx<'_>) {
    tx.exempt_from_audit(crate::access::Unaudited::NothingWritten);
}

/// The bank's statement of what it has paid, or of what came back, arrives.
pub(super) fn receive(app: &AppState, step: Step, today: CalendarDate) -> Result<()> {
    let direction = if step == Step::Return { "CRDT" } else { "DBIT" };
    let payments = app.read_as_system(|tx| {
        let mut shown = Vec::new();
        for n in 1..=CAST.len() {
            let of_partner = payments::of_partner(tx, partner_id(n))?;
            let due = |payment: &&Payment| match step {
                Step::Return => n == IN_KUWAIT && payment.state == PaymentState::Settled,
                _ => payment.state == PaymentState::Sent,
            };
            let mut found = of_partner.iter().filter(due).cloned();
            match step {
                Step::Return => shown.extend(found.next_back()),
                _ => shown.extend(found),
            }
        }
        Ok(shown)
    })?;
    if payments.is_empty() {
        return Ok(());
    }
    let xml = statement(&payments, direction, today);
    bank_reports::take_statement(&app.background("Demo"), xml.as_bytes()).map(drop)
}

/// A statement, camt.053, with an entry for each payment.
fn statement(payments: &[Payment], direction: &str, today: CalendarDate) -> String {
    let booked = today.plus_days(-1);
    let entry = |(n, payment): (usize, &Payment)| {
        let amount = payment.money(payment.net);
        let reason = match direction {
            "CRDT" => {
                "<RtrInf><Rsn><Cd>MS03</Cd></Rsn><AddtlInf>Sent back by the payee's bank</AddtlInf></RtrInf>"
            }
            _ => "",
        };
        format!(
            "<Ntry><Amt Ccy=\"{}\">{}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{booked}</Dt>\
             </BookgDt><AcctSvcrRef>{booked}/{n:04}</AcctSvcrRef><BkTxCd/><NtryDtls><TxDtls><Refs><EndToEndId>{}</EndToEndId>\
             </Refs>{reason}</TxDtls></NtryDtls></Ntry>",
            amount.currency,
            amount.amount(),
            payment.reference()
        )
    };
    let entries: String = payments.iter().enumerate().map(entry).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\
         <BkToCstmrStmt><GrpHdr><MsgId>{direction}-{booked}</MsgId><CreDtTm>{today}T06:00:00Z</CreDtTm></GrpHdr><Stmt>\
         <Id>{direction}-{booked}</Id>{entries}</Stmt></BkToCstmrStmt></Document>\n"
    )
}
