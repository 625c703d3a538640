//! Downloads that are events of the audit trail: whoever finds no place to read has read nothing.

use super::{
    calculation::{Story, text},
    coop_funds::on,
    coop_proofs::{Claiming, send},
    payer_accounts::payer_in_america,
    profiles::payout,
};
use crate::support::{
    Client, World,
    proof_files::{pdf, pdf_of, stream},
    wait_for,
};
use partner_incentives::platform::values::Id;
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
};

/// A reader who has begun with a file, and takes no more of it.
fn slow_reader(world: &World, client: &Client, path: &str) -> TcpStream {
    let me: Id = client.get("/v1/me").send().ok().id().parse().unwrap();
    let token = world.service.token_for(me).unwrap();
    let mut socket = TcpStream::connect(world.base.trim_start_matches("http://")).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    let mut begin = [0; 12];
    socket.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200");
    socket
}

/// The partner is paid in US dollars, to the same account, and money waits no longer for the change.
fn takes_dollars(story: &Story<'_>) {
    let profile = format!("/v1/partners/{}/payout-profile", story.partner);
    let account = json!({"currency": "USD", "bic": "COBADEFFXXX"});
    let mut filed = payout();
    filed.as_object_mut().unwrap().extend(account.as_object().unwrap().clone());
    story.world.admin_of(&story.partner).put(&profile, filed).if_match("*").send().ok();
    story.operator.post(&format!("{profile}/approval"), json!({})).send().ok();
    on(story.world, "2019-02-27");
}

#[test]
fn a_download_that_finds_no_place_leaves_no_event_and_the_payment_file_can_still_be_withdrawn() {
    let world = World::with(|settings| settings.body_seconds = 600);
    let claiming = Claiming::begun(&world);
    let operator = &claiming.story.operator;
    let large = pdf_of(&[stream("", &vec![b'x'; 24 << 20])], "");
    let proof_of = |name: &str, bytes: &[u8]| {
        let sent = send(&claiming.viewer, &claiming.claim, "application/pdf", name, bytes).ok();
        format!("/v1/coop-proofs/{}/content", sent.id())
    };
    let (large, small) = (proof_of("large.pdf", &large), proof_of("small.pdf", &pdf(&[])));
    operator.post("/v1/payer-accounts", payer_in_america()).send().ok();
    takes_dollars(&claiming.story);
    let run = operator.post("/v1/payment-runs", json!({"month": "2018-12"})).send().ok().id();
    let approval = format!("/v1/payment-runs/{run}/approval");
    world.another_operator().post(&approval, json!({})).send().ok();
    let file = operator.post("/v1/payment-files", json!({"run_id": run})).send().ok().id();
    let file = format!("/v1/payment-files/{file}");
    let content = format!("{file}/content");
    let events = |operation: &str| {
        let listed = claiming.story.list(&format!("/v1/audit-events?operation={operation}"));
        listed.iter().map(|event| text(&event["resource_id"])).collect::<Vec<_>>()
    };

    let readers = [(); 2].map(|()| slow_reader(&world, operator, &large));
    assert_eq!(events("getCoopProofContent").len(), 2);
    for path in [&small, &content] {
        let refused = operator.get(path).send().refused(429, "too_many_requests");
        assert_eq!(refused.header("retry-after"), Some("5"));
    }
    assert_eq!(events("getCoopProofContent").len(), 2);
    assert_eq!(events("getPaymentFileContent"), Vec::<String>::new());
    let kept = operator.get(&file).send().ok();
    assert_eq!((&kept["state"], &kept["downloaded_at"]), (&json!("made"), &json!(null)));
    let reason = json!({"reason": "Made for the wrong day"});
    operator.post(&format!("{file}/withdrawal"), reason).send().ok();

    // A file that is refused for what it is leaves the place free.
    drop(readers);
    wait_for("the places of readers who have gone", || match operator.get(&small).send().status {
        200 => Ok(()),
        status => Err(format!("{status}")),
    });
    for _ in 0..3 {
        operator.get(&content).send().refused(409, "payment_file_withdrawn");
    }
    assert_eq!(events("getCoopProofContent").len(), 3);
    assert_eq!(events("getPaymentFileContent"), Vec::<String>::new());
}
