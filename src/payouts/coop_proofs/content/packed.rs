//! The compressed objects of a PDF: a stream that begins with pairs of numbers, as those of an object stream do, is
//! inflated and looked at. Other streams are let go after their first bytes.

use super::{ContentFault, names::Names};
use flate2::{Decompress, FlushDecompress, Status};

/// The most bytes that all streams of a file together inflate to.
pub(super) const MOST_INFLATED: u64 = 64 * 1024 * 1024;
/// The bytes that are inflated at a time.
const PIECE: usize = 16 * 1024;
/// The first bytes, by which objects are known.
const HEAD: usize = 64;

/// A stream that may hold objects.
pub(super) struct Packed {
    inflating: Decompress,
    /// The first bytes, until they tell what the stream holds.
    head: Option<Vec<u8>>,
    names: Names,
}

/// What became of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Going {
    /// More is to come.
    On,
    /// It is over, or holds no objects.
    Over,
}

impl Packed {
    pub fn begun() -> Self {
        Self { inflating: Decompress::new(true), head: Some(Vec::new()), names: Names::default() }
    }

    /// Looks at the next bytes; `left` is what may still be inflated.
    pub fn feed(&mut self, mut bytes: &[u8], left: &mut u64) -> Result<Going, ContentFault> {
        loop {
            let mut piece = vec![0; if self.head.is_some() { HEAD } else { PIECE }];
            let (read, written) = (self.inflating.total_in(), self.inflating.total_out());
            let status = self.inflating.decompress(bytes, &mut piece, FlushDecompress::None);
            let read = usize::try_from(self.inflating.total_in() - read).unwrap_or(usize::MAX);
            let count = usize::try_from(self.inflating.total_out() - written).unwrap_or(usize::MAX);
            let is_last = matches!(status, Ok(Status::StreamEnd) | Err(_));
            let inflated = piece.get(..count).unwrap_or_default();
            *left = left.checked_sub(count as u64).ok_or(ContentFault::Uncheckable)?;
            if self.look(inflated, is_last)? == Going::Over || is_last {
                return Ok(Going::Over);
            }
            bytes = bytes.get(read..).unwrap_or_default();
            if bytes.is_empty() && count < piece.len() || read == 0 && count == 0 {
                return Ok(Going::On);
            }
        }
    }

    fn look(&mut self, inflated: &[u8], is_last: bool) -> Result<Going, ContentFault> {
        if let Some(mut head) = self.head.take() {
            head.extend_from_slice(inflated);
            if head.len() < HEAD && !is_last {
                self.head = Some(head);
                return Ok(Going::On);
            }
            if !begins_with_objects(&head) {
                return Ok(Going::Over);
            }
            self.scan(&head)?;
        } else {
            self.scan(inflated)?;
        }
        if is_last {
            // A name at the very end ends there.
            self.scan(b"\n")?;
        }
        Ok(Going::On)
    }

    fn scan(&mut self, bytes: &[u8]) -> Result<(), ContentFault> {
        for byte in bytes {
            self.names.feed(*byte, &mut |_| ())?;
        }
        Ok(())
    }
}

/// Whether bytes begin as those of an object stream: with two numbers, or with a comment before them.
fn begins_with_objects(head: &[u8]) -> bool {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    let head = head.iter().position(|byte| !blank(byte)).and_then(|at| head.get(at..)).unwrap_or_default();
    let mut words = head.split(blank).filter(|word| !word.is_empty());
    let is_number = |word: Option<&[u8]>| word.is_some_and(|word| word.iter().all(u8::is_ascii_digit));
    head.starts_with(b"%") || is_number(words.next()) && is_number(words.next())
}
