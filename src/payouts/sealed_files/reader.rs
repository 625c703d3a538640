//! Reading a file that is kept.

use super::store;
use crate::{access::BackgroundContext, platform::values::Id, work::retry};
use std::io::{Cursor, Read};

/// A reader of a kept file, piece by piece. An I/O error carries an [`crate::platform::Error`].
pub struct KeptBytes<'b> {
    background: &'b BackgroundContext,
    content_id: Id,
    next: i64,
    piece: Cursor<Vec<u8>>,
    is_over: bool,
}

impl<'b> KeptBytes<'b> {
    /// A reader from the first byte on.
    #[must_use]
    pub fn of(background: &'b BackgroundContext, content_id: Id) -> Self {
        Self { background, content_id, next: 0, piece: Cursor::default(), is_over: false }
    }
}

impl Read for KeptBytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.is_over {
                return Ok(read);
            }
            let (content, place) = (self.content_id, self.next);
            let found = retry(|| self.background.read(|tx| store::opened(tx, content, place)));
            match found.map_err(std::io::Error::other)? {
                Some(bytes) => {
                    self.piece = Cursor::new(bytes);
                    self.next += 1;
                }
                None => self.is_over = true,
            }
        }
    }
}
