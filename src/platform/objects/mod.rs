//! Large objects that never change, kept beside the database: in a folder, or in a bucket of S3.
//!
//! An object is written piece by piece, in constant memory, before a row tells of it; whoever owns the rows
//! knows which objects are left over, and removes them: several databases may share a store. Each call blocks its thread, so that no call is made on a thread of the server.

mod address;
mod folder;
mod transport;

pub use address::StoreAddress;

use super::{Error, Result, codes, values::Id};
use crate::text;
use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use folder::Folder;
use futures_core::Stream;
use object_store::{
    MultipartUpload, ObjectStore, ObjectStoreExt, RetryConfig, aws::AmazonS3Builder, path::Path,
    prefix::PrefixStore,
};
use std::{fmt::Write as _, future::poll_fn, io::Read, pin::Pin, sync::Arc, time::Duration};
use tokio::runtime::{Builder, Runtime};
use transport::Transport;

/// The bytes of a part: no bucket takes a smaller one, but for the last.
const PART: usize = 5 * 1024 * 1024;
/// How long a request is tried again.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a request is tried again.
const RETRIES: usize = 3;

/// The name of an object: its folder, and its own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectKey {
    /// The id of the record that the object's folder belongs to.
    pub folder: Id,
    /// The id of the object.
    pub id: Id,
}

impl ObjectKey {
    fn path(self) -> Path {
        Path::from_iter([self.folder.to_string(), self.id.to_string()])
    }
}

/// What was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The bytes.
    pub bytes: i64,
    /// The SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// A store of objects. Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    place: Place,
    address: StoreAddress,
}

/// Whether a store has an object.
enum Presence {
    /// Every byte was given.
    Given,
    /// There is no such object.
    Missing,
}

#[derive(Clone)]
enum Place {
    Folder(Folder),
    Bucket(Arc<dyn ObjectStore>),
}

impl Objects {
    /// Opens a store; nothing is asked yet. The keys of a bucket are those of the environment (`AWS_ACCESS_KEY_ID` and so on).
    pub fn open(address: &StoreAddress) -> Result<Self> {
        match address {
            StoreAddress::Folder(path) => {
                Ok(Self { place: Place::Folder(Folder::at(path)), address: address.clone() })
            }
            StoreAddress::Bucket { .. } => Self::bucket(address, AmazonS3Builder::from_env()),
        }
    }

    /// Opens the bucket at an address, with the keys and the endpoint of the builder.
    pub fn bucket(address: &StoreAddress, builder: AmazonS3Builder) -> Result<Self> {
        let StoreAddress::Bucket { name, prefix } = address else {
            return Err(Error::internal(format!("{address} is no bucket")));
        };
        let retries = RetryConfig { max_retries: RETRIES, retry_timeout: PATIENCE, ..RetryConfig::default() };
        let builder = builder
            .with_bucket_name(name)
            .with_http_connector(Transport)
            // Not every server knows how to delete many at once.
            .with_disable_bulk_delete(true)
            .with_retry(retries);
        let unusable =
            |error| Error::internal(format!("PROOF_STORE: {address} cannot be used, by AWS_*: {error}"));
        let bucket = builder.build().map_err(unusable)?;
        let store: Arc<dyn ObjectStore> = if prefix.is_empty() {
            Arc::new(bucket)
        } else {
            Arc::new(PrefixStore::new(bucket, prefix.as_str()))
        };
        Ok(Self { place: Place::Bucket(store), address: address.clone() })
    }

    /// The address of the store.
    #[must_use]
    pub fn address(&self) -> &StoreAddress {
        &self.address
    }

    /// Puts an object while its bytes arrive. Of an object that cannot be read to its end, or has more than `most` bytes,
    /// nothing stays; an I/O error of the reader that carries an [`Error`] is that error.
    pub fn put(&self, key: ObjectKey, from: impl Read, most: u64) -> Result<Stored> {
        let store = match &self.place {
            Place::Folder(folder) => folder.store_for(key)?,
            Place::Bucket(store) => Arc::clone(store),
        };
        let mut parts = Parts { from, left: most, most, bytes: 0, context: Context::new(&SHA256) };
        let put = put_whole(&*store, &key.path(), &mut parts);
        if let Place::Folder(folder) = &self.place {
            match &put {
                Ok(()) => folder.make_private(key),
                // Nothing aborts a file whose last flush has failed.
                Err(_) => folder.remove_unfinished(key),
            }
        }
        put.map(|()| parts.stored())
    }

    /// Gives the bytes of an object piece by piece.
    pub fn read(&self, key: ObjectKey, each: impl FnMut(Bytes) -> Result<()>) -> Result<()> {
        match self.find(key, each)? {
            Presence::Given => Ok(()),
            Presence::Missing => Err(Error::internal(format!("an object of {} is missing", self.address))),
        }
    }

    /// The length and the hash of an object as it is now; none where there is no such object.
    pub fn look_at(&self, key: ObjectKey) -> Result<Option<Stored>> {
        let (mut bytes, mut context) = (0_i64, Context::new(&SHA256));
        let found = self.find(key, |piece| {
            bytes = bytes.saturating_add_unsigned(piece.len() as u64);
            context.update(&piece);
            Ok(())
        })?;
        Ok(matches!(found, Presence::Given).then(|| Stored { bytes, sha256: hexadecimal(context) }))
    }

    fn find(&self, key: ObjectKey, mut each: impl FnMut(Bytes) -> Result<()>) -> Result<Presence> {
        let store = match &self.place {
            Place::Folder(folder) => folder.store()?,
            Place::Bucket(store) => Some(Arc::clone(store)),
        };
        let Some(store) = store else { return Ok(Presence::Missing) };
        let runtime = runtime()?;
        let found = match runtime.block_on(store.get(&key.path())) {
            Err(object_store::Error::NotFound { .. }) => return Ok(Presence::Missing),
            found => found.map_err(away)?,
        };
        let mut pieces = found.into_stream();
        while let Some(piece) = next(&runtime, &mut pieces) {
            each(piece.map_err(away)?)?;
        }
        Ok(Presence::Given)
    }

    /// Removes an object; nothing where it is gone already.
    pub fn delete(&self, key: ObjectKey) -> Result<()> {
        let store = match &self.place {
            Place::Folder(folder) => folder.store()?,
            Place::Bucket(store) => Some(Arc::clone(store)),
        };
        let Some(store) = store else { return Ok(()) };
        match runtime()?.block_on(store.delete(&key.path())) {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(away(error)),
        }
    }

    /// Removes what writing left over that was broken off by a crash, a day after. A bucket does that by a rule of its own.
    pub fn remove_broken_off(&self) -> Result<usize> {
        match &self.place {
            Place::Folder(folder) => folder.remove_broken_off(),
            Place::Bucket(_) => Ok(0),
        }
    }
}

fn put_whole(store: &dyn ObjectStore, path: &Path, parts: &mut Parts<impl Read>) -> Result<()> {
    let runtime = runtime()?;
    let first = parts.next()?;
    if first.len() < PART {
        // The bytes of the last part are known to be the last.
        return runtime.block_on(store.put(path, first.into())).map_err(away).map(drop);
    }
    let mut upload = runtime.block_on(store.put_multipart(path)).map_err(away)?;
    let put = put_parts(&runtime, &mut *upload, first, parts);
    if put.is_err()
        && let Err(left) = runtime.block_on(upload.abort())
    {
        log::warn!("the parts of an object that did not arrive were not removed: {left}");
    }
    put
}

fn put_parts(
    runtime: &Runtime,
    upload: &mut dyn MultipartUpload,
    first: Vec<u8>,
    parts: &mut Parts<impl Read>,
) -> Result<()> {
    let mut part = first;
    while !part.is_empty() {
        runtime.block_on(upload.put_part(part.into())).map_err(away)?;
        part = parts.next()?;
    }
    runtime.block_on(upload.complete()).map_err(away).map(drop)
}

/// The parts of what arrives, counted and hashed.
struct Parts<R> {
    from: R,
    left: u64,
    most: u64,
    bytes: i64,
    context: Context,
}

impl<R: Read> Parts<R> {
    /// The next part; a part that is not full is the last.
    fn next(&mut self) -> Result<Vec<u8>> {
        let mut part = Vec::with_capacity(PART);
        let read = self.from.by_ref().take(PART as u64).read_to_end(&mut part);
        read.map_err(|error| error.downcast::<Error>().unwrap_or_else(Error::unavailable))?;
        self.left = self.left.checked_sub(part.len() as u64).ok_or_else(|| too_large(self.most))?;
        self.context.update(&part);
        self.bytes = self.bytes.saturating_add_unsigned(part.len() as u64);
        Ok(part)
    }

    fn stored(self) -> Stored {
        Stored { bytes: self.bytes, sha256: hexadecimal(self.context) }
    }
}

/// A finished hash in hexadecimal digits.
#[must_use]
pub fn hexadecimal(context: Context) -> String {
    let mut digits = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        // Writing to a text cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

fn too_large(most: u64) -> Error {
    let detail = text!("a file may have {most} bytes", "ファイルは {most} バイトまでです。");
    Error::new(&codes::TOO_LARGE, detail)
}

/// What waits for the store: timers for its retries, and threads for the files of a folder.
fn runtime() -> Result<Runtime> {
    Builder::new_current_thread().enable_time().build().map_err(Error::unavailable)
}

fn next<S: Stream + Unpin>(runtime: &Runtime, stream: &mut S) -> Option<S::Item> {
    runtime.block_on(poll_fn(|context| Pin::new(&mut *stream).poll_next(context)))
}

/// A store that does not do what it is asked to do: that passes, or whoever runs the service mends it.
fn away(error: object_store::Error) -> Error {
    Error {
        retry_after: Some(5),
        detail: text!(
            "the store of files is out of reach, or full; nothing was changed",
            "ファイルの保存先に接続できないか、空き容量が不足しています。何も変更されていません。"
        ),
        ..Error::unavailable(error)
    }
}

#[cfg(test)]
mod tests;
