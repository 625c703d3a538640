//! The pages for people: Swagger UI, the problem pages, the contract.

use super::{Contract, PublicAddress, Reader, contract::entity_tag, negotiation::written_in};
use crate::platform::{
    Code, Error,
    values::{Locale, Timestamp, Words},
};
use actix_web::{HttpRequest, HttpResponse, Responder, get, http::header, web};
use serde_json::{Value, json};
use std::fmt::Write;
use utoipa_actix_web::service_config::ServiceConfig;

/// The problem codes of the whole service, for the problem pages.
pub struct ProblemCatalogue(pub Vec<&'static Code>);

/// Adds Swagger UI under `/docs/`, from files in the binary.
pub fn swagger_ui(config: &mut web::ServiceConfig) {
    config
        .route("/docs", web::get().to(|| async { web::Redirect::to("docs/").permanent() }))
        .route("/docs/swagger-initializer.js", web::get().to(initializer))
        .service(utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}"));
}

async fn initializer() -> impl Responder {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .body(include_str!("swagger-initializer.js"))
}

/// Adds the routes of the contract, the problem pages and the security contact.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(get_openapi)
        .service(get_openapi_yaml)
        .service(list_problems)
        .service(get_problem)
        .service(get_security_contact);
}

/// The OpenAPI document
///
/// The contract of this service, OpenAPI 3.1, generated from its handlers. Answers 304 where `If-None-Match`
/// names the current one.
#[utoipa::path(tag = "service", responses((status = 200, description = "The document.", content_type = "application/json", body = Object, example = json!({"openapi": "3.1.0"}))))]
#[get("/openapi.json")]
async fn get_openapi(document: web::Data<ServedDocument>, request: HttpRequest) -> impl Responder {
    let link = format!("<{}/openapi.json>; rel=\"service-desc\"", PublicAddress::of(&request));
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::ETAG, document.etag.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::LINK, link))
        .body(document.json.clone())
}

/// The OpenAPI document as YAML
///
/// The same contract as `/openapi.json`, for people and tools that read YAML.
#[utoipa::path(tag = "service", responses((status = 200, description = "The document.", content_type = "application/yaml", body = String, example = "openapi: \"3.1.0\"")))]
#[get("/openapi.yaml")]
async fn get_openapi_yaml(document: web::Data<ServedDocument>) -> impl Responder {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/yaml"))
        .insert_header((header::ETAG, document.etag.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(yaml(&document.value))
}

/// The OpenAPI document as this service sends it: the contract, with the address that people reach the service at.
pub struct ServedDocument {
    value: Value,
    json: String,
    etag: String,
}

impl ServedDocument {
    /// The document of a contract, for a service at this address.
    #[must_use]
    pub fn of(contract: &Contract, address: Option<&str>) -> Self {
        let Some(address) = address else {
            let (value, json, etag) =
                (contract.document.clone(), contract.json.clone(), contract.etag.clone());
            return Self { value, json, etag };
        };
        let mut value = contract.document.clone();
        if let Some(servers) = value.get_mut("servers") {
            *servers = json!([{"url": address, "description": "This service."}]);
        }
        let json = serde_json::to_string_pretty(&value).unwrap_or_default();
        let etag = entity_tag(&json);
        Self { value, json, etag }
    }
}

/// Whom to tell about a weakness
///
/// RFC 9116.
#[utoipa::path(tag = "service", responses((status = 200, description = "The contact.", content_type = "text/plain", body = String, example = "Contact: mailto:security@example.org")))]
#[get("/.well-known/security.txt")]
async fn get_security_contact(contact: web::Data<SecurityContact>) -> impl Responder {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8")).body(format!(
        "Contact: {}\nExpires: {}\nPreferred-Languages: en, ja\n",
        contact.address, contact.expires
    ))
}

/// The contact for reports about a weakness of the service (RFC 9116).
pub struct SecurityContact {
    /// The URI of the contact, such as `mailto:security@example.org`.
    pub address: String,
    /// The instant until which the contact is valid.
    pub expires: Timestamp,
}

/// A JSON value in YAML's block style. Texts are quoted as in JSON, which is valid YAML.
fn yaml(value: &Value) -> String {
    // Writing into a `String` cannot fail.
    fn block(value: &Value, indent: usize, out: &mut String) {
        let pad = "  ".repeat(indent);
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, member) in members {
                    let _ = write!(out, "\n{pad}{}:", Value::from(name.as_str()));
                    block(member, indent + 1, out);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    let _ = write!(out, "\n{pad}-");
                    block(item, indent + 1, out);
                }
            }
            scalar => drop(write!(out, " {scalar}")),
        }
    }
    let mut out = String::new();
    block(value, 0, &mut out);
    out.trim_start().to_owned() + "\n"
}

/// The kinds of problem
///
/// A page that lists every problem code of the service.
#[utoipa::path(tag = "service", responses((status = 200, description = "The page.", content_type = "text/html", body = String, example = "<!doctype html>")))]
#[get("/problems")]
async fn list_problems(catalogue: web::Data<ProblemCatalogue>, request: HttpRequest) -> impl Responder {
    let language = Reader::of(&request).language();
    let mut rows = String::new();
    for code in &catalogue.0 {
        let _ = write!(
            rows,
            "<li><a href=\"problems/{0}\">{0}</a> ({1}): {2}</li>",
            code.code,
            code.status,
            language.of(code.title)
        );
    }
    let title = language.of(Words::new("Problems", "問題の一覧"));
    page(language, title, &format!("<ul>{rows}</ul>"))
}

/// One kind of problem
///
/// The page a problem's `type` points to: what it means and how to mend it.
#[utoipa::path(
    tag = "service",
    params(("code" = String, Path, description = "The problem's code.", max_length = 60, example = "not_found")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String, example = "<!doctype html>"))
)]
#[get("/problems/{code}")]
async fn get_problem(
    code: web::Path<String>,
    catalogue: web::Data<ProblemCatalogue>,
    request: HttpRequest,
) -> Result<impl Responder, Error> {
    let code = catalogue
        .0
        .iter()
        .find(|c| c.code == code.as_str())
        .ok_or(Error::not_found("problem code", "問題コード"))?;
    let language = Reader::of(&request).language();
    let body = format!(
        "<p>HTTP <strong>{}</strong>, <code>{}</code></p><p>{}</p><p><a href=\"../problems\">{}</a></p>",
        code.status,
        code.code,
        language.of(code.help).replace('<', "&lt;"),
        language.of(Words::new("All problems", "問題の一覧")),
    );
    Ok(page(language, language.of(code.title), &body))
}

fn page(language: Locale, title: &str, body: &str) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    written_in(language, &mut response);
    response
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(format!(
            "<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><title>{title}</title><h1>{title}</h1>{body}</html>"
        ))
}

#[cfg(test)]
mod tests {
    use super::yaml;
    use serde_json::json;

    #[test]
    fn yaml_says_what_the_json_says() {
        let value = json!({
            "a": { "b": "it's: \"x\"\nno" }, "list": [{ "n": 1, "none": null }, [true], []], "empty": {},
        });
        let text = "\
\"a\":
  \"b\": \"it's: \\\"x\\\"\\nno\"
\"list\":
  -
    \"n\": 1
    \"none\": null
  -
    - true
  - []
\"empty\": {}
";
        assert_eq!(yaml(&value), text);
    }
}
