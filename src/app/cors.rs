//! Cross-origin requests: the origins whose pages may call the service from a browser.

use actix_cors::Cors;

/// Allows pages of these origins every operation of the contract.
pub(super) fn allow(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            "authorization",
            "content-type",
            "if-match",
            "if-none-match",
            "idempotency-key",
            "prefer",
            "x-request-id",
        ])
        .expose_headers([
            "allow",
            "content-disposition",
            "etag",
            "link",
            "location",
            "preference-applied",
            "ratelimit",
            "ratelimit-policy",
            "retry-after",
            "x-request-id",
        ])
        .max_age(3600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
