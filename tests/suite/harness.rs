//! What every other story takes for granted.

use crate::support::{Answer, Client, World};
use diesel::RunQueryDsl;
use partner_incentives::{network::partners::Partner, platform::values::Id, schema::partners};
use serde_json::json;

#[test]
fn everyone_is_who_the_world_says() {
    let world = World::new();
    let partner = a_partner(&world).to_string();
    let everyone: [(Client, _, _); 4] = [
        (world.operator(), "operator", None),
        (world.auditor(), "auditor", None),
        (world.admin_of(&partner), "incentive_admin", Some(partner.as_str())),
        (world.viewer_of(&partner), "viewer", Some(partner.as_str())),
    ];
    for (person, role, partner) in everyone {
        let me: Answer = person.get("/v1/me").send().ok();
        assert_eq!((me["role"].as_str(), me["partner_id"].as_str()), (Some(role), partner), "{me}");
    }
    world.nobody().get("/v1/me").send().refused(401, "unauthenticated");
    world.operator().with_token("no.such.token").get("/v1/me").send().refused(401, "unauthenticated");
}

#[test]
fn an_address_that_does_not_exist_is_a_problem_whatever_the_method() {
    let world = World::new();
    let operator = world.operator();
    for ask in [
        operator.get("/v1/nowhere").query("limit", 7),
        operator.post("/v1/nowhere", json!({})).key("once"),
        operator.put("/v1/nowhere", json!({})),
        operator.patch("/v1/nowhere", json!({})).if_match("\"1\""),
        operator.delete("/v1/nowhere"),
        operator.ask("POST", "/v1/nowhere"),
    ] {
        ask.send().refused(404, "not_found");
    }
}

#[test]
fn worlds_know_nothing_of_each_other() {
    let (one, other) = (World::new(), World::new());
    a_partner(&one);
    let count = |world: &World| {
        world
            .service
            .db
            .read(|conn| Ok(diesel::QueryDsl::count(partners::table).get_result::<i64>(conn)?))
            .unwrap()
    };
    assert_eq!((count(&one), count(&other)), (1, 0));
}

#[test]
fn a_world_that_is_over_leaves_nothing_to_the_next() {
    for _ in 0..3 {
        let world = World::new();
        let partner = a_partner(&world);
        world.admin_of(&partner.to_string());
    }
}

#[test]
fn the_clock_stands_until_it_is_set() {
    let world = World::new();
    assert_eq!(world.clock.now().to_string(), "2018-07-01T12:00:00.000000Z");
    world.on("2018-11-20");
    assert_eq!(world.clock.now().to_string(), "2018-11-20T12:00:00.000000Z");
}

/// A partner that is simply there, for what is not about partners.
fn a_partner(world: &World) -> Id {
    let now = world.clock.now();
    let partner = Partner {
        id: world.ids.next(now),
        mpn_id: "4711001".into(),
        legal_name: "Contoso Ltd".into(),
        country: "DE".parse().unwrap(),
        currency: "EUR".parse().unwrap(),
        partner_type: "direct_bill".parse().unwrap(),
        headquarters_id: None,
        headquarters_since: None,
        contact_email: "partner@contoso.example".into(),
        status: "active".parse().unwrap(),
        created_at: now,
        updated_at: now,
        revision: 1,
    };
    let id = partner.id;
    world
        .service
        .db
        .write(move |conn| Ok(diesel::insert_into(partners::table).values(partner.clone()).execute(conn)?))
        .unwrap();
    id
}
