//! The names in the bytes of a PDF, such as `/JavaScript`, also where they are escaped (`/J#61vaScript`).
//!
//! Strings, comments and the place of objects are not looked at: whoever hides a name wants them to be misread. A word that
//! only reads like a name, as in `(HTML/JavaScript)`, stands directly behind another word, where no name can stand.

use super::{ContentFault, Looked};

/// The names that are refused wherever they stand: actions that act, and files in the file.
const ACTIVE: [&[u8]; 7] =
    [b"JavaScript", b"Launch", b"EmbeddedFile", b"EmbeddedFiles", b"Rendition", b"SubmitForm", b"ImportData"];
/// What the names of rich media begin with.
const RICH_MEDIA: &[u8] = b"RichMedia";
/// The keys that are refused where a value follows. The first are so short that they may come up in a compressed image.
const KEYS: [(&[u8], Reach); 5] = [
    (b"JS", Reach::Objects),
    (b"AA", Reach::Objects),
    (b"EF", Reach::Objects),
    (b"XFA", Reach::Everything),
    (ENCRYPT, Reach::Everything),
];
const ENCRYPT: &[u8] = b"Encrypt";
/// The words a name may stand directly behind.
const WORDS: [&[u8]; 10] =
    [b"true", b"false", b"null", b"R", b"obj", b"endobj", b"stream", b"endstream", b"xref", b"trailer"];
/// The most bytes of a name that matters, every one of them escaped.
const LONGEST_NAME: usize = 3 * 16;
/// The most bytes of a word that matters.
const LONGEST_WORD: usize = 9;

/// Where a key is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Outside of streams.
    Objects,
    /// In every byte.
    Everything,
}

/// What a byte is to a reader of PDF.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Blank,
    Delimiter,
    Regular,
}

impl Class {
    const fn of(byte: u8) -> Self {
        match byte {
            0 | 9 | 10 | 12 | 13 | 32 => Self::Blank,
            b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%' => Self::Delimiter,
            _ => Self::Regular,
        }
    }
}

/// What is being read.
#[derive(Default)]
enum At {
    #[default]
    Nothing,
    /// A name; whether it may be one, and its bytes as they stand there.
    Name { is_live: bool, raw: Vec<u8> },
    /// A word or a number: its length, and its last bytes.
    Word { length: usize, last: [u8; LONGEST_WORD] },
}

/// A key whose value is awaited.
struct Awaiting {
    key: &'static [u8],
    in_comment: bool,
}

/// A word that has ended and matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    /// The bytes of a stream follow behind the end of the line.
    Stream,
    /// The stream is over.
    EndStream,
}

/// Reads names byte by byte.
#[derive(Default)]
pub(super) struct Names {
    at: At,
    awaiting: Option<Awaiting>,
    /// Whether the bytes are those of a stream.
    pub in_stream: bool,
}

impl Names {
    /// Reads the next byte. A word that matters is told with the byte behind it; a name with that byte too, to `each`.
    pub fn feed(&mut self, byte: u8, each: &mut impl FnMut(&[u8])) -> Result<Option<Keyword>, ContentFault> {
        let class = Class::of(byte);
        if let (Class::Regular, At::Name { raw, .. }) = (class, &mut self.at) {
            if raw.len() <= LONGEST_NAME {
                raw.push(byte);
            }
            return Ok(None);
        }
        if let (Class::Regular, At::Word { length, last }) = (class, &mut self.at) {
            last.rotate_left(1);
            if let Some(end) = last.last_mut() {
                *end = byte;
            }
            *length += 1;
            return Ok(None);
        }
        let ended = std::mem::take(&mut self.at);
        let (mut keyword, mut name_may_follow) = (None, true);
        match ended {
            At::Nothing => {}
            At::Name { is_live, raw } => self.name(is_live, &raw, each)?,
            At::Word { length, last } => {
                let word = last.get(LONGEST_WORD.saturating_sub(length)..).unwrap_or_default();
                keyword = keyword_of(word, length);
                name_may_follow = length <= LONGEST_WORD && WORDS.contains(&word) || is_number(word, length);
            }
        }
        self.value(byte)?;
        match class {
            Class::Delimiter if byte == b'/' => {
                self.at = At::Name { is_live: name_may_follow, raw: Vec::new() };
            }
            Class::Blank | Class::Delimiter => {}
            Class::Regular => {
                let mut last = [0; LONGEST_WORD];
                if let Some(end) = last.last_mut() {
                    *end = byte;
                }
                self.at = At::Word { length: 1, last };
            }
        }
        if keyword == Some(Keyword::EndStream) {
            self.in_stream = false;
        }
        Ok(keyword)
    }

    /// A name has ended.
    fn name(&mut self, is_live: bool, raw: &[u8], each: &mut impl FnMut(&[u8])) -> Looked {
        if !is_live {
            return Ok(());
        }
        let name = unescaped(raw);
        each(&name);
        if ACTIVE.contains(&name.as_slice()) || name.starts_with(RICH_MEDIA) {
            return Err(ContentFault::Active(String::from_utf8_lossy(&name).into_owned()));
        }
        let reaches = |reach: Reach| reach == Reach::Everything || !self.in_stream;
        let key = KEYS.iter().find(|(key, reach)| *key == name && reaches(*reach));
        if let Some((key, _)) = key {
            self.awaiting = Some(Awaiting { key, in_comment: false });
        }
        Ok(())
    }

    /// Whether a byte behind a key begins a value.
    fn value(&mut self, byte: u8) -> Looked {
        let Some(awaiting) = &mut self.awaiting else { return Ok(()) };
        match byte {
            b'\r' | b'\n' => awaiting.in_comment = false,
            _ if awaiting.in_comment => {}
            b'%' => awaiting.in_comment = true,
            b'(' | b'<' | b'[' | b'0'..=b'9' => {
                return Err(if awaiting.key == ENCRYPT {
                    ContentFault::Encrypted
                } else {
                    ContentFault::Active(String::from_utf8_lossy(awaiting.key).into_owned())
                });
            }
            _ if Class::of(byte) == Class::Blank => {}
            _ => self.awaiting = None,
        }
        Ok(())
    }
}

/// The bytes of a stream may stand directly before the word that ends them.
fn keyword_of(word: &[u8], length: usize) -> Option<Keyword> {
    if word == b"endstream" {
        return Some(Keyword::EndStream);
    }
    (length == b"stream".len() && word == b"stream").then_some(Keyword::Stream)
}

fn is_number(word: &[u8], length: usize) -> bool {
    length <= LONGEST_WORD && word.iter().all(|byte| byte.is_ascii_digit() || b"+-.".contains(byte))
}

/// A name as a reader takes it: `#` and two hexadecimal digits are one byte.
fn unescaped(raw: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let (mut name, mut rest) = (Vec::with_capacity(raw.len()), raw);
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if let (b'#', Some(high), Some(low)) = (byte, digit(behind.first()), digit(behind.get(1))) {
            name.push(u8::try_from(high * 16 + low).unwrap_or_default());
            rest = behind.get(2..).unwrap_or_default();
        } else {
            name.push(*byte);
        }
    }
    name
}
