use super::*;
use std::fmt::Write;

#[test]
fn the_table_of_states_is_this_one() {
    let events = [
        DisputeEvent::Answer(Verdict::Upheld),
        DisputeEvent::Answer(Verdict::Rejected),
        DisputeEvent::InformationRequest,
        DisputeEvent::Reply,
        DisputeEvent::Escalation,
        DisputeEvent::Withdrawal,
        DisputeEvent::SettlementRejection(Round::First),
        DisputeEvent::SettlementRejection(Round::Final),
        DisputeEvent::SettlementApproval,
    ];
    let mut table = String::new();
    for state in DisputeState::ALL {
        for event in events {
            if let Some(after) = state.after(event) {
                let holds = if after.holds_after(event) { ", holds" } else { "" };
                writeln!(table, "{state} + {event:?} -> {after}{holds}").unwrap();
            }
        }
        writeln!(table, "{state}: waits {}, allows {:?}", state.waits(), state.allowed()).unwrap();
    }
    insta::assert_snapshot!(table, @r#"
    open + Answer(Upheld) -> upheld, holds
    open + Answer(Rejected) -> rejected
    open + InformationRequest -> information_requested, holds
    open + Withdrawal -> withdrawn
    open: waits true, allows ["answer", "information-request", "withdrawal"]
    information_requested + Reply -> open, holds
    information_requested + Withdrawal -> withdrawn
    information_requested: waits true, allows ["reply", "withdrawal"]
    upheld + SettlementRejection(First) -> open, holds
    upheld + SettlementRejection(Final) -> escalated, holds
    upheld + SettlementApproval -> upheld
    upheld: waits false, allows []
    rejected + Escalation -> escalated, holds
    rejected: waits false, allows ["escalation"]
    escalated + Answer(Upheld) -> upheld, holds
    escalated + Answer(Rejected) -> rejected_finally
    escalated + Withdrawal -> withdrawn
    escalated: waits true, allows ["answer", "withdrawal"]
    rejected_finally: waits false, allows []
    withdrawn: waits false, allows []
    "#);
}

#[test]
fn the_clock_stands_still_while_the_partner_is_asked() {
    let day = |text: &str| text.parse::<CalendarDate>().unwrap();
    // A Wednesday; the fifth business day is the Wednesday after.
    let begun = AnswerClock::begun(day("2018-08-01"));
    assert_eq!(begun.due_on, Some(day("2018-08-08")));
    let asked = begun.after(DisputeEvent::InformationRequest, day("2018-08-03"));
    assert_eq!(asked, AnswerClock { due_on: None, days_left: 3 });
    let replied = asked.after(DisputeEvent::Reply, day("2018-08-20"));
    assert_eq!(replied.due_on, Some(day("2018-08-23")));
    // A question that comes too late gives no day back.
    let late = begun.after(DisputeEvent::InformationRequest, day("2018-08-10"));
    assert_eq!(late.after(DisputeEvent::Reply, day("2018-08-13")).due_on, Some(day("2018-08-13")));
    assert_eq!(replied.after(DisputeEvent::Answer(Verdict::Rejected), day("2018-08-21")).due_on, None);
    let escalated = replied.after(DisputeEvent::Escalation, day("2018-08-22"));
    assert_eq!(escalated.due_on, Some(day("2018-08-29")));
}
