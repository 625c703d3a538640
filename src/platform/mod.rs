//! How we serve; knows no business word.
//!
//! Nothing in here may name a partner, a program or a rebate: a reader who knows only HTTP and SQL
//! understands every line.

pub mod amounts;
pub mod csv;
pub mod db;
mod error;
pub mod files;
pub mod http;
pub mod objects;
pub mod passphrase_file;
pub mod values;
mod vault;

pub use error::{Code, Error, FieldError, FieldErrorView, codes, cut};
pub use vault::Vault;

/// The result of a fallible function of this service.
pub type Result<T, E = Error> = std::result::Result<T, E>;
