//! Finishing the OpenAPI document: the parts that all operations share are added here, not in each handler.
//!
//! `components` holds the shared header fields, parameters and answers, `operation` decides which of these an operation
//! has, `schemas` gives the schemas bounds and examples.

#![expect(clippy::indexing_slicing, reason = "reading a member that a JSON value lacks gives null")]

mod components;
mod operation;
mod schemas;

use serde_json::{Value, json};

/// The callers of a guarded operation.
pub struct Admission {
    /// The roles that may call the operation.
    pub roles: Vec<&'static str>,
    /// The scope an API client needs; none where `without_scope` decides.
    pub scope: Option<&'static str>,
    /// For an operation without a scope: whether every API client may call the operation, or people only.
    pub without_scope: bool,
}

/// The facts of the service that the finished document says beside the handlers' own.
pub struct Finishing<'a> {
    /// The callers of an operation, by operation id; none of an operation that is open to everybody.
    pub admission: &'a dyn Fn(&str) -> Option<Admission>,
    /// The `id` of a path that is more than a record's id, by path.
    pub path_key: &'a dyn Fn(&str) -> Option<PathKey>,
}

/// The `id` of a path.
#[derive(Clone, Copy, Debug)]
pub struct PathKey {
    /// The name of the schema.
    pub schema: &'static str,
    /// An example: a record of the demonstration data.
    pub example: &'static str,
}

/// Completes the document that was collected from the handlers.
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
