//! Uploads: bodies of any size, read while the bytes arrive.

use super::{BodyLimits, pace::Progress};
use crate::{
    platform::{Error, Result, codes},
    text,
};
use actix_web::{FromRequest, HttpRequest, dev::Payload, error::PayloadError, http::header, web::Bytes};
use futures_core::Stream;
use std::{
    future::{Ready, poll_fn, ready},
    io::Read,
    pin::Pin,
    time::Instant,
};
use tokio::sync::{mpsc, oneshot};

/// The most pieces between the network and the reader; a piece has about ten kilobytes.
const PIECES: usize = 16;

/// A body that has not been read yet.
pub struct Upload {
    body: Payload,
    media_type: String,
    /// The bytes as announced; none of a body in chunks.
    length: Option<u64>,
    limits: BodyLimits,
}

impl FromRequest for Upload {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Self::of(request, payload))
    }
}

impl Upload {
    fn of(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        let fields = request.headers();
        if fields.contains_key(header::CONTENT_ENCODING) {
            return Err(Error::new(
                &codes::UNSUPPORTED_MEDIA_TYPE,
                text!(
                    "send the body without Content-Encoding",
                    "本文は Content-Encoding なしで送信してください。"
                ),
            ));
        }
        let text = |name| fields.get(name).and_then(|field| field.to_str().ok()).unwrap_or("");
        let media_type = text(header::CONTENT_TYPE).split(';').next().unwrap_or("").trim();
        let limits = request.app_data::<BodyLimits>().copied().ok_or_else(|| Error::internal("no limits"))?;
        let length = text(header::CONTENT_LENGTH).parse().ok();
        let media_type = media_type.to_ascii_lowercase();
        Self { body: payload.take(), media_type, length, limits }.at_most(limits.upload_bytes)
    }

    /// Takes no more bytes than so many; a body that is announced to be longer is refused before it is read.
    pub fn at_most(mut self, bytes: u64) -> Result<Self> {
        self.limits.upload_bytes = self.limits.upload_bytes.min(bytes);
        let most = self.limits.upload_bytes;
        if self.length.is_some_and(|length| length > most) { Err(too_large(most)) } else { Ok(self) }
    }

    /// The media type in lower case, without parameters.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Feeds the body to `work` on a thread of its own, as fast as `work` reads.
    pub async fn feed<T, F>(mut self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Incoming) -> Result<T> + Send + 'static,
    {
        let (pieces, coming) = mpsc::channel(PIECES);
        let (tell, done) = oneshot::channel();
        let incoming = Incoming { coming, piece: Bytes::new(), ended: false };
        std::thread::Builder::new()
            .name("upload".into())
            .spawn(move || {
                // The caller may have gone away; the work has kept its own result.
                let _ = tell.send(work(incoming));
            })
            .map_err(Error::unavailable)?;
        let mut left = self.limits.upload_bytes;
        let mut progress = Progress::at(self.limits.pace);
        loop {
            let piece = self.piece(&mut left, &mut progress).await;
            let over = !matches!(piece, Ok(Some(_)));
            // The channel closes where the work has ended without reading the rest.
            if pieces.send(piece).await.is_err() || over {
                break;
            }
        }
        done.await.map_err(Error::internal)?
    }

    /// The next piece; none at the end. A body that keeps its pace may take any time; the time in which the service itself
    /// is busy with the pieces before does not count.
    async fn piece(&mut self, left: &mut u64, progress: &mut Progress) -> Result<Option<Bytes>> {
        let since = Instant::now();
        let next = poll_fn(|context| Pin::new(&mut self.body).poll_next(context));
        let next = tokio::time::timeout(progress.left(), next).await;
        let piece: Option<Result<Bytes, PayloadError>> = next.map_err(|_| self.too_slow())?;
        let Some(piece) = piece else { return Ok(None) };
        let piece = piece.map_err(|_| {
            Error::new(
                &codes::MALFORMED,
                text!("the body could not be read to its end", "本文を最後まで読み取れませんでした。"),
            )
        })?;
        progress.moved(piece.len(), since);
        *left = left.checked_sub(piece.len() as u64).ok_or_else(|| too_large(self.limits.upload_bytes))?;
        Ok(Some(piece))
    }

    fn too_slow(&self) -> Error {
        let least = self.limits.pace.bytes_per_second;
        let detail = text!(
            "the body stopped arriving, or came more slowly than {least} bytes a second; send it faster",
            "本文の受信が途絶えたか、毎秒 {least} バイトを下回りました。より速い速度で送信してください。"
        );
        Error::new(&codes::REQUEST_TIMEOUT, detail)
    }
}

fn too_large(limit: u64) -> Error {
    Error::new(
        &codes::TOO_LARGE,
        text!("a file may have {limit} bytes", "ファイルは {limit} バイトまでです。"),
    )
}

/// A reader of a body that is still arriving. Reading fails where the sender goes away before the end; the I/O error
/// carries an [`Error`].
pub struct Incoming {
    coming: mpsc::Receiver<Result<Option<Bytes>>>,
    piece: Bytes,
    ended: bool,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() && !self.ended {
            match self.coming.blocking_recv() {
                Some(Ok(Some(piece))) => self.piece = piece,
                Some(Ok(None)) => self.ended = true,
                Some(Err(error)) => return Err(std::io::Error::other(error)),
                None => {
                    let error = Error::new(
                        &codes::MALFORMED,
                        text!("the sender went away before the end", "送信が途中で終了しました。"),
                    );
                    return Err(std::io::Error::other(error));
                }
            }
        }
        let count = self.piece.len().min(buffer.len());
        let piece = self.piece.split_to(count);
        if let Some(place) = buffer.get_mut(..count) {
            place.copy_from_slice(&piece);
        }
        Ok(count)
    }
}
