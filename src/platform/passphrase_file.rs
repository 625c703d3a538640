//! A file that opens with a passphrase: AES-256-GCM over pieces, with a key that argon2id makes of the passphrase.
//!
//! The layout: [`MAGIC`]; memory in KiB and passes of argon2id, 4 bytes each, the most significant first; a salt of 16 bytes;
//! then pieces of 65,536 bytes, the last one shorter or as long, each followed by its tag of 16 bytes. The nonce of a piece
//! is its number, 11 bytes, and a byte that is 1 for the last piece: a file that was cut, or whose pieces were moved, does
//! not open. What stands before the pieces is authenticated with each of them.

use super::{Error, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand,
};
use std::io::{self, Read, Write};

/// The first bytes of a file.
pub const MAGIC: &[u8; 16] = b"passphrase-file1";
/// The fewest characters of a passphrase.
pub const SHORTEST: usize = 12;

const PIECE: usize = 65_536;
const TAG: usize = 16;
const SALT: usize = 16;
const HEADER: usize = MAGIC.len() + 4 + 4 + SALT;
/// 64 MiB and three passes, as RFC 9106 recommends where memory is scarce.
const COST: Cost = Cost { memory_kib: 65_536, passes: 3 };
/// The most that a file may ask for: 1 GiB.
const DEAREST: Cost = Cost { memory_kib: 1_048_576, passes: 100 };

#[derive(Clone, Copy)]
struct Cost {
    memory_kib: u32,
    passes: u32,
}

/// The key of one file.
struct FileKey {
    key: LessSafeKey,
    header: [u8; HEADER],
}

impl FileKey {
    fn of(passphrase: &str, header: [u8; HEADER], Cost { memory_kib, passes }: Cost) -> Result<Self> {
        let salt = header.last_chunk::<SALT>().copied().unwrap_or_default();
        let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(Error::internal)?;
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &salt, &mut key)
            .map_err(Error::internal)?;
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| Error::internal("no key could be made"))?;
        Ok(Self { key: LessSafeKey::new(key), header })
    }

    fn nonce(number: u64, is_last: bool) -> Nonce {
        let mut nonce = [0; NONCE_LEN];
        nonce[3..11].copy_from_slice(&number.to_be_bytes());
        nonce[11] = u8::from(is_last);
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal(&self, number: u64, is_last: bool, piece: &mut Vec<u8>) -> io::Result<()> {
        self.key
            .seal_in_place_append_tag(Self::nonce(number, is_last), Aad::from(self.header), piece)
            .map_err(|_| io::Error::other("a piece could not be sealed"))
    }

    fn open(&self, number: u64, is_last: bool, piece: &mut Vec<u8>) -> io::Result<()> {
        let opened = self.key.open_in_place(Self::nonce(number, is_last), Aad::from(self.header), piece);
        let length = opened.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, CHANGED))?.len();
        piece.truncate(length);
        Ok(())
    }
}

const CHANGED: &str = "the passphrase is wrong, or the file was cut or changed";

/// Writes a file. [`Sealing::finish`] writes its end; without the end the file does not open.
pub struct Sealing<W> {
    out: W,
    key: FileKey,
    number: u64,
    piece: Vec<u8>,
}

impl<W: Write> Sealing<W> {
    /// Begins a file; refuses a short passphrase.
    pub fn begin(mut out: W, passphrase: &str) -> Result<Self> {
        if passphrase.chars().count() < SHORTEST {
            return Err(Error::internal(format!("a passphrase has at least {SHORTEST} characters")));
        }
        let mut salt = [0; SALT];
        rand::fill(&mut salt).map_err(|_| Error::internal("there is no randomness for a salt"))?;
        let (memory, passes) = (COST.memory_kib.to_be_bytes(), COST.passes.to_be_bytes());
        let header = [&MAGIC[..], &memory, &passes, &salt].concat();
        let header = header.first_chunk().copied().ok_or_else(|| Error::internal("a header is too short"))?;
        out.write_all(&header).map_err(Error::internal)?;
        Ok(Self { out, key: FileKey::of(passphrase, header, COST)?, number: 0, piece: Vec::new() })
    }

    /// Writes the last piece, and hands the file back.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_piece(true)?;
        Ok(self.out)
    }

    fn write_piece(&mut self, is_last: bool) -> io::Result<()> {
        self.key.seal(self.number, is_last, &mut self.piece)?;
        self.out.write_all(&self.piece)?;
        self.number += 1;
        self.piece.clear();
        Ok(())
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece is written once it is known not to be the last.
        if self.piece.len() == PIECE && !bytes.is_empty() {
            self.write_piece(false)?;
        }
        let taken = bytes.get(..PIECE - self.piece.len()).unwrap_or(bytes);
        self.piece.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads a file. Bytes are handed out once their piece has been authenticated.
pub struct Opening<R> {
    from: R,
    key: FileKey,
    number: u64,
    /// The next piece, sealed; it is the last where nothing follows.
    ahead: Vec<u8>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Opening<R> {
    /// Begins to read a file; refuses another kind of file, and a wrong passphrase.
    pub fn begin(mut from: R, passphrase: &str) -> Result<Self> {
        let mut header = [0; HEADER];
        from.read_exact(&mut header)
            .ok()
            .filter(|()| header.starts_with(MAGIC))
            .ok_or_else(|| Error::internal("the file was not written by `backup`"))?;
        let number = |at: usize| {
            let bytes = header.get(at..).and_then(<[u8]>::first_chunk);
            bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
        };
        let cost = Cost { memory_kib: number(MAGIC.len()), passes: number(MAGIC.len() + 4) };
        if cost.memory_kib > DEAREST.memory_kib || cost.passes > DEAREST.passes {
            return Err(Error::internal(CHANGED));
        }
        let key = FileKey::of(passphrase, header, cost)?;
        let mut opening =
            Self { from, key, number: 0, ahead: Vec::new(), piece: Vec::new(), at: 0, ended: false };
        opening.ahead = opening.read_ahead().map_err(Error::internal)?;
        opening.next_piece().map_err(|error| Error::internal(error.to_string()))?;
        Ok(opening)
    }

    fn read_ahead(&mut self) -> io::Result<Vec<u8>> {
        let mut sealed = Vec::new();
        (&mut self.from).take((PIECE + TAG) as u64).read_to_end(&mut sealed)?;
        Ok(sealed)
    }

    fn next_piece(&mut self) -> io::Result<()> {
        let next = self.read_ahead()?;
        self.ended = next.is_empty();
        self.piece = std::mem::replace(&mut self.ahead, next);
        self.key.open(self.number, self.ended, &mut self.piece)?;
        self.number += 1;
        self.at = 0;
        Ok(())
    }
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() && !self.ended {
            self.next_piece()?;
        }
        let mut left = self.piece.get(self.at..).unwrap_or_default();
        let read = left.read(into)?;
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "a passphrase of twelve";

    fn sealed(bytes: &[u8]) -> Vec<u8> {
        let mut file = Sealing::begin(Vec::new(), PASSPHRASE).unwrap();
        file.write_all(bytes).unwrap();
        file.finish().unwrap()
    }

    fn opened(file: &[u8], passphrase: &str) -> std::result::Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut opening = Opening::begin(file, passphrase).map_err(|error| error.to_string())?;
        opening.read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    #[test]
    fn a_file_of_any_length_comes_back() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE] {
            let bytes: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let file = sealed(&bytes);
            assert!(length < 16 || !file.windows(16).any(|window| window == &bytes[..16]));
            assert_eq!(opened(&file, PASSPHRASE).unwrap(), bytes, "{length}");
        }
    }

    #[test]
    fn nothing_opens_that_was_cut_moved_or_changed() {
        let file = sealed(&vec![7; 2 * PIECE + 100]);
        let wrong = opened(&file, "another passphrase").unwrap_err();
        assert!(wrong.contains("passphrase is wrong"), "{wrong}");
        let (first, second) = (HEADER, HEADER + PIECE + TAG);
        for cut in [HEADER - 1, HEADER, second, second + PIECE + TAG, file.len() - 1] {
            assert!(opened(&file[..cut], PASSPHRASE).is_err(), "cut at {cut}");
        }
        for at in [MAGIC.len() + 4 + 3, HEADER - 1, first, second, file.len() - 1] {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(opened(&changed, PASSPHRASE).is_err(), "changed at {at}");
        }
        let mut moved = file.clone();
        moved[first..second].copy_from_slice(&file[second..second + PIECE + TAG]);
        assert!(opened(&moved, PASSPHRASE).is_err());
        assert!(opened(b"SQLite format 3", PASSPHRASE).unwrap_err().contains("not written by `backup`"));
        assert!(Sealing::begin(Vec::new(), "short").is_err());
    }
}
