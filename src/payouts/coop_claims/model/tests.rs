use super::*;
use std::fmt::Write;

#[test]
fn the_states_of_a_claim_are_those_of_the_table() {
    let events = [
        ("submission", ClaimEvent::Submission),
        ("recall", ClaimEvent::Recall),
        ("cancellation", ClaimEvent::Cancellation),
        ("review", ClaimEvent::Review),
        ("hand-back", ClaimEvent::HandBack),
        ("first approval", ClaimEvent::FirstApproval),
        ("approval of all", ClaimEvent::Approval(Extent::Whole)),
        ("approval of a part", ClaimEvent::Approval(Extent::Part)),
        ("rejection", ClaimEvent::Rejection),
        ("information-request", ClaimEvent::InformationRequest),
        ("dispute", ClaimEvent::Dispute(Times::First)),
        ("second dispute", ClaimEvent::Dispute(Times::Again)),
        ("expiry", ClaimEvent::Expiry),
        ("payment", ClaimEvent::Payment),
        ("return of all", ClaimEvent::Return(Extent::Whole)),
        ("return of a part", ClaimEvent::Return(Extent::Part)),
    ];
    let mut table = String::new();
    for state in ClaimState::ALL {
        writeln!(table, "{state}").unwrap();
        for (name, event) in events {
            if let Some(after) = state.after(event) {
                writeln!(table, "    {name} -> {after}").unwrap();
            }
        }
    }
    insta::assert_snapshot!(table);
}
