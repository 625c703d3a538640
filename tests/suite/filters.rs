//! Lists of one partner: the partner is named as everywhere else.

use super::{
    calculation::{Story, flat},
    partners::partner,
    transactions::purchase,
};
use crate::support::{Answer, Client, World};
use partner_incentives::app;
use serde_json::{Value, json};

/// The lists that may be asked for those of one partner: the address, and the parameter.
fn lists() -> Vec<(String, &'static str)> {
    let contract = app::contract();
    let gets = contract.operations().filter(|operation| operation.method == "get");
    let mut lists = Vec::new();
    for operation in gets {
        for parameter in operation.object["parameters"].as_array().into_iter().flatten() {
            let named = ["partner_id", "headquarters_id"].into_iter().find(|name| parameter["name"] == *name);
            if let (Some(name), true) = (named, parameter["in"] == "query") {
                lists.push((operation.path.to_owned(), name));
            }
        }
    }
    lists
}

fn list(client: &Client, path: &str, name: &str, who: &str) -> Answer {
    client.get(path).query("include_total", true).query(name, who).send().ok()
}

/// The ids of a list, and how many there are.
fn ids(answer: &Answer) -> (Vec<Value>, Value) {
    let items = answer["items"].as_array().unwrap();
    (items.iter().map(|item| item["id"].clone()).collect(), answer["total"].clone())
}

#[test]
fn every_list_of_one_partner_takes_the_mpn_id_wherever_the_id() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.08")]));
    world.on("2018-07-20");
    story.sale("1", "2018-07-05", "10000.00");
    story.calculate();
    let operator = world.operator();
    let mut location = partner(3, "direct_bill");
    location["headquarters_id"] = json!(story.partner);
    operator.post("/v1/partners", location).send().ok();
    let number = operator.get(&format!("/v1/partners/{}", story.partner)).send().ok()["mpn_id"].clone();
    let number = number.as_str().unwrap();
    let (mut seen, lists) = (0, lists());
    for (path, name) in &lists {
        let by_id = ids(&list(&operator, path, name, &story.partner));
        assert_eq!(ids(&list(&operator, path, name, number)), by_id, "{path}?{name}=");
        seen += usize::from(!by_id.0.is_empty());
        let of_nobody = list(&operator, path, name, "999999");
        assert_eq!(ids(&of_nobody), (vec![], json!(0)), "{path}?{name}=999999");
        let neither = operator.get(path).query(name, "Contoso").send();
        neither.refused(400, "unknown_parameter");
    }
    assert!(lists.len() >= 17 && seen >= 8, "{seen} of {lists:?} have records");
}

#[test]
fn who_names_another_partner_by_its_number_sees_nothing_of_it() {
    let world = World::new();
    let operator = world.operator();
    let own = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let other = operator.post("/v1/partners", partner(2, "direct_bill")).send().ok();
    operator.post("/v1/transactions", purchase(1, &other.id(), "10.00", "USD")).send().ok();
    let number = other["mpn_id"].as_str().unwrap();
    assert_eq!(ids(&list(&operator, "/v1/transactions", "partner_id", number)).1, 1);
    let admin = world.admin_of(&own);
    for (path, name) in lists() {
        let answer = admin.get(&path).query(name, number).send();
        assert!(answer.status == 403 || answer.status == 200 && answer["items"] == json!([]), "{answer}");
    }
}

#[test]
fn what_belongs_to_an_enrollment_or_a_purchase_is_found_by_it() {
    let world = World::new();
    let story = Story::new(&world, &json!([flat("core", "0.10")]));
    let other = story.another(2);
    world.on("2018-08-20");
    let sale = story.sale("1", "2018-08-02", "100.00");
    other.sale("2", "2018-08-03", "0.01");
    story.calculate();
    let nobody = "01936f2e-4b00-7000-8000-00000000dead";
    let count = |list: &str, name: &str, id: &str| {
        let found = story.operator.get(&format!("/v1/{list}")).query(name, id).send().ok();
        found["items"].as_array().unwrap().len()
    };
    for (list, own, others) in
        [("earnings", 1, 0), ("ineligible-records", 0, 1), ("rebates", 1, 0), ("adjustments", 0, 0)]
    {
        let found = [&story.enrollment, &other.enrollment, nobody].map(|id| count(list, "enrollment_id", id));
        assert_eq!(found, [own, others, 0], "{list}");
    }
    assert_eq!([sale.as_str(), nobody].map(|id| count("earnings", "purchase_id", id)), [1, 0]);
}
