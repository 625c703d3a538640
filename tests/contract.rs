//! The contract as it is checked in is the contract as the handlers make it, and every problem code has its page.

#![cfg(test)]

use partner_incentives::app;
use serde_json::{Value, json};
use std::{collections::HashSet, path::Path};

#[test]
fn the_checked_in_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/v1.json");
    let checked_in = std::fs::read_to_string(path).expect("openapi/v1.json");
    assert!(
        checked_in.trim() == app::contract().json.trim(),
        "the handlers make another document: cargo run -- openapi > openapi/v1.json, and read the diff"
    );
}

#[test]
fn every_string_integer_and_array_of_a_request_is_bounded() {
    fn look(schema: &Value, at: &str, unbounded: &mut Vec<String>) {
        let is = |name: &str| {
            schema["type"] == name || schema["type"].as_array().is_some_and(|t| t.iter().any(|t| t == name))
        };
        let lacks = |names: &[&str]| names.iter().any(|name| schema.get(name).is_none());
        let fixed = schema.get("enum").is_some() || schema.get("const").is_some();
        if is("string") && !fixed && lacks(&["maxLength"]) {
            unbounded.push(format!("{at}: string without maxLength"));
        }
        if is("integer") && !fixed && lacks(&["minimum", "maximum"]) {
            unbounded.push(format!("{at}: integer without bounds"));
        }
        if is("array") && lacks(&["maxItems"]) {
            unbounded.push(format!("{at}: array without maxItems"));
        }
        match schema {
            Value::Object(members) => {
                for (name, member) in members
                    .iter()
                    .filter(|(name, _)| !["example", "examples", "enum", "default"].contains(&name.as_str()))
                {
                    look(member, &format!("{at}/{name}"), unbounded);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| look(item, at, unbounded)),
            _ => {}
        }
    }
    let mut unbounded = Vec::new();
    look(&app::contract().document["components"]["schemas"], "", &mut unbounded);
    assert!(unbounded.is_empty(), "{unbounded:#?}");
}

#[test]
fn a_partner_is_named_by_either_of_its_ids_wherever_a_request_names_one() {
    /// Collects the members of a body that name a partner, and whether each takes either id.
    fn look(
        document: &Value,
        schema: &Value,
        at: &str,
        seen: &mut HashSet<String>,
        named: &mut Vec<(String, bool)>,
    ) {
        if let Some(reference) = schema["$ref"].as_str() {
            if seen.insert(reference.to_owned()) {
                look(document, document.pointer(&reference[1..]).expect(reference), reference, seen, named);
            }
            return;
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            if ["partner_id", "headquarters_id", "provider_id"].contains(&name.as_str()) {
                named.push((at.clone(), is_either(member)));
            }
            look(document, member, &at, seen, named);
        }
        let parts = ["oneOf", "anyOf", "allOf"].iter().filter_map(|of| schema[of].as_array()).flatten();
        for part in parts.chain(schema.get("items")) {
            look(document, part, at, seen, named);
        }
    }
    fn is_either(part: &Value) -> bool {
        part.to_string().contains("#/components/schemas/PartnerKey")
    }
    let document = &app::contract().document;
    let (mut seen, mut named) = (HashSet::new(), Vec::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let at = format!("{method} {path}");
            for (media, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                look(document, &content["schema"], &format!("{at} {media}"), &mut seen, &mut named);
            }
            if path.starts_with("/v1/partners/{id}") {
                let of_path = operation["parameters"].as_array().unwrap();
                let id = of_path.iter().find(|parameter| parameter["name"] == "id").unwrap();
                named.push((format!("{at} {{id}}"), is_either(id)));
            }
        }
    }
    assert!(named.len() > 40, "{named:?}");
    let one: Vec<&String> = named.iter().filter(|(_, either)| !either).map(|(at, _)| at).collect();
    assert!(one.is_empty(), "these take one of the ids alone: {one:#?}");
}

#[test]
fn every_example_keeps_what_its_schema_promises() {
    const DOCUMENT: &str = "urn:contract";
    /// Calls `check` with the pointer of each schema, and each of its examples.
    fn look(part: &Value, at: &str, check: &mut impl FnMut(&str, &Value)) {
        match part {
            Value::Object(members) => {
                for name in members.keys().filter(|name| !["example", "examples"].contains(&name.as_str())) {
                    let escaped = name.replace('~', "~0").replace('/', "~1");
                    look(&members[name], &format!("{at}/{escaped}"), check);
                }
                if members.contains_key("schema") {
                    let named = part["examples"].as_object().into_iter().flat_map(|named| named.values());
                    let values = named.map(|example| &example["value"]).chain(part.get("example"));
                    values.for_each(|example| check(&format!("{at}/schema"), example));
                } else {
                    let examples = part["examples"].as_array().into_iter().flatten();
                    examples.for_each(|example| check(at, example));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    look(item, &format!("{at}/{index}"), check);
                }
            }
            _ => {}
        }
    }
    let document = &app::contract().document;
    let registry = jsonschema::Registry::new()
        .draft(jsonschema::Draft::Draft202012)
        .add(DOCUMENT, document.clone())
        .and_then(jsonschema::RegistryBuilder::prepare)
        .expect("the contract can be referred to");
    let (mut seen, mut broken) = (0, Vec::new());
    look(document, "", &mut |pointer, example| {
        let schema =
            json!({"$ref": format!("{DOCUMENT}#{}", pointer.replace('{', "%7B").replace('}', "%7D"))});
        let options = jsonschema::options().with_registry(&registry).should_validate_formats(true);
        let validator =
            options.build(&schema).unwrap_or_else(|error| panic!("{pointer} is no schema: {error}"));
        seen += 1;
        broken.extend(validator.iter_errors(example).map(|e| format!("{pointer}{}: {e}", e.instance_path())));
    });
    assert!(seen > 1000, "{seen} examples");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn operation_ids_and_problem_codes_are_unique() {
    let contract = app::contract();
    let mut seen = HashSet::new();
    for operation in contract.operations() {
        let id = operation.object["operationId"].as_str().expect("an operation id");
        assert!(seen.insert(id.to_owned()), "{id} twice");
    }
    let mut codes = HashSet::new();
    for code in app::problem_codes() {
        assert!(codes.insert(code.code), "{} is declared twice", code.code);
        assert!((400..600).contains(&code.status), "{}", code.code);
        let english = [code.title.en, code.help.en].iter().all(|text| text.is_ascii() && !text.is_empty());
        let japanese = [code.title.ja, code.help.ja].iter().all(|text| !text.is_ascii());
        assert!(english && japanese, "{} lacks a language", code.code);
    }
}

#[test]
fn every_guarded_operation_exists_and_every_operation_is_guarded_or_known_to_be_open() {
    use partner_incentives::access::policy::{TABLE, rule_of};
    const OPEN: &[&str] = &[
        "login",
        "getKeySet",
        "issueToken",
        "revokeToken",
        "requestPasswordReset",
        "resetPasswordByToken",
        "getOauthMetadata",
        "getLiveness",
        "getReadiness",
        "getMetrics",
        "getOpenapi",
        "getOpenapiYaml",
        "listProblems",
        "getProblem",
        "getSecurityContact",
        "openStatementLink",
    ];
    let contract = app::contract();
    let ids: Vec<String> =
        contract.operations().map(|o| o.object["operationId"].as_str().unwrap().to_owned()).collect();
    for id in &ids {
        assert!(rule_of(id).is_some() != OPEN.contains(&id.as_str()), "{id}: guard it, or list it as open");
    }
    for name in TABLE.iter().map(|rule| rule.operation) {
        assert!(
            ids.iter().any(|id| id.eq_ignore_ascii_case(name)),
            "{name} guards an operation that does not exist"
        );
    }
}
