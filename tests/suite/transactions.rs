//! What partners sold, and what of it was taken back.

use super::partners::partner;
use crate::support::{Answer, World};
use partner_incentives::{
    platform::values::Id,
    sales::transactions::{TransactionKind, sales_of},
};
use serde_json::{Value, json};

/// The body of a purchase; `n` makes its number.
pub(super) fn purchase(n: u32, partner_id: &str, amount: &str, currency: &str) -> Value {
    json!({
        "source": "billing", "external_id": format!("INV-{n}"), "partner_id": partner_id,
        "customer": {"id": "C-1", "country": "DE"}, "product": "SKU-1", "product_family": "azure",
        "kind": "purchase", "occurred_on": "2018-07-01", "amount": {"amount": amount, "currency": currency},
    })
}

/// The body of a refund of a purchase.
pub(super) fn refund(n: u32, of: &Answer, amount: &str) -> Value {
    let partner = of["partner_id"].as_str().unwrap();
    let mut body = purchase(n, partner, amount, of["amount"]["currency"].as_str().unwrap());
    body["kind"] = json!("refund");
    body["original_transaction_id"] = json!(of.id());
    body
}

/// The body with a member, given as a pointer, set.
fn with(mut body: Value, pointer: &str, value: Value) -> Value {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[member] = value;
    body
}

fn record(world: &World, n: u32, partner_type: &str) -> String {
    world.operator().post("/v1/partners", partner(n, partner_type)).send().ok().id()
}

fn report(world: &World, body: Value) -> Answer {
    world.operator().post("/v1/transactions", body).send()
}

/// The faults of a refused body, as `pointer code`, sorted.
fn faults(world: &World, body: Value) -> Vec<String> {
    let refused = report(world, body).refused(422, "invalid");
    let errors = refused["errors"].as_array().unwrap().iter();
    let mut found: Vec<_> = errors
        .map(|e| format!("{} {}", e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap()))
        .collect();
    found.sort();
    found
}

#[test]
fn a_sale_is_recorded_read_and_taken_back() {
    let world = World::new();
    let (seller, provider) = (record(&world, 1, "indirect_reseller"), record(&world, 2, "indirect_provider"));
    let body = with(
        with(purchase(1, &seller, "1234.50", "USD"), "/provider_id", json!(provider)),
        "/units",
        json!(25),
    );
    let made = report(&world, body).ok();
    let path = format!("/v1/transactions/{}", made.id());
    assert_eq!((made.status, made.header("location")), (201, Some(&*path)));
    assert!(made.etag().starts_with("\"1."), "the entity tag names the revision: {}", made.etag());
    assert_eq!(made["customer"], json!({"id": "C-1", "country": "DE", "public_sector": false}));
    assert_eq!(world.auditor().get(&path).send().ok().body, made.body);

    let back = report(&world, refund(2, &made, "-234.50")).ok();
    assert_eq!(back["amount"], json!({"amount": "-234.50", "currency": "USD"}));
    let events = world.operator().get("/v1/audit-events").query("resource_id", back.id()).send().ok();
    assert_eq!(
        (&events["items"][0]["after"], &events["items"][0]["partner_id"]),
        (&back.body, &json!(seller))
    );
    for method in ["PUT", "PATCH", "DELETE"] {
        world.operator().ask(method, &path).send().refused(405, "method_not_allowed");
    }

    let ids: Vec<Id> = [&seller, &provider].iter().map(|id| id.parse().unwrap()).collect();
    let sales = world.service.app.read_as_system(|tx| sales_of(tx, &ids)).unwrap();
    let told: Vec<_> = sales.iter().map(|sale| (sale.kind, sale.amount().amount())).collect();
    assert_eq!(
        told,
        [(TransactionKind::Purchase, "1234.50".to_owned()), (TransactionKind::Refund, "-234.50".to_owned())]
    );
}

#[test]
fn an_amount_has_the_digits_of_its_currency() {
    let world = World::new();
    let seller = record(&world, 1, "direct_bill");
    for (n, amount, currency) in [(1, "1250", "JPY"), (2, "12.50", "USD"), (3, "250.075", "KWD")] {
        let made = report(&world, purchase(n, &seller, amount, currency)).ok();
        assert_eq!(made["amount"], json!({"amount": amount, "currency": currency}));
    }
    for (amount, currency) in
        [("12.50", "JPY"), ("12.5", "USD"), ("12", "USD"), ("250.07", "KWD"), ("1.0000", "KWD")]
    {
        assert_eq!(faults(&world, purchase(9, &seller, amount, currency)), ["/amount value"]);
    }
    assert_eq!(faults(&world, purchase(9, &seller, "1e3", "JPY")), ["/amount/amount pattern"]);
    assert_eq!(faults(&world, purchase(9, &seller, "1.00", "XXX")), ["/amount/currency format"]);
    let number = with(purchase(9, &seller, "1.00", "USD"), "/amount/amount", json!(1.0));
    assert_eq!(faults(&world, number), ["/amount/amount type"]);
}

#[test]
fn a_transaction_reported_twice_is_one_transaction() {
    let world = World::new();
    let (seller, other) = (record(&world, 1, "direct_bill"), record(&world, 2, "direct_bill"));
    let body = purchase(1, &seller, "100.00", "USD");
    let made = report(&world, body.clone()).ok();
    world.on("2018-09-01");
    for key in ["one", "two"] {
        let again = world.operator().post("/v1/transactions", body.clone()).key(key).send().ok();
        assert_eq!((again.status, &again.body, again.etag()), (200, &made.body, made.etag()));
    }
    // What defaults to a value and what says it are the same content.
    let spelled_out = with(body.clone(), "/customer/public_sector", json!(false));
    assert_eq!(report(&world, with(spelled_out, "/units", Value::Null)).ok().body, made.body);

    let mut changed = body.clone();
    for (member, value) in [
        ("/amount/amount", json!("100.01")),
        ("/customer/country", json!("FR")),
        ("/customer/public_sector", json!(true)),
        ("/occurred_on", json!("2018-07-02")),
        ("/partner_id", json!(other)),
        ("/product", json!("SKU-2")),
        ("/units", json!(1)),
    ] {
        changed = with(changed, member, value);
    }
    let refused = report(&world, changed).refused(409, "transaction_conflict");
    assert_eq!(refused["transaction_id"], json!(made.id()));
    let differing = [
        "/partner_id",
        "/customer/country",
        "/customer/public_sector",
        "/product",
        "/occurred_on",
        "/amount",
        "/units",
    ];
    assert_eq!(refused["differing"], json!(differing));

    // Another system's same number is another transaction.
    assert_eq!(report(&world, with(body, "/source", json!("marketplace"))).ok().status, 201);
    let all = world.operator().get("/v1/transactions").query("include_total", true).send().ok();
    assert_eq!(all["total"], 2);
    // So does a refund that has used its purchase up stay one.
    let back = refund(2, &made, "-100.00");
    let first = report(&world, back.clone()).ok();
    assert_eq!(report(&world, back).ok().body, first.body);
}

#[test]
fn one_report_arriving_eight_times_at_once_is_one_transaction() {
    let world = World::new();
    let seller = record(&world, 1, "direct_bill");
    let operator = world.operator();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let report = || operator.post("/v1/transactions", purchase(1, &seller, "100.00", "USD")).send().ok();
        let reports: Vec<_> = (0..8).map(|_| scope.spawn(report)).collect();
        reports.into_iter().map(|report| report.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| answer.body == answers[0].body));
}

#[test]
fn a_refund_takes_back_a_purchase_of_the_same_partner_and_currency() {
    let world = World::new();
    let (seller, other) = (record(&world, 1, "direct_bill"), record(&world, 2, "direct_bill"));
    world.on("2018-07-10");
    let body = with(purchase(1, &seller, "100.00", "USD"), "/occurred_on", json!("2018-07-05"));
    let bought = report(&world, body).ok();
    let good = with(refund(2, &bought, "-10.00"), "/occurred_on", json!("2018-07-05"));
    for (member, value, fault) in [
        ("/partner_id", json!(other), "/original_transaction_id other_partner"),
        ("/amount/currency", json!("EUR"), "/amount/currency other_currency"),
        ("/occurred_on", json!("2018-07-04"), "/occurred_on before_purchase"),
        ("/amount/amount", json!("10.00"), "/amount/amount sign"),
        ("/amount/amount", json!("0.00"), "/amount/amount sign"),
        ("/original_transaction_id", Value::Null, "/original_transaction_id required"),
        ("/original_transaction_id", json!(seller), "/original_transaction_id unknown"),
        ("/kind", json!("purchase"), "/original_transaction_id unexpected"),
    ] {
        let found = faults(&world, with(good.clone(), member, value));
        assert!(found.contains(&fault.to_owned()), "{fault}: {found:?}");
    }
    let back = report(&world, good).ok();
    let twice = with(refund(3, &bought, "-1.00"), "/original_transaction_id", json!(back.id()));
    assert_eq!(
        faults(&world, with(twice, "/occurred_on", json!("2018-07-06"))),
        ["/original_transaction_id not_a_purchase"]
    );
}

#[test]
fn refunds_together_never_exceed_their_purchase() {
    let world = World::new();
    let seller = record(&world, 1, "direct_bill");
    let bought = report(&world, purchase(1, &seller, "100.00", "USD")).ok();
    let left = |n, amount| {
        report(&world, refund(n, &bought, amount)).refused(409, "refund_exceeds_purchase")["left"].clone()
    };
    assert_eq!(left(2, "-100.01"), json!({"amount": "100.00", "currency": "USD"}));
    report(&world, refund(3, &bought, "-60.00")).ok();
    assert_eq!(left(4, "-40.01"), json!({"amount": "40.00", "currency": "USD"}));
    report(&world, refund(5, &bought, "-40.00")).ok();
    assert_eq!(left(6, "-0.01"), json!({"amount": "0.00", "currency": "USD"}));
}

#[test]
fn refunds_racing_each_other_never_exceed_their_purchase() {
    let world = World::new();
    let seller = record(&world, 1, "direct_bill");
    let bought = report(&world, purchase(0, &seller, "100.00", "USD")).ok();
    let operator = world.operator();
    let done: usize = std::thread::scope(|scope| {
        let (operator, bought) = (&operator, &bought);
        let racer = |racer: u32| {
            let one = move |n: u32| loop {
                // A unit that lost too often is told to come again, with the same number.
                let body = refund(100 * racer + n, bought, "-7.00");
                let answer = operator.post("/v1/transactions", body).send();
                match answer.status {
                    503 => {}
                    201 => return true,
                    _ => {
                        answer.refused(409, "refund_exceeds_purchase");
                        return false;
                    }
                }
            };
            move || (1..=4).filter(|n| one(*n)).count()
        };
        let racers: Vec<_> = (1..=8).map(|n| scope.spawn(racer(n))).collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).sum()
    });
    assert_eq!(done, 14, "14 x 7.00 fit into 100.00");
    let refunds =
        operator.get("/v1/transactions").query("kind", "refund").query("include_total", true).send().ok();
    assert_eq!(refunds["total"], 14);
}

#[test]
fn a_provider_is_an_indirect_provider_and_serves_indirect_resellers() {
    let world = World::new();
    let (reseller, direct) = (record(&world, 1, "indirect_reseller"), record(&world, 2, "direct_bill"));
    let provider = record(&world, 3, "indirect_provider");
    let through = |seller: &str, provider: &str| {
        with(purchase(1, seller, "1.00", "USD"), "/provider_id", json!(provider))
    };
    assert_eq!(faults(&world, through(&reseller, &direct)), ["/provider_id not_a_provider"]);
    assert_eq!(faults(&world, through(&direct, &provider)), ["/provider_id unexpected"]);
    assert_eq!(faults(&world, through(&provider, &provider)), ["/provider_id unexpected"]);
    let nobody = "01936f2e-4b00-7000-8000-0000000000ff";
    assert_eq!(faults(&world, through(&reseller, nobody)), ["/provider_id unknown"]);
    report(&world, through(&reseller, &provider)).ok();
    // Without one it is fine too, whoever sells.
    for (n, seller) in [(2, &reseller), (3, &direct), (4, &provider)] {
        report(&world, purchase(n, seller, "1.00", "USD")).ok();
    }
}

#[test]
fn all_faults_of_a_transaction_are_told_at_once() {
    let world = World::new();
    let nobody = "01936f2e-4b00-7000-8000-0000000000ff";
    let body = with(purchase(1, nobody, "-1.00", "USD"), "/occurred_on", json!("2018-07-02"));
    let body = with(with(body, "/provider_id", json!(nobody)), "/original_transaction_id", json!(nobody));
    assert_eq!(
        faults(&world, body),
        [
            "/amount/amount sign",
            "/occurred_on in_the_future",
            "/original_transaction_id unexpected",
            "/partner_id unknown",
            "/provider_id unknown"
        ]
    );
    let body = json!({
        "source": "", "external_id": " x", "partner_id": "7", "customer": {"id": "", "country": "XX", "vip": true},
        "kind": "gift", "occurred_on": "2018-02-30", "amount": {"amount": "1,00"}, "units": -1,
    });
    assert_eq!(
        faults(&world, body),
        [
            "/amount/amount pattern",
            "/amount/currency required",
            "/customer/country format",
            "/customer/id pattern",
            "/customer/id too_short",
            "/customer/vip unknown_member",
            "/external_id pattern",
            "/kind not_listed",
            "/occurred_on format",
            "/partner_id pattern",
            "/partner_id too_short",
            "/product required",
            "/product_family required",
            "/source pattern",
            "/source too_short",
            "/units too_small"
        ]
    );
}

#[test]
fn who_may_record_and_see_a_transaction() {
    let world = World::new();
    let headquarters = record(&world, 1, "direct_bill");
    let mut location = partner(2, "direct_bill");
    location["headquarters_id"] = json!(headquarters);
    let location = world.operator().post("/v1/partners", location).send().ok().id();
    let stranger = world.admin_of(&record(&world, 3, "direct_bill"));
    let made = report(&world, purchase(1, &location, "1.00", "USD")).ok();
    report(&world, purchase(2, &headquarters, "1.00", "USD")).ok();
    let path = format!("/v1/transactions/{}", made.id());
    let (above, below, viewer) =
        (world.admin_of(&headquarters), world.admin_of(&location), world.viewer_of(&location));
    for person in [&above, &below, &viewer, &stranger, &world.auditor()] {
        person
            .post("/v1/transactions", purchase(3, &location, "1.00", "USD"))
            .send()
            .refused(403, "forbidden");
    }
    world.nobody().get(&path).send().refused(401, "unauthenticated");
    for (person, sees) in [(&above, 2), (&below, 1), (&viewer, 1), (&world.auditor(), 2)] {
        person.get(&path).send().ok();
        let page = person.get("/v1/transactions").query("include_total", true).send().ok();
        assert_eq!((&page["total"], page["items"].as_array().unwrap().len()), (&json!(sees), sees));
    }
    stranger.get(&path).send().refused(404, "not_found");
    let none = stranger.get("/v1/transactions").query("partner_id", &location).send().ok();
    assert_eq!(none["items"], json!([]));
}

#[test]
fn transactions_are_filtered_and_walked() {
    let world = World::new();
    world.on("2018-08-01");
    let (one, two) = (record(&world, 1, "direct_bill"), record(&world, 2, "direct_bill"));
    for n in 1..=9 {
        let body = purchase(n, if n <= 6 { &one } else { &two }, "10.00", "USD");
        let body = with(body, "/occurred_on", json!(format!("2018-07-0{n}")));
        let body = with(body, "/product_family", json!(if n % 2 == 0 { "azure" } else { "office" }));
        report(&world, with(body, "/customer/id", json!(format!("C-{}", n % 3)))).ok();
    }
    let operator = world.operator();
    let bought = operator.get("/v1/transactions").query("external_id", "INV-1").send().ok();
    let back = json!({
        "source": "returns", "external_id": "R-1", "partner_id": one, "customer": {"id": "C-1", "country": "DE"},
        "product": "SKU-1", "product_family": "office", "kind": "refund", "occurred_on": "2018-07-10",
        "original_transaction_id": bought["items"][0]["id"], "amount": {"amount": "-1.00", "currency": "USD"},
    });
    report(&world, back).ok();
    let total = |filters: &[(&str, &str)]| {
        let ask = operator.get("/v1/transactions").query("include_total", true);
        let page = filters.iter().fold(ask, |ask, (name, value)| ask.query(name, value)).send().ok();
        assert_eq!(
            page["items"].as_array().unwrap().len(),
            usize::try_from(page["total"].as_i64().unwrap()).unwrap()
        );
        page["total"].as_i64().unwrap()
    };
    assert_eq!(total(&[]), 10);
    assert_eq!(total(&[("partner_id", &one)]), 7);
    assert_eq!((total(&[("kind", "refund")]), total(&[("source", "returns")])), (1, 1));
    assert_eq!((total(&[("external_id", "INV-7")]), total(&[("external_id", "R-7")])), (1, 0));
    assert_eq!(total(&[("from", "2018-07-03"), ("to", "2018-07-05")]), 3);
    assert_eq!(total(&[("product_family", "azure")]), 4);
    assert_eq!(
        (total(&[("customer_id", "C-1")]), total(&[("customer_id", "C-1"), ("partner_id", &two)])),
        (4, 1)
    );
    for (name, value) in [("kind", "gift"), ("from", "yesterday"), ("state", "paid"), ("sort", "amount")] {
        operator.get("/v1/transactions").query(name, value).send().refused(400, "unknown_parameter");
    }

    let (mut seen, mut cursor, mut more) = (Vec::new(), None::<String>, 20);
    loop {
        let ask = operator.get("/v1/transactions").query("limit", 3);
        let page = cursor.iter().fold(ask, |ask, cursor| ask.query("cursor", cursor)).send().ok();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["external_id"].clone()));
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
        // What is recorded meanwhile disturbs nobody.
        report(&world, purchase(more, &two, "1.00", "USD")).ok();
        more += 1;
    }
    let all = ["R-1", "INV-9", "INV-8", "INV-7", "INV-6", "INV-5", "INV-4", "INV-3", "INV-2", "INV-1"];
    assert_eq!(json!(seen), json!(all));
}
