//! The conventions of the API, one file for each.

mod answer;
mod body;
mod conditions;
mod contract;
pub mod docs;
mod document;
mod door;
mod edge;
mod export;
mod faults;
mod finish;
mod form;
mod line;
mod metrics;
mod negotiation;
mod pace;
mod page;
mod preference;
mod problem;
mod proxies;
mod public_address;
mod query;
mod rate_limit;
mod slots;
mod unread;
mod upload;

pub use answer::Answer;
pub use body::{Body, BodyLimits, Checked, Repeatable, Wire, double_option, faultless};
pub use conditions::{IdempotencyKey, IfMatch};
pub use contract::{Contract, Operation};
pub use door::{Door, Doorway};
pub use edge::{Closing, Edge, RequestId, SignedIn, edge};
pub use export::{File, FileFormat, FileKind, Listing, Pieces, Terms};
pub use faults::{TARGETS_OF_CLIENTS_FAULTS, faults, no_such_address};
pub use finish::{Admission, Finishing, PathKey, finish};
pub use form::Form;
pub use line::{Line, allow_many_files};
pub use metrics::{NAMESPACE, RequestMetrics};
pub use negotiation::{Media, Reader, Rendering, XmlOrCsv};
pub use pace::Pace;
pub use page::{Cursor, Listed, NoFilter, Page, PageParams, PageRequest, SortKey};
pub use preference::{Preference, Preferred};
pub use problem::{Conflict, OauthError, Problem, problem_response};
pub use proxies::{TrustedProxies, address_of};
pub use public_address::PublicAddress;
pub use query::Query;
pub use rate_limit::{Quota, RateLimit, network_of};
pub use slots::{Full, Slot, Slots};
pub use upload::{Incoming, Upload};

pub(crate) use page::{coalesce, keyset, matches_value, page_of, unindexed};

/// The path parameter of a record's address. A text that is no id makes the address one that does not exist.
pub type Path<T> = actix_web::web::Path<T>;
