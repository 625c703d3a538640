//! The components that operations share: header fields, parameters and answers.

use serde_json::{Map, Value, json};

/// The header fields of every answer.
const COMMON: [&str; 4] = ["X-Request-Id", "RateLimit", "RateLimit-Policy", "Access-Control-Allow-Origin"];

/// The shared failures of operations that take the form of an OAuth client, each by another answer of `Oauth` and the name.
pub(super) const OF_FORMS: [&str; 8] = [
    "BadRequest",
    "NotAcceptable",
    "RequestTimeout",
    "ContentTooLarge",
    "UnsupportedMediaType",
    "TooManyRequests",
    "InternalServerError",
    "ServiceUnavailable",
];

/// The header fields of an answer: the common fields and `more`.
pub(super) fn headers<'a>(more: impl IntoIterator<Item = &'a str>) -> Map<String, Value> {
    let shared = |name: &str| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") }));
    COMMON.into_iter().chain(more).map(shared).collect()
}

/// Adds the shared components to a document.
pub(super) fn add(document: &mut Value) {
    document["components"]["headers"] = header_fields();
    document["components"]["parameters"] = parameters();
    document["components"]["responses"] = responses();
}

fn header_fields() -> Value {
    let text = |text: &str, length: u32, example: &str| json!({ "description": text, "schema": { "type": "string", "maxLength": length, "examples": [example] } });
    json!({
        "X-Request-Id": text("The request's id, for the log.", 128, "0193a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b"),
        "RateLimit": text("What is left of the limit, where one applies.", 100, "\"default\";r=99;t=1"),
        "RateLimit-Policy": text("The limit, where one applies.", 100, "\"default\";q=1200;w=60"),
        "Access-Control-Allow-Origin": text(
            "The page's origin, where the service is told to let its scripts read the answer; absent by default.",
            255, "https://portal.example.com",
        ),
        "ETag": text("The record's revision and a mark of this representation; send it back in `If-Match`, which compares the revision, to change the record.", 200, "\"3\""),
        "Location": text("Address of the record made.", 200, "/v1/records/01936f2e-4b00-7000-8000-000000000001"),
        "Preference-Applied": text("What of `Prefer` was done.", 100, "respond-async"),
        "Link": text(
            "Address of the next page, where there is one.", 4000,
            "<https://api.example.com/v1/records?cursor=x>; rel=\"next\"",
        ),
        "Content-Disposition": text(
            "What it is called as a file. Of a list, `Accept: text/csv` or `application/x-ndjson` gives all, without pages.",
            200, "attachment; filename=\"records.csv\"",
        ),
        "Retry-After": {
            "description": "Seconds to wait.",
            "schema": { "type": "integer", "format": "int32", "minimum": 0, "maximum": 86400, "examples": [1] },
        },
        "WWW-Authenticate": text("Which scheme opens the door.", 400, "Bearer realm=\"api\", error=\"invalid_token\""),
    })
}

fn parameters() -> Value {
    let parameter = |name: &str, text: &str, schema: Value| json!({ "name": name, "in": "header", "required": false, "description": text, "schema": schema });
    let mut parameters = json!({
        "IdempotencyKey": parameter(
            "Idempotency-Key",
            "Makes the request safe to repeat: the same key with the same request gives the stored answer for 24 hours.",
            json!({ "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]{1,128}$" }),
        ),
        "IfMatch": parameter(
            "If-Match",
            "The `ETag` of the record you read. Needed to change it: 428 without, 412 where the record has changed since.",
            json!({ "type": "string", "minLength": 1, "maxLength": 1000, "examples": ["*"] }),
        ),
        "IfNoneMatch": parameter(
            "If-None-Match", "The `ETag` you have; 304 where the record is still the same.",
            json!({ "type": "string", "minLength": 1, "maxLength": 1000 }),
        ),
    });
    parameters["IfMatch"]["example"] = json!("*");
    parameters
}

fn responses() -> Value {
    let problem = |text: &str, fields: &[&str]| {
        json!({
            "description": text, "headers": headers(fields.iter().copied()),
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        })
    };
    let mut responses = json!({
        "NotModified": { "description": "The caller has this revision already.", "headers": headers(["ETag"]) },
        "BadRequest": problem("The request cannot be read; `detail` says what and where.", &[]),
        "Unauthorized": problem("There is no access token, or it is not accepted.", &["WWW-Authenticate"]),
        "Forbidden": problem("The caller's role may not do this.", &["WWW-Authenticate"]),
        "NotFound": problem("No such record, or it lies outside what the caller may see.", &[]),
        "NotAcceptable": problem("The caller accepts no representation the service has.", &[]),
        "RequestTimeout": problem("The request did not arrive in time.", &[]),
        "Conflict": problem("A business rule or another record stands in the way; `code` says which.", &[]),
        "PreconditionFailed": problem("The record has changed since it was read.", &[]),
        "ContentTooLarge": problem("The body is larger than 1 MiB.", &[]),
        "UnsupportedMediaType": problem("The body is not JSON.", &[]),
        "UnprocessableContent": problem("Some fields are not valid; `errors` lists them all.", &[]),
        "PreconditionRequired": problem("`If-Match` is missing.", &[]),
        "TooManyRequests": problem("Too many requests; wait as long as `Retry-After` says.", &["Retry-After"]),
        "InternalServerError": problem("A fault of the service; nothing was changed.", &[]),
        "ServiceUnavailable": problem("The service cannot answer just now; nothing was changed.", &["Retry-After"]),
    });
    for name in OF_FORMS {
        let mut response = responses[name].clone();
        response["content"] =
            json!({ "application/json": { "schema": { "$ref": "#/components/schemas/OauthError" } } });
        responses[format!("Oauth{name}")] = response;
    }
    responses["OauthUnsupportedMediaType"]["description"] = json!("The body is no form.");
    responses
}
