//! One operation of the document: its roles, its parameters and all its answers.

use super::{
    Admission, Finishing, PathKey,
    components::{OF_FORMS, headers},
    schemas::{bound, name_of, tidy},
};
use crate::platform::http::contract::FORM;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Finishes every operation of the document.
pub(super) fn finish_all(paths: &mut Value, schemas: &Value, finishing: &Finishing<'_>) {
    let Some(paths) = paths.as_object_mut() else { return };
    let gettable: Vec<(String, String)> = paths
        .iter()
        .filter_map(|(path, item)| {
            Some((path.clone(), camel(item.get("get")?.get("operationId")?.as_str()?)))
        })
        .collect();
    for (path, item) in paths {
        for (method, object) in item.as_object_mut().into_iter().flatten() {
            OperationDraft { path, method, object, schemas, gettable: &gettable }.finish(finishing);
        }
    }
}

/// The most characters of a body that is sent or read piece by piece.
const STREAM: u64 = 1 << 40;
/// The media types of bodies with one row on each line.
const FILES: [&str; 2] = ["text/csv", "application/x-ndjson"];

struct OperationDraft<'a> {
    path: &'a str,
    method: &'a str,
    object: &'a mut Value,
    schemas: &'a Value,
    /// The paths with a `GET`, each with the id of that operation.
    gettable: &'a [(String, String)],
}

impl OperationDraft<'_> {
    fn finish(&mut self, finishing: &Finishing<'_>) {
        let id = camel(self.object["operationId"].as_str().unwrap_or_default());
        let admission = (finishing.admission)(&id);
        self.object["operationId"] = json!(id);
        self.describe(admission.as_ref());
        self.parameters(admission.is_some(), (finishing.path_key)(self.path));
        self.request_body();
        self.successes();
        self.failures(admission.is_some());
    }

    fn describe(&mut self, admission: Option<&Admission>) {
        let text = self.text("description").or(self.text("summary")).unwrap_or_default().trim();
        let Some(Admission { roles, scope, without_scope }) = admission else {
            self.object["description"] = json!(format!("{text}\n\nOpen to everybody."));
            // The empty requirement: the caller may send a token, which the operation ignores.
            self.object["security"] = json!([{}]);
            return;
        };
        let names = roles.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(", ");
        let clients = match scope {
            Some(scope) => format!("API clients need the scope `{scope}`."),
            None if *without_scope => "API clients need no scope.".to_owned(),
            None => "For people only: no API client may do it.".to_owned(),
        };
        self.object["description"] = json!(format!("{text}\n\nRoles: {names}. {clients}"));
        self.object["security"] = json!([{ "bearer": [] }]);
        self.object["x-roles"] = json!(roles);
        if let Some(scope) = scope {
            self.object["security"] = json!([{ "bearer": [] }, { "oauth2": [scope] }]);
            self.object["x-scope"] = json!(scope);
        }
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.object.get(member)?.as_str()
    }

    fn parameters(&mut self, guarded: bool, key: Option<PathKey>) {
        let given = self.object.get_mut("parameters").and_then(Value::as_array_mut);
        let mut parameters = given.map(std::mem::take).unwrap_or_default();
        for name in self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            if !parameters.iter().any(|parameter| parameter["name"] == name) {
                let schema = key.filter(|_| name == "id").map_or("Id", |key| key.schema);
                let schema = json!({ "$ref": format!("#/components/schemas/{schema}") });
                parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
            }
        }
        // Parameters of the path stand before parameters of the query, and `id` before other names.
        parameters.sort_by_key(|parameter| (parameter["in"] != "path", parameter["name"] != "id"));
        for parameter in parameters.iter_mut().filter(|parameter| parameter["name"] == "id") {
            if parameter.get("description").is_none() {
                parameter["description"] = json!("Identifier of the record, as listed.");
            }
            if let Some(key) = key {
                parameter["example"] = json!(key.example);
            }
        }
        for parameter in &mut parameters {
            bound(&mut parameter["schema"]);
            tidy(&mut parameter["schema"]);
            if parameter["in"] == "query" && parameter["required"] != true {
                unfill(parameter);
            }
        }
        let shared = match self.method {
            // An idempotency key belongs to a caller and repeats a write: a sign-in has no caller yet, and an operation
            // that answers no record has written none. A file needs no key: its rows carry numbers of their own.
            "post" if guarded && self.answers_a_record() && !self.takes_a_file() => Some("IdempotencyKey"),
            "patch" => Some("IfMatch"),
            "get" if self.answers_a_record() => Some("IfNoneMatch"),
            _ => None,
        };
        parameters.extend(shared.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })));
        if !parameters.is_empty() {
            self.object["parameters"] = Value::Array(parameters);
        }
    }

    fn request_body(&mut self) {
        let Some(body) = self.object.get_mut("requestBody") else { return };
        let Some(content) = body["content"].as_object_mut() else { return };
        if content.keys().all(|media| FILES.contains(&media.as_str())) {
            for media in content.values_mut() {
                media["schema"]["maxLength"] = json!(STREAM);
            }
            body["required"] = json!(true);
            return;
        }
        let Some((kind, media)) = content.iter_mut().next() else { return };
        let is_json = kind == "application/json";
        let schema = &self.schemas[name_of(&media["schema"]).unwrap_or_default()];
        if let Some(example) = schema["examples"].get(0) {
            media["example"] = example.clone();
        }
        if is_json && self.method == "patch" {
            let media = media.clone();
            content.insert("application/merge-patch+json".into(), media);
        }
        let members_required = schema["required"].as_array().is_some_and(|names| !names.is_empty());
        body["required"] = json!(members_required || self.method != "post");
        body["description"] = json!(schema["description"].as_str().unwrap_or("The request."));
    }

    /// Describes the successful answers: their header fields, bodies and links.
    fn successes(&mut self) {
        let tagged: Vec<&str> =
            ["200", "201"].into_iter().filter(|status| self.answer_has(status, "id")).collect();
        let list = self.answers_a_list();
        let parameters = self.object["parameters"].as_array();
        let prefers = parameters.is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "Prefer"));
        let own = format!("{}/{{id}}", self.path);
        let readable = self.gettable.iter().find(|(path, _)| *path == own).map(|(_, operation)| operation);
        let Some(responses) = self.object["responses"].as_object_mut() else { return };
        for (status, response) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            let made = status == "201";
            if response["description"].as_str().unwrap_or_default().is_empty() {
                response["description"] = json!(match status.as_str() {
                    "201" => "Made; `Location` says where.",
                    "202" => "Under way; `Location` says where to follow it.",
                    "204" => "Done; there is nothing to say.",
                    _ => "As asked for.",
                });
            }
            let accepted = status == "202";
            let fields = [
                ("ETag", tagged.contains(&status.as_str())),
                ("Location", made || accepted),
                ("Link", list),
                ("Preference-Applied", accepted && prefers),
            ];
            let fields = fields.iter().filter(|(_, applies)| *applies).map(|(name, _)| *name);
            let mut all = headers(fields);
            if let Some(declared) = response.get_mut("headers").and_then(Value::as_object_mut) {
                all.append(declared);
            }
            response["headers"] = Value::Object(all);
            finish_content(response, self.schemas);
            if list && status == "200" {
                add_files(response);
            }
            if response["content"].get("text/csv").is_some() {
                response["headers"]["Content-Disposition"] =
                    json!({ "$ref": "#/components/headers/Content-Disposition" });
            }
            if let (Some(operation), true) = (readable, made) {
                response["links"] = json!({ operation.clone(): {
                    "operationId": operation, "parameters": { "id": "$response.body#/id" },
                    "description": "The record that was made.",
                }});
            }
        }
    }

    /// Adds the shared failures that follow from the method, the path, the parameters and the body.
    fn failures(&mut self, guarded: bool) {
        let is_api = self.path.starts_with("/v1/");
        let has_body = self.object.get("requestBody").is_some();
        let has_parameters = self.object.get("parameters").is_some();
        let form = self.takes_a_form();
        let writes = is_api && self.method != "get" && !form;
        let patches = self.method == "patch";
        let reads_record = self.method == "get" && self.answers_a_record();
        let failures = [
            (reads_record, "304", "NotModified"),
            (has_parameters || has_body, "400", "BadRequest"),
            (guarded, "401", "Unauthorized"),
            (guarded, "403", "Forbidden"),
            (self.path.contains('{'), "404", "NotFound"),
            (is_api, "406", "NotAcceptable"),
            (has_body, "408", "RequestTimeout"),
            (writes, "409", "Conflict"),
            (patches || self.method == "put" || self.method == "delete", "412", "PreconditionFailed"),
            (has_body, "413", "ContentTooLarge"),
            (has_body, "415", "UnsupportedMediaType"),
            (writes, "422", "UnprocessableContent"),
            (patches, "428", "PreconditionRequired"),
            (true, "429", "TooManyRequests"),
            (true, "500", "InternalServerError"),
            (true, "503", "ServiceUnavailable"),
        ];
        let Some(responses) = self.object["responses"].as_object_mut() else { return };
        for (_, status, name) in failures.iter().filter(|(applies, ..)| *applies) {
            let shape = if form && OF_FORMS.contains(name) { "Oauth" } else { "" };
            let shared = || json!({ "$ref": format!("#/components/responses/{shape}{name}") });
            responses.entry(*status).or_insert_with(shared);
        }
        for response in
            responses.values_mut().filter(|r| r.get("$ref").is_none() && r.get("headers").is_none())
        {
            response["headers"] = Value::Object(headers([]));
        }
        let sorted: BTreeMap<_, _> = std::mem::take(responses).into_iter().collect();
        responses.extend(sorted);
    }

    fn takes_a_file(&self) -> bool {
        let content = self.object.pointer("/requestBody/content");
        content.is_some_and(|content| FILES.iter().any(|media| content.get(*media).is_some()))
    }

    fn takes_a_form(&self) -> bool {
        let content = self.object.pointer("/requestBody/content");
        content.is_some_and(|content| content.get(FORM).is_some())
    }

    fn answers_a_record(&self) -> bool {
        ["200", "201"].iter().any(|status| self.answer_has(status, "id"))
    }

    fn answers_a_list(&self) -> bool {
        self.answer_has("200", "next_cursor")
    }

    fn answer_has(&self, status: &str, member: &str) -> bool {
        let schema = self.object.pointer(&format!("/responses/{status}/content/application~1json/schema"));
        let name = schema.and_then(name_of);
        name.is_some_and(|name| self.schemas[name]["properties"].get(member).is_some())
    }
}

/// Moves the example of a parameter into its schema: Swagger UI fills the example of a parameter into its form, and every
/// list would start filtered.
fn unfill(parameter: &mut Value) {
    let example = parameter.as_object_mut().and_then(|members| members.remove("example"));
    if let (Some(example), None) = (example, parameter["schema"].get("$ref")) {
        parameter["schema"]["examples"] = json!([example]);
    }
}

/// Adds the file formats to the answer of a list.
fn add_files(response: &mut Value) {
    let id = "01936f2e-4b00-7000-8000-000000000001";
    for (media, example) in FILES.into_iter().zip([format!("id\n{id}\n"), format!("{{\"id\":\"{id}\"}}\n")]) {
        let schema = json!({ "type": "string", "maxLength": STREAM });
        response["content"][media] = json!({ "schema": schema, "example": example });
    }
}

/// Gives an answer's body an example where the body has a schema, and a bound where the body is plain text.
fn finish_content(response: &mut Value, schemas: &Value) {
    let contents = response.get_mut("content").and_then(Value::as_object_mut);
    for media in contents.into_iter().flat_map(|content| content.values_mut()) {
        if let Some(name) = media.get("schema").and_then(name_of)
            && let Some(example) = schemas[name]["examples"].get(0)
        {
            media["example"] = example.clone();
        }
        if media["schema"]["type"] == "string" && media["schema"].get("maxLength").is_none() {
            media["schema"]["maxLength"] = json!(16 * 1024 * 1024);
        }
    }
}

/// `list_users` -> `listUsers`.
fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let head = letters.next().map(|c| c.to_ascii_uppercase());
        name + &head.into_iter().chain(letters).collect::<String>()
    })
}
