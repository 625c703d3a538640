//! The bytes of files for banks and from banks: account numbers stand in them, so they are kept sealed, in pieces.

mod hashed;
mod reader;
mod store;

use crate::{
    access::SealedColumn,
    platform::{
        db::BytesColumn,
        values::{Id, Timestamp},
    },
    schema::bank_file_pieces,
    slice::Slice,
};
use diesel::prelude::*;
pub use hashed::{Hashed, Sum};
pub use reader::KeptBytes;
pub use store::{count, keep, make_whole, opened, remove, sum};

/// The most bytes of a piece: a unit writes one or a few, and each row is read as a whole.
pub const PIECE: usize = 512 * 1024;

/// The pieces.
const PIECES: SealedColumn = SealedColumn {
    at: BytesColumn { table: "bank_file_pieces", row: "id", column: "bytes" },
    record: "bank_file_piece",
    once_clear: false,
};

/// A piece of a file.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = bank_file_pieces)]
struct Piece {
    id: Id,
    content_id: Id,
    place: i64,
    bytes: Vec<u8>,
    /// Whether all pieces of the file are there.
    is_whole: bool,
    kept_at: Timestamp,
}

/// The declaration of this slice.
pub const SLICE: Slice =
    Slice { sealed: &[PIECES], sweep: Some(store::sweep), ..Slice::named("payouts::sealed_files") };
