//! Imports files while their senders wait for the end: a turn of the job begins once the file has arrived, so that nobody
//! waits for somebody else's slow line.

use super::{
    Import, ImportOptions, kept_file,
    row::{broken, rows},
    service,
};
use crate::{access::BackgroundContext, platform::Result};
use std::io::{Cursor, Read};

/// The bytes that are held in memory until the file has arrived; of a longer file all pieces are kept in the database.
const HELD: u64 = 1024 * 1024;

/// Imports a file that is arriving, and returns the import as stored. Of a file that does not arrive as a whole there is
/// no import.
pub(super) fn import(
    background: &BackgroundContext,
    options: ImportOptions,
    mut file: impl Read,
) -> Result<Import> {
    let mut begin = Vec::new();
    file.by_ref().take(HELD).read_to_end(&mut begin).map_err(broken)?;
    let id = background.read(|tx| Ok(tx.new_id()))?;
    let is_short = (begin.len() as u64) < HELD;
    if is_short || is_refused_by(background, options, &begin) {
        return service::import_as(background, id, options, Cursor::new(begin));
    }
    let file = Cursor::new(begin).chain(file);
    kept_file::keep_meanwhile(background, id, file, |kept| service::import_as(background, id, options, kept))
}

/// Whether the first line of a file refuses the file: the rest need not arrive.
fn is_refused_by(background: &BackgroundContext, options: ImportOptions, begin: &[u8]) -> bool {
    let contract = background.app().contract();
    rows(options, begin, &contract).next().is_some_and(|row| row.is_err())
}
