//! The schemas of the document: bounds that follow from a format, and an example for each schema.

use serde_json::{Map, Value, json};

/// Finishes every schema.
pub(super) fn finish(mut schemas: Value) -> Value {
    for (_, schema) in schemas.as_object_mut().into_iter().flatten() {
        visit(schema, &mut |schema| {
            bound(schema);
            tidy(schema);
            close(schema);
        });
    }
    let names: Vec<String> =
        schemas.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    for name in names {
        if schemas[&name].get("examples").is_none()
            && let Some(example) =
                compose(&json!({ "$ref": format!("#/components/schemas/{name}") }), &schemas, &mut Vec::new())
        {
            schemas[&name]["examples"] = json!([example]);
        }
    }
    schemas
}

fn visit(schema: &mut Value, change: &mut impl FnMut(&mut Value)) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if !matches!(
                    name.as_str(),
                    "example" | "examples" | "enum" | "const" | "default" | "required"
                ) {
                    visit(member, change);
                }
            }
            if ["type", "$ref", "oneOf", "allOf"].iter().any(|name| schema.get(name).is_some()) {
                change(schema);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, change)),
        _ => {}
    }
}

/// Adds the bounds that follow from a format.
pub(super) fn bound(schema: &mut Value) {
    let is = |name: &str| {
        schema["type"] == name || schema["type"].as_array().is_some_and(|t| t.contains(&json!(name)))
    };
    let (text, whole) = (is("string"), is("integer"));
    let bounds: &[(&str, i64)] = match schema["format"].as_str() {
        Some("int32") if whole => &[("minimum", -2_147_483_648), ("maximum", 2_147_483_647)],
        Some("int64") if whole => &[("minimum", -9_007_199_254_740_991), ("maximum", 9_007_199_254_740_991)],
        Some("email") if text => &[("maxLength", 254)],
        Some("uri") if text => &[("maxLength", 2000)],
        _ => &[],
    };
    for (name, value) in bounds {
        if schema.get(name).is_none() {
            schema[*name] = json!(value);
        }
    }
}

/// Closes the alternatives of a tagged union to members of other names, which the handlers refuse.
fn close(schema: &mut Value) {
    let alternatives = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    for alternative in alternatives.into_iter().flatten().filter_map(Value::as_object_mut) {
        if alternative.contains_key("title") && alternative.get("type").is_some_and(|kind| kind == "object") {
            alternative.entry("additionalProperties").or_insert(json!(false));
        }
    }
}

/// The component a schema refers to.
pub(super) fn name_of(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}

/// Turns `example` into the list `examples` of OpenAPI 3.1.
pub(super) fn tidy(schema: &mut Value) {
    if let Some(members) = schema.as_object_mut()
        && let Some(example) = members.remove("example")
    {
        members.entry("examples").or_insert_with(|| json!([example]));
    }
}

/// Composes an example of a schema from the examples of its members; none where the schema is a part of itself, which
/// `open` tells by the components that are being composed.
fn compose(schema: &Value, schemas: &Value, open: &mut Vec<String>) -> Option<Value> {
    if let Some(example) =
        schema["examples"].get(0).or_else(|| schema.get("default")).or_else(|| schema["enum"].get(0))
    {
        return Some(example.clone());
    }
    if let Some(name) = name_of(schema) {
        if open.iter().any(|open| open == name) {
            return None;
        }
        open.push(name.to_owned());
        let example = compose(&schemas[name], schemas, open);
        open.pop();
        return example;
    }
    for kind in ["oneOf", "allOf", "anyOf"] {
        if let Some(choices) = schema[kind].as_array() {
            return choices.iter().filter(|c| c["type"] != "null").find_map(|c| compose(c, schemas, open));
        }
    }
    if let Some(properties) = schema["properties"].as_object() {
        let example: Map<String, Value> = properties
            .iter()
            .filter_map(|(name, member)| Some((name.clone(), compose(member, schemas, open)?)))
            .collect();
        return Some(Value::Object(example));
    }
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    match kinds.first().and_then(Value::as_str)? {
        "array" => Some(json!([compose(&schema["items"], schemas, open)?])),
        "boolean" => Some(json!(true)),
        "integer" => Some(json!(schema["minimum"].as_i64().unwrap_or(1).max(1))),
        _ => None,
    }
}
