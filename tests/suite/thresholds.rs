//! The payment threshold, in the currency of the version or by the rate of the payment month; and amounts of any size.

use crate::{
    suite::calculation::{Story, flat, text, version},
    support::{Answer, World},
};
use serde_json::{Value, json};

/// A partner whose sales give a tenth as rebate, and nothing as co-op.
fn tenth(world: &World) -> Story<'_> {
    let mut version = version(&json!([flat("core", "0.10")]));
    version["split"]["rebate_rate"] = json!("1");
    Story::by(world, &version)
}

fn publish(story: &Story<'_>, month: &str, rate: &str) {
    let rates = json!({"rates": [{"base": "KWD", "quote": "USD", "rate": rate}]});
    story.operator.put(&format!("/v1/fx-rates/{month}"), rates).send().ok();
}

fn rebate(story: &Story<'_>) -> Answer {
    let id = text(&story.list("/v1/rebates")[0]["id"]);
    story.operator.get(&format!("/v1/rebates/{id}")).send().ok()
}

fn summary(story: &Story<'_>) -> Value {
    let path = format!("/v1/partners/{}/summary", story.partner);
    story.operator.get(&path).send().ok()["enrollments"][0]["next_payment"][0].clone()
}

fn kwd(amount: &str) -> Value {
    json!({"amount": amount, "currency": "KWD"})
}

#[test]
fn a_rebate_waits_for_the_rate_of_the_payment_month_then_for_the_threshold() {
    let world = World::new();
    let story = tenth(&world);
    story.sale("1", "2018-07-01", "4.860 KWD");
    world.on("2018-07-20");
    story.calculate();
    world.on("2018-08-02");
    story.close("2018-07").ok();
    let waiting = rebate(&story);
    assert_eq!((&waiting["amount"], &waiting["state"]), (&kwd("0.486"), &json!("payable")));
    assert_eq!(waiting["state_reason"]["code"], "payment_rate_missing");
    assert_eq!(waiting["state_reason"]["missing"], json!(null));
    assert!(text(&waiting["state_reason"]["detail"]).contains("exchange rate"), "{waiting}");
    let next = summary(&story);
    assert_eq!((&next["reason"], &next["threshold"]), (&json!("payment_rate_missing"), &json!(null)));
    assert_eq!((&next["payable"], &next["missing"]), (&kwd("0.486"), &json!(null)));
    // The rate of the month that was closed is not the rate of the payment.
    publish(&story, "2018-07", "4");
    assert_eq!(rebate(&story)["state_reason"]["code"], "payment_rate_missing");
    publish(&story, "2018-08", "3.2");
    let below = rebate(&story);
    assert_eq!(below["id"], waiting["id"]);
    assert_eq!(below["state_reason"]["code"], "below_payment_threshold");
    assert_eq!(below["state_reason"]["missing"], kwd("62.014"));
    assert_ne!(below.etag(), waiting.etag());
    let next = summary(&story);
    assert_eq!((&next["reason"], &next["threshold"]), (&json!("below_payment_threshold"), &kwd("62.500")));
    assert_eq!(next["missing"], kwd("62.014"));
    let statement = format!("/v1/partners/{}/statements/2018-07", story.partner);
    let statement = story.operator.get(&statement).send().ok();
    // The statement stays what the closing knew.
    let program = &statement["programs"][0];
    assert_eq!(program["rebates"][0]["state_reason"]["code"], "payment_rate_missing");
    assert_eq!(program["balances"][0]["threshold"], json!(null));
    story.verify();
}

#[test]
fn what_equals_the_threshold_at_the_payment_month_s_rate_is_paid() {
    let world = World::new();
    let story = tenth(&world);
    // 62.500 dinars are 200.00 dollars in August, and 50.000 are in September.
    story.sale("1", "2018-07-01", "624.990 KWD");
    world.on("2018-07-20");
    story.calculate();
    world.on("2018-08-02");
    story.close("2018-07").ok();
    publish(&story, "2018-08", "3.2");
    assert_eq!(rebate(&story)["state_reason"]["missing"], kwd("0.001"));
    story.sale("2", "2018-08-01", "0.010 KWD");
    story.calculate();
    world.on("2018-09-02");
    publish(&story, "2018-09", "3.2");
    story.close("2018-08").ok();
    let (first, next) = (rebate(&story), summary(&story));
    assert_eq!((&first["state"], &first["state_reason"]), (&json!("payable"), &json!(null)));
    assert_eq!((&next["payable"], &next["threshold"]), (&kwd("62.500"), &kwd("62.500")));
    assert_eq!((&next["missing"], &next["reason"]), (&json!(null), &json!(null)));
}

#[test]
fn a_threshold_of_nothing_needs_no_rate() {
    let world = World::new();
    let mut version = version(&json!([flat("core", "0.10")]));
    version["payment_threshold"]["amount"] = json!("0.00");
    let story = Story::by(&world, &version);
    story.sale("1", "2018-07-01", "4.860 KWD");
    story.calculate();
    world.on("2018-08-02");
    story.close("2018-07").ok();
    assert_eq!(rebate(&story)["state_reason"], json!(null));
}

#[test]
fn sums_may_have_more_digits_than_an_amount_that_the_service_takes() {
    for (amount, currency, sum, grouped) in [
        ("5000000000000.00", "IDR", "10000000000000.00", "10,000,000,000,000.00"),
        ("999999999999999", "JPY", "1999999999999998", "1,999,999,999,999,998"),
    ] {
        let world = World::new();
        let story = Story::new(&world, &json!([flat("core", "0.08")]));
        world.on("2018-07-20");
        for n in ["1", "2"] {
            story.sale(n, "2018-07-05", &format!("{amount} {currency}"));
        }
        story.report("3", "2018-07-05", &format!("{amount}0 {currency}"), &json!({})).refused(422, "invalid");
        story.calculate();
        world.on("2018-08-02");
        story.close("2018-07").ok();
        let path = format!("/v1/partners/{}/statements/2018-07", story.partner);
        let statement = story.operator.get(&path).send().ok();
        assert_eq!(statement["programs"][0]["earnings"][0]["base"]["amount"], sum);
        for (media, shown) in [("text/csv", sum), ("text/html", grouped)] {
            let answer = story.operator.get(&path).header("accept", media).send().ok();
            let page = String::from_utf8(answer.bytes.clone()).unwrap();
            assert!(page.contains(shown), "{media}: {page}");
        }
        for path in ["/v1/rebates", "/v1/earnings", "/v1/transactions"] {
            assert!(!story.list(path).is_empty(), "{path}");
        }
        assert_eq!(summary(&story)["payable"]["currency"], currency);
    }
}
