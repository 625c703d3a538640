//! A folder of objects: nobody but its owner reads them.

use super::{ObjectKey, away};
use crate::platform::{Error, Result, files};
use object_store::{ObjectStore, local::LocalFileSystem};
use std::{
    fs::DirEntry,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The age of a file that a crash has left over.
const LEFT_OVER: Duration = Duration::from_secs(86_400);

/// A folder, which may not be there yet.
#[derive(Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The store in the folder; none where the folder is not there.
    pub(super) fn store(&self) -> Result<Option<Arc<dyn ObjectStore>>> {
        match std::fs::metadata(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.named(&error)),
            Ok(_) => {}
        }
        // What a row tells of is on the disk before the row.
        let store = LocalFileSystem::new_with_prefix(&self.0).map_err(away)?.with_fsync(true);
        Ok(Some(Arc::new(store)))
    }

    /// The store in the folder, with room for an object.
    pub(super) fn store_for(&self, key: ObjectKey) -> Result<Arc<dyn ObjectStore>> {
        files::make_folder(&self.0.join(key.folder.to_string())).map_err(|error| self.named(&error))?;
        let missing = || Error::unavailable(format!("{} has gone away", self.0.display()));
        self.store()?.ok_or_else(missing)
    }

    /// Takes an object from everybody but the owner of the folder, who is the only one to enter it.
    pub(super) fn make_private(&self, key: ObjectKey) {
        let file = self.0.join(key.folder.to_string()).join(key.id.to_string());
        if let Err(error) = files::make_private(&file) {
            log::warn!("the mode of {} was not changed: {error}", file.display());
        }
    }

    /// Removes what is left of an object that was not written to its end.
    pub(super) fn remove_unfinished(&self, key: ObjectKey) {
        let begins = format!("{}#", key.id);
        for file in entries(&self.0.join(key.folder.to_string())).unwrap_or_default() {
            if file.file_name().to_string_lossy().starts_with(&begins)
                && let Err(error) = std::fs::remove_file(file.path())
            {
                log::warn!("{} was not removed: {error}", file.path().display());
            }
        }
    }

    /// Removes the files that a crash has left over while they were written.
    pub(super) fn remove_broken_off(&self) -> Result<usize> {
        let mut removed = 0;
        for folder in entries(&self.0).map_err(|error| self.named(&error))? {
            if !folder.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            for file in entries(&folder.path()).map_err(|error| self.named(&error))? {
                let is_unfinished = file.file_name().to_string_lossy().contains('#');
                if is_unfinished && is_left_over(&file) && std::fs::remove_file(file.path()).is_ok() {
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    fn named(&self, error: &io::Error) -> Error {
        away(object_store::Error::Generic {
            store: "folder",
            source: format!("{}: {error}", self.0.display()).into(),
        })
    }
}

/// The entries of a folder; none where the folder is not there.
fn entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        found => found?.collect(),
    }
}

/// Whether a file was last written a day ago, by the clock of the machine, which wrote it too.
fn is_left_over(file: &DirEntry) -> bool {
    let written = file.metadata().and_then(|about| about.modified());
    written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= LEFT_OVER))
}
