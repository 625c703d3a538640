//! Files that are kept in the database, in pieces, until their import has ended: those that are imported after the answer, and
//! long ones until they have arrived.

use super::{Import, ImportOptions, model::FilePiece, roomy::Roomy, store, view::record_event};
use crate::{
    access::{BackgroundContext, Unaudited},
    platform::{Error, Result, values::Id},
    work::retry,
};
use std::{
    io::{Cursor, Read},
    sync::Arc,
};

/// The bytes of a piece: a unit writes one, and its row is read as a whole.
const PIECE: u64 = 1024 * 1024;
/// The pieces that one unit removes.
const TOGETHER: i64 = 64;

/// Keeps a file, and returns the import that will read the file. Of a file that does not arrive as a whole nothing is
/// kept.
pub(super) fn keep(
    background: &BackgroundContext,
    options: ImportOptions,
    file: impl Read,
) -> Result<Import> {
    let id = background.read(|tx| Ok(tx.new_id()))?;
    let kept = keep_pieces(background, id, file).and_then(|pieces| {
        background.write(move |tx| {
            let import = Import { file_pieces: Some(pieces), ..Import::begun(id, options, tx.now) };
            store::insert(tx, &import)?;
            record_event(tx, None, &import)?;
            Ok(import)
        })
    });
    if kept.is_err() {
        forget(background, id);
    }
    kept
}

/// Does work with a file that has arrived, and keeps the file until the work has ended.
pub(super) fn keep_meanwhile<T>(
    background: &BackgroundContext,
    id: Id,
    file: impl Read,
    work: impl FnOnce(KeptFile<'_>) -> Result<T>,
) -> Result<T> {
    let own = background.of_service("FinishTransactionImport");
    let pieces = keep_pieces(background, id, file);
    let done = pieces.and_then(|pieces| work(KeptFile::of(&own, id, pieces)));
    forget(background, id);
    done
}

/// Removes the pieces of a file that nobody will read; what cannot be removed now is swept later.
fn forget(background: &BackgroundContext, id: Id) {
    if let Err(error) = remove(&background.of_service("FinishTransactionImport"), id) {
        log::warn!("the pieces of a file were not removed: {error}");
    }
}

/// Keeps the pieces of a file; returns their number.
fn keep_pieces(background: &BackgroundContext, import_id: Id, file: impl Read) -> Result<i64> {
    let mut file = Roomy::new(file, background);
    let mut place = 0;
    loop {
        let mut bytes = Vec::new();
        file.by_ref().take(PIECE).read_to_end(&mut bytes).map_err(super::row::broken)?;
        if bytes.is_empty() {
            return Ok(place);
        }
        let bytes = Arc::new(bytes);
        retry(|| {
            let bytes = Arc::clone(&bytes);
            background.write(move |tx| {
                tx.exempt_from_audit(Unaudited::NotPublished);
                let piece = FilePiece { import_id, place, kept_at: tx.now, bytes: bytes.to_vec() };
                store::insert_piece(tx, &piece)
            })
        })?;
        place += 1;
    }
}

/// Removes the pieces of a file.
pub(super) fn remove(own: &BackgroundContext, import: Id) -> Result<()> {
    let some = move |tx: &mut crate::access::Tx<'_>| {
        tx.exempt_from_audit(Unaudited::NotPublished);
        store::remove_pieces(tx, import, TOGETHER)
    };
    while retry(|| own.write(some))? > 0 {}
    Ok(())
}

/// A reader of a kept file. An I/O error carries an [`Error`].
pub(super) struct KeptFile<'a> {
    own: &'a BackgroundContext,
    import: Id,
    pieces: i64,
    next: i64,
    piece: Cursor<Vec<u8>>,
}

impl<'a> KeptFile<'a> {
    pub(super) fn of(own: &'a BackgroundContext, import: Id, pieces: i64) -> Self {
        Self { own, import, pieces, next: 0, piece: Cursor::default() }
    }
}

impl Read for KeptFile<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.next >= self.pieces {
                return Ok(read);
            }
            let found = retry(|| self.own.read(|tx| store::piece(tx, self.import, self.next)));
            let found =
                found.and_then(|found| found.ok_or_else(|| Error::internal("a piece of a file is missing")));
            self.piece = Cursor::new(found.map_err(std::io::Error::other)?);
            self.next += 1;
        }
    }
}
