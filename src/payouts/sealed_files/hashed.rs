//! Bytes on their way into pieces: counted, and hashed with SHA-256.

use aws_lc_rs::digest::{Context, SHA256};
use std::{
    cell::RefCell,
    fmt::Write as _,
    io::{self, Write},
    rc::Rc,
};

/// The length of a file, and its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The bytes.
    pub bytes: i64,
    /// The SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// Bytes that are written, and taken out in pieces. Clones share the bytes: a writer holds one, and the other empties it.
#[derive(Clone)]
pub struct Hashed(Rc<RefCell<Inner>>);

struct Inner {
    waiting: Vec<u8>,
    bytes: i64,
    context: Context,
}

impl Default for Hashed {
    fn default() -> Self {
        Self(Rc::new(RefCell::new(Inner { waiting: Vec::new(), bytes: 0, context: Context::new(&SHA256) })))
    }
}

impl Hashed {
    /// Takes the bytes that wait, where there are so many at least.
    #[must_use]
    pub fn take(&self, least: usize) -> Option<Vec<u8>> {
        let mut inner = self.0.borrow_mut();
        (!inner.waiting.is_empty() && inner.waiting.len() >= least)
            .then(|| std::mem::take(&mut inner.waiting))
    }

    /// The sum of everything that was written.
    #[must_use]
    pub fn sum(&self) -> Sum {
        let inner = self.0.borrow();
        let digest = inner.context.clone().finish();
        let mut sha256 = String::with_capacity(64);
        for byte in digest.as_ref() {
            // Writing to a text cannot fail.
            let _ = write!(sha256, "{byte:02x}");
        }
        Sum { bytes: inner.bytes, sha256 }
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.0.borrow_mut();
        inner.waiting.extend_from_slice(bytes);
        inner.context.update(bytes);
        inner.bytes = inner.bytes.saturating_add_unsigned(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_all_bytes_however_they_are_taken() {
        let mut writer = Hashed::default();
        let taker = writer.clone();
        writer.write_all(b"ab").unwrap();
        assert_eq!(taker.take(3), None);
        writer.write_all(b"c").unwrap();
        assert_eq!(taker.take(3).as_deref(), Some(&b"abc"[..]));
        assert_eq!(taker.take(0), None);
        let sum = taker.sum();
        assert_eq!(sum.bytes, 3);
        assert_eq!(sum.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
