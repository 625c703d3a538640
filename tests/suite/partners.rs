//! Partners, headquarters and locations.

use crate::support::World;
use serde_json::json;

/// The body of a partner to record; `n` makes its MPN id.
pub fn partner(n: u32, partner_type: &str) -> serde_json::Value {
    json!({
        "mpn_id": format!("{:07}", 4_000_000 + n), "legal_name": format!("Partner {n}"), "country": "DE",
        "currency": "EUR", "partner_type": partner_type, "contact_email": format!("p{n}@partner.example"),
    })
}

#[test]
fn a_stale_change_is_refused() {
    let world = World::new();
    let made = world.operator().post("/v1/partners", partner(1, "direct_bill")).key("k1").send().ok();
    let path = format!("/v1/partners/{}", made.id());
    world.operator().patch(&path, json!({"legal_name": "New"})).if_match(&made.etag()).send().ok();
    let stale = world.operator().patch(&path, json!({"legal_name": "Old"})).if_match(&made.etag()).send();
    stale.refused(412, "precondition_failed");
    world.operator().patch(&path, json!({"legal_name": "Old"})).send().refused(428, "precondition_required");
    assert_eq!(world.operator().get(&path).send().ok()["legal_name"], "New");
}

#[test]
fn a_walk_meets_every_partner_once_while_others_are_recorded() {
    let world = World::new();
    for n in 0..25 {
        world.operator().post("/v1/partners", partner(n, "direct_bill")).send().ok();
    }
    for (walk, sort) in (1..).zip(["-created_at", "created_at", "legal_name", "-legal_name"]) {
        let (mut seen, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut request = world.operator().get("/v1/partners").query("limit", 7).query("sort", sort);
            if let Some(cursor) = &cursor {
                request = request.query("cursor", cursor);
            }
            let page = request.send().ok();
            seen.extend(
                page["items"].as_array().unwrap().iter().map(|p| p["mpn_id"].as_str().unwrap().to_owned()),
            );
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
            let number = 100 + u32::try_from(seen.len()).unwrap() + 1000 * walk;
            world.operator().post("/v1/partners", partner(number, "direct_bill")).send().ok();
        }
        for n in 0..25 {
            let times = seen.iter().filter(|id| **id == format!("{:07}", 4_000_000 + n)).count();
            assert_eq!(times, 1, "{n} by {sort}");
        }
    }
}
