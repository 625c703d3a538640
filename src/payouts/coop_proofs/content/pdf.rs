//! PDF: a document that acts, that holds other files or that is encrypted is refused.

use super::{
    ContentFault, Looked, PDF,
    names::{Keyword, Names},
    packed::{Going, MOST_INFLATED, Packed},
};

/// The mark at the end, and how far before the end it stands at most.
const END: &[u8] = b"%%EOF";
const TAIL: u64 = 1024;
/// The most streams that are looked at side by side: more than one are there where a stream lies in another.
const MOST_PACKED: usize = 8;
/// The most compressed streams of a file: looking into the beginning of each takes time.
const MOST_STREAMS: u32 = 50_000;
/// What the first byte of a compressed stream says in its lower half.
const DEFLATE: u8 = 8;
/// The filters that object streams have in no honest file, and that hide what is packed by them.
const ODD_FILTERS: [&[u8]; 11] = [
    b"ASCIIHexDecode",
    b"AHx",
    b"ASCII85Decode",
    b"A85",
    b"LZWDecode",
    b"LZW",
    b"RunLengthDecode",
    b"RL",
    b"Crypt",
    b"DecodeParms",
    b"DP",
];

/// What is known of a PDF so far.
pub(super) struct Pdf {
    bytes: u64,
    /// The byte behind the last mark of the end.
    ended_at: Option<u64>,
    /// How many bytes of that mark were read.
    marked: usize,
    names: Names,
    packed: Vec<Packed>,
    /// How many compressed streams have begun.
    streams: u32,
    /// How much may still be inflated.
    left: u64,
    line: Line,
    /// Since the last stream: whether objects are packed, and whether by an odd filter.
    packs_objects: bool,
    is_odd: bool,
}

/// The line that begins a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// No stream begins.
    None,
    /// The end of the line has not come.
    Open,
    /// A carriage return has come; a line feed may follow.
    Returned,
}

impl Default for Pdf {
    fn default() -> Self {
        Self {
            bytes: 0,
            ended_at: None,
            marked: 0,
            names: Names::default(),
            packed: Vec::new(),
            streams: 0,
            left: MOST_INFLATED,
            line: Line::None,
            packs_objects: false,
            is_odd: false,
        }
    }
}

impl Pdf {
    pub fn feed(&mut self, bytes: &[u8]) -> Looked {
        if self.bytes == 0 && !has_version(bytes) {
            return Err(ContentFault::Damaged);
        }
        let mut going = Vec::with_capacity(self.packed.len());
        for mut packed in std::mem::take(&mut self.packed) {
            if packed.feed(bytes, &mut self.left)? == Going::On {
                going.push(packed);
            }
        }
        self.packed = going;
        for (at, byte) in bytes.iter().enumerate() {
            if let Some(begins) = self.byte(*byte)? {
                let from = match begins {
                    Begins::Here => at,
                    Begins::Behind => at + 1,
                };
                self.pack(bytes.get(from..).unwrap_or_default())?;
            }
        }
        Ok(())
    }

    pub fn finish(&mut self) -> Looked {
        self.byte(b'\n')?;
        let behind = self.ended_at.map(|at| self.bytes - 1 - at);
        if behind.is_some_and(|behind| behind <= TAIL) { Ok(()) } else { Err(ContentFault::Damaged) }
    }

    /// Reads the next byte; says where a stream begins.
    fn byte(&mut self, byte: u8) -> Result<Option<Begins>, ContentFault> {
        self.bytes += 1;
        self.marked = match END.get(self.marked) {
            Some(expected) if *expected == byte => self.marked + 1,
            _ if byte == b'%' => {
                if self.marked == 2 {
                    2
                } else {
                    1
                }
            }
            _ => 0,
        };
        if self.marked == END.len() {
            (self.ended_at, self.marked) = (Some(self.bytes), 0);
        }
        let (packs_objects, is_odd) = (&mut self.packs_objects, &mut self.is_odd);
        let keyword = self.names.feed(byte, &mut |name| {
            *packs_objects |= name == b"ObjStm";
            *is_odd |= ODD_FILTERS.contains(&name);
        })?;
        match keyword {
            Some(Keyword::Stream) => {
                if self.packs_objects && self.is_odd {
                    return Err(ContentFault::Uncheckable);
                }
                self.line = Line::Open;
            }
            Some(Keyword::EndStream) => (self.packs_objects, self.is_odd) = (false, false),
            None => {}
        }
        let begins = match (self.line, byte) {
            (Line::Open, b'\r') => {
                self.line = Line::Returned;
                None
            }
            (Line::Open | Line::Returned, b'\n') => Some(Begins::Behind),
            (Line::None | Line::Open, _) => None,
            (Line::Returned, _) => Some(Begins::Here),
        };
        if begins.is_some() {
            (self.line, self.names.in_stream) = (Line::None, true);
        }
        Ok(begins)
    }

    /// Looks into a stream that begins with these bytes, where it may be a compressed one.
    fn pack(&mut self, bytes: &[u8]) -> Looked {
        if bytes.first().is_some_and(|first| first & 0x0f != DEFLATE) {
            return Ok(());
        }
        self.streams += 1;
        if self.streams > MOST_STREAMS {
            return Err(ContentFault::Uncheckable);
        }
        let mut packed = Packed::begun();
        if packed.feed(bytes, &mut self.left)? == Going::On {
            self.packed.push(packed);
        }
        if self.packed.len() > MOST_PACKED { Err(ContentFault::Uncheckable) } else { Ok(()) }
    }
}

/// The place of a stream's first byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    /// It is this byte.
    Here,
    /// It is the next byte.
    Behind,
}

fn has_version(first: &[u8]) -> bool {
    let version = first.get(PDF.len()..PDF.len() + 3);
    version.is_some_and(|version| matches!(version, [b'1' | b'2', b'.', b'0'..=b'9']))
}
