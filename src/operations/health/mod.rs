//! Health and metrics, for load balancers and monitors.

pub mod api;
mod monitor;

use crate::{
    platform::http::docs,
    slice::{Slice, Tag},
};
pub use monitor::Monitor;

/// The declaration of this slice.
pub const SLICE: Slice = Slice {
    routes: |config| {
        api::routes(config);
        docs::routes(config);
    },
    tag: Some(Tag { name: "service", description: "Health, metrics, this document, the problem pages." }),
    ..Slice::named("operations::health")
};
