//! Lists as files: the whole filtered set, page by page from one snapshot, in constant memory.

use super::{
    Answer, Contract, Reader,
    line::Line,
    negotiation::{preferred, written_in},
    pace::{Pace, Progress},
};
use crate::platform::{Error, Result, csv};
use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    http::header::{self, HeaderMap},
    web::Bytes,
};
use futures_core::Stream;
use serde::Serialize;
use serde_json::Value;
use std::{
    cell::Cell,
    fmt::Write as _,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::sync::mpsc::{self, error::TrySendError};

/// The rows of one piece of a file.
pub(super) const ROWS: i64 = 1000;
/// The most pieces that wait for a reader.
const PIECES: usize = 4;
/// How often the service looks whether a file may still be read.
const LOOKS: Duration = Duration::from_secs(1);

/// The format of a list as a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Comma-separated values with a line of column names.
    Csv,
    /// One JSON object on each line.
    Ndjson,
}

impl FileFormat {
    /// The media types of files, in lower case.
    pub(super) const MEDIA: [(&'static str, Self); 2] =
        [("text/csv", Self::Csv), ("application/x-ndjson", Self::Ndjson)];

    /// The file format that the `Accept` field prefers to JSON; none where JSON comes first.
    #[must_use]
    pub fn asked_for(headers: &HeaderMap) -> Option<Self> {
        let [(csv, _), (ndjson, _)] = Self::MEDIA;
        let media = preferred(headers, header::ACCEPT, &["application/json", csv, ndjson])?;
        Self::MEDIA.iter().find(|(name, _)| *name == media).map(|(_, format)| *format)
    }

    /// Writes items; the first piece of a file begins with the line of column names.
    pub(super) fn write<V: Serialize>(
        self,
        columns: &[CsvColumn],
        is_first: bool,
        items: impl Iterator<Item = V>,
    ) -> Vec<u8> {
        if self == Self::Ndjson {
            let mut lines = Vec::new();
            for item in items {
                // Writing a wire view to memory cannot fail.
                let _ = serde_json::to_writer(&mut lines, &item);
                lines.push(b'\n');
            }
            return lines;
        }
        let mut text = String::new();
        if is_first {
            csv::line(&mut text, columns.iter().map(|column| column.name.as_str()));
        }
        for item in items {
            let item = serde_json::to_value(item).unwrap_or_default();
            let cells: Vec<String> =
                columns.iter().map(|column| cell(item.pointer(&column.pointer))).collect();
            csv::line(&mut text, cells.iter().map(String::as_str));
        }
        text.into_bytes()
    }
}

/// A column of a CSV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvColumn {
    name: String,
    pointer: String,
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

impl Contract {
    /// The columns of a schema: its members, and the members of an object one level down as `parent_member`. An amount of
    /// money gives two columns, the number and the currency. A list or an object without a schema stays JSON in one cell.
    fn columns(&self, schema: &str) -> Vec<CsvColumn> {
        let mut columns = Vec::new();
        for (member, about) in self.members(schema) {
            let column = |name: String, below: &str| CsvColumn { name, pointer: format!("/{member}{below}") };
            let inner = object_of(about);
            match inner {
                Some("Money") => {
                    let currency =
                        if member == "amount" { "currency".into() } else { format!("{member}_currency") };
                    columns.extend([column(member.clone(), "/amount"), column(currency, "/currency")]);
                }
                Some(inner) if self.members(inner).next().is_some() => columns.extend(
                    self.members(inner).map(|(sub, _)| column(format!("{member}_{sub}"), &format!("/{sub}"))),
                ),
                _ => columns.push(column(member.clone(), "")),
            }
        }
        columns
    }

    fn members(&self, schema: &str) -> impl Iterator<Item = (&String, &Value)> {
        let properties = self.document.pointer(&format!("/components/schemas/{schema}/properties"));
        properties.and_then(Value::as_object).into_iter().flatten()
    }

    /// The columns of the list at an address; none where the address gives no file.
    #[must_use]
    pub fn columns_at(&self, path: &str) -> Option<Vec<CsvColumn>> {
        let (_, item) = self.files.iter().find(|(pattern, _)| pattern.is_match(path))?;
        Some(self.columns(item))
    }
}

/// The name of the schema a member refers to, also where the member may be null.
fn object_of(about: &Value) -> Option<&str> {
    let alternatives = ["oneOf", "anyOf"].iter().find_map(|word| about.get(word)?.as_array());
    let mut all = std::iter::once(about).chain(alternatives.into_iter().flatten());
    all.find_map(|value| value.get("$ref")?.as_str()?.rsplit('/').next())
}

/// The kind of a file that browsers save.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileKind {
    /// The media type, with its parameters.
    pub media: &'static str,
    /// The ending of the file's name.
    pub ending: &'static str,
}

impl From<FileFormat> for FileKind {
    fn from(format: FileFormat) -> Self {
        match format {
            FileFormat::Csv => Self { media: "text/csv; charset=utf-8; header=present", ending: "csv" },
            FileFormat::Ndjson => Self { media: "application/x-ndjson", ending: "ndjson" },
        }
    }
}

/// The answer to a request for a list: a page, or a file.
pub enum Listing {
    /// One page, as JSON.
    Page(Answer),
    /// The whole list.
    File(File),
}

impl Responder for Listing {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::Page(answer) => answer.respond_to(request),
            Self::File(file) => file.respond_to(request),
        }
    }
}

/// A file that is sent while a thread writes its pieces.
pub struct File {
    name: String,
    kind: FileKind,
    first: Option<Bytes>,
    rest: mpsc::Receiver<Result<Bytes>>,
    end: Arc<Mutex<FileEnd>>,
    of_others: Option<OfOthers>,
}

/// What is known of a file that others have made.
struct OfOthers {
    /// The name with its ending.
    name: String,
    etag: String,
}

/// The end of a file before its last piece.
#[derive(Default)]
struct FileEnd {
    /// Whether the file was broken off.
    is_broken: bool,
    /// The connection to break with the file; none before the answer begins.
    line: Option<Arc<Line>>,
}

/// The conditions of sending a file.
pub struct Terms {
    /// The slowest pace of its reader: the snapshot of a file costs the database.
    pub pace: Pace,
    /// Whether its reader may still read, asked every second; the error ends the file.
    pub may_go_on: Box<dyn Fn() -> Result<()> + Send>,
}

impl File {
    /// A file that `work` writes piece by piece on a thread of its own. An error before the first piece becomes the answer;
    /// a later error breaks the connection, so that nobody takes a part of the file for the whole.
    pub async fn written(
        name: &str,
        kind: FileKind,
        terms: Terms,
        work: impl FnOnce(&Pieces) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let (channel, mut rest) = mpsc::channel(PIECES);
        let end = Arc::<Mutex<FileEnd>>::default();
        let at_end = Arc::clone(&end);
        std::thread::Builder::new()
            .name("export".into())
            .spawn(move || {
                let progress = Cell::new(Progress::at(terms.pace));
                let pieces = Pieces { channel, terms, progress, looked_at: Cell::new(Instant::now()) };
                if let Err(error) = work(&pieces) {
                    log::warn!("a file was not written to its end: {error}");
                    let mut end = at_end.lock().unwrap_or_else(PoisonError::into_inner);
                    end.is_broken = true;
                    match &end.line {
                        Some(line) => line.cut(),
                        // Nothing is sent yet: there is room, and the error is the answer.
                        None => _ = pieces.channel.try_send(Err(error)),
                    }
                }
            })
            .map_err(Error::unavailable)?;
        let first = rest.recv().await.transpose()?;
        Ok(Self { name: name.to_owned(), kind, first, rest, end, of_others: None })
    }

    /// This file as one that others have made, and that never changes: it has their name, with its ending, and whatever is in
    /// it may do nothing where a browser shows it all the same.
    #[must_use]
    pub fn of_others(self, name: String, etag: &str) -> Self {
        Self { of_others: Some(OfOthers { name, etag: format!("\"{etag}\"") }), ..self }
    }

    fn end(&self) -> MutexGuard<'_, FileEnd> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Responder for File {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        self.end().line = Line::of(request);
        let FileKind { media, ending } = self.kind;
        let mut response = HttpResponse::Ok();
        if let Some(OfOthers { name, etag }) = &self.of_others {
            response
                .insert_header((header::CONTENT_TYPE, media))
                .insert_header((header::CONTENT_DISPOSITION, attachment(name)))
                .insert_header((header::CONTENT_SECURITY_POLICY, SANDBOX))
                .insert_header((header::ETAG, etag.as_str()));
            return response.streaming(self);
        }
        written_in(Reader::of(request).language(), &mut response);
        response
            .insert_header((header::CONTENT_TYPE, media))
            .insert_header((header::VARY, "accept, accept-language"))
            .insert_header((
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{}.{ending}\"", self.name),
            ))
            .streaming(self)
    }
}

/// The policy of what others have made: it loads nothing and runs nothing.
const SANDBOX: &str = "default-src 'none'; frame-ancestors 'none'; sandbox";

/// The field that makes a browser save a file under a name (RFC 6266): in ASCII, and as it is.
fn attachment(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " .-_()".contains(c);
    let ascii: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let exact = name.bytes().fold(String::new(), |mut exact, byte| {
        if byte.is_ascii_alphanumeric() || b".-_".contains(&byte) {
            exact.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(exact, "%{byte:02X}");
        }
        exact
    });
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{exact}")
}

impl Stream for File {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        match self.rest.poll_recv(context) {
            // The last piece of a file that was broken off is not the end of the file.
            Poll::Ready(None) if self.end().is_broken => Poll::Ready(Some(Err(broken_off()))),
            polled => polled,
        }
    }
}

fn broken_off() -> Error {
    Error::unavailable("the file was broken off")
}

/// The end of the channel that takes the pieces of a file to its reader.
pub struct Pieces {
    channel: mpsc::Sender<Result<Bytes>>,
    terms: Terms,
    progress: Cell<Progress>,
    looked_at: Cell<Instant>,
}

impl Pieces {
    /// Hands over a piece; waits until the reader has taken earlier pieces. Fails where the reader has gone away, is slower
    /// than the pace, or may no longer read.
    pub fn write(&self, piece: Vec<u8>) -> Result<()> {
        let (since, bytes) = (Instant::now(), piece.len());
        let mut progress = self.progress.get();
        let left = progress.left();
        let mut piece = Ok(piece.into());
        loop {
            if self.looked_at.get().elapsed() >= LOOKS {
                self.looked_at.set(Instant::now());
                (self.terms.may_go_on)()?;
            }
            piece = match self.channel.try_send(piece) {
                Ok(()) => break,
                Err(TrySendError::Full(piece)) if since.elapsed() < left => piece,
                Err(TrySendError::Full(_)) => {
                    return Err(Error::unavailable("the reader of a file is too slow"));
                }
                Err(TrySendError::Closed(_)) => {
                    return Err(Error::unavailable("the reader of a file has gone away"));
                }
            };
            std::thread::sleep(Duration::from_millis(1));
        }
        progress.moved(bytes, since);
        self.progress.set(progress);
        Ok(())
    }
}
