//! What the service tells a partner's incentive admins.

use super::partners::partner;
use crate::support::{Client, World};
use partner_incentives::{
    audit,
    identity::users,
    network::partners,
    notifications::{About, Message},
    platform::values::Id,
};
use serde_json::json;

/// Tells the admins of a partner that an enrollment has changed, as another slice would; the subject begins with `name`.
fn tell(world: &World, partner_id: &str, name: &str) {
    let (id, name): (Id, String) = (partner_id.parse().unwrap(), name.to_owned());
    let told = world.service.app.write_as_system("TellAdmins", move |tx| {
        let partner = partners::get(tx, id)?;
        let message = Message::EnrollmentStateChanged {
            partner: name.clone(),
            program: "CSP".into(),
            program_year: 2019,
            state: "expired".into(),
            enrollment: id,
        };
        users::notify_admins(tx, &partner, About::new("enrollment", id), &message)?;
        audit::Event::on("partner", id).record(tx)
    });
    told.unwrap();
}

/// Tells them that it has lost its eligibility.
fn tell_of_loss(world: &World, partner_id: &str) {
    let id: Id = partner_id.parse().unwrap();
    let told = world.service.app.write_as_system("TellAdmins", move |tx| {
        let partner = partners::get(tx, id)?;
        let message = Message::EligibilityLost {
            partner: "long ".repeat(100),
            program: "CSP".into(),
            missing: Vec::new(),
            evaluation: id,
        };
        users::notify_admins(tx, &partner, About::new("enrollment", id), &message)?;
        audit::Event::on("partner", id).record(tx)
    });
    told.unwrap();
}

fn subjects(client: &Client) -> Vec<String> {
    let page = client.get("/v1/notifications").send().ok();
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["subject"].as_str().unwrap().split(':').next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_admin_of_the_partner_and_of_its_headquarters_is_told_and_nobody_else() {
    let world = World::new();
    let record = |n, headquarters: Option<&str>| {
        let mut body = partner(n, "direct_bill");
        body["headquarters_id"] = json!(headquarters);
        world.operator().post("/v1/partners", body).send().ok().id()
    };
    let headquarters = record(1, None);
    let (location, sister) = (record(2, Some(&headquarters)), record(3, Some(&headquarters)));
    let (one, two) = (world.admin_of(&location), world.admin_of(&location));
    let (above, beside) = (world.admin_of(&headquarters), world.admin_of(&sister));
    let (viewer, stranger) = (world.viewer_of(&location), world.admin_of(&record(4, None)));

    tell(&world, &location, "Invited");
    for told in [&one, &two, &above] {
        assert_eq!(subjects(told), ["Invited"]);
    }
    for other in [&beside, &viewer, &stranger] {
        assert_eq!(subjects(other), [""; 0]);
    }
    assert_eq!(subjects(&world.auditor()).len(), 3);
    world.nobody().get("/v1/notifications").send().refused(401, "unauthenticated");

    let mine = one.get("/v1/notifications").send().ok();
    let path = format!("/v1/notifications/{}", mine["items"][0]["id"].as_str().unwrap());
    let message = one.get(&path).send().ok();
    assert_eq!(
        (message["kind"].as_str(), message["partner_id"].as_str()),
        (Some("enrollment_state_changed"), Some(&*location))
    );
    world.operator().get(&path).send().ok();
    // Not even a colleague reads what is addressed to somebody else.
    for other in [&two, &above, &stranger] {
        other.get(&path).send().refused(404, "not_found");
    }
}

#[test]
fn an_admin_who_is_barred_is_not_told() {
    let world = World::new();
    let id = world.operator().post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let me = world.admin_of(&id).get("/v1/me").send().ok();
    let path = format!("/v1/users/{}/deactivation", me.id());
    world.operator().post(&path, json!({"reason": "Has left"})).send().ok();
    tell(&world, &id, "Lost");
    assert_eq!(subjects(&world.operator()), [""; 0]);
}

#[test]
fn notifications_are_filtered_and_walked() {
    let world = World::new();
    let id = world.operator().post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let (admin, other) = (world.admin_of(&id), world.admin_of(&id));
    let user = admin.get("/v1/me").send().ok().id();
    for n in 0..5 {
        tell(&world, &id, &format!("State {n}"));
    }
    tell_of_loss(&world, &id);

    let operator = world.operator();
    let total = |filters: &[(&str, &str)]| {
        let ask = operator.get("/v1/notifications").query("include_total", true).query("limit", 1);
        let ask = filters.iter().fold(ask, |ask, (name, value)| ask.query(name, value));
        ask.send().ok()["total"].as_i64().unwrap()
    };
    assert_eq!(total(&[]), 12);
    assert_eq!(total(&[("kind", "eligibility_lost")]), 2);
    assert_eq!(total(&[("user_id", &user)]), 6);
    assert_eq!(total(&[("user_id", &user), ("kind", "enrollment_state_changed")]), 5);
    assert_eq!(total(&[("partner_id", &id)]), 12);
    assert_eq!(total(&[("partner_id", &user)]), 0);
    // Somebody else's are none of mine, whatever the filter says.
    let none =
        other.get("/v1/notifications").query("user_id", &user).query("include_total", true).send().ok();
    assert_eq!(none["total"], 0);
    operator.get("/v1/notifications").query("kind", "lunch").send().refused(400, "unknown_parameter");

    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let ask = admin.get("/v1/notifications").query("limit", 2);
        let page = cursor.iter().fold(ask, |ask, cursor| ask.query("cursor", cursor)).send().ok();
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["subject"].as_str().unwrap().split(':').next().unwrap().to_owned()),
        );
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((seen.len(), seen[0].chars().count(), seen[5].as_str()), (6, 200, "State 0"));
}
