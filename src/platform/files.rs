//! Files and folders that nobody but their owner reads.

use super::{Error, Result};
use std::{
    fs::{DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The mode of a file: its owner reads and writes.
const FILE: u32 = 0o600;
/// The mode of a folder: its owner enters, reads and writes.
const FOLDER: u32 = 0o700;
/// The bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Makes a folder with the folders above it, for its owner alone. A folder that is there stays as it is.
pub fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(FOLDER).create(folder)
}

/// Makes a new file for its owner alone; an error where the file is there.
pub fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(FILE).open(path)
}

/// Takes a file from everybody but its owner; nothing where the file is missing.
pub fn make_private(path: &Path) -> io::Result<()> {
    let mode = match std::fs::metadata(path) {
        // The permissions of a folder or a device that is named by mistake stay as they are.
        Ok(found) if !found.is_file() => return Ok(()),
        Ok(file) => file.permissions().mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if mode & OTHERS == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(FILE))
}

/// The file with an ending after its whole name, as in `data.db-wal`.
#[must_use]
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Makes the file of an embedded database, empty where there is none, its log and its folder private. The database gives
/// its log and its index the mode of the file.
pub(super) fn make_database_private(path: &Path) -> Result<()> {
    let named = |error: io::Error| Error::internal(format!("the database {}: {error}", path.display()));
    make_folder(path.parent().unwrap_or(Path::new(""))).map_err(named)?;
    match create_new(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(named(error)),
        _ => {}
    }
    for ending in ["", "-wal", "-shm"] {
        let file = beside(path, ending);
        if let Err(error) = make_private(&file) {
            log::warn!("others may read {}: {error}", file.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_its_owner_s_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = folder.path().join("a/b/data.db");
        make_database_private(&path).unwrap();
        assert_eq!(
            (mode(&path), mode(&folder.path().join("a")), mode(path.parent().unwrap())),
            (0o600, 0o700, 0o700)
        );
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        std::fs::write(beside(&path, "-wal"), "").unwrap();
        make_database_private(&path).unwrap();
        assert_eq!((mode(&path), mode(&beside(&path, "-wal"))), (0o600, 0o600));
    }
}
