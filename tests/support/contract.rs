//! Checks every answer against the OpenAPI document: the operation, the status, the media type and the header fields are
//! documented, and the body is valid by its schema and has no other members.
//!
//! Schemas are addressed by JSON pointers into the document, which the validator knows as one resource: `#/components/...`
//! resolves by itself, and each schema is compiled at its first use.

use super::client::{Answer, media_type};
use jsonschema::{Draft, Registry, Validator};
use partner_incentives::app;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

/// The addresses outside the contract: the contract itself, and the pages that show the contract. A slash at the end
/// stands for all addresses below.
const EXEMPT: &[&str] = &["/openapi.json", "/openapi.yaml", "/docs", "/docs/"];

/// The statuses that any address may answer without documenting them, because the request was not routed.
const UNROUTED: &[u16] = &[400, 404, 405, 408, 414, 431];

/// The URI by which the validator knows the document.
const DOCUMENT: &str = "urn:contract";

/// The OpenAPI document, prepared for checking answers.
pub struct Contract {
    document: Value,
    registry: Registry<'static>,
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    /// The contract of the service.
    pub fn of_the_service() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| Self::new(app::document()))
    }

    /// The contract of an OpenAPI 3.1 document.
    pub fn new(document: Value) -> Self {
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(DOCUMENT, document.clone())
            .and_then(jsonschema::RegistryBuilder::prepare)
            .expect("the contract can be referred to");
        Self { document, registry, compiled: Mutex::default() }
    }

    /// Every fault of the answer to a request against the contract.
    pub fn breaches(&self, method: &str, path: &str, answer: &Answer) -> Vec<String> {
        if EXEMPT.iter().any(|exempt| path == *exempt || exempt.ends_with('/') && path.starts_with(exempt)) {
            return Vec::new();
        }
        // HEAD is GET without the body, on every address.
        let operation = if method == "HEAD" { "get" } else { &method.to_ascii_lowercase() };
        let found = self.template(path).map(|template| at(&at("/paths", &template), operation));
        let response = match found.as_deref().and_then(|at| Some((at, self.document.pointer(at)?))) {
            Some((operation, _)) => self.response(operation, answer.status),
            None if method == "OPTIONS" && answer.status < 300 => return Vec::new(),
            None if UNROUTED.contains(&answer.status) => None,
            None => return vec![format!("{method} {path} is in no way documented")],
        };
        let media = media_type(&answer.headers);
        let Some(response) = response else {
            if !UNROUTED.contains(&answer.status) {
                return vec![format!("status {} is not documented for {method} {path}", answer.status)];
            }
            return match media.as_deref() {
                Some(PROBLEM) => self.body("/components/schemas/Problem", PROBLEM, answer),
                _ if method == "HEAD" => Vec::new(),
                other => vec![format!("a problem, and its media type is {other:?}")],
            };
        };

        let mut breaches = Vec::new();
        for field in ["Location", "ETag"] {
            let documented = self.document.pointer(&format!("{response}/headers/{field}")).is_some();
            if answer.header(field).is_none() && (documented || field == "Location" && answer.status == 201) {
                breaches.push(format!("there is no {field} field"));
            }
        }
        let content = self.document.pointer(&at(&response, "content")).and_then(Value::as_object);
        let empty = answer.bytes.is_empty();
        match (content.filter(|content| !content.is_empty()), media) {
            (None, _) if empty => {}
            (None, _) => breaches.push("there is a body, and none is documented".into()),
            (Some(_), _) if empty && method == "HEAD" => {}
            (Some(content), Some(media)) => match content.keys().find(|known| matches(known, &media)) {
                Some(known) => {
                    let schema = at(&at(&at(&response, "content"), known), "schema");
                    breaches.extend(self.body(&schema, &media, answer));
                }
                None => breaches.push(format!("the media type {media} is not documented")),
            },
            (Some(_), None) => breaches.push("there is no media type".into()),
        }
        breaches
    }

    /// The path of the contract that an address matches; the one with most literal segments.
    fn template(&self, path: &str) -> Option<String> {
        let asked: Vec<&str> = path.split('/').collect();
        let is_parameter = |segment: &&str| segment.starts_with('{');
        self.document["paths"]
            .as_object()?
            .keys()
            .filter(|template| {
                let segments: Vec<&str> = template.split('/').collect();
                segments.len() == asked.len()
                    && segments.iter().zip(&asked).all(|(known, asked)| known == asked || is_parameter(known))
            })
            .min_by_key(|template| template.split('/').filter(is_parameter).count())
            .cloned()
    }

    /// The pointer to the description of a status: under the status, its class, or the default.
    fn response(&self, operation: &str, status: u16) -> Option<String> {
        [status.to_string(), format!("{}XX", status / 100), "default".into()]
            .iter()
            .map(|key| at(&at(operation, "responses"), key))
            .find(|pointer| self.document.pointer(pointer).is_some())
            .map(|pointer| self.followed(pointer))
    }

    /// Adds the faults of a body that is not valid, or has a member its schema does not name. A problem document may have
    /// further members (RFC 9457).
    fn body(&self, schema: &str, media: &str, answer: &Answer) -> Vec<String> {
        if self.document.pointer(schema).is_none() || media != "application/json" && !media.ends_with("+json")
        {
            return Vec::new();
        }
        let validator = self.validator(schema);
        let mut breaches: Vec<String> = validator
            .iter_errors(&answer.body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        if media != PROBLEM && breaches.is_empty() {
            self.unknown_members(&[schema.to_owned()], &answer.body, "", &mut breaches);
        }
        breaches
    }

    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let compile = || {
            let schema = json!({ "$ref": format!("{DOCUMENT}#{}", percent_encoded(pointer)) });
            let options = jsonschema::options().with_draft(Draft::Draft202012).with_registry(&self.registry);
            let built = options.should_validate_formats(true).build(&schema);
            Arc::new(built.unwrap_or_else(|error| panic!("{pointer} is no schema: {error}")))
        };
        compiled.entry(pointer.to_owned()).or_insert_with(compile).clone()
    }

    /// Lists the members, at any depth, that none of the schemas names. A schema with `additionalProperties`, or without
    /// any named member, decides by itself.
    fn unknown_members(&self, schemas: &[String], value: &Value, path: &str, unknown: &mut Vec<String>) {
        let mut shapes = Vec::new();
        for schema in schemas {
            self.shapes(schema.clone(), value, &mut shapes);
        }
        let keyword = |name: &str| -> Vec<String> {
            let pointers = shapes.iter().map(|shape| at(shape, name));
            pointers.filter(|pointer| self.document.pointer(pointer).is_some()).collect()
        };
        match value {
            Value::Array(items) => {
                let schemas = keyword("items");
                for (index, item) in items.iter().enumerate() {
                    self.unknown_members(&schemas, item, &format!("{path}/{index}"), unknown);
                }
            }
            Value::Object(members) => {
                let (named, additional) = (keyword("properties"), keyword("additionalProperties"));
                for (name, member) in members {
                    let path = format!("{path}/{name}");
                    let pointers = named.iter().map(|properties| at(properties, name));
                    let schemas: Vec<String> =
                        pointers.filter(|pointer| self.document.pointer(pointer).is_some()).collect();
                    if !schemas.is_empty() {
                        self.unknown_members(&schemas, member, &path, unknown);
                    } else if !additional.is_empty() {
                        self.unknown_members(&additional, member, &path, unknown);
                    } else if !named.is_empty() {
                        unknown.push(format!("{path}: the contract does not know this member"));
                    }
                }
            }
            _ => {}
        }
    }

    /// The schemas that together describe a value: references are followed, `allOf` is joined, and of `oneOf` and `anyOf`
    /// the alternatives that accept the value count.
    fn shapes(&self, pointer: String, value: &Value, shapes: &mut Vec<String>) {
        let pointer = self.followed(pointer);
        for (keyword, chosen) in [("allOf", false), ("oneOf", true), ("anyOf", true)] {
            let branches = at(&pointer, keyword);
            let count = self.document.pointer(&branches).and_then(Value::as_array).map_or(0, Vec::len);
            for branch in (0..count).map(|index| at(&branches, &index.to_string())) {
                if !chosen || self.validator(&branch).is_valid(value) {
                    self.shapes(branch, value, shapes);
                }
            }
        }
        shapes.push(pointer);
    }

    fn followed(&self, mut pointer: String) -> String {
        while let Some(Value::String(target)) = self.document.pointer(&at(&pointer, "$ref")) {
            pointer = target.trim_start_matches('#').to_owned();
        }
        pointer
    }
}

const PROBLEM: &str = "application/problem+json";

/// The pointer to a member.
fn at(pointer: &str, member: &str) -> String {
    format!("{pointer}/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// A pointer, escaped for a URI fragment.
fn percent_encoded(pointer: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let encoded = pointer
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") });
    encoded.collect()
}

/// Whether a documented media type, or a range such as `text/*`, covers a media type.
fn matches(known: &str, media: &str) -> bool {
    let known = known.split(';').next().unwrap_or_default().trim();
    known == "*/*" || known == media || known.strip_suffix('*').is_some_and(|range| media.starts_with(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract() -> Contract {
        Contract::new(json!({
            "openapi": "3.1.0",
            "paths": {
                "/v1/things/{id}": {"get": {"responses": {
                    "200": {
                        "headers": {"ETag": {"schema": {"type": "string"}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "4XX": {"$ref": "#/components/responses/Problem"},
                }}},
                "/v1/things": {"post": {"responses": {"201": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                }}}},
            },
            "components": {
                "responses": {"Problem": {
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }},
                "schemas": {
                    "Thing": {
                        "type": "object",
                        "required": ["day"],
                        "properties": {
                            "id": {"type": "string"},
                            "day": {"type": "string", "format": "date"},
                            "parts": {"type": "array", "items": {"oneOf": [
                                {"$ref": "#/components/schemas/Wheel"},
                                {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "seat"}}},
                            ]}},
                            "tags": {"type": "object", "additionalProperties": {"type": "string"}},
                            "anything": {"type": "object"},
                        },
                    },
                    "Wheel": {"allOf": [
                        {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "wheel"}}},
                        {"type": "object", "properties": {"size": {"type": "integer"}}},
                    ]},
                    "Problem": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}},
                },
            },
        }))
    }

    fn breaches(method: &str, path: &str, answer: Answer) -> String {
        contract().breaches(method, path, &answer).join("; ")
    }

    fn thing(body: Value) -> Answer {
        Answer::of(200, &[("content-type", "application/json; charset=utf-8"), ("etag", "\"1\"")], body)
    }

    #[test]
    fn an_answer_as_promised_passes() {
        let body = json!({
            "id": "7",
            "day": "2018-07-01",
            "parts": [{"kind": "wheel", "size": 3}, {"kind": "seat"}],
            "tags": {"a": "b"},
            "anything": {"goes": [{"here": 1}]},
        });
        assert_eq!((thing(body.clone()).id(), thing(body.clone()).etag()), ("7".into(), "\"1\"".into()));
        assert_eq!(breaches("GET", "/v1/things/7", thing(body)), "");
        let problem =
            Answer::of(404, &[("content-type", PROBLEM)], json!({"code": "not_found", "more": true}));
        assert_eq!(breaches("GET", "/v1/things/7", problem), "");
        assert_eq!(breaches("GET", "/docs/index.html", Answer::of(200, &[], Value::Null)), "");
    }

    #[test]
    fn a_broken_promise_is_named() {
        let cases = [
            (thing(json!({"day": "1 July"})), "/day: \"1 July\" is not a \"date\""),
            (thing(json!({})), "\"day\" is a required property"),
            (thing(json!({"day": "2018-07-01", "new": 1})), "/new: the contract does not know this member"),
            (
                thing(json!({"day": "2018-07-01", "parts": [{"kind": "seat", "size": 3}]})),
                "/parts/0/size: the contract does not know this member",
            ),
            (thing(json!({"day": "2018-07-01", "tags": {"a": 1}})), "/tags/a: 1 is not of type \"string\""),
            (Answer::of(204, &[], Value::Null), "status 204 is not documented"),
            (
                Answer::of(200, &[("content-type", "text/csv"), ("etag", "x")], json!(1)),
                "text/csv is not documented",
            ),
            (
                Answer::of(200, &[("content-type", "application/json")], json!({"day": "2018-07-01"})),
                "there is no ETag field",
            ),
            (Answer::of(409, &[("content-type", PROBLEM)], json!({})), "\"code\" is a required property"),
        ];
        for (answer, expected) in cases {
            let found = breaches("GET", "/v1/things/7", answer);
            assert!(found.contains(expected), "{expected:?} is not in {found:?}");
        }
        let created = Answer::of(201, &[("content-type", "application/json")], json!({"day": "2018-07-01"}));
        assert_eq!(breaches("POST", "/v1/things", created), "there is no Location field");
    }

    #[test]
    fn an_unknown_address_answers_with_a_problem_and_nothing_else() {
        let problem = || Answer::of(404, &[("content-type", PROBLEM)], json!({"code": "not_found"}));
        assert_eq!(breaches("GET", "/v1/nowhere", problem()), "");
        assert_eq!(breaches("DELETE", "/v1/things/7", problem()), "");
        let page = Answer::of(404, &[("content-type", "text/html")], Value::Null);
        assert!(breaches("GET", "/v1/nowhere", page).contains("a problem"));
        assert!(breaches("GET", "/v1/nowhere", thing(json!({}))).contains("in no way documented"));
    }
}
