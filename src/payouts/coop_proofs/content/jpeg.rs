//! JPEG: segment by segment to its pixels, which are as many as the machines of people can show, and to its end.

use super::{ContentFault, Looked, MOST_PIXELS};

/// The mark that begins each marker.
const MARK: u8 = 0xff;
/// The markers of a whole file: its beginning, its pixels, its end.
const BEGIN: u8 = 0xd8;
const PIXELS: u8 = 0xda;
const END: u8 = 0xd9;
/// The bytes behind the marker of a frame up to its width.
const FRAME: usize = 7;

/// What is known of a JPEG so far.
#[derive(Default)]
pub(super) struct Jpeg {
    at: At,
    has_frame: bool,
}

/// What is being read.
#[derive(Clone, Copy, Default)]
enum At {
    #[default]
    Mark,
    Marker,
    /// The bytes of a frame so far.
    Frame {
        count: usize,
        bytes: [u8; FRAME],
    },
    /// The first byte of a segment's length.
    Length {
        is_pixels: bool,
    },
    /// The second byte of a segment's length.
    Rest {
        high: u8,
        is_pixels: bool,
    },
    Skip {
        left: u16,
        is_pixels: bool,
    },
    /// The pixels; whether the last byte was a mark.
    Pixels {
        is_marked: bool,
    },
    /// Behind the end cameras write previews; they are not looked at.
    End,
}

impl Jpeg {
    pub fn feed(&mut self, mut bytes: &[u8]) -> Looked {
        while let (Some((byte, behind)), false) = (bytes.split_first(), matches!(self.at, At::End)) {
            if let At::Skip { left, is_pixels } = self.at {
                let count = bytes.len().min(left.into());
                let left = left.saturating_sub(u16::try_from(count).unwrap_or(u16::MAX));
                self.at = match (left, is_pixels) {
                    (0, true) => At::Pixels { is_marked: false },
                    (0, false) => At::Mark,
                    (left, is_pixels) => At::Skip { left, is_pixels },
                };
                bytes = bytes.get(count..).unwrap_or_default();
                continue;
            }
            self.at = self.byte(*byte)?;
            bytes = behind;
        }
        Ok(())
    }

    pub fn finish(&self) -> Looked {
        if matches!(self.at, At::End) { Ok(()) } else { Err(ContentFault::Damaged) }
    }

    fn byte(&mut self, byte: u8) -> Result<At, ContentFault> {
        Ok(match self.at {
            At::Mark if byte == MARK => At::Marker,
            At::Mark => return Err(ContentFault::Damaged),
            At::Marker => self.marker(byte)?,
            At::Frame { count, mut bytes } => {
                if let Some(place) = bytes.get_mut(count) {
                    *place = byte;
                }
                if count + 1 < FRAME { At::Frame { count: count + 1, bytes } } else { self.frame(bytes)? }
            }
            At::Length { is_pixels } => At::Rest { high: byte, is_pixels },
            At::Rest { high, is_pixels } => skip(u16::from_be_bytes([high, byte]), 2, is_pixels)?,
            At::Pixels { is_marked: true } if byte == END => At::End,
            At::Pixels { .. } => At::Pixels { is_marked: byte == MARK },
            at @ (At::Skip { .. } | At::End) => at,
        })
    }

    fn marker(&mut self, marker: u8) -> Result<At, ContentFault> {
        Ok(match marker {
            MARK => At::Marker,
            BEGIN | 0x01 | 0xd0..=0xd7 => At::Mark,
            // Of these a frame begins, but for tables and what is kept for later.
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) => At::Frame { count: 0, bytes: [0; FRAME] },
            PIXELS if self.has_frame => At::Length { is_pixels: true },
            0x00 | END | PIXELS => return Err(ContentFault::Damaged),
            _ => At::Length { is_pixels: false },
        })
    }

    /// Length (2 bytes), bits a sample, height (2), width (2).
    fn frame(&mut self, bytes: [u8; FRAME]) -> Result<At, ContentFault> {
        let [long, long_low, _, high, high_low, wide, wide_low] = bytes;
        let height = u64::from(u16::from_be_bytes([high, high_low]));
        let width = u64::from(u16::from_be_bytes([wide, wide_low]));
        if height == 0 || width == 0 {
            return Err(ContentFault::Damaged);
        }
        if height * width > MOST_PIXELS {
            return Err(ContentFault::TooManyPixels);
        }
        self.has_frame = true;
        skip(u16::from_be_bytes([long, long_low]), 7, false)
    }
}

/// Skips the rest of a segment, of whose length so many bytes were read.
fn skip(length: u16, read: u16, is_pixels: bool) -> Result<At, ContentFault> {
    let left = length.checked_sub(read).ok_or(ContentFault::Damaged)?;
    Ok(match (left, is_pixels) {
        (0, true) => At::Pixels { is_marked: false },
        (0, false) => At::Mark,
        (left, is_pixels) => At::Skip { left, is_pixels },
    })
}
