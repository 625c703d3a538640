//! Lists as files.

use super::{partners::partner, transactions::purchase};
use crate::support::{Answer, Client, World};
use serde_json::{Value, json};
use std::fmt::Write;

fn file(client: &Client, path: &str, media: &str) -> Answer {
    client.get(path).header("accept", media).send().ok()
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.clone()).unwrap()
}

/// Sells so many times, from one day in July to the next.
fn sell(world: &World, partner: &str, times: u32) {
    let mut file = "source,external_id,partner_id,customer_id,customer_country,product,product_family,kind,\
                    occurred_on,amount,currency\n"
        .to_owned();
    for n in 0..times {
        let day = n % 28 + 1;
        writeln!(file, "billing,N-{n},{partner},C-1,DE,SKU-1,azure,purchase,2018-07-{day:02},1.00,EUR")
            .unwrap();
    }
    world.on("2018-08-01");
    let import = world.operator().ask("POST", "/v1/transaction-imports").bytes("text/csv", file).send().ok();
    assert_eq!(import["created"], times, "{import}");
}

#[test]
fn a_list_is_had_as_a_file_of_comma_separated_values() {
    let world = World::new();
    let operator = world.operator();
    let id = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let sale = operator.post("/v1/transactions", purchase(1, &id, "1234.50", "USD")).send().ok();
    let answer = file(&operator, "/v1/transactions", "text/csv");
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"transactions.csv\""));
    let expected = format!(
        "id,source,external_id,partner_id,provider_id,customer_id,customer_country,customer_public_sector,product,\
         product_family,kind,original_transaction_id,occurred_on,amount,currency,units,created_at\r\n\
         {},billing,INV-1,{id},,C-1,DE,false,SKU-1,azure,purchase,,2018-07-01,1234.50,USD,,\
         2018-07-01T12:00:00.000000Z\r\n",
        sale.id()
    );
    assert_eq!(text(&answer), expected);
    let empty = file(&operator, "/v1/transactions?kind=refund", "text/csv");
    assert_eq!(text(&empty).lines().count(), 1, "the names of the columns are there all the same");
}

#[test]
fn no_cell_of_a_file_is_a_formula() {
    let world = World::new();
    let operator = world.operator();
    for (n, name) in
        ["=HYPERLINK(\"http://x\")", "+1", "@SUM(A1)", "-1+1", "Plain, \"quoted\""].iter().enumerate()
    {
        let mut body = partner(u32::try_from(n).unwrap(), "direct_bill");
        body["legal_name"] = json!(name);
        operator.post("/v1/partners", body).send().ok();
    }
    let rows = text(&file(&operator, "/v1/partners?sort=legal_name", "text/csv"));
    for cell in [
        "\"'=HYPERLINK(\"\"http://x\"\")\"",
        "\"'+1\"",
        "\"'@SUM(A1)\"",
        "\"'-1+1\"",
        "\"Plain, \"\"quoted\"\"\"",
    ] {
        assert!(rows.contains(&format!(",{cell},")), "{cell} in\n{rows}");
    }
}

#[test]
fn a_file_holds_every_row_that_matches_once_however_many_there_are() {
    let world = World::new();
    let operator = world.operator();
    let id = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    sell(&world, &id, 2800);
    let lines = text(&file(&operator, "/v1/transactions?from=2018-07-15", "application/x-ndjson"));
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 1400);
    assert!(
        rows.windows(2).all(|pair| pair[0]["id"].as_str() > pair[1]["id"].as_str()),
        "in the list's order"
    );
    let page = operator.get("/v1/transactions?from=2018-07-15").send().ok();
    assert_eq!(page["items"].as_array().unwrap()[..], rows[..50], "a page and a file show the same");
    let rows = file(&operator, "/v1/transactions", "text/csv");
    assert_eq!(text(&rows).lines().count(), 2801);
    // A file that was exported can be taken again: every row is known.
    let again = operator.ask("POST", "/v1/transaction-imports").bytes("text/csv", rows.bytes).send().ok();
    assert_eq!((&again["unchanged"], &again["rows_read"]), (&json!(2800), &json!(2800)), "{again}");
}

#[test]
fn a_file_shows_what_the_list_shows_and_to_nobody_else() {
    let world = World::new();
    let operator = world.operator();
    let [ours, theirs] =
        [1, 2].map(|n| operator.post("/v1/partners", partner(n, "direct_bill")).send().ok().id());
    operator.post("/v1/transactions", purchase(1, &ours, "1.00", "USD")).send().ok();
    operator.post("/v1/transactions", purchase(2, &theirs, "1.00", "USD")).send().ok();
    for client in [world.admin_of(&ours), world.viewer_of(&ours)] {
        let rows = text(&file(&client, "/v1/transactions", "text/csv"));
        assert!(rows.contains("INV-1") && !rows.contains("INV-2"), "{rows}");
    }
    let ask = |client: &Client, path: &str| client.get(path).header("accept", "text/csv").send();
    ask(&world.nobody(), "/v1/transactions").refused(401, "unauthenticated");
    ask(&world.viewer_of(&ours), "/v1/audit-events").refused(403, "forbidden");
    ask(&operator, "/v1/transactions?colour=red").refused(400, "unknown_parameter");
}

#[test]
fn the_accept_field_chooses_between_a_page_and_a_file() {
    let world = World::new();
    let operator = world.operator();
    let media = |accept: &str| {
        let answer = file(&operator, "/v1/partners", accept);
        answer.header("content-type").unwrap().split(';').next().unwrap().to_owned()
    };
    for (accept, expected) in [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/csv", "text/csv"),
        ("Text/CSV; header=present", "text/csv"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("text/csv, */*;q=0.1", "text/csv"),
        ("text/csv;q=0, */*", "application/json"),
        ("image/png, application/x-ndjson;q=0.2", "application/x-ndjson"),
    ] {
        assert_eq!(media(accept), expected, "{accept}");
    }
    let ask = |path: &str, accept: &str| operator.get(path).header("accept", accept).send();
    ask("/v1/partners", "image/png").refused(406, "not_acceptable");
    ask("/v1/me", "text/csv").refused(406, "not_acceptable");
    let head = operator.ask("HEAD", "/v1/partners").header("accept", "text/csv").send();
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-disposition"), Some("attachment; filename=\"partners.csv\""));
}

#[test]
fn every_list_of_the_contract_is_had_as_a_file() {
    let world = World::new();
    let operator = world.operator();
    let id = operator.post("/v1/partners", partner(1, "direct_bill")).send().ok().id();
    let contract = partner_incentives::app::contract();
    let mut lists = 0;
    for operation in contract.operations().filter(|operation| operation.method == "get") {
        let content = &operation.object["responses"]["200"]["content"];
        if content.get("text/csv").is_none()
            || operation.path.contains("{id}") && !operation.path.starts_with("/v1/partners/")
            // A statement is no list, and this partner has none.
            || operation.path.contains("{month}")
        {
            continue;
        }
        let path = operation.path.replace("{id}", &id);
        let rows = text(&file(&operator, &path, "text/csv"));
        let head = rows.lines().next().unwrap_or_default();
        assert!(head.split(',').count() > 1, "{path} names its columns: {head}");
        lists += 1;
    }
    assert!(lists > 8, "{lists} lists");
}
