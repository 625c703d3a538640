//! Finishing the OpenAPI document: what holds for every operation is written here once, not in each handler.
//!
//! `components` are the fields and answers all operations share, `operation` says which of them an operation
//! has, `schemas` bounds the schemas and gives them examples.

#![expect(clippy::indexing_slicing, reason = "reading a member that a JSON value lacks gives null")]

mod components;
mod operation;
mod schemas;

use serde_json::{Value, json};

/// What guards an operation.
pub struct Guard {
    /// Who may call it.
    pub roles: Vec<&'static str>,
    /// The scope an API client needs.
    pub scope: Option<&'static str>,
    /// Where there is none: whether any API client may call it, or people only.
    pub without_scope: bool,
}

/// What the document's finishing needs to know beyond the handlers.
pub struct Finishing<'a> {
    /// What guards an operation, by operation id; `None` where it is open to everybody.
    pub guard: &'a dyn Fn(&str) -> Option<Guard>,
    /// A record to try a path with, by path: an id that demonstrations have.
    pub example_id: &'a dyn Fn(&str) -> Option<&'static str>,
}

/// Completes a document collected from the handlers.
#[must_use]
pub fn finish(mut document: Value, finishing: &Finishing<'_>) -> Value {
    components::add(&mut document);
    for server in document["servers"].as_array_mut().into_iter().flatten() {
        server["x-internal"] = json!(false);
    }
    let schemas = schemas::finish(document["components"]["schemas"].take());
    operation::finish_all(&mut document["paths"], &schemas, finishing);
    document["components"]["schemas"] = schemas;
    document
}
