//! Reads XML of strangers: element by element, in bounded memory and depth, without document types and entities.

use super::unreadable::{Unreadable, Why};
use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};
use std::io::{self, BufRead, Read};

/// The most bytes between two tags, and of one tag.
const LONGEST: usize = 64 * 1024;
/// The most bytes of the text of an element, its pieces together.
const LONGEST_TEXT: usize = 8 * 1024;
/// How deep elements may stand in each other; the messages of banks go to about 15.
const DEEPEST: usize = 40;

/// A file that is being read.
pub(super) struct XmlReader<R> {
    reader: Reader<Bounded<R>>,
    buffer: Vec<u8>,
    /// The names of the open elements, without prefixes, joined by `/`.
    path: String,
    depth: usize,
    /// The text of the innermost element.
    text: String,
    /// The currency that the innermost element names.
    currency: Option<String>,
    is_over: bool,
}

/// What is read next.
pub(super) enum Node {
    /// An element begins; its path stands in [`XmlReader::path`].
    Open,
    /// An element ends, with the text that stands in it after the last element in it.
    Close { path: String, text: String, currency: Option<String> },
}

impl<R: BufRead> XmlReader<R> {
    pub(super) fn of(file: R) -> Self {
        let mut reader = Reader::from_reader(Bounded { file, left: LONGEST, is_exhausted: false });
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            path: String::new(),
            depth: 0,
            text: String::new(),
            currency: None,
            is_over: false,
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn wrong(&self, why: Why) -> Unreadable {
        Unreadable { why, at: self.reader.buffer_position() }
    }

    /// The next beginning or end of an element; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Node>, Unreadable> {
        loop {
            self.reader.get_mut().left = LONGEST;
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            let markup = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => Markup::of(&event),
                Err(error) => Err(self.why(&error)),
            };
            self.buffer = buffer;
            let done = markup.and_then(|markup| self.take(markup)).map_err(|why| self.wrong(why))?;
            match done {
                Done::Node(node) => return Ok(Some(node)),
                Done::End => return Ok(None),
                Done::Nothing => {}
            }
        }
    }

    fn take(&mut self, markup: Markup) -> Result<Done, Why> {
        match markup {
            Markup::Open { name, currency } => self.open(&name, currency),
            Markup::Close => {
                let (path, text) = (self.path.clone(), std::mem::take(&mut self.text));
                self.path.truncate(self.path.rfind('/').unwrap_or_default());
                self.depth = self.depth.saturating_sub(1);
                self.is_over = self.depth == 0;
                let text = text.trim().to_owned();
                Ok(Done::Node(Node::Close { path, text, currency: self.currency.take() }))
            }
            Markup::Text(text) if self.depth == 0 => {
                if text.trim().is_empty() {
                    Ok(Done::Nothing)
                } else {
                    Err(Why::NotXml)
                }
            }
            Markup::Text(text) => {
                if self.text.len() + text.len() > LONGEST_TEXT {
                    return Err(Why::TooLong);
                }
                self.text.push_str(&text);
                Ok(Done::Nothing)
            }
            Markup::Skip => Ok(Done::Nothing),
            Markup::End if self.is_over => Ok(Done::End),
            Markup::End => Err(if self.depth > 0 { Why::CutOff } else { Why::NotXml }),
        }
    }

    fn open(&mut self, name: &str, currency: Option<String>) -> Result<Done, Why> {
        if self.is_over {
            return Err(Why::NotXml);
        }
        if self.depth == DEEPEST {
            return Err(Why::TooDeep);
        }
        if self.path.len() + name.len() > LONGEST_TEXT {
            return Err(Why::TooLong);
        }
        if self.depth > 0 {
            self.path.push('/');
        }
        self.path.push_str(name);
        self.depth += 1;
        self.text.clear();
        self.currency = currency;
        Ok(Done::Node(Node::Open))
    }

    fn why(&mut self, error: &quick_xml::Error) -> Why {
        match error {
            quick_xml::Error::Io(_) if self.reader.get_ref().is_exhausted => Why::TooLong,
            quick_xml::Error::Io(error) => Why::Io(error.kind()),
            quick_xml::Error::Syntax(_) if self.depth > 0 => Why::CutOff,
            _ => Why::NotXml,
        }
    }
}

enum Done {
    Node(Node),
    Nothing,
    End,
}

/// The markup of an event that a reader needs.
enum Markup {
    Open { name: String, currency: Option<String> },
    Close,
    Text(String),
    Skip,
    End,
}

impl Markup {
    fn of(event: &Event<'_>) -> Result<Self, Why> {
        let utf8 = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Why::Encoding);
        match event {
            Event::Start(start) | Event::Empty(start) => {
                Ok(Self::Open { name: utf8(start.local_name().as_ref())?, currency: currency_of(start) })
            }
            Event::End(_) => Ok(Self::Close),
            Event::Text(text) => Ok(Self::Text(utf8(text)?)),
            Event::CData(text) => Ok(Self::Text(utf8(text)?)),
            Event::GeneralRef(reference) => Ok(Self::Text(resolved(reference)?.to_string())),
            Event::Decl(decl) => match decl.encoding() {
                None => Ok(Self::Skip),
                Some(Ok(name))
                    if name.eq_ignore_ascii_case(b"UTF-8") || name.eq_ignore_ascii_case(b"US-ASCII") =>
                {
                    Ok(Self::Skip)
                }
                Some(_) => Err(Why::Encoding),
            },
            Event::DocType(_) => Err(Why::DocumentType),
            Event::Comment(_) | Event::PI(_) => Ok(Self::Skip),
            Event::Eof => Ok(Self::End),
        }
    }
}

/// The five characters that XML names, and those named by their number.
fn resolved(reference: &BytesRef<'_>) -> Result<char, Why> {
    match &**reference {
        b"lt" => Ok('<'),
        b"gt" => Ok('>'),
        b"amp" => Ok('&'),
        b"quot" => Ok('"'),
        b"apos" => Ok('\''),
        _ if reference.is_char_ref() => reference.resolve_char_ref().ok().flatten().ok_or(Why::NotXml),
        _ => Err(Why::Entity),
    }
}

fn currency_of(start: &BytesStart<'_>) -> Option<String> {
    // Whether a name stands twice is not looked at: that takes the square of their number.
    let mut attributes = start.attributes();
    let attribute = attributes.with_checks(false).flatten().find(|attribute| attribute.key.0 == b"Ccy")?;
    let code = std::str::from_utf8(&attribute.value).ok()?.trim();
    (code.len() == 3).then(|| code.to_owned())
}

/// A file of which no more than so many bytes are handed out before the limit is set anew.
struct Bounded<R> {
    file: R,
    left: usize,
    is_exhausted: bool,
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = self.file.fill_buf()?;
        if self.left == 0 && !available.is_empty() {
            self.is_exhausted = true;
            return Err(io::Error::other("too long"));
        }
        Ok(available.get(..self.left).unwrap_or(available))
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount);
        self.file.consume(amount);
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let count = available.read(out)?;
        self.consume(count);
        Ok(count)
    }
}
