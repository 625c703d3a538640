//! Finishing the OpenAPI document: what holds for every operation is written here once, not in each handler.

use serde_json::{Map, Value, json};

/// What the document's finishing needs to know beyond the handlers.
pub struct Finishing<'a> {
    /// Who may call an operation, by operation id; `None` where it is open to everybody.
    pub roles: &'a dyn Fn(&str) -> Option<Vec<&'static str>>,
}

/// Completes a document collected from the handlers.
#[must_use]
pub fn finish(mut document: Value, finishing: &Finishing<'_>) -> Value {
    components(&mut document);
    let schemas = document["components"]["schemas"].take();
    let schemas = finish_schemas(schemas);
    let gettable: Vec<(String, String)> = document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(path, item)| Some((path.clone(), camel(item["get"]["operationId"].as_str()?))))
        .collect();
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                let mut operation = Op { path, method, object: operation, schemas: &schemas, gettable: &gettable };
                operation.finish(finishing);
            }
        }
    }
    document["components"]["schemas"] = schemas;
    document
}

struct Op<'a> {
    path: &'a str,
    method: &'a str,
    object: &'a mut Value,
    schemas: &'a Value,
    gettable: &'a [(String, String)],
}

impl Op<'_> {
    fn finish(&mut self, finishing: &Finishing<'_>) {
        let id = camel(self.object["operationId"].as_str().unwrap_or_default());
        let roles = (finishing.roles)(&id);
        self.object["operationId"] = json!(id);
        let text = self.object["description"].as_str().or(self.object["summary"].as_str()).unwrap_or_default();
        let who = match &roles {
            Some(roles) => format!("Roles: {}.", roles.iter().map(|r| format!("`{r}`")).collect::<Vec<_>>().join(", ")),
            None => "Open to everybody.".to_owned(),
        };
        self.object["description"] = json!(format!("{}\n\n{who}", text.trim()));
        self.object["security"] = if roles.is_some() { json!([{ "bearer": [] }]) } else { json!([]) };
        if let Some(roles) = &roles {
            self.object["x-roles"] = json!(roles);
        }
        self.parameters();
        self.request_body();
        self.responses(roles.is_some());
    }

    fn parameters(&mut self) {
        let conditional = self.method == "patch";
        let readable = self.method == "get" && self.answers_a_record();
        let list = self.object["parameters"].as_array_mut();
        let mut parameters = list.map(std::mem::take).unwrap_or_default();
        for name in self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            if !parameters.iter().any(|parameter| parameter["name"] == name) {
                parameters.push(json!({
                    "name": name, "in": "path", "required": true, "schema": { "$ref": "#/components/schemas/Id" },
                    "description": "Identifier of the record, as listed.",
                }));
            }
        }
        for parameter in &mut parameters {
            if let Some(schema) = parameter.get_mut("schema") {
                bound(schema);
                tidy(schema);
            }
        }
        let mut add = |name: &str| parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
        if self.method == "post" {
            add("IdempotencyKey");
        }
        if conditional {
            add("IfMatch");
        }
        if readable {
            add("IfNoneMatch");
        }
        if !parameters.is_empty() {
            self.object["parameters"] = Value::Array(parameters);
        }
    }

    fn request_body(&mut self) {
        let Some(body) = self.object.get_mut("requestBody") else { return };
        let Some(content) = body["content"].as_object_mut() else { return };
        let Some(media) = content.get_mut("application/json") else { return };
        let name = schema_name(&media["schema"]).unwrap_or_default().to_owned();
        let schema = &self.schemas[&name];
        if let Some(example) = schema["examples"].get(0) {
            media["example"] = example.clone();
        }
        if self.method == "patch" {
            let media = media.clone();
            content.insert("application/merge-patch+json".into(), media);
        }
        body["required"] = json!(schema["required"].as_array().is_some_and(|names| !names.is_empty()) || self.method != "post");
        let text = schema["description"].as_str().unwrap_or("The request.");
        body["description"] = json!(text);
    }

    fn answers_a_record(&self) -> bool {
        ["200", "201"].iter().any(|status| {
            let content = &self.object["responses"][status]["content"];
            let name = schema_name(&content["application/json"]["schema"]).unwrap_or_default();
            self.schemas[name]["properties"].get("id").is_some()
        })
    }

    fn responses(&mut self, guarded: bool) {
        let record = self.answers_a_record();
        let is_list = self.is_list();
        let is_api = self.path.starts_with("/v1/");
        let has_body = self.object.get("requestBody").is_some();
        let has_parameters = self.object.get("parameters").is_some();
        let in_path = self.path.contains('{');
        let writes = self.method != "get";
        let own_link = self.gettable.iter().find(|(path, _)| *path == format!("{}/{{id}}", self.path)).cloned();
        let Some(responses) = self.object["responses"].as_object_mut() else { return };
        for (status, response) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            if response["description"].as_str().unwrap_or_default().is_empty() {
                response["description"] = json!(match status.as_str() {
                    "201" => "Made; `Location` says where.",
                    "204" => "Done; there is nothing to say.",
                    _ => "As asked for.",
                });
            }
            let mut headers = response["headers"].as_object().cloned().unwrap_or_default();
            let mut add = |name: &str| {
                let component = name.replace('-', "");
                headers.insert(name.into(), json!({ "$ref": format!("#/components/headers/{component}") }));
            };
            add("X-Request-Id");
            if guarded {
                add("RateLimit");
                add("RateLimit-Policy");
            }
            if record && status != "204" {
                add("ETag");
            }
            if status == "201" {
                add("Location");
            }
            if is_list {
                add("Link");
            }
            response["headers"] = Value::Object(headers);
            example_of_answer(response, self.schemas);
            if let (Some((_, operation)), "201") = (&own_link, status.as_str()) {
                response["links"] = json!({ operation.clone(): {
                    "operationId": operation, "parameters": { "id": "$response.body#/id" },
                    "description": "The record that was made.",
                }});
            }
        }
        let failures = [
            (has_parameters || has_body, "400", "BadRequest"),
            (guarded, "401", "Unauthorized"),
            (guarded, "403", "Forbidden"),
            (in_path, "404", "NotFound"),
            (is_api, "406", "NotAcceptable"),
            (has_body, "408", "RequestTimeout"),
            (writes && is_api, "409", "Conflict"),
            (self.method == "patch" || self.method == "put" || self.method == "delete", "412", "PreconditionFailed"),
            (has_body, "413", "ContentTooLarge"),
            (has_body, "415", "UnsupportedMediaType"),
            (writes && is_api, "422", "UnprocessableContent"),
            (self.method == "patch", "428", "PreconditionRequired"),
            (true, "429", "TooManyRequests"),
            (true, "500", "InternalServerError"),
            (true, "503", "ServiceUnavailable"),
        ];
        for (_, status, name) in failures.iter().filter(|(applies, ..)| *applies) {
            responses
                .entry(*status)
                .or_insert_with(|| json!({ "$ref": format!("#/components/responses/{name}") }));
        }
        if record && self.method == "get" {
            responses.insert("304".into(), json!({ "$ref": "#/components/responses/NotModified" }));
        }
        let sorted: std::collections::BTreeMap<_, _> = std::mem::take(responses).into_iter().collect();
        responses.extend(sorted);
    }

    fn is_list(&self) -> bool {
        let schema = &self.object["responses"]["200"]["content"]["application/json"]["schema"];
        schema_name(schema).is_some_and(|name| self.schemas[name]["properties"].get("next_cursor").is_some())
    }
}

fn example_of_answer(response: &mut Value, schemas: &Value) {
    let Some(media) = response["content"].get_mut("application/json") else { return };
    let Some(name) = schema_name(&media["schema"]) else { return };
    if let Some(example) = schemas[name]["examples"].get(0) {
        media["example"] = example.clone();
    }
}

fn schema_name(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// `list_partners` -> `listPartners`.
fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let head = letters.next().map(|c| c.to_ascii_uppercase());
        name + &head.into_iter().chain(letters).collect::<String>()
    })
}

fn finish_schemas(mut schemas: Value) -> Value {
    for (_, schema) in schemas.as_object_mut().into_iter().flatten() {
        visit(schema, &mut |schema| {
            bound(schema);
            tidy(schema);
            close(schema);
        });
    }
    let names: Vec<String> = schemas.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    for name in names {
        if schemas[&name].get("examples").is_none()
            && let Some(example) = compose(&json!({ "$ref": format!("#/components/schemas/{name}") }), &schemas, 0)
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
                if !matches!(name.as_str(), "example" | "examples" | "enum" | "const" | "default" | "required") {
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

/// The bounds that follow from a format.
fn bound(schema: &mut Value) {
    let is = |name: &str| schema["type"] == name || schema["type"].as_array().is_some_and(|t| t.contains(&json!(name)));
    let (text, whole) = (is("string"), is("integer"));
    let bounds: &[(&str, i64)] = match schema["format"].as_str() {
        Some("int32") if whole => &[("minimum", i32::MIN as i64), ("maximum", i32::MAX as i64)],
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

/// The alternatives of a tagged union take no members but their own, as the handlers refuse them.
fn close(schema: &mut Value) {
    let alternatives = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    for alternative in alternatives.into_iter().flatten().filter_map(Value::as_object_mut) {
        if alternative.contains_key("title") && alternative.get("type").is_some_and(|kind| kind == "object") {
            alternative.entry("additionalProperties").or_insert(json!(false));
        }
    }
}

/// OpenAPI 3.1 writes examples as a list.
fn tidy(schema: &mut Value) {
    if let Some(members) = schema.as_object_mut()
        && let Some(example) = members.remove("example")
    {
        members.entry("examples").or_insert_with(|| json!([example]));
    }
}

/// An example of a schema put together from the examples of its members.
fn compose(schema: &Value, schemas: &Value, depth: usize) -> Option<Value> {
    if depth > 6 {
        return None;
    }
    if let Some(example) = schema["examples"].get(0).or_else(|| schema.get("default")).or_else(|| schema["enum"].get(0)) {
        return Some(example.clone());
    }
    if let Some(name) = schema_name(schema) {
        return compose(&schemas[name], schemas, depth + 1);
    }
    for kind in ["oneOf", "allOf", "anyOf"] {
        if let Some(choices) = schema[kind].as_array() {
            return choices.iter().filter(|c| c["type"] != "null").find_map(|c| compose(c, schemas, depth + 1));
        }
    }
    if let Some(properties) = schema["properties"].as_object() {
        let example: Map<String, Value> = properties
            .iter()
            .filter_map(|(name, member)| Some((name.clone(), compose(member, schemas, depth + 1)?)))
            .collect();
        return Some(Value::Object(example));
    }
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    match kinds.first().and_then(Value::as_str)? {
        "array" => Some(json!([compose(&schema["items"], schemas, depth + 1)?])),
        "boolean" => Some(json!(true)),
        "integer" => Some(json!(schema["minimum"].as_i64().unwrap_or(1).max(1))),
        _ => None,
    }
}

fn components(document: &mut Value) {
    let problem = |text: &str, headers: Value| {
        json!({
            "description": text, "headers": headers,
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        })
    };
    let header = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
    let plain = || json!({ "X-Request-Id": header("XRequestId") });
    let retry = || json!({ "X-Request-Id": header("XRequestId"), "Retry-After": header("RetryAfter") });
    let challenge = || json!({ "X-Request-Id": header("XRequestId"), "WWW-Authenticate": header("WWWAuthenticate") });
    document["components"]["responses"] = json!({
        "BadRequest": problem("The request cannot be read; `detail` says what and where.", plain()),
        "Unauthorized": problem("There is no access token, or it is not accepted.", challenge()),
        "Forbidden": problem("The caller's role may not do this.", challenge()),
        "NotFound": problem("No such record, or it lies outside what the caller may see.", plain()),
        "NotAcceptable": problem("The caller accepts no representation the service has.", plain()),
        "RequestTimeout": problem("The request did not arrive in time.", plain()),
        "Conflict": problem("A business rule or another record stands in the way; `code` says which.", plain()),
        "PreconditionFailed": problem("The record has changed since it was read.", plain()),
        "ContentTooLarge": problem("The body is larger than 1 MiB.", plain()),
        "UnsupportedMediaType": problem("The body is not JSON.", plain()),
        "UnprocessableContent": problem("Some fields are not valid; `errors` lists them all.", plain()),
        "PreconditionRequired": problem("`If-Match` is missing.", plain()),
        "TooManyRequests": problem("Too many requests; wait as long as `Retry-After` says.", retry()),
        "InternalServerError": problem("A fault of the service; nothing was changed.", plain()),
        "ServiceUnavailable": problem("The service cannot answer just now; nothing was changed.", retry()),
        "NotModified": { "description": "The caller has this revision already.", "headers": { "ETag": header("ETag") } },
    });
    let text = |text: &str, length: u32, example: &str| {
        json!({ "description": text, "schema": { "type": "string", "maxLength": length, "examples": [example] } })
    };
    document["components"]["headers"] = json!({
        "XRequestId": text("The request's id, for the log.", 128, "0193a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b"),
        "ETag": text("The record's revision; send it back in `If-Match` to change it.", 40, "\"3\""),
        "Location": text("Address of the record made.", 200, "/v1/partners/01936f2e-4b00-7000-8000-000000000001"),
        "Link": text("Address of the next page, where there is one: `<...>; rel=\"next\"`.", 4000, "<https://api.example.org/v1/partners?cursor=x>; rel=\"next\""),
        "RetryAfter": { "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 0, "maximum": 86400, "examples": [1] } },
        "WWWAuthenticate": text("Which scheme opens the door.", 400, "Bearer realm=\"partner-incentives\""),
        "RateLimit": text("What is left of the limit.", 100, "\"default\";r=99;t=1"),
        "RateLimitPolicy": text("The limit.", 100, "\"default\";q=1200;w=60"),
    });
    let parameter = |name: &str, required: bool, text: &str, schema: Value| {
        json!({ "name": name, "in": "header", "required": required, "description": text, "schema": schema })
    };
    document["components"]["parameters"] = json!({
        "IdempotencyKey": parameter(
            "Idempotency-Key", false,
            "Makes the request safe to repeat: the same key with the same request gives the stored answer for 24 hours.",
            json!({ "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]{1,128}$" }),
        ),
        "IfMatch": parameter(
            "If-Match", false,
            "The `ETag` of the record you read. Needed to change it: 428 without, 412 where the record has changed since.",
            json!({ "type": "string", "minLength": 1, "maxLength": 1000, "examples": ["*"] }),
        ),
        "IfNoneMatch": parameter(
            "If-None-Match", false, "The `ETag` you have; 304 where the record is still the same.",
            json!({ "type": "string", "minLength": 1, "maxLength": 1000 }),
        ),
    });
    document["components"]["parameters"]["IfMatch"]["example"] = json!("*");
}
