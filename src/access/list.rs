//! The answers of list operations: a page, or the whole list as a file.

use super::{Caller, Tx, policy::Policy};
use crate::platform::{
    Error, Result,
    http::{File, Listed, Listing, PageRequest, Pieces},
};
use std::sync::Arc;

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

    /// Writes the whole list to a file, every page from the same snapshot.
    async fn write_file<F, S, W>(self, mut page: PageRequest<F, S>, work: W) -> Result<Listing>
    where
        F: Send + 'static,
        S: Send + 'static,
        W: Fn(&mut Tx<'_>, &PageRequest<F, S>) -> Result<Listed> + Send + 'static,
    {
        let state = Arc::clone(&self.app().0);
        let permit = Arc::clone(&state.files).try_acquire_owned();
        let permit = permit.map_err(|_| Error::unavailable("too many files are being written"))?;
        let Some(format) = page.file_format() else { return Err(Error::internal("no file is asked for")) };
        let name = page.file_name().to_owned();
        let write = move |pieces: &Pieces| {
            let _permit = permit;
            state.db.read(|conn| {
                let mut tx = self.enter(conn)?;
                page.walk(|page| work(&mut tx, page), |piece| pieces.write(piece))
            })
        };
        File::written(&name, format, write).await.map(Listing::File)
    }
}
