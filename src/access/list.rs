//! The answers of list operations: a page, or the whole list as a file.

use super::{Caller, Tx, policy::Policy};
use crate::{
    platform::{
        Error, Result, codes,
        http::{File, FileKind, Full, Listed, Listing, PageRequest, Pieces, Slot, Terms},
        values::Id,
    },
    text,
};
use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a request waits for a file of others to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many bytes SQLite's log may grow while one file is read: the log goes into the database's file only when nobody reads
/// what was before. Bulk work lets the log grow to 128 MiB by itself; a reader may add 64 MiB.
const LOG_GROWTH: u64 = 192 << 20;
/// How long a file may go on after the service has begun to stop.
const FAREWELL: Duration = Duration::from_secs(3);

/// A place to write a file to its reader, taken before a download is noted: a reader who finds no place has read nothing.
pub struct FilePlace(#[expect(dead_code, reason = "the place is free once this value is gone")] Slot<Id>);

impl<P: Policy> Caller<P> {
    /// Answers a list by several statements in one snapshot.
    pub async fn list<F, S, W>(self, page: PageRequest<F, S>, work: W) -> Result<Listing>
    where
        F: Send + 'static,
        S: Send + 'static,
        W: Fn(&mut Tx<'_>, &PageRequest<F, S>) -> Result<Listed> + Send + 'static,
    {
        match page.file_format() {
            Some(_) => self.write_file(page, work).await,
            None => self.snapshot(move |tx| work(tx, &page).map(|listed| Listing::Page(listed.answer))).await,
        }
    }

    /// Answers a page by one statement, without a snapshot; a page with the total of its list, or a file, in one snapshot.
    pub async fn list_plainly<F, S, W>(self, page: PageRequest<F, S>, work: W) -> Result<Listing>
    where
        F: Send + 'static,
        S: Send + 'static,
        W: Fn(&mut Tx<'_>, &PageRequest<F, S>) -> Result<Listed> + Send + 'static,
    {
        if page.include_total || page.file_format().is_some() {
            return self.list(page, work).await;
        }
        self.read(move |tx| work(tx, &page).map(|listed| Listing::Page(listed.answer))).await
    }

    /// A place to receive a file; none while as many files come as the service takes at a time, of this caller or in all.
    pub async fn upload_slot(&self) -> Option<Slot<Id>> {
        self.app().0.uploads.take(self.id(), Duration::ZERO).await.ok()
    }

    /// A place to receive a file that is kept beside the database.
    pub async fn document_slot(&self) -> Result<Slot<Id>> {
        self.app().0.documents.take(self.id(), PATIENCE).await.map_err(|full| match full {
            Full::Own => {
                let detail = text!(
                    "two of your files are on their way; send the next one after them",
                    "2 件のファイルを受信中です。受信後に次のファイルを送信してください。"
                );
                Error { retry_after: Some(5), ..Error::new(&codes::TOO_MANY_REQUESTS, detail) }
            }
            Full::All => Error {
                detail: text!(
                    "others are sending as many files as the service receives at a time",
                    "同時に受信できるファイル数の上限に達しています。"
                ),
                retry_after: Some(5),
                ..Error::unavailable("too many files are being received")
            },
        })
    }

    /// Writes the whole list to a file, every page from the same snapshot.
    async fn write_file<F, S, W>(self, mut page: PageRequest<F, S>, work: W) -> Result<Listing>
    where
        F: Send + 'static,
        S: Send + 'static,
        W: Fn(&mut Tx<'_>, &PageRequest<F, S>) -> Result<Listed> + Send + 'static,
    {
        let Some(format) = page.file_format() else { return Err(Error::internal("no file is asked for")) };
        let name = page.file_name().to_owned();
        let write = move |tx: &mut Tx<'_>, pieces: &Pieces| {
            page.walk(|page| work(tx, page), |piece| pieces.write(piece))
        };
        let place = self.file_place().await?;
        self.file(place, &name, format, write).await.map(Listing::File)
    }

    /// A file that `write` writes piece by piece from one snapshot. The file ends early where its reader may no longer
    /// read, as anybody's who has been barred, signed out or given another role.
    pub async fn file<W>(
        self,
        place: FilePlace,
        name: &str,
        kind: impl Into<FileKind>,
        write: W,
    ) -> Result<File>
    where
        W: FnOnce(&mut Tx<'_>, &Pieces) -> Result<()> + Send + 'static,
    {
        let state = Arc::clone(&self.app().0);
        let reader = Arc::new(self);
        let terms = Terms { pace: state.pace, may_go_on: reader.goes_on() };
        let write = move |pieces: &Pieces| {
            let _place = place;
            state.db.read(|conn| write(&mut reader.enter(conn)?, pieces))
        };
        File::written(name, kind.into(), terms, write).await
    }

    /// A file that is kept beside the database: `write` gives its pieces, and holds no connection meanwhile.
    pub async fn stored_file<W>(self, place: FilePlace, kind: FileKind, write: W) -> Result<File>
    where
        W: FnOnce(&Pieces) -> Result<()> + Send + 'static,
    {
        let terms = Terms { pace: self.app().0.pace, may_go_on: Arc::new(self).goes_on() };
        let write = move |pieces: &Pieces| {
            let _place = place;
            write(pieces)
        };
        File::written("file", kind, terms, write).await
    }

    /// Takes a place to write a file to the caller.
    pub async fn file_place(&self) -> Result<FilePlace> {
        let taken = self.app().0.files.take(self.id(), PATIENCE).await;
        taken.map(FilePlace).map_err(|full| match full {
            Full::Own => {
                let detail = text!(
                    "two of your files are under way; read them to their end, or close them",
                    "2 件のファイルを取得中です。最後まで読み取るか、接続を閉じてください。"
                );
                Error { retry_after: Some(5), ..Error::new(&codes::TOO_MANY_REQUESTS, detail) }
            }
            Full::All => Error {
                detail: text!(
                    "others are reading as many files as the service writes at a time",
                    "同時に出力できるファイル数の上限に達しています。"
                ),
                ..Error::unavailable("too many files are being written")
            },
        })
    }

    /// Whether the caller may go on reading a file: asked again and again, beside the snapshot of the file.
    fn goes_on(self: &Arc<Self>) -> Box<dyn Fn() -> Result<()> + Send> {
        let reader = Arc::clone(self);
        let closing_since = Cell::new(None);
        let log_at_begin = self.app().0.db.log_bytes().unwrap_or_default();
        Box::new(move || {
            let state = &reader.app().0;
            if state.closing.has_begun() {
                let since = closing_since.get().unwrap_or_else(Instant::now);
                closing_since.set(Some(since));
                if since.elapsed() >= FAREWELL {
                    return Err(Error::unavailable("the service is about to stop"));
                }
            }
            let grown = state.db.log_bytes().unwrap_or_default().saturating_sub(log_at_begin);
            if grown > LOG_GROWTH {
                return Err(Error::unavailable(format!(
                    "the database's log has grown by {} MiB while a file was read: its reader must read faster",
                    grown >> 20
                )));
            }
            match state.db.query(|conn| reader.enter(conn).map(drop)) {
                Err(error) if error.code.status < 500 => Err(error),
                // Where the database cannot say so now, the snapshot decides.
                _ => Ok(()),
            }
        })
    }
}
