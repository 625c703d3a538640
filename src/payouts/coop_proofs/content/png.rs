//! PNG: every chunk whole, nothing behind the last, and no more data than the pixels of its header.

use super::{ContentFault, Looked, MOST_PIXELS, PNG};
use flate2::{Crc, Decompress, FlushDecompress, Status};

/// The bytes of a chunk's length and type.
const HEAD: usize = 8;
/// The bytes of the header's data.
const HEADER: usize = 13;
/// The longest chunk that the format allows.
const LONGEST: u32 = i32::MAX as u32;
/// The bytes that are inflated at a time.
const PIECE: usize = 32 * 1024;
/// What an encoder may write behind the last row.
const SLACK: u64 = 64 * 1024;
/// The first column and row of each pass of an interlaced image, and the steps to the next.
const PASSES: [[u64; 4]; 7] =
    [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/// What is known of a PNG so far.
pub(super) struct Png {
    at: At,
    /// The bytes of a part that must be together: a head, the header, a checksum.
    together: Vec<u8>,
    crc: Crc,
    kind: [u8; 4],
    has_header: bool,
    pixels: Decompress,
    /// Whether the pixels have ended.
    is_complete: bool,
    /// How many bytes of pixels may still come.
    left: u64,
}

/// What is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Signature,
    Head,
    Header,
    Data { left: u32 },
    Checksum,
    End,
}

impl Default for Png {
    fn default() -> Self {
        Self {
            at: At::Signature,
            together: Vec::new(),
            crc: Crc::new(),
            kind: *b"    ",
            has_header: false,
            pixels: Decompress::new(true),
            is_complete: false,
            left: 0,
        }
    }
}

impl Png {
    pub fn feed(&mut self, mut bytes: &[u8]) -> Looked {
        while !bytes.is_empty() {
            bytes = match self.at {
                At::Signature => self.gather(bytes, PNG.len(), |_, _| Ok(At::Head))?,
                At::Head => self.gather(bytes, HEAD, Self::head)?,
                At::Header => self.gather(bytes, HEADER, Self::header)?,
                At::Data { left } => self.data(bytes, left)?,
                At::Checksum => self.gather(bytes, 4, Self::checksum)?,
                At::End => return Err(ContentFault::Damaged),
            };
        }
        Ok(())
    }

    pub fn finish(&self) -> Looked {
        if self.at == At::End && self.is_complete { Ok(()) } else { Err(ContentFault::Damaged) }
    }

    /// Gathers so many bytes, and reads them once they are together; gives the bytes behind them.
    fn gather<'b>(
        &mut self,
        bytes: &'b [u8],
        count: usize,
        read: impl FnOnce(&mut Self, &[u8]) -> Result<At, ContentFault>,
    ) -> Result<&'b [u8], ContentFault> {
        let (now, behind) = bytes.split_at(bytes.len().min(count - self.together.len()));
        self.together.extend_from_slice(now);
        if self.together.len() == count {
            let whole = std::mem::take(&mut self.together);
            self.at = read(self, &whole)?;
        }
        Ok(behind)
    }

    fn head(&mut self, head: &[u8]) -> Result<At, ContentFault> {
        let (length, kind) = head.split_at(4);
        let length = number(length);
        self.kind.copy_from_slice(kind);
        self.crc = Crc::new();
        self.crc.update(kind);
        let is_header = &self.kind == b"IHDR";
        let is_sound = length <= LONGEST && kind.iter().all(u8::is_ascii_alphabetic);
        if !is_sound || is_header == self.has_header || is_header && length as usize != HEADER {
            return Err(ContentFault::Damaged);
        }
        Ok(match length {
            _ if is_header => At::Header,
            0 => At::Checksum,
            left => At::Data { left },
        })
    }

    fn header(&mut self, header: &[u8]) -> Result<At, ContentFault> {
        self.crc.update(header);
        let [width, height] =
            [header.get(..4), header.get(4..8)].map(|side| number(side.unwrap_or_default()));
        let &[depth, color, _, _, interlace] = header.get(8..).unwrap_or_default() else {
            return Err(ContentFault::Damaged);
        };
        let samples = match (color, depth) {
            (0, 1 | 2 | 4 | 8 | 16) | (3, 1 | 2 | 4 | 8) => 1,
            (4, 8 | 16) => 2,
            (2, 8 | 16) => 3,
            (6, 8 | 16) => 4,
            _ => return Err(ContentFault::Damaged),
        };
        let (width, height) = (u64::from(width), u64::from(height));
        if width == 0 || height == 0 || interlace > 1 {
            return Err(ContentFault::Damaged);
        }
        if width * height > MOST_PIXELS {
            return Err(ContentFault::TooManyPixels);
        }
        let bits = samples * u64::from(depth);
        let passes = if interlace == 0 { &[[0, 0, 1, 1]][..] } else { &PASSES };
        let size = |[column, row, right, down]: &[u64; 4]| {
            let (columns, rows) =
                (width.saturating_sub(*column).div_ceil(*right), height.saturating_sub(*row).div_ceil(*down));
            if columns == 0 { 0 } else { rows * (1 + (columns * bits).div_ceil(8)) }
        };
        self.left = passes.iter().map(size).sum::<u64>() + SLACK;
        self.has_header = true;
        Ok(At::Checksum)
    }

    fn data<'b>(&mut self, bytes: &'b [u8], left: u32) -> Result<&'b [u8], ContentFault> {
        let count = bytes.len().min(left as usize);
        let (now, behind) = bytes.split_at(count);
        self.crc.update(now);
        if &self.kind == b"IDAT" {
            self.inflate(now)?;
        }
        let left = left.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        self.at = if left == 0 { At::Checksum } else { At::Data { left } };
        Ok(behind)
    }

    fn checksum(&mut self, told: &[u8]) -> Result<At, ContentFault> {
        if number(told) != self.crc.sum() {
            return Err(ContentFault::Damaged);
        }
        Ok(if &self.kind == b"IEND" { At::End } else { At::Head })
    }

    /// Inflates the pixels and counts them; nothing is kept.
    fn inflate(&mut self, mut bytes: &[u8]) -> Looked {
        let mut piece = vec![0; PIECE];
        while !self.is_complete {
            let (read, written) = (self.pixels.total_in(), self.pixels.total_out());
            let status = self.pixels.decompress(bytes, &mut piece, FlushDecompress::None);
            let status = status.map_err(|_| ContentFault::Damaged)?;
            let read = usize::try_from(self.pixels.total_in() - read).unwrap_or(usize::MAX);
            let count = self.pixels.total_out() - written;
            self.left = self.left.checked_sub(count).ok_or(ContentFault::TooManyPixels)?;
            self.is_complete = status == Status::StreamEnd;
            bytes = bytes.get(read..).unwrap_or_default();
            if bytes.is_empty() && count < PIECE as u64 || read == 0 && count == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// A number of four bytes, the most significant first.
fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}
