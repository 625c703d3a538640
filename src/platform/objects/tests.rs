use super::*;
use std::{io, os::unix::fs::PermissionsExt, path::PathBuf};

/// Bytes that end with an error after so many.
struct Broken {
    left: usize,
}

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.left.min(buffer.len());
        if count == 0 {
            return Err(io::Error::other(Error::new(&codes::MALFORMED, text!("cut", "切断"))));
        }
        self.left -= count;
        buffer[..count].fill(7);
        Ok(count)
    }
}

fn key(of: &str) -> ObjectKey {
    let folder = "01936f2e-4b00-7000-8000-000000000001".parse().unwrap();
    ObjectKey { folder, id: format!("01936f2e-4b00-7000-8000-00000000000{of}").parse().unwrap() }
}

fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn read(objects: &Objects, key: ObjectKey) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    objects.read(key, |piece| {
        all.extend_from_slice(&piece);
        Ok(())
    })?;
    Ok(all)
}

#[test]
fn what_is_put_is_read_and_removed_and_nobody_else_may_read_it() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("made/later");
    let objects = Objects::open(&StoreAddress::Folder(folder.clone())).unwrap();
    objects.delete(key("1")).unwrap();
    assert!(!folder.exists(), "a folder is made with the first object");
    let bytes: Vec<u8> = (0..12 * 1024 * 1024_u32).map(|n| n.to_le_bytes()[0]).collect();
    for (name, length) in [("1", 0), ("2", 3), ("3", PART), ("4", PART + 1), ("5", bytes.len())] {
        let stored = objects.put(key(name), &bytes[..length], bytes.len() as u64).unwrap();
        assert_eq!(stored.bytes, i64::try_from(length).unwrap());
        assert_eq!(read(&objects, key(name)).unwrap(), bytes[..length], "{length}");
    }
    let abc = objects.put(key("6"), &b"abc"[..], 3).unwrap();
    assert_eq!(abc.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    for path in files(&folder) {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
    }
    for path in [&folder, &folder.join(key("1").folder.to_string())] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700, "{path:?}");
    }
    objects.delete(key("2")).unwrap();
    objects.delete(key("2")).unwrap();
    assert_eq!(read(&objects, key("2")).unwrap_err().code.code, "internal");
    assert_eq!(read(&objects, key("6")).unwrap(), b"abc");
}

#[test]
fn of_what_is_too_large_or_cut_nothing_stays() {
    let place = tempfile::tempdir().unwrap();
    let objects = Objects::open(&StoreAddress::Folder(place.path().into())).unwrap();
    for (length, most) in [(4, 3), (PART + 1, PART), (2 * PART, 2 * PART - 1)] {
        let large = vec![1; length];
        let refused = objects.put(key("1"), &large[..], most as u64).unwrap_err();
        assert_eq!(refused.code.code, "too_large");
    }
    for left in [0, 5, PART, 2 * PART + 5] {
        let cut = objects.put(key("1"), Broken { left }, 1 << 30).unwrap_err();
        assert_eq!(cut.code.code, "malformed", "{left}");
    }
    assert_eq!(files(place.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_folder_that_cannot_be_used_is_a_fault_that_passes() {
    let place = tempfile::NamedTempFile::new().unwrap();
    let objects = Objects::open(&StoreAddress::Folder(place.path().into())).unwrap();
    let refused = objects.put(key("1"), &b"abc"[..], 3).unwrap_err();
    assert_eq!((refused.code.code, refused.retry_after), ("unavailable", Some(5)));
    assert!(!refused.sentence().contains(place.path().to_str().unwrap()));
}

#[test]
fn what_a_crash_left_over_goes_after_a_day() {
    let place = tempfile::tempdir().unwrap();
    let objects = Objects::open(&StoreAddress::Folder(place.path().into())).unwrap();
    objects.put(key("1"), &b"abc"[..], 3).unwrap();
    let note = place.path().join("a note of somebody");
    std::fs::write(&note, "").unwrap();
    let unfinished = place.path().join(key("1").folder.to_string()).join(format!("{}#1", key("2").id));
    std::fs::write(&unfinished, "half").unwrap();
    assert_eq!(objects.remove_broken_off().unwrap(), 0, "somebody may be writing it");
    let file = std::fs::File::options().write(true).open(&unfinished).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written - Duration::from_secs(90_000)).unwrap();
    assert_eq!(objects.remove_broken_off().unwrap(), 1);
    assert!(!unfinished.exists() && note.exists() && read(&objects, key("1")).is_ok());
}
