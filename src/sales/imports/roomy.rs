//! A file that is read only while the disk has room for its rows.

use crate::access::BackgroundContext;
use std::io::Read;

/// The bytes of a file between two looks at the disk.
const BETWEEN: usize = 4 * 1024 * 1024;

/// A reader that fails before the disk of the database is full: the rows that were recorded have to be removed again, which
/// takes room too, and so does everybody else's work.
pub(super) struct Roomy<'a, R> {
    file: R,
    background: &'a BackgroundContext,
    /// The bytes until the next look.
    left: usize,
}

impl<'a, R> Roomy<'a, R> {
    pub(super) fn new(file: R, background: &'a BackgroundContext) -> Self {
        Self { file, background, left: 0 }
    }
}

impl<R: Read> Read for Roomy<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            self.background.check_room().map_err(std::io::Error::other)?;
            self.left = BETWEEN;
        }
        let read = self.file.read(buffer)?;
        self.left = self.left.saturating_sub(read);
        Ok(read)
    }
}
