//! The pieces in the database.

use super::{Hashed, PIECES, Piece, Sum};
use crate::{
    access::Tx,
    platform::{
        Error, Result,
        db::{Conn, native},
        values::{Id, Timestamp},
    },
    schema::bank_file_pieces,
};
use diesel::prelude::*;
use std::io::Write;

/// Seconds that the pieces of a file which did not arrive as a whole stay.
const STAY: i64 = 86_400;
/// The most pieces that one statement removes.
const AT_ONCE: i64 = 64;

/// Keeps the next bytes of a file, sealed.
pub fn keep(tx: &mut Tx<'_>, content_id: Id, place: i64, bytes: &[u8]) -> Result<()> {
    let id = tx.new_id();
    let bytes = PIECES.seal(tx.vault(), id, bytes)?;
    let piece = Piece { id, content_id, place, bytes, is_whole: false, kept_at: tx.now };
    native!(tx.conn, conn => diesel::insert_into(bank_file_pieces::table).values(piece).execute(conn)?);
    Ok(())
}

/// Notes that all pieces of a file are there: from now on they stay.
pub fn make_whole(tx: &mut Tx<'_>, content_id: Id) -> Result<()> {
    let pieces = bank_file_pieces::table.filter(bank_file_pieces::content_id.eq(content_id));
    diesel::update(pieces).set(bank_file_pieces::is_whole.eq(true)).execute(tx.conn)?;
    Ok(())
}

/// The bytes of a piece; none behind the last one.
pub fn opened(tx: &mut Tx<'_>, content_id: Id, place: i64) -> Result<Option<Vec<u8>>> {
    let piece = bank_file_pieces::table
        .filter(bank_file_pieces::content_id.eq(content_id))
        .filter(bank_file_pieces::place.eq(place))
        .select(Piece::as_select());
    let found: Option<Piece> = piece.get_result(tx.conn).optional()?;
    found.map(|piece| PIECES.open(tx.vault(), piece.id, &piece.bytes)).transpose()
}

/// The length and the SHA-256 of a file as it is kept, piece by piece.
pub fn sum(tx: &mut Tx<'_>, content_id: Id) -> Result<Sum> {
    let (mut hashed, mut place) = (Hashed::default(), 0);
    while let Some(bytes) = opened(tx, content_id, place)? {
        hashed.write_all(&bytes).map_err(Error::internal)?;
        drop(hashed.take(0));
        place += 1;
    }
    Ok(hashed.sum())
}

/// The number of a file's pieces.
pub fn count(tx: &mut Tx<'_>, content_id: Id) -> Result<i64> {
    let pieces = bank_file_pieces::table.filter(bank_file_pieces::content_id.eq(content_id));
    Ok(pieces.count().get_result(tx.conn)?)
}

/// Removes pieces of a file, some at a time; returns how many were removed.
pub fn remove(tx: &mut Tx<'_>, content_id: Id) -> Result<usize> {
    let pieces = bank_file_pieces::table.filter(bank_file_pieces::content_id.eq(content_id));
    let ids = pieces.select(bank_file_pieces::id).order(bank_file_pieces::place).limit(AT_ONCE);
    let ids: Vec<Id> = ids.load(tx.conn)?;
    Ok(diesel::delete(bank_file_pieces::table.filter(bank_file_pieces::id.eq_any(ids))).execute(tx.conn)?)
}

/// Removes pieces of files that did not arrive as a whole.
pub(super) fn sweep(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let left_behind = bank_file_pieces::table
        .filter(bank_file_pieces::is_whole.eq(false))
        .filter(bank_file_pieces::kept_at.lt(now.plus_seconds(-STAY)))
        .select(bank_file_pieces::id)
        .limit(AT_ONCE);
    let ids: Vec<Id> = left_behind.load(conn)?;
    Ok(diesel::delete(bank_file_pieces::table.filter(bank_file_pieces::id.eq_any(ids))).execute(conn)?)
}
